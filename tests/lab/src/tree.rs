// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs of packages that are not installed, and would change the machine if
//! they were: fetched and unpacked once, and laid over the root folder in a mount
//! namespace of their own, which ends with the last program in it.

#![forbid(unsafe_code)]

use crate::process::{in_session, run};
use crate::stage::target;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, process};

/// $1: the unpacked packages, $2: a folder shared with us, $3: the script.
const ENTER: &str = r#"
set -e
over=$2/over
mkdir -p "$over"
mount -t tmpfs tmpfs "$over"
mkdir "$over/up" "$over/work" "$over/root"
cp -a "$1" "$over/packages"
lower=$over/packages:/
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$over/up,workdir=$over/work" "$over/root"
mount --rbind /proc "$over/root/proc"
mount --rbind /dev "$over/root/dev"
mount -t tmpfs tmpfs "$over/root/run"
mount --bind "$2" "$over/root$2"
exec chroot "$over/root" sh -ec "$3" tree "$2"
"#;

/// Unpacked packages.
#[derive(Debug)]
pub struct Tree(PathBuf);

impl Tree {
    /// `packages` and all that they need and the machine has not.
    pub fn of(packages: &[&str]) -> io::Result<Self> {
        let name = packages.join("+");
        let folder = target().join("packages").join(&name);
        if !folder.exists() {
            let part = folder.with_file_name(format!("{name}-{}", process::id()));
            unpack(packages, &part)?;
            // Another test may have been faster.
            if fs::rename(&part, &folder).is_err() {
                fs::remove_dir_all(&part)?;
            }
        }
        Ok(Self(folder))
    }

    /// Runs `script` as root among the packages; `$1` is `shared`, which is the same
    /// folder inside and outside.
    pub fn command(&self, shared: &Path, script: &str) -> Command {
        let mut command = in_session("unshare");
        command.args(["-m", "sh", "-c", ENTER, "enter"]);
        command.arg(&self.0).arg(shared).arg(script);
        command
    }
}

/// What would be installed with `packages`.
fn missing(packages: &[&str]) -> io::Result<Vec<String>> {
    let mut ask = Command::new("apt-get");
    ask.args(["-s", "install", "--no-install-recommends"]);
    let answer = run(ask.args(packages))?;
    let text = String::from_utf8_lossy(&answer.stdout).into_owned();
    let name = |line: &str| {
        line.strip_prefix("Inst ")?
            .split(' ')
            .next()
            .map(str::to_owned)
    };
    Ok(text.lines().filter_map(name).collect())
}

fn unpack(packages: &[&str], folder: &Path) -> io::Result<()> {
    let fetched = folder.join("fetched");
    fs::create_dir_all(&fetched)?;
    let mut download = Command::new("timeout");
    download.args(["600", "apt-get", "-q", "download"]);
    download.args(missing(packages)?).current_dir(&fetched);
    let done = run(&mut download).and_then(|_| {
        for entry in fs::read_dir(&fetched)? {
            let file = entry?.path();
            run(Command::new("dpkg").arg("-x").arg(file).arg(folder))?;
        }
        merge(folder)
    });
    fs::remove_dir_all(&fetched)?;
    done
}

/// Moves `/bin` and the like into `/usr`, where the machine's links lead.
fn merge(folder: &Path) -> io::Result<()> {
    for name in ["bin", "sbin", "lib", "lib64"] {
        let old = folder.join(name);
        if old.exists() {
            let into = folder.join("usr").join(name);
            fs::create_dir_all(&into)?;
            run(Command::new("cp").arg("-a").arg(old.join(".")).arg(&into))?;
            fs::remove_dir_all(&old)?;
        }
    }
    Ok(())
}
