// SPDX-License-Identifier: MIT OR Apache-2.0
//! The programs of `tests/c` under valgrind on our library: no error and no
//! leak. `tests/valgrind.supp` may excuse only what is not ours.

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
use lab::program::{Headers, Program};
use lab::stage::sources;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(300);

fn programs(folder: &str) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(sources().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "c"))
        .collect();
    found.sort();
    found
}

/// Every section of a program is a child of its own, and each child's report
/// goes to the same place: standard error.
fn complaint(program: &Program, library: Library) -> Option<String> {
    let suppressions = format!(
        "--suppressions={}",
        sources().join("tests/valgrind.supp").display()
    );
    let tool = [
        "valgrind",
        "--quiet",
        "--leak-check=full",
        "--show-leak-kinds=definite",
        "--errors-for-leak-kinds=definite",
        "--error-exitcode=99",
        &suppressions,
    ];
    let outcome = program
        .run_under(&tool, library, LIMIT)
        .unwrap_or_else(|error| panic!("{error}"));
    let clean = outcome.stderr.is_empty() && outcome.status.success();
    let name = program.name();
    (!clean).then(|| format!("{name}: {}\n{}", outcome.status, outcome.stderr))
}

fn compile(source: &std::path::Path) -> Program {
    Program::compile(source, Headers::Ours).unwrap_or_else(|error| panic!("{error}"))
}

fn clean(folder: &str) {
    let complaints: Vec<_> = programs(folder)
        .iter()
        .filter_map(|source| complaint(&compile(source), Library::Ours))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn ours_makes_no_error_and_leaks_nothing() {
    clean("tests/c");
}

#[test]
fn nor_where_stock_does_not_survive() {
    clean("tests/c/ours");
}

/// The same run on stock finds the leak that stock has in `sasl_config_init`,
/// so a silent valgrind means something.
#[test]
fn a_leak_would_be_found() {
    let program = compile(&sources().join("tests/c/config.c"));
    let text = complaint(&program, Library::Stock).expect("stock leaks a configuration");
    assert!(text.contains("definitely lost"), "{text}");
}

#[test]
fn nothing_of_ours_is_excused() {
    let text = fs::read_to_string(sources().join("tests/valgrind.supp")).unwrap();
    let rules = text.lines().filter(|line| !line.starts_with('#'));
    for line in rules {
        assert!(!line.contains("sasl"), "{line}");
    }
}
