// SPDX-License-Identifier: MIT OR Apache-2.0
//! CRAM-MD5's answer (RFC 2195) as `openssl` computes it: the peers of the
//! lab must not depend on what they test.

#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::process::{Command, Stdio};

/// `user digest` for a challenge.
pub fn cram_md5(user: &str, password: &str, challenge: &[u8]) -> io::Result<String> {
    let key: String = password.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut child = Command::new("openssl")
        .args(["dgst", "-md5", "-mac", "HMAC", "-macopt"])
        .args([&format!("hexkey:{key}"), "-r"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("openssl: {error}")))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(challenge)?;
    }
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    match said.split_whitespace().next() {
        Some(digest) if output.status.success() => Ok(format!("{user} {digest}")),
        _ => Err(io::Error::other(format!("openssl dgst: {}", output.status))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc() {
        let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
        let answer = cram_md5("tim", "tanstaaftanstaaf", challenge).unwrap();
        assert_eq!(answer, "tim b913a602c7eda7a495b4e6e7334d3890");
    }
}
