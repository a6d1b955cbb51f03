// SPDX-License-Identifier: MIT OR Apache-2.0
//! The built `.so` in stock libsasl2: a C program loads it as a server would.
//!
//! The story's eight mistakes each leave one line of the plugin in the log.
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

use hosting::{Plugin, has, plugin};
use std::process::Command;
use support::CANARY;
use support::fake::{Event, Fake, good};
use support::reset::{Resetting, When};
use support::slapd::Slapd;

/// The plugin's lines that the default level shows.
fn errors(lines: &[String]) -> Vec<&String> {
    lines
        .iter()
        .filter(|line| line.starts_with("log 1 ldapdb: "))
        .collect()
}

/// What the program printed.
fn run(options: &[(&str, &str)], action: &[&str]) -> Vec<String> {
    hosting::run(Plugin::Ours, options, action)
}

fn eight_lines(uri: &str) -> Vec<(&str, &str)> {
    vec![
        ("pwcheck_method", "auxprop"),
        ("auxprop_plugin", "ldapdb"),
        ("canon_user_plugin", "ldapdb"),
        ("ldapdb_uri", uri),
        ("ldapdb_bind_dn", "cn=cyrus,ou=machines"),
        ("ldapdb_bind_pw", CANARY),
        ("ldapdb_filter", "(mail=%u)"),
        ("ldapdb_canon_attr", "mail"),
    ]
}

#[test]
fn stock_canonicalises_and_reads_properties() {
    let slapd = Slapd::start("stock");
    let uri = slapd.uri();
    let lines = run(&eight_lines(&uri), &["external", "ANNA@example.com"]);
    has(&lines, "external 0");
    has(&lines, "name anna@example.com");
    has(&lines, "property mail = a n n a @ e x a m p l e . c o m");
    has(&lines, "property *mail = a n n a @ e x a m p l e . c o m");
    has(&lines, "property *jpegPhoto = 00 01 02 ff");
    has(&lines, "property cn = M c3 bc l l e r , 20 A n n a");
    assert!(
        !lines.iter().any(|line| line.contains("userPassword =")),
        "{lines:#?}"
    );
    let lines = run(&eight_lines(&uri), &["external", "nobody@example.com"]);
    has(&lines, "external -20");
    assert!(
        lines.iter().any(|l| l.starts_with("log 2 ldapdb: LDB-30")),
        "{lines:#?}"
    );
}

#[test]
fn the_order_of_the_sides_does_not_matter() {
    let fake = Fake::start(good);
    let uri = fake.uri();
    for first in [("client", "first"), ("client", "last")] {
        let options = [&[first], &eight_lines(&uri)[..]].concat();
        let lines = run(&options, &["external", "jdoe@example.com"]);
        has(&lines, "external 0");
        has(&lines, "property *mail = j d o e @ e x a m p l e . c o m");
    }
}

#[test]
fn stock_is_told_what_it_cannot_do() {
    let fake = Fake::start(good);
    let uri = fake.uri();
    let lines = run(
        &eight_lines(&uri),
        &["checkpass", "jdoe@example.com", "dogood"],
    );
    has(&lines, "checkpass -20");
    let errors = errors(&lines);
    assert_eq!(errors.len(), 1, "{lines:#?}");
    assert!(
        errors[0].contains("LDB-43 running under stock libsasl2"),
        "{errors:?}"
    );
}

#[test]
fn the_verifier_entry() {
    let fake = Fake::start(good);
    let uri = fake.uri();
    let verify = |user: &str, pass: &str| run(&eight_lines(&uri), &["verify", user, pass]);
    let lines = verify("jdoe@example.com", "dogood");
    has(&lines, "old host -23");
    has(&lines, "version 1 name ldapdb shows 1");
    has(&lines, "verify 0");
    let lines = verify("jdoe@example.com", "wrong");
    has(&lines, "verify -13");
    assert!(
        lines
            .iter()
            .any(|l| l.starts_with("detail ") && l.contains("LDB-50 bind as")),
        "{lines:#?}"
    );
    has(&verify("jdoe@example.com", ""), "verify -13");
    has(&verify("nobody@example.com", "x"), "verify -20");
    let mut options = eight_lines(&uri);
    options.push(("ldapdb_verify", "bind"));
    let lines = run(&options, &["verify", "jdoe@example.com", "dogood"]);
    has(&lines, "version 1 name ldapdb shows 0");
    has(&lines, "verify 0");
}

#[test]
fn a_child_does_not_touch_its_parents_connections() {
    let fake = Fake::start(good);
    let uri = fake.uri();
    let lines = run(
        &eight_lines(&uri),
        &["forked", "jdoe@example.com", "second@example.com"],
    );
    has(&lines, "child 0");
    assert_eq!(
        lines.iter().filter(|l| *l == "external 0").count(),
        3,
        "{lines:#?}"
    );
    let events = fake.record.all();
    // One connection for the parent, one for the child; the parent's goes on.
    let searches = |number| {
        events
            .iter()
            .filter(|e| **e == Event::Search(number))
            .count()
    };
    assert_eq!(fake.record.connects(), 2, "{events:?}");
    assert!(searches(0) >= 2 && searches(1) >= 1, "{events:?}");
    let bound_by_child = events.iter().position(|e| *e == Event::Connect(1)).unwrap();
    assert!(
        !events[..bound_by_child].contains(&Event::Unbind(0)),
        "{events:?}"
    );
}

#[test]
fn signals_do_not_disturb() {
    let fake = Fake::start(|peer| {
        std::thread::sleep(std::time::Duration::from_millis(200));
        good(peer);
    });
    let uri = fake.uri();
    let lines = run(&eight_lines(&uri), &["interrupted", "jdoe@example.com"]);
    has(&lines, "external 0");
}

#[test]
fn a_reset_connection_does_not_end_the_program() {
    // The host is a C program: SIGPIPE would end it.
    let server = Resetting::start(When::AfterBind);
    let uri = format!("ldap://{}/dc=users,dc=local", server.address);
    let lines = run(&eight_lines(&uri), &["external", "jdoe@example.com"]);
    let errors = errors(&lines);
    assert!(errors[0].contains("LDB-14"), "{lines:#?}");
}

#[test]
fn whether_it_stores_is_known_without_a_server() {
    // Stock asks with NULL params even for a connection.
    let uri = "ldap://127.0.0.1:1/dc=x";
    for (store, code) in [("modify", 0), ("exop", 0), ("no", -30)] {
        let options = [&eight_lines(uri)[..], &[("ldapdb_store", store)]].concat();
        let lines = run(&options, &["probe"]);
        let answer = format!("probe {code}");
        let answers = lines.iter().filter(|line| **line == answer).count();
        assert_eq!(answers, 2, "{store}: {lines:#?}");
    }
}

#[test]
fn an_unconfigured_plugin_is_silent() {
    for options in [&[][..], &[("auxprop_plugin", "sasldb")]] {
        let lines = run(options, &["checkpass", "jdoe", "dogood"]);
        assert!(
            !lines.iter().any(|line| line.contains("ldapdb")),
            "{lines:#?}"
        );
    }
}

#[test]
fn each_mistake_of_the_story_has_one_line() {
    let slapd = Slapd::start("story");
    let uri = slapd.uri();
    let dead = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let refused = format!("ldap://{dead}/dc=users,dc=local");
    let letter_d = uri.replace("users,dc", "users%44dc");
    let nowhere = uri.replace("dc=users,", "dc=nowhere,");
    let with = |changes: &[(&'static str, &str)]| {
        let mut options: Vec<(&str, String)> = eight_lines(&uri)
            .into_iter()
            .map(|(name, value)| (name, value.to_owned()))
            .collect();
        for (name, value) in changes {
            options.retain(|(known, _)| known != name);
            if !value.is_empty() {
                options.push((name, (*value).to_owned()));
            }
        }
        options
    };
    let id = [
        ("ldapdb_bind_dn", ""),
        ("ldapdb_bind_pw", ""),
        ("ldapdb_id", "cn=cyrus,ou=machines"),
    ];
    let anonymous = [("ldapdb_bind_dn", ""), ("ldapdb_bind_pw", "")];
    let based = [
        ("ldapdb_uri", nowhere.as_str()),
        ("ldapdb_bind_dn", "cn=cyrus,ou=machines,dc=users,dc=local"),
        ("ldapdb_dn_complete", "no"),
    ];
    for (options, user, number) in [
        (with(&[("ldapdb_uri", "")]), "jdoe@example.com", "LDB-01"),
        (
            with(&[("ldapdb_uri", &refused)]),
            "jdoe@example.com",
            "LDB-11",
        ),
        (with(&id), "jdoe@example.com", "LDB-06"),
        (with(&anonymous), "jdoe@example.com", "LDB-37"),
        (with(&based), "jdoe@example.com", "LDB-31"),
        (with(&[]), "twin@example.com", "LDB-33"),
    ] {
        let options: Vec<(&str, &str)> = options
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let lines = run(&options, &["external", user]);
        let errors = errors(&lines);
        assert_eq!(errors.len(), 1, "{number}: {lines:#?}");
        assert!(errors[0].contains(number), "{number}: {errors:?}");
        let told = lines
            .iter()
            .any(|l| l.starts_with("detail ") && l.contains(number));
        assert!(told, "{number}: {lines:#?}");
    }
    let options = with(&[("ldapdb_uri", &letter_d)]);
    let options: Vec<(&str, &str)> = options.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let lines = run(&options, &["external", "jdoe@example.com"]);
    let fourth = errors(&lines)
        .into_iter()
        .filter(|line| line.contains("LDB-04"))
        .count();
    assert_eq!(fourth, 1, "{lines:#?}");
    let lines = run(
        &eight_lines(&uri),
        &["mech", "DIGEST-MD5", "jdoe@example.com", "dogood"],
    );
    let errors = errors(&lines);
    assert_eq!(errors.len(), 1, "{lines:#?}");
    assert!(errors[0].contains("LDB-41"), "{errors:?}");
}

#[test]
fn it_exports_its_entries_and_needs_libc_and_the_systems_crypto() {
    let names = Command::new("nm")
        .args(["-D", "--defined-only"])
        .arg(plugin())
        .output()
        .unwrap();
    let names = String::from_utf8(names.stdout).unwrap();
    let mut names: Vec<&str> = names
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .collect();
    names.sort_unstable();
    let entries = [
        "ldapdb_auxprop_plug_init",
        "ldapdb_canonuser_plug_init",
        "sasl_auxprop_plug_init",
        "sasl_auxprop_verify_plug_init",
        "sasl_canonuser_init",
    ];
    assert_eq!(names, entries);
    let header = Command::new("readelf")
        .arg("-dW")
        .arg(plugin())
        .output()
        .unwrap();
    let header = String::from_utf8(header.stdout).unwrap();
    assert!(header.contains("NODELETE"), "{header}");
    for line in header.lines().filter(|line| line.contains("(NEEDED)")) {
        let known = [
            "libc.so.6",
            "libgcc_s.so.1",
            "ld-linux",
            "libcrypt.so.1",
            "libssl.so.3",
            "libcrypto.so.3",
        ];
        assert!(known.iter().any(|name| line.contains(name)), "{line}");
    }
}
