// SPDX-License-Identifier: MIT OR Apache-2.0
//! The mechanisms that there are: built in, from plugin files, added by the
//! program. A built-in wins over a plugin of its name unless the option
//! `plugin_mechs` names it; a file that has nothing new is not opened.
#![forbid(unsafe_code)]

use crate::library::Library;
use mech::{ClientMech, ServerMech};
use std::ffi::CStr;
use std::sync::Arc;

/// A mechanism in the tables: built in, or from a plugin that stays loaded as
/// long as anybody holds it.
pub(crate) enum Held<T: ?Sized + 'static> {
    /// In `crates/mech`.
    BuiltIn(&'static T),
    /// From a file, or added by the program.
    Loaded(Arc<T>),
}

impl<T: ?Sized> Clone for Held<T> {
    fn clone(&self) -> Self {
        match self {
            Held::BuiltIn(mechanism) => Held::BuiltIn(mechanism),
            Held::Loaded(mechanism) => Held::Loaded(Arc::clone(mechanism)),
        }
    }
}

impl<T: ?Sized> core::ops::Deref for Held<T> {
    type Target = T;
    fn deref(&self) -> &T {
        match self {
            Held::BuiltIn(mechanism) => mechanism,
            Held::Loaded(mechanism) => mechanism,
        }
    }
}

/// A server mechanism.
pub(crate) type ServerHandle = Held<dyn ServerMech>;
/// A client mechanism.
pub(crate) type ClientHandle = Held<dyn ClientMech>;

/// Whether `name` is in a list of names.
fn among(list: Option<&CStr>, name: &str) -> bool {
    let list = list.map(CStr::to_string_lossy).unwrap_or_default();
    crate::select::names(&list).any(|item| item.eq_ignore_ascii_case(name))
}

impl Library {
    /// The built-in server mechanism of that name, unless the option
    /// `plugin_mechs` wants the plugin's instead.
    pub(crate) fn built_in_server(&self, name: &str) -> Option<ServerHandle> {
        let found = mech::SERVER
            .iter()
            .find(|known| known.info().name.eq_ignore_ascii_case(name));
        let found = found.filter(|_| !among(self.plugin_mechs().as_deref(), name));
        found.map(|known| Held::BuiltIn(*known))
    }

    /// The built-in client mechanism of that name, likewise.
    pub(crate) fn built_in_client(&self, name: &str) -> Option<ClientHandle> {
        let found = mech::CLIENT
            .iter()
            .find(|known| known.info().name.eq_ignore_ascii_case(name));
        let found = found.filter(|_| !among(self.plugin_mechs().as_deref(), name));
        found.map(|known| Held::BuiltIn(*known))
    }

    /// The built-in client mechanisms, strongest first.
    pub(crate) fn built_in_clients(&self) -> Vec<ClientHandle> {
        let names = mech::CLIENT.iter().map(|known| known.info().name.as_ref());
        let mut all: Vec<_> = names
            .filter_map(|name| self.built_in_client(name))
            .collect();
        all.sort_by_key(|mechanism| crate::select::strength(mechanism.info()));
        all
    }

    /// All server mechanisms, strongest first; opens what plugins there are. A
    /// built-in wins over a file of its name.
    pub(crate) fn server_mechs(&self) -> Vec<ServerHandle> {
        let names = mech::SERVER.iter().map(|known| known.info().name.as_ref());
        let mut all: Vec<_> = names
            .filter_map(|name| self.built_in_server(name))
            .collect();
        let skip = |stem: &CStr| all_built_in(stem, |name| self.built_in_server(name).is_some());
        for mechanism in self.registry.server_mechs(&self.folders(), skip) {
            let name = &mechanism.info().name;
            if !all
                .iter()
                .any(|known| known.info().name.eq_ignore_ascii_case(name))
            {
                all.push(Held::Loaded(mechanism));
            }
        }
        all.sort_by_key(|mechanism| crate::select::strength(mechanism.info()));
        all
    }

    /// All client mechanisms, likewise.
    pub(crate) fn client_mechs(&self) -> Vec<ClientHandle> {
        let names = mech::CLIENT.iter().map(|known| known.info().name.as_ref());
        let mut all: Vec<_> = names
            .filter_map(|name| self.built_in_client(name))
            .collect();
        let skip = |stem: &CStr| all_built_in(stem, |name| self.built_in_client(name).is_some());
        for mechanism in self.registry.client_mechs(&self.folders(), skip) {
            let name = &mechanism.info().name;
            if !all
                .iter()
                .any(|known| known.info().name.eq_ignore_ascii_case(name))
            {
                all.push(Held::Loaded(mechanism));
            }
        }
        all.sort_by_key(|mechanism| crate::select::strength(mechanism.info()));
        all
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
