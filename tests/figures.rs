// SPDX-License-Identifier: MIT OR Apache-2.0
//! The figures that the library promises, each printed and held to
//! (`tests/c/figures/figures.c` on our library).

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
use lab::process;
use lab::program::{Headers, Program};
use lab::stage::sources;
use std::process::Command;
use std::sync::OnceLock;

fn program() -> &'static Program {
    static PROGRAM: OnceLock<Program> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let source = sources().join("tests/c/figures/figures.c");
        Program::compile(&source, Headers::Ours).unwrap_or_else(|error| panic!("{error}"))
    })
}

#[allow(clippy::print_stdout, reason = "a figure is there to be read")]
fn figure(words: &[&str]) -> String {
    let mut command = Command::new("timeout");
    command.args(["-s", "KILL", "500"]).arg(program().path());
    command.args(words).env("SASL_PATH", "/nonexistent");
    // Blocks that the allocator keeps for later would count as in use.
    command.env(
        "GLIBC_TUNABLES",
        "glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0",
    );
    Library::Ours.select(&mut command).unwrap();
    let output = process::run(&mut command).unwrap_or_else(|error| panic!("{error}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{}: {said}", words.join(" "));
    said
}

/// Heap in use and open files after 10^5 pairs of connections, against before.
/// What a process keeps for all of them may still grow to its size (8 KiB).
#[test]
fn a_hundred_thousand_connections_leave_nothing() {
    let said = figure(&["leaks", "100000"]);
    let bytes: i64 = said.split(' ').next().unwrap().parse().unwrap();
    assert!(bytes <= 8192, "{said}");
    let layers: u32 = said.split(' ').nth(2).unwrap().parse().unwrap();
    assert!(layers >= 10_000, "{said}");
    assert!(said.ends_with(" 0 descriptors\n"), "{said}");
}

#[test]
fn no_nonce_comes_twice() {
    assert_eq!(
        figure(&["nonces", "1000000"]),
        "1000000 nonces, 0 duplicates\n"
    );
}

/// After each exchange of each mechanism, right and wrong.
#[test]
fn no_copy_of_a_password_stays_in_memory() {
    let said = figure(&["secrets"]);
    assert!(said.contains("\n0 copies, 0 after done\n"), "{said}");
    assert!(said.ends_with("1 when there is one\n"), "{said}");
    assert_eq!(said.lines().count(), 12, "{said}");
}
