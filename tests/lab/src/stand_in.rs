// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the two libraries are. A stand-in with the interface of `library`,
//! which is written at the same time and replaces it.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// Which libsasl2 a program runs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    /// The distribution's.
    Stock,
    /// The one this workspace builds.
    Ours,
}

impl Library {
    /// The file; ours is built first.
    pub fn file(self) -> io::Result<PathBuf> {
        Ok(match self {
            Self::Stock => PathBuf::from("/usr/lib/x86_64-linux-gnu/libsasl2.so.2"),
            Self::Ours => stage()?.join("libsasl2.so.2"),
        })
    }

    /// Where its own plugins are.
    pub fn plugins(self) -> io::Result<PathBuf> {
        Ok(match self {
            Self::Stock => PathBuf::from("/usr/lib/x86_64-linux-gnu/sasl2"),
            Self::Ours => stage()?.join("sasl2"),
        })
    }
}

fn stage() -> io::Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let built = Command::new("make")
        .arg("-s")
        .arg("stage")
        .current_dir(&root)
        .status()?;
    if !built.success() {
        return Err(io::Error::other("the library does not build"));
    }
    fs::canonicalize(root.join("target/stage/lib"))
}
