// SPDX-License-Identifier: MIT OR Apache-2.0
//! OpenLDAP: slapd adds an auxprop plugin of its own before it initialises the
//! library; ldapwhoami negotiates security layers and shows who it is on the
//! local socket. Each side on stock and ours. A directory that copies another
//! is a client of it.

use lab::consumer::{Consumer, Origin};
use lab::library::Library;
use lab::placed::{Placed, SHARED_SECRET, Way};
use lab::scratch::Scratch;
use lab::slapd::{Kind, Person, Slapd};
use lab::story::{SERVICE_PASSWORD, USER};
use lab::{maps, process};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

const WRONG: &str = "canary-55";
/// A name and a password that are no ASCII.
const FOREIGN: (&str, &str) = ("moller@example.com", "p\u{e4}ssw\u{f6}rt \u{1f511}");
const LIMIT: Duration = Duration::from_secs(40);

const SERVER: Consumer = Consumer {
    program: "slapd",
    package: "slapd",
    side: "server",
    mechanisms: "EXTERNAL PLAIN CRAM-MD5 SCRAM-SHA-256 DIGEST-MD5 (layers 0, 1, 128)",
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
        let more = [Person {
            name: "moller".to_owned(),
            mail: FOREIGN.0.to_owned(),
            password: FOREIGN.1.to_owned(),
        }];
        let slapd =
            Slapd::start_with(&scratches[0], &environment, kind, SERVICE_PASSWORD, &more).unwrap();
        maps::require_only(slapd.id(), here.library()).unwrap();
        let there = placed(client, &scratches[1]);
        let pair = Self {
            slapd,
            client: there.environment(Way::LibraryPath),
            _scratches: scratches,
        };
        let loaded = pair.run("LD_TRACE_LOADED_OBJECTS=1", &[]);
        let loaded = String::from_utf8_lossy(&loaded.stdout);
        let library = there.library().display().to_string();
        assert!(loaded.contains(&library), "{loaded}");
        pair
    }

    /// ldapwhoami with a `NAME=value` and these words.
    fn run(&self, more: &str, words: &[&str]) -> Output {
        let mut command = Command::new("timeout");
        command.args(["60", "env"]).args(&self.client).arg(more);
        command.args(["ldapwhoami", "-Q"]).args(words);
        command.output().unwrap()
    }

    fn who_am_i(&self, mechanism: &str, layer: &str, (user, password): (&str, &str)) -> Output {
        let uri = format!("ldap://{}", self.slapd.address());
        let who = ["-U", user, "-w", password];
        self.run(
            "LANG=C",
            &[&["-H", &uri, "-Y", mechanism, "-O", layer], &who[..]].concat(),
        )
    }

    fn accepts(&self, mechanism: &str, layer: &str) {
        let right = self.who_am_i(mechanism, layer, USER);
        let said = String::from_utf8_lossy(&right.stdout);
        let entry = "dn:cn=johndoe,ou=superheros,dc=users,dc=local";
        let log = self.slapd.log();
        assert_eq!(said.trim(), entry, "{mechanism} {layer}: {right:?}\n{log}");
        let wrong = self.who_am_i(mechanism, layer, (USER.0, WRONG));
        // 49, invalid credentials.
        assert_eq!(wrong.status.code(), Some(49), "{mechanism}: {wrong:?}");
    }

    /// EXTERNAL is who the kernel says, on the local socket only.
    fn knows_the_peer(&self) {
        let local = self.run("LANG=C", &["-H", &self.slapd.local_uri(), "-Y", "EXTERNAL"]);
        let said = String::from_utf8_lossy(&local.stdout);
        let peer = ",cn=peercred,cn=external,cn=auth";
        assert!(said.trim().ends_with(peer), "{local:?}");
        let uri = format!("ldap://{}", self.slapd.address());
        let remote = self.run("LANG=C", &["-H", &uri, "-Y", "EXTERNAL"]);
        assert!(!remote.status.success(), "{remote:?}");
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
    for mechanism in ["PLAIN", "CRAM-MD5"] {
        let right = pair.who_am_i(mechanism, "none", FOREIGN);
        let said = String::from_utf8_lossy(&right.stdout);
        assert!(said.starts_with("dn:cn=moller,"), "{mechanism} {right:?}");
    }
    pair.knows_the_peer();
    // The client asks for a layer that the mechanism has not.
    let weak = pair.who_am_i("CRAM-MD5", "minssf=56", USER);
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

#[test]
fn ours_on_both_sides() {
    binds(Library::Ours, Library::Ours);
}

on_both!(replica, REPLICA, |which, _| replicates(which));
