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
mod pool;
mod statement;

use crate::config::{Config, Wanted};
use crate::engine::Row;
use crate::pool::Pool;
use crate::statement::Values;
use core::ffi::CStr;
use saslplug::export::Load;
use saslplug::{Auxprop, Code, Error, Found, Host, Identity, Level, Query, Result, Secret};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Bytes of a value at most, as with stock.
const LONGEST: usize = 8190;
/// How long an answer serves the lookups of the same login.
const MEMO: Duration = Duration::from_secs(1);
/// How long a column that the table lacks is not asked for again.
const ABSENT: Duration = Duration::from_secs(60);

enum State {
    Unconfigured,
    Refused(String),
    Ready(Box<Ready>),
}

struct Ready {
    config: Config,
    pool: Pool,
    memo: Mutex<Option<Memo>>,
    absent: Mutex<Vec<(String, Instant)>>,
}

/// The answer of a statement that does not name properties.
struct Memo {
    asker: usize,
    user: Vec<u8>,
    realm: Vec<u8>,
    until: Instant,
    answer: Answer,
}

/// `None`: no row. `Some(None)`: a row whose value is NULL.
type Answer = Option<Option<Secret>>;

/// The plugin.
struct Sql(State);

impl Load for Sql {
    const NAME: &'static str = "sql";

    fn load(host: &dyn Host) -> Result<Arc<Self>> {
        let state = match Config::read(host) {
            Ok(Wanted::No) => State::Unconfigured,
            Ok(Wanted::Yes(config)) => {
                let pool = Pool::new(config.server());
                State::Ready(Box::new(Ready {
                    config: *config,
                    pool,
                    memo: Mutex::new(None),
                    absent: Mutex::new(Vec::new()),
                }))
            }
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

impl Ready {
    fn forget(&self) {
        if let Ok(mut memo) = self.memo.try_lock() {
            *memo = None;
        }
    }

    /// The answer for each name, in order.
    fn answers(
        &self,
        host: &dyn Host,
        names: &[&CStr],
        user: &[u8],
        realm: &[u8],
    ) -> Result<Vec<Answer>> {
        let names: Vec<&str> = names
            .iter()
            .map(|name| name.to_str().unwrap_or_default())
            .collect();
        if !self.config.select.names_properties() {
            let answer = self.remembered(host, user, realm)?;
            return Ok(vec![answer; names.len().max(1)]);
        }
        let names = if names.is_empty() {
            vec!["userPassword"]
        } else {
            names
        };
        let absent = self.absent();
        let asked: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| !absent.iter().any(|gone| gone == name))
            .collect();
        // All columns are absent: ask for them, so that the reason is told.
        let asked = if asked.is_empty() {
            names.clone()
        } else {
            asked
        };
        let answers = self.pool.run(host, false, &mut |connection| {
            self.each(connection, host, &asked, user, realm)
        })?;
        let answer = |name: &&str| {
            let index = asked.iter().position(|asked| asked == name)?;
            answers.get(index).cloned().flatten()
        };
        Ok(names.iter().map(answer).collect())
    }

    /// The columns that the table was found to lack.
    fn absent(&self) -> Vec<String> {
        let Ok(mut absent) = self.absent.try_lock() else {
            return Vec::new();
        };
        absent.retain(|(_, until)| Instant::now() < *until);
        absent.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The answers for the properties: in one question, or one by one.
    fn each(
        &self,
        connection: &mut dyn engine::Connection,
        host: &dyn Host,
        names: &[&str],
        user: &[u8],
        realm: &[u8],
    ) -> core::result::Result<Vec<Answer>, engine::Failure> {
        if let Some(text) = self
            .config
            .select
            .columns(names)
            .filter(|_| names.len() > 1)
        {
            let values = Values {
                user,
                realm,
                property: "",
                value: None,
            };
            match connection.query(&text.text, &text.bind(&values)) {
                Ok(rows) => return Ok(all_columns(host, rows, names.len())),
                Err(failure) if failure.lost => return Err(failure),
                // A column that is not there: one by one, then.
                Err(_) => {}
            }
        }
        let mut answers = Vec::with_capacity(names.len());
        let mut failures = Vec::new();
        for property in names {
            match self.one(connection, host, user, realm, property) {
                Ok(answer) => answers.push(answer),
                Err(failure) if failure.lost => return Err(failure),
                Err(failure) => {
                    answers.push(None);
                    failures.push((*property, failure));
                }
            }
        }
        // One that was answered shows that the statement is right.
        if failures.len() == names.len() {
            return failures
                .pop()
                .map_or(Ok(answers), |(_, failure)| Err(failure));
        }
        for (property, failure) in failures {
            host.log(
                Level::Debug,
                format_args!("sql: {property}: {}", failure.reason),
            );
            if let Ok(mut absent) = self.absent.try_lock() {
                absent.push((property.to_owned(), Instant::now() + ABSENT));
            }
        }
        Ok(answers)
    }

    /// The one answer, for all names; kept for the rest of the login.
    fn remembered(&self, host: &dyn Host, user: &[u8], realm: &[u8]) -> Result<Answer> {
        let asker = host.handle().0.addr();
        if let Ok(memo) = self.memo.try_lock() {
            let fits = |memo: &&Memo| {
                memo.asker == asker
                    && memo.user == user
                    && memo.realm == realm
                    && Instant::now() < memo.until
            };
            if let Some(memo) = memo.as_ref().filter(fits) {
                return Ok(memo.answer.clone());
            }
        }
        let answer = self.pool.run(host, false, &mut |connection| {
            self.one(connection, host, user, realm, "userPassword")
        })?;
        if let Ok(mut memo) = self.memo.try_lock() {
            let until = Instant::now() + MEMO;
            let (user, realm) = (user.to_vec(), realm.to_vec());
            *memo = Some(Memo {
                asker,
                user,
                realm,
                until,
                answer: answer.clone(),
            });
        }
        Ok(answer)
    }

    fn one(
        &self,
        connection: &mut dyn engine::Connection,
        host: &dyn Host,
        user: &[u8],
        realm: &[u8],
        property: &str,
    ) -> core::result::Result<Answer, engine::Failure> {
        let Some(text) = self.config.select.for_property(property) else {
            return Ok(None);
        };
        let values = Values {
            user,
            realm,
            property,
            value: None,
        };
        let rows = connection.query(&text.text, &text.bind(&values))?;
        Ok(first(host, rows).map(|row| {
            row.into_iter()
                .next()
                .flatten()
                .and_then(|value| fit(host, value))
        }))
    }

    /// Updates the row, or inserts one; a value is removed by NULL.
    fn put(
        &self,
        connection: &mut dyn engine::Connection,
        user: &[u8],
        realm: &[u8],
        property: &str,
        value: Option<&Secret>,
    ) -> core::result::Result<(), engine::Failure> {
        let values = Values {
            user,
            realm,
            property,
            value,
        };
        let odd = || engine::Failure::of(format!("{property} is no column name"));
        let select = self.config.select.for_property(property).ok_or_else(odd)?;
        let known = !connection
            .query(&select.text, &select.bind(&values))?
            .is_empty();
        if !known && value.is_none() {
            return Ok(());
        }
        let template = if known {
            &self.config.update
        } else {
            &self.config.insert
        };
        let text = template
            .as_ref()
            .and_then(|template| template.for_property(property));
        let text = text.ok_or_else(odd)?;
        connection
            .query(&text.text, &text.bind(&values))
            .map(|_| ())
    }
}

fn first(host: &dyn Host, rows: Vec<Row>) -> Option<Row> {
    if rows.len() > 1 {
        host.log(
            Level::Warn,
            format_args!(
                "sql plugin: found duplicate row; the first one counts (option sql_select)"
            ),
        );
    }
    rows.into_iter().next()
}

fn all_columns(host: &dyn Host, rows: Vec<Row>, count: usize) -> Vec<Answer> {
    match first(host, rows) {
        None => vec![None; count],
        Some(row) => row
            .into_iter()
            .map(|value| Some(value.and_then(|value| fit(host, value))))
            .collect(),
    }
}

fn fit(host: &dyn Host, value: Secret) -> Option<Secret> {
    if value.len() > LONGEST {
        host.log(
            Level::Err,
            format_args!("sql: a value of more than {LONGEST} bytes is ignored"),
        );
        return None;
    }
    if value.as_bytes() == b"NULL" {
        host.log(
            Level::Warn,
            format_args!("sql: the text NULL is no value: stock's plugin writes it to remove one"),
        );
        return None;
    }
    Some(value)
}

saslplug::export_auxprop!(Sql, sql_auxprop_plug_init, features = 0);
