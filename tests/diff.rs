// SPDX-License-Identifier: MIT OR Apache-2.0
//! Each program of `tests/c` on Debian's library and on ours: the same lines,
//! or a difference that docs/behaviour.md lists with its reason. Programs of
//! `tests/c/ours` do what stock does not survive; they have their expected
//! lines beside them.
//!
//! `RECORD=1` rewrites `tests/c/stock` from what stock prints, and `tests/c/whole`
//! from what ours prints in the sections that the table lists as a whole;
//! `ONLY=plain` looks at one program.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test fails by panicking, and prints its number"
)]

#[path = "diff/lines.rs"]
mod lines;
#[path = "diff/repeats.rs"]
mod repeats;
#[path = "diff/table.rs"]
mod table;

use lab::library::Library;
use lab::program::{Headers, Program};
use lab::stage::sources;
use lab::symbols;
use lines::Change;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};
use table::Table;

const LIMIT: Duration = Duration::from_secs(60);
const ONLY: &str = "ONLY";

fn programs(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "c"))
        .collect();
    assert!(!found.is_empty(), "no program in {}", folder.display());
    if let Some(only) = std::env::var_os(ONLY) {
        found.retain(|path| path.file_stem() == Some(&only));
    }
    found.sort();
    found
}

fn folder() -> PathBuf {
    sources().join("tests/c")
}

/// The value, or a failed test that shows the whole text of the error.
fn must<T>(result: io::Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

fn compile(source: &Path) -> Program {
    must(Program::compile(source, Headers::Ours))
}

fn output(program: &Program, library: Library) -> String {
    let outcome = must(program.run(library, LIMIT));
    assert_eq!(outcome.stderr, "", "{} on {library}", program.name());
    must(outcome.success()).stdout
}

fn recorded(program: &Program) -> PathBuf {
    folder().join(format!("stock/{}.txt", program.name()))
}

/// A change as a line to read.
fn readable(change: &Change) -> String {
    let (sign, line) = match change {
        Change::Missing { line, .. } => ('-', line),
        Change::Added { line, .. } => ('+', line),
    };
    format!("{sign} {}: {line}\n", change.section())
}

/// The lines that differ; empty when there are none.
fn report(expected: &str, found: &str) -> String {
    lines::changes(expected, found)
        .iter()
        .map(readable)
        .collect()
}

#[test]
fn stock_prints_what_is_recorded_and_does_so_twice() {
    for source in programs(&folder()) {
        let program = compile(&source);
        let first = output(&program, Library::Stock);
        if std::env::var_os("RECORD").is_some() {
            fs::write(recorded(&program), &first).unwrap();
        }
        let text = fs::read_to_string(recorded(&program)).unwrap();
        let changed = report(&text, &first);
        assert!(changed.is_empty(), "{} changed:\n{changed}", program.name());
        assert_eq!(
            first,
            output(&program, Library::Stock),
            "{}",
            program.name()
        );
        assert!(!first.contains("died of signal"), "{}", program.name());
    }
}

/// What differs from stock and is not listed; of sections that are listed as a
/// whole, what differs from the record, and which do not differ from stock.
fn unlisted(program: &Program, table: &mut Table) -> String {
    let name = program.name();
    let stock = fs::read_to_string(recorded(program)).unwrap();
    let ours = output(program, Library::Ours);
    let whole = lines::some(&ours, |section| table.whole(name, section));
    let file = folder().join(format!("whole/{name}.txt"));
    if std::env::var_os("RECORD").is_some() && !whole.is_empty() {
        fs::write(&file, &whole).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    let mut found = report(&expected, &whole);
    let mut needless: BTreeSet<_> = whole.lines().filter_map(lines::header).collect();
    let (stock, ours) = (repeats::taken_out(&stock), repeats::taken_out(&ours));
    for change in lines::changes(&stock, &ours) {
        needless.remove(change.section());
        if !table.whole(name, change.section()) && !table.allows(name, &change) {
            found.push_str(&readable(&change));
        }
    }
    for section in needless {
        writeln!(found, "{section} is as on stock").unwrap();
    }
    found
}

#[test]
fn ours_differs_from_stock_only_as_listed() {
    let text = fs::read_to_string(sources().join("docs/behaviour.md")).unwrap();
    let mut table = Table::read(&text).unwrap();
    let mut unlisted_lines = String::new();
    for source in programs(&folder()) {
        let program = compile(&source);
        for line in unlisted(&program, &mut table).lines() {
            writeln!(unlisted_lines, "{} {line}", program.name()).unwrap();
        }
    }
    let unused = match std::env::var_os(ONLY) {
        Some(_) => String::new(),
        None => table.unused(),
    };
    assert!(
        unlisted_lines.is_empty() && unused.is_empty(),
        "differences that docs/behaviour.md does not list:\n{unlisted_lines}\n\
         rows of docs/behaviour.md that nothing needs:\n{unused}"
    );
}

#[test]
fn ours_survives_what_stock_does_not() {
    for source in programs(&folder().join("ours")) {
        let program = compile(&source);
        let said = output(&program, Library::Ours);
        let file = source.with_extension("txt");
        if std::env::var_os("RECORD").is_some() {
            fs::write(&file, &said).unwrap();
        }
        let expected = fs::read_to_string(file).unwrap();
        let changed = report(&expected, &said);
        assert!(changed.is_empty(), "{}:\n{changed}", program.name());
        assert!(!said.contains("died of signal"), "{}", program.name());
        if program.name() == "null" {
            let probes = said.lines().filter(|line| !line.starts_with("== "));
            let count = probes.count();
            println!("{count} probes with NULL, none of them fatal");
            assert!(count >= 180, "{count}");
        }
    }
}

/// Every exported symbol is used by a program that runs on both libraries.
#[test]
fn every_symbol_is_called() {
    let exported = symbols::exported().unwrap();
    let mut used = BTreeSet::new();
    for source in programs(&folder()) {
        used.extend(must(symbols::used(compile(&source).path())));
    }
    let called: Vec<_> = exported.intersection(&used).collect();
    println!("{} of {} symbols", called.len(), exported.len());
    if std::env::var_os(ONLY).is_none() {
        let missing: Vec<_> = exported.difference(&used).collect();
        assert!(missing.is_empty(), "no program calls {missing:?}");
        assert_eq!(exported.len(), 72);
    }
}
