// SPDX-License-Identifier: MIT OR Apache-2.0
//! The book and the manual pages say what the table and the catalogue say, name
//! every page and lead nowhere wrong. `RECORD=1` writes the parts that are made
//! of tables.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helpers"
)]

mod manuals;
mod markdown;
mod numbers;
mod pages;
mod reference;

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the whole project.
fn top() -> PathBuf {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    folders.into_iter().nth(2).unwrap().to_owned()
}

fn read(name: &str) -> String {
    fs::read_to_string(top().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The files of a folder of the project with this ending, in order.
fn files(folder: &str, ending: &str) -> Vec<String> {
    let entries = fs::read_dir(top().join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut found: Vec<String> = names.filter(|name| name.ends_with(ending)).collect();
    found.sort();
    assert!(!found.is_empty(), "{folder} has no {ending}");
    found
}

/// The file says `wanted`, or is made to.
fn hold(name: &str, wanted: &str) {
    if std::env::var_os("RECORD").is_some() {
        fs::write(top().join(name), wanted).unwrap();
    }
    let said = read(name);
    let mut lines = said.lines().zip(wanted.lines());
    if let Some((said, wanted)) = lines.find(|(said, wanted)| said != wanted) {
        panic!("{name}: \"{said}\" should be \"{wanted}\"; RECORD=1 cargo test -p options");
    }
    assert_eq!(
        said.len(),
        wanted.len(),
        "{name}: RECORD=1 cargo test -p options"
    );
}

/// The page with what stands between a line that begins with `open` and the next
/// one with `close` made anew; `made` gets what follows `open`.
fn filled(page: &str, open: &str, close: &str, made: impl Fn(&str) -> String) -> String {
    let mut whole = String::new();
    let mut inside = false;
    for line in page.lines() {
        inside &= line != close;
        if !inside {
            whole += line;
            whole.push('\n');
        }
        if let Some(what) = line.strip_prefix(open) {
            whole += &made(what);
            inside = true;
        }
    }
    assert!(!inside, "no {close} after {open}");
    whole
}
