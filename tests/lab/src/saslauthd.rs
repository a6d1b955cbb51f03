// SPDX-License-Identifier: MIT OR Apache-2.0
//! The distribution's saslauthd, verifying passwords by logging in at an IMAP
//! server, on a socket in the scratch folder.

#![forbid(unsafe_code)]

use crate::private;
use crate::process::Process;
use crate::scratch::Scratch;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

/// A running saslauthd.
#[derive(Debug)]
pub struct Saslauthd {
    process: Process,
    socket: PathBuf,
}

impl Saslauthd {
    /// Starts it; names get their realm back before they are sent to `imap`.
    pub fn start(scratch: &Scratch, imap: SocketAddr) -> io::Result<Self> {
        let server = format!("{}/{}", imap.ip(), imap.port());
        Self::start_with(scratch, &["-r", "-a", "rimap", "-O", &server], &[])
    }

    /// Starts it with these options, each first path in place of its second.
    pub fn start_with(
        scratch: &Scratch,
        options: &[&str],
        mounts: &[(&Path, &str)],
    ) -> io::Result<Self> {
        let folder = scratch.folder("saslauthd")?;
        let socket = folder.join("mux");
        if socket.exists() {
            // One that has ended leaves it.
            fs::remove_file(&socket)?;
        }
        let mut command = private::with_mounts(mounts);
        command.args(["saslauthd", "-d", "-V", "-n", "1"]);
        command.args(options).arg("-m").arg(&folder);
        let log = scratch.join("saslauthd.log");
        let mut process = Process::start("saslauthd", &mut command, &log)?;
        process.wait_ready(Duration::from_secs(20), || Ok(socket.exists()))?;
        Ok(Self { process, socket })
    }

    /// The value of the option `saslauthd_path`.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// What it said.
    pub fn output(&self) -> String {
        self.process.output()
    }
}
