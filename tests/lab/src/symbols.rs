// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which symbols the library exports, by `include/libsasl2.map`, and which of
//! them a program uses.

#![forbid(unsafe_code)]

use crate::process;
use crate::stage::sources;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::{fs, io};

/// The names listed in `include/libsasl2.map`.
pub fn exported() -> io::Result<BTreeSet<String>> {
    let text = fs::read_to_string(sources().join("include/libsasl2.map"))?;
    let (exported, _) = text.split_once("local:").unwrap_or((&text, ""));
    let names = exported.lines().map(str::trim);
    let names = names.filter_map(|line| line.strip_suffix(';'));
    Ok(names
        .filter(|name| *name != "}" && !name.contains(' '))
        .map(str::to_owned)
        .collect())
}

/// The names that a linked program takes from the library: functions it leaves
/// undefined, and objects of which the linker gave it a copy.
pub fn used(program: &Path) -> io::Result<BTreeSet<String>> {
    let output = process::run(Command::new("nm").arg("-D").arg(program))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let names = text.lines().filter_map(|line| line.split(' ').next_back());
    Ok(names
        .filter_map(|name| name.strip_suffix("@SASL2"))
        .map(str::to_owned)
        .collect())
}
