// SPDX-License-Identifier: MIT OR Apache-2.0
//! Certificates for scratch servers, made by the `openssl` program.

#![forbid(unsafe_code)]

use crate::process;
use crate::scratch::Scratch;
use std::io;
use std::path::PathBuf;
use std::process::Command;

/// A certificate that is its own authority, and its key.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The file of the certificate (PEM).
    pub file: PathBuf,
    /// The file of the key (PEM).
    pub key: PathBuf,
}

impl Certificate {
    /// Makes one in the scratch folder; `name` is a host name or an IPv4 address.
    pub fn new(scratch: &Scratch, name: &str) -> io::Result<Self> {
        let made = Self {
            file: scratch.join(&format!("{name}.pem")),
            key: scratch.join(&format!("{name}.key")),
        };
        let kind = match name.parse::<std::net::Ipv4Addr>() {
            Ok(_) => "IP",
            Err(_) => "DNS",
        };
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"]);
        command.args(["-pkeyopt", "ec_paramgen_curve:P-256"]);
        command.args(["-subj", &format!("/CN={name}"), "-addext"]);
        command.arg(format!("subjectAltName={kind}:{name}"));
        command.arg("-keyout").arg(&made.key);
        command.arg("-out").arg(&made.file);
        process::run(&mut command)?;
        Ok(made)
    }
}
