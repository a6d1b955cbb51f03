// SPDX-License-Identifier: MIT OR Apache-2.0
//! The older way of ldapdb: a SASL bind as a service account that acts for the
//! users and reads their passwords. With the distribution's plugin, imapd's
//! libsasl2 is entered again, as a client, by libldap while it serves a login.

use lab::cyrus::{Cyrus, Service};
use lab::imap::{self, Method};
use lab::imtest;
use lab::library::Library;
use lab::placed::{LDAPDB, Placed, SHARED_SECRET, Way};
use lab::scratch::{self, Scratch};
use lab::slapd::{Kind, Slapd};
use lab::story::{SERVICE_PASSWORD, USER};

const WRONG: &str = "canary-44";

/// `which` library with the plugin of `plugin`.
fn logs_in(which: Library, plugin: Library) {
    let scratch = Scratch::new().unwrap();
    let placed = Placed::new(which, &scratch).unwrap();
    let from = plugin.plugins().unwrap().join(LDAPDB);
    scratch::copy(&from, &placed.plugins().join(LDAPDB)).unwrap();
    placed.add_shared_secret().unwrap();
    let slapd = Slapd::start(&scratch, Kind::Proxying, SERVICE_PASSWORD, &[]).unwrap();
    let lines = lines(&slapd);
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
    for mechanism in ["PLAIN"].iter().chain(&SHARED_SECRET) {
        let right = imtest::run(address, mechanism, USER.0, USER.1, &[]).unwrap();
        assert!(right.authenticated, "{}\n{}", right.said, logs());
        let wrong = imtest::run(address, mechanism, USER.0, WRONG, &[]).unwrap();
        assert!(!wrong.authenticated, "{}", wrong.said);
    }
    let unknown = imap::try_login(address, Method::Plain, "nobody@example.com", USER.1).unwrap();
    assert!(!unknown.ok, "{unknown:?}");
    // The service account's own password must open nobody's mailbox.
    let foreign = imap::try_login(address, Method::Plain, USER.0, SERVICE_PASSWORD).unwrap();
    assert!(!foreign.ok, "{foreign:?}");
    assert!(slapd.log().contains("mech=DIGEST-MD5"), "{}", slapd.log());
    assert!(!logs().contains(WRONG));
}

fn lines(slapd: &Slapd) -> String {
    format!(
        "sasl_pwcheck_method: auxprop\nsasl_auxprop_plugin: ldapdb\n\
         sasl_mech_list: PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-256\n\
         sasl_ldapdb_uri: ldap://{}\nsasl_ldapdb_id: cyrus\n\
         sasl_ldapdb_pw: {SERVICE_PASSWORD}\nsasl_ldapdb_mech: DIGEST-MD5\n",
        slapd.address()
    )
}

#[test]
fn stock() {
    logs_in(Library::Stock, Library::Stock);
}

#[test]
fn our_library_with_the_distributions_plugin() {
    logs_in(Library::Ours, Library::Stock);
}

#[test]
fn ours() {
    logs_in(Library::Ours, Library::Ours);
}

#[test]
fn stock_with_our_plugin() {
    logs_in(Library::Stock, Library::Ours);
}
