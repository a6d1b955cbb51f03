// SPDX-License-Identifier: MIT OR Apache-2.0
//! Changes of passwords and properties: as whom, in which form, and never
//! twice.

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

use saslplug::{Code, Secret};
use support::fake::{Event, Fake, Request, entry, result};
use support::slapd::Slapd;
use support::{CANARY, Client};

fn set(client: &Client, user: &str, name: &str, values: &[&str]) -> Result<(), Code> {
    let values: Vec<Secret> = values.iter().map(|v| Secret::from(v.as_bytes())).collect();
    let login = directory::Login {
        service: "imap",
        ..Default::default()
    };
    let properties = [(name, values.as_slice())];
    client
        .directory
        .store(&client.lines, &login, user.as_bytes(), &properties)
        .map_err(|error| error.code())
}

fn proxying<'a>(uri: &'a str, more: &[(&'a str, &'a str)]) -> Client {
    let account = [
        ("ldapdb_uri", uri),
        ("ldapdb_id", "cyrus"),
        ("ldapdb_pw", CANARY),
        ("ldapdb_mech", "DIGEST-MD5"),
    ];
    Client::new(&[&account[..], more].concat())
}

#[test]
fn a_password_is_kept_as_it_is() {
    let slapd = Slapd::proxying("store-modify");
    let uri = slapd.uri();
    let client = proxying(&uri, &[]);
    assert_eq!(client.verify("jdoe", "dogood"), Ok(()));
    assert_eq!(set(&client, "jdoe", "userPassword", &["new one"]), Ok(()));
    assert_eq!(client.verify("jdoe", "dogood"), Err(Code::BADAUTH));
    assert_eq!(client.verify("jdoe", "new one"), Ok(()));
    assert_eq!(
        client.lookup("jdoe", &["userPassword"]).unwrap(),
        [[b"new one".to_vec()]]
    );
    let lines = client.lines.all();
    assert!(
        lines.iter().any(|line| line.contains("LDB-60")),
        "{lines:?}"
    );
    assert!(
        !lines.iter().any(|line| line.contains("new one")),
        "{lines:?}"
    );
    assert_eq!(set(&client, "jdoe", "userPassword", &[]), Ok(()));
    assert_eq!(
        client.lookup("jdoe", &["userPassword"]).unwrap()[0],
        Vec::<Vec<u8>>::new()
    );
    // What is not in the schema is not there either.
    assert_eq!(set(&client, "jdoe", "cmusaslsecretCRAM-MD5", &[]), Ok(()));
    assert_eq!(
        set(&client, "jdoe", "cmusaslsecretCRAM-MD5", &["x"]),
        Err(Code::FAIL)
    );
    let errors = client.lines.errors();
    let last = errors.last().unwrap();
    assert!(
        last.contains("LDB-61") && last.contains("schema"),
        "{errors:?}"
    );
    assert_eq!(
        set(&client, "nobody", "userPassword", &["x"]),
        Err(Code::NOUSER)
    );
}

#[test]
fn a_password_is_hashed_by_the_server() {
    let slapd = Slapd::proxying("store-exop");
    let uri = slapd.uri();
    let client = proxying(&uri, &[("ldapdb_store", "exop")]);
    assert_eq!(set(&client, "jdoe", "userPassword", &["new one"]), Ok(()));
    assert_eq!(client.verify("jdoe", "new one"), Ok(()));
    assert_eq!(client.verify("jdoe", "dogood"), Err(Code::BADAUTH));
    // It is no password any more that others could use.
    assert_eq!(
        client.lookup("jdoe", &["userPassword"]).unwrap()[0],
        Vec::<Vec<u8>>::new()
    );
    assert!(slapd.log().contains("PASSMOD"), "{}", slapd.log());
}

#[test]
fn a_change_is_sent_once() {
    // Every change loses its connection.
    let script = |peer: &mut support::fake::Peer| {
        while let Some((id, request)) = peer.request() {
            match request {
                Request::Bind { .. } => peer.send(&result(id, 1, 0, "")),
                Request::Search { .. } => {
                    peer.send(&entry(id, "cn=j,dc=users,dc=local", &[]));
                    peer.send(&result(id, 5, 0, ""));
                }
                _ => return,
            }
        }
    };
    let (first, second) = (Fake::start(script), Fake::start(script));
    let list = format!("{} {}", first.uri(), second.uri());
    let options = [
        ("ldapdb_uri", list.as_str()),
        ("ldapdb_bind_dn", "cn=cyrus"),
        ("ldapdb_bind_pw", CANARY),
    ];
    let client = Client::new(&options);
    client.lookup("j", &["mail"]).unwrap();
    assert_eq!(
        set(&client, "j", "userPassword", &["x"]),
        Err(Code::UNAVAIL)
    );
    let changes = |fake: &Fake| fake.record.count(|event| matches!(event, Event::Other(_)));
    assert_eq!((changes(&first), changes(&second)), (1, 0));
}

#[test]
fn not_everybody_can_store() {
    let fake = Fake::start(support::fake::good);
    let uri = fake.uri();
    let anonymous = Client::new(&[("ldapdb_uri", &uri), ("ldapdb_filter", "(mail=%u)")]);
    let template = Client::new(&[("ldapdb_uri", &uri), ("ldapdb_user_dn", "uid=%u")]);
    for client in [anonymous, template] {
        let answer = set(&client, "jdoe@example.com", "userPassword", &["x"]);
        assert_eq!(answer, Err(Code::CONSTRAINT_VIOLAT));
        assert!(
            client.lines.errors()[0].contains("LDB-61"),
            "{:?}",
            client.lines.errors()
        );
    }
    assert_eq!(fake.record.connects(), 0);
}
