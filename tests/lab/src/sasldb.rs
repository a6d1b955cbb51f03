// SPDX-License-Identifier: MIT OR Apache-2.0
//! A password file made by the distribution's `saslpasswd2`, for programs
//! that look users up with the distribution's sasldb plugin.

#![forbid(unsafe_code)]

use crate::account::Account;
use crate::library::Library;
use crate::process;
use crate::scratch::{self, Scratch};
use std::io::{self, Write};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The plugin's file.
pub const PLUGIN: &str = "libsasldb.so";

/// Makes the file with these users (name, password), readable by `owner`. It
/// is the distribution's program with the distribution's library.
pub fn create(
    scratch: &Scratch,
    realm: &str,
    users: &[(&str, &str)],
    owner: Account,
) -> io::Result<PathBuf> {
    // Only this plugin: others on the machine would store secrets of their own.
    let plugins = scratch.folder("saslpasswd2")?;
    scratch::copy(
        &Library::Stock.plugins()?.join(PLUGIN),
        &plugins.join(PLUGIN),
    )?;
    let file = scratch.join("sasldb2");
    let environment = [format!("SASL_PATH={}", plugins.display())];
    for (name, password) in users {
        store(&environment, &file, &format!("{name}@{realm}"), password)?;
    }
    chown(&file, Some(owner.uid), Some(owner.gid))?;
    Ok(file)
}

/// Stores a password with `saslpasswd2`, run with `NAME=value` words.
pub fn store(environment: &[String], file: &Path, user: &str, password: &str) -> io::Result<()> {
    let (name, realm) = user.split_once('@').unwrap_or((user, ""));
    let mut child = Command::new("timeout")
        .args(["20", "env"])
        .args(environment)
        .args(["saslpasswd2", "-p", "-c", "-f"])
        .arg(file)
        .args(["-u", realm, name])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(password.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    // Without a plugin that stores, it succeeds and there is no file.
    if output.status.success() && file.exists() {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "saslpasswd2 did not store {user}: {} {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    )))
}

/// What `sasldblistusers2` prints about a file.
pub fn list(environment: &[String], file: &Path) -> io::Result<String> {
    let mut command = Command::new("timeout");
    command.args(["20", "env"]).args(environment);
    command.args(["sasldblistusers2", "-f"]).arg(file);
    let output = process::run(&mut command)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
