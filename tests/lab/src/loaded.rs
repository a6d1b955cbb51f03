// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which libsasl2 a program ran on that is gone before its maps could be read:
//! the dynamic linker itself writes down what it initialises, one file a process.

#![forbid(unsafe_code)]

use crate::scratch::{Scratch, set_mode};
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, io};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A folder for the dynamic linker's notes.
#[derive(Debug)]
pub struct Loaded {
    folder: PathBuf,
}

impl Loaded {
    /// Makes a folder of its own, in which every account may write.
    pub fn new(scratch: &Scratch) -> io::Result<Self> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = scratch.folder(&format!("loaded-{number}"))?;
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
        let identity = |path: &Path| fs::metadata(path).map(|found| (found.dev(), found.ino()));
        let wanted = identity(file)?;
        let right = |used: &PathBuf| identity(used).is_ok_and(|found| found == wanted);
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
    let told = |line: &str| {
        let path = line.split_once("calling init: ")?.1.trim();
        let name = path.rsplit('/').next()?;
        name.starts_with("libsasl2").then(|| PathBuf::from(path))
    };
    notes.lines().filter_map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Library;
    use crate::process;
    use std::process::Command;

    #[test]
    fn a_program_that_is_gone_has_told() {
        let scratch = Scratch::new().unwrap();
        let loaded = Loaded::new(&scratch).unwrap();
        let stock = Library::Stock.file().unwrap();
        let run = |words: &[&str], file: &Path| {
            let mut command = Command::new("env");
            command.args(loaded.environment()).args(words);
            Library::Stock.select(&mut command).unwrap();
            process::run(&mut command).unwrap();
            loaded.require_only(file)
        };
        run(&["ldapwhoami", "-VV"], &stock).unwrap();
        run(&["true"], &stock).unwrap_err();
        let other = std::env::current_exe().unwrap();
        run(&["ldapwhoami", "-VV"], &other).unwrap_err();
        let listed = "1:\tcalling init: /x/libsasl2.so.2\n1:\tcalling init: /x/libc.so.6\n";
        assert_eq!(initialised(listed), ["/x/libsasl2.so.2".into()].into());
    }
}
