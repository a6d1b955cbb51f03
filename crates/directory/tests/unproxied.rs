// SPDX-License-Identifier: MIT OR Apache-2.0
//! Servers that cannot do SASL or proxied authorization, or pretend to: nobody
//! gets in, and one line says why.

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
use support::fake::{Fake, Peer, Request, entry, extended, result};
use support::{CANARY, Client};

const ACCOUNT: [(&str, &str); 2] = [("ldapdb_id", "cyrus"), ("ldapdb_pw", CANARY)];

fn with<'a>(uri: &'a str, more: &[(&'a str, &'a str)]) -> Client {
    Client::new(&[&[("ldapdb_uri", uri)], more].concat())
}

/// A server whose Who Am I always says `own`, or `theirs` with a control.
fn whoami(own: &'static str, theirs: &'static str, code: u8) -> impl Fn(&mut Peer) + Send + Sync {
    move |peer| {
        while let Some((id, request)) = peer.request() {
            match request {
                Request::Bind { .. } => peer.send(&result(id, 1, 0, "")),
                Request::Extended(_, None) => peer.send(&extended(id, 0, "", own)),
                Request::Extended(_, Some(_)) => {
                    peer.send(&extended(id, code, "must be a DN", theirs))
                }
                Request::Search { base, .. } if base.is_empty() => {
                    peer.send(&result(id, 5, 50, ""))
                }
                Request::Search { base, .. } => {
                    peer.send(&entry(id, &base, &[("userPassword", b"secret")]));
                    peer.send(&result(id, 5, 0, ""));
                }
                Request::Unbind => return,
                Request::Other => peer.send(&result(id, 24, 2, "")),
            }
        }
    }
}

#[test]
fn servers_that_do_not_proxy_let_nobody_in() {
    const OWN: &str = "dn:cn=Cyrus,dc=x";
    for (theirs, code, number, says) in [
        ("dn:cn=j,dc=x", 0, 0, ""),
        // glauth and 389: the control is ignored.
        (
            "dn:CN=cyrus, dc=X",
            0,
            23,
            "returned the service account itself",
        ),
        ("dn:", 0, 23, "which is no dn:"),
        ("", 0, 23, "which is no dn:"),
        ("u:jdoe", 0, 23, "which is no dn:"),
        ("dn:nonsense", 0, 23, "which is no dn:"),
        (
            "",
            12,
            23,
            "12 unavailableCriticalExtension \"must be a DN\"",
        ),
        ("", 2, 23, "2 protocolError"),
        ("", 53, 23, "53 unwillingToPerform"),
        ("", 123, 24, "lacks authzTo"),
        ("", 47, 24, "lacks authzTo"),
        ("", 52, 14, "52 unavailable"),
    ] {
        let fake = Fake::start(whoami(OWN, theirs, code));
        let uri = fake.uri();
        let options = [&ACCOUNT[..], &[("ldapdb_mech", "PLAIN")]].concat();
        let client = with(&uri, &options);
        let found = client.lookup("jdoe", &["userPassword"]);
        if number == 0 {
            assert_eq!(found, Ok(vec![vec![b"secret".to_vec()]]));
            continue;
        }
        let wanted = if number == 24 {
            Code::NOUSER
        } else {
            Code::UNAVAIL
        };
        assert_eq!(found, Err(wanted), "{theirs} {code}");
        let lines = client.lines.all();
        let number = format!("LDB-{number}");
        assert!(
            lines
                .iter()
                .any(|l| l.contains(&number) && l.contains(says)),
            "{says}: {lines:?}"
        );
    }
}

#[test]
fn a_server_without_sasl_says_what_to_do() {
    for (code, number) in [(7, "LDB-21"), (48, "LDB-21"), (13, "LDB-22")] {
        let fake = Fake::start(move |peer| {
            while let Some((id, request)) = peer.request() {
                match request {
                    Request::Bind { .. } => peer.send(&result(id, 1, code, "")),
                    _ => peer.send(&result(id, 5, 50, "")),
                }
            }
        });
        let uri = fake.uri();
        let options = [&ACCOUNT[..], &[("ldapdb_mech", "PLAIN")]].concat();
        let client = with(&uri, &options);
        assert_eq!(client.lookup("jdoe", &["mail"]), Err(Code::UNAVAIL));
        assert!(
            client.lines.errors()[0].contains(number),
            "{:?}",
            client.lines.errors()
        );
        // Without a mechanism the root DSE is asked, and it is hidden.
        let client = with(&uri, &ACCOUNT);
        assert_eq!(client.lookup("jdoe", &["mail"]), Err(Code::UNAVAIL));
        let errors = client.lines.errors();
        assert!(
            errors[0].contains("LDB-37") && errors[0].contains("ldapdb_mech"),
            "{errors:?}"
        );
    }
}

#[test]
fn mechanisms_that_show_the_password_need_a_safe_way() {
    let fake = Fake::start(whoami("dn:cn=c", "dn:cn=j", 0));
    let uri = fake.uri();
    let options = [
        &ACCOUNT[..],
        &[
            ("ldapdb_mech", "PLAIN LOGIN"),
            ("ldapdb_cleartext", "never"),
        ],
    ]
    .concat();
    let client = with(&uri, &options);
    assert_eq!(client.lookup("jdoe", &["mail"]), Err(Code::UNAVAIL));
    assert!(
        client.lines.errors()[0].contains("LDB-21"),
        "{:?}",
        client.lines.errors()
    );
    assert!(
        client.lines.errors()[0].contains("without TLS"),
        "{:?}",
        client.lines.errors()
    );
    assert_eq!(fake.record.requests(), 0);
}

#[test]
fn a_server_that_does_not_prove_itself_is_left() {
    // DIGEST-MD5 ends with the server's proof; this one says "success" at once.
    let fake = Fake::start(whoami("dn:cn=c", "dn:cn=j", 0));
    let uri = fake.uri();
    let options = [&ACCOUNT[..], &[("ldapdb_mech", "DIGEST-MD5")]].concat();
    let client = with(&uri, &options);
    assert_eq!(client.lookup("jdoe", &["mail"]), Err(Code::UNAVAIL));
    assert!(
        client.lines.errors()[0].contains("LDB-20"),
        "{:?}",
        client.lines.errors()
    );
}
