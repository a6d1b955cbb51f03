// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is read of an entry: readable and hashed passwords, properties under
//! other names, entries that may not log in, wrong passwords asked again.

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
use support::fake::{Event, Fake, Peer, Request, entry, result};
use support::slapd::Slapd;
use support::{CANARY, Client};

const SSHA: &str = "{SSHA}uUYiKWdRfByKlBt2ACqW7p++ZRGrJy0n";

/// Shows `stored` as the password of whoever is looked for; a user's bind
/// succeeds with "by bind".
fn shows(stored: &'static str) -> impl Fn(&mut Peer) + Send + Sync {
    move |peer| {
        while let Some((id, request)) = peer.request() {
            match request {
                Request::Bind { name, password } => {
                    let right = !name.starts_with("cn=j") || password == b"by bind";
                    peer.send(&result(id, 1, if right { 0 } else { 49 }, ""));
                }
                Request::Search { .. } => {
                    let values = [("userPassword", stored.as_bytes()), ("mailHost", b"mx")];
                    peer.send(&entry(id, "cn=j,dc=users,dc=local", &values));
                    peer.send(&result(id, 5, 0, ""));
                }
                _ => return,
            }
        }
    }
}

fn client(uri: &str, more: &[(&str, &str)]) -> Client {
    let mut options = more.to_vec();
    options.extend_from_slice(&[
        ("ldapdb_uri", uri),
        ("ldapdb_bind_dn", "cn=cyrus,ou=machines"),
        ("ldapdb_bind_pw", CANARY),
    ]);
    Client::new(&options)
}

fn binds_as_user(fake: &Fake) -> usize {
    fake.record
        .count(|event| matches!(event, Event::Bind(_, name) if name.starts_with("cn=j")))
}

#[test]
fn a_readable_hash_is_verified_without_a_bind() {
    let fake = Fake::start(shows(SSHA));
    let client = self::client(&fake.uri(), &[]);
    assert_eq!(client.verify("j", "dogood ü"), Ok(()));
    assert_eq!(client.verify("j", "wrong"), Err(Code::BADAUTH));
    // Whoever has read the hash does not get in by it.
    assert_eq!(client.verify("j", SSHA), Err(Code::BADAUTH));
    assert_eq!(
        client.lookup("j", &["userPassword"]).unwrap(),
        [Vec::<Vec<u8>>::new()]
    );
    assert_eq!(binds_as_user(&fake), 0);
}

#[test]
fn hashes_that_are_not_compared_are_left_to_a_bind() {
    for (stored, options) in [
        (SSHA, &[("ldapdb_hashes", "none")][..]),
        (SSHA, &[("ldapdb_hashes", "CRYPT ARGON2")]),
        ("{SASL}j@example.com", &[]),
        // Without the system's crypt.
        ("{CRYPT}$1$saltsalt$P.X7Y9nlkDpMUEIgePBL21", &[]),
    ] {
        let fake = Fake::start(shows(stored));
        let client = self::client(&fake.uri(), options);
        assert_eq!(client.verify("j", "by bind"), Ok(()), "{stored}");
        assert_eq!(
            client.verify("j", "dogood ü"),
            Err(Code::BADAUTH),
            "{stored}"
        );
        assert_eq!(binds_as_user(&fake), 2);
        assert!(
            client
                .lines
                .all()
                .iter()
                .any(|line| line.contains("LDB-42"))
        );
        let options = [options, &[("ldapdb_verify", "value")]].concat();
        let client = self::client(&fake.uri(), &options);
        assert_eq!(
            client.verify("j", "by bind"),
            Err(Code::BADAUTH),
            "{stored}"
        );
        assert_eq!(binds_as_user(&fake), 2);
    }
}

#[test]
fn the_hosts_crypt_is_used() {
    fn crypt(password: &saslplug::Secret, stored: &str) -> Option<saslplug::Secret> {
        let right = password.matches(b"dogood") && stored == "$1$x";
        right.then(|| saslplug::Secret::from(&b"$1$x"[..]))
    }
    let fake = Fake::start(shows("{CRYPT}$1$x"));
    let mut client = self::client(&fake.uri(), &[("ldapdb_verify", "value")]);
    client.directory = client.directory.with_crypt(crypt);
    assert_eq!(client.verify("j", "dogood"), Ok(()));
}

#[test]
fn properties_may_have_other_names() {
    let fake = Fake::start(shows("clear"));
    let client = self::client(&fake.uri(), &[("ldapdb_attr_map", "host=mailHost")]);
    let found = client
        .lookup("j", &["HOST", "mailHost", "userPassword"])
        .unwrap();
    assert_eq!(
        found,
        [[b"mx".to_vec()], [b"mx".to_vec()], [b"clear".to_vec()]]
    );
}

#[test]
fn a_wrong_password_is_not_asked_twice() {
    let fake = Fake::start(shows("{X}"));
    let client = self::client(&fake.uri(), &[("ldapdb_negative_ttl", "60")]);
    for _ in 0..3 {
        assert_eq!(client.verify("j", "wrong"), Err(Code::BADAUTH));
    }
    assert_eq!(binds_as_user(&fake), 1);
    assert_eq!(client.verify("j", "other"), Err(Code::BADAUTH));
    assert_eq!(client.verify("k", "wrong"), Err(Code::BADAUTH));
    assert_eq!(client.verify("j", "by bind"), Ok(()));
    assert_eq!(binds_as_user(&fake), 4);
    let lines = client.lines.all();
    let again = lines
        .iter()
        .filter(|line| line.contains("LDB-50 the same wrong password"));
    assert_eq!(again.count(), 2, "{lines:?}");
    assert!(
        !lines.iter().any(|line| line.contains("wrong\"")),
        "{lines:?}"
    );
}

#[test]
fn a_right_password_is_not_asked_twice_if_that_is_wanted() {
    let fake = Fake::start(shows("x"));
    let uri = fake.uri();
    let options = [
        ("ldapdb_verify", "bind"),
        ("ldapdb_cache_ttl", "600"),
        ("ldapdb_uri", uri.as_str()),
    ];
    let client = client(&uri, &options);
    let (user, right) = ("j", "by bind");
    assert_eq!(client.verify(user, right), Ok(()));
    let binds = binds_as_user(&fake);
    for _ in 0..3 {
        assert_eq!(client.verify(user, right), Ok(()));
    }
    assert_eq!(binds_as_user(&fake), binds);
    // Another password is asked about, and makes the right one be asked again.
    assert_eq!(client.verify(user, "wrong"), Err(Code::BADAUTH));
    assert_eq!(binds_as_user(&fake), binds + 1);
    assert_eq!(client.verify(user, right), Ok(()));
    assert_eq!(binds_as_user(&fake), binds + 2);
}

#[test]
fn who_is_known_but_not_allowed() {
    let slapd = Slapd::start("require");
    let uri = slapd.uri();
    let client = self::client(
        &uri,
        &[
            ("ldapdb_filter", "(mail=%u)"),
            ("ldapdb_require", "(uid=anna)"),
        ],
    );
    assert_eq!(client.verify("anna@example.com", "geheim ü"), Ok(()));
    assert_eq!(
        client.verify("jdoe@example.com", "dogood"),
        Err(Code::NOUSER)
    );
    assert_eq!(
        client.verify("nobody@example.com", "dogood"),
        Err(Code::NOUSER)
    );
    let lines = client.lines.all();
    let told = |word: &str| lines.iter().filter(|line| line.contains(word)).count();
    assert_eq!(
        told("LDB-30 \"jdoe@example.com\" is \"cn=johndoe,ou=people"),
        1,
        "{lines:?}"
    );
    assert_eq!(told("ldapdb_require does not hold"), 1, "{lines:?}");
    assert_eq!(
        told("LDB-30 no entry for \"nobody@example.com\""),
        1,
        "{lines:?}"
    );
}

#[test]
fn a_file_of_libldap_configures_the_way() {
    let slapd = Slapd::proxying("rc");
    let rc = slapd.file("ldaprc");
    let lines = format!(
        "TLS_CACERT {}\nTLS_CERT {}\nTLS_KEY {}\nSASL_MECH EXTERNAL\n",
        slapd.file("ca.pem"),
        slapd.file("client.pem"),
        slapd.file("client.key")
    );
    std::fs::write(&rc, lines).unwrap();
    let uri = slapd.uri_of_tls();
    let client = Client::new(&[("ldapdb_uri", &uri), ("ldapdb_rc", &rc)]);
    assert_eq!(
        client.verify("jdoe", "dogood"),
        Ok(()),
        "{:?}",
        client.lines.all()
    );
    assert_eq!(client.verify("jdoe", "wrong"), Err(Code::BADAUTH));
}
