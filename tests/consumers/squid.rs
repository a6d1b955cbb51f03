// SPDX-License-Identifier: MIT OR Apache-2.0
//! Squid's helper for Basic authentication: a line a login, through
//! `sasl_checkpass`, without a server's name or callbacks. Unpacked: it is large.

use crate::site::{PASSWORD, REALM, Ran, Site, USER, WRONG};
use lab::consumer::{Consumer, Origin};
use lab::library::Library;
use lab::private;
use std::path::Path;
use std::process::Command;

const SQUID: Consumer = Consumer {
    program: "Squid basic_sasl_auth",
    package: "squid",
    side: "server",
    mechanisms: "passwords (sasl_checkpass)",
    origin: Origin::Unpacked(&["squid"]),
};

fn answers(which: Library, root: &Path) {
    let site = Site::new(which);
    let options = site.options("PLAIN");
    site.scratch.file("basic_sasl_auth.conf", &options).unwrap();
    let lines = format!(
        "{USER} {PASSWORD}\n{USER} {WRONG}\nnobody {PASSWORD}\n{USER}\n\
         {USER}@{REALM} {PASSWORD}\n{USER}@elsewhere {PASSWORD}\n"
    );
    let input = site.scratch.file("logins", &lines).unwrap();
    let mut command = Command::new("timeout");
    command.arg("60").args(private::named(REALM));
    command.args(site.noted_environment(root));
    command.arg(root.join("usr/lib/squid/basic_sasl_auth"));
    command.stdin(std::fs::File::open(input).unwrap());
    let ran = Ran::from(command.output().unwrap());
    let proof = site.loaded.require_only(site.placed.library());
    assert!(proof.is_ok(), "{proof:?} {ran:?}");
    let words = ran.said.lines().filter_map(|line| line.split(' ').next());
    let answers: Vec<_> = words.filter(|word| ["OK", "ERR"].contains(word)).collect();
    assert_eq!(answers, ["OK", "ERR", "ERR", "ERR", "OK", "ERR"], "{ran:?}");
    assert!(!ran.said.contains(WRONG));
}

on_both!(server, SQUID, answers);
