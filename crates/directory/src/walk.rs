// SPDX-License-Identifier: MIT OR Apache-2.0
//! A login on foot: the same functions as a login of the plugin, one after the
//! other, each timed and told. For a tool that shows where the way ends.
#![forbid(unsafe_code)]

mod plan;
mod root;

use crate::config::{Account, Lookup};
use crate::connection::{Address, Connection};
use crate::directory::{Directory, checked};
use crate::faults::{Fault, Journal};
use crate::pool::Role;
use crate::protocol::Entry;
use crate::servers::Place;
use crate::session::{Call, Server};
use crate::template::Login;
use crate::uri::Uri;
use saslplug::Secret;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A part of a login.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Host name to addresses.
    Resolve,
    /// Connecting to an address.
    Connect,
    /// The handshake of TLS.
    Tls,
    /// The bind of the service account.
    Bind,
    /// What the server says about itself.
    Root,
    /// The entry of the login.
    Search,
    /// Its canonical name.
    Canonical,
    /// Its password.
    Verify,
}

/// One step: where, how it ended, and how long it took.
#[derive(Clone, Debug)]
pub struct Step {
    /// The part of the login.
    pub phase: Phase,
    /// The server, address or name that it is about.
    pub place: String,
    /// What was found, or the line of the catalogue.
    pub outcome: Result<Vec<String>, Fault>,
    /// What is odd though it works.
    pub warnings: Vec<String>,
    /// How long it took.
    pub time: Duration,
}

/// Who is told.
type Watch<'a> = &'a mut dyn FnMut(Step);

/// Runs one step and tells it.
fn step<T>(
    watch: Watch<'_>,
    phase: Phase,
    place: &str,
    work: impl FnOnce() -> Result<T, Fault>,
    found: impl FnOnce(&T) -> (Vec<String>, Vec<String>),
) -> Result<T, Fault> {
    let start = Instant::now();
    let result = work();
    let time = start.elapsed();
    let (outcome, warnings) = match &result {
        Ok(value) => {
            let (lines, warnings) = found(value);
            (Ok(lines), warnings)
        }
        Err(fault) => (Err(fault.clone()), Vec::new()),
    };
    watch(Step {
        phase,
        place: place.to_owned(),
        outcome,
        warnings,
        time,
    });
    result
}

/// Lines about a step at which nothing is odd.
fn fine(lines: Vec<String>) -> (Vec<String>, Vec<String>) {
    (lines, Vec::new())
}

impl Directory {
    /// Walks to every server, then, with a user, through a login: each step is
    /// told to `watch`. Without a password nothing is verified. Whether all
    /// of it went well is in the steps.
    pub fn walk(
        &self,
        journal: &dyn Journal,
        login: &Login<'_>,
        password: Option<&Secret>,
        watch: &mut dyn FnMut(Step),
    ) {
        let mut reached = false;
        for (listed, uri) in self.config().servers.iter().enumerate() {
            let call = || self.call(journal, login.clone());
            let places = self.walk_records(&call(), listed, uri, watch);
            for place in places.unwrap_or_default() {
                let label = place.uri.label();
                let server = Server {
                    index: place.index,
                    listed,
                    uri: &place.uri,
                    label: &label,
                };
                match self.walk_to(&call(), server, watch) {
                    Ok(connection) => {
                        reached = true;
                        self.pool.give(place.index, Role::Service, connection);
                    }
                    Err(_) => {
                        self.pool.failed(place.index);
                    }
                }
            }
        }
        if reached && !login.user.is_empty() {
            // The walk ends at the first fault, which `watch` was told.
            let _ = self.walk_login(journal, login, password, watch);
        }
    }

    /// The servers of one URI; a step only where SRV records name them.
    fn walk_records(
        &self,
        call: &Call<'_>,
        listed: usize,
        uri: &Uri,
        watch: Watch<'_>,
    ) -> Result<Vec<Arc<Place>>, Fault> {
        let ask = || match self.servers.of(listed, uri, call.deadline) {
            (places, Some(fault)) if places.is_empty() => Err(fault),
            found => Ok(found),
        };
        let (places, _) = match uri.domain() {
            None => ask(),
            Some(_) => step(watch, Phase::Resolve, &uri.label(), ask, |(places, odd)| {
                let names = places.iter().map(|place| place.uri.label());
                (names.collect(), odd.iter().map(Fault::to_string).collect())
            }),
        }?;
        Ok(places)
    }

    /// Name, address, TLS, bind, root DSE.
    fn walk_to(
        &self,
        call: &Call<'_>,
        server: Server<'_>,
        watch: Watch<'_>,
    ) -> Result<Connection, Fault> {
        let (addresses, default_port) = step(
            watch,
            Phase::Resolve,
            server.label,
            || self.addresses(call, server),
            |(addresses, _)| fine(addresses.iter().map(Address::text).collect()),
        )?;
        let mut last = None;
        for address in &addresses {
            match self.walk_in(call, server, address, default_port, watch) {
                Ok(connection) => return self.walk_bind(call, server, connection, watch),
                Err(fault) => last = Some(fault),
            }
        }
        Err(last.unwrap_or_else(|| Fault::unresolved(server.label, server.label, "no address")))
    }

    fn walk_in(
        &self,
        call: &Call<'_>,
        server: Server<'_>,
        address: &Address,
        default_port: bool,
        watch: Watch<'_>,
    ) -> Result<Connection, Fault> {
        let sends = self.sends_password();
        let connection = step(
            watch,
            Phase::Connect,
            &address.text(),
            || {
                self.permitted(server, vec![address.clone()], sends)?;
                self.reach(call, server, address, default_port)
            },
            |_| fine(Vec::new()),
        )?;
        let secured = || {
            let connection = self.secured(call, server, address, connection)?;
            self.trusted(server, address, connection, sends)
        };
        step(watch, Phase::Tls, &address.text(), secured, |connection| {
            fine(about_tls(connection))
        })
    }

    /// Whether a login sends a password: the account's or the user's.
    fn sends_password(&self) -> bool {
        let simple = self.config.account.as_ref().is_some_and(Account::is_simple);
        simple || self.config.lookup == Lookup::None
    }

    fn walk_bind(
        &self,
        call: &Call<'_>,
        server: Server<'_>,
        connection: Connection,
        watch: Watch<'_>,
    ) -> Result<Connection, Fault> {
        let searches = self.config.lookup != Lookup::None;
        let account = self.config.account.as_ref().filter(|_| searches);
        let name = account.map_or("anonymous".to_owned(), |account| match account {
            Account::Simple { name, .. } => self.completed(name, server),
            Account::Sasl(_) => account.shown().to_owned(),
        });
        let mut connection = step(
            watch,
            Phase::Bind,
            server.label,
            || match account {
                Some(account) => {
                    let connection = self.bound(call, server, connection, account)?;
                    self.learned_policy(call, server, connection, account)
                }
                None => Ok(connection),
            },
            |_| fine(vec![about_bind(account.map(|_| &*name), searches)]),
        )?;
        if searches {
            let deadline = call.deadline.within(self.config.timeout);
            // What it hides is not needed.
            let _ = step(
                watch,
                Phase::Root,
                server.label,
                || root::read(self, server, &mut connection, deadline),
                root::Product::lines,
            );
        }
        Ok(connection)
    }

    fn walk_login(
        &self,
        journal: &dyn Journal,
        login: &Login<'_>,
        password: Option<&Secret>,
        watch: Watch<'_>,
    ) -> Result<(), Fault> {
        let call = || self.call(journal, login.clone());
        if self.config.lookup != Lookup::None {
            let everything = ["*".to_owned()];
            let entry = || {
                checked(login.user.as_bytes())?;
                self.find(&call(), &everything)
            };
            step(watch, Phase::Search, login.user, entry, |entry| {
                self.about_entry(entry, &call().login)
            })?;
        }
        if self.config.canon_attr.is_some() {
            let twice = || self.canonical_twice(&call());
            step(watch, Phase::Canonical, login.user, twice, about_name)?;
        }
        let Some(password) = password else {
            return Ok(());
        };
        let verified = || self.verdict(&call(), password);
        step(watch, Phase::Verify, login.user, verified, |()| {
            fine(vec!["the password is right".to_owned()])
        })
    }

    /// The canonical name, and why it would not lead to itself.
    fn canonical_twice(&self, call: &Call<'_>) -> Result<(String, Option<String>), Fault> {
        let name = self.canonical_name(call)?;
        let name = String::from_utf8_lossy(&name).into_owned();
        if self.config.lookup != Lookup::Search {
            return Ok((name, None));
        }
        let login = Login {
            user: &name,
            ..call.login.clone()
        };
        let attributes: Vec<String> = self.config.canon_attr.iter().cloned().collect();
        // Not what is remembered: another process does not remember it.
        let again = self.search(call, &login, &attributes);
        let same = again.and_then(|entry| self.canonical_of(&entry));
        Ok(match same {
            Ok(second) if second == name => (name, None),
            Ok(second) => (name, Some(format!("it leads to \"{second}\""))),
            Err(fault) => (name, Some(fault.to_string())),
        })
    }

    /// Who it is, and what the service account may read of it.
    fn about_entry(&self, entry: &Entry, login: &Login<'_>) -> (Vec<String>, Vec<String>) {
        let attribute = &self.config.password_attr;
        let is_password = |name: &&str| name.eq_ignore_ascii_case(attribute);
        let names = entry.attributes.iter().map(|(name, _)| name.as_str());
        let others: Vec<&str> = names.filter(|name| !is_password(name)).collect();
        let mut lines = vec![
            format!("entry \"{}\"", entry.dn),
            format!("readable: {}", others.join(" ")),
        ];
        // It would not have been found otherwise.
        let group = self.config.group.as_ref();
        let group = group.and_then(|group| group.template.fill_dn(login));
        lines.extend(group.map(|name| format!("a member of \"{name}\"")));
        let values = entry.values(attribute).unwrap_or_default();
        lines.push(match values.first().map(crate::verify::scheme) {
            None => format!("{attribute} is not readable: a bind verifies"),
            Some(None) => format!("{attribute} is readable, in clear"),
            Some(Some(scheme)) => format!("{attribute} is readable, stored as {{{scheme}}}"),
        });
        fine(lines)
    }
}

fn about_bind(name: Option<&str>, searches: bool) -> String {
    match (name, searches) {
        (Some(name), _) => format!("bound as \"{name}\""),
        (None, true) => "no ldapdb_bind_dn or ldapdb_id: searches are anonymous".to_owned(),
        (None, false) => "ldapdb_lookup: none, so there is no service account".to_owned(),
    }
}

/// The canonical name, and why it is no login itself.
fn about_name((name, odd): &(String, Option<String>)) -> (Vec<String>, Vec<String>) {
    let warning = |why: &String| {
        format!(
            "the canonical name \"{name}\" is not found as a login: {why} Let ldapdb_filter match \
             ldapdb_canon_attr too."
        )
    };
    let lines = vec![format!("canonical name \"{name}\"")];
    (lines, odd.iter().map(warning).collect())
}

fn about_tls(connection: &Connection) -> Vec<String> {
    #[cfg(feature = "tls")]
    if let Some(stream) = connection.tls() {
        return stream.about();
    }
    let _ = connection;
    vec!["no TLS".to_owned()]
}
