// SPDX-License-Identifier: MIT OR Apache-2.0
//! OpenLDAP: slapd adds an auxprop plugin of its own before it initialises the
//! library; ldapwhoami negotiates security layers and shows who it is on the
//! local socket. Each side on stock and ours.

use lab::library::Library;
use lab::maps;
use lab::placed::{Placed, SHARED_SECRET, Way};
use lab::scratch::Scratch;
use lab::slapd::{Kind, Person, Slapd};
use lab::story::{SERVICE_PASSWORD, USER};
use std::process::{Command, Output};

const WRONG: &str = "canary-55";
/// A name and a password that are no ASCII.
const FOREIGN: (&str, &str) = ("moller@example.com", "p\u{e4}ssw\u{f6}rt \u{1f511}");

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

#[test]
fn stock() {
    binds(Library::Stock, Library::Stock);
}

#[test]
fn our_server() {
    binds(Library::Ours, Library::Stock);
}

#[test]
fn our_client() {
    binds(Library::Stock, Library::Ours);
}

#[test]
fn ours_on_both_sides() {
    binds(Library::Ours, Library::Ours);
}
