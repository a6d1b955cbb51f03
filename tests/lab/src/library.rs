// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which `libsasl2.so.2` a program runs on, and the proof that it did.

#![forbid(unsafe_code)]

use crate::{maps, stage};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
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

    /// An error unless every libsasl2 in the text of a `/proc/PID/maps` is this
    /// library's file. For a process that lives there is [`maps::require_only`].
    pub fn require_in(self, text: &str) -> io::Result<()> {
        let file = self.file()?;
        let wanted = fs::metadata(&file)?.ino();
        let mapped = maps::libraries(text);
        if !mapped.is_empty() && mapped.iter().all(|(inode, _)| *inode == wanted) {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "only {} (inode {wanted}) should be mapped as libsasl2, but it is {mapped:?}",
            file.display()
        )))
    }
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
    }
}
