// SPDX-License-Identifier: MIT OR Apache-2.0
//! The hashes of RFC 2831 section 2.1.2: from name, realm and password to the
//! secret, from the secret to the session's key, from that to the two answers.
#![forbid(unsafe_code)]

use crate::HttpRequest;
use crate::hex::{hex, hex_number};
use md5::{Digest, Md5};
use std::borrow::Cow;
use zeroize::{Zeroize, Zeroizing};

/// An MD5 value that is worth a password.
pub(super) type Key = Zeroizing<[u8; 16]>;

/// MD5 of the parts in a row.
pub(super) fn md5(parts: &[&[u8]]) -> Key {
    let mut hash = Md5::new();
    for part in parts {
        hash.update(part);
    }
    Zeroizing::new(hash.finalize().into())
}

/// Which form of name, realm and password goes into the hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Charset {
    /// ISO 8859-1 where that can hold the text: what the RFC asks for.
    Latin1,
    /// UTF-8 always: what many implementations do.
    Utf8,
}

/// A text in one of the two forms; wiped if it is a copy.
struct Encoded<'a>(Cow<'a, [u8]>);

impl Drop for Encoded<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(copy) = &mut self.0 {
            copy.zeroize();
        }
    }
}

impl Charset {
    fn encode(self, text: &[u8]) -> Encoded<'_> {
        let latin1 = || -> Option<Vec<u8>> {
            let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
            for letter in core::str::from_utf8(text).ok()?.chars() {
                bytes.push(u8::try_from(u32::from(letter)).ok()?);
            }
            Some(core::mem::take(&mut *bytes))
        };
        let changed = match self {
            Self::Latin1 if !text.is_ascii() => latin1(),
            _ => None,
        };
        Encoded(changed.map_or(Cow::Borrowed(text), Cow::Owned))
    }
}

/// What a store may hold instead of the password (`cmusaslsecretDIGEST-MD5`).
pub(super) fn secret(charset: Charset, name: &[u8], realm: &[u8], password: &[u8]) -> Key {
    let (name, realm, password) = (
        charset.encode(name),
        charset.encode(realm),
        charset.encode(password),
    );
    md5(&[&name.0, b":", &realm.0, b":", &password.0])
}

/// What both sides know of one login; all values as they are inside quotes.
pub(super) struct Session<'a> {
    pub(super) nonce: &'a [u8],
    pub(super) cnonce: &'a [u8],
    pub(super) count: u32,
    pub(super) qop: &'a str,
    pub(super) uri: &'a [u8],
    pub(super) authzid: Option<&'a [u8]>,
    /// Inside HTTP: what the answers are about.
    pub(super) http: Option<&'a HttpRequest>,
}

impl Session<'_> {
    /// H(A1), from which layers derive their keys. Inside HTTP the secret goes in
    /// as digits, as stock and RFC 2617's sample code do it.
    pub(super) fn key(&self, secret: &[u8; 16]) -> Key {
        let digits;
        let secret = if self.http.is_some() {
            digits = hex(secret);
            digits.as_slice()
        } else {
            secret
        };
        match self.authzid {
            Some(authzid) => md5(&[secret, b":", self.nonce, b":", self.cnonce, b":", authzid]),
            None => md5(&[secret, b":", self.nonce, b":", self.cnonce]),
        }
    }

    /// `response`: the client knows the password.
    pub(super) fn response(&self, key: &[u8; 16]) -> Zeroizing<[u8; 32]> {
        self.answer(key, self.http.map_or(b"AUTHENTICATE", |http| &http.method))
    }

    /// `rspauth`: the server knows it too.
    pub(super) fn rspauth(&self, key: &[u8; 16]) -> Zeroizing<[u8; 32]> {
        self.answer(key, b"")
    }

    fn answer(&self, key: &[u8; 16], method: &[u8]) -> Zeroizing<[u8; 32]> {
        let method = match (self.qop, self.http) {
            ("auth", _) => md5(&[method, b":", self.uri]),
            (_, None) => md5(&[method, b":", self.uri, b":", &[b'0'; 32]]),
            (_, Some(http)) => {
                let entity = hex(&md5(&[&http.entity]));
                md5(&[method, b":", self.uri, b":", entity.as_slice()])
            }
        };
        hex(&md5(&[
            hex(key).as_slice(),
            b":",
            self.nonce,
            b":",
            &hex_number(self.count),
            b":",
            self.cnonce,
            b":",
            self.qop.as_bytes(),
            b":",
            hex(&method).as_slice(),
        ]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 2831 section 4.
    #[test]
    fn rfc_vectors() {
        let vectors = [
            (
                "imap/elwood.innosoft.com",
                "OA6MG9tEQGm2hh",
                "OA6MHXh6VqTrRk",
                "d388dad90d4bbd760a152321f2143af7",
                "ea40f60335c427b5527b84dbabcdfffd",
            ),
            (
                "acap/elwood.innosoft.com",
                "OA9BSXrbuRhWay",
                "OA9BSuZWMSpW8m",
                "6084c6db3fede7352c551284490fd0fc",
                "2f0b3d7c3c2e486600ef710726aa2eae",
            ),
        ];
        for (uri, nonce, cnonce, response, rspauth) in vectors {
            let secret = secret(Charset::Latin1, b"chris", b"elwood.innosoft.com", b"secret");
            let session = Session {
                nonce: nonce.as_bytes(),
                cnonce: cnonce.as_bytes(),
                count: 1,
                qop: "auth",
                uri: uri.as_bytes(),
                authzid: None,
                http: None,
            };
            let key = session.key(&secret);
            assert_eq!(session.response(&key).as_slice(), response.as_bytes());
            assert_eq!(session.rspauth(&key).as_slice(), rspauth.as_bytes());
        }
    }

    /// Messages of Debian's libdigestmd5 2.1.28.
    #[test]
    fn answers_of_the_stock_library() {
        let recorded = [
            (
                "auth-int",
                "3vggW9mJByXFffSfzVroUd4E5GaznPY7HB4KzfMcHRs=",
                "KouFYUDV+8NRyWvFnQgEEi0ZO7DX6Y3M0cmDyISRydc=",
                "1af2ff44c03518fb979510b9eb2c1bc2",
                "7d9e5ede2e3e365836dbbcd52e0f3482",
            ),
            (
                "auth-conf",
                "szTkZ1O2/ub2vzyVnxL40N5/ZXiTuwagGbdFaRUykk4=",
                "Yvl5XoNv8b5lQmsvSCUk/YoDdgdx+cCF4USFQajxCjw=",
                "7ac66453ba84d1a1481638a883b80579",
                "41f20b804b3862e253f271db34c8eb26",
            ),
        ];
        for (qop, nonce, cnonce, response, rspauth) in recorded {
            let secret = secret(
                Charset::Latin1,
                b"tim",
                b"host.example.com",
                b"tanstaaftanstaaf",
            );
            let session = Session {
                nonce: nonce.as_bytes(),
                cnonce: cnonce.as_bytes(),
                count: 1,
                qop,
                uri: b"imap/host.example.com",
                authzid: None,
                http: None,
            };
            let key = session.key(&secret);
            assert_eq!(session.response(&key).as_slice(), response.as_bytes());
            assert_eq!(session.rspauth(&key).as_slice(), rspauth.as_bytes());
        }
    }

    /// What Debian's libdigestmd5 2.1.28 says inside HTTP.
    #[test]
    fn http_answers_of_the_stock_library() {
        let http = HttpRequest {
            method: b"GET".to_vec(),
            uri: b"/a/b?c=d".to_vec(),
            entity: b"body".to_vec(),
        };
        let recorded = [
            (
                ("bob", "secret", "auth"),
                "4pFIX44YES3RxnBRQMbfdUQ4zFURqNJXVzeyNzCcHSk=",
                "x7n/jFZfV8Cx+Y0pMnVDd4eOW4zGFP44hF+/ZRk8iB8=",
                "16c780febdbcbd27e04f1eee8137f1fd",
                "9df174519daca2e72289d02c278bbf6b",
            ),
            (
                ("bob", "secret", "auth-int"),
                "Vqv16s2t7MQ03FbvKE7BbMFwplYj1nz4V6JJHG4rU3M=",
                "P4RyQMTc6pDo7iAY0U6WnOnduCY764T0VZp+sk5SKOU=",
                "011a38fd1d3147a04eb7ea0371a190a2",
                "bd16d880ff0e5eeed7b6fcdcf03bb3e0",
            ),
            (
                ("bob", "secret", "auth-conf"),
                "8UJerknXEEUslwfKlugSyQMrWGUAmyvQKuUV9HltJ8s=",
                "oCjnAnvnh+E6ZVl888IrOj0ohUi+KOsxP8S0X19yNfg=",
                "df87350346d741d3ad048949d3d9c49a",
                "7b60fa4f3e9a8f4ceedfd5cad2341388",
            ),
            (
                ("josé", "päss", "auth"),
                "D9TfzVvQtTwkxLSJNQfCbyMNYwIZsENaf+8Dqeliaws=",
                "IOQW2afGSl63dueSUTNmPvYEG45tV1UBM3qpJxQdi3g=",
                "a0a4d8243c5df98df2f272b634e1331a",
                "3b32cd52544c300f59fd8b444bf56fc7",
            ),
        ];
        for ((name, password, qop), nonce, cnonce, response, rspauth) in recorded {
            let (name, password) = (name.as_bytes(), password.as_bytes());
            let secret = secret(Charset::Latin1, name, b"the realm", password);
            let session = Session {
                nonce: nonce.as_bytes(),
                cnonce: cnonce.as_bytes(),
                count: 1,
                qop,
                uri: &http.uri,
                authzid: None,
                http: Some(&http),
            };
            let key = session.key(&secret);
            assert_eq!(session.response(&key).as_slice(), response.as_bytes());
            assert_eq!(session.rspauth(&key).as_slice(), rspauth.as_bytes());
        }
    }

    #[test]
    fn latin1_where_it_fits() {
        let shown = |charset: Charset, text: &str| charset.encode(text.as_bytes()).0.to_vec();
        assert_eq!(shown(Charset::Latin1, "josé"), b"jos\xe9");
        assert_eq!(shown(Charset::Utf8, "josé"), "josé".as_bytes());
        assert_eq!(shown(Charset::Latin1, "jos€"), "jos€".as_bytes());
        assert_eq!(Charset::Latin1.encode(b"\xe9").0.to_vec(), b"\xe9");
    }
}
