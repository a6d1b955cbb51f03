// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cyrus's own `imtest`, a client that uses libsasl2 itself. It exits with 0
//! whatever happens, so its words are read.

#![forbid(unsafe_code)]

use std::io;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

const IMTEST: &str = "/usr/lib/cyrus/bin/imtest";

/// What `imtest` achieved.
#[derive(Debug)]
pub struct Outcome {
    /// Whether it was logged in.
    pub authenticated: bool,
    /// The whole conversation.
    pub said: String,
}

impl Outcome {
    /// The strength of the security layer, as the client calls it.
    pub fn layer(&self) -> Option<u32> {
        let told = "Security strength factor: ";
        let line = self.said.lines().find_map(|line| line.strip_prefix(told))?;
        line.trim().parse().ok()
    }
}

/// Logs in with one mechanism; `login` is the LOGIN command. `environment`
/// holds `NAME=value` words for the client (its own libsasl2).
pub fn run(
    address: SocketAddr,
    mechanism: &str,
    user: &str,
    password: &str,
    environment: &[String],
) -> io::Result<Outcome> {
    run_with(address, &["-m", mechanism], user, password, environment)
}

/// The same with the options that choose a mechanism and a security layer.
pub fn run_with(
    address: SocketAddr,
    options: &[&str],
    user: &str,
    password: &str,
    environment: &[String],
) -> io::Result<Outcome> {
    let output = Command::new("timeout")
        .args(["60", "env"])
        .args(environment)
        .arg(IMTEST)
        .args(options)
        .args(["-a", user, "-u", user, "-w", password])
        .args(["-p", &address.port().to_string()])
        .arg(address.ip().to_string())
        // At the end of its input it logs out.
        .stdin(Stdio::null())
        .output()?;
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(Outcome {
        authenticated: said.lines().any(|line| line.starts_with("Authenticated.")),
        said,
    })
}
