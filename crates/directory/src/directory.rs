// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a plugin asks: properties of a user, a canonical name, a verdict on a
//! password. Everything that goes wrong is in the log when it returns.
#![forbid(unsafe_code)]

use crate::config::{Config, Lookup, VerifyBy};
use crate::deadline::Deadline;
use crate::faults::{Catalogue, Fault, Journal};
use crate::memo::Memo;
use crate::pool::Pool;
use crate::remembered::Remembered;
use crate::servers::Servers;
use crate::session::Call;
use crate::template::Login;
use crate::verify::scheme;
use saslplug::{Error, Secret};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Values found for one of the names asked for.
#[derive(Debug)]
pub struct Property {
    /// Index into the names.
    pub index: usize,
    /// The values, in the directory's order.
    pub values: Vec<Secret>,
}

/// A directory, as the options describe it.
#[derive(Debug)]
pub struct Directory {
    pub(crate) config: Config,
    pub(crate) memo: Memo,
    pub(crate) servers: Servers,
    pub(crate) pool: Pool,
    #[cfg(feature = "tls")]
    pub(crate) tls: crate::tls::Tls,
    catalogue: Catalogue,
    warned: AtomicBool,
    stock_told: AtomicBool,
    /// Wrong passwords of a moment ago, and right ones.
    pub(crate) negative: Remembered,
    pub(crate) positive: Remembered,
    /// The system's crypt(3), if the host brought it.
    pub(crate) crypt: Option<hash::Crypt>,
    /// The service account was refused: not asked again before this moment.
    pub(crate) refused: Mutex<Option<(Instant, Fault)>>,
}

impl Directory {
    /// A directory; nothing is connected before the first question.
    pub fn new(config: Config) -> Self {
        let pool = Pool::new(
            config.servers.len(),
            config.pool,
            config.idle_timeout,
            config.retry_after,
        )
        .shuffling(config.shuffles);
        let servers = Servers::new(&config.servers);
        let catalogue = Catalogue::new(config.debug);
        let negative = Remembered::new(config.negative_ttl);
        let positive = Remembered::new(config.cache_ttl);
        Self {
            config,
            memo: Memo::default(),
            servers,
            pool,
            #[cfg(feature = "tls")]
            tls: crate::tls::Tls::default(),
            catalogue,
            warned: AtomicBool::new(false),
            stock_told: AtomicBool::new(false),
            negative,
            positive,
            crypt: None,
            refused: Mutex::new(None),
        }
    }

    /// The same directory, which can verify `{CRYPT}` values by `crypt`.
    #[must_use]
    pub fn with_crypt(mut self, crypt: hash::Crypt) -> Self {
        self.crypt = Some(crypt);
        self
    }

    /// The same directory, which asks these name servers for SRV records, and not
    /// the system's.
    #[must_use]
    pub fn with_name_servers(mut self, servers: Vec<SocketAddr>) -> Self {
        self.servers = self.servers.asking(servers);
        self
    }

    /// What the options say.
    pub fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn call<'a>(&'a self, journal: &'a dyn Journal, login: Login<'a>) -> Call<'a> {
        if !self.warned.swap(true, Ordering::Relaxed) {
            self.config
                .warnings
                .iter()
                .for_each(|fault| self.catalogue.report(journal, fault));
        }
        let default_realm = self.config.default_realm.as_deref();
        let login = Login {
            default_realm,
            ..login
        };
        Call {
            journal,
            login,
            deadline: Deadline::after(self.config.max_wait),
            once: false,
        }
    }

    /// Writes a fault and makes it the error of the call.
    pub(crate) fn fail(&self, journal: &dyn Journal, fault: &Fault) -> Error {
        self.catalogue.report(journal, fault);
        fault.error()
    }

    pub(crate) fn report(&self, journal: &dyn Journal, fault: &Fault) {
        self.catalogue.report(journal, fault);
    }

    /// The values of `names` (without a star) for a user. `verifies`: the host
    /// knows that this plugin checks passwords.
    ///
    /// # Errors
    /// `NOUSER`, or why the directory could not be asked; already in the log.
    pub fn lookup(
        &self,
        journal: &dyn Journal,
        login: &Login<'_>,
        user: &[u8],
        names: &[&str],
        verifies: bool,
    ) -> Result<Vec<Property>, Error> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let result = checked(user).and_then(|user| {
            let call = self.call(
                journal,
                Login {
                    user,
                    ..login.clone()
                },
            );
            self.properties(&call, names, verifies)
        });
        result.map_err(|fault| self.fail(journal, &fault))
    }

    fn properties(
        &self,
        call: &Call<'_>,
        names: &[&str],
        verifies: bool,
    ) -> Result<Vec<Property>, Fault> {
        if self.config.lookup == Lookup::None {
            self.no_password_shown(call, names, call.login.user, verifies);
            return Ok(Vec::new());
        }
        let shown = |name: &&&str| self.config.shows_secrets() || !is_secret(name);
        let attribute = |name: &str| self.attribute(name);
        let asked: Vec<String> = names
            .iter()
            .filter(shown)
            .map(|name| attribute(name))
            .collect();
        let entry = self.find(call, &asked)?;
        let mut found = Vec::new();
        for (index, name) in names.iter().enumerate().filter(|(_, name)| shown(name)) {
            let mut values = entry.values(&attribute(name)).unwrap_or_default().to_vec();
            if is_password(name) {
                // A hash is no password: whoever knows it must not get in.
                values.retain(|value| scheme(value).is_none());
            }
            if !values.is_empty() {
                found.push(Property { index, values });
            }
        }
        let readable = |wanted: &Property| names.get(wanted.index).is_some_and(|n| is_password(n));
        if !found.iter().any(readable) {
            self.no_password_shown(call, names, &entry.dn, verifies);
        }
        Ok(found)
    }

    /// The attribute that a property is kept in.
    pub(crate) fn attribute(&self, name: &str) -> String {
        if is_password(name) {
            return self.config.password_attr.clone();
        }
        let mut mapped = self.config.attribute_map.iter();
        let mapped = mapped.find(|(property, _)| property.eq_ignore_ascii_case(name));
        mapped.map_or(name, |(_, attribute)| attribute).to_owned()
    }

    /// Replaces the values of properties (names without a star); no values:
    /// removes them.
    ///
    /// # Errors
    /// `CONSTRAINT_VIOLAT` (not here), `WEAKPASS`, `NOUSER`, `UNAVAIL`, `FAIL`;
    /// already in the log.
    pub fn store(
        &self,
        journal: &dyn Journal,
        login: &Login<'_>,
        user: &[u8],
        properties: &[(&str, &[Secret])],
    ) -> Result<(), Error> {
        let result = checked(user).and_then(|user| {
            let login = Login {
                user,
                ..login.clone()
            };
            let call = Call {
                once: true,
                ..self.call(journal, login)
            };
            self.replace(&call, properties)
        });
        result.map_err(|fault| self.fail(journal, &fault))
    }

    /// Says what it means that a password was asked for and none is readable.
    fn no_password_shown(&self, call: &Call<'_>, names: &[&str], dn: &str, verifies: bool) {
        if !names.iter().any(|name| is_password(name)) {
            return;
        }
        let plain_check = names
            .iter()
            .any(|name| name.eq_ignore_ascii_case("cmusaslsecretPLAIN"));
        let by_bind = matches!(self.config.verify, VerifyBy::Auto | VerifyBy::Bind);
        let attribute = &self.config.password_attr;
        match (plain_check, by_bind) {
            (false, _) => self.report(call.journal, &Fault::no_secret(dn, attribute)),
            (true, true) if verifies => {}
            (true, true) => {
                if !self.stock_told.swap(true, Ordering::Relaxed) {
                    self.report(call.journal, &Fault::stock());
                }
            }
            (true, false) => {
                let fault = Fault::no_password(call.login.user, dn, attribute);
                self.report(call.journal, &fault);
            }
        }
    }

    /// The canonical name of a user.
    ///
    /// # Errors
    /// As [`Directory::lookup`]; `FAIL` when the entry has no canonical name.
    pub fn canonical(
        &self,
        journal: &dyn Journal,
        login: &Login<'_>,
        user: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let result = checked(user.trim_ascii()).and_then(|user| {
            self.canonical_name(&self.call(
                journal,
                Login {
                    user,
                    ..login.clone()
                },
            ))
        });
        result.map_err(|fault| self.fail(journal, &fault))
    }

    /// Whether `password` is the password of a user.
    ///
    /// # Errors
    /// `BADAUTH` and the like, or why nobody could tell; already in the log.
    pub fn verify(
        &self,
        journal: &dyn Journal,
        login: &Login<'_>,
        user: &[u8],
        password: &Secret,
    ) -> Result<(), Error> {
        let result = checked(user).and_then(|user| {
            let call = self.call(
                journal,
                Login {
                    user,
                    ..login.clone()
                },
            );
            self.remembered_verdict(&call, password)
        });
        result.map_err(|fault| self.fail(journal, &fault))
    }
}

/// A login that may be looked up.
pub(crate) fn checked(user: &[u8]) -> Result<&str, Fault> {
    const LONGEST: usize = 1024;
    let text = core::str::from_utf8(user).ok();
    match text {
        _ if user.trim_ascii().is_empty() => Err(Fault::odd_login(user, "it is empty")),
        _ if user.len() > LONGEST => Err(Fault::odd_login(user, "it is longer than 1024 bytes")),
        Some(text) if text.chars().any(char::is_control) => {
            Err(Fault::odd_login(user, "it has control characters"))
        }
        Some(text) => Ok(text),
        None => Err(Fault::odd_login(user, "it is not UTF-8")),
    }
}

fn is_password(name: &str) -> bool {
    name.eq_ignore_ascii_case("userPassword")
}

/// Properties that hold a password or its equivalent.
fn is_secret(name: &str) -> bool {
    let begins = name
        .get(..13)
        .is_some_and(|head| head.eq_ignore_ascii_case("cmusaslsecret"));
    begins || is_password(name) || name.eq_ignore_ascii_case("authPassword")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_logins_are_not_looked_up() {
        let long = "x".repeat(65_536);
        for user in ["", "  ", "a\0b", "a\nb", long.as_str()] {
            let fault = checked(user.as_bytes()).unwrap_err();
            assert_eq!(
                (fault.number(), fault.code()),
                (38, saslplug::Code::NOUSER),
                "{fault}"
            );
            assert!(fault.to_string().len() < 400);
        }
        assert_eq!(checked(b"\xff\xfe").unwrap_err().number(), 38);
        for user in ["jdoe", "*", "a)(uid=*", "\\", "é", "jdoe*"] {
            assert_eq!(checked(user.as_bytes()).unwrap(), user);
        }
    }

    #[test]
    fn secrets_are_known_by_name() {
        assert!(is_secret("userpassword") && is_secret("cmusaslsecretCRAM-MD5"));
        assert!(is_secret("authPassword") && !is_secret("mail") && !is_secret("cmusaslsecre"));
    }
}
