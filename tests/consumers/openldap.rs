// SPDX-License-Identifier: MIT OR Apache-2.0
//! OpenLDAP: slapd adds an auxprop plugin of its own before it initialises the
//! library; ldapwhoami negotiates security layers. Each side on stock and ours.
//! A directory that copies another is a client of it.

use lab::consumer::{Consumer, Origin};
use lab::library::Library;
use lab::placed::{Placed, SHARED_SECRET, Way};
use lab::scratch::Scratch;
use lab::slapd::{Kind, Slapd};
use lab::story::{SERVICE_PASSWORD, USER};
use lab::{maps, process};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

const WRONG: &str = "canary-55";
const LIMIT: Duration = Duration::from_secs(40);

const SERVER: Consumer = Consumer {
    program: "slapd",
    package: "slapd",
    side: "server",
    mechanisms: "PLAIN CRAM-MD5 SCRAM-SHA-256 DIGEST-MD5 (layers 0, 1, 128)",
    origin: Origin::Installed("/usr/sbin/slapd"),
};

const CLIENT: Consumer = Consumer {
    program: "ldapwhoami (libldap)",
    package: "ldap-utils",
    side: "client",
    ..SERVER
};

const REPLICA: Consumer = Consumer {
    program: "slapd (syncrepl)",
    side: "client",
    mechanisms: "PLAIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-256",
    ..SERVER
};

struct Pair {
    slapd: Slapd,
    client: [String; 2],
    _scratches: [Scratch; 2],
}

impl Pair {
    fn new(server: Library, client: Library) -> Self {
        let scratches = [Scratch::new().unwrap(), Scratch::new().unwrap()];
        let placed = |which, scratch| {
            let placed = Placed::new(which, scratch).unwrap();
            placed.add_shared_secret().unwrap();
            placed
        };
        let here = placed(server, &scratches[0]);
        let environment = here.environment(Way::LibraryPath);
        let kind = Kind::Proxying;
        let slapd =
            Slapd::start_with(&scratches[0], &environment, kind, SERVICE_PASSWORD, &[]).unwrap();
        maps::require_only(slapd.id(), here.library()).unwrap();
        let there = placed(client, &scratches[1]);
        Self {
            slapd,
            client: there.environment(Way::LibraryPath),
            _scratches: scratches,
        }
    }

    fn who_am_i(&self, mechanism: &str, layer: &str, password: &str) -> Output {
        let mut command = Command::new("timeout");
        command.args(["20", "env"]).args(&self.client);
        command.arg("ldapwhoami").arg("-Q");
        command.args(["-H", &format!("ldap://{}", self.slapd.address())]);
        command.args(["-Y", mechanism, "-O", layer, "-U", USER.0, "-w", password]);
        command.output().unwrap()
    }

    fn accepts(&self, mechanism: &str, layer: &str) {
        let right = self.who_am_i(mechanism, layer, USER.1);
        let said = String::from_utf8_lossy(&right.stdout);
        let entry = "dn:cn=johndoe,ou=superheros,dc=users,dc=local";
        let log = self.slapd.log();
        assert_eq!(said.trim(), entry, "{mechanism} {layer}: {right:?}\n{log}");
        let wrong = self.who_am_i(mechanism, layer, WRONG);
        // 49, invalid credentials.
        assert_eq!(wrong.status.code(), Some(49), "{mechanism}: {wrong:?}");
    }
}

fn binds(server: Library, client: Library) {
    let pair = Pair::new(server, client);
    for mechanism in ["PLAIN"].iter().chain(&SHARED_SECRET) {
        pair.accepts(mechanism, "none");
    }
    for layer in ["maxssf=0", "minssf=1,maxssf=1", "minssf=128,maxssf=128"] {
        pair.accepts("DIGEST-MD5", layer);
    }
    // The client asks for a layer that the mechanism has not.
    let weak = pair.who_am_i("CRAM-MD5", "minssf=56", USER.1);
    assert!(!weak.status.success(), "{weak:?}");
    assert!(!pair.slapd.log().contains(WRONG));
}

/// Whether a directory has the user's entry.
fn has_entry(slapd: &Slapd) -> bool {
    let mut command = Command::new("timeout");
    command.args(["20", "ldapsearch", "-x", "-LLL", "-s", "base", "-b"]);
    command.arg("cn=johndoe,ou=superheros,dc=users,dc=local");
    let uri = format!("ldap://{}", slapd.address());
    let output = command.args(["-H", &uri, "mail"]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).contains(&format!("mail: {}", USER.0))
}

fn replicates(which: Library) {
    let scratch = Scratch::new().unwrap();
    let stock = Placed::new(Library::Stock, &scratch).unwrap();
    stock.add_shared_secret().unwrap();
    let environment = stock.environment(Way::LibraryPath);
    let kind = Kind::Proxying;
    let provider = Slapd::start_with(&scratch, &environment, kind, SERVICE_PASSWORD, &[]).unwrap();
    let copy = |mechanism: &str, password: &str| {
        let scratch = Scratch::new().unwrap();
        let placed = Placed::new(which, &scratch).unwrap();
        placed.add_shared_secret().unwrap();
        let words = placed.environment(Way::LibraryPath);
        let address = provider.address();
        let slapd = Slapd::replicate(&scratch, &words, address, mechanism, password).unwrap();
        maps::require_only(slapd.id(), placed.library()).unwrap();
        (slapd, scratch)
    };
    for mechanism in ["PLAIN"].iter().chain(&SHARED_SECRET) {
        let (slapd, _scratch) = copy(mechanism, SERVICE_PASSWORD);
        process::wait_until(LIMIT, "the copy", || Ok(has_entry(&slapd)))
            .map_err(|error| format!("{error} {} {}", slapd.log(), provider.log()))
            .unwrap();
        let told = format!("mech={mechanism} ");
        assert!(provider.log().contains(&told), "{}", provider.log());
        let (slapd, _scratch) = copy(mechanism, WRONG);
        process::wait_until(LIMIT, "the refusal", || Ok(slapd.log().contains("(49)")))
            .map_err(|error| format!("{error} {}", slapd.log()))
            .unwrap();
        assert!(!has_entry(&slapd));
        assert!(!slapd.log().contains(WRONG));
    }
}

#[test]
fn stock() {
    let test = |_: &Path| binds(Library::Stock, Library::Stock);
    let both = |_: &Path| CLIENT.prove(Library::Stock, test).unwrap();
    SERVER.prove(Library::Stock, both).unwrap();
}

#[test]
fn our_server() {
    let test = |_: &Path| binds(Library::Ours, Library::Stock);
    SERVER.prove(Library::Ours, test).unwrap();
}

#[test]
fn our_client() {
    let test = |_: &Path| binds(Library::Stock, Library::Ours);
    CLIENT.prove(Library::Ours, test).unwrap();
}

on_both!(replica, REPLICA, |which, _| replicates(which));
