// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cyrus IMAP with users in a password file (both formats), in SQLite and on
//! both database servers, through our plugins, on stock's library and ours.

use crate::sql::is_missing;
use lab::account::Account;
use lab::cyrus::{Cyrus, Service};
use lab::database::{Kind, ROLE, Server};
use lab::imap::{self, Method};
use lab::library::Library::{self, Ours, Stock};
use lab::placed::{Placed, Way};
use lab::scratch::Scratch;
use lab::{imtest, process, sasldb};
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;

const REALM: &str = "imap.example.com";

/// Lines for imapd.conf, and the server that must run meanwhile.
type Made = (String, Option<Server>);

fn logs_in(which: Library, plugin: &str, make: &dyn Fn(&Scratch) -> Made, service: Service) {
    let scratch = Scratch::new().unwrap();
    let placed = Placed::new(which, &scratch).unwrap();
    placed.add_our_plugin(&format!("lib{plugin}.so")).unwrap();
    placed.add_shared_secret().unwrap();
    let (lines, _server) = make(&scratch);
    let lines = format!(
        "sasl_pwcheck_method: auxprop\nsasl_auxprop_plugin: {plugin}\n{lines}\n\
         sasl_mech_list: PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-256\n"
    );
    let cyrus = Cyrus::start(&scratch, &placed, Way::Preload, service, &lines).unwrap();
    let address = cyrus.address();
    for method in Method::ALL {
        let right = imap::try_login(address, method, "jdoe", "dogood").unwrap();
        assert!(
            right.ok,
            "{method:?}: {right:?}\n{:#?}",
            cyrus.syslog().lines()
        );
        let wrong = imap::try_login(address, method, "jdoe", "canary-77").unwrap();
        assert!(!wrong.ok, "{method:?}: {wrong:?}");
    }
    for mechanism in ["login", "PLAIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-256"] {
        let right = imtest::run(address, mechanism, "jdoe", "dogood", &[]).unwrap();
        assert!(
            right.authenticated,
            "{}\n{:#?}",
            right.said,
            cyrus.syslog().lines()
        );
        let wrong = imtest::run(address, mechanism, "jdoe", "canary-77", &[]).unwrap();
        assert!(!wrong.authenticated, "{}", wrong.said);
    }
    assert!(!cyrus.syslog().lines().join("\n").contains("canary-77"));
}

fn owned(file: &Path) {
    let owner = Account::named("cyrus").unwrap();
    chown(file, Some(owner.uid), Some(owner.gid)).unwrap();
}

fn berkeley(scratch: &Scratch) -> Made {
    let owner = Account::named("cyrus").unwrap();
    let file = sasldb::create(scratch, REALM, &[("jdoe", "dogood")], owner).unwrap();
    (format!("sasl_sasldb_path: {}", file.display()), None)
}

fn lmdb(scratch: &Scratch) -> Made {
    berkeley(scratch);
    let (old, new) = (scratch.join("sasldb2"), scratch.join("lmdb"));
    let tool = lab::stage::target().join("release/saslpasswd2");
    let mut command = Command::new(tool);
    command.arg("--convert").arg(&new).arg("-f").arg(old);
    process::run(&mut command).unwrap();
    owned(&new);
    (format!("sasl_sasldb_path: {}", new.display()), None)
}

fn sqlite(scratch: &Scratch) -> Made {
    let file = scratch.join("users.db");
    let table = format!(
        "CREATE TABLE users (name TEXT, realm TEXT, password TEXT);\
         INSERT INTO users VALUES ('jdoe', '{REALM}', 'dogood')"
    );
    process::run(Command::new("sqlite3").arg(&file).arg(table)).unwrap();
    owned(&file);
    let lines = format!(
        "sasl_sql_engine: sqlite3\nsasl_sql_database: {}\n\
         sasl_sql_select: SELECT password FROM users WHERE name = '%u' AND realm = '%r'",
        file.display()
    );
    (lines, None)
}

#[test]
fn berkeley_on_stock() {
    logs_in(Stock, "sasldb", &berkeley, Service::Fresh);
}

#[test]
fn berkeley_on_ours() {
    logs_in(Ours, "sasldb", &berkeley, Service::Pool(1));
}

#[test]
fn lmdb_on_ours() {
    logs_in(Ours, "sasldb", &lmdb, Service::Fresh);
}

/// A table on a server, which the service's role may only read.
fn server(scratch: &Scratch, kind: Kind) -> Made {
    let server = Server::start(scratch, kind).unwrap();
    let to = match kind {
        Kind::Postgres => "mailer",
        Kind::Mariadb => "mailer@'127.0.0.1'",
    };
    for statement in [
        "CREATE TABLE users (name VARCHAR(99), realm VARCHAR(99), password VARCHAR(99))".to_owned(),
        format!("INSERT INTO users VALUES ('jdoe', '{REALM}', 'dogood')"),
        format!("GRANT SELECT ON users TO {to}"),
    ] {
        server.run(&statement).unwrap();
    }
    let engine = match kind {
        Kind::Postgres => "pgsql",
        Kind::Mariadb => "mysql",
    };
    let (role, password) = ROLE;
    let lines = format!(
        "sasl_sql_engine: {engine}\nsasl_sql_hostnames: 127.0.0.1:{}\nsasl_sql_user: {role}\n\
         sasl_sql_passwd: {password}\nsasl_sql_database: mail\n\
         sasl_sql_select: SELECT password FROM users WHERE name = '%u' AND realm = '%r'",
        server.port()
    );
    (lines, Some(server))
}

#[test]
fn sqlite_on_stock() {
    logs_in(Stock, "sql", &sqlite, Service::Pool(1));
}

#[test]
fn sqlite_on_ours() {
    logs_in(Ours, "sql", &sqlite, Service::Fresh);
}

#[test]
fn postgres_on_both() {
    if !is_missing(Kind::Postgres) {
        let made = |scratch: &Scratch| server(scratch, Kind::Postgres);
        logs_in(Stock, "sql", &made, Service::Pool(1));
        logs_in(Ours, "sql", &made, Service::Fresh);
    }
}

#[test]
fn mariadb_on_both() {
    if !is_missing(Kind::Mariadb) {
        let made = |scratch: &Scratch| server(scratch, Kind::Mariadb);
        logs_in(Stock, "sql", &made, Service::Fresh);
        logs_in(Ours, "sql", &made, Service::Pool(1));
    }
}
