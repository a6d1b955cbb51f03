// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a login to its entry: one search as the service account, at most two
//! entries asked for, exactly one accepted.
#![forbid(unsafe_code)]

use crate::config::{Account, Lookup};
use crate::connection::{Broken, Connection};
use crate::deadline::Deadline;
use crate::directory::Directory;
use crate::faults::{self, Fault};
use crate::filter::Filter;
use crate::memo::Key;
use crate::pool::Role;
use crate::protocol::{self, Answer, Entry, Outcome};
use crate::session::{Call, Server, Trouble};
use crate::template::Login;
use crate::uri::Scope;
use saslplug::Secret;

/// Answers to one search at most: referral lines are skipped, not collected.
const MOST_ANSWERS: usize = 1000;

impl Directory {
    /// The entry of the login with at least `attributes`.
    pub(crate) fn find(&self, call: &Call<'_>, attributes: &[String]) -> Result<Entry, Fault> {
        let key = Key {
            user: call.login.user,
            realm: call.login.realm,
            service: call.login.service,
        };
        if let Some(entry) = self.memo.find(key, attributes) {
            return Ok(entry);
        }
        let asked = self.memo.learn(attributes);
        match self.search(call, &call.login, &asked) {
            Ok(entry) => {
                self.keep(key, &entry, &asked);
                Ok(entry)
            }
            // A canonical name that the filter does not match is found by the
            // login that led to it.
            Err(fault) if matches!(fault.number(), 24 | 30) => {
                self.search_again(call, key, &asked).unwrap_or(Err(fault))
            }
            Err(fault) => Err(fault),
        }
    }

    fn search_again(
        &self,
        call: &Call<'_>,
        key: Key<'_>,
        asked: &[String],
    ) -> Option<Result<Entry, Fault>> {
        let user = self.memo.login_of(key)?;
        let login = Login {
            user: &user,
            ..call.login.clone()
        };
        match self.search(call, &login, asked) {
            Ok(entry) => {
                let same = self.canonical_of(&entry).is_ok_and(|name| name == key.user);
                same.then(|| {
                    self.keep(Key { user: &user, ..key }, &entry, asked);
                    Ok(entry)
                })
            }
            Err(fault) if matches!(fault.number(), 24 | 30) => None,
            Err(fault) => Some(Err(fault)),
        }
    }

    fn keep(&self, key: Key<'_>, entry: &Entry, asked: &[String]) {
        let canonical = self.canonical_of(entry).ok();
        self.memo.keep(
            key,
            canonical.as_deref(),
            entry,
            asked,
            &self.config.password_attr,
        );
    }

    /// The canonical name that `entry` shows.
    pub(crate) fn canonical_of(&self, entry: &Entry) -> Result<String, Fault> {
        let Some(attribute) = &self.config.canon_attr else {
            let why = "it is not set, but canon_user_plugin names ldapdb";
            return Err(Fault::bad_option("ldapdb_canon_attr", why));
        };
        let bad = |why: &str| Fault::no_canonical(&entry.dn, attribute, why);
        let value = entry.values(attribute).and_then(<[Secret]>::first);
        let value = value.ok_or_else(|| bad("has no value for"))?;
        let name = core::str::from_utf8(value.as_bytes()).ok();
        let name = name.filter(|name| !name.trim().is_empty() && !name.contains(char::is_control));
        name.map(str::to_owned)
            .ok_or_else(|| bad("has an unusable value for"))
    }

    pub(crate) fn canonical_name(&self, call: &Call<'_>) -> Result<Vec<u8>, Fault> {
        if self.config.canon_attr.is_none() {
            self.canonical_of(&Entry::default())?;
        }
        let attributes: Vec<String> = self.config.canon_attr.iter().cloned().collect();
        let entry = self.find(call, &attributes)?;
        self.canonical_of(&entry).map(String::into_bytes)
    }

    /// Attributes that every search asks for, and those of this one.
    pub(crate) fn wanted(&self, server: Server<'_>, attributes: &[String]) -> Vec<String> {
        let mut all = attributes.to_vec();
        let mut own: Vec<String> = self.config.canon_attr.iter().cloned().collect();
        let filter = self.config.filters.get(server.listed);
        if let Some(filter) = filter.filter(|_| self.config.lookup == Lookup::Search) {
            filter.login_attributes(&mut own);
        }
        for name in own {
            if !name.is_empty() && !all.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
                all.push(name);
            }
        }
        if all.is_empty() {
            all.push("1.1".to_owned());
        }
        all
    }

    pub(crate) fn search(
        &self,
        call: &Call<'_>,
        login: &Login<'_>,
        asked: &[String],
    ) -> Result<Entry, Fault> {
        let entry = match self.config.lookup {
            Lookup::Proxy => self.search_proxied(call, login, asked),
            Lookup::Search | Lookup::None => self.run(
                call,
                Role::Service,
                "search",
                &mut |connection, server, deadline| {
                    self.search_on(connection, server, login, asked, deadline)
                },
            ),
        }?;
        self.must_be_member(call, login, &entry)?;
        Ok(entry)
    }

    fn search_on(
        &self,
        connection: &mut Connection,
        server: Server<'_>,
        login: &Login<'_>,
        asked: &[String],
        deadline: Deadline,
    ) -> Result<Entry, Trouble> {
        let no_value = |option| Trouble::Fault(Fault::no_value(login.user, option));
        let base = match &self.config.base {
            Some((_, template)) => {
                let base = template
                    .fill_dn(login)
                    .ok_or_else(|| no_value("ldapdb_search_base"))?;
                self.completed(&base, server)
            }
            None => {
                let base = server
                    .uri
                    .base
                    .as_ref()
                    .or(self.config.default_base.as_ref());
                base.cloned().unwrap_or_default()
            }
        };
        let scope = self.config.scope.or(server.uri.scope).unwrap_or(Scope::Sub);
        let filter = self.config.filters.get(server.listed);
        let filter = filter.ok_or_else(|| no_value("ldapdb_filter"))?;
        let request = protocol::Search {
            base: &base,
            scope,
            filter: filter
                .encode(login)
                .ok_or_else(|| no_value("ldapdb_filter"))?,
            attributes: &self.wanted(server, asked),
            seconds: self.config.timeout.as_secs(),
            proxied: None,
        };
        let id = connection.next_id();
        connection.send(&request.encode(id), deadline)?;
        let (entries, outcome) = collect(connection, id, deadline)?;
        let account = self.config.account.as_ref();
        let shown = faults::Search {
            base,
            scope: scope.name(),
            filter: filter.text(login),
            account: account
                .map(|account| match account {
                    Account::Simple { name, .. } => self.completed(name, server),
                    Account::Sasl(_) => account.shown().to_owned(),
                })
                .unwrap_or_default(),
        };
        // A server that takes part of the name for a wildcard finds somebody else.
        let odd = |letter: char| "*()\\".contains(letter) || !(' '..='~').contains(&letter);
        let odd = login.user.contains(odd);
        if let (true, 0 | 4, Some(entry)) = (odd, outcome.code, entries.first()) {
            if entries.len() > 1 || filter.holds(login, entry) != Some(true) {
                return Err(Trouble::Fault(Fault::mismatch(&entry.dn, login.user)));
            }
        }
        if let (0, true, Some(filter)) = (
            outcome.code,
            entries.is_empty(),
            self.config.unrestricted.get(server.listed),
        ) {
            let filter = filter
                .encode(login)
                .ok_or_else(|| no_value("ldapdb_filter"))?;
            let request = protocol::Search {
                base: &shown.base,
                scope,
                filter,
                attributes: &["1.1".to_owned()],
                seconds: self.config.timeout.as_secs(),
                proxied: None,
            };
            let id = connection.next_id();
            connection.send(&request.encode(id), deadline)?;
            let (entries, _) = collect(connection, id, deadline)?;
            if let Some(entry) = entries.first() {
                let fault = Fault::not_allowed(login.user, &entry.dn, &shown);
                return Err(Trouble::Fault(fault));
            }
        }
        only_one(entries, &outcome, server, login, &shown).map_err(Trouble::Fault)
    }
}

/// The entry with the name `base`, if it is shown.
pub(crate) fn read(
    connection: &mut Connection,
    base: &str,
    attributes: &[String],
    proxied: Option<&str>,
    deadline: Deadline,
) -> Result<(Option<Entry>, Outcome), Broken> {
    let request = protocol::Search {
        base,
        scope: Scope::Base,
        filter: Filter::any(),
        attributes,
        seconds: deadline.left().map_or(1, |left| left.as_secs().max(1)),
        proxied,
    };
    let id = connection.next_id();
    connection.send(&request.encode(id), deadline)?;
    let (entries, outcome) = collect(connection, id, deadline)?;
    Ok((entries.into_iter().next(), outcome))
}

/// Everything that answers request `id`; a third entry is not kept.
fn collect(
    connection: &mut Connection,
    id: i32,
    deadline: Deadline,
) -> Result<(Vec<Entry>, Outcome), Broken> {
    let mut entries = Vec::new();
    for _ in 0..MOST_ANSWERS {
        match connection.receive(id, deadline)? {
            Answer::Entry(entry) if entries.len() < 2 => entries.push(entry),
            Answer::Entry(_) | Answer::Reference => {}
            Answer::Done(outcome) => return Ok((entries, outcome)),
            Answer::Bind(..) | Answer::Extended(..) | Answer::Modified(_) | Answer::Compared(_) => {
                return Err(Broken::Malformed(
                    "it answered a search with something else",
                ));
            }
        }
    }
    Err(Broken::Malformed("its answer to a search never ends"))
}

fn only_one(
    mut entries: Vec<Entry>,
    outcome: &Outcome,
    server: Server<'_>,
    login: &Login<'_>,
    shown: &faults::Search,
) -> Result<Entry, Fault> {
    if outcome.code != 0 {
        return Err(Fault::search(server.label, shown, outcome, &entries));
    }
    if entries.len() > 1 {
        return Err(Fault::ambiguous(server.label, shown, &entries));
    }
    entries
        .pop()
        .ok_or_else(|| Fault::no_entry(login.user, shown))
}
