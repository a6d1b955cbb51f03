// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table of programs that were run on stock and on ours: each test writes
//! its row below `target/consumers`, and `consumers` prints them at the end.

#![forbid(unsafe_code)]

use crate::library::Library;
use crate::packages;
use crate::stage::target;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Where a program comes from.
#[derive(Debug, Clone, Copy)]
pub enum Origin {
    /// It is installed if this file exists.
    Installed(&'static str),
    /// It is unpacked from these packages, for `make check-all`.
    Unpacked(&'static [&'static str]),
}

/// A program and what is shown of it.
#[derive(Debug, Clone, Copy)]
pub struct Consumer {
    /// Its name.
    pub program: &'static str,
    /// The package that tells its version.
    pub package: &'static str,
    /// Whether it is a server or a client of SASL, or both.
    pub side: &'static str,
    /// The mechanisms it is run with.
    pub mechanisms: &'static str,
    /// Where it comes from.
    pub origin: Origin,
}

impl Consumer {
    /// Runs `test` with the folder that holds the program's files as `/`
    /// would, and notes what came of it. A program that is missing is skipped,
    /// unless the environment holds `LAB_ALL`.
    pub fn prove(&self, which: Library, test: impl FnOnce(&Path)) -> io::Result<()> {
        self.note(which, "-", "FAILED")?;
        let Some(root) = self.root()? else {
            return self.note(which, "-", "skipped");
        };
        let version = packages::version(self.package, &root)?;
        self.note(which, &version, "FAILED")?;
        test(&root);
        self.note(which, &version, "works")
    }

    fn root(&self) -> io::Result<Option<PathBuf>> {
        let all = env::var_os("LAB_ALL").is_some();
        match self.origin {
            Origin::Installed(file) if Path::new(file).exists() => Ok(Some(PathBuf::from("/"))),
            Origin::Installed(file) if all => Err(io::Error::other(format!(
                "{file} is missing: sh tests/packages.sh check installs it"
            ))),
            Origin::Unpacked(names) if all || packages::is_unpacked(names) => {
                packages::unpacked(names).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn note(&self, which: Library, version: &str, result: &str) -> io::Result<()> {
        fs::create_dir_all(folder())?;
        let key = [self.program, self.side, &which.to_string()].join("-");
        let line = [
            self.program,
            version,
            self.side,
            self.mechanisms,
            &which.to_string(),
            result,
        ];
        fs::write(folder().join(key.replace([' ', '/'], "_")), line.join("\t"))
    }
}

fn folder() -> PathBuf {
    target().join("consumers")
}

/// Forgets the rows of earlier runs.
pub fn forget() -> io::Result<()> {
    match fs::remove_dir_all(folder()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The table of all rows.
pub fn table() -> io::Result<String> {
    let mut texts = Vec::new();
    if folder().exists() {
        for entry in fs::read_dir(folder())? {
            texts.push(fs::read_to_string(entry?.path())?);
        }
    }
    texts.sort();
    Ok(format(&texts))
}

fn format(lines: &[String]) -> String {
    let mut rows: BTreeMap<[&str; 3], [&str; 3]> = BTreeMap::new();
    for line in lines {
        let fields: Vec<_> = line.split('\t').collect();
        let [program, version, side, mechanisms, which, result] = fields[..] else {
            continue;
        };
        let row = rows.entry([program, side, mechanisms]).or_insert(["-"; 3]);
        let [known, ours, stock] = row;
        *if which == "ours" { ours } else { stock } = result;
        if version != "-" {
            *known = version;
        }
    }
    let mut text = line(["program", "version", "side", "mechanisms", "ours", "stock"]);
    for ([program, side, mechanisms], [version, ours, stock]) in rows {
        text.push_str(&line([program, version, side, mechanisms, ours, stock]));
    }
    text
}

fn line([program, version, side, mechanisms, ours, stock]: [&str; 6]) -> String {
    let line = format!("{program:30} {version:26} {side:7} {ours:8} {stock:8} {mechanisms}");
    format!("{}\n", line.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_libraries_share_a_row() {
        let rows = [
            "svnserve\t1.14\tserver\tPLAIN\tours\tworks",
            "svnserve\t-\tserver\tPLAIN\tstock\tskipped",
        ];
        let text = format(&rows.map(str::to_owned));
        let row = text.lines().nth(1).unwrap();
        let words: Vec<_> = row.split_whitespace().collect();
        assert_eq!(
            words,
            ["svnserve", "1.14", "server", "works", "skipped", "PLAIN"]
        );
        assert_eq!(text.lines().count(), 2);
    }
}
