// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cyrus's own `imtest`, a client that uses libsasl2 itself. It exits with 0
//! whatever happens, so its words are read.

#![forbid(unsafe_code)]

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

/// Where its kind are: `imtest`, `pop3test`, `sivtest`, …
const FOLDER: &str = "/usr/lib/cyrus/bin";

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
    run_program("imtest", address, options, [user, password], environment)
}

/// The same with another of its kind; `user` is a name and a password.
pub fn run_program(
    program: &str,
    address: SocketAddr,
    options: &[&str],
    user: [&str; 2],
    environment: &[String],
) -> io::Result<Outcome> {
    let [name, password] = user;
    let output = Command::new("timeout")
        .args(["60", "env"])
        .args(environment)
        .arg(Path::new(FOLDER).join(program))
        .args(options)
        .args(["-a", name, "-u", name, "-w", password])
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
