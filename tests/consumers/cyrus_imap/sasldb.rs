// SPDX-License-Identifier: MIT OR Apache-2.0
//! Users in a sasldb file, through the distribution's plugin: what stock and
//! ours must do alike.

use lab::account::Account;
use lab::consumer::{Consumer, Origin};
use lab::cyrus::{Cyrus, Service};
use lab::imap::{self, Method};
use lab::library::Library;
use lab::placed::{Placed, SHARED_SECRET, Way};
use lab::scratch::Scratch;
use lab::{imtest, sasldb};
use std::time::Duration;

const IMAPD: Consumer = Consumer {
    program: "Cyrus imapd",
    package: "cyrus-imapd",
    side: "server",
    mechanisms: "LOGIN command, PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256 DIGEST-MD5 (layers 0, 1, 56, 128)",
    origin: Origin::Installed("/usr/lib/cyrus/bin/imapd"),
};

fn logs_in(which: Library, way: Way, service: Service) {
    let scratch = Scratch::new().unwrap();
    let placed = Placed::new(which, &scratch).unwrap();
    placed.add_plugin(sasldb::PLUGIN).unwrap();
    placed.add_shared_secret().unwrap();
    let owner = Account::named("cyrus").unwrap();
    let users = [("jdoe", "dogood")];
    let file = sasldb::create(&scratch, "imap.example.com", &users, owner).unwrap();
    let lines = format!(
        "sasl_pwcheck_method: auxprop\nsasl_auxprop_plugin: sasldb\nsasl_sasldb_path: {}\n\
         sasl_mech_list: PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-256\n",
        file.display()
    );
    let cyrus = Cyrus::start(&scratch, &placed, way, service, &lines).unwrap();
    let address = cyrus.address();
    for method in Method::ALL {
        let right = imap::try_login(address, method, "jdoe", "dogood").unwrap();
        assert!(
            right.ok,
            "{method:?}: {right:?}\n{:#?}",
            cyrus.syslog().lines()
        );
        let wrong = imap::try_login(address, method, "jdoe", "canary-77").unwrap();
        assert!(!wrong.ok, "{method:?}: {wrong:?}");
    }
    for mechanism in ["login", "PLAIN"].iter().chain(&SHARED_SECRET) {
        let right = imtest::run(address, mechanism, "jdoe", "dogood", &[]).unwrap();
        assert!(
            right.authenticated,
            "{}\n{:#?}",
            right.said,
            cyrus.syslog().lines()
        );
        let wrong = imtest::run(address, mechanism, "jdoe", "canary-77", &[]).unwrap();
        assert!(!wrong.authenticated, "{}", wrong.said);
    }
    for strength in [0, 1, 56, 128] {
        let options = ["-m", "DIGEST-MD5", "-l", &strength.to_string()];
        let layered = imtest::run_with(address, &options, "jdoe", "dogood", &[]).unwrap();
        assert!(layered.authenticated, "{}", layered.said);
        assert_eq!(layered.layer(), Some(strength), "{}", layered.said);
        // What follows goes through the layer.
        assert!(layered.said.contains("OK Completed"), "{}", layered.said);
    }
    let limit = Duration::from_secs(5);
    cyrus.syslog().wait_for(0, "badlogin: ", limit).unwrap();
    assert!(!cyrus.syslog().lines().join("\n").contains("canary-77"));
}

#[test]
fn stock_preloaded() {
    logs_in(Library::Stock, Way::Preload, Service::Fresh);
}

#[test]
fn stock_by_library_path_in_one_process() {
    IMAPD
        .prove(Library::Stock, |_| {
            logs_in(Library::Stock, Way::LibraryPath, Service::Pool(1))
        })
        .unwrap();
}

#[test]
fn ours_preloaded_in_one_process() {
    logs_in(Library::Ours, Way::Preload, Service::Pool(1));
}

#[test]
fn ours_by_library_path() {
    IMAPD
        .prove(Library::Ours, |_| {
            logs_in(Library::Ours, Way::LibraryPath, Service::Fresh)
        })
        .unwrap();
}
