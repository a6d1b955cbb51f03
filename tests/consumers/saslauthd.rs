// SPDX-License-Identifier: MIT OR Apache-2.0
//! A chain of programs: memcached asks saslauthd, saslauthd logs in at Cyrus
//! IMAP, imapd reads a sasldb file. memcached's library varies.

use lab::account::Account;
use lab::consumer::{Consumer, Origin};
use lab::cyrus::{Cyrus, Service};
use lab::library::Library;
use lab::memcached::{Memcached, REFUSED, SUCCESS};
use lab::placed::{Placed, Way};
use lab::saslauthd::Saslauthd;
use lab::sasldb;
use lab::scratch::Scratch;

const SASLAUTHD: Consumer = Consumer {
    program: "saslauthd (rimap)",
    package: "sasl2-bin",
    side: "asked",
    mechanisms: "PLAIN of memcached",
    origin: Origin::Installed("/usr/sbin/saslauthd"),
};

const WRONG: &str = "canary-66";

fn asks(which: Library) {
    let mail = Scratch::new().unwrap();
    let stock = Placed::new(Library::Stock, &mail).unwrap();
    stock.add_plugin(sasldb::PLUGIN).unwrap();
    let owner = Account::named("cyrus").unwrap();
    let file = sasldb::create(&mail, "example.com", &[("jdoe", "dogood")], owner).unwrap();
    let lines = format!(
        "sasl_auxprop_plugin: sasldb\nsasl_sasldb_path: {}\n",
        file.display()
    );
    let cyrus = Cyrus::start(&mail, &stock, Way::Preload, Service::Fresh, &lines).unwrap();
    let saslauthd = Saslauthd::start(&mail, cyrus.address()).unwrap();

    let cache = Scratch::new().unwrap();
    let placed = Placed::new(which, &cache).unwrap();
    let lines = format!(
        "pwcheck_method: saslauthd\nsaslauthd_path: {}\nmech_list: PLAIN\n",
        saslauthd.socket().display()
    );
    let environment = placed.environment(Way::LibraryPath);
    let server = Memcached::start(&cache, &environment, &lines).unwrap();
    for (password, status) in [("dogood", SUCCESS), (WRONG, REFUSED), ("dogood", SUCCESS)] {
        let message = format!("\0jdoe@example.com\0{password}");
        let mut client = server.connect().unwrap();
        let answer = client.authenticate("PLAIN", message.as_bytes()).unwrap();
        let logs = || format!("{}\n{}", server.output(), saslauthd.output());
        assert_eq!(answer.status, status, "{answer:?}\n{}", logs());
    }
    assert!(!server.output().contains(WRONG));
}

#[test]
fn stock() {
    SASLAUTHD
        .prove(Library::Stock, |_| asks(Library::Stock))
        .unwrap();
}

#[test]
fn ours() {
    SASLAUTHD
        .prove(Library::Ours, |_| asks(Library::Ours))
        .unwrap();
}
