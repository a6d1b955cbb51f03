// SPDX-License-Identifier: MIT OR Apache-2.0
//! A scratch folder that the servers' own users can read from `/` down.
//! A folder they cannot enter is refused: the dynamic linker would then fall
//! back to the system's library without a word, and every test would be green.
//! The path is short, because unix sockets live in it.

#![forbid(unsafe_code)]

use crate::account::Account;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Set in the environment, it keeps the folders for a look afterwards.
pub const KEEP: &str = "LAB_KEEP";

/// A folder below the system's temporary folder, removed on drop.
#[derive(Debug)]
pub struct Scratch {
    root: PathBuf,
}

impl Scratch {
    /// Makes the folder and proves that everybody can read it.
    pub fn new() -> io::Result<Self> {
        let temporary = std::env::temp_dir();
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let root = temporary.join(format!("oxisasl-{}-{number}", process::id()));
            match fs::create_dir(&root) {
                Ok(()) => {
                    let scratch = Self { root };
                    set_mode(scratch.path(), 0o755)?;
                    require_readable(scratch.path())?;
                    return Ok(scratch);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// A path inside the folder.
    pub fn join(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Makes a folder inside, readable by everybody.
    pub fn folder(&self, name: &str) -> io::Result<PathBuf> {
        let folder = self.join(name);
        fs::create_dir_all(&folder)?;
        set_mode(&folder, 0o755)?;
        Ok(folder)
    }

    /// Makes a folder inside that belongs to `owner`.
    pub fn folder_of(&self, name: &str, owner: Account) -> io::Result<PathBuf> {
        let folder = self.folder(name)?;
        chown(&folder, Some(owner.uid), Some(owner.gid))?;
        Ok(folder)
    }

    /// Writes a file that everybody can read.
    pub fn file(&self, name: &str, content: &str) -> io::Result<PathBuf> {
        let file = self.join(name);
        fs::write(&file, content)?;
        set_mode(&file, 0o644)?;
        Ok(file)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if std::env::var_os(KEEP).is_none() {
            // Nothing can be told from a drop; the folder is in /tmp anyway.
            let _ = fs::remove_dir_all(&self.root);
        }
    }
}

/// Sets a file's mode bits.
pub fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode))
}

/// Copies a file (following links) and lets everybody read it.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", from.display())))?;
    set_mode(to, 0o755)
}

/// Refuses a path that another user cannot reach from `/` down.
pub fn require_readable(path: &Path) -> io::Result<()> {
    for folder in path.ancestors().filter(|folder| folder.is_absolute()) {
        let mode = fs::metadata(folder)?.mode();
        let wanted = if folder.is_dir() { 0o001 } else { 0o004 };
        if mode & wanted != wanted {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!(
                    "{} (mode {:03o}) keeps other users out of {}: the servers would use the \
                     system's library instead; set TMPDIR to a folder everybody can enter",
                    folder.display(),
                    mode & 0o777,
                    path.display()
                ),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_readable_and_goes_away() {
        let scratch = Scratch::new().unwrap();
        let root = scratch.path().to_path_buf();
        let file = scratch.file("note", "text").unwrap();
        require_readable(&file).unwrap();
        drop(scratch);
        assert!(!root.exists());
    }

    #[test]
    fn a_folder_that_keeps_others_out_is_refused() {
        let scratch = Scratch::new().unwrap();
        let inner = scratch.folder("closed").unwrap();
        let deep = scratch.folder("closed/deep").unwrap();
        set_mode(&inner, 0o700).unwrap();
        let error = require_readable(&deep).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        assert!(error.to_string().contains("closed (mode 700)"), "{error}");
    }
}
