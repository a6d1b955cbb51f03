// SPDX-License-Identifier: MIT OR Apache-2.0
//! `sasldblistusers2`: shows who is in a password file.
#![forbid(unsafe_code)]

use crate::library::{complain, version};
use crate::usage;
use saslfile::{Database, Options};
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

const NAME: &str = "sasldblistusers2";

/// Runs the program.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let matches = match usage::parse(&usage::SASLDBLISTUSERS2, arguments) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    if matches.get_flag("version") {
        return version();
    }
    let given = matches
        .get_one::<String>("file")
        .or_else(|| matches.get_one::<String>("sasldb"));
    let path = given.map_or(saslfile::DEFAULT_PATH, String::as_str);
    let mut lines = Vec::new();
    let outcome = Database::new(Options::new(path)).each(&mut |key, _| {
        for (part, after) in [(key.user, "@"), (key.realm, ": "), (key.property, "\n")] {
            lines.extend_from_slice(part);
            lines.extend_from_slice(after.as_bytes());
        }
    });
    if let Err(error) = outcome {
        let _ = writeln!(io::stderr(), "listusers failed");
        complain(NAME, error.reason());
        // Scripts know this as a success without users.
        return ExitCode::SUCCESS;
    }
    match io::stdout().write_all(&lines) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
