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

/// Mechanisms with a shared secret that both libraries offer after
/// [`Placed::add_shared_secret`].
pub const SHARED_SECRET: [&str; 3] = ["CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-256"];

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
    behind: Option<PathBuf>,
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
            behind: None,
        };
        if which == Library::Stock {
            // What ours has built in.
            for name in ["anonymous", "digestmd5", "login", "plain"] {
                placed.add_plugin(&format!("lib{name}.so"))?;
            }
        }
        Ok(placed)
    }

    /// Adds the distribution's plugins of [`SHARED_SECRET`]; a mechanism that
    /// is built in wins over a plugin of the same name.
    pub fn add_shared_secret(&self) -> io::Result<()> {
        ["libcrammd5.so", "libdigestmd5.so", "libscram.so"]
            .iter()
            .try_for_each(|name| self.add_plugin(name))
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

    /// Lets programs look for plugins in the distribution's folder too, after
    /// the copies: what an administrator would write.
    pub fn search_system_too(&mut self) -> io::Result<()> {
        self.behind = Some(Library::Stock.plugins()?);
        Ok(())
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
        let mut path = format!("SASL_PATH={}", self.plugins().display());
        if let Some(behind) = &self.behind {
            path.push_str(&format!(":{}", behind.display()));
        }
        [injected, path]
    }
}
