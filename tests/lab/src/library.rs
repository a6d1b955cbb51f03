// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which `libsasl2.so.2` a program runs on, and the proof that it did.

#![forbid(unsafe_code)]

use crate::stage;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fmt, fs, io};

/// Debian's library.
const STOCK: &str = "/usr/lib/x86_64-linux-gnu/libsasl2.so.2";
/// Debian's plugins.
const STOCK_PLUGINS: &str = "/usr/lib/x86_64-linux-gnu/sasl2";

/// One of the two libraries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// The one that Debian installed.
    Stock,
    /// This project's, from the stage.
    Ours,
}

impl fmt::Display for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stock => "stock",
            Self::Ours => "ours",
        })
    }
}

impl Library {
    /// The file; for ours this builds the stage.
    pub fn file(self) -> io::Result<PathBuf> {
        Ok(match self {
            Self::Stock => fs::canonicalize(STOCK)?,
            Self::Ours => stage::stage()?.library(),
        })
    }

    /// Where its own plugins are.
    pub fn plugins(self) -> io::Result<PathBuf> {
        Ok(match self {
            Self::Stock => PathBuf::from(STOCK_PLUGINS),
            Self::Ours => stage::stage()?.plugins(),
        })
    }

    /// Makes `command` run on this library.
    pub fn select(self, command: &mut Command) -> io::Result<()> {
        match self {
            Self::Stock => command.env_remove("LD_LIBRARY_PATH"),
            Self::Ours => command.env("LD_LIBRARY_PATH", stage::stage()?.lib()),
        };
        Ok(())
    }

    /// An error unless every libsasl2 in `maps` (the text of a `/proc/PID/maps`)
    /// is this library's file.
    pub fn require_in(self, maps: &str) -> io::Result<()> {
        let file = self.file()?;
        let wanted = fs::metadata(&file)?.ino();
        let mapped = inodes(maps);
        if !mapped.is_empty() && mapped.iter().all(|(inode, _)| *inode == wanted) {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "only {} (inode {wanted}) should be mapped as libsasl2, but it is {mapped:?}",
            file.display()
        )))
    }

    /// The same for a process that lives.
    pub fn require_mapped(self, process: u32) -> io::Result<()> {
        let file = format!("/proc/{process}/maps");
        self.require_in(&fs::read_to_string(Path::new(&file))?)
    }
}

fn inodes(maps: &str) -> Vec<(u64, String)> {
    let mut found: Vec<_> = maps.lines().filter_map(sasl_line).collect();
    found.sort();
    found.dedup();
    found
}

fn sasl_line(line: &str) -> Option<(u64, String)> {
    let mut fields = line.split_whitespace();
    let inode = fields.nth(4)?.parse().ok()?;
    let path = fields.next()?;
    let name = Path::new(path).file_name()?.to_str()?;
    name.starts_with("libsasl2.so")
        .then(|| (inode, path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stock_is_told_from_another_file() {
        let file = fs::canonicalize(STOCK).unwrap();
        let inode = fs::metadata(&file).unwrap().ino();
        let line = |inode: u64, path: &str| format!("7f-8f r--p 0 08:01 {inode} {path}\n");
        let good = line(inode, "/lib/libsasl2.so.2.0.25");
        Library::Stock.require_in(&good).unwrap();
        let both = good.clone() + &line(inode + 1, "/x/libsasl2.so.2");
        assert!(Library::Stock.require_in(&both).is_err());
        let none = line(inode, "/lib/libc.so.6");
        assert!(Library::Stock.require_in(&none).is_err());
        assert!(Library::Stock.require_mapped(std::process::id()).is_err());
    }
}
