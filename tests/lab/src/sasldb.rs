// SPDX-License-Identifier: MIT OR Apache-2.0
//! A password file made by the distribution's `saslpasswd2`, for programs
//! that look users up with the distribution's sasldb plugin.

#![forbid(unsafe_code)]

use crate::account::Account;
use crate::scratch::{self, Scratch};
use crate::stand_in::SYSTEM;
use std::io::{self, Write};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The plugin's file.
pub const PLUGIN: &str = "libsasldb.so";

/// Makes the file with these users (name, password), readable by `owner`.
pub fn create(
    scratch: &Scratch,
    realm: &str,
    users: &[(&str, &str)],
    owner: Account,
) -> io::Result<PathBuf> {
    // Only this plugin: others on the machine would store secrets of their own.
    let plugins = scratch.folder("saslpasswd2")?;
    scratch::copy(
        &Path::new(SYSTEM).join("sasl2").join(PLUGIN),
        &plugins.join(PLUGIN),
    )?;
    let file = scratch.join("sasldb2");
    for (name, password) in users {
        let mut child = Command::new("saslpasswd2")
            .args(["-p", "-c", "-f"])
            .arg(&file)
            .args(["-u", realm, name])
            .env("SASL_PATH", &plugins)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(password.as_bytes())?;
        }
        let output = child.wait_with_output()?;
        if !output.status.success() || !file.exists() {
            return Err(io::Error::other(format!(
                "saslpasswd2 did not store {name}@{realm}: {} {}",
                output.status,
                String::from_utf8_lossy(&output.stderr)
            )));
        }
    }
    chown(&file, Some(owner.uid), Some(owner.gid))?;
    Ok(file)
}
