// SPDX-License-Identifier: MIT OR Apache-2.0
//! The sasldb plugin: one `.so` for stock libsasl2 and for ours.
//!
//! It looks properties up in a password file and stores them there. The work is
//! done by `saslfile`; this file knows the options, the realm rules and the
//! words of the plugin. `docs/stores.md` is the manual.

use core::ffi::CStr;
use core::fmt;
use saslfile::{Change, DEFAULT_PATH, Database, Key, Options};
use saslplug::export::Load;
use saslplug::{Auxprop, Code, Error, Found, Host, Identity, Level, Query, Result, Secret};
use std::sync::Arc;

const NAME: &str = "sasldb";

/// The plugin.
struct Sasldb {
    database: Database,
}

/// A number among the options, or its default with a line in the log.
fn number<T: core::str::FromStr + fmt::Display>(host: &dyn Host, name: &str, default: T) -> T {
    let Some(text) = host.option(NAME, name) else {
        return default;
    };
    text.trim().parse().unwrap_or_else(|_| {
        host.log(
            Level::Warn,
            format_args!("sasldb: {name} is \"{text}\", not a number; {default} is used"),
        );
        default
    })
}

impl Load for Sasldb {
    const NAME: &'static str = NAME;

    fn load(host: &dyn Host) -> Result<Arc<Self>> {
        let path = host
            .option(NAME, "sasldb_path")
            .filter(|path| !path.is_empty());
        let defaults = Options::new(path.unwrap_or_else(|| DEFAULT_PATH.to_owned()));
        let options = Options {
            map_size: number(host, "sasldb_mapsize", defaults.map_size),
            max_readers: number(host, "sasldb_maxreaders", defaults.max_readers),
            ..defaults
        };
        Ok(Arc::new(Self {
            database: Database::new(options),
        }))
    }
}

/// `user@realm` at the first `@`; without one, the connection's realm, else the
/// server's name.
fn split<'a>(user: &'a [u8], host: &dyn Host) -> (&'a [u8], Vec<u8>) {
    match user.iter().position(|byte| *byte == b'@') {
        Some(at) => {
            let (name, realm) = user.split_at(at);
            (name, realm.get(1..).unwrap_or_default().to_vec())
        }
        None => {
            let realm = host.realm().filter(|realm| !realm.is_empty());
            (
                user,
                realm.unwrap_or_else(|| host.server_name()).into_bytes(),
            )
        }
    }
}

impl Auxprop for Sasldb {
    fn name(&self) -> &CStr {
        c"sasldb"
    }

    fn lookup(&self, host: &dyn Host, query: &Query<'_>) -> Result<Found> {
        // No name of sasldb holds a NUL: it would be another user's key.
        if query.user.contains(&0) {
            return Err(Error::new(Code::NOUSER, "a user name with a NUL byte"));
        }
        // Who asks for nothing is told nothing, not even whether the user exists:
        // ANONYMOUS would fail.
        if query.names.is_empty() {
            return Ok(Found::default());
        }
        let (user, realm) = split(query.user, host);
        let names: Vec<&[u8]> = query.names.iter().map(|name| name.to_bytes()).collect();
        match self.database.lookup(user, &realm, &names)? {
            Some(values) => {
                let found = values.into_iter().enumerate();
                Ok(Found(
                    found
                        .filter_map(|(index, value)| Some((index, vec![value?])))
                        .collect(),
                ))
            }
            // Whom to act as need not have a password here.
            None if query.identity == Identity::Authzid => Ok(Found::default()),
            None => Err(self.no_user(user, &realm)),
        }
    }

    fn stores(&self) -> bool {
        true
    }

    fn can_store(&self, _: &dyn Host) -> bool {
        true
    }

    fn store(&self, host: &dyn Host, user: &[u8], properties: &[(&CStr, &[Secret])]) -> Result<()> {
        let (user, realm) = split(user, host);
        let mut changes = Vec::with_capacity(properties.len());
        for (name, values) in properties {
            // Starred names only steer the lookup.
            if name.to_bytes().starts_with(b"*") {
                continue;
            }
            let key = Key {
                user,
                realm: &realm,
                property: name.to_bytes(),
            };
            changes.push(Change::new(key, values.first().cloned())?);
        }
        self.database.change(&changes)
    }
}

impl Sasldb {
    fn no_user(&self, user: &[u8], realm: &[u8]) -> Error {
        let path = self.database.path().display();
        let (user, realm) = (
            String::from_utf8_lossy(user),
            String::from_utf8_lossy(realm),
        );
        if !self.database.exists() {
            let why =
                format!("{path} does not exist (option sasldb_path; saslpasswd2 -c makes it)");
            return Error::with(Code::NOUSER, why);
        }
        Error::with(
            Code::NOUSER,
            format!("no user {user} of realm {realm} in {path}"),
        )
    }
}

saslplug::export_auxprop!(Sasldb, sasldb_auxprop_plug_init, features = 0);
