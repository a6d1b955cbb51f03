// SPDX-License-Identifier: MIT OR Apache-2.0
//! The sql plugin on database servers that demand TLS, and how many statements
//! a login costs them.

use crate::sql::{Base, is_missing, place};
use lab::certificate::Certificate;
use lab::database::{Kind, ROLE, Server};
use lab::library::Library::{Ours, Stock};
use lab::scratch::Scratch;
use std::path::Path;

/// Right, wrong and unknown with these options.
fn logs_in(options: &str) {
    let place = place(Ours, options);
    let right = place.run(&["check", "alice", "1", "1", "wonder"]);
    assert_eq!(right.succeeded(), ["alice"], "{right:?}");
    assert_eq!(place.run(&["wrong", "alice", "1", "1", "x"]).failed(-13), 1);
    assert_eq!(place.run(&["check", "nobody", "1", "1"]).failed(-20), 1);
}

/// No login, not even with the right password, and the reason.
fn is_refused(options: &str, why: &[&str]) {
    let said = place(Ours, options).run(&["check", "alice", "1", "1", "wonder"]);
    assert_eq!(said.failed(-24), 1, "{said:?}");
    let told = why.iter().any(|why| said.log.contains(why));
    assert!(told, "{why:?}: {}", said.log);
    assert!(!said.log.contains(ROLE.1), "{}", said.log);
}

fn encrypted(kind: Kind) {
    if is_missing(kind) {
        return;
    }
    let scratch = Scratch::new().unwrap();
    let made = |name| Certificate::new(&scratch, name).unwrap();
    let (right, other) = (made("127.0.0.1"), made("elsewhere.example"));
    let server = Server::start_with(&scratch, kind, Some(&right)).unwrap();
    let base = Base::with(Base::Server(server, kind));
    base.run(
        "INSERT INTO users (name, realm, userPassword) VALUES ('alice', 'lab.test', 'wonder')",
    );
    let with = |lines: &str| format!("{}\n{lines}", base.options());
    let trusting = |file: &Path| with(&format!("sql_ssl_ca={}", file.display()));
    logs_in(&with("sql_usessl=yes"));
    logs_in(&trusting(&right.file));
    logs_in(&format!("{}\nsql_usessl=1", trusting(&right.file)));
    is_refused(&trusting(&other.file), &["certificate", "TLS", "SSL"]);
    is_refused(&trusting(&scratch.join("none")), &["none", "TLS", "SSL"]);
    if kind == Kind::Mariadb {
        // libpq takes TLS where it is offered, libmariadb only where it is told.
        is_refused(&with("sql_usessl=no"), &["Access denied"]);
    }
    drop(base);
    // The authority is right, the name is another one's.
    let scratch = Scratch::new().unwrap();
    let server = Server::start_with(&scratch, kind, Some(&other)).unwrap();
    let base = Base::with(Base::Server(server, kind));
    let options = format!("{}\nsql_ssl_ca={}", base.options(), other.file.display());
    is_refused(&options, &["certificate", "host", "TLS", "SSL"]);
}

#[test]
fn postgres_with_tls() {
    encrypted(Kind::Postgres);
}

#[test]
fn mariadb_with_tls() {
    encrypted(Kind::Mariadb);
}

/// A statement that names no property (`%p`) is asked once a login; one that
/// does, once a lookup.
fn counted(kind: Kind) {
    const LOGINS: usize = 20;
    if is_missing(kind) {
        return;
    }
    let scratch = Scratch::new().unwrap();
    let server = Server::start(&scratch, kind).unwrap();
    let base = Base::with(Base::Server(server, kind));
    let fixed = base
        .options()
        .replace("SELECT %p FROM", "SELECT userPassword FROM");
    assert_ne!(fixed, base.options());
    assert_eq!(
        place(Ours, &base.options()).count("set", "u%d", 1, 20),
        LOGINS
    );
    let Base::Server(server, _) = &base else {
        return;
    };
    let statements = || server.statements().unwrap();
    // MariaDB is told a statement once a connection, before it is asked.
    let told = usize::from(kind == Kind::Mariadb);
    for library in [Stock, Ours] {
        let before = statements().len();
        assert_eq!(place(library, &fixed).count("check", "u%d", 1, 20), LOGINS);
        let asked = statements().split_off(before);
        assert_eq!(asked.len(), LOGINS + told, "{library} {asked:#?}");
        // An unknown user and a wrong password cost no more.
        let before = statements().len();
        assert_eq!(
            place(library, &fixed)
                .run(&["wrong", "u%d", "1", "20"])
                .failed(-13),
            LOGINS
        );
        assert_eq!(
            place(library, &fixed)
                .run(&["check", "no%d", "1", "20"])
                .failed(-20),
            LOGINS
        );
        let asked = statements().split_off(before);
        assert_eq!(asked.len(), 2 * (LOGINS + told), "{library} {asked:#?}");
    }
}

#[test]
fn postgres_is_asked_once_a_login() {
    counted(Kind::Postgres);
}

#[test]
fn mariadb_is_asked_once_a_login() {
    counted(Kind::Mariadb);
}
