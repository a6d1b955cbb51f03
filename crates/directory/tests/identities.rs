// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who somebody is and stays: names that could mean another account, passwords
//! that change, and connections that are too old to be believed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helpers"
)]
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test's helpers"
)]

mod support;

use saslplug::Code;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::fake::{Event, Fake, Peer, Request, entry, good, result};
use support::{CANARY, Client};

fn client(fake: &Fake, more: &[(&str, &str)]) -> Client {
    let uri = fake.uri();
    let options = [
        ("ldapdb_uri", uri.as_str()),
        ("ldapdb_bind_dn", "cn=cyrus,ou=machines"),
        ("ldapdb_bind_pw", CANARY),
        ("ldapdb_filter", "(mail=%u)"),
    ];
    Client::new(&[more, &options].concat())
}

/// Answers for one entry without a mail address, which is everybody; tells
/// whether it could.
fn answer(peer: &mut Peer, id: u8, request: Request, password: &str) -> bool {
    match request {
        Request::Bind {
            name,
            password: given,
        } => {
            let right = name.contains("machines") || password.as_bytes() == given;
            peer.send(&result(id, 1, if right { 0 } else { 49 }, ""));
        }
        Request::Search { base, .. } => {
            if !base.is_empty() {
                peer.send(&entry(id, "cn=j,dc=users,dc=local", &[("cn", b"j")]));
            }
            peer.send(&result(id, 5, 0, ""));
        }
        _ => return false,
    }
    true
}

/// A server with that entry, whose password is what the mutex holds.
fn only_one(password: Arc<Mutex<String>>) -> impl Fn(&mut Peer) + Send + Sync {
    move |peer| {
        while let Some((id, request)) = peer.request() {
            let password = password.lock().unwrap().clone();
            if !answer(peer, id, request, &password) {
                return;
            }
        }
    }
}

#[test]
fn a_changed_password_counts_at_once() {
    let password = Arc::new(Mutex::new("first".to_owned()));
    let fake = Fake::start(only_one(password.clone()));
    let client = client(&fake, &[]);
    assert_eq!(client.verify("j@example.com", "first"), Ok(()));
    assert_eq!(client.verify("j@example.com", "second"), Err(Code::BADAUTH));
    "second".clone_into(&mut password.lock().unwrap());
    assert_eq!(client.verify("j@example.com", "first"), Err(Code::BADAUTH));
    assert_eq!(client.verify("j@example.com", "second"), Ok(()));
}

#[test]
fn an_entry_without_the_canonical_attribute_is_nobody() {
    let fake = Fake::start(only_one(Arc::new(Mutex::new("x".to_owned()))));
    let client = client(&fake, &[("ldapdb_canon_attr", "mail")]);
    assert_eq!(client.canonical("j@example.com"), Err(Code::FAIL));
    let errors = client.lines.errors();
    assert!(
        errors[0].contains("LDB-36 entry \"cn=j,dc=users,dc=local\" has no value"),
        "{errors:?}"
    );
}

#[test]
fn a_raw_name_that_could_be_another_form_is_not_sent() {
    let fake = Fake::start(only_one(Arc::new(Mutex::new("x".to_owned()))));
    let raw = [("ldapdb_user_dn", "%u"), ("ldapdb_canon_attr", "cn")];
    let client = client(&fake, &raw);
    let odd = [
        "uid=admin,dc=users",
        "CORP\\admin",
        "corp.ex/Users/admin",
        "{6f1d-22}",
        "S-1-5-21-7-500",
    ];
    for user in odd {
        assert_eq!(client.verify(user, "x"), Err(Code::NOUSER), "{user}");
    }
    assert_eq!(client.verify("j@corp.example", "x"), Ok(()));
    let binds = fake
        .record
        .all()
        .into_iter()
        .filter_map(|event| match event {
            Event::Bind(_, name) => Some(name),
            _ => None,
        });
    let binds: Vec<String> = binds.collect();
    let sent = ["cn=cyrus,ou=machines,dc=users,dc=local", "j@corp.example"];
    assert_eq!(binds, sent);
}

#[test]
fn an_idle_connection_is_closed_and_not_used() {
    let fake = Fake::start(good);
    let client = client(&fake, &[("ldapdb_idle_timeout", "1")]);
    assert_eq!(client.verify("jdoe@example.com", "dogood"), Ok(()));
    let before = fake.record.connects();
    // This is the time that is tested, not one to wait for something.
    std::thread::sleep(Duration::from_millis(1200));
    assert_eq!(client.verify("second@example.com", "other"), Ok(()));
    assert_eq!(fake.record.connects(), before + 2);
    let unbinds = || fake.record.count(|event| matches!(event, Event::Unbind(_)));
    let start = Instant::now();
    while unbinds() < 2 {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "{:?}",
            fake.record.all()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(client.lines.errors(), [""; 0]);
}

#[test]
fn a_stale_connection_is_replaced_once() {
    // Connections with a lower number are closed instead of an answer.
    let closed = Arc::new(AtomicUsize::new(0));
    let below = closed.clone();
    let fake = Fake::start(move |peer| {
        while let Some((id, request)) = peer.request() {
            if peer.number < below.load(Ordering::SeqCst) || !answer(peer, id, request, "x") {
                return;
            }
        }
    });
    let client = client(&fake, &[]);
    assert_eq!(client.verify("j@example.com", "x"), Ok(()));
    assert_eq!(fake.record.connects(), 2);
    closed.store(2, Ordering::SeqCst);
    assert_eq!(
        client.verify("k@example.com", "x"),
        Ok(()),
        "{:?}",
        client.lines.all()
    );
    assert_eq!(fake.record.connects(), 4);
    assert_eq!(client.lines.errors(), [""; 0]);
    // The kept one, then one new one; no third.
    closed.store(usize::MAX, Ordering::SeqCst);
    assert_eq!(client.verify("l@example.com", "x"), Err(Code::UNAVAIL));
    assert_eq!(fake.record.connects(), 5);
    assert!(client.lines.errors()[0].contains("LDB-14"));
}
