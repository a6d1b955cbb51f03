// SPDX-License-Identifier: MIT OR Apache-2.0
//! A mount namespace of a server's own, where files of ours stand in place of
//! the system's; nothing of the host changes.

#![forbid(unsafe_code)]

use crate::process::in_session;
use crate::scratch::Scratch;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

const ENTER: &str = r#"
set -e
while [ "$1" != -- ]; do mount --bind "$1" "$2"; shift 2; done
shift
exec env "$@"
"#;

/// The command that sees each first path at its second; `NAME=value` words
/// may precede the program's name as arguments (`env` reads them).
pub fn with_mounts(mounts: &[(&Path, &str)]) -> Command {
    let mut command = in_session("unshare");
    command.args(["-m", "sh", "-c", ENTER, "enter"]);
    for (ours, system) in mounts {
        command.arg(ours).arg(system);
    }
    command.arg("--");
    command
}

/// Words before a program's name that give it a host name of its own.
pub fn named(host: &str) -> [String; 7] {
    let script = "hostname \"$1\" && shift && exec env \"$@\"";
    ["unshare", "-u", "sh", "-c", script, "named", host].map(str::to_owned)
}

/// A copy of a system's file with more lines at its end.
pub fn with_lines(scratch: &Scratch, file: &str, lines: &str) -> io::Result<PathBuf> {
    let text = std::fs::read_to_string(file)? + lines;
    scratch.file(&file.replace('/', "_"), &text)
}
