// SPDX-License-Identifier: MIT OR Apache-2.0
//! The distribution's `saslpasswd2` and `sasldblistusers2`: what one library
//! stores through the distribution's plugin, the other one lists.

use lab::consumer::{Consumer, Origin};
use lab::library::Library;
use lab::placed::{Placed, Way};
use lab::sasldb;
use lab::scratch::Scratch;

const PASSWORDS: Consumer = Consumer {
    program: "saslpasswd2, sasldblistusers2",
    package: "sasl2-bin",
    side: "server",
    mechanisms: "(stores passwords)",
    origin: Origin::Installed("/usr/sbin/saslpasswd2"),
};

fn keeps(writer: Library, reader: Library) {
    let scratches = [Scratch::new().unwrap(), Scratch::new().unwrap()];
    let placed = |which, scratch| {
        let placed = Placed::new(which, scratch).unwrap();
        placed.add_plugin(sasldb::PLUGIN).unwrap();
        placed.environment(Way::LibraryPath)
    };
    let writer = placed(writer, &scratches[0]);
    let reader = placed(reader, &scratches[1]);
    let file = scratches[0].join("users");
    sasldb::store(&writer, &file, "alice@lab.test", "first").unwrap();
    sasldb::store(&writer, &file, "bob@lab.test", "second").unwrap();
    let listed = sasldb::list(&reader, &file).unwrap();
    for user in ["alice@lab.test: userPassword", "bob@lab.test: userPassword"] {
        assert!(listed.lines().any(|line| line == user), "{user}\n{listed}");
    }
    // An empty password is refused, and nothing is stored.
    let refused = sasldb::store(&writer, &file, "carol@lab.test", "").unwrap_err();
    assert!(refused.to_string().contains("exit status: 7"), "{refused}");
    assert!(!sasldb::list(&reader, &file).unwrap().contains("carol"));
}

#[test]
fn stock() {
    PASSWORDS
        .prove(Library::Stock, |_| keeps(Library::Stock, Library::Stock))
        .unwrap();
}

#[test]
fn ours_stores() {
    PASSWORDS
        .prove(Library::Ours, |_| keeps(Library::Ours, Library::Stock))
        .unwrap();
}

#[test]
fn ours_lists() {
    keeps(Library::Stock, Library::Ours);
}
