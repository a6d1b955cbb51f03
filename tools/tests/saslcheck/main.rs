// SPDX-License-Identifier: MIT OR Apache-2.0
//! `saslcheck` against scratch servers: a good configuration is walked to its
//! end, and each mistake ends the way at its phase, with its reason.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod examples;
mod mistakes;
mod stores;
mod walk;

use lab::library::Library;
use lab::placed::{Placed, Way};
use lab::scratch::Scratch;
use lab::slapd::{Kind, Slapd};
use serde_json::Value;
use std::io::Write;
use std::process::{Command, Stdio};

/// The service account's password: no output may show it.
const CANARY: &str = "Kanarienvogel-7";
const USER: &str = "jdoe@example.com";
const PASSWORD: &str = "dogood";

/// A library, its plugins, and a folder for files.
struct World {
    scratch: Scratch,
    placed: Placed,
}

/// What the program said.
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Said {
    /// Exits with `code`, and has all `words`.
    fn ends(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        for word in words {
            assert!(self.out.contains(word), "no {word:?} in\n{}", self.out);
        }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}\n{}", self.out))
    }
}

impl World {
    fn new() -> Self {
        let scratch = Scratch::new().unwrap();
        let placed = Placed::new(Library::Ours, &scratch).unwrap();
        Self { scratch, placed }
    }

    /// Runs the program; `input` is its standard input.
    fn run(&self, words: &[&str], input: &str) -> Said {
        let mut child = Command::new("timeout")
            .args(["60", "env", "-u", "NO_COLOR"])
            .args(self.placed.environment(Way::LibraryPath))
            .arg(env!("CARGO_BIN_EXE_saslcheck"))
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that does not read is no mistake.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let said = Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        for secret in [CANARY, PASSWORD, "wrong-one"] {
            let shown = said.out.contains(secret) || said.err.contains(secret);
            assert!(!shown, "{secret} is shown:\n{}{}", said.out, said.err);
        }
        // It ran on this project's library, and colours are for terminals.
        assert!(!said.out.contains('\x1b'), "{}", said.out);
        if said.out.contains("Library and plugins") {
            let library = self.placed.library().display().to_string();
            assert!(said.out.contains(&library), "{library}\n{}", said.out);
        }
        said
    }

    /// Checks a configuration of these lines with a user's password.
    fn check(&self, lines: &[(&str, &str)], user: &str, password: &str) -> Said {
        let file = self.file("smtpd.conf", "", lines);
        self.run(&["-c", &file, "-u", user, "-W"], password)
    }

    fn file(&self, name: &str, prefix: &str, lines: &[(&str, &str)]) -> String {
        let text: String = lines
            .iter()
            .map(|(name, value)| format!("{prefix}{name}: {value}\n"))
            .collect();
        let file = self.scratch.file(name, &text).unwrap();
        lab::scratch::set_mode(&file, 0o640).unwrap();
        file.display().to_string()
    }
}

/// A directory of the story, and the eight lines for it.
struct Story {
    world: World,
    slapd: Slapd,
}

impl Story {
    fn new() -> Self {
        let world = World::new();
        let slapd = Slapd::start(&world.scratch, Kind::SimpleOnly, CANARY, &[]).unwrap();
        Self { world, slapd }
    }

    fn uri(&self) -> String {
        format!("ldap://{}/{}", self.slapd.address(), lab::slapd::BASE)
    }

    /// The lines, with some changed (an empty value: left out) or added.
    fn check(&self, changes: &[(&str, &str)]) -> Said {
        self.check_as(changes, USER, PASSWORD)
    }

    fn check_as(&self, changes: &[(&str, &str)], user: &str, password: &str) -> Said {
        let uri = self.uri();
        let mut lines = eight(&uri);
        for (name, value) in changes {
            lines.retain(|(known, _)| known != name);
            if !value.is_empty() {
                lines.push((name, value));
            }
        }
        self.world.check(&lines, user, password)
    }
}

fn eight(uri: &str) -> Vec<(&str, &str)> {
    vec![
        ("pwcheck_method", "auxprop"),
        ("auxprop_plugin", "ldapdb"),
        ("mech_list", "PLAIN LOGIN"),
        ("ldapdb_uri", uri),
        ("ldapdb_bind_dn", lab::slapd::SERVICE),
        ("ldapdb_bind_pw", CANARY),
        ("ldapdb_filter", "(mail=%u)"),
        ("ldapdb_canon_attr", "mail"),
    ]
}
