// SPDX-License-Identifier: MIT OR Apache-2.0
//! What LDAP servers and administrators write (`doors/directory.rs` knows the
//! parts and what must hold).

use crate::script::Script;
use directory::fuzz as door;

/// A server's bytes: the frame, then the message.
pub(crate) fn message(data: &[u8]) {
    door::message(data);
}

/// A text, if the bytes are one.
fn text(data: &[u8], work: fn(&str)) {
    if let Ok(text) = std::str::from_utf8(data) {
        work(text);
    }
}

/// `ldapdb_uri`.
pub(crate) fn uri(data: &[u8]) {
    text(data, door::uri);
}

/// Names of entries.
pub(crate) fn dn(data: &[u8]) {
    text(data, door::dn);
}

/// Search filters, and a login's name in them.
pub(crate) fn filter(data: &[u8]) {
    let script = &mut Script::new(data);
    let user = String::from_utf8_lossy(script.chunk()).into_owned();
    if let Ok(filter) = std::str::from_utf8(script.rest()) {
        door::filter(filter, &user);
    }
}

/// Texts with variables.
pub(crate) fn template(data: &[u8]) {
    let script = &mut Script::new(data);
    let user = String::from_utf8_lossy(script.chunk()).into_owned();
    if let Ok(template) = std::str::from_utf8(script.rest()) {
        door::template(template, &user);
    }
}

/// ldap.conf and ldaprc.
pub(crate) fn ldap_conf(data: &[u8]) {
    text(data, door::ldap_conf);
}

/// All options of ldapdb, one a line.
pub(crate) fn options(data: &[u8]) {
    text(data, door::options);
}
