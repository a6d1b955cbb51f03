// SPDX-License-Identifier: MIT OR Apache-2.0
//! The mechanisms that there are: built in, from plugin files, added by the
//! program. A built-in wins over a plugin of its name unless the option
//! `plugin_mechs` names it; a file that has nothing new is not opened.
//!
//! The tables are remembered until a plugin joins or leaves.
#![forbid(unsafe_code)]

use crate::library::{Library, read, write};
use core::sync::atomic::{AtomicUsize, Ordering};
use mech::{ClientMech, MechInfo, ServerMech};
use std::ffi::{CStr, CString};
use std::sync::Arc;

/// A mechanism's names as C reads them.
pub(crate) struct Label {
    /// Without -PLUS (`SASL_MECHNAME`).
    pub(crate) name: CString,
    /// The plugin that brings it (`SASL_AUTHSOURCE`).
    pub(crate) source: CString,
}

enum Held<T: ?Sized + 'static> {
    BuiltIn(&'static T),
    Loaded(Arc<T>),
}

/// A line of a table: a mechanism, built in or from a plugin that stays loaded
/// as long as anybody holds the line.
pub(crate) struct Entry<T: ?Sized + 'static> {
    mechanism: Held<T>,
    key: u32,
    /// Its names.
    pub(crate) label: Arc<Label>,
}

impl<T: ?Sized> Entry<T> {
    /// The mechanism itself.
    pub(crate) fn mechanism(&self) -> &T {
        match &self.mechanism {
            Held::BuiltIn(mechanism) => mechanism,
            Held::Loaded(mechanism) => mechanism,
        }
    }
}

impl<T: ?Sized> core::ops::Deref for Entry<T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.mechanism()
    }
}

/// A server mechanism.
pub(crate) type ServerHandle = Arc<Entry<dyn ServerMech>>;
/// A client mechanism.
pub(crate) type ClientHandle = Arc<Entry<dyn ClientMech>>;

/// What both sides' mechanisms say about themselves.
pub(crate) trait Described {
    /// The mechanism's line.
    fn line(&self) -> &MechInfo;
    /// The plugin that brings it.
    fn origin(&self) -> &str;
}

impl Described for dyn ServerMech {
    fn line(&self) -> &MechInfo {
        self.info()
    }
    fn origin(&self) -> &str {
        self.source()
    }
}

impl Described for dyn ClientMech {
    fn line(&self) -> &MechInfo {
        self.info()
    }
    fn origin(&self) -> &str {
        self.source()
    }
}

/// The remembered tables.
#[derive(Default)]
pub(crate) struct Tables {
    built_in_server: Option<Arc<[ServerHandle]>>,
    built_in_client: Option<Arc<[ClientHandle]>>,
    last_server: AtomicUsize,
    last_client: AtomicUsize,
    server: Option<(u64, Arc<[ServerHandle]>)>,
    client: Option<(u64, Arc<[ClientHandle]>)>,
}

impl<T: ?Sized + Described> Entry<T> {
    fn new(mechanism: Held<T>) -> Arc<Self> {
        let held: &T = match &mechanism {
            Held::BuiltIn(mechanism) => mechanism,
            Held::Loaded(mechanism) => mechanism,
        };
        let text = |text: &str| CString::new(text).unwrap_or_default();
        let label = Label {
            name: text(&held.line().name),
            source: text(held.origin()),
        };
        Arc::new(Self {
            mechanism,
            key: key(label.name.as_bytes()),
            label: Arc::new(label),
        })
    }
}

/// Tells most names apart, without regard to case: length, first and last.
fn key(name: &[u8]) -> u32 {
    let end = |byte: Option<&u8>| u32::from(byte.copied().unwrap_or_default() | 0x20);
    let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
    (length << 16) | (end(name.first()) << 8) | end(name.last())
}

/// The line of that name. Programs mostly use one mechanism: the last place
/// where one was found is looked at first.
fn find_again<T: ?Sized + Described>(
    all: &[Arc<Entry<T>>],
    name: &str,
    place: &AtomicUsize,
) -> Option<Arc<Entry<T>>> {
    let last = all.get(place.load(Ordering::Relaxed));
    if let Some(entry) = last.filter(|entry| entry.label.name.as_bytes() == name.as_bytes()) {
        return Some(Arc::clone(entry));
    }
    let found = position(all, name)?;
    place.store(found, Ordering::Relaxed);
    all.get(found).cloned()
}

/// The line of that name, without regard to case.
pub(crate) fn find<T: ?Sized + Described>(
    all: &[Arc<Entry<T>>],
    name: &str,
) -> Option<Arc<Entry<T>>> {
    all.get(position(all, name)?).cloned()
}

fn position<T: ?Sized + Described>(all: &[Arc<Entry<T>>], name: &str) -> Option<usize> {
    let name = name.as_bytes();
    let wanted = key(name);
    let is_it = |entry: &Arc<Entry<T>>| {
        let known = entry.label.name.as_bytes();
        entry.key == wanted && (known == name || known.eq_ignore_ascii_case(name))
    };
    all.iter().position(is_it)
}

fn sorted<T: ?Sized + Described>(mut all: Vec<Arc<Entry<T>>>) -> Arc<[Arc<Entry<T>>]> {
    all.sort_by_key(|entry| crate::select::strength(entry.line()));
    all.into()
}

/// The built-in ones, but for those that `plugin_mechs` wants from plugins.
fn built_in<T: ?Sized + Described>(
    table: &[&'static T],
    except: Option<&CStr>,
) -> Vec<Arc<Entry<T>>> {
    let except = except.map(CStr::to_string_lossy).unwrap_or_default();
    let wanted = |mechanism: &&&'static T| {
        let name = &mechanism.line().name;
        !crate::select::names(&except).any(|item| item.eq_ignore_ascii_case(name))
    };
    table
        .iter()
        .filter(wanted)
        .map(|mechanism| Entry::new(Held::BuiltIn(*mechanism)))
        .collect()
}

/// A table with the mechanisms of plugins that are new.
fn joined<T: ?Sized + Described>(
    own: &[Arc<Entry<T>>],
    plugins: Vec<Arc<T>>,
) -> Arc<[Arc<Entry<T>>]> {
    let mut all = own.to_vec();
    for mechanism in plugins {
        if find(&all, &mechanism.line().name).is_none() {
            all.push(Entry::new(Held::Loaded(mechanism)));
        }
    }
    sorted(all)
}

impl Library {
    /// The built-in server mechanisms, strongest first.
    pub(crate) fn built_in_servers(&self) -> Arc<[ServerHandle]> {
        if let Some(table) = &read(&self.tables).built_in_server {
            return Arc::clone(table);
        }
        let table = sorted(built_in(mech::SERVER, self.plugin_mechs().as_deref()));
        Arc::clone(write(&self.tables).built_in_server.insert(table))
    }

    /// The built-in client mechanisms, strongest first.
    pub(crate) fn built_in_clients(&self) -> Arc<[ClientHandle]> {
        if let Some(table) = &read(&self.tables).built_in_client {
            return Arc::clone(table);
        }
        let table = sorted(built_in(mech::CLIENT, self.plugin_mechs().as_deref()));
        Arc::clone(write(&self.tables).built_in_client.insert(table))
    }

    /// The built-in server mechanism of that name.
    pub(crate) fn built_in_server(&self, name: &str) -> Option<ServerHandle> {
        let tables = read(&self.tables);
        if let Some(table) = &tables.built_in_server {
            return find_again(table, name, &tables.last_server);
        }
        drop(tables);
        find(&self.built_in_servers(), name)
    }

    /// The built-in client mechanism of that name.
    pub(crate) fn built_in_client(&self, name: &str) -> Option<ClientHandle> {
        let tables = read(&self.tables);
        if let Some(table) = &tables.built_in_client {
            return find_again(table, name, &tables.last_client);
        }
        drop(tables);
        find(&self.built_in_clients(), name)
    }

    /// All server mechanisms, strongest first; opens what plugins there are.
    pub(crate) fn server_mechs(&self) -> Arc<[ServerHandle]> {
        let generation = self.registry.generation();
        if let Some((known, table)) = &read(&self.tables).server {
            if *known == generation {
                return Arc::clone(table);
            }
        }
        let own = self.built_in_servers();
        let skip = |stem: &CStr| all_built_in(stem, |name| find(&own, name).is_some());
        let table = joined(&own, self.registry.server_mechs(&self.folders(), skip));
        // Of the generation before the look: what joins meanwhile is not lost.
        let old = write(&self.tables)
            .server
            .replace((generation, Arc::clone(&table)));
        drop(old); // not under the lock: a plugin's clean-up may run
        table
    }

    /// All client mechanisms, likewise.
    pub(crate) fn client_mechs(&self) -> Arc<[ClientHandle]> {
        let generation = self.registry.generation();
        if let Some((known, table)) = &read(&self.tables).client {
            if *known == generation {
                return Arc::clone(table);
            }
        }
        let own = self.built_in_clients();
        let skip = |stem: &CStr| all_built_in(stem, |name| find(&own, name).is_some());
        let table = joined(&own, self.registry.client_mechs(&self.folders(), skip));
        let old = write(&self.tables)
            .client
            .replace((generation, Arc::clone(&table)));
        drop(old); // as above
        table
    }
}

/// The mechanisms in the files of well-known packages.
const KNOWN_FILES: &[(&CStr, &[&str])] = &[
    (c"anonymous", &["ANONYMOUS"]),
    (c"crammd5", &["CRAM-MD5"]),
    (c"digestmd5", &["DIGEST-MD5"]),
    (c"login", &["LOGIN"]),
    (c"ntlm", &["NTLM"]),
    (c"otp", &["OTP"]),
    (c"plain", &["PLAIN"]),
    (
        c"scram",
        &[
            "SCRAM-SHA-1",
            "SCRAM-SHA-224",
            "SCRAM-SHA-256",
            "SCRAM-SHA-384",
            "SCRAM-SHA-512",
        ],
    ),
];

/// Whether a file has nothing that is not built in: it need not be opened.
fn all_built_in(stem: &CStr, built_in: impl Fn(&str) -> bool) -> bool {
    let known = KNOWN_FILES.iter().find(|(known, _)| *known == stem);
    known.is_some_and(|(_, names)| names.iter().all(|name| built_in(name)))
}
