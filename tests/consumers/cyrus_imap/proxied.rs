// SPDX-License-Identifier: MIT OR Apache-2.0
//! The older way of ldapdb: a SASL bind as a service account that acts for the
//! users and reads their passwords. With the distribution's plugin, imapd's
//! libsasl2 is entered again, as a client, by libldap while it serves a login.

use lab::cyrus::{Cyrus, Service};
use lab::imap::{self, Method};
use lab::imtest;
use lab::library::Library;
use lab::placed::{LDAPDB, Placed, SHARED_SECRET, Way};
use lab::scratch::Scratch;
use lab::slapd::{Kind, Slapd};
use lab::story::{SERVICE_PASSWORD, USER};

const WRONG: &str = "canary-44";

/// Whose plugin.
#[derive(PartialEq)]
enum Plugin {
    /// The distribution's.
    Stock,
    /// The one that belongs to the library.
    Own,
}

fn logs_in(which: Library, plugin: Plugin) {
    let scratch = Scratch::new().unwrap();
    let placed = Placed::new(which, &scratch).unwrap();
    placed.add_mechanisms(SHARED_SECRET).unwrap();
    if plugin == Plugin::Stock {
        placed.add_plugin(LDAPDB).unwrap();
    }
    let slapd = Slapd::start(&scratch, Kind::Proxying, SERVICE_PASSWORD, &[]).unwrap();
    let lines = format!(
        "sasl_pwcheck_method: auxprop\nsasl_auxprop_plugin: ldapdb\n\
         sasl_mech_list: PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-256\n\
         sasl_ldapdb_uri: ldap://{}\nsasl_ldapdb_id: cyrus\n\
         sasl_ldapdb_pw: {SERVICE_PASSWORD}\nsasl_ldapdb_mech: DIGEST-MD5\n",
        slapd.address()
    );
    let service = Service::Pool(1);
    let cyrus = Cyrus::start(&scratch, &placed, Way::Preload, service, &lines).unwrap();
    let address = cyrus.address();
    let logs = || format!("{:#?}\n{}", cyrus.syslog().lines(), slapd.log());
    for method in Method::ALL {
        let right = imap::try_login(address, method, USER.0, USER.1).unwrap();
        assert!(right.ok, "{method:?}: {right:?}\n{}", logs());
        let wrong = imap::try_login(address, method, USER.0, WRONG).unwrap();
        assert!(!wrong.ok, "{method:?}: {wrong:?}");
    }
    for mechanism in ["PLAIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-256"] {
        let right = imtest::run(address, mechanism, USER.0, USER.1, &[]).unwrap();
        assert!(right.authenticated, "{}\n{}", right.said, logs());
        let wrong = imtest::run(address, mechanism, USER.0, WRONG, &[]).unwrap();
        assert!(!wrong.authenticated, "{}", wrong.said);
    }
    let unknown = imap::try_login(address, Method::Plain, "nobody@example.com", USER.1).unwrap();
    assert!(!unknown.ok, "{unknown:?}");
    // The service account's own password must open nobody's mailbox.
    let service = imap::try_login(address, Method::Plain, USER.0, SERVICE_PASSWORD).unwrap();
    assert!(!service.ok, "{service:?}");
    assert!(slapd.log().contains("mech=DIGEST-MD5"), "{}", slapd.log());
    assert!(!logs().contains(WRONG));
}

#[test]
fn stock() {
    logs_in(Library::Stock, Plugin::Own);
}

#[test]
fn our_library_with_the_distributions_plugin() {
    logs_in(Library::Ours, Plugin::Stock);
}

#[test]
fn ours() {
    logs_in(Library::Ours, Plugin::Own);
}
