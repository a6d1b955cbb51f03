// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the two libraries are. A stand-in for `library` and `stage`, which
//! are written at the same time; the lead replaces it.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, io};

/// Debian's multiarch folder.
pub const SYSTEM: &str = "/usr/lib/x86_64-linux-gnu";

/// Which libsasl2 a program runs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    /// The distribution's.
    Stock,
    /// The one this workspace builds.
    Ours,
}

/// Files to run programs with.
#[derive(Debug)]
pub struct Files {
    /// `libsasl2.so.2`.
    pub library: PathBuf,
    /// Its `ldapdb` plugin.
    pub ldapdb: PathBuf,
}

impl Library {
    /// Finds the files; ours are built first.
    pub fn files(self) -> io::Result<Files> {
        match self {
            Self::Stock => Ok(Files {
                library: Path::new(SYSTEM).join("libsasl2.so.2"),
                ldapdb: Path::new(SYSTEM).join("sasl2/libldapdb.so"),
            }),
            Self::Ours => {
                let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
                let built = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()))
                    .args(["build", "-q", "-p", "oxisasl", "-p", "ldapdb"])
                    .current_dir(&root)
                    .status()?;
                if !built.success() {
                    return Err(io::Error::other("the library does not build"));
                }
                let target = env::var_os("CARGO_TARGET_DIR")
                    .map_or_else(|| root.join("target"), PathBuf::from)
                    .join("debug");
                Ok(Files {
                    library: target.join("libsasl2.so"),
                    ldapdb: target.join("libldapdb.so"),
                })
            }
        }
    }
}
