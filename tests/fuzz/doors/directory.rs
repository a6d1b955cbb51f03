// SPDX-License-Identifier: MIT OR Apache-2.0
//! Doors for the fuzz targets, compiled into `directory`: what must hold for any
//! input.

use crate::Login;
use crate::config::Config;
use crate::config::ldaprc::{Defaults, Surroundings};
use crate::dn::{Dn, DnValue, complete};
use crate::filter::{Filter, FilterValue};
use crate::protocol::{MAX_MESSAGE, decode, frame};
use crate::template::Template;
use crate::uri::parse_list;

fn login(user: &str) -> Login<'_> {
    Login {
        user,
        realm: Some("example.com"),
        service: "imap",
        default_realm: None,
        entry: Some("uid=tim,dc=example,dc=com"),
    }
}

/// A stream of messages: a frame is never longer than it may be, and reading
/// goes on where it ends.
pub fn message(bytes: &[u8]) {
    let mut rest = bytes;
    while let Ok(Some(length)) = frame(rest) {
        assert!((2..=MAX_MESSAGE).contains(&length));
        let Some((whole, after)) = rest.split_at_checked(length) else {
            break;
        };
        let _ = decode(whole);
        rest = after;
    }
    // What was not framed must not break the decoder either.
    let _ = decode(bytes);
}

/// A list of URLs; what is understood has a name for the log.
pub fn uri(list: &str) {
    if let Ok((uris, _)) = parse_list(list) {
        assert!(!uris.is_empty());
        for uri in uris {
            assert!(uri.label().contains(uri.scheme));
        }
    }
}

/// A name is the same as itself, written or completed; an escaped value is one
/// value.
pub fn dn(text: &str) {
    if let Some(name) = Dn::parse(text) {
        let again = Dn::parse(&name.text()).expect("a name");
        assert!(name.same(&again), "{text:?} is not {:?}", name.text());
        let _ = name.lost_comma();
    }
    let _ = complete(text, Some("dc=example,dc=com"));
    let value = DnValue::escape(text);
    let filled = format!("uid={},dc=example", value.as_str());
    let other = format!("uid={}x,dc=example", value.as_str());
    if let (Some(name), Some(other)) = (Dn::parse(&filled), Dn::parse(&other)) {
        assert!(!name.same(&other));
        assert!(name.text().ends_with(",dc=example"), "{filled:?}");
    }
}

/// The shape of a filter as it is sent: tags and lengths without the values.
fn shape(tag: &lber::structure::StructureTag) -> String {
    match &tag.payload {
        lber::structure::PL::P(_) => format!("{}", tag.id),
        lber::structure::PL::C(parts) => {
            let parts: Vec<String> = parts.iter().map(shape).collect();
            format!("{}({})", tag.id, parts.join(" "))
        }
    }
}

/// A login's name never changes what a filter asks.
pub fn filter(text: &str, user: &str) {
    let Ok(filter) = Filter::parse(text) else {
        return;
    };
    let (plain, odd) = (filter.encode(&login("tim")), filter.encode(&login(user)));
    if let (Some(plain), Some(odd)) = (plain, odd) {
        assert_eq!(shape(&plain), shape(&odd), "{text:?} with {user:?}");
    }
    let _ = filter.text(&login(user));
    let escaped = format!("(uid={})", FilterValue::escape(user.as_bytes()).as_str());
    assert!(
        user.contains('%') || Filter::parse(&escaped).is_ok(),
        "{escaped}"
    );
}

/// A text with variables; a login's name stays one value of a DN.
pub fn template(text: &str, user: &str) {
    let Ok(template) = Template::parse(text) else {
        return;
    };
    let filled = template.fill(&login(user));
    if template.has_variables() {
        let _ = template.fill_dn(&login(user));
    } else {
        assert!(filled.is_some());
    }
}

/// ldap.conf, and the options that stand in for it.
pub fn ldap_conf(text: &str) {
    let around = Surroundings {
        variable: &|_| None,
        file: &|_| Some(text.to_owned()),
        privileged: false,
    };
    let (defaults, missing) = Defaults::find(Some("rc"), true, &around);
    assert!(!missing);
    for option in ["BASE", "ldapdb_timeout", "ldapdb_connect_timeout"] {
        let _ = defaults.get(option);
    }
}

/// `option: value` lines as ldapdb reads them; files that they name are not
/// there.
pub fn options(text: &str) {
    let find = |wanted: &str| {
        let mut pairs = text.lines().filter_map(|line| line.split_once(": "));
        let found = pairs.find(|(name, _)| *name == wanted);
        found.map(|(_, value)| value.to_owned())
    };
    let _ = Config::read(&|name| match name {
        "ldapdb_rc" | "ldapdb_pw_file" => None,
        name => find(name),
    });
}
