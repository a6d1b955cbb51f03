// SPDX-License-Identifier: MIT OR Apache-2.0
//! The distribution's saslauthd, verifying passwords by logging in at an IMAP
//! server, on a socket in the scratch folder.

#![forbid(unsafe_code)]

use crate::process::{Process, in_session};
use crate::scratch::Scratch;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A running saslauthd.
#[derive(Debug)]
pub struct Saslauthd {
    process: Process,
    socket: PathBuf,
}

impl Saslauthd {
    /// Starts it; names get their realm back before they are sent to `imap`.
    pub fn start(scratch: &Scratch, imap: SocketAddr) -> io::Result<Self> {
        let folder = scratch.folder("saslauthd")?;
        let mut command = in_session("saslauthd");
        command.args(["-d", "-V", "-r", "-n", "1", "-a", "rimap"]);
        command.args(["-O", &format!("{}/{}", imap.ip(), imap.port())]);
        command.arg("-m").arg(&folder);
        let log = scratch.join("saslauthd.log");
        let mut process = Process::start("saslauthd", &mut command, &log)?;
        let socket = folder.join("mux");
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
