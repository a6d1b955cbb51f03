// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files of the distribution's packages that need not be installed: fetched
//! with `apt-get download` and unpacked below `target/packages`, once.

#![forbid(unsafe_code)]

use crate::library::Library;
use crate::process;
use crate::stage::target;
use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

/// A plugin of `package`: the installed one, else one that is unpacked now.
pub fn plugin(package: &str, file: &str) -> io::Result<PathBuf> {
    let installed = Library::Stock.plugins()?.join(file);
    if installed.exists() {
        return Ok(installed);
    }
    let unpacked = target().join("packages").join(package);
    let inside = env::consts::ARCH;
    let wanted = unpacked.join(format!("usr/lib/{inside}-linux-gnu/sasl2/{file}"));
    if !wanted.exists() {
        unpack(package, &unpacked)?;
    }
    // A link's name to the file itself.
    fs::canonicalize(&wanted)
}

fn unpack(package: &str, folder: &PathBuf) -> io::Result<()> {
    let fetched = env::temp_dir().join(format!("oxisasl-{package}-{}", std::process::id()));
    fs::create_dir_all(&fetched)?;
    fs::create_dir_all(folder)?;
    let mut download = Command::new("timeout");
    download.args(["120", "apt-get", "-q", "download", package]);
    let done = process::run(download.current_dir(&fetched)).and_then(|_| {
        for entry in fs::read_dir(&fetched)? {
            let mut unpack = Command::new("dpkg");
            process::run(unpack.arg("-x").arg(entry?.path()).arg(folder))?;
        }
        Ok(())
    });
    fs::remove_dir_all(&fetched)?;
    done
}
