// SPDX-License-Identifier: MIT OR Apache-2.0
//! Languages with a binding: Lua and Perl to the library itself, Python
//! through libldap.

use crate::site::{PASSWORD, Site, USER, WRONG};
use lab::consumer::{Consumer, Origin};
use lab::library::Library;
use lab::slapd::{Kind, Slapd};
use lab::stage::sources;
use lab::story::{SERVICE_PASSWORD, USER as PERSON};
use std::path::Path;

const LUA: Consumer = Consumer {
    program: "lua-cyrussasl",
    package: "lua-cyrussasl",
    side: "both",
    mechanisms: "PLAIN LOGIN ANONYMOUS",
    origin: Origin::Installed("/usr/bin/lua5.4"),
};

const PERL: Consumer = Consumer {
    program: "Authen::SASL::Cyrus",
    package: "libauthen-sasl-cyrus-perl",
    side: "both",
    mechanisms: "PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-256",
    origin: Origin::Installed("/usr/lib/x86_64-linux-gnu/perl5/5.36/Authen/SASL/Cyrus.pm"),
};

const PYTHON: Consumer = Consumer {
    program: "python3-ldap",
    package: "python3-ldap",
    side: "client",
    mechanisms: "PLAIN CRAM-MD5 SCRAM-SHA-256 DIGEST-MD5 (layers 0, 1, 56, 128)",
    origin: Origin::Installed("/usr/lib/python3/dist-packages/ldapurl.py"),
};

const ROOT: &str = "/";

fn script(name: &str) -> String {
    let file = sources().join("tests/consumers/scripts").join(name);
    file.display().to_string()
}

fn lua(which: Library) {
    let site = Site::new(which);
    let options = site.options("PLAIN LOGIN ANONYMOUS");
    site.scratch.file("luaapp.conf", &options).unwrap();
    let ran = site.run(
        Path::new(ROOT),
        &["lua5.4", &script("server.lua"), USER, PASSWORD, WRONG],
    );
    let expected = "\
mechanisms\t<PLAIN|LOGIN|ANONYMOUS>
right\t0\talice@lab.test
wrong\t-13
unknown\t-20\ttrue
bad\t-5
no such\t-4
LOGIN\t1\tUsername:\t1\t0\talice@lab.test
ANONYMOUS\t0\tANONYMOUS\t0
base64\tYWI=\tab
canonical\ttrue\tlogged\ttrue
";
    assert_eq!(ran.said, expected);
}

fn perl(which: Library) {
    let site = Site::new(which);
    let all = ["CRAM-MD5", "DIGEST-MD5", "LOGIN", "PLAIN", "SCRAM-SHA-256"];
    let options = site.options(&all.join(" "));
    site.scratch.file("imap.conf", &options).unwrap();
    for mechanism in all {
        let exchange = |user: &str, password: &str| {
            let script = script("exchange.pl");
            site.run(
                Path::new(ROOT),
                &["perl", &script, mechanism, user, password],
            )
        };
        let right = exchange("alice@lab.test", PASSWORD);
        assert!(
            right.said.contains("server 0 alice@lab.test"),
            "{mechanism} {right:?}"
        );
        assert!(right.said.contains("client 0"), "{mechanism} {right:?}");
        assert!(
            right.said.contains(&format!("offers {}", all.join(" "))),
            "{right:?}"
        );
        let wrong = exchange("alice@lab.test", WRONG);
        assert!(wrong.said.contains("server -13"), "{mechanism} {wrong:?}");
        let unknown = exchange("nobody@lab.test", PASSWORD);
        assert!(unknown.said.contains("server -"), "{mechanism} {unknown:?}");
        assert!(!(wrong.said + &unknown.said).contains(WRONG));
    }
}

fn python(which: Library) {
    let site = Site::new(which);
    let people = Site::new(Library::Stock);
    let environment = people.environment(Path::new(ROOT));
    let slapd = Slapd::start_with(
        &people.scratch,
        &environment,
        Kind::Proxying,
        SERVICE_PASSWORD,
        &[],
    )
    .unwrap();
    let uri = format!("ldap://{}", slapd.address());
    let script = script("bind.py");
    let program = ["/usr/bin/python3", &script, &uri, PERSON.0, PERSON.1, WRONG];
    let ran = site.run(Path::new(ROOT), &program);
    let entry = "dn:cn=johndoe,ou=superheros,dc=users,dc=local";
    let mut expected = String::new();
    for mechanism in ["CRAM-MD5", "DIGEST-MD5", "PLAIN", "SCRAM-SHA-256"] {
        expected += &format!("{mechanism} {entry} INVALID_CREDENTIALS\n");
    }
    for strength in [0, 1, 56, 128] {
        expected += &format!("{strength} {entry}\n");
    }
    expected += "too much AUTH_UNKNOWN\n";
    assert_eq!(ran.said, expected, "{}", slapd.log());
    for strength in [0, 1, 56, 128] {
        let line = format!("mech=DIGEST-MD5 bind_ssf={strength} ssf={strength}");
        assert!(slapd.log().contains(&line), "{}", slapd.log());
    }
}

on_both!(lua_binding, LUA, |which, _| lua(which));
on_both!(perl_binding, PERL, |which, _| perl(which));
on_both!(python_binding, PYTHON, |which, _| python(which));
