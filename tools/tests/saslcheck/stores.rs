// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stores beside LDAP: what is not there, or may not be used, is named.

use super::{PASSWORD, World};
use std::os::unix::net::UnixListener;
use std::process::Command;

#[test]
fn a_password_file() {
    let world = World::new();
    world.placed.add_our_plugin("libsasldb.so").unwrap();
    let path = world.scratch.join("sasldb2").display().to_string();
    let lines = [
        ("auxprop_plugin", "sasldb"),
        ("mech_list", "PLAIN"),
        ("sasldb_path", path.as_str()),
    ];
    let said = world.check(&lines, "alice@lab.test", PASSWORD);
    said.ends(13, &["there is no such file", "saslpasswd2 -c -f"]);
    std::fs::write(
        &path,
        b"this is no database, but long enough to be looked at",
    )
    .unwrap();
    world
        .check(&lines, "alice@lab.test", PASSWORD)
        .ends(13, &["not a sasldb file"]);
    std::fs::remove_file(&path).unwrap();
    let stored = Command::new("sh")
        .args([
            "-c",
            "printf dogood | saslpasswd2 -p -c -f \"$1\" -u lab.test alice",
            "sh",
            &path,
        ])
        .status()
        .unwrap();
    assert!(stored.success());
    let said = world.check(&lines, "alice@lab.test", PASSWORD);
    said.ends(
        0,
        &["alice@lab.test: userPassword", "alice@lab.test is let in"],
    );
    let said = world.check(&lines, "bob@lab.test", PASSWORD);
    said.ends(13, &["no user bob@lab.test in it"]);
}

#[test]
fn a_daemon() {
    let world = World::new();
    let path = world.scratch.join("mux").display().to_string();
    let lines = [
        ("pwcheck_method", "saslauthd"),
        ("mech_list", "PLAIN"),
        ("saslauthd_path", path.as_str()),
    ];
    let said = world.check(&lines, "alice", PASSWORD);
    said.ends(13, &["No such file", "systemctl start saslauthd"]);
    let listener = UnixListener::bind(&path).unwrap();
    let file = world.file("smtpd.conf", "", &lines);
    world
        .run(&["-c", &file], "")
        .ends(0, &["saslauthd answers at"]);
    drop(listener);
    // The socket is there, and nobody listens.
    world
        .run(&["-c", &file], "")
        .ends(13, &["Connection refused"]);
}

#[test]
fn a_database() {
    let world = World::new();
    world.placed.add_our_plugin("libsql.so").unwrap();
    let select = "SELECT 'x' WHERE '%u' = '%r'";
    let path = world.scratch.join("users.db").display().to_string();
    let check = |lines: &[(&str, &str)]| {
        let mut all = vec![
            ("auxprop_plugin", "sql"),
            ("mech_list", "PLAIN"),
            ("sql_select", select),
        ];
        all.extend_from_slice(lines);
        let file = world.file("smtpd.conf", "", &all);
        world.run(&["-c", &file], "")
    };
    let said = check(&[("sql_engine", "sqlite3"), ("sql_database", &path)]);
    said.ends(13, &["SQLite file", "No such file", "correct sql_database"]);
    std::fs::write(&path, "").unwrap();
    let said = check(&[("sql_engine", "sqlite3"), ("sql_database", &path)]);
    said.ends(0, &["SQLite file"]);
    let said = check(&[("sql_engine", "pgsql"), ("sql_hostnames", "127.0.0.1:1")]);
    said.ends(13, &["pgsql server 127.0.0.1:1", "Connection refused"]);
    let said = check(&[("sql_engine", "oracle")]);
    said.ends(3, &["\"oracle\" is not one of mysql, pgsql"]);
}
