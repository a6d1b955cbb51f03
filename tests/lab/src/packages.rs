// SPDX-License-Identifier: MIT OR Apache-2.0
//! The distribution's packages that must not be installed: they conflict with
//! others, or change what programs do by default. They are fetched with
//! `apt-get download`, with what they depend on and is missing, and unpacked
//! below `target/packages`, once.

#![forbid(unsafe_code)]

use crate::library::Library;
use crate::process;
use crate::stage::target;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::{env, fs};

/// The file in which the versions of unpacked packages are listed.
const VERSIONS: &str = "versions";

/// A plugin of `package`: the installed one, else one that is unpacked now.
pub fn plugin(package: &str, file: &str) -> io::Result<PathBuf> {
    let installed = Library::Stock.plugins()?.join(file);
    if installed.exists() {
        return Ok(installed);
    }
    let inside = format!("{}/sasl2/{file}", libraries());
    // A link's name to the file itself.
    fs::canonicalize(unpacked(&[package])?.join(inside))
}

/// Where packages put libraries, without the leading slash.
pub fn libraries() -> String {
    format!("usr/lib/{}-linux-gnu", env::consts::ARCH)
}

/// Whether [`unpacked`] has nothing to fetch.
pub fn is_unpacked(packages: &[&str]) -> bool {
    root(packages).exists()
}

/// The folder that holds the files of `packages` as `/` would.
pub fn unpacked(packages: &[&str]) -> io::Result<PathBuf> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let root = root(packages);
    if root.exists() {
        return Ok(root);
    }
    let fresh = root.with_extension(format!("{}", std::process::id()));
    fs::create_dir_all(&fresh)?;
    fetch(packages, &fresh)?;
    // Another process may have been quicker.
    if fs::rename(&fresh, &root).is_err() {
        fs::remove_dir_all(&fresh)?;
    }
    Ok(root)
}

/// The version of a package: the unpacked one's or the installed one's.
pub fn version(package: &str, root: &Path) -> io::Result<String> {
    let unpacked = fs::read_to_string(root.join(VERSIONS)).unwrap_or_default();
    let listed = unpacked
        .lines()
        .find_map(|line| line.strip_prefix(package)?.strip_prefix('\t'));
    if let Some(version) = listed {
        return Ok(version.to_owned());
    }
    let mut query = Command::new("dpkg-query");
    query.args(["-W", "-f", "${Version}", package]);
    let output = process::run(&mut query)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn root(packages: &[&str]) -> PathBuf {
    target().join("packages").join(packages.join("+"))
}

fn fetch(packages: &[&str], folder: &Path) -> io::Result<()> {
    let mut download = Command::new("timeout");
    download.args(["300", "apt-get", "-q", "download"]);
    download.args(closure(packages)?).current_dir(folder);
    process::run(&mut download)?;
    let mut versions = String::new();
    for entry in fs::read_dir(folder)? {
        let file = entry?.path();
        if file.extension().is_none_or(|extension| extension != "deb") {
            continue;
        }
        let said = process::run(Command::new("dpkg-deb").arg("-W").arg(&file))?;
        versions.push_str(&String::from_utf8_lossy(&said.stdout));
        process::run(Command::new("dpkg").arg("-x").arg(&file).arg(folder))?;
        fs::remove_file(&file)?;
    }
    fs::write(folder.join(VERSIONS), versions)
}

/// The packages, and what their installation would bring in. Nothing is changed.
fn closure(packages: &[&str]) -> io::Result<Vec<String>> {
    let mut simulate = Command::new("apt-get");
    simulate.args(["-s", "-q", "--no-install-recommends", "install"]);
    let output = process::run(simulate.args(packages))?;
    let mut all: Vec<_> = packages.iter().map(ToString::to_string).collect();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let mut words = line.split(' ');
        if let (Some("Inst"), Some(name)) = (words.next(), words.next()) {
            all.push(name.to_owned());
        }
    }
    all.sort();
    all.dedup();
    Ok(all)
}
