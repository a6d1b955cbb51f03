// SPDX-License-Identifier: MIT OR Apache-2.0
//! The distribution's libldapdb.so and ours, same library, same slapd, same
//! configuration: equal results, names and properties.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helpers"
)]
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test's helpers"
)]

#[path = "../../../crates/directory/tests/support/mod.rs"]
mod support;

mod hosting;

use hosting::{Plugin, has, run};
use support::CANARY;
use support::slapd::Slapd;

/// What a caller sees: codes, name, properties.
fn seen(which: Plugin, options: &[(&str, &str)], action: &[&str]) -> Vec<String> {
    let mut lines = run(which, options, action);
    lines.retain(|line| !line.starts_with("log ") && !line.starts_with("detail "));
    lines
}

#[track_caller]
fn equal(options: &[(&str, &str)], action: &[&str]) -> Vec<String> {
    let ours = seen(Plugin::Ours, options, action);
    let stock = seen(Plugin::Stock, options, action);
    assert_eq!(ours, stock, "{options:?} {action:?}");
    if action != ["probe"] {
        // Without a connection our library asks no plugin.
        let whole = seen(Plugin::Whole, options, action);
        assert_eq!(whole, stock, "under our library: {options:?} {action:?}");
    }
    ours
}

fn options<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut options = vec![("pwcheck_method", "auxprop"), ("auxprop_plugin", "ldapdb")];
    options.extend_from_slice(more);
    options
}

#[test]
fn upstream_configurations() {
    let slapd = Slapd::proxying("equal");
    let (uri, socket) = (slapd.uri_alone(), slapd.socket_alone());
    let account = [("ldapdb_id", "cyrus"), ("ldapdb_pw", CANARY)];
    let by = |mech: &'static str| {
        let server = [("ldapdb_uri", uri.as_str()), ("ldapdb_mech", mech)];
        options(&[&server[..], &account].concat())
    };
    let ours = mech::CLIENT.iter().map(|mech| mech.info().name.clone());
    let ours: Vec<String> = ours.map(|name| name.into_owned()).collect();
    let mut all = vec![options(&[
        ("ldapdb_uri", &socket),
        ("ldapdb_mech", "EXTERNAL"),
    ])];
    for name in ["DIGEST-MD5", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"] {
        if ours.iter().any(|known| known == name) {
            all.push(by(name));
        }
    }
    for options in all {
        let lines = equal(&options, &["external", "anna"]);
        has(&lines, "external 0");
        has(&lines, "property *userPassword = g e h e i m");
        has(&lines, "property *jpegPhoto = 00 01 02 ff");
        for user in ["jdoe", "jdoe@example.com", "JDOE", "a.mueller@example.com"] {
            has(&equal(&options, &["external", user]), "external 0");
        }
        has(
            &equal(&options, &["checkpass", "jdoe", "dogood"]),
            "checkpass 0",
        );
        has(
            &equal(&options, &["checkpass", "jdoe", "wrong"]),
            "checkpass -13",
        );
        for mech in ["PLAIN", "DIGEST-MD5", "CRAM-MD5", "SCRAM-SHA-256"] {
            has(
                &equal(&options, &["mech", mech, "jdoe", "dogood"]),
                "mech 0",
            );
            equal(&options, &["mech", mech, "jdoe", "wrong"]);
        }
    }
}

/// The distribution's plugin says -24 to this configuration here, so ours is
/// compared under both libraries only.
#[test]
fn plain_inside_tls() {
    let slapd = Slapd::proxying("equal-tls");
    let (rc, ca) = (slapd.file("ldaprc"), slapd.file("ca.pem"));
    let text = format!("TLS_CACERT {ca}\nSASL_SECPROPS noanonymous\n");
    std::fs::write(&rc, text).unwrap();
    for (server, start) in [(slapd.tls_alone(), "no"), (slapd.named_alone(), "demand")] {
        let options = options(&[
            ("ldapdb_uri", server.as_str()),
            ("ldapdb_mech", "PLAIN"),
            ("ldapdb_rc", &rc),
            ("ldapdb_starttls", start),
            ("ldapdb_id", "cyrus"),
            ("ldapdb_pw", CANARY),
        ]);
        for action in [["external", "anna", ""], ["checkpass", "jdoe", "dogood"]] {
            let under_stock = seen(Plugin::Ours, &options, &action);
            assert_eq!(under_stock, seen(Plugin::Whole, &options, &action));
            has(&under_stock, &format!("{} 0", action[0]));
        }
    }
}

#[test]
fn canonical_names() {
    let slapd = Slapd::proxying("equal-names");
    let uri = slapd.uri_alone();
    let server = [
        ("ldapdb_uri", uri.as_str()),
        ("ldapdb_mech", "DIGEST-MD5"),
        ("ldapdb_id", "cyrus"),
        ("ldapdb_pw", CANARY),
        ("canon_user_plugin", "ldapdb"),
    ];
    for (attribute, name) in [("mail", "jdoe@example.com"), ("uid", "jdoe")] {
        let options = options(&[&server[..], &[("ldapdb_canon_attr", attribute)]].concat());
        for user in ["jdoe", "jdoe@example.com", "JDOE"] {
            let lines = equal(&options, &["external", user]);
            has(&lines, "external 0");
            has(&lines, &format!("name {name}"));
        }
    }
}

#[test]
fn lists_of_servers() {
    let slapd = Slapd::proxying("equal-lists");
    let uri = slapd.uri_alone();
    let dead = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("ldap://{}", listener.local_addr().unwrap())
    };
    for list in [
        format!("{dead} {uri}"),
        format!("{dead},{uri}"),
        format!("{dead}, {uri}"),
        format!("ldapi://%2fnowhere {uri}"),
    ] {
        let options = options(&[
            ("ldapdb_uri", &list),
            ("ldapdb_mech", "DIGEST-MD5"),
            ("ldapdb_id", "cyrus"),
            ("ldapdb_pw", CANARY),
        ]);
        has(&equal(&options, &["external", "jdoe"]), "external 0");
    }
}

#[test]
fn new_passwords() {
    let slapd = Slapd::proxying("equal-store");
    let uri = slapd.uri_alone();
    let options = options(&[
        ("ldapdb_uri", &uri),
        ("ldapdb_mech", "DIGEST-MD5"),
        ("ldapdb_id", "cyrus"),
        ("ldapdb_pw", CANARY),
    ]);
    let shows = |lines: &[String], value: &str| {
        let shown = format!("property *userPassword = {value}");
        has(lines, &shown);
    };
    has(&equal(&options, &["probe"]), "probe 0");
    // What one sets, the other reads.
    for (which, password, shown) in [
        (Plugin::Ours, "first", "f i r s t"),
        (Plugin::Stock, "second", "s e c o n d"),
        (Plugin::Ours, "third \u{fc}", "t h i r d 20 c3 bc"),
    ] {
        has(
            &seen(which, &options, &["setpass", "jdoe", password]),
            "setpass 0",
        );
        let lines = equal(&options, &["external", "jdoe"]);
        shows(&lines, shown);
    }
    // Stock's plugin cannot remove one: the library names a property "*" too.
    has(
        &seen(Plugin::Ours, &options, &["setpass", "jdoe"]),
        "setpass 0",
    );
    let lines = equal(&options, &["external", "jdoe"]);
    assert!(
        !lines.iter().any(|line| line.contains("*userPassword")),
        "{lines:?}"
    );
    // Nobody of that name, and somebody whom the account may not act for.
    for user in ["nobody", "other"] {
        let ours = seen(Plugin::Ours, &options, &["setpass", user, "x"]);
        assert!(!ours.contains(&"setpass 0".to_owned()), "{ours:?}");
    }
    let no = [&options[..], &[("ldapdb_store", "no")]].concat();
    let lines = run(Plugin::Ours, &no, &["setpass", "jdoe", "x"]);
    assert!(!lines.contains(&"setpass 0".to_owned()), "{lines:?}");
}
