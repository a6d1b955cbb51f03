// SPDX-License-Identifier: MIT OR Apache-2.0
//! memcached: a server without FQDN, two threads, users as name@realm in a
//! sasldb file that the distribution's plugin reads. libmemcached's tools are
//! its clients.

use crate::site::{self, Site};
use lab::account::Account;
use lab::consumer::{Consumer, Origin};
use lab::library::Library;
use lab::memcached::{Memcached, REFUSED, SUCCESS};
use lab::placed::{Placed, Way};
use lab::scratch::Scratch;
use lab::stage::sources;
use lab::{maps, sasldb};
use std::path::Path;

const WRONG: &str = "canary-88";

const SERVER: Consumer = Consumer {
    program: "memcached",
    package: "memcached",
    side: "server",
    mechanisms: "PLAIN LOGIN",
    origin: Origin::Installed("/usr/bin/memcached"),
};

const TOOLS: Consumer = Consumer {
    program: "memccat, memcexist",
    package: "libmemcached-tools",
    side: "client",
    mechanisms: "PLAIN",
    origin: Origin::Installed("/usr/bin/memccat"),
};

fn plain(user: &str, password: &str) -> Vec<u8> {
    format!("\0{user}\0{password}").into_bytes()
}

const PYLIBMC: Consumer = Consumer {
    program: "python3-pylibmc",
    package: "python3-pylibmc",
    origin: Origin::Installed("/usr/lib/python3/dist-packages/pylibmc/__init__.py"),
    ..TOOLS
};

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

/// A server on stock that keeps a value, and the name of its user.
fn serve(here: &Site) -> (Memcached, String) {
    let environment = here.environment(Path::new("/"));
    let server = Memcached::start(&here.scratch, &environment, &here.options("PLAIN")).unwrap();
    let user = format!("{}@{}", site::USER, site::REALM);
    let message = plain(&user, site::PASSWORD);
    let mut client = server.connect().unwrap();
    assert_eq!(
        client.authenticate("PLAIN", &message).unwrap().status,
        SUCCESS
    );
    client.set("k", b"what is kept").unwrap();
    drop(client);
    (server, user)
}

fn pylibmc(which: Library) {
    let here = Site::new(Library::Stock);
    let (server, user) = serve(&here);
    let script = sources().join("tests/consumers/scripts/cache.py");
    let script = script.display().to_string();
    let address = server.address().to_string();
    let words = [&address, &user, site::PASSWORD, WRONG];
    let program = ["/usr/bin/python3", &script];
    let ran = Site::new(which).run(Path::new("/"), &[&program[..], &words].concat());
    let log = server.output();
    assert_eq!(ran.said.lines().next(), Some("kept"), "{ran:?} {log}");
    let last = ran.said.lines().last().unwrap();
    assert!(last.starts_with("refused"), "{ran:?} {log}");
}

fn tools(which: Library) {
    let here = Site::new(Library::Stock);
    let (server, user) = serve(&here);
    let site = Site::new(which);
    let address = format!("--servers={}", server.address());
    let name = format!("--username={user}");
    let run = |program: &str, password: &str, more: &[&str]| {
        let password = format!("--password={password}");
        let words = [program, "--binary", &address, &name, &password];
        site.run(Path::new("/"), &[&words, more].concat())
    };
    let right = run("memccat", site::PASSWORD, &["k"]);
    assert!(right.said.contains("what is kept"), "{right:?}");
    let wrong = run("memccat", WRONG, &["k"]);
    assert!(
        !wrong.ok && !wrong.said.contains("what is kept"),
        "{wrong:?}"
    );
    for (key, there) in [("k", true), ("nothing", false)] {
        let exists = run("memcexist", site::PASSWORD, &[key]);
        assert_eq!(exists.ok, there, "{exists:?}");
    }
    assert!(!server.output().contains(WRONG));
}

#[test]
fn stock() {
    let test = |_: &Path| authenticates(Library::Stock, Way::LibraryPath);
    SERVER.prove(Library::Stock, test).unwrap();
}

#[test]
fn ours_by_library_path() {
    let test = |_: &Path| authenticates(Library::Ours, Way::LibraryPath);
    SERVER.prove(Library::Ours, test).unwrap();
}

#[test]
fn ours_preloaded() {
    authenticates(Library::Ours, Way::Preload);
}

on_both!(memcat, TOOLS, |which, _| tools(which));
on_both!(python, PYLIBMC, |which, _| pylibmc(which));
