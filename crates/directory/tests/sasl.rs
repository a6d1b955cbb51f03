// SPDX-License-Identifier: MIT OR Apache-2.0
//! SASL binds and proxied authorization, as configurations of the original
//! plugin have them, on a slapd.

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
use support::slapd::Slapd;
use support::{CANARY, Client};

const ACCOUNT: [(&str, &str); 2] = [("ldapdb_id", "cyrus"), ("ldapdb_pw", CANARY)];

fn with<'a>(uri: &'a str, more: &[(&'a str, &'a str)]) -> Client {
    Client::new(&[&[("ldapdb_uri", uri)], more].concat())
}

/// What every working configuration does on the proxying slapd.
#[track_caller]
fn works(client: &Client) {
    let found = client
        .lookup("jdoe", &["userPassword", "mail"])
        .unwrap_or_else(|code| panic!("{code:?}: {:#?}", client.lines.all()));
    assert_eq!(
        found,
        [vec![b"dogood".to_vec()], vec![b"jdoe@example.com".to_vec()]]
    );
    assert_eq!(client.lookup("nobody", &["mail"]), Err(Code::NOUSER));
    assert_eq!(client.verify("jdoe", "dogood"), Ok(()));
    assert_eq!(client.verify("jdoe", "wrong"), Err(Code::BADAUTH));
    assert_eq!(client.verify("jdoe", CANARY), Err(Code::BADAUTH));
    assert_eq!(client.lines.errors(), [""; 0]);
    let lines = client.lines.all();
    assert!(
        lines
            .iter()
            .any(|line| line.contains("LDB-24 \"u:nobody\"")),
        "{lines:?}"
    );
}

#[test]
fn each_mechanism_with_a_password() {
    let slapd = Slapd::proxying("mechs");
    let (uri, tls) = (slapd.uri(), slapd.uri_of_tls());
    let ca = slapd.file("ca.pem");
    let theirs = [
        "DIGEST-MD5",
        "CRAM-MD5",
        "SCRAM-SHA-1",
        "SCRAM-SHA-256",
        "PLAIN",
        "LOGIN",
    ];
    let ours = mech::CLIENT
        .iter()
        .map(|mechanism| mechanism.info().name.as_ref());
    let mut tried = 0;
    for name in ours.filter(|name| theirs.contains(name)) {
        for uri in [&uri, &tls] {
            let options = [("ldapdb_mech", name), ("ldapdb_tls_cacert_file", &ca)];
            works(&with(uri, &[&ACCOUNT[..], &options].concat()));
            tried += 1;
        }
        assert!(
            slapd.lines(&format!("mech={name} ")) >= 2,
            "{name}: {}",
            slapd.log()
        );
    }
    assert!(tried >= 8, "{tried}");
    assert!(!slapd.log().contains(CANARY));
}

#[test]
fn external_by_socket_and_by_certificate() {
    let slapd = Slapd::proxying("external");
    works(&with(
        &slapd.uri_of_socket(),
        &[("ldapdb_mech", "EXTERNAL")],
    ));
    // Nothing else is possible there, so nothing needs to be set.
    works(&with(&slapd.uri_of_socket(), &[]));
    let (ca, certificate, key) = (
        slapd.file("ca.pem"),
        slapd.file("client.pem"),
        slapd.file("client.key"),
    );
    let files = [
        ("ldapdb_tls_cacert_file", ca.as_str()),
        ("ldapdb_tls_cert", certificate.as_str()),
        ("ldapdb_tls_key", key.as_str()),
    ];
    for (uri, start) in [(slapd.uri_of_tls(), "no"), (slapd.uri(), "demand")] {
        let options = [("ldapdb_mech", "EXTERNAL"), ("ldapdb_starttls", start)];
        works(&with(&uri, &[&files[..], &options].concat()));
    }
    let client = with(
        &slapd.uri_of_tls(),
        &[&files[..1], &[("ldapdb_mech", "EXTERNAL")]].concat(),
    );
    assert_eq!(client.lookup("jdoe", &["mail"]), Err(Code::UNAVAIL));
    let errors = client.lines.errors();
    assert!(
        errors[0].contains("LDB-21") && errors[0].contains("ldapdb_tls_cert"),
        "{errors:?}"
    );
}

#[test]
fn the_server_is_asked_for_its_mechanisms() {
    let slapd = Slapd::proxying("chosen");
    works(&with(&slapd.uri(), &ACCOUNT));
    // The strongest that needs no more than id and password.
    let strongest = mech::CLIENT[0].info().name.as_ref();
    assert!(
        slapd.lines(&format!("mech={strongest} ")) > 0,
        "{}",
        slapd.log()
    );
}

#[test]
fn a_layer_protects_what_follows() {
    let slapd = Slapd::proxying("layers");
    let uri = slapd.uri();
    for (properties, ssf) in [("maxssf=256", 128), ("maxssf=1", 1), ("maxssf=0", 0)] {
        let options = [
            ("ldapdb_mech", "DIGEST-MD5"),
            ("ldapdb_secprops", properties),
        ];
        works(&with(&uri, &[&ACCOUNT[..], &options].concat()));
        let line = format!("mech=DIGEST-MD5 bind_ssf={ssf} ssf={ssf}");
        assert!(slapd.lines(&line) > 0, "{line}: {}", slapd.log());
    }
}

#[test]
fn a_refused_account_is_not_tried_again_at_once() {
    let slapd = Slapd::proxying("refused");
    let uri = slapd.uri();
    for mechanism in ["DIGEST-MD5", "CRAM-MD5", "PLAIN"] {
        let options = [
            ("ldapdb_id", "cyrus"),
            ("ldapdb_pw", "wrong"),
            ("ldapdb_mech", mechanism),
        ];
        let client = with(&uri, &options);
        assert_eq!(client.lookup("jdoe", &["mail"]), Err(Code::UNAVAIL));
        let before = slapd.lines("ACCEPT from");
        for _ in 0..3 {
            assert_eq!(client.lookup("jdoe", &["mail"]), Err(Code::UNAVAIL));
        }
        assert_eq!(slapd.lines("ACCEPT from"), before, "{mechanism}");
        let errors = client.lines.errors();
        assert_eq!(errors.len(), 1, "{errors:?}");
        let says = format!("SERVICE account cyrus by {mechanism} (49 invalidCredentials");
        assert!(
            errors[0].contains("LDB-20") && errors[0].contains(&says),
            "{errors:?}"
        );
    }
}

#[test]
fn an_account_that_may_not_act_for_others_finds_nobody() {
    let slapd = Slapd::proxying("may-not");
    let uri = slapd.uri();
    let client = with(&uri, &[("ldapdb_id", "other"), ("ldapdb_pw", "other")]);
    assert_eq!(client.lookup("jdoe", &["mail"]), Err(Code::NOUSER));
    let lines = client.lines.all();
    let told = lines.iter().find(|line| line.contains("LDB-24")).unwrap();
    assert!(
        told.contains("\"u:jdoe\": 123")
            && told.contains("\"dn:cn=other,ou=machines,dc=users,dc=local\" lacks"),
        "{told}"
    );
}

#[test]
fn nobody_is_the_service_account() {
    let slapd = Slapd::proxying("own");
    // By the socket there is no configured name: whoever maps to the account's
    // entry is refused.
    let client = with(&slapd.uri_of_socket(), &[]);
    for password in [CANARY, "dogood"] {
        assert_eq!(client.verify("cyrus", password), Err(Code::UNAVAIL));
    }
    let errors = client.lines.errors();
    assert!(
        errors[0].contains("LDB-23") && errors[0].contains("the service account itself"),
        "{errors:?}"
    );
    // Who is configured by name may log in, by its own password.
    let uri = slapd.uri();
    let client = with(&uri, &ACCOUNT);
    assert_eq!(client.verify("cyrus", CANARY), Ok(()));
    assert_eq!(client.verify("cyrus", "dogood"), Err(Code::BADAUTH));
}

#[test]
fn a_warm_login_is_three_requests() {
    let slapd = Slapd::proxying("proxy-warm");
    let uri = slapd.uri();
    let client = with(
        &uri,
        &[&ACCOUNT[..], &[("ldapdb_canon_attr", "mail")]].concat(),
    );
    let login = |user: &str| {
        let name = client.canonical(user)?;
        assert_eq!(client.canonical(&name)?, name);
        client.lookup(&name, &["userPassword"])
    };
    login("anna").unwrap();
    let count = || (slapd.requests(), slapd.lines("ACCEPT from"));
    let before = count();
    assert_eq!(login("jdoe").unwrap(), [[b"dogood".to_vec()]]);
    let after = count();
    assert_eq!(after.1, before.1, "no new connection");
    let requests = after.0 - before.0;
    assert!((2..=3).contains(&requests), "{}", slapd.log());
}

#[test]
fn search_with_a_sasl_bind_and_a_bind_dn() {
    let slapd = Slapd::proxying("sasl-search");
    let uri = slapd.uri();
    let options = [
        ("ldapdb_mech", "DIGEST-MD5"),
        ("ldapdb_bind_dn", "cn=cyrus,ou=machines"),
        ("ldapdb_filter", "(mail=%u)"),
        ("ldapdb_canon_attr", "uid"),
    ];
    let client = with(&uri, &[&ACCOUNT[..], &options].concat());
    assert_eq!(
        client.canonical("jdoe@example.com"),
        Ok("jdoe".to_owned()),
        "{:?}",
        client.lines.all()
    );
    assert_eq!(client.verify("jdoe@example.com", "dogood"), Ok(()));
    assert_eq!(
        client.verify("jdoe@example.com", "wrong"),
        Err(Code::BADAUTH)
    );
    // Its own name for it is in the Bind.
    assert!(
        slapd.lines("BIND dn=\"cn=cyrus,ou=machines,dc=users,dc=local\" method=163") > 0,
        "{}",
        slapd.log()
    );
}
