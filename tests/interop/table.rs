// SPDX-License-Identifier: MIT OR Apache-2.0
//! A table of cases and pairs: each cell is tried, all of them are printed,
//! and one that failed fails the test.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::panic::{self, AssertUnwindSafe};
use std::thread;

/// What a cell came to: a short word for the table, or what went wrong.
pub(crate) type Cell = io::Result<String>;

/// An error with this text.
pub(crate) fn failed<T>(text: String) -> io::Result<T> {
    Err(io::Error::other(text))
}

/// Tries each row in each column (a thread a column) and prints the table.
pub(crate) fn fill<R: Sync, C: Sync>(
    title: &str,
    columns: &[(String, C)],
    rows: &[(String, R)],
    cell: impl Fn(&R, &C) -> Cell + Sync,
) {
    let one = |row: &R, column: &C| {
        let tried = panic::catch_unwind(AssertUnwindSafe(|| cell(row, column)));
        tried.unwrap_or_else(|_| failed("panicked; see above".to_owned()))
    };
    let run = |column: &C| -> Vec<Cell> { rows.iter().map(|(_, row)| one(row, column)).collect() };
    let tried: Vec<Vec<Cell>> = thread::scope(|scope| {
        let run = &run;
        let start = |column| scope.spawn(move || run(column));
        let threads: Vec<_> = columns.iter().map(|(_, column)| start(column)).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| thread.join().unwrap();
        threads.into_iter().map(join).collect()
    });
    let mut text = format!("\n{title}\n{:38}", "");
    for (name, _) in columns {
        write!(text, " {name:18}").unwrap();
    }
    let mut faults = String::new();
    for (at, (name, _)) in rows.iter().enumerate() {
        write!(text, "\n{name:38}").unwrap();
        for ((column, _), cells) in columns.iter().zip(&tried) {
            if let Err(error) = &cells[at] {
                writeln!(faults, "\n{name}, {column}: {error}").unwrap();
            }
            let word = cells[at].as_ref().map(String::as_str).unwrap_or("FAILED");
            write!(text, " {word:18}").unwrap();
        }
    }
    // Not through the test's captured output: the table is there to be read.
    io::stderr().write_all((text + "\n").as_bytes()).unwrap();
    assert!(faults.is_empty(), "{faults}");
}
