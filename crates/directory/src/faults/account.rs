// SPDX-License-Identifier: MIT OR Apache-2.0
//! LDB-20 to 39: the service account's bind, and its searches.
#![forbid(unsafe_code)]

use super::{Fault, Shown, Words, shown};
use crate::protocol::{Entry, Outcome};
use saslplug::{Code, Level};

/// A search, as log lines show it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Search {
    pub(crate) base: String,
    pub(crate) scope: &'static str,
    pub(crate) filter: String,
    /// The service account, empty for an anonymous search.
    pub(crate) account: String,
}

impl Fault {
    /// What a refused bind of the service account means.
    pub(crate) fn service_bind(server: &str, name: &str, outcome: &Outcome) -> Self {
        let (name, result) = (Shown(name), shown(outcome));
        match outcome.code {
            49 => Self::server(
                20,
                server,
                format!(
                    "the server {server} refused the SERVICE account \"{name}\" ({result}): check \
                     ldapdb_bind_dn / ldapdb_bind_pw. Users cannot log in until this is right."
                ),
            ),
            7 | 48 => Self::server(
                21,
                server,
                format!("server {server} does no simple bind as \"{name}\" ({result})."),
            ),
            8 | 13 => Self::wants_encryption(server, outcome),
            53 => Self::server(
                25,
                server,
                format!(
                    "{server}: {result} for the service account \"{name}\". glauth answers this to \
                     everything from this host while its LimitFailedBinds ban is on."
                ),
            ),
            _ => Self::answered(server, outcome, "the bind of the service account"),
        }
    }

    /// What a refused SASL bind means; `who`: name and mechanism.
    pub(crate) fn sasl_bind(server: &str, who: &str, outcome: &Outcome) -> Self {
        let (who, result) = (Shown(who), shown(outcome));
        match outcome.code {
            49 => Self::server(
                20,
                server,
                format!(
                    "the server {server} refused the SERVICE account {who} ({result}): check \
                     ldapdb_id / ldapdb_pw. Users cannot log in until this is right."
                ),
            ),
            7 | 48 => Self::server(
                21,
                server,
                format!(
                    "server {server} does not do this SASL bind: {who} ({result}). For a simple \
                     bind use ldapdb_bind_dn."
                ),
            ),
            8 | 13 => Self::wants_encryption(server, outcome),
            _ => Self::answered(server, outcome, &format!("the bind of {who}")),
        }
    }

    pub(crate) fn sasl_failed(server: &str, who: &str, why: &str) -> Self {
        let text = format!(
            "the bind of the SERVICE account {} to {server} was given up: {}.",
            Shown(who),
            Shown(why)
        );
        Self::server(20, server, text)
    }

    pub(crate) fn no_mechanism(
        server: &str,
        offered: Option<&[String]>,
        wanted: &[String],
        why: &str,
    ) -> Self {
        let list = |list: &[String]| match list.is_empty() {
            true => "none".to_owned(),
            false => list.join(" "),
        };
        let offered = offered.map_or("not asked".to_owned(), list);
        let why = match why {
            "" => String::new(),
            why => format!(" {}.", Words(why)),
        };
        let text = format!(
            "no SASL mechanism can be used with {server} (server: {}; wanted: {}).{why} For a \
             simple bind use ldapdb_bind_dn.",
            Shown(&offered),
            match wanted {
                [] => "any".to_owned(),
                wanted => wanted.join(" "),
            }
        );
        Self::server(21, server, text)
    }

    pub(crate) fn no_root(server: &str, outcome: &Outcome) -> Self {
        let text = format!(
            "anonymous search for the SASL mechanisms refused by {server} ({}): set ldapdb_mech, \
             or for a simple bind ldapdb_bind_dn and ldapdb_bind_pw.",
            shown(outcome)
        );
        Self::server(37, server, text)
    }

    /// Proxied authorization does not work there.
    pub(crate) fn no_proxy(server: &str, why: &str) -> Self {
        let text = format!(
            "server {server} has no usable proxied authorization ({}). Use ldapdb_bind_dn + \
             ldapdb_filter (search) instead.",
            Words(why)
        );
        Self::server(23, server, text)
    }

    /// The server knows no such user, or the account may not act as it.
    pub(crate) fn not_proxied(login: &str, account: &str, outcome: &Outcome) -> Self {
        let text = format!(
            "\"u:{}\": {}: either no such user (authz-regexp) or \"{}\" lacks authzTo.",
            Shown(login),
            shown(outcome),
            Shown(account)
        );
        Self::new(24, Level::Fail, Code::NOUSER, "", text)
    }

    pub(crate) fn bound(server: &str, name: &str) -> Self {
        let text = format!("new connection to {server}, bound as \"{}\".", Shown(name));
        Self::new(26, Level::Debug, Code::OK, server, text)
    }

    pub(crate) fn wants_encryption(server: &str, outcome: &Outcome) -> Self {
        let text = format!(
            "server {server} wants encryption ({}): use ldaps:// or ldapdb_starttls: demand.",
            shown(outcome)
        );
        Self::server(22, server, text)
    }

    /// What a failed search means.
    pub(crate) fn search(
        server: &str,
        search: &Search,
        outcome: &Outcome,
        entries: &[Entry],
    ) -> Self {
        let (base, result) = (Shown(&search.base), shown(outcome));
        let who = match search.account.as_str() {
            "" => "anonymous".to_owned(),
            account => format!("\"{}\"", Shown(account)),
        };
        match outcome.code {
            32 => Self::new(
                31,
                Level::Err,
                Code::NOUSER,
                server,
                format!(
                    "search base \"{base}\" does not exist or is hidden from {who} ({result})."
                ),
            ),
            1 | 8 | 13 | 48 | 49 | 50 | 53 if search.account.is_empty() => Self::server(
                37,
                server,
                format!(
                    "anonymous search refused by {server} ({result}): set ldapdb_bind_dn and \
                     ldapdb_bind_pw."
                ),
            ),
            50 => Self::server(
                32,
                server,
                format!(
                    "{who} may not search \"{base}\" ({result}). glauth: give it \
                     [[users.capabilities]] action=\"search\" object=\"*\"; lldap: group \
                     lldap_strict_readonly; authentik: \"Search full LDAP directory\"."
                ),
            ),
            4 => Self::ambiguous(server, search, entries),
            10 => Self::server(
                35,
                server,
                format!(
                    "server {server} referred to {}; referrals are not followed. Add that server \
                     to ldapdb_uri.",
                    Shown(outcome.referral.as_deref().unwrap_or("another server"))
                ),
            ),
            8 | 13 => Self::wants_encryption(server, outcome),
            _ => Self::answered(server, outcome, "search"),
        }
    }

    pub(crate) fn no_entry(login: &str, search: &Search) -> Self {
        let text = format!(
            "no entry for \"{}\": base \"{}\", {}, filter \"{}\".",
            Shown(login),
            Shown(&search.base),
            search.scope,
            Shown(&search.filter)
        );
        Self::new(30, Level::Fail, Code::NOUSER, "", text)
    }

    /// There is an entry, but `ldapdb_require` does not hold.
    pub(crate) fn not_allowed(login: &str, dn: &str, search: &Search) -> Self {
        let text = format!(
            "\"{}\" is \"{}\", but ldapdb_require does not hold for it: filter \"{}\".",
            Shown(login),
            Shown(dn),
            Shown(&search.filter)
        );
        Self::new(30, Level::Fail, Code::NOUSER, "", text)
    }

    /// The server did not say whether somebody is a member.
    pub(crate) fn group(server: &str, group: &str, outcome: &Outcome) -> Self {
        let says = match outcome.code {
            32 => "does not exist or is hidden from the service account",
            50 => "may not be compared by the service account",
            _ => return Self::answered(server, outcome, "a question about a group"),
        };
        let text = format!(
            "group \"{}\" {says} ({}): check ldapdb_group_dn.",
            Shown(group),
            shown(outcome)
        );
        let number = if outcome.code == 32 { 31 } else { 32 };
        Self::new(number, Level::Err, Code::UNAVAIL, server, text)
    }

    pub(crate) fn ambiguous(server: &str, search: &Search, entries: &[Entry]) -> Self {
        let names: Vec<String> = entries
            .iter()
            .map(|entry| format!("\"{}\"", Shown(&entry.dn)))
            .collect();
        let text = format!(
            "2 or more entries match \"{}\" below \"{}\" ({}): refusing. Make ldapdb_filter unique.",
            Shown(&search.filter),
            Shown(&search.base),
            names.join(", ")
        );
        Self::new(33, Level::Err, Code::FAIL, server, text)
    }

    pub(crate) fn mismatch(dn: &str, login: &str) -> Self {
        let text = format!(
            "the server returned \"{}\" for \"{}\", but that entry does not match: it treats part \
             of the name as a wildcard. Login refused.",
            Shown(dn),
            Shown(login)
        );
        Self::new(34, Level::Fail, Code::NOUSER, "", text)
    }

    pub(crate) fn no_canonical(dn: &str, attribute: &str, why: &str) -> Self {
        let text = format!(
            "entry \"{}\" {why} ldapdb_canon_attr \"{attribute}\".",
            Shown(dn)
        );
        Self::new(36, Level::Err, Code::FAIL, "", text)
    }

    pub(crate) fn odd_login(login: &[u8], why: &str) -> Self {
        let login = String::from_utf8_lossy(login);
        let text = format!("login \"{}\" is not looked up: {why}.", Shown(&login));
        Self::new(38, Level::Fail, Code::NOUSER, "", text)
    }

    pub(crate) fn no_value(login: &str, option: &str) -> Self {
        let text = format!(
            "login \"{}\" has no value for a variable of {option} (%d, %r: see \
             ldapdb_default_realm), so it is not found.",
            Shown(login)
        );
        Self::new(39, Level::Fail, Code::NOUSER, "", text)
    }
}
