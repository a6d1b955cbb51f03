// SPDX-License-Identifier: MIT OR Apache-2.0
//! Distinct connections in distinct threads, inits and dones at the same time,
//! forks in the middle, data both ways at once: `tests/c/threads` on our library.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a test fails by panicking, and prints its number"
)]

use lab::library::Library;
use lab::program::{Headers, Outcome, Program};
use lab::stage::sources;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The program that knows these words.
fn program(words: &[&str]) -> &'static Program {
    static PROGRAMS: [OnceLock<Program>; 2] = [const { OnceLock::new() }; 2];
    let both = words.first() == Some(&"both");
    let name = if both { "duplex" } else { "logins" };
    PROGRAMS[usize::from(both)].get_or_init(|| {
        let source = sources().join(format!("tests/c/threads/{name}.c"));
        Program::compile(&source, Headers::Ours).unwrap_or_else(|error| panic!("{error}"))
    })
}

/// What the program says when it succeeds, within `seconds`.
fn run(tool: &[&str], words: &[&str], seconds: u32) -> String {
    let mut command = Command::new("timeout");
    command.args(["-s", "KILL", &seconds.to_string()]);
    command.args(tool).arg(program(words).path()).args(words);
    command
        .env("SASL_PATH", "/nonexistent")
        .stdin(Stdio::null());
    Library::Ours.select(&mut command).unwrap();
    let output = command.output().unwrap();
    let outcome = Outcome {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        status: output.status,
    };
    let outcome = outcome.success().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(outcome.stderr, "");
    outcome.stdout
}

const VALGRIND: [&str; 4] = [
    "valgrind",
    "--quiet",
    "--error-exitcode=99",
    "--fair-sched=yes",
];

#[test]
fn eight_threads_log_in_ten_thousand_times_each() {
    let said = run(&[], &["login", "8", "10000"], 300);
    eprintln!("8 threads: {said}");
    assert_eq!(said, "72000 logins, 8000 refused\n");
}

#[test]
fn a_programs_own_mutexes_change_nothing() {
    let said = run(&[], &["login", "8", "1000", "mutex"], 300);
    assert_eq!(said, "7200 logins, 800 refused\n");
}

#[test]
fn a_thousand_lives_in_each_of_four_threads() {
    let said = run(&[], &["life", "4", "1000"], 300);
    eprintln!("4 threads: {said}");
    assert_eq!(said, "4000 lives\n");
}

/// One thread encodes while another decodes, on both sides of a connection.
#[test]
fn a_connection_carries_data_both_ways_at_once() {
    assert_eq!(run(&[], &["both", "4", "10000"], 300), "20000 packets\n");
    let said = run(&VALGRIND, &["both", "4", "200"], 300);
    assert_eq!(said, "400 packets\n");
}

/// Memory that one thread frees while another uses it would be found.
#[test]
fn valgrind_has_nothing_to_say() {
    let said = run(&VALGRIND, &["login", "8", "100"], 300);
    assert_eq!(said, "720 logins, 80 refused\n");
    assert_eq!(run(&VALGRIND, &["life", "4", "25"], 300), "100 lives\n");
}

#[test]
fn parent_and_child_both_go_on() {
    assert_eq!(run(&[], &["fork"], 60), "3 forks\n");
    assert_eq!(run(&VALGRIND, &["fork"], 120), "3 forks\n");
}
