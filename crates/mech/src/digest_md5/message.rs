// SPDX-License-Identifier: MIT OR Apache-2.0
//! The directives of RFC 2831: `name=value` and `name="quoted value"`, commas
//! between. The parser takes what the grammar allows, nothing with a control
//! character inside, and every directive at most once where the RFC says so.
#![forbid(unsafe_code)]

use saslplug::{Code, Error, Result};
use std::borrow::Cow;

/// A value of a directive: a piece of the message, unless a backslash was in it.
pub(super) type Value<'a> = Cow<'a, [u8]>;

/// One directive; the name in lower case, the value without its quotes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Directive<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) value: Value<'a>,
}

/// Splits a message; `None` when it does not follow the grammar.
pub(super) fn parse(mut rest: &[u8]) -> Option<Vec<Directive<'_>>> {
    let mut directives = Vec::with_capacity(12); // a response has no more
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

fn parse_one(input: &[u8]) -> Option<(Directive<'_>, &[u8])> {
    let (name, rest) = split_while(input, is_token);
    let name = core::str::from_utf8(name)
        .ok()
        .filter(|name| !name.is_empty())?;
    let rest = skip_blanks(rest).strip_prefix(b"=")?;
    let (value, rest) = match skip_blanks(rest) {
        [b'"', quoted @ ..] => parse_quoted(quoted)?,
        bare => {
            let (value, rest) = split_while(bare, is_bare);
            (Cow::Borrowed(value), rest)
        }
    };
    let name = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    };
    Some((Directive { name, value }, rest))
}

/// What follows the opening quote, up to the closing one.
fn parse_quoted(input: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let (plain, rest) = split_while(input, |byte| is_text(byte) && !matches!(byte, b'"' | b'\\'));
    if let [b'"', rest @ ..] = rest {
        return Some((Cow::Borrowed(plain), rest));
    }
    let mut value = plain.to_vec();
    let mut input = rest;
    loop {
        let (byte, rest) = match input {
            [b'"', rest @ ..] => return Some((Cow::Owned(value), rest)),
            [b'\\', byte, rest @ ..] | [byte, rest @ ..] => (*byte, rest),
            [] => return None,
        };
        if !is_text(byte) {
            return None;
        }
        value.push(byte);
        input = rest;
    }
}

/// What may be inside quotes.
fn is_text(byte: u8) -> bool {
    !byte.is_ascii_control() || byte == b'\t'
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
    let separates = matches!(
        byte,
        b'(' | b')'
            | b'<'
            | b'>'
            | b'@'
            | b','
            | b';'
            | b':'
            | b'\\'
            | b'"'
            | b'/'
            | b'['
            | b']'
            | b'?'
            | b'='
            | b'{'
            | b'}'
    );
    byte.is_ascii_graphic() && !separates
}

/// More than a token: some peers leave the quotes out around Base64 and URIs.
fn is_bare(byte: u8) -> bool {
    byte > b' ' && !matches!(byte, b',' | b'"' | 0x7f)
}

/// A message in the making.
pub(super) struct Message(Vec<u8>);

impl Message {
    /// An empty one with room for what is usual.
    pub(super) fn new() -> Self {
        Self(Vec::with_capacity(384))
    }

    fn name(&mut self, name: &str) {
        if !self.0.is_empty() {
            self.0.push(b',');
        }
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'=');
    }

    /// Adds `name=value`.
    pub(super) fn bare(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.name(name);
        self.0.extend_from_slice(value.as_ref());
    }

    /// Adds `name="value"`.
    pub(super) fn quoted(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.name(name);
        self.0.push(b'"');
        let mut rest = value.as_ref();
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')) {
            let (plain, special) = rest.split_at(at);
            let (special, after) = special.split_at(1);
            self.0.extend_from_slice(plain);
            self.0.push(b'\\');
            self.0.extend_from_slice(special);
            rest = after;
        }
        self.0.extend_from_slice(rest);
        self.0.push(b'"');
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
        Some(
            directives
                .map(|one| (one.name.into_owned(), one.value.into_owned()))
                .collect(),
        )
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
            let mut message = Message::new();
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
