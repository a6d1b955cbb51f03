// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why mechanisms are not offered: a store that never shows a secret, or an
//! option.
#![forbid(unsafe_code)]

use super::Server;
use crate::{library, lookup};
use saslplug::{Code, Error, Level};
use std::sync::atomic::Ordering;

impl Server {
    /// Whether every configured property store is one that never shows a
    /// secret: what needs one would be offered in vain. No plugin is opened
    /// where names tell enough.
    pub(super) fn secrets_are_hidden(&self) -> bool {
        *self.secrets_hidden.get_or_init(|| self.look_for_secrets())
    }

    fn look_for_secrets(&self) -> bool {
        let conn = &self.conn;
        let library = &conn.library;
        let folders = library.folders();
        let shown = conn.with_option(c"auxprop_plugin", |names| {
            let names = names.map(|names| names.to_string_lossy());
            library.registry.surely_shows(&folders, names.as_deref())
        });
        if shown {
            return false;
        }
        let stores = lookup::providers(conn);
        let hides = |name| {
            let verifier = library.registry.verifier(name);
            verifier.is_some_and(|verifier| !verifier.shows_secrets(self))
        };
        let hidden = !stores.list.is_empty() && stores.list.iter().all(|one| hides(one.name()));
        if hidden && !library.told_hidden.swap(true, Ordering::Relaxed) {
            let names: Vec<_> = stores
                .list
                .iter()
                .map(|one| one.name().to_string_lossy())
                .collect();
            let names = names.join(" ");
            conn.log(
                Level::Note,
                format_args!(
                    "SCRAM, DIGEST-MD5, CRAM-MD5, NTLM and OTP are not offered: {names} shows no \
                     password (auxprop_plugin); PLAIN and LOGIN work, offer them over TLS"
                ),
            );
        }
        hidden
    }

    /// Why no mechanism can be offered.
    pub(super) fn no_mechanisms(&self) -> Error {
        let Some(names) = self.allowed.get() else {
            let text = "no server mechanism is built in or loaded";
            return Error::new(Code::NOMECH, text);
        };
        let names = names.join(" ");
        let off = if self.switched_off(&names) {
            " (legacy_mechs: no)"
        } else {
            ""
        };
        let text =
            format!("option mech_list names no mechanism that exists here{off}: \"{names}\"");
        Error::with(Code::NOMECH, text)
    }

    /// Why there is no mechanism of that name.
    pub(super) fn not_found(&self, name: &str) -> Error {
        let text = if self.switched_off(crate::select::split_plus(name).0) {
            format!("Couldn't find mech {name}: legacy_mechs is no")
        } else {
            format!("Couldn't find mech {name}")
        };
        Error::with(Code::NOMECH, text)
    }

    /// Whether one of the names is a mechanism that `legacy_mechs` took away.
    fn switched_off(&self, names: &str) -> bool {
        let wanted = library::read(&self.conn.library.wanted);
        crate::select::names(names).any(|name| wanted.switched_off(name))
    }
}
