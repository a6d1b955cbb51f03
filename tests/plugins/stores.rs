// SPDX-License-Identifier: MIT OR Apache-2.0
//! The stores: the distribution's plugins in our library and our plugins in the
//! distribution's library, each on the same password file, database and
//! directory. The Kerberos plugins have tests of their own
//! (`plugins/gssapiv2/tests/interop`).

use crate::place::{Place, RIGHT, WRONG};
use lab::library::Library;
use lab::scratch::Scratch;
use lab::slapd::{Kind, Slapd};
use lab::story::{SERVICE_PASSWORD, USER};
use lab::{packages, process};
use std::path::PathBuf;
use std::process::Command;

const MECHANISMS: [&str; 4] = ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"];

/// A library with the other one's plugin.
fn crossed(library: Library, name: &str) -> Place {
    let plugin = match library {
        Library::Ours => debian(name),
        Library::Stock => Library::Ours.plugins().unwrap().join(name),
    };
    let place = Place::new(library, &plugin);
    if library == Library::Stock {
        place.placed.add_shared_secret().unwrap();
    }
    place
}

fn debian(name: &str) -> PathBuf {
    match name {
        "libsql.so" => packages::plugin("libsasl2-modules-sql", name).unwrap(),
        _ => Library::Stock.plugins().unwrap().join(name),
    }
}

/// The user logs in with each mechanism; nobody does with a wrong password, or
/// under a name that the store has not.
fn serves(place: &Place, (user, password): (&str, &str), realm: &str) {
    for mechanism in MECHANISMS {
        let end = format!("ok {user}{realm} ssf 0");
        place.ended(
            place.exchange_of((mechanism, user, password), &[]),
            &end,
            mechanism,
        );
        let said = place.exchange_of((mechanism, user, WRONG), &[]);
        place.ended(said, "no -13 ", mechanism);
        let said = place.exchange_of((mechanism, "nobody", password), &[]);
        place.ended(said, "no -", mechanism);
    }
}

fn sasldb(library: Library) {
    let mut place = crossed(library, "libsasldb.so");
    let file = place.scratch.join("sasldb2").display().to_string();
    place.options = format!("auxprop_plugin=sasldb\nsasldb_path={file}");
    place.succeeds("PLAIN", "bob@lab.test", 0, &["SETPASS=secret"]);
    serves(&place, ("bob", RIGHT), "@lab.test");
}

#[test]
fn debians_sasldb_in_ours() {
    sasldb(Library::Ours);
}

#[test]
fn our_sasldb_in_stock() {
    sasldb(Library::Stock);
}

fn sql(library: Library) {
    let mut place = crossed(library, "libsql.so");
    let file = place.scratch.join("users.db");
    let rows = "CREATE TABLE users (name TEXT, realm TEXT, userPassword TEXT);
                INSERT INTO users VALUES ('bob', 'lab.test', 'secret')";
    process::run(Command::new("sqlite3").arg(&file).arg(rows)).unwrap();
    place.options = format!(
        "auxprop_plugin=sql\nsql_engine=sqlite3\nsql_database={}\n\
         sql_select=SELECT %p FROM users WHERE name = '%u' AND realm = '%r'",
        file.display()
    );
    serves(&place, ("bob", RIGHT), "@lab.test");
}

#[test]
fn debians_sql_in_ours() {
    sql(Library::Ours);
}

#[test]
fn our_sql_in_stock() {
    sql(Library::Stock);
}

fn ldapdb(library: Library) {
    let scratch = Scratch::new().unwrap();
    let slapd = Slapd::start(&scratch, Kind::Proxying, SERVICE_PASSWORD, &[]).unwrap();
    let mut place = crossed(library, "libldapdb.so");
    place.options = format!(
        "auxprop_plugin=ldapdb\nldapdb_uri=ldap://{}\nldapdb_mech=DIGEST-MD5\n\
         ldapdb_id=cyrus\nldapdb_pw={SERVICE_PASSWORD}",
        slapd.address()
    );
    serves(&place, USER, "");
}

#[test]
fn debians_ldapdb_in_ours() {
    ldapdb(Library::Ours);
}

#[test]
fn our_ldapdb_in_stock() {
    ldapdb(Library::Stock);
}
