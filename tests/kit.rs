// SPDX-License-Identifier: MIT OR Apache-2.0
//! The plugin author's kit: the example of `examples/auxprop`, built as a
//! stranger would build it, in stock libsasl2 and in ours.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

use lab::library::Library;
use lab::placed::{Placed, Way};
use lab::process;
use lab::program::{Headers, Program};
use lab::scratch::{self, Scratch};
use lab::stage::{self, sources};
use std::process::Command;

/// `PLAIN` as bob with `password`; what was printed, and the log.
fn login(library: Library, users: Option<&str>, name: &str, password: &str) -> (String, String) {
    let (scratch, placed) = place(library);
    let environment = placed.environment(Way::LibraryPath);
    login_in(&scratch, &environment, users, name, password)
}

/// The library with the example beside it.
fn place(library: Library) -> (Scratch, Placed) {
    let scratch = Scratch::new().unwrap();
    let placed = Placed::new(library, &scratch).unwrap();
    let plugin = stage::target().join("release/libwords.so");
    scratch::copy(&plugin, &placed.plugins().join("libwords.so")).unwrap();
    (scratch, placed)
}

fn login_in(
    scratch: &Scratch,
    environment: &[String],
    users: Option<&str>,
    name: &str,
    password: &str,
) -> (String, String) {
    let file = scratch.join("words");
    if let Some(users) = users {
        std::fs::write(&file, users).unwrap();
    }
    let source = sources().join("tests/c/plugins/exchange.c");
    let program = Program::compile(&source, Headers::Stock).unwrap_or_else(|e| panic!("{e}"));
    let options = format!("auxprop_plugin=words\nwords_file={}", file.display());
    let mut command = Command::new("timeout");
    command.args(["-s", "KILL", "60", "env"]);
    command.args(environment);
    command
        .arg(format!("OPTIONS={options}"))
        .arg(program.path());
    command.args(["PLAIN", name, password, "libwords.so"]);
    let output = process::run(&mut command).unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let log = text(&output.stderr);
    assert!(!log.contains("canary"), "{log}");
    (text(&output.stdout), log)
}

const USERS: &str = "alice@lab.test:userPassword:wonder\nbob@lab.test:mail:bob@example.com\nbob@lab.test:userPassword:se:cret\n";

#[test]
fn the_example_serves_both_libraries() {
    for library in [Library::Stock, Library::Ours] {
        let (said, log) = login(library, Some(USERS), "bob", "se:cret");
        assert_eq!(
            said, "ok bob@lab.test ssf 0\nmapped libwords.so\n",
            "{library} {log}"
        );
        let (said, log) = login(library, Some(USERS), "bob", "canary-5");
        assert!(said.starts_with("no -13 "), "{library} {said} {log}");
        let (said, log) = login(library, Some(USERS), "carol", "se:cret");
        assert!(said.starts_with("no -20 "), "{library} {said} {log}");
    }
}

/// Debian's `oxisasl-libsasl2-2` is a link to the library: the plugins beside
/// the file itself are found, without any `SASL_PATH`.
#[test]
fn a_link_to_the_library_leads_to_its_plugins() {
    let (scratch, _placed) = place(Library::Ours);
    let public = scratch.folder("public").unwrap();
    std::os::unix::fs::symlink("../lib/libsasl2.so.2", public.join("libsasl2.so.2")).unwrap();
    let environment = [format!("LD_LIBRARY_PATH={}", public.display())];
    let (said, log) = login_in(&scratch, &environment, Some(USERS), "bob", "se:cret");
    assert_eq!(said, "ok bob@lab.test ssf 0\nmapped libwords.so\n", "{log}");
}

#[test]
fn its_mistakes_are_told() {
    for library in [Library::Stock, Library::Ours] {
        let (said, log) = login(library, None, "bob", "se:cret");
        assert!(said.starts_with("no "), "{library} {said}");
        assert!(
            log.contains("words: ") && log.contains("No such file"),
            "{library} {log}"
        );
    }
}

/// The promise of docs/plugins.md: about 30 lines, and none of them unsafe.
#[test]
fn it_is_short_and_safe() {
    let text = std::fs::read_to_string(sources().join("examples/auxprop/src/lib.rs")).unwrap();
    let code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    let lines = text.lines().filter(code).count();
    println!("the example has {lines} lines of code");
    assert!(
        lines <= 60 && !text.contains(concat!("un", "safe")),
        "{lines}"
    );
}
