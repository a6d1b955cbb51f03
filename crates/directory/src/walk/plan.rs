// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the options amount to, before anything is connected.
#![forbid(unsafe_code)]

use crate::config::{Account, Config, Lookup, VerifyBy};
use crate::directory::Directory;
use crate::faults::Fault;
use crate::session::Server;
use crate::uri::Scope;

impl Config {
    /// What is odd, though it can be used.
    pub fn warnings(&self) -> &[Fault] {
        &self.warnings
    }
}

impl Directory {
    /// Servers, account, search and verification, completed as they will be
    /// sent: a word and what it stands for.
    pub fn plan(&self) -> Vec<(&'static str, String)> {
        let config = &self.config;
        let mut lines = Vec::new();
        for (index, uri) in config.servers.iter().enumerate() {
            let label = uri.label();
            let server = Server {
                index,
                listed: index,
                uri,
                label: &label,
            };
            lines.push(("server", label.clone()));
            if let (Some(Account::Simple { name, .. }), true) =
                (&config.account, config.lookup != Lookup::None)
            {
                lines.push(("bind as", self.completed(name, server)));
            }
            if config.lookup == Lookup::Search {
                lines.push(("search base", self.planned_base(server)));
                let scope = config.scope.or(uri.scope).unwrap_or(Scope::Sub);
                lines.push(("scope", scope.name().to_owned()));
            }
            if let Some(user) = config.user_dn.as_ref().filter(|user| user.is_dn) {
                lines.push(("users bind as", self.completed(&user.text, server)));
            }
        }
        lines.push(("how an entry is found", found_by(config.lookup).to_owned()));
        lines.push(("how a password is verified", verified_by(config).to_owned()));
        lines
    }

    fn planned_base(&self, server: Server<'_>) -> String {
        let default = self.config.default_base.as_ref();
        match &self.config.base {
            Some((text, _)) => self.completed(text, server),
            None => server
                .uri
                .base
                .as_ref()
                .or(default)
                .cloned()
                .unwrap_or_default(),
        }
    }
}

fn found_by(lookup: Lookup) -> &'static str {
    match lookup {
        Lookup::Proxy => "by proxied authorization (ldapdb_lookup: proxy)",
        Lookup::Search => "by a search (ldapdb_lookup: search)",
        Lookup::None => "not at all (ldapdb_lookup: none)",
    }
}

fn verified_by(config: &Config) -> &'static str {
    match (config.verify, config.lookup) {
        (VerifyBy::No, _) => "not by ldapdb (ldapdb_verify: no)",
        (VerifyBy::Bind, _) | (VerifyBy::Auto, Lookup::None) => "by a bind as the user",
        (VerifyBy::Value, _) => "by a readable password only (ldapdb_verify: value)",
        (VerifyBy::Auto, _) => "by a readable password, else by a bind as the user",
    }
}
