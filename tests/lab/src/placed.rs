// SPDX-License-Identifier: MIT OR Apache-2.0
//! A copy of a library and its plugins in a scratch folder, where the
//! servers' users can read it, and the two ways to make a program use it.

#![forbid(unsafe_code)]

use crate::library::Library;
use crate::scratch::{self, Scratch};
use std::io;
use std::path::{Path, PathBuf};

/// The file of the ldapdb plugin.
pub const LDAPDB: &str = "libldapdb.so";

/// The distribution's plugins of the mechanisms that need a readable password.
pub const SHARED_SECRET: &[&str] = &["crammd5", "digestmd5", "scram"];

/// How a program is made to use the copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// `LD_PRELOAD` names the file.
    Preload,
    /// `LD_LIBRARY_PATH` names its folder.
    LibraryPath,
}

impl Way {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Preload, Self::LibraryPath];
}

/// A library in a scratch folder, its plugin folder `sasl2` beside it.
#[derive(Debug)]
pub struct Placed {
    which: Library,
    folder: PathBuf,
    library: PathBuf,
}

impl Placed {
    /// Copies the library and its ldapdb plugin.
    pub fn new(which: Library, scratch: &Scratch) -> io::Result<Self> {
        let folder = scratch.folder("lib")?;
        scratch.folder("lib/sasl2")?;
        let library = folder.join("libsasl2.so.2");
        scratch::copy(&which.file()?, &library)?;
        let plugin = which.plugins()?.join(LDAPDB);
        scratch::copy(&plugin, &folder.join("sasl2").join(LDAPDB))?;
        scratch::require_readable(&library)?;
        let placed = Self {
            which,
            folder,
            library,
        };
        if which == Library::Stock {
            // What ours has built in.
            placed.add_mechanisms(&["anonymous", "login", "plain"])?;
            placed.add_mechanisms(SHARED_SECRET)?;
        }
        Ok(placed)
    }

    /// Adds mechanism plugins of the distribution; a built-in one of the same
    /// name wins.
    pub fn add_mechanisms(&self, names: &[&str]) -> io::Result<()> {
        names
            .iter()
            .try_for_each(|name| self.add_plugin(&format!("lib{name}.so")))
    }

    /// Adds a plugin of the distribution, by its file's name.
    pub fn add_plugin(&self, name: &str) -> io::Result<()> {
        let from = Library::Stock.plugins()?.join(name);
        scratch::copy(&from, &self.plugins().join(name))
    }

    /// Adds a plugin of this project, whatever the library is.
    pub fn add_our_plugin(&self, name: &str) -> io::Result<()> {
        let from = Library::Ours.plugins()?.join(name);
        scratch::copy(&from, &self.plugins().join(name))
    }

    /// Which library this is.
    pub fn which(&self) -> Library {
        self.which
    }

    /// The copy of the library.
    pub fn library(&self) -> &Path {
        &self.library
    }

    /// The copies of the plugins.
    pub fn plugins(&self) -> PathBuf {
        self.folder.join("sasl2")
    }

    /// `NAME=value` words that make a program use the copy.
    pub fn environment(&self, way: Way) -> [String; 2] {
        let injected = match way {
            Way::Preload => format!("LD_PRELOAD={}", self.library.display()),
            Way::LibraryPath => format!("LD_LIBRARY_PATH={}", self.folder.display()),
        };
        [injected, format!("SASL_PATH={}", self.plugins().display())]
    }
}
