// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which libsasl2 a program ran on that is gone before its maps could be read:
//! the dynamic linker itself writes down each file that it loads.

#![forbid(unsafe_code)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// The dynamic linker's record of one run.
#[derive(Debug)]
pub struct Loaded {
    folder: PathBuf,
}

impl Loaded {
    /// A record to be kept below `scratch`.
    pub fn new(scratch: &Path) -> io::Result<Self> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = scratch.join(format!("loaded-{number}"));
        fs::create_dir(&folder)?;
        Ok(Self { folder })
    }

    /// `NAME=value` words for the program.
    pub fn environment(&self) -> [String; 2] {
        let file = self.folder.join("of");
        [
            "LD_DEBUG=files".to_owned(),
            format!("LD_DEBUG_OUTPUT={}", file.display()),
        ]
    }

    /// An error unless `library` was loaded, and no other libsasl2.
    pub fn require_only(&self, library: &Path) -> io::Result<()> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let text = fs::read(entry?.path())?;
            found.extend(libraries(&String::from_utf8_lossy(&text)));
        }
        let wanted = fs::canonicalize(library)?;
        let same = |path: &String| fs::canonicalize(path).is_ok_and(|path| path == wanted);
        if !found.is_empty() && found.iter().all(same) {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "only {} should be loaded as libsasl2, but it was {found:?}",
            library.display()
        )))
    }
}

/// The files called `libsasl2*` that were initialised.
fn libraries(text: &str) -> Vec<String> {
    let told = |line: &str| {
        let path = line.split_once("calling init: ")?.1.trim();
        let name = path.rsplit('/').next()?;
        name.starts_with("libsasl2").then(|| path.to_owned())
    };
    text.lines().filter_map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Library;
    use crate::process;
    use crate::scratch::Scratch;
    use std::process::Command;

    #[test]
    fn a_program_that_is_gone_has_told() {
        let scratch = Scratch::new().unwrap();
        let run = |words: &[&str]| {
            let loaded = Loaded::new(scratch.path()).unwrap();
            let mut command = Command::new("env");
            command.args(loaded.environment()).args(words);
            Library::Stock.select(&mut command).unwrap();
            process::run(&mut command).unwrap();
            loaded.require_only(&Library::Stock.file().unwrap())
        };
        run(&["ldapwhoami", "-VV"]).unwrap();
        run(&["true"]).unwrap_err();
        let listed = "1:\tcalling init: /x/libsasl2.so.2\n1:\tcalling init: /x/libc.so.6\n";
        assert_eq!(libraries(listed), ["/x/libsasl2.so.2"]);
    }
}
