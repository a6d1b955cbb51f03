// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which libsasl2 a program used that has ended already: the dynamic linker
//! writes down what it initialises, one file a process.

#![forbid(unsafe_code)]

use crate::scratch::{Scratch, set_mode};
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// A folder for the dynamic linker's notes.
#[derive(Debug)]
pub struct Loaded {
    folder: PathBuf,
}

impl Loaded {
    /// Makes the folder `loaded`, in which every account may write.
    pub fn new(scratch: &Scratch) -> io::Result<Self> {
        let folder = scratch.folder("loaded")?;
        set_mode(&folder, 0o777)?;
        Ok(Self { folder })
    }

    /// `NAME=value` words for the program.
    pub fn environment(&self) -> [String; 2] {
        let notes = self.folder.join("process").display().to_string();
        [
            "LD_DEBUG=libs".to_owned(),
            format!("LD_DEBUG_OUTPUT={notes}"),
        ]
    }

    /// An error unless a program used `file`, and none another libsasl2. The
    /// notes are gone afterwards.
    pub fn require_only(&self, file: &Path) -> io::Result<()> {
        let mut used = BTreeSet::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let notes = fs::read(&path)?;
            used.extend(initialised(&String::from_utf8_lossy(&notes)));
            fs::remove_file(path)?;
        }
        let wanted = fs::metadata(file)?.ino();
        let right = |used: &PathBuf| fs::metadata(used).is_ok_and(|found| found.ino() == wanted);
        if !used.is_empty() && used.iter().all(right) {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "only {} should be used as libsasl2, but it is {used:?}",
            file.display()
        )))
    }
}

/// The files called `libsasl2*` that were initialised.
fn initialised(notes: &str) -> BTreeSet<PathBuf> {
    notes
        .lines()
        .filter_map(|line| line.split_once("calling init: "))
        .map(|(_, path)| PathBuf::from(path.trim()))
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("libsasl2"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Library;
    use crate::process;
    use std::process::Command;

    #[test]
    fn a_program_tells_its_library() {
        let scratch = Scratch::new().unwrap();
        let loaded = Loaded::new(&scratch).unwrap();
        let stock = Library::Stock.file().unwrap();
        assert!(loaded.require_only(&stock).is_err());
        let mut command = Command::new("env");
        command
            .args(loaded.environment())
            .args(["ldapwhoami", "-VV"]);
        process::run(&mut command).unwrap();
        loaded.require_only(&stock).unwrap();
        process::run(&mut command).unwrap();
        let other = std::env::current_exe().unwrap();
        assert!(loaded.require_only(&other).is_err());
    }
}
