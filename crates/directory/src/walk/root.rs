// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a server says about itself: its root DSE, read after the bind. Nothing
//! of it is needed for a login.
#![forbid(unsafe_code)]

use crate::connection::Connection;
use crate::deadline::Deadline;
use crate::directory::Directory;
use crate::faults::Fault;
use crate::lookup;
use crate::protocol::{Entry, POLICY, PROXY, START_TLS};
use crate::session::Server;
use saslplug::Secret;

/// Operational attributes must be asked for by name or by `+`.
const ASKED: [&str; 9] = [
    "+",
    "*",
    "objectClass",
    "vendorName",
    "vendorVersion",
    "namingContexts",
    "supportedSASLMechanisms",
    "supportedExtension",
    "supportedControl",
];

/// A server, as far as it tells.
#[derive(Debug, Default)]
pub(super) struct Product {
    name: String,
    contexts: Vec<String>,
    mechanisms: Vec<String>,
    can: Vec<&'static str>,
    hint: Option<&'static str>,
}

pub(super) fn read(
    directory: &Directory,
    server: Server<'_>,
    connection: &mut Connection,
    deadline: Deadline,
) -> Result<Product, Fault> {
    let asked = ASKED.map(str::to_owned);
    let (entry, _) = lookup::read(connection, "", &asked, None, deadline)
        .map_err(|broken| directory.broken(server, "the search for its root DSE", broken))?;
    Ok(entry.as_ref().map(Product::of).unwrap_or_default())
}

fn texts(entry: &Entry, name: &str) -> Vec<String> {
    let values = entry.values(name).unwrap_or_default();
    let text = |value: &Secret| String::from_utf8_lossy(value.as_bytes()).into_owned();
    values.iter().map(text).collect()
}

/// Words of a vendor's name, and what to know about its product.
const HINTS: [(&str, &str); 8] = [
    (
        "lldap",
        "passwords are never readable: mech_list: PLAIN LOGIN",
    ),
    (
        "kanidm",
        "LDAPS only, and passwords are never readable: mech_list: PLAIN LOGIN",
    ),
    (
        "glauth",
        "simple binds only, and too many wrong passwords ban this host: mech_list: PLAIN LOGIN",
    ),
    (
        "authentik",
        "each bind runs a whole flow: ldapdb_timeout: 20",
    ),
    (
        "google",
        "at most four binds per second: ldapdb_negative_ttl: 30",
    ),
    (
        "active directory",
        "passwords are never readable: mech_list: PLAIN LOGIN",
    ),
    (
        "samba",
        "passwords are never readable: mech_list: PLAIN LOGIN; binds need TLS",
    ),
    (
        "389",
        "proxied authorization takes DNs only: search (ldapdb_bind_dn, ldapdb_filter)",
    ),
];

impl Product {
    fn of(entry: &Entry) -> Self {
        let name = product(entry);
        let lower = name.to_ascii_lowercase();
        let hint = HINTS.iter().find(|(word, _)| lower.contains(word));
        let has = |attribute: &str, oid: &str| texts(entry, attribute).iter().any(|v| v == oid);
        let mut can = Vec::new();
        if has("supportedExtension", START_TLS) {
            can.push("StartTLS");
        }
        if has("supportedControl", PROXY) {
            can.push("proxied authorization");
        }
        if has("supportedControl", POLICY) {
            can.push("password policies");
        }
        Self {
            hint: hint.map(|(_, hint)| *hint),
            name,
            contexts: texts(entry, "namingContexts"),
            mechanisms: texts(entry, "supportedSASLMechanisms"),
            can,
        }
    }

    /// What to tell of it.
    pub(super) fn lines(&self) -> (Vec<String>, Vec<String>) {
        let mut lines = vec![match self.name.as_str() {
            "" => "it does not say what it is".to_owned(),
            name => format!("it is probably {name}"),
        }];
        lines.extend(self.hint.map(|hint| format!("note: {hint}")));
        for (what, list) in [
            ("naming contexts", self.contexts.join(" ; ")),
            ("SASL mechanisms", self.mechanisms.join(" ")),
            ("it can do", self.can.join(", ")),
        ] {
            if !list.is_empty() {
                lines.push(format!("{what}: {list}"));
            }
        }
        (lines, Vec::new())
    }
}

/// The vendor's name, else what only one product has.
fn product(entry: &Entry) -> String {
    let vendor = [texts(entry, "vendorName"), texts(entry, "vendorVersion")].concat();
    if !vendor.is_empty() {
        return vendor.join(" ");
    }
    let classes = texts(entry, "objectClass");
    let openldap = classes
        .iter()
        .any(|class| class.eq_ignore_ascii_case("OpenLDAProotDSE"));
    let windows = ["forestFunctionality", "isGlobalCatalogReady"];
    let windows = windows.iter().any(|name| entry.values(name).is_some());
    match (openldap, windows) {
        (true, _) => "OpenLDAP".to_owned(),
        (false, true) => "Active Directory".to_owned(),
        (false, false) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(attributes: &[(&str, &str)]) -> Product {
        let all = attributes.iter().map(|(name, value)| {
            let value = Secret::from(value.as_bytes());
            ((*name).to_owned(), vec![value])
        });
        Product::of(&Entry {
            dn: String::new(),
            attributes: all.collect(),
        })
    }

    #[test]
    fn products_are_guessed() {
        for (attributes, name) in [
            (&[("objectClass", "OpenLDAProotDSE")][..], "OpenLDAP"),
            (&[("vendorName", "389 Project")], "389 Project"),
            (&[("forestFunctionality", "7")], "Active Directory"),
            (&[("namingContexts", "dc=x")], ""),
        ] {
            assert_eq!(guessed(attributes).name, name);
        }
        let hint = guessed(&[("vendorName", "LLDAP")]).hint.unwrap();
        assert!(hint.contains("mech_list: PLAIN LOGIN"));
    }

    #[test]
    fn what_it_can_do() {
        let product = guessed(&[("supportedExtension", START_TLS)]);
        assert_eq!(product.can, ["StartTLS"]);
        assert!(Product::default().lines().0[0].contains("does not say"));
    }
}
