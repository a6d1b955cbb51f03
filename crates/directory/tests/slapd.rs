// SPDX-License-Identifier: MIT OR Apache-2.0
//! Logins against a real slapd that does simple binds only.

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

fn client(slapd: &Slapd) -> Client {
    let uri = slapd.uri();
    Client::new(&[
        ("ldapdb_uri", &uri),
        ("ldapdb_bind_dn", "cn=cyrus,ou=machines"),
        ("ldapdb_bind_pw", CANARY),
        ("ldapdb_filter", "(mail=%u)"),
        ("ldapdb_canon_attr", "mail"),
    ])
}

#[test]
fn search_and_verify() {
    let slapd = Slapd::start("verify");
    let client = client(&slapd);
    assert_eq!(client.verify("jdoe@example.com", "dogood"), Ok(()));
    assert_eq!(client.verify("JDoe@Example.COM", "dogood"), Ok(()));
    assert_eq!(
        client.verify("jdoe@example.com", "wrong"),
        Err(Code::BADAUTH)
    );
    assert_eq!(client.verify("jdoe@example.com", ""), Err(Code::BADAUTH));
    assert_eq!(
        client.verify("nobody@example.com", "dogood"),
        Err(Code::NOUSER)
    );
    // The service's own password opens no other account.
    assert_eq!(
        client.verify("jdoe@example.com", CANARY),
        Err(Code::BADAUTH)
    );
    assert_eq!(client.verify("anna@example.com", "geheim ü"), Ok(()));
    assert_eq!(
        client.canonical("JDoe@Example.COM"),
        Ok("jdoe@example.com".to_owned())
    );
    let found = client
        .lookup("anna@example.com", &["mail", "jpegPhoto", "title"])
        .unwrap();
    assert_eq!(found[0], [b"anna@example.com".to_vec()]);
    assert_eq!(found[1], [vec![0, 1, 2, 255]]);
    assert!(found[2].is_empty());
    assert_eq!(client.lines.errors(), [""; 0]);
    assert_eq!(client.verify("twin@example.com", "x"), Err(Code::FAIL));
    assert!(client.lines.errors()[0].contains("LDB-33"));
    let lines = client.lines.all();
    for number in ["LDB-30", "LDB-40", "LDB-50"] {
        assert!(
            lines.iter().any(|line| line.contains(number)),
            "{number}: {lines:?}"
        );
    }
    assert!(!slapd.log().contains(CANARY));
}

#[test]
fn a_socket_and_a_password_file() {
    use std::os::unix::fs::PermissionsExt;
    let slapd = Slapd::start("socket");
    let (uri, file) = (slapd.uri_of_socket(), slapd.folder().join("pw"));
    std::fs::write(&file, format!("{CANARY}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let client = Client::new(&[
        ("ldapdb_uri", &uri),
        ("ldapdb_mech", "SIMPLE"),
        ("ldapdb_id", "cn=cyrus,ou=machines"),
        ("ldapdb_pw_file", file.to_str().unwrap()),
        ("ldapdb_search_base", "ou=people"),
    ]);
    assert_eq!(client.verify("johndoe", "dogood"), Ok(()));
    assert_eq!(client.verify("johndoe", "wrong"), Err(Code::BADAUTH));
    assert_eq!(client.lines.errors(), [""; 0]);
}

#[test]
fn no_name_gets_more_than_its_own_entry() {
    let slapd = Slapd::start("names");
    let client = client(&slapd);
    let long = "x".repeat(65_536);
    for user in [
        "*",
        "jdoe*",
        "a)(uid=*",
        "\\",
        "\\2a",
        "jdoe@example.com\0",
        "*)(mail=*",
        &long,
        "",
        " ",
    ] {
        assert_eq!(client.verify(user, "dogood"), Err(Code::NOUSER), "{user:?}");
    }
    assert_eq!(client.verify(b"jdoe\xff", "dogood"), Err(Code::NOUSER));
    assert_eq!(client.verify("jdoe@example.com", "dogood"), Ok(()));
    assert!(
        client
            .lines
            .all()
            .iter()
            .all(|line| line.len() < 1000 && !line.contains('\0'))
    );
}

#[test]
fn a_warm_login_is_two_requests() {
    let slapd = Slapd::start("warm");
    let client = client(&slapd);
    let login = |user: &str, password: &str| {
        let name = client.canonical(user)?;
        client.lookup(&name, &["userPassword", "cmusaslsecretPLAIN"])?;
        client.verify(&name, password)
    };
    assert_eq!(login("anna@example.com", "geheim ü"), Ok(()));
    let (before, answered) = (slapd.counts(), slapd.requests());
    assert_eq!(login("jdoe@example.com", "dogood"), Ok(()));
    let after = slapd.counts();
    assert_eq!(slapd.requests(), answered + 2, "{}", slapd.log());
    let spent = (after.0 - before.0, after.1 - before.1, after.2 - before.2);
    assert_eq!(spent, (0, 1, 1), "{}", slapd.log());
}

#[test]
fn mistakes_have_one_line() {
    let slapd = Slapd::start("mistakes");
    let uri = slapd.uri();
    let wrong_base = uri.replace("dc=users,", "dc=nowhere,");
    let account = [("ldapdb_bind_dn", "cn=cyrus,ou=machines,dc=users,dc=local")];
    let password = [("ldapdb_bind_pw", CANARY)];
    for (options, code, words) in [
        (
            vec![("ldapdb_uri", uri.as_str())],
            Code::UNAVAIL,
            ["LDB-37", "ldapdb_bind_dn"],
        ),
        (
            [
                &[
                    ("ldapdb_uri", wrong_base.as_str()),
                    ("ldapdb_dn_complete", "no"),
                ],
                &account[..],
                &password,
            ]
            .concat(),
            Code::NOUSER,
            ["LDB-31", "dc=nowhere,dc=local"],
        ),
        (
            [
                &[("ldapdb_uri", uri.as_str()), ("ldapdb_bind_pw", "wrong")],
                &account[..],
            ]
            .concat(),
            Code::UNAVAIL,
            ["LDB-20", "49 invalidCredentials"],
        ),
    ] {
        let client = Client::new(&options);
        assert_eq!(client.verify("johndoe", "dogood"), Err(code));
        let errors = client.lines.errors();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(
            words.iter().all(|word| errors[0].contains(word)),
            "{errors:?}"
        );
    }
}
