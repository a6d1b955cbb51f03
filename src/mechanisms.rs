// SPDX-License-Identifier: MIT OR Apache-2.0
//! The mechanisms that there are: built in, from plugin files, added by the
//! program. A built-in wins over a plugin of its name unless the option
//! `plugin_mechs` names it; a file that has nothing new is not opened. The
//! option `legacy_mechs: no` takes the legacy and obsolete ones away.
//!
//! The tables are remembered until a plugin joins or leaves.
#![forbid(unsafe_code)]

use crate::library::{Library, read, write};
use core::sync::atomic::{AtomicUsize, Ordering};
use mech::{ClientMech, MechInfo, ServerMech, Status};
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

/// Which mechanisms there are to be.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// `plugin_mechs`: to be taken from plugins although they are built in.
    from_plugins: Vec<String>,
    /// `legacy_mechs: no`.
    no_legacy: bool,
}

impl Wanted {
    /// Whether the legacy ones are switched off and `name` is one of them.
    pub(crate) fn switched_off(&self, name: &str) -> bool {
        self.no_legacy && Status::of(name) != Status::Current
    }

    fn built_in(&self, name: &str) -> bool {
        let elsewhere = |item: &String| item.eq_ignore_ascii_case(name);
        !self.from_plugins.iter().any(elsewhere) && !self.switched_off(name)
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

/// The built-in ones that are wanted.
fn built_in<T: ?Sized + Described>(table: &[&'static T], wanted: &Wanted) -> Vec<Arc<Entry<T>>> {
    table
        .iter()
        .filter(|mechanism| wanted.built_in(&mechanism.line().name))
        .map(|mechanism| Entry::new(Held::BuiltIn(*mechanism)))
        .collect()
}

/// A table with the mechanisms of plugins that are new and wanted.
fn joined<T: ?Sized + Described>(
    own: &[Arc<Entry<T>>],
    plugins: Vec<Arc<T>>,
    wanted: &Wanted,
) -> Arc<[Arc<Entry<T>>]> {
    let mut all = own.to_vec();
    for mechanism in plugins {
        let name = &mechanism.line().name;
        if !wanted.switched_off(name) && find(&all, name).is_none() {
            all.push(Entry::new(Held::Loaded(mechanism)));
        }
    }
    sorted(all)
}

impl Library {
    /// Reads the options that say which mechanisms there are to be. Asked once
    /// in an init; what an init does not set stays as an earlier one did.
    pub(crate) fn read_wanted_mechs(&self) {
        let plugins = self.option(None, c"plugin_mechs");
        let legacy = self.option(None, c"legacy_mechs");
        let mut wanted = read(&self.wanted).clone();
        if let Some(list) = plugins {
            let list = list.to_string_lossy();
            wanted.from_plugins = crate::select::names(&list).map(str::to_owned).collect();
        }
        if let Some(answer) = legacy {
            wanted.no_legacy = crate::select::is_false(answer.to_bytes());
        }
        if *read(&self.wanted) != wanted {
            *write(&self.wanted) = wanted;
            *write(&self.tables) = Tables::default();
        }
    }

    /// The built-in server mechanisms, strongest first.
    pub(crate) fn built_in_servers(&self) -> Arc<[ServerHandle]> {
        if let Some(table) = &read(&self.tables).built_in_server {
            return Arc::clone(table);
        }
        let table = sorted(built_in(mech::SERVER, &read(&self.wanted)));
        Arc::clone(write(&self.tables).built_in_server.insert(table))
    }

    /// The built-in client mechanisms, strongest first.
    pub(crate) fn built_in_clients(&self) -> Arc<[ClientHandle]> {
        if let Some(table) = &read(&self.tables).built_in_client {
            return Arc::clone(table);
        }
        let table = sorted(built_in(mech::CLIENT, &read(&self.wanted)));
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
        let wanted = read(&self.wanted).clone();
        let have = |name: &str| find(&own, name).is_some() || wanted.switched_off(name);
        let skip = |stem: &CStr| nothing_new(stem, have);
        let plugins = self.registry.server_mechs(&self.folders(), skip);
        let table = joined(&own, plugins, &wanted);
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
        let wanted = read(&self.wanted).clone();
        let have = |name: &str| find(&own, name).is_some() || wanted.switched_off(name);
        let skip = |stem: &CStr| nothing_new(stem, have);
        let plugins = self.registry.client_mechs(&self.folders(), skip);
        let table = joined(&own, plugins, &wanted);
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

/// Whether a file has nothing that is not there, or not wanted: it need not be
/// opened.
fn nothing_new(stem: &CStr, have: impl Fn(&str) -> bool) -> bool {
    let known = KNOWN_FILES.iter().find(|(known, _)| *known == stem);
    known.is_some_and(|(_, names)| names.iter().all(|name| have(name)))
}
