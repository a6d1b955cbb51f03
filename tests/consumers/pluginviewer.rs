// SPDX-License-Identifier: MIT OR Apache-2.0
//! The distribution's plugin viewer: what it prints is parsed by scripts.

use lab::consumer::{Consumer, Origin};
use lab::library::Library;
use lab::placed::{Placed, Way};
use lab::process;
use lab::scratch::Scratch;
use std::process::Command;

const VIEWER: Consumer = Consumer {
    program: "saslpluginviewer",
    package: "sasl2-bin",
    side: "both",
    mechanisms: "all",
    origin: Origin::Installed("/usr/sbin/saslpluginviewer"),
};

fn views(which: Library) {
    let scratch = Scratch::new().unwrap();
    let placed = Placed::new(which, &scratch).unwrap();
    placed.add_plugin("libsasldb.so").unwrap();
    let view = |options: &[&str]| {
        let mut command = Command::new("timeout");
        command
            .args(["20", "env"])
            .args(placed.environment(Way::LibraryPath));
        command.arg("saslpluginviewer").args(options);
        let output = process::run(&mut command).unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let all = view(&[]);
    for heading in [
        "Installed and properly configured auxprop mechanisms are:",
        "Installed and properly configured SASL (server side) mechanisms are:",
        "Available SASL (server side) mechanisms matching your criteria are:",
        "Installed and properly configured SASL (client side) mechanisms are:",
        "Available SASL (client side) mechanisms matching your criteria are:",
        "List of server plugins follows",
        "List of client plugins follows",
    ] {
        assert!(all.contains(heading), "no \"{heading}\" in:\n{all}");
    }
    let installed = all.lines().nth(1).unwrap();
    assert!(installed.split(' ').any(|name| name == "sasldb"), "{all}");

    let plain = view(&["-s", "-m", "PLAIN"]);
    for line in [
        "\tSASL mechanism: PLAIN, best SSF: 0, supports setpass: no",
        "\tsecurity flags: NO_ANONYMOUS|PASS_CREDENTIALS",
        "\tfeatures: WANT_CLIENT_FIRST|PROXY_AUTHENTICATION",
    ] {
        assert!(plain.lines().any(|found| found == line), "{line}\n{plain}");
    }
    for mechanism in ["PLAIN", "LOGIN", "ANONYMOUS", "EXTERNAL"] {
        let listed = all
            .lines()
            .any(|line| line.split(' ').any(|word| word == mechanism));
        assert!(listed, "no {mechanism} in:\n{all}");
    }
}

#[test]
fn stock() {
    VIEWER
        .prove(Library::Stock, |_| views(Library::Stock))
        .unwrap();
}

#[test]
fn ours() {
    VIEWER
        .prove(Library::Ours, |_| views(Library::Ours))
        .unwrap();
}
