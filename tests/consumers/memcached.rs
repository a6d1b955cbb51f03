// SPDX-License-Identifier: MIT OR Apache-2.0
//! memcached: a server without FQDN, two threads, users as name@realm in a
//! sasldb file that the distribution's plugin reads.

use lab::account::Account;
use lab::library::Library;
use lab::memcached::{Memcached, REFUSED, SUCCESS};
use lab::placed::{Placed, Way};
use lab::scratch::Scratch;
use lab::{maps, sasldb};

const WRONG: &str = "canary-88";

fn plain(user: &str, password: &str) -> Vec<u8> {
    format!("\0{user}\0{password}").into_bytes()
}

fn authenticates(which: Library, way: Way) {
    let scratch = Scratch::new().unwrap();
    let placed = Placed::new(which, &scratch).unwrap();
    placed.add_plugin(sasldb::PLUGIN).unwrap();
    let owner = Account::named("root").unwrap();
    let users = [("alice", "wonder land")];
    let file = sasldb::create(&scratch, "lab.test", &users, owner).unwrap();
    let lines = format!(
        "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {}\n\
         mech_list: PLAIN LOGIN\n",
        file.display()
    );
    let server = Memcached::start(&scratch, &placed.environment(way), &lines).unwrap();
    maps::require_only(server.id(), placed.library()).unwrap();

    let mut client = server.connect().unwrap();
    assert_eq!(client.mechanisms().unwrap(), "PLAIN LOGIN");
    let right = client
        .authenticate("PLAIN", &plain("alice@lab.test", "wonder land"))
        .unwrap();
    assert_eq!(
        (right.status, right.text().as_str()),
        (SUCCESS, "Authenticated")
    );
    assert_eq!(client.set("k", b"v").unwrap().status, SUCCESS);
    assert!(client.get("k").unwrap().value.ends_with(b"v"));

    let mut client = server.connect().unwrap();
    let first = client.authenticate("LOGIN", b"").unwrap();
    assert_eq!(first.text(), "Username:", "{}", server.output());
    let second = client.step("LOGIN", b"alice@lab.test").unwrap();
    assert_eq!(second.text(), "Password:");
    assert_eq!(
        client.step("LOGIN", b"wonder land").unwrap().status,
        SUCCESS
    );

    for (user, password) in [
        ("alice@lab.test", WRONG),
        ("alice@lab.test", ""),
        ("alice@elsewhere", "wonder land"),
        ("nobody@lab.test", "wonder land"),
    ] {
        let mut client = server.connect().unwrap();
        let answer = client
            .authenticate("PLAIN", &plain(user, password))
            .unwrap();
        assert_eq!(answer.status, REFUSED, "{user}: {answer:?}");
        // The connection is good for another try, as with a mistyped password.
        let again = client
            .authenticate("PLAIN", &plain("alice@lab.test", "wonder land"))
            .unwrap();
        assert_eq!(again.status, SUCCESS, "{}", server.output());
    }
    let mut client = server.connect().unwrap();
    assert_eq!(client.get("k").unwrap().status, REFUSED);
    assert!(!server.output().contains(WRONG));
}

#[test]
fn stock() {
    authenticates(Library::Stock, Way::LibraryPath);
}

#[test]
fn ours_by_library_path() {
    authenticates(Library::Ours, Way::LibraryPath);
}

#[test]
fn ours_preloaded() {
    authenticates(Library::Ours, Way::Preload);
}
