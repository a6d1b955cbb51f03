// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program that loads the plugin as servers do, under stock libsasl2.
#![allow(dead_code, reason = "each test file uses its part")]

use super::support::CANARY;
use lab::library::Library;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The plugin that cargo built for this test.
pub(crate) fn plugin() -> PathBuf {
    let folder = std::env::current_exe()
        .unwrap()
        .parent()
        .unwrap()
        .to_owned();
    let file = folder.join("libldapdb.so");
    assert!(file.exists(), "{} is not built", file.display());
    file
}

/// Which libldapdb.so, and under which library.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Plugin {
    /// Ours under stock.
    Ours,
    /// Stock under stock.
    Stock,
    /// Ours under ours.
    Whole,
}

impl Plugin {
    fn library(self) -> Library {
        match self {
            Self::Ours | Self::Stock => Library::Stock,
            Self::Whole => Library::Ours,
        }
    }
}

const STOCK: &str = "/usr/lib/x86_64-linux-gnu/sasl2";

/// A folder with the C program and two plugin folders in it; made once.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let name = format!("host-{}", env!("CARGO_CRATE_NAME"));
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/host.c");
        let out = Command::new("cc")
            .args([
                "-Wall",
                "-Wextra",
                "-Wno-cast-function-type",
                "-Werror",
                "-o",
            ])
            .arg(folder.join("host"))
            .arg(source)
            .args(["-lsasl2", "-ldl"])
            .output()
            .unwrap();
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
        for (plugins, ldapdb) in [
            ("Ours", plugin()),
            ("Whole", plugin()),
            ("Stock", Path::new(STOCK).join("libldapdb.so")),
        ] {
            let plugins = folder.join(plugins);
            std::fs::create_dir_all(&plugins).unwrap();
            std::os::unix::fs::symlink(ldapdb, plugins.join("libldapdb.so")).unwrap();
            for name in [
                "libplain.so",
                "libdigestmd5.so",
                "libscram.so",
                "libcrammd5.so",
            ] {
                let stock = Path::new(STOCK).join(name);
                std::os::unix::fs::symlink(stock, plugins.join(name)).unwrap();
            }
        }
        folder
    })
}

/// What the program printed.
pub(crate) fn run(which: Plugin, options: &[(&str, &str)], action: &[&str]) -> Vec<String> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let maps = folder().join(format!("maps-{number}"));
    let mut command = Command::new(folder().join("host"));
    which.library().select(&mut command).unwrap();
    let out = command
        .arg(folder().join(format!("{which:?}")))
        .args(
            options
                .iter()
                .map(|(name, value)| format!("{name}={value}")),
        )
        .arg("--")
        .args(action)
        .env("TRACE_MAPS", &maps)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let errors = String::from_utf8_lossy(&out.stderr);
    assert!(
        out.status.success() && text.ends_with("done\n"),
        "{text}{errors}"
    );
    assert!(
        !text.contains(CANARY),
        "a password is in the output: {text}"
    );
    let mapped = std::fs::read_to_string(&maps).unwrap();
    which.library().require_in(&mapped).unwrap();
    text.lines().map(str::to_owned).collect()
}

pub(crate) fn has(lines: &[String], line: &str) {
    assert!(
        lines.iter().any(|l| l == line),
        "{line:?} is not in {lines:#?}"
    );
}
