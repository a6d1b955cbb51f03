// SPDX-License-Identifier: MIT OR Apache-2.0
//! The header of the first message (RFC 5801 section 4):
//! `[F,](n|y|p=TYPE),[a=NAME],`. Pure functions.
#![forbid(unsafe_code)]

use mech::Disposition;
use saslplug::{Code, Error, Result};

/// A header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The token after it has no frame of its own.
    pub(super) bare: bool,
    /// What the client says about channel binding.
    pub(super) disposition: Disposition,
    /// The binding's type, with [`Disposition::Used`].
    pub(super) binding: Option<String>,
    /// The name to act as; empty when there is none.
    pub(super) authzid: Vec<u8>,
}

fn malformed(what: &'static str) -> Error {
    Error::new(Code::BADPROT, what)
}

impl Header {
    /// The header without `F,`: what channel bindings begin with.
    pub(super) fn bound(&self) -> Vec<u8> {
        let mut out = match (self.disposition, &self.binding) {
            (Disposition::Used, Some(name)) => format!("p={name}").into_bytes(),
            (Disposition::Want, _) => b"y".to_vec(),
            _ => b"n".to_vec(),
        };
        out.push(b',');
        if !self.authzid.is_empty() {
            out.extend_from_slice(b"a=");
            for byte in &self.authzid {
                match byte {
                    b',' => out.extend_from_slice(b"=2C"),
                    b'=' => out.extend_from_slice(b"=3D"),
                    other => out.push(*other),
                }
            }
        }
        out.push(b',');
        out
    }

    /// The header as it is sent.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut out = if self.bare {
            b"F,".to_vec()
        } else {
            Vec::new()
        };
        out.extend_from_slice(&self.bound());
        out
    }

    /// The header in front of a message, and the token after it.
    ///
    /// # Errors
    /// `BADPROT`.
    pub(super) fn parse(message: &[u8]) -> Result<(Self, &[u8])> {
        let (bare, rest) = match message.strip_prefix(b"F,") {
            Some(rest) => (true, rest),
            None => (false, message),
        };
        let (flag, rest) = until_comma(rest)?;
        let (disposition, binding) = match flag {
            b"n" => (Disposition::None, None),
            b"y" => (Disposition::Want, None),
            flag => (Disposition::Used, Some(binding_name(flag)?)),
        };
        let (name, rest) = until_comma(rest)?;
        let authzid = match name {
            [] => Vec::new(),
            [b'a', b'=', escaped @ ..] => unescape(escaped)?,
            _ => return Err(malformed("the GS2 header has an unknown part")),
        };
        let header = Self {
            bare,
            disposition,
            binding,
            authzid,
        };
        Ok((header, rest))
    }
}

fn until_comma(bytes: &[u8]) -> Result<(&[u8], &[u8])> {
    let mut parts = bytes.splitn(2, |byte| *byte == b',');
    match (parts.next(), parts.next()) {
        (Some(part), Some(rest)) => Ok((part, rest)),
        _ => Err(malformed("the GS2 header has no end")),
    }
}

/// `p=TYPE`: letters, digits, dots and hyphens.
fn binding_name(flag: &[u8]) -> Result<String> {
    let name = flag
        .strip_prefix(b"p=")
        .filter(|name| !name.is_empty())
        .ok_or(malformed("the GS2 header has an unknown flag"))?;
    let good = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    if !name.iter().all(good) {
        return Err(malformed("the channel binding's type is no name"));
    }
    Ok(String::from_utf8_lossy(name).into_owned())
}

fn unescape(escaped: &[u8]) -> Result<Vec<u8>> {
    let bad = malformed("the authzid in the GS2 header is no saslname");
    let mut out = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match first {
            0 => return Err(bad),
            b'=' => {
                let (code, tail) = rest.split_first_chunk::<2>().ok_or(bad.clone())?;
                out.push(match code {
                    b"2C" => b',',
                    b"3D" => b'=',
                    _ => return Err(bad),
                });
                rest = tail;
            }
            other => out.push(*other),
        }
    }
    if out.is_empty() || core::str::from_utf8(&out).is_err() {
        return Err(bad);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(disposition: Disposition, binding: Option<&str>, authzid: &[u8]) -> Header {
        Header {
            bare: false,
            disposition,
            binding: binding.map(str::to_owned),
            authzid: authzid.to_vec(),
        }
    }

    #[test]
    fn headers_come_back_as_they_were() {
        let cases = [
            (header(Disposition::None, None, b""), &b"n,,"[..]),
            (header(Disposition::Want, None, b"bob"), b"y,a=bob,"),
            (
                header(Disposition::Used, Some("tls-exporter"), b"a,b=c"),
                b"p=tls-exporter,a=a=2Cb=3Dc,",
            ),
        ];
        for (header, text) in cases {
            assert_eq!(header.bytes(), text);
            let message = [text, b"token"].concat();
            assert_eq!(Header::parse(&message).unwrap(), (header, &b"token"[..]));
        }
        let bare = Header {
            bare: true,
            ..header(Disposition::None, None, b"")
        };
        assert_eq!(bare.bytes(), b"F,n,,");
        assert_eq!(bare.bound(), b"n,,");
        assert_eq!(Header::parse(b"F,n,,x").unwrap().0, bare);
    }

    #[test]
    fn malformed_headers_are_refused() {
        let bad: [&[u8]; 18] = [
            b"",
            b"n",
            b"n,",
            b",,",
            b"x,,t",
            b"p,,t",
            b"p=,,t",
            b"p=a b,,t",
            b"n,b=x,t",
            b"n,a=,t",
            b"n,a=a=,t",
            b"n,a=a=2,t",
            b"n,a=a=2c,t",
            b"n,a=\xff,t",
            b"n,a=a\0b,t",
            b"F,F,n,,t",
            b"f,n,,t",
            b"nn,,t",
        ];
        for message in bad {
            let error = Header::parse(message).unwrap_err();
            assert_eq!(error.code(), Code::BADPROT, "{message:?}");
        }
    }
}
