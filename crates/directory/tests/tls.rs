// SPDX-License-Identifier: MIT OR Apache-2.0
//! TLS: which certificates are accepted, what happens before the handshake,
//! and where a password may go.

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
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use support::certificates::{Authority, Certificate};
use support::fake::{Event, Fake, Peer, Request, good, result};
use support::slapd::Slapd;
use support::{CANARY, Client};

/// A folder with `ca.pem`, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn with(authority: &Authority) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("ldapdb-tls-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        authority.save(&path);
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn client(uri: &str, more: &[(&str, &str)]) -> Client {
    let mut options = more.to_vec();
    options.extend_from_slice(&[
        ("ldapdb_uri", uri),
        ("ldapdb_bind_dn", "cn=cyrus,ou=machines"),
        ("ldapdb_bind_pw", CANARY),
        ("ldapdb_filter", "(mail=%u)"),
        ("ldapdb_cleartext", "never"),
        ("ldapdb_connect_timeout", "2"),
        ("ldapdb_max_wait", "5"),
    ]);
    Client::new(&options)
}

/// A server that speaks TLS from the first byte.
fn ldaps(certificate: &Certificate) -> Fake {
    let acceptor = certificate.acceptor();
    Fake::start(move |peer| {
        if peer.start_tls(&acceptor) {
            good(peer);
        }
    })
}

fn uri(fake: &Fake, scheme: &str, host: &str) -> String {
    format!(
        "{scheme}://{host}:{}/dc=users,dc=local",
        fake.address.port()
    )
}

/// One login; the lines that the default level shows.
fn outcome(client: &Client) -> (Result<(), Code>, Vec<String>) {
    let result = client.verify("jdoe@example.com", "dogood");
    (result, client.lines.errors())
}

#[track_caller]
fn refused(client: &Client, fake: &Fake, words: &[&str]) {
    let (result, errors) = outcome(client);
    assert_eq!(result, Err(Code::UNAVAIL), "{errors:?}");
    assert_eq!(errors.len(), 1, "{errors:?}");
    for word in words {
        assert!(errors[0].contains(word), "{word}: {errors:?}");
    }
    assert_eq!(fake.record.requests(), 0, "nothing was sent");
}

#[test]
fn a_certificate_is_for_the_name_in_the_uri() {
    let authority = Authority::new("an authority");
    let folder = Folder::with(&authority);
    let ca = folder.file("ca.pem");
    for (names, host, name, verdict) in [
        (&["DNS:localhost"][..], "localhost", "", ""),
        (&["DNS:ldap1", "DNS:LocalHost"], "localhost", "", ""),
        (&["IP:127.0.0.1"], "127.0.0.1", "", ""),
        (
            &["DNS:ldap1.example.com"],
            "127.0.0.1",
            "ldap1.example.com",
            "",
        ),
        (&["DNS:*.example.com"], "127.0.0.1", "ldap1.example.com", ""),
        (
            &["DNS:ldap1", "IP:10.0.0.1"],
            "localhost",
            "",
            "is for \"ldap1\", \"10.0.0.1\", not \"localhost\" (ldapdb_tls_name)",
        ),
        (
            &["CN:localhost"],
            "localhost",
            "",
            "it has no subjectAltName",
        ),
        (
            &["CN:localhost", "DNS:other"],
            "localhost",
            "",
            "is for \"other\"",
        ),
        // An address is no name.
        (&["DNS:127.0.0.1"], "127.0.0.1", "", "not \"127.0.0.1\""),
        (&["IP:127.0.0.2"], "127.0.0.1", "", "is for \"127.0.0.2\""),
        (
            &["DNS:*.com"],
            "127.0.0.1",
            "ldap1.example.com",
            "is for \"*.com\"",
        ),
        (
            &["DNS:l*.example.com"],
            "127.0.0.1",
            "ldap1.example.com",
            "l*",
        ),
    ] {
        let fake = ldaps(&authority.issue(names, 0, 10));
        let uri = uri(&fake, "ldaps", host);
        let client = client(
            &uri,
            &[("ldapdb_tls_cacert_file", &ca), ("ldapdb_tls_name", name)],
        );
        if verdict.is_empty() {
            assert_eq!(outcome(&client), (Ok(()), Vec::new()), "{names:?}");
        } else {
            refused(&client, &fake, &["LDB-13 TLS with 127.0.0.1:", verdict]);
        }
    }
}

#[test]
fn a_certificate_is_valid_now_and_from_a_known_issuer() {
    let (authority, other) = (Authority::new("an authority"), Authority::new("a stranger"));
    let folder = Folder::with(&authority);
    let ca = folder.file("ca.pem");
    let says = format!("issuer \"a stranger\" not trusted; CA file used: {ca}");
    for (certificate, words) in [
        (authority.issue(&["DNS:localhost"], -20, -10), "expired on"),
        (authority.issue(&["DNS:localhost"], 5, 10), "begins on"),
        (other.issue(&["DNS:localhost"], 0, 10), says.as_str()),
    ] {
        let fake = ldaps(&certificate);
        let uri = uri(&fake, "ldaps", "localhost");
        let client = client(&uri, &[("ldapdb_tls_cacert_file", &ca)]);
        refused(&client, &fake, &["LDB-13", words]);
        // The system's authorities did not sign it either.
        let client = self::client(&uri, &[]);
        assert_eq!(outcome(&client).0, Err(Code::UNAVAIL));
    }
}

#[test]
fn the_check_can_be_left_out_and_that_is_said() {
    let fake = ldaps(&Authority::new("a stranger").issue(&["DNS:other"], -20, -10));
    let uri = uri(&fake, "ldaps", "localhost");
    let client = client(&uri, &[("ldapdb_tls_check_peer", "no")]);
    assert_eq!(outcome(&client).0, Ok(()));
    let lines = client.lines.all();
    assert!(
        lines
            .iter()
            .any(|line| line.contains("LDB-13 ldapdb_tls_check_peer: no")),
        "{lines:?}"
    );
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new("an authority");
    let folder = Folder::with(&authority);
    authority.issue(&["DNS:a"], 0, 1).save(&folder.0, "a");
    let b = authority.issue(&["DNS:b"], 0, 1);
    b.save(&folder.0, "b");
    let cipher = openssl::symm::Cipher::aes_128_cbc();
    let locked = b
        .key
        .private_key_to_pem_pkcs8_passphrase(cipher, b"x")
        .unwrap();
    std::fs::write(folder.file("locked.key"), locked).unwrap();
    let fake = ldaps(&authority.issue(&["DNS:localhost"], 0, 10));
    let uri = uri(&fake, "ldaps", "localhost");
    let (a, ca) = (folder.file("a.pem"), folder.file("ca.pem"));
    for (key, words) in [
        ("none.key", "cannot read ldapdb_tls_key"),
        ("b.key", "ldapdb_tls_key does not fit ldapdb_tls_cert"),
        ("locked.key", "cannot use ldapdb_tls_key"),
    ] {
        let key = folder.file(key);
        let options = [
            ("ldapdb_tls_cacert_file", ca.as_str()),
            ("ldapdb_tls_cert", &a),
            ("ldapdb_tls_key", &key),
        ];
        refused(&client(&uri, &options), &fake, &["LDB-13", words]);
    }
    let none = folder.file("none.pem");
    let client = client(&uri, &[("ldapdb_tls_cacert_file", &none)]);
    let says = format!("cannot read ldapdb_tls_cacert_file {none}: No such file");
    refused(&client, &fake, &["LDB-13", &says]);
}

/// Answers StartTLS with `answer` and runs the handshake if that was 0.
fn start_tls(peer: &mut Peer, certificate: &openssl::ssl::SslAcceptor, answer: u8, more: &[u8]) {
    while let Some((id, request)) = peer.request() {
        let Request::Extended(oid, None) = request else {
            // What a careless client goes on with.
            peer.record.note(Event::Search(usize::MAX));
            return;
        };
        assert_eq!(oid, "1.3.6.1.4.1.1466.20037");
        let mut bytes = result(id, 24, answer, "no certificate");
        bytes.extend_from_slice(more);
        peer.send(&bytes);
        if answer != 0 {
            return good(peer);
        }
        if peer.start_tls(certificate) {
            return good(peer);
        }
    }
}

#[test]
fn start_tls_protects_what_follows() {
    let authority = Authority::new("an authority");
    let folder = Folder::with(&authority);
    let ca = folder.file("ca.pem");
    let acceptor = authority.issue(&["IP:127.0.0.1"], 0, 10).acceptor();
    let fake = Fake::start(move |peer| start_tls(peer, &acceptor, 0, b""));
    for word in ["demand", "try"] {
        let options = [("ldapdb_starttls", word), ("ldapdb_tls_cacert_file", &ca)];
        let client = client(&fake.uri(), &options);
        assert_eq!(outcome(&client), (Ok(()), Vec::new()));
        assert_eq!(
            client.verify("jdoe@example.com", "wrong"),
            Err(Code::BADAUTH)
        );
    }
    // One handshake for each kind of connection.
    assert_eq!(fake.record.connects(), 4);
}

#[test]
fn a_refused_start_tls_ends_it_or_counts_as_clear_text() {
    let acceptor = Authority::new("x")
        .issue(&["IP:127.0.0.1"], 0, 10)
        .acceptor();
    let fake = Fake::start(move |peer| start_tls(peer, &acceptor, 52, b""));
    let uri = fake.uri();
    let demand = client(
        &uri,
        &[("ldapdb_starttls", "demand"), ("ldapdb_cleartext", "yes")],
    );
    refused(
        &demand,
        &fake,
        &["LDB-13", "refused StartTLS (52 unavailable"],
    );
    let never = client(&uri, &[("ldapdb_starttls", "try")]);
    refused(&never, &fake, &["LDB-16", "127.0.0.1"]);
    let local = client(
        &uri,
        &[("ldapdb_starttls", "try"), ("ldapdb_cleartext", "local")],
    );
    assert_eq!(outcome(&local), (Ok(()), Vec::new()));
    assert!(
        local.lines.all()[0].contains("LDB-13"),
        "{:?}",
        local.lines.all()
    );
}

#[test]
fn nothing_before_the_handshake_is_believed() {
    let authority = Authority::new("an authority");
    let folder = Folder::with(&authority);
    let ca = folder.file("ca.pem");
    let acceptor = authority.issue(&["IP:127.0.0.1"], 0, 10).acceptor();
    // An answer to the bind that was not sent yet: "success".
    let injected = result(2, 1, 0, "");
    let fake = Fake::start(move |peer| start_tls(peer, &acceptor, 0, &injected));
    for word in ["demand", "try"] {
        let options = [("ldapdb_starttls", word), ("ldapdb_tls_cacert_file", &ca)];
        let client = client(&fake.uri(), &options);
        refused(
            &client,
            &fake,
            &["LDB-13", "bytes came before the handshake"],
        );
    }
}

#[test]
fn a_failed_handshake_is_not_followed_by_clear_text() {
    let acceptor = Authority::new("a stranger")
        .issue(&["IP:127.0.0.1"], 0, 10)
        .acceptor();
    let fake = Fake::start(move |peer| start_tls(peer, &acceptor, 0, b""));
    let options = [("ldapdb_starttls", "try"), ("ldapdb_cleartext", "yes")];
    refused(
        &client(&fake.uri(), &options),
        &fake,
        &["LDB-13", "not trusted"],
    );
    assert_eq!(fake.record.connects(), 1);
}

#[test]
fn servers_that_speak_no_tls_or_nothing() {
    let fake = Fake::start(|peer| {
        // Clear LDAP: a notice of disconnection.
        peer.send(&result(0, 24, 2, "what is this?"));
        std::thread::sleep(Duration::from_millis(200));
    });
    let client = client(&uri(&fake, "ldaps", "127.0.0.1"), &[]);
    refused(&client, &fake, &["LDB-13", "does not speak TLS there"]);
    let fake = Fake::start(|_| std::thread::sleep(Duration::from_secs(10)));
    for options in [&[("ldapdb_starttls", "demand")][..], &[]] {
        let scheme = if options.is_empty() { "ldaps" } else { "ldap" };
        let client = self::client(&uri(&fake, scheme, "127.0.0.1"), options);
        let start = Instant::now();
        refused(
            &client,
            &fake,
            &["LDB-12", "within 2 s", "ldapdb_connect_timeout"],
        );
        assert!(start.elapsed() < Duration::from_secs(6));
    }
}

#[test]
fn slapd_by_ldaps_and_start_tls() {
    let slapd = Slapd::start("tls");
    let ca = slapd.file("ca.pem");
    for (uri, start) in [(slapd.uri_of_tls(), "no"), (slapd.uri(), "demand")] {
        let options = [
            ("ldapdb_tls_cacert_file", ca.as_str()),
            ("ldapdb_starttls", start),
        ];
        let client = client(&uri, &options);
        assert_eq!(outcome(&client), (Ok(()), Vec::new()), "{start}");
        assert_eq!(
            client.verify("jdoe@example.com", "wrong"),
            Err(Code::BADAUTH)
        );
        let before = slapd.counts();
        assert_eq!(client.verify("anna@example.com", "geheim ü"), Ok(()));
        let after = slapd.counts();
        assert_eq!(after.0, before.0, "a warm login opens no connection");
    }
    assert!(slapd.log().contains("TLS established"), "{}", slapd.log());
}
