// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests: every line of the catalogue, word by word, as `lines.txt` has it, and
//! a row of the manual for each number.
#![forbid(unsafe_code)]

use super::{Fault, Search};
use crate::protocol::{Entry, Outcome, Policy};
use saslplug::Code;
use std::time::Duration;

const SERVER: &str = "ldap://ldap1";

fn outcome(code: u32, message: &str) -> Outcome {
    Outcome {
        code,
        message: message.to_owned(),
        referral: (code == 10).then(|| "ldap://other/".to_owned()),
    }
}

fn configuration() -> Vec<Fault> {
    vec![
        Fault::no_uri(),
        Fault::not_a_url("glauth", "there is no ldap:// in it"),
        Fault::lost_comma("dc=usersDdc=local", "dc"),
        Fault::trailing_slash("dc=users,dc=local/", "dc=users,dc=local"),
        Fault::id_is_dn("cn=cyrus,ou=machines"),
        Fault::password_file("/etc/pw", "cannot read (Permission denied)", 101),
        Fault::password_file_open("/etc/pw", 0o644),
        Fault::unavailable("ldapdb_hook", "yes", "Use this project's libsasl2."),
        Fault::bad_option("ldapdb_scope", "\"tree\" is not one of sub, one, base"),
        Fault::no_effect(
            "ldapdb_starttls",
            "no server of ldapdb_uri is an ldap:// one",
        ),
        Fault::no_rc("my.rc"),
    ]
}

fn servers() -> Vec<Fault> {
    let refused = Fault::unreachable(SERVER, "127.0.0.2:389", "Connection refused", true);
    let skipped = Fault::skipped(SERVER, Duration::from_secs(30), &refused);
    vec![
        Fault::unresolved(SERVER, "ldap1", "Name or service not known"),
        refused,
        Fault::unreachable(SERVER, "127.0.0.2:3893", "Connection refused", false),
        Fault::timed_out(SERVER, 8, "search"),
        Fault::timed_out(SERVER, 3, "connect"),
        Fault::out_of_time(15),
        Fault::tls(
            SERVER,
            "10.0.0.5:636",
            "the certificate is for \"a\", not \"ldap1\" (ldapdb_tls_name)",
        ),
        Fault::no_starttls(SERVER, &outcome(52, ""), true),
        Fault::no_starttls(SERVER, &outcome(52, ""), false),
        Fault::unchecked(),
        Fault::broken(SERVER, "search", "it closed the connection"),
        Fault::answered(SERVER, &outcome(51, "later"), "search"),
        skipped,
        Fault::back(SERVER),
        Fault::clear_text(SERVER, "10.0.0.5:389"),
    ]
}

fn account() -> Vec<Fault> {
    let who = "cyrus by DIGEST-MD5";
    let offered = ["GSSAPI".to_owned()];
    vec![
        Fault::service_bind(SERVER, "cn=cyrus", &outcome(49, "no")),
        Fault::sasl_bind(SERVER, who, &outcome(49, "no")),
        Fault::sasl_failed(SERVER, who, "the server did not prove itself"),
        Fault::service_bind(SERVER, "cn=cyrus", &outcome(48, "")),
        Fault::sasl_bind(SERVER, who, &outcome(48, "")),
        Fault::no_mechanism(SERVER, Some(&offered), &[], ""),
        Fault::no_mechanism(
            SERVER,
            None,
            &["PLAIN".to_owned()],
            "PLAIN: there is no ldapdb_pw",
        ),
        Fault::service_bind(
            SERVER,
            "cn=cyrus",
            &outcome(8, "BindSimple: Transport encryption required."),
        ),
        Fault::no_proxy(SERVER, "Who Am I returned the service account itself"),
        Fault::not_proxied("jdoe", "dn:cn=cyrus", &outcome(123, "not authorized")),
        Fault::service_bind(SERVER, "cn=cyrus", &outcome(53, "")),
        Fault::bound(SERVER, "cn=cyrus"),
    ]
}

fn searches() -> Vec<Fault> {
    let search = Search {
        base: "dc=users".to_owned(),
        scope: "sub",
        filter: "(mail=x)".to_owned(),
        account: "cn=cyrus".to_owned(),
    };
    let nobody = Search::default();
    let twins = ["cn=1", "cn=2"].map(|dn| Entry {
        dn: dn.to_owned(),
        ..Entry::default()
    });
    let failed = |code, text: &str| Fault::search(SERVER, &search, &outcome(code, text), &[]);
    vec![
        Fault::no_entry("x", &search),
        Fault::not_allowed("x", "cn=x", &search),
        Fault::no_member("x", "cn=x", "cn=staff"),
        Fault::group(SERVER, "cn=staff", &outcome(32, "")),
        Fault::group(SERVER, "cn=staff", &outcome(50, "")),
        failed(32, ""),
        failed(50, ""),
        Fault::ambiguous(SERVER, &search, &twins),
        Fault::mismatch("cn=johndoe", "jdoe*"),
        failed(10, ""),
        Fault::no_canonical("cn=x", "mail", "has no value for"),
        Fault::search(SERVER, &nobody, &outcome(50, "no"), &[]),
        Fault::no_root(SERVER, &outcome(50, "")),
        Fault::odd_login(b"", "it is empty"),
        Fault::no_value("jdoe", "ldapdb_filter"),
    ]
}

fn users() -> Vec<Fault> {
    let bind = |code, text: &str| Fault::user_bind(SERVER, "jdoe", "cn=j", &outcome(code, text));
    let policy = |code, policy| Fault::policy("jdoe", "cn=j", &outcome(code, ""), policy).unwrap();
    vec![
        Fault::verified("jdoe", "cn=j", Duration::from_micros(1840)),
        Fault::no_secret("cn=j", "userPassword"),
        Fault::hashed("cn=j", "X", "verified by bind instead"),
        Fault::stock(),
        Fault::empty_password("jdoe"),
        Fault::odd_password("jdoe"),
        Fault::wrong_again("jdoe"),
        Fault::right_again("jdoe"),
        policy(49, Policy::Expired),
        policy(0, Policy::MustChange),
        policy(49, Policy::Locked),
        policy(0, Policy::Grace(2)),
        policy(0, Policy::Expires(1_000_000)),
        Fault::wrong_value("jdoe", "cn=j"),
        bind(49, ""),
        bind(49, "AcceptSecurityContext error, data 773, v1db1"),
        Fault::no_bind_name("jdoe"),
        bind(32, ""),
        Fault::no_password("jdoe", "cn=j", "userPassword"),
        bind(48, ""),
        bind(50, ""),
        bind(53, "Account inactivated"),
        bind(53, ""),
        bind(19, ""),
        Fault::stored("cn=j", "modify"),
        Fault::not_stored(SERVER, "cn=j", &outcome(19, "too short")),
        Fault::ad_wants_tls(SERVER, "cn=j"),
        Fault::ad_password("cn=j"),
        Fault::cannot_store(),
    ]
}

fn all() -> Vec<Fault> {
    [configuration(), servers(), account(), searches(), users()].concat()
}

#[test]
fn the_words_of_each_line() {
    let lines: Vec<String> = all()
        .iter()
        .map(|fault| format!("{:?} {:?} {fault}", fault.level, fault.code))
        .collect();
    let wanted: Vec<&str> = include_str!("lines.txt").lines().collect();
    for (line, wanted) in lines.iter().zip(&wanted) {
        assert_eq!(line, wanted);
    }
    assert_eq!(lines.len(), wanted.len(), "{}", lines.join("\n"));
}

#[test]
fn the_manual_has_a_row_for_each_number() {
    let manual = include_str!("../../../../docs/ldapdb.md");
    for fault in all() {
        let row = format!("\n| {:02} | ", fault.number);
        assert!(manual.contains(&row), "{fault}");
    }
}

/// The tool that sees the file writes LDB-02.
const ELSEWHERE: [u8; 1] = [2];

#[test]
fn each_row_of_the_manual_has_a_line() {
    let manual = include_str!("../../../../docs/ldapdb.md");
    let (_, manual) = manual.split_once("## Log lines").unwrap();
    let cell = |row: &str| row.strip_prefix("| ")?.get(..2)?.parse::<u8>().ok();
    let rows: Vec<u8> = manual.lines().filter_map(cell).collect();
    let lines: Vec<u8> = all().iter().map(|fault| fault.number).collect();
    for row in &rows {
        let there = lines.contains(row) || ELSEWHERE.contains(row);
        assert!(there, "LDB-{row:02} is in the manual and nowhere else");
    }
    assert!(rows.len() > 40 && ELSEWHERE.iter().all(|row| rows.contains(row)));
}

#[test]
fn each_row_of_the_sasl_bind_table() {
    for (code, number) in [
        (49, 20),
        (7, 21),
        (48, 21),
        (8, 22),
        (13, 22),
        (51, 14),
        (80, 14),
    ] {
        let fault = Fault::sasl_bind(SERVER, "cyrus by PLAIN", &outcome(code, ""));
        assert_eq!(
            (fault.number, fault.code),
            (number, Code::UNAVAIL),
            "{fault}"
        );
    }
}
