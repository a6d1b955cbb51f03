// SPDX-License-Identifier: MIT OR Apache-2.0
//! `pwcheck_method: authdaemond`: asks Courier's authdaemond over its socket.
//! The request is `AUTH`, a count, and four lines (service, `login`, user,
//! password); a line with a dot alone ends a reply that means yes, `FAIL` is no.
//! The whole conversation is bounded in time.
#![forbid(unsafe_code)]

use super::PasswordCheck;
use super::peer::{self, Failure, Peer};
use crate::server::Server;
use core::ffi::CStr;
use saslplug::{Code, Error, Password, Result};
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Debian has no authdaemond: stock's default there is a path that no socket
/// has.
const DEFAULT_SOCKET: &str = "/dev/null";
/// The count is a number of four digits.
const REQUEST_MAX: usize = 9999;
const REPLY_MAX: usize = 64 * 1024;
const REMEDY: &str = "is authdaemond running? option authdaemond_path";

/// See the module.
pub(super) struct Authdaemond;

impl PasswordCheck for Authdaemond {
    fn name(&self) -> &'static str {
        "authdaemond"
    }

    fn check(&self, server: &Server, user: &CStr, password: Password<'_>) -> Result<()> {
        let conn = server.connection();
        let request = request(
            conn.endpoint.service.to_bytes(),
            user.to_bytes(),
            password.as_bytes(),
        )?;
        let path = conn.option(None, c"authdaemond_path");
        let path = path.as_deref().map(CStr::to_string_lossy);
        let path = PathBuf::from(path.as_deref().unwrap_or(DEFAULT_SOCKET));
        match exchange(&path, &request) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::new(Code::BADAUTH, "could not verify password")),
            Err(failure) => Err(peer::error(&path, &failure, REMEDY)),
        }
    }

    fn exists(&self, _: &Server, _: &CStr) -> Result<()> {
        Err(Error::new(
            Code::NOVERIFY,
            "authdaemond cannot tell whether a user exists: its protocol only checks passwords",
        ))
    }
}

fn request(service: &[u8], user: &[u8], password: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let fields = [service, b"login", user, password];
    // A line feed would begin another line, which is another question.
    if fields.iter().any(|field| field.contains(&b'\n')) {
        let why = "a line feed in the user's name or password cannot be sent to authdaemond";
        return Err(Error::new(Code::BADAUTH, why));
    }
    let mut lines = Zeroizing::new(Vec::new());
    for field in fields {
        lines.extend_from_slice(field);
        lines.push(b'\n');
    }
    if lines.len() > REQUEST_MAX {
        return Err(Error::new(Code::FAIL, "authdaemond request too large"));
    }
    let mut request = Zeroizing::new(format!("AUTH {}\n", lines.len()).into_bytes());
    request.extend_from_slice(&lines);
    request.push(b'\n');
    Ok(request)
}

/// Whether the reply means yes.
fn exchange(path: &Path, request: &[u8]) -> core::result::Result<bool, Failure> {
    let mut peer = Peer::connect(path, "cannot connect to Courier authdaemond")?;
    peer.send(request, "write to authdaemond failed")?;
    let (mut reply, mut part) = (Zeroizing::new(Vec::new()), [0; 1024]);
    loop {
        let count = peer.receive(&mut part, "read from authdaemond failed")?;
        reply.extend_from_slice(part.get(..count).unwrap_or_default());
        if let Some(verdict) = verdict(&reply) {
            return Ok(verdict);
        }
        if count == 0 {
            return Err((
                "read from authdaemond failed",
                io::ErrorKind::UnexpectedEof.into(),
            ));
        }
        if reply.len() > REPLY_MAX {
            return Err((
                "bad response from authdaemond",
                io::ErrorKind::InvalidData.into(),
            ));
        }
    }
}

/// What the complete lines so far say; `None`: not yet.
pub(crate) fn verdict(reply: &[u8]) -> Option<bool> {
    let complete = reply.get(..reply.iter().rposition(|byte| *byte == b'\n')?)?;
    complete
        .split(|byte| *byte == b'\n')
        .find_map(|line| match line {
            b"." => Some(true),
            b"FAIL" => Some(false),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_of_the_four_lines() {
        let made = request(b"imap", b"alice@lab.test", b"secret").unwrap();
        assert_eq!(
            &made[..],
            b"AUTH 33\nimap\nlogin\nalice@lab.test\nsecret\n\n"
        );
        assert_eq!(
            request(b"imap", b"a\nFAIL", b"x").unwrap_err().code(),
            Code::BADAUTH
        );
        assert!(request(b"imap", b"a", &[b'x'; 9990]).is_err());
    }

    #[test]
    fn only_whole_lines_count() {
        assert_eq!(verdict(b""), None);
        assert_eq!(verdict(b"."), None);
        assert_eq!(verdict(b"UID=5\n"), None);
        assert_eq!(verdict(b"UID=5\nHOME=/\n.\n"), Some(true));
        assert_eq!(verdict(b"FAIL\n"), Some(false));
        assert_eq!(verdict(b"FAIL\n.\n"), Some(false));
        assert_eq!(verdict(b"..\nFAILED\n x.\n"), None);
    }
}
