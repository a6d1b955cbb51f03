// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ldapdb plugin: one `.so` for stock libsasl2 and for ours.
//!
//! It answers lookups of auxiliary properties, canonicalises user names, and,
//! where the library asks for it, verifies passwords by binding as the user.
//! The work is done by `directory`; this file only speaks the plugin's words.
//! `docs/ldapdb.md` is the manual.
#![deny(unsafe_code)]

mod config;
mod ffi;

use crate::config::Options;
use core::ffi::CStr;
use core::fmt;
use directory::{Directory, Fault, Journal, Login, VerifyBy};
use saslplug::export::Load;
use saslplug::raw::SASL_AUXPROP_FEAT_VERIFY;
use saslplug::{
    Auxprop, CanonUser, Code, Error, Found, Host, Identity, Level, Query, Result, Secret, Verify,
};
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};

/// What the options made of the plugin.
enum State {
    /// Nothing asks for it: it is silent.
    Unconfigured,
    /// The options are wrong: every call fails, with the reason.
    Refused(Refusal),
    /// It works.
    Ready(Box<Directory>),
}

/// A configuration fault, and the log that does not repeat it.
struct Refusal {
    fault: Fault,
    log: directory::Once,
}

/// The plugin, shared by the entry points of one load.
struct LdapDb {
    options: Options,
    state: State,
    verifier_loaded: AtomicBool,
    /// The plugin with options, where this one was loaded without.
    successor: OnceLock<Arc<LdapDb>>,
}

/// The plugin that is alive, for the next entry point.
///
/// A program that is server and client loads the plugin twice, the second time
/// with callbacks that answer no option: that one stands for the first.
static ALIVE: Mutex<Weak<LdapDb>> = Mutex::new(Weak::new());

struct HostJournal<'a>(&'a dyn Host);

impl Journal for HostJournal<'_> {
    fn write(&self, level: Level, line: fmt::Arguments<'_>) {
        self.0.log(level, line);
    }
}

impl Load for LdapDb {
    const NAME: &'static str = "ldapdb";

    fn load(host: &dyn Host) -> Result<Arc<Self>> {
        let options = Options::read(host);
        let state = match options.config() {
            None => State::Unconfigured,
            Some(Ok(config)) => {
                State::Ready(Box::new(Directory::new(config).with_crypt(ffi::crypt)))
            }
            Some(Err(fault)) => State::Refused(Refusal {
                fault,
                log: directory::Once::default(),
            }),
        };
        let busy = || Error::new(Code::FAIL, "the plugin is being loaded by another thread");
        let mut alive = ALIVE.lock().map_err(|_| busy())?;
        let serves = |plugin: &Arc<Self>| match state {
            State::Unconfigured => true,
            _ => plugin.options == options,
        };
        if let Some(plugin) = alive.upgrade().filter(serves) {
            return Ok(plugin);
        }
        let plugin = Arc::new(Self {
            options,
            state,
            verifier_loaded: AtomicBool::new(false),
            successor: OnceLock::new(),
        });
        *alive = Arc::downgrade(&plugin);
        Ok(plugin)
    }

    fn verifier_loaded(&self) {
        self.verifier_loaded.store(true, Ordering::Relaxed);
    }
}

/// Who asks, as far as the host knows.
struct Asker {
    service: String,
    realm: Option<String>,
}

impl Asker {
    fn of(host: &dyn Host) -> Self {
        let realm = host.realm().filter(|realm| !realm.is_empty());
        Self {
            service: host.service(),
            realm,
        }
    }

    fn login(&self) -> Login<'_> {
        Login {
            service: &self.service,
            realm: self.realm.as_deref(),
            ..Login::default()
        }
    }
}

impl LdapDb {
    /// The one with options, if this one was loaded before there were any: a
    /// library may open the plugin for the client side of a program, whose
    /// callbacks know nothing, and then ask it for the server side.
    fn successor(&self, host: &dyn Host) -> Option<&Self> {
        if !matches!(self.state, State::Unconfigured) {
            return None;
        }
        if self.successor.get().is_none() && Options::are_there(host) {
            let plugin = Self::load(host).ok()?;
            if !matches!(plugin.state, State::Unconfigured) {
                let verifies = self.verifier_loaded.load(Ordering::Relaxed);
                plugin.verifier_loaded.fetch_or(verifies, Ordering::Relaxed);
                let _ = self.successor.set(plugin);
            }
        }
        self.successor.get().map(|plugin| &**plugin)
    }

    fn directory(&self, host: &dyn Host) -> Result<&Directory> {
        match &self.state {
            // Without a reason: other plugins' errors stay readable.
            State::Unconfigured => Err(Error::bare(Code::NOMECH)),
            State::Refused(refusal) => {
                refusal.log.report(&HostJournal(host), &refusal.fault);
                Err(refusal.fault.error())
            }
            State::Ready(directory) => Ok(directory),
        }
    }

    fn canonical(&self, host: &dyn Host, user: &[u8]) -> Result<Vec<u8>> {
        let directory = self.directory(host)?;
        directory.canonical(&HostJournal(host), &Asker::of(host).login(), user)
    }
}

impl Auxprop for LdapDb {
    fn name(&self) -> &CStr {
        c"ldapdb"
    }

    fn lookup(&self, host: &dyn Host, query: &Query<'_>) -> Result<Found> {
        if let Some(successor) = self.successor(host) {
            return Auxprop::lookup(successor, host, query);
        }
        let directory = self.directory(host)?;
        let names: Vec<&str> = query
            .names
            .iter()
            .map(|name| name.to_str().unwrap_or_default())
            .collect();
        let verifies = self.verifier_loaded.load(Ordering::Relaxed);
        let journal = HostJournal(host);
        let asker = Asker::of(host);
        let found = directory.lookup(&journal, &asker.login(), query.user, &names, verifies)?;
        Ok(Found(
            found
                .into_iter()
                .map(|found| (found.index, found.values))
                .collect(),
        ))
    }

    fn stores(&self) -> bool {
        true
    }

    fn can_store(&self, host: &dyn Host) -> bool {
        match &self.successor(host).unwrap_or(self).state {
            State::Ready(directory) => directory.config().stores(),
            State::Unconfigured | State::Refused(_) => false,
        }
    }

    fn store(&self, host: &dyn Host, user: &[u8], props: &[(&CStr, &[Secret])]) -> Result<()> {
        if let Some(successor) = self.successor(host) {
            return Auxprop::store(successor, host, user, props);
        }
        let named: Vec<(&str, &[Secret])> = props
            .iter()
            .map(|(name, values)| {
                let name = name.to_str().unwrap_or_default();
                (name.trim_start_matches('*'), *values)
            })
            .collect();
        let directory = self.directory(host)?;
        directory.store(&HostJournal(host), &Asker::of(host).login(), user, &named)
    }
}

impl CanonUser for LdapDb {
    fn name(&self) -> &CStr {
        c"ldapdb"
    }

    fn server<'a>(&self, host: &dyn Host, user: &'a [u8], _: Identity) -> Result<Cow<'a, [u8]>> {
        let this = self.successor(host).unwrap_or(self);
        this.canonical(host, user).map(Cow::Owned)
    }

    /// A client knows no directory: blanks around the name go, as in the
    /// original plugin.
    fn client<'a>(&self, _: &dyn Host, user: &'a [u8], _: Identity) -> Result<Cow<'a, [u8]>> {
        match user.trim_ascii() {
            b"" => Err(Error::new(Code::BADPARAM, "ldapdb: the user name is empty")),
            name => Ok(Cow::Borrowed(name)),
        }
    }
}

impl Verify for LdapDb {
    fn name(&self) -> &CStr {
        c"ldapdb"
    }

    fn shows_secrets(&self, host: &dyn Host) -> bool {
        match &self.successor(host).unwrap_or(self).state {
            State::Ready(directory) => directory.config().shows_secrets(),
            State::Unconfigured | State::Refused(_) => true,
        }
    }

    fn verify(&self, host: &dyn Host, user: &[u8], password: &Secret) -> Result<()> {
        if let Some(successor) = self.successor(host) {
            return successor.verify(host, user, password);
        }
        let directory = self.directory(host)?;
        if directory.config().verify() == VerifyBy::No {
            return Err(Error::bare(Code::NOMECH));
        }
        directory.verify(&HostJournal(host), &Asker::of(host).login(), user, password)
    }
}

saslplug::export_auxprop!(
    LdapDb,
    ldapdb_auxprop_plug_init,
    features = SASL_AUXPROP_FEAT_VERIFY
);
saslplug::export_canonuser!(LdapDb, ldapdb_canonuser_plug_init);
saslplug::export_verify!(LdapDb);
