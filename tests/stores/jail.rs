// SPDX-License-Identifier: MIT OR Apache-2.0
//! A server that changes its root folder after init, as Postfix's smtpd does in
//! Debian: the stores that its configuration file asks for are open by then.

use lab::account::Account;
use lab::library::Library;
use lab::placed::{Placed, Way};
use lab::program::{Headers, Program};
use lab::scratch::{self, Scratch};
use lab::stage::sources;
use lab::{process, sasldb};
use std::fs;
use std::process::Command;

/// The code of a password check in the jail, with a configuration file.
fn check(library: Library, ours: bool, lines: &str, password: &str) -> String {
    let scratch = Scratch::new().unwrap();
    let placed = Placed::new(library, &scratch).unwrap();
    match ours {
        true => placed.add_our_plugin(sasldb::PLUGIN).unwrap(),
        false => placed.add_plugin(sasldb::PLUGIN).unwrap(),
    }
    let users = [("alice", "wonder")];
    let file = sasldb::create(
        &scratch,
        "lab.test",
        &users,
        Account::named("root").unwrap(),
    )
    .unwrap();
    scratch.folder("root").unwrap();
    scratch::copy(&file, &scratch.join("root/users")).unwrap();
    let text = format!("sasldb_path: /users\n{lines}");
    fs::write(scratch.join("jail.conf"), text).unwrap();

    let source = sources().join("tests/stores/jail.c");
    let program = Program::compile(&source, Headers::Stock).unwrap();
    let mut command = Command::new("timeout");
    command.args(["-s", "KILL", "60", "env"]);
    command.args(placed.environment(Way::LibraryPath));
    command
        .arg(format!("SASL_CONF_PATH={}", scratch.path().display()))
        .arg(program.path())
        .arg(scratch.join("root"))
        .args(["alice", password]);
    let output = process::run(&mut command).unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn stores_of_the_configuration_are_open_before_the_root_changes() {
    for (library, ours) in [
        (Library::Stock, false),
        (Library::Ours, false),
        (Library::Ours, true),
    ] {
        for lines in [
            "auxprop_plugin: sasldb\n",
            "pwcheck_method: auxprop\nauxprop_plugin: sasldb\n",
            "pwcheck_method: auxprop\n",
        ] {
            let right = check(library, ours, lines, "wonder");
            assert_eq!(right, "0", "{library} ours={ours} {lines}");
            let wrong = check(library, ours, lines, "canary");
            assert_eq!(wrong, "-13", "{library} ours={ours} {lines}");
        }
    }
}
