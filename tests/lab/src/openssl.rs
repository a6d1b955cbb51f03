// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers of CRAM-MD5 (RFC 2195) and DIGEST-MD5 (RFC 2831) as `openssl`
//! computes them: the peers of the lab must not depend on what they test.

#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::process::{Command, Stdio};

/// `user digest` for a challenge.
pub fn cram_md5(user: &str, password: &str, challenge: &[u8]) -> io::Result<String> {
    let key = hex(password.as_bytes());
    let key = format!("hexkey:{key}");
    let digest = digest(&["-mac", "HMAC", "-macopt", &key], challenge)?;
    Ok(format!("{user} {digest}"))
}

/// MD5 in hexadecimal digits.
pub fn md5(text: &[u8]) -> io::Result<String> {
    digest(&[], text)
}

/// What DIGEST-MD5 is told besides the challenge.
#[derive(Debug, Clone, Copy)]
pub struct Login<'a> {
    /// The name, without the realm.
    pub user: &'a str,
    /// The realm, which the server must have offered.
    pub realm: &'a str,
    /// The password.
    pub password: &'a str,
    /// `service/host`.
    pub uri: &'a str,
}

/// The response to a challenge, with the layer that RC4 of 128 bits makes.
pub fn digest_md5(login: Login<'_>, challenge: &str) -> io::Result<String> {
    let Login {
        user,
        realm,
        password,
        uri,
    } = login;
    let nonce = challenge
        .split_once("nonce=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .ok_or_else(|| io::Error::other(format!("no nonce: {challenge}")))?
        .0;
    let cnonce = "bGFiLWNub25jZS1sYWI";
    let mut first = bytes(&md5(format!("{user}:{realm}:{password}").as_bytes())?);
    first.extend(format!(":{nonce}:{cnonce}").bytes());
    let first = md5(&first)?;
    let second = md5(format!("AUTHENTICATE:{uri}:{}", "0".repeat(32)).as_bytes())?;
    let all = format!("{first}:{nonce}:00000001:{cnonce}:auth-conf:{second}");
    let response = md5(all.as_bytes())?;
    Ok(format!(
        "charset=utf-8,username=\"{user}\",realm=\"{realm}\",nonce=\"{nonce}\",nc=00000001,\
         cnonce=\"{cnonce}\",qop=auth-conf,cipher=rc4,maxbuf=65536,digest-uri=\"{uri}\",\
         response={response}"
    ))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let pair = |at: usize| {
        hex.get(at..at + 2)
            .and_then(|two| u8::from_str_radix(two, 16).ok())
    };
    (0..hex.len()).step_by(2).filter_map(pair).collect()
}

fn digest(options: &[&str], text: &[u8]) -> io::Result<String> {
    let mut child = Command::new("openssl")
        .args(["dgst", "-md5", "-r"])
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("openssl: {error}")))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(text)?;
    }
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    match said.split_whitespace().next() {
        Some(digest) if output.status.success() => Ok(digest.to_owned()),
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

    #[test]
    fn hexadecimal_there_and_back() {
        assert_eq!(bytes(&hex(b"\x00a\xff")), b"\x00a\xff");
        assert_eq!(md5(b"").unwrap(), "d41d8cd98f00b204e9800998ecf8427e");
    }
}
