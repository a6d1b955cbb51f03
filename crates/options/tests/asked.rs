// SPDX-License-Identifier: MIT OR Apache-2.0
//! The sources of this project are read for options that they ask for: the
//! table must have each of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers")]

use std::fs;
use std::path::{Path, PathBuf};

/// Functions that are given the name of an option.
const ASKING: [&str; 13] = [
    "option(",
    "with_option(",
    "number(",
    "get(c",
    "own(",
    "switch(",
    "choice(",
    "required(c",
    "optional(\"sql_",
    "options.text(",
    "options.secret(",
    "options.seconds(",
    "options.attribute(",
];
/// Those who ask, and what else stands in such calls.
const OTHERS: [&str; 3] = ["ldapdb", "sasldb", "sql"];

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["tests", "target", "tools"].contains(&name.as_str()) && !name.starts_with('.') {
                sources(&path, into);
            }
        } else if name.ends_with(".rs") && name != "tests.rs" && name != "build.rs" {
            into.push(path);
        }
    }
}

/// The text up to the parenthesis that closes.
fn inside(text: &str) -> &str {
    let mut open = 1_usize;
    for (index, letter) in text.char_indices() {
        match letter {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return text.get(..index).unwrap();
        }
    }
    text
}

/// Literals that look like the name of an option.
fn names(call: &str) -> impl Iterator<Item = &str> {
    let literals = call.split('"').skip(1).step_by(2);
    literals.filter(|text| {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        text.len() > 3 && text.bytes().all(fits) && !OTHERS.contains(text)
    })
}

/// The names that a source asks for.
fn asked(source: &str) -> Vec<&str> {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let mut found = Vec::new();
    for word in ASKING {
        for (index, _) in source.match_indices(word) {
            let before = source.get(..index).unwrap().chars().next_back();
            if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_') {
                continue;
            }
            let start = index + word.find('(').unwrap() + 1;
            let call = inside(source.get(start..).unwrap());
            // A closure in the call asks for itself; its texts are its own.
            let mut texts = names(call.split('|').next().unwrap());
            match word {
                // The words that it may hold follow.
                "choice(" => found.extend(texts.next()),
                _ => found.extend(texts),
            }
        }
    }
    for (index, _) in source.match_indices("let option = \"") {
        let statement = source.get(index..).unwrap().split(';').next().unwrap();
        found.extend(names(statement));
    }
    found
}

#[test]
fn the_table_has_every_option_that_code_asks_for() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap();
    let mut files = Vec::new();
    for folder in ["src", "crates", "plugins"] {
        sources(&top.join(folder), &mut files);
    }
    let mut seen = Vec::new();
    let mut missing = Vec::new();
    for file in files {
        if file.starts_with(top.join("crates/options")) {
            continue;
        }
        let source = fs::read_to_string(&file).unwrap();
        for name in asked(&source) {
            seen.push(name.to_owned());
            if options::table::find(name).is_none() {
                missing.push(format!("{name} ({})", file.display()));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "crates/options/src/table.tsv lacks {missing:#?}"
    );
    // Each way of asking is seen, in the library, a mechanism and a plugin.
    for name in [
        "mech_list",
        "pwcheck_method",
        "log_level",
        "oauth_jwks",
        "reauth_timeout",
        "scram_iteration_counter",
        "keytab",
        "sasldb_path",
        "sasldb_mapsize",
        "sql_select",
        "sql_insert",
        "ldapdb_uri",
        "ldapdb_filter",
        "ldapdb_user_dn",
    ] {
        assert!(seen.iter().any(|asked| asked == name), "{name} is not seen");
    }
}
