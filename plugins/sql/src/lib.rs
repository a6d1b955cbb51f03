// SPDX-License-Identifier: MIT OR Apache-2.0
//! The sql plugin: users in an SQLite, PostgreSQL or MariaDB (MySQL) database,
//! one `.so` for stock libsasl2 and for ours.
//!
//! Names and values are bound parameters, never part of a statement's text.
//! The engines' client libraries are opened at run time, by the first lookup.
//! `docs/stores.md` is the manual.

mod config;
mod engine;
mod ffi;
mod lookup;
mod pool;
mod statement;

use crate::config::{Config, Wanted};
use crate::lookup::Ready;
use core::ffi::CStr;
use saslplug::export::Load;
use saslplug::{Auxprop, Code, Error, Found, Host, Identity, Query, Result, Secret};
use std::sync::Arc;

enum State {
    Unconfigured,
    Refused(String),
    Ready(Box<Ready>),
}

/// The plugin.
struct Sql(State);

impl Load for Sql {
    const NAME: &'static str = "sql";

    fn load(host: &dyn Host) -> Result<Arc<Self>> {
        let state = match Config::read(host) {
            Ok(Wanted::No) => State::Unconfigured,
            Ok(Wanted::Yes(config)) => State::Ready(Box::new(Ready::new(*config))),
            Err(why) => State::Refused(why),
        };
        Ok(Arc::new(Self(state)))
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

/// Engines take text, and a NUL ends a text.
fn is_text(bytes: &[u8]) -> bool {
    core::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0'))
}

impl Sql {
    fn ready(&self) -> Result<&Ready> {
        match &self.0 {
            State::Unconfigured => Err(Error::new(Code::NOMECH, "sql is not configured").silent()),
            State::Refused(why) => Err(Error::with(Code::FAIL, why.clone())),
            State::Ready(ready) => Ok(ready),
        }
    }
}

impl Auxprop for Sql {
    fn name(&self) -> &CStr {
        c"sql"
    }

    fn lookup(&self, host: &dyn Host, query: &Query<'_>) -> Result<Found> {
        let ready = self.ready()?;
        let (user, realm) = split(query.user, host);
        let no_user = || Error::new(Code::NOUSER, "no such user in the database").silent();
        if !is_text(query.user) {
            return Err(Error::new(
                Code::NOUSER,
                "a user name that is no UTF-8 text",
            ));
        }
        let answers = ready.answers(host, query.names, user, &realm)?;
        if answers.iter().all(Option::is_none) && query.identity != Identity::Authzid {
            return Err(no_user());
        }
        let found = answers.into_iter().enumerate();
        Ok(Found(
            found
                .filter_map(|(index, answer)| Some((index, vec![answer??])))
                .collect(),
        ))
    }

    fn stores(&self) -> bool {
        matches!(&self.0, State::Ready(ready) if ready.config.stores())
    }

    fn can_store(&self, _: &dyn Host) -> bool {
        self.stores()
    }

    fn store(&self, host: &dyn Host, user: &[u8], properties: &[(&CStr, &[Secret])]) -> Result<()> {
        let ready = self.ready()?;
        let (user, realm) = split(user, host);
        if !is_text(user) || !is_text(&realm) {
            return Err(Error::new(
                Code::BADPARAM,
                "a user name that is no UTF-8 text",
            ));
        }
        ready.forget();
        let properties: Vec<(&str, Option<&Secret>)> = properties
            .iter()
            .filter(|(name, _)| !name.to_bytes().starts_with(b"*"))
            .filter_map(|(name, values)| Some((name.to_str().ok()?, values.first())))
            .collect();
        ready.pool.run(host, true, &mut |connection| {
            for (property, value) in &properties {
                ready.put(connection, user, &realm, property, *value)?;
            }
            Ok(())
        })
    }
}

saslplug::export_auxprop!(Sql, sql_auxprop_plug_init, features = 0);
