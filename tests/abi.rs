// SPDX-License-Identifier: MIT OR Apache-2.0
//! The file as the dynamic linker sees it: name, exports, versions, what it
//! needs. `include/libsasl2.map` is the list; stock and ours are held to it.

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
use lab::stage::sources;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

fn run(tool: &str, arguments: &[&str], file: &Path) -> String {
    let output = Command::new(tool)
        .args(arguments)
        .arg(file)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{tool}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn file(library: Library) -> std::path::PathBuf {
    library.file().unwrap_or_else(|error| panic!("{error}"))
}

fn map() -> BTreeSet<String> {
    lab::symbols::exported().unwrap()
}

/// A defined dynamic symbol.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Symbol {
    name: String,
    version: String,
    kind: String,
    size: u64,
}

/// `address flags section<TAB>size version name`, flags being seven columns.
fn exports(file: &Path) -> Vec<Symbol> {
    let text = run("objdump", &["-T"], file);
    let lines = text.lines().filter(|line| line.contains('\t'));
    lines
        .filter(|line| !line.contains("*UND*"))
        .map(|line| {
            let (left, right) = line.split_once('\t').unwrap();
            let fields: Vec<_> = right.split_whitespace().collect();
            let [size, version, name] = fields.as_slice() else {
                panic!("a symbol without version: {line}");
            };
            Symbol {
                name: (*name).to_owned(),
                version: (*version).to_owned(),
                kind: left.split_whitespace().rev().nth(1).unwrap().to_owned(),
                size: u64::from_str_radix(size, 16).unwrap(),
            }
        })
        .filter(|symbol| symbol.kind != "*ABS*" && symbol.name != symbol.version)
        .collect()
}

fn header(file: &Path, key: &str) -> BTreeSet<String> {
    let text = run("objdump", &["-p"], file);
    let words = text.lines().map(|line| line.split_whitespace());
    words
        .filter_map(|mut words| (words.next() == Some(key)).then(|| words.next()).flatten())
        .map(str::to_owned)
        .collect()
}

fn assert_is_the_library(library: Library) {
    let file = file(library);
    let exports = exports(&file);
    let names: BTreeSet<_> = exports.iter().map(|symbol| symbol.name.clone()).collect();
    assert_eq!(names, map(), "{library}");
    assert_eq!(exports.len(), 72, "{library}");
    for symbol in &exports {
        assert_eq!(symbol.version, "SASL2", "{symbol:?}");
        if symbol.name == "sasl_global_utils" {
            assert_eq!((symbol.kind.as_str(), symbol.size), ("DO", 8));
        } else {
            assert_eq!(symbol.kind, "DF", "{symbol:?}");
        }
    }
    assert_eq!(
        header(&file, "SONAME"),
        BTreeSet::from(["libsasl2.so.2".to_owned()])
    );
}

#[test]
fn stock_is_what_the_map_says() {
    assert_is_the_library(Library::Stock);
}

#[test]
fn ours_is_what_the_map_says() {
    assert_is_the_library(Library::Ours);
}

#[test]
fn ours_needs_only_the_c_library() {
    let allowed = ["libc.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2"];
    for name in header(&file(Library::Ours), "NEEDED") {
        assert!(allowed.contains(&name.as_str()), "needs {name}");
    }
}

#[test]
fn ours_keeps_every_symbol_of_stock() {
    let output = Command::new("abidiff")
        .arg("--no-added-syms")
        .arg(file(Library::Stock))
        .arg(file(Library::Ours))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains("Removed"), "{text}");
    // Bit 0: the tool failed; bit 3: an incompatible change.
    assert_eq!(output.status.code().unwrap() & 0b1001, 0, "{text}");
}

/// Names that stock exports but no header declares.
const IN_NO_HEADER: [&str; 3] = [
    "sasl_common_done",
    "sasl_config_getstring",
    "sasl_global_utils",
];

#[test]
fn the_headers_declare_what_the_map_lists() {
    let folder = sources().join("include/sasl");
    let mut declared = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for declaration in text.split(';') {
            let words = declaration.replace(['(', '*'], " ( ");
            let words: Vec<_> = words.split_whitespace().collect();
            let exported =
                declaration.contains("LIBSASL_API ") || declaration.contains("_sasl_MD5");
            if !exported || declaration.trim_start().starts_with("typedef") {
                continue;
            }
            declared.extend(
                words
                    .windows(2)
                    .filter(|pair| pair[1] == "(" && is_name(pair[0]))
                    .map(|pair| pair[0].to_owned()),
            );
        }
    }
    let mut listed = map();
    for name in IN_NO_HEADER {
        assert!(listed.remove(name), "{name}");
    }
    let missing: Vec<_> = listed.difference(&declared).collect();
    assert!(missing.is_empty(), "not declared: {missing:?}");
    let more: Vec<_> = declared.difference(&listed).collect();
    assert!(more.is_empty(), "declared, but not exported: {more:?}");
}

/// Whether a word is the name of one of the library's functions.
fn is_name(word: &str) -> bool {
    let ours = ["sasl_", "_sasl_MD5", "prop_", "auxprop_"];
    ours.iter().any(|start| word.starts_with(start))
        && !word.ends_with("_t")
        && !word.ends_with("_p")
}
