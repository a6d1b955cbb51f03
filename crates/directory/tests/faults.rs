// SPDX-License-Identifier: MIT OR Apache-2.0
//! Servers that are down, silent, slow, broken or strange: each is a clear
//! line and an error within the time allowed, and nobody gets in.

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
use std::time::Duration;
use support::fake::{Fake, entry, good, referral, result};
use support::faulty::{DN, client, fails, searching};

#[test]
fn down() {
    let dead = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let client = client(&format!("ldap://{dead}/dc=users,dc=local"), false);
    fails(
        &client,
        Code::UNAVAIL,
        &["LDB-11", &dead.to_string(), "Connection refused"],
    );
}

#[test]
fn no_port_in_the_uri_is_said() {
    // Nothing listens on 389 of this loopback address in the test machine.
    let client = client("ldap://127.7.7.7/dc=users,dc=local", false);
    let said = "No port in the URI, so 389 was used; glauth's default is 3893";
    fails(&client, Code::UNAVAIL, &["LDB-11", "127.7.7.7:389", said]);
}

#[test]
fn unknown_host() {
    let client = client("ldap://no-such-host.invalid/dc=x", false);
    assert_eq!(client.verify("jdoe", "x"), Err(Code::UNAVAIL));
    assert!(
        client.lines.errors()[0].contains("LDB-10"),
        "{:?}",
        client.lines.errors()
    );
}

#[test]
fn silent() {
    let fake = Fake::start(|peer| while peer.request().is_some() {});
    fails(
        &client(&fake.uri(), false),
        Code::UNAVAIL,
        &["LDB-12", "within 1 s", "bind"],
    );
}

#[test]
fn silent_after_the_bind() {
    let fake = searching(|_, _| std::thread::sleep(Duration::from_secs(4)));
    fails(
        &client(&fake.uri(), false),
        Code::UNAVAIL,
        &["LDB-12", "within 1 s", "search"],
    );
}

#[test]
fn closes_at_once() {
    let fake = Fake::start(|_| {});
    fails(
        &client(&fake.uri(), false),
        Code::UNAVAIL,
        &["LDB-14", "closed the connection"],
    );
}

#[test]
fn closes_in_the_middle_of_a_message() {
    let fake = searching(|peer, id| {
        let bytes = entry(id, DN, &[("mail", b"jdoe@example.com")]);
        peer.send(&bytes[..bytes.len() / 2]);
        let _ = peer.stream.shutdown(std::net::Shutdown::Both);
    });
    fails(
        &client(&fake.uri(), false),
        Code::UNAVAIL,
        &["LDB-14", "closed the connection"],
    );
}

#[test]
fn an_entry_without_an_end_is_no_entry() {
    let fake = searching(|peer, id| {
        peer.send(&entry(id, DN, &[("mail", b"jdoe@example.com")]));
        let _ = peer.stream.shutdown(std::net::Shutdown::Both);
    });
    fails(&client(&fake.uri(), false), Code::UNAVAIL, &["LDB-14"]);
}

#[test]
fn one_byte_per_second() {
    let fake = searching(|peer, id| {
        for byte in entry(id, DN, &[("mail", b"jdoe@example.com")]) {
            peer.send(&[byte]);
            std::thread::sleep(Duration::from_millis(300));
            if peer.stream.peer_addr().is_err() {
                return;
            }
        }
    });
    fails(
        &client(&fake.uri(), false),
        Code::UNAVAIL,
        &["LDB-12", "within 1 s"],
    );
}

#[test]
fn garbage() {
    let fake = searching(|peer, _| peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    fails(
        &client(&fake.uri(), false),
        Code::UNAVAIL,
        &["LDB-14", "did not send an LDAP message"],
    );
    let fake = searching(|peer, _| peer.send(&[0x30, 5, 2, 1, 1, 0xff, 0xff]));
    fails(&client(&fake.uri(), false), Code::UNAVAIL, &["LDB-14"]);
}

#[test]
fn a_length_of_two_gigabytes() {
    let fake = searching(|peer, _| peer.send(&[0x30, 0x84, 0x80, 0, 0, 0, 2, 1, 1]));
    fails(
        &client(&fake.uri(), false),
        Code::UNAVAIL,
        &["LDB-14", "larger than 1 MiB"],
    );
}

#[test]
fn a_huge_attribute() {
    // Made beforehand: the server must not be the slow one. The search is the
    // second request.
    let answer = entry(2, DN, &[("mail", &vec![b'x'; 10 << 20])]);
    let fake = searching(move |peer, _| peer.send(&answer));
    fails(
        &client(&fake.uri(), false),
        Code::UNAVAIL,
        &["LDB-14", "larger than 1 MiB"],
    );
}

#[test]
fn wrong_message_id() {
    let fake = searching(|peer, id| peer.send(&result(id + 7, 5, 0, "")));
    fails(
        &client(&fake.uri(), false),
        Code::UNAVAIL,
        &["LDB-14", "id of another request"],
    );
}

#[test]
fn a_search_done_is_no_answer_to_a_bind() {
    let fake = Fake::start(|peer| {
        while let Some((id, _)) = peer.request() {
            peer.send(&result(id, 5, 0, ""));
        }
    });
    fails(&client(&fake.uri(), false), Code::UNAVAIL, &["LDB-14"]);
}

#[test]
fn notice_of_disconnection() {
    let fake = searching(|peer, _| peer.send(&result(0, 24, 52, "going down")));
    fails(
        &client(&fake.uri(), false),
        Code::UNAVAIL,
        &["LDB-14", "52 unavailable", "going down"],
    );
}

#[test]
fn two_entries() {
    let fake = searching(|peer, id| {
        peer.send(&entry(id, DN, &[("mail", b"jdoe@example.com")]));
        peer.send(&entry(
            id,
            "cn=other,dc=local",
            &[("mail", b"jdoe@example.com")],
        ));
        peer.send(&result(id, 5, 0, ""));
    });
    fails(
        &client(&fake.uri(), false),
        Code::FAIL,
        &["LDB-33", "(mail=jdoe@example.com)"],
    );
}

#[test]
fn size_limit() {
    let fake = searching(|peer, id| {
        peer.send(&entry(id, DN, &[("mail", b"jdoe@example.com")]));
        peer.send(&result(id, 5, 4, ""));
    });
    fails(&client(&fake.uri(), false), Code::FAIL, &["LDB-33"]);
}

#[test]
fn a_referral_is_not_followed() {
    let fake = searching(|peer, id| peer.send(&referral(id, "ldap://evil.example/")));
    fails(
        &client(&fake.uri(), false),
        Code::UNAVAIL,
        &["LDB-35", "ldap://evil.example/"],
    );
}

#[test]
fn no_such_base() {
    let fake = searching(|peer, id| peer.send(&result(id, 5, 32, "")));
    let words = ["LDB-31", "\"dc=users,dc=local\"", "32 noSuchObject"];
    fails(&client(&fake.uri(), false), Code::NOUSER, &words);
}

#[test]
fn no_right_to_search_and_the_connection_closed() {
    let fake = searching(|peer, id| {
        peer.send(&result(id, 5, 50, ""));
        let _ = peer.stream.shutdown(std::net::Shutdown::Both);
    });
    let client = client(&fake.uri(), false);
    fails(
        &client,
        Code::UNAVAIL,
        &["LDB-32", "[[users.capabilities]]"],
    );
    // The next one finds a new connection, not the closed one; the first was
    // closed at the question about password policies.
    assert_eq!(
        client.verify("jdoe@example.com", "dogood"),
        Err(Code::UNAVAIL)
    );
    assert_eq!(fake.record.connects(), 3);
}

#[test]
fn anonymous_search_refused() {
    let fake = Fake::start(good);
    fails(
        &client(&fake.uri(), true),
        Code::UNAVAIL,
        &["LDB-37", "set ldapdb_bind_dn"],
    );
}

#[test]
fn busy() {
    let fake = Fake::start(|peer| {
        while let Some((id, _)) = peer.request() {
            peer.send(&result(id, 1, 51, "later"));
        }
    });
    fails(
        &client(&fake.uri(), false),
        Code::UNAVAIL,
        &["LDB-14", "51 busy \"later\""],
    );
}

#[test]
fn no_clear_text_over_the_network() {
    // An address for documentation: nobody is there, and nobody is asked.
    let client = client("ldap://192.0.2.1/dc=x", false);
    fails(
        &client,
        Code::UNAVAIL,
        &["LDB-16", "192.0.2.1:389", "ldapdb_cleartext: yes"],
    );
}

#[test]
fn an_entry_without_a_name_is_not_bound_as() {
    let fake = searching(|peer, id| {
        peer.send(&entry(id, "", &[("mail", b"jdoe@example.com")]));
        peer.send(&result(id, 5, 0, ""));
    });
    let client = client(&fake.uri(), false);
    assert_eq!(
        client.verify("jdoe@example.com", "dogood"),
        Err(Code::NOUSER)
    );
    assert!(
        client
            .lines
            .all()
            .iter()
            .any(|line| line.contains("LDB-51"))
    );
}

#[test]
fn a_readable_value_is_compared_and_never_remembered() {
    use std::sync::{Arc, Mutex};
    let current = Arc::new(Mutex::new("first"));
    let stored = current.clone();
    let fake = searching(move |peer, id| {
        let value = *stored.lock().unwrap();
        peer.send(&entry(id, DN, &[("userPassword", value.as_bytes())]));
        peer.send(&result(id, 5, 0, ""));
    });
    let client = client(&fake.uri(), false);
    assert_eq!(client.verify("jdoe@example.com", "first"), Ok(()));
    *current.lock().unwrap() = "second";
    assert_eq!(
        client.verify("jdoe@example.com", "first"),
        Err(Code::BADAUTH)
    );
    assert_eq!(client.verify("jdoe@example.com", "second"), Ok(()));
    let found = client
        .lookup("jdoe@example.com", &["userPassword"])
        .unwrap();
    assert_eq!(found, [[b"second".to_vec()]]);
}
