// SPDX-License-Identifier: MIT OR Apache-2.0
//! `pwcheck_method: saslauthd`: asks Debian's saslauthd over its socket. The
//! request is four fields with two length bytes each (login, password,
//! service, realm), or five; only a reply that starts with `OK` is success. The whole
//! conversation is bounded in time.
#![forbid(unsafe_code)]

use super::PasswordCheck;
use super::peer::{self, Failure, Peer};
use crate::server::Server;
use core::ffi::CStr;
use saslplug::{Code, Error, Password, Result};
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const DEFAULT_SOCKET: &str = "/var/run/saslauthd/mux";
const REQUEST_MAX: usize = 8162;
const REPLY_MAX: usize = 1024;
const REMEDY: &str = "is saslauthd running? option saslauthd_path";

/// See the module.
pub(super) struct Saslauthd;

impl PasswordCheck for Saslauthd {
    fn name(&self) -> &'static str {
        "saslauthd"
    }

    fn check(&self, server: &Server, user: &CStr, password: Password<'_>) -> Result<()> {
        let conn = server.connection();
        let (login, realm) = split_realm(user.to_bytes(), conn.realm.borrow().as_deref());
        let remote = remote(server);
        let mut fields = vec![
            &login[..],
            password.as_bytes(),
            conn.endpoint.service.to_bytes(),
            &realm,
        ];
        fields.extend(remote.as_deref());
        let request = request(&fields)?;
        let socket = socket(server);
        let reply = exchange(&socket, &request)
            .map_err(|failure| peer::error(&socket, &failure, REMEDY))?;
        if is_yes(&reply) {
            Ok(())
        } else {
            Err(Error::new(Code::BADAUTH, "authentication failed"))
        }
    }

    fn exists(&self, _: &Server, _: &CStr) -> Result<()> {
        Err(Error::new(
            Code::NOVERIFY,
            "saslauthd cannot tell whether a user exists: its protocol only checks passwords",
        ))
    }
}

/// `user@realm` split at the last `@`; without one, the connection's realm.
fn split_realm(user: &[u8], realm: Option<&CStr>) -> (Vec<u8>, Vec<u8>) {
    match user.iter().rposition(|b| *b == b'@') {
        Some(at) => {
            let (login, rest) = user.split_at(at);
            (login.to_vec(), rest.get(1..).unwrap_or_default().to_vec())
        }
        None => (
            user.to_vec(),
            realm.map(|r| r.to_bytes().to_vec()).unwrap_or_default(),
        ),
    }
}

/// The word `OK`, alone or with a text behind it.
pub(crate) fn is_yes(reply: &[u8]) -> bool {
    match reply.strip_prefix(b"OK") {
        Some(rest) => rest
            .first()
            .is_none_or(|byte| matches!(byte, 0 | b' ' | b'\t' | b'\r' | b'\n')),
        None => false,
    }
}

/// The client's address as a fifth field, which newer daemons want and older
/// ones do not know: only where option `saslauthd_remote` says so.
fn remote(server: &Server) -> Option<Vec<u8>> {
    let conn = server.connection();
    let wanted = conn.option(None, c"saslauthd_remote")?;
    let yes = matches!(wanted.to_bytes(), [b'1' | b'y' | b't', ..] | b"on");
    let address = conn.remote.borrow();
    yes.then(|| {
        address
            .as_deref()
            .map(|address| address.to_bytes().to_vec())
            .unwrap_or_default()
    })
}

fn request(fields: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>> {
    let mut request = Zeroizing::new(Vec::with_capacity(512));
    for field in fields {
        let length = u16::try_from(field.len())
            .map_err(|_| Error::new(Code::FAIL, "saslauthd request too large"))?;
        request.extend_from_slice(&length.to_be_bytes());
        request.extend_from_slice(field);
    }
    if request.len() > REQUEST_MAX {
        return Err(Error::new(Code::FAIL, "saslauthd request too large"));
    }
    Ok(request)
}

fn socket(server: &Server) -> PathBuf {
    let configured = server.connection().option(None, c"saslauthd_path");
    let configured = configured.as_deref().map(CStr::to_string_lossy);
    let path = PathBuf::from(configured.as_deref().unwrap_or(DEFAULT_SOCKET));
    // The option wants the socket; many write its folder.
    if path.is_dir() {
        path.join("mux")
    } else {
        path
    }
}

fn exchange(path: &Path, request: &[u8]) -> core::result::Result<Vec<u8>, Failure> {
    let mut peer = Peer::connect(path, "cannot connect to saslauthd server")?;
    peer.send(request, "write failed")?;
    let mut head = [0; 2];
    peer.fill(&mut head, "size read failed")?;
    let length = usize::from(u16::from_be_bytes(head));
    if !(2..=REPLY_MAX).contains(&length) {
        let kind = io::ErrorKind::InvalidData;
        return Err(("bad response from saslauthd", kind.into()));
    }
    let mut reply = vec![0; length];
    peer.fill(&mut reply, "read failed")?;
    Ok(reply)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_realm_is_after_the_last_at() {
        assert_eq!(
            split_realm(b"a@b@c", Some(c"r")),
            (b"a@b".to_vec(), b"c".to_vec())
        );
        assert_eq!(
            split_realm(b"a", Some(c"r")),
            (b"a".to_vec(), b"r".to_vec())
        );
        assert_eq!(split_realm(b"a", None), (b"a".to_vec(), Vec::new()));
    }

    #[test]
    fn yes_is_a_word() {
        assert!(is_yes(b"OK") && is_yes(b"OK remote says so") && is_yes(b"OK\0"));
        for no in [
            &b"OKxyz"[..],
            b"ok",
            b" OK",
            b"NO",
            b"NO OK",
            b"O",
            b"",
            b"OK-ish",
        ] {
            assert!(!is_yes(no), "{no:?}");
        }
    }

    #[test]
    fn fields_are_counted() {
        let request = request(&[b"al", b"pw\0x", b"", b"r"]).expect("fits");
        assert_eq!(&request[..], b"\0\x02al\0\x04pw\0x\0\0\0\x01r");
        assert!(super::request(&[&[0; 9000]]).is_err());
        assert!(super::request(&[&[0; 70000]]).is_err());
    }
}
