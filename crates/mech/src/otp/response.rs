// SPDX-License-Identifier: MIT OR Apache-2.0
//! Extended responses (RFC 2243): a one-time password in hexadecimal digits or
//! six words, and with it perhaps the start of a new chain.
#![forbid(unsafe_code)]

use super::hash::{Algorithm, Value};
use super::record::{Record, hex, number, seed};
use super::words;
use crate::printable::Printable;
use saslplug::{Code, Error, Result};

/// The longest response that is looked at.
pub(super) const LONGEST: usize = 1024;

/// What a client answers.
pub(super) struct Response {
    /// The one-time password.
    pub(super) value: Value,
    /// The chain to go on with; a broken wish for one is told only to a client
    /// whose password is right.
    pub(super) new: Option<Result<Record>>,
}

impl Response {
    /// `None` when there is no one-time password in it.
    pub(super) fn read(message: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(message).ok()?;
        if text.len() > LONGEST {
            return None;
        }
        // A response without a name is that of an older generator.
        let (name, rest) = text.split_once(':').unwrap_or(("", text));
        match name.trim().to_ascii_lowercase().as_str() {
            "" => Self::current(hex(rest).or_else(|| words::decode(rest))?),
            "hex" => Self::current(hex(rest)?),
            "word" => Self::current(words::decode(rest)?),
            "init-hex" => Self::init(rest, hex),
            "init-word" => Self::init(rest, words::decode),
            _ => None,
        }
    }

    fn current(value: Value) -> Option<Self> {
        Some(Self { value, new: None })
    }

    fn init(text: &str, decode: fn(&str) -> Option<Value>) -> Option<Self> {
        let mut parts = text.split(':');
        let value = decode(parts.next()?)?;
        let new = match (parts.next(), parts.next(), parts.next()) {
            (Some(parameters), Some(new), None) => chain(parameters, decode(new)),
            _ => Err(Error::new(
                Code::BADPROT,
                "an OTP init response has three parts with a colon between",
            )),
        };
        Some(Self {
            value,
            new: Some(new),
        })
    }
}

/// A new chain: algorithm, sequence, seed; and its first value.
fn chain(parameters: &str, value: Option<Value>) -> Result<Record> {
    let malformed = |what| Error::new(Code::BADPROT, what);
    let fields: Vec<&str> = parameters.split_ascii_whitespace().take(4).collect();
    let [algorithm, sequence, new_seed] = fields.as_slice() else {
        return Err(malformed("no whitespace between OTP sequence and seed"));
    };
    let algorithm = Algorithm::named(algorithm).ok_or_else(|| unsupported(algorithm))?;
    let sequence: u16 = number(sequence)
        .filter(|sequence| (2..=super::record::HIGHEST).contains(sequence))
        .ok_or(malformed("a new OTP sequence is a number from 2 to 9999"))?;
    let seed = seed(new_seed).ok_or(malformed("an OTP seed is 1 to 16 letters and digits"))?;
    let value = value.ok_or(Error::new(
        Code::BADAUTH,
        "the first password of the new OTP chain cannot be read",
    ))?;
    Ok(Record {
        algorithm,
        sequence,
        seed,
        value,
        locked_until: 0,
    })
}

/// An algorithm that nobody has.
pub(super) fn unsupported(name: &str) -> Error {
    let shown = Printable(name.as_bytes().get(..16).unwrap_or(name.as_bytes())).to_string();
    Error::with(
        Code::BADPROT,
        format!("OTP algorithm '{shown}' not supported"),
    )
}
