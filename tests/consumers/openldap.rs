// SPDX-License-Identifier: MIT OR Apache-2.0
//! OpenLDAP: slapd adds an auxprop plugin of its own before it initialises the
//! library; ldapwhoami negotiates security layers. Each side on stock and ours.

use lab::library::Library;
use lab::maps;
use lab::placed::{Placed, SHARED_SECRET, Way};
use lab::scratch::Scratch;
use lab::slapd::{Kind, Slapd};
use lab::story::{SERVICE_PASSWORD, USER};
use std::process::{Command, Output};

const WRONG: &str = "canary-55";

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
