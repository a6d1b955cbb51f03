// SPDX-License-Identifier: MIT OR Apache-2.0
//! The directives of RFC 2831: `name=value` and `name="quoted value"`, commas
//! between. The parser takes what the grammar allows, nothing with a control
//! character inside, and every directive at most once where the RFC says so.
#![forbid(unsafe_code)]

use saslplug::{Code, Error, Result};

/// One directive; the name in lower case, the value without its quotes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Directive {
    pub(super) name: String,
    pub(super) value: Vec<u8>,
}

/// Splits a message; `None` when it does not follow the grammar.
pub(super) fn parse(mut rest: &[u8]) -> Option<Vec<Directive>> {
    let mut directives = Vec::new();
    loop {
        rest = skip_blanks(rest);
        if let [b',', after @ ..] = rest {
            rest = after;
            continue;
        }
        if rest.is_empty() {
            return Some(directives);
        }
        let (directive, after) = parse_one(rest)?;
        directives.push(directive);
        rest = skip_blanks(after);
        if !matches!(rest, [] | [b',', ..]) {
            return None;
        }
    }
}

fn parse_one(input: &[u8]) -> Option<(Directive, &[u8])> {
    let (name, rest) = split_while(input, is_token);
    let name = core::str::from_utf8(name)
        .ok()
        .filter(|name| !name.is_empty())?;
    let rest = skip_blanks(rest).strip_prefix(b"=")?;
    let (value, rest) = match skip_blanks(rest) {
        [b'"', quoted @ ..] => parse_quoted(quoted)?,
        bare => {
            let (value, rest) = split_while(bare, is_bare);
            (value.to_vec(), rest)
        }
    };
    Some((
        Directive {
            name: name.to_ascii_lowercase(),
            value,
        },
        rest,
    ))
}

/// What follows the opening quote, up to the closing one.
fn parse_quoted(mut input: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut value = Vec::new();
    loop {
        let (byte, rest) = match input {
            [b'"', rest @ ..] => return Some((value, rest)),
            [b'\\', byte, rest @ ..] | [byte, rest @ ..] => (*byte, rest),
            [] => return None,
        };
        if byte.is_ascii_control() && byte != b'\t' {
            return None;
        }
        value.push(byte);
        input = rest;
    }
}

fn split_while(input: &[u8], wanted: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let end = input
        .iter()
        .position(|&byte| !wanted(byte))
        .unwrap_or(input.len());
    input.split_at(end)
}

fn skip_blanks(input: &[u8]) -> &[u8] {
    split_while(input, |byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).1
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte)
}

/// More than a token: some peers leave the quotes out around Base64 and URIs.
fn is_bare(byte: u8) -> bool {
    byte > b' ' && !matches!(byte, b',' | b'"' | 0x7f)
}

/// `value` in quotes.
pub(super) fn quote(value: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(value.len() + 2);
    quoted.push(b'"');
    for &byte in value {
        if matches!(byte, b'"' | b'\\') {
            quoted.push(b'\\');
        }
        quoted.push(byte);
    }
    quoted.push(b'"');
    quoted
}

/// A message in the making.
#[derive(Default)]
pub(super) struct Message(Vec<u8>);

impl Message {
    /// Adds `name=value`.
    pub(super) fn bare(&mut self, name: &str, value: impl AsRef<[u8]>) {
        if !self.0.is_empty() {
            self.0.push(b',');
        }
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'=');
        self.0.extend_from_slice(value.as_ref());
    }

    /// Adds `name="value"`.
    pub(super) fn quoted(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.bare(name, quote(value.as_ref()));
    }

    /// The message.
    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Puts `value` into `slot` unless something is there.
pub(super) fn once<T>(slot: &mut Option<T>, name: &str, value: T) -> Result<()> {
    if slot.replace(value).is_some() {
        let code = if name == "maxbuf" {
            Code::BADAUTH
        } else {
            Code::FAIL
        };
        return Err(Error::with(
            code,
            format!("duplicate {name}: authentication aborted"),
        ));
    }
    Ok(())
}

/// A `maxbuf` value: digits that fit, however small or large.
pub(super) fn parse_number(value: &[u8]) -> Option<u32> {
    let text = core::str::from_utf8(value).ok()?;
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// A `nc` value: eight hexadecimal digits, as both sides hash it.
pub(super) fn parse_count(value: &[u8]) -> Option<u32> {
    let text = core::str::from_utf8(value).ok()?;
    let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u32::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(message: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
        let directives = parse(message)?.into_iter();
        Some(directives.map(|one| (one.name, one.value)).collect())
    }

    fn one(name: &str, value: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
        Some(vec![(name.to_owned(), value.to_vec())])
    }

    #[test]
    fn grammar() {
        assert_eq!(pairs(b""), Some(vec![]));
        assert_eq!(pairs(b" ,,\t, \r\n"), Some(vec![]));
        assert_eq!(pairs(b"NC=00000001"), one("nc", b"00000001"));
        assert_eq!(pairs(b",qop = \"auth\" ,"), one("qop", b"auth"));
        assert_eq!(
            pairs(b"realm=\"a\\\"b\\\\c,=\""),
            one("realm", b"a\"b\\c,=")
        );
        assert_eq!(pairs(b"nonce=ab+/=="), one("nonce", b"ab+/=="));
        assert_eq!(pairs(b"x="), one("x", b""));
        assert_eq!(pairs(b"a=1,b=\"2\"").unwrap().len(), 2);
    }

    #[test]
    fn not_the_grammar() {
        let malformed: [&[u8]; 13] = [
            b"a",
            b"=x",
            b"a=\"",
            b"a=\"b",
            b"a=\"b\\",
            b"a=\"b\\\"",
            b"\"",
            b"a=1 b=2",
            b"a=\"1\"b",
            b"a=\"\0\"",
            b"a=1\0",
            b"a=\"x\ny\"",
            b"a b=1",
        ];
        for message in malformed {
            assert_eq!(parse(message), None, "{}", message.escape_ascii());
        }
    }

    #[test]
    fn quoting_comes_back() {
        for value in [
            &b""[..],
            b"plain",
            b"\"",
            b"\\",
            b"\"\"\\\\\"",
            b"\xc3\xa9,=",
        ] {
            let mut message = Message::default();
            message.quoted("v", value);
            assert_eq!(pairs(&message.finish()), one("v", value));
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(parse_number(b"65536"), Some(65536));
        for bad in [&b""[..], b"-1", b"+1", b" 1", b"4294967296", b"0x10"] {
            assert_eq!(parse_number(bad), None);
        }
        assert_eq!(parse_count(b"0000000a"), Some(10));
        for bad in [&b""[..], b"1", b"0000000z", b"000000001", b"+0000001"] {
            assert_eq!(parse_count(bad), None);
        }
    }
}
