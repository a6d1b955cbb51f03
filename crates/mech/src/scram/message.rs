// SPDX-License-Identifier: MIT OR Apache-2.0
//! The four messages of RFC 5802 section 7: attributes `x=value`, commas
//! between, in a fixed order. Extensions that nobody must understand are
//! skipped; `m=` asks for one that nobody here does, and is refused.
#![forbid(unsafe_code)]

use super::{LONGEST_CHALLENGE, LONGEST_RESPONSE};
use crate::base64;
use crate::printable::Printable;
use saslplug::{Code, Error, Result};

/// A message that does not follow the grammar; `{}` stands for the mechanism.
pub(super) fn malformed(mech: &str, reason: &str) -> Error {
    Error::with(Code::BADPROT, reason.replace("{}", mech))
}

/// `value` of `name=value`.
fn attribute(part: &[u8], name: u8) -> Option<&[u8]> {
    match part {
        [first, b'=', value @ ..] if *first == name => Some(value),
        _ => None,
    }
}

/// Whether a part looks like an extension that may be skipped.
fn is_extension(part: &[u8]) -> bool {
    matches!(part, [name, b'=', _, ..] if name.is_ascii_alphabetic() && *name != b'm')
}

/// Characters of a nonce (RFC 5802 `printable`).
fn is_nonce(text: &[u8]) -> bool {
    !text.is_empty()
        && text
            .iter()
            .all(|byte| byte.is_ascii_graphic() && *byte != b',')
}

/// A name as a message carries it.
pub(super) fn escape(name: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(name.len());
    for &byte in name {
        match byte {
            b',' => escaped.extend_from_slice(b"=2C"),
            b'=' => escaped.extend_from_slice(b"=3D"),
            _ => escaped.push(byte),
        }
    }
    escaped
}

/// The name that a message carries; `None` if a `=` is none of the two.
fn unescape(mut text: &[u8]) -> Option<Vec<u8>> {
    let mut name = Vec::with_capacity(text.len());
    loop {
        text = match text {
            [] => return Some(name),
            [b'=', b'2', b'C', rest @ ..] => {
                name.push(b',');
                rest
            }
            [b'=', b'3', b'D', rest @ ..] => {
                name.push(b'=');
                rest
            }
            [b'=', ..] => return None,
            [byte, rest @ ..] => {
                name.push(*byte);
                rest
            }
        };
    }
}

/// What the client says of channel binding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Flag {
    /// `n`: it does not bind.
    No,
    /// `y`: it would, and thinks that the server cannot.
    Would,
    /// `p=`: it binds, with this type.
    Binds(String),
}

/// `n,,n=a,r=b`
const SHORTEST: usize = 10;

/// client-first-message.
#[derive(Debug)]
pub(super) struct ClientFirst {
    pub(super) flag: Flag,
    pub(super) authzid: Vec<u8>,
    pub(super) authid: Vec<u8>,
    pub(super) nonce: Vec<u8>,
    /// The GS2 header, to be compared with what the client signs.
    pub(super) header: Vec<u8>,
    /// client-first-message-bare.
    pub(super) bare: Vec<u8>,
}

impl ClientFirst {
    pub(super) fn parse(mech: &str, input: &[u8]) -> Result<Self> {
        let refuse = |reason: &str| malformed(mech, reason);
        check(mech, input, LONGEST_RESPONSE, "MAX_CLIENTIN_LEN")?;
        if input.len() < SHORTEST {
            return Err(refuse("Invalid {} input"));
        }
        let mut parts = input.splitn(3, |&byte| byte == b',');
        let flag = parse_flag(mech, parts.next().unwrap_or_default())?;
        let authzid = parts.next().ok_or_else(|| refuse("Invalid {} input"))?;
        let bare = parts.next().ok_or_else(|| refuse("Invalid {} input"))?;
        let authzid = match authzid {
            [] => Vec::new(),
            part => {
                let text =
                    attribute(part, b'a').ok_or_else(|| refuse("',' expected in {} input"))?;
                let wrong = "Invalid authorization identity encoding in {} input";
                unescape(text).ok_or_else(|| refuse(wrong))?
            }
        };
        let header = input
            .get(..input.len() - bare.len())
            .unwrap_or_default()
            .to_vec();
        let mut parts = bare.split(|&byte| byte == b',');
        let name = parts.next().unwrap_or_default();
        if attribute(name, b'm').is_some() {
            return Err(refuse("Unsupported mandatory extension to {}"));
        }
        let name =
            attribute(name, b'n').ok_or_else(|| refuse("Username (n=) expected in {} input"))?;
        let wrong = "Invalid username encoding in {} input";
        let authid = unescape(name).ok_or_else(|| refuse(wrong))?;
        let nonce = parts.next().and_then(|part| attribute(part, b'r'));
        let nonce = nonce.ok_or_else(|| refuse("Nonce expected after the username in {} input"))?;
        if !is_nonce(nonce) {
            return Err(refuse("Invalid nonce in {} input"));
        }
        if !parts.all(is_extension) {
            return Err(refuse("Unsupported mandatory extension to {}"));
        }
        Ok(Self {
            flag,
            authzid,
            authid,
            nonce: nonce.to_vec(),
            header,
            bare: bare.to_vec(),
        })
    }
}

fn parse_flag(mech: &str, part: &[u8]) -> Result<Flag> {
    match part {
        b"n" => Ok(Flag::No),
        b"y" => Ok(Flag::Would),
        [b'p', b'=', name @ ..] => {
            let known = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
            let name = Some(name).filter(|name| !name.is_empty() && name.iter().all(known));
            let name = name.and_then(|name| core::str::from_utf8(name).ok());
            let wrong = "Invalid channel bindings type in {} input";
            name.map(|name| Flag::Binds(name.to_owned()))
                .ok_or_else(|| malformed(mech, wrong))
        }
        [b'p', ..] => Err(malformed(
            mech,
            "The initial 'p' needs to be followed by '=' in {} input",
        )),
        _ => {
            let text = "The initial {} client response needs to start with 'y', 'n' or 'p'";
            Err(malformed(mech, text))
        }
    }
}

fn check(mech: &str, input: &[u8], longest: usize, name: &str) -> Result<()> {
    if input.is_empty() {
        return Err(malformed(mech, "{} input expected"));
    }
    if input.len() > longest {
        return Err(malformed(
            mech,
            &format!("{{}} input longer than ({name}) bytes"),
        ));
    }
    if input.contains(&0) {
        return Err(malformed(mech, "NULs found in {} input"));
    }
    Ok(())
}

/// client-final-message.
#[derive(Debug)]
pub(super) struct ClientFinal {
    /// What the client signs as channel binding: header and data.
    pub(super) binding: Vec<u8>,
    pub(super) nonce: Vec<u8>,
    pub(super) proof: Vec<u8>,
    /// All before the proof.
    pub(super) without_proof: Vec<u8>,
}

impl ClientFinal {
    pub(super) fn parse(mech: &str, input: &[u8]) -> Result<Self> {
        let refuse = |reason: &str| malformed(mech, reason);
        check(mech, input, LONGEST_RESPONSE, "MAX_CLIENTIN_LEN")?;
        let parts: Vec<_> = input.split(|&byte| byte == b',').collect();
        let [binding, nonce, rest @ ..] = parts.as_slice() else {
            return Err(refuse("At least nonce is expected in {} input"));
        };
        let binding = attribute(binding, b'c');
        let binding = binding.ok_or_else(|| refuse("Channel binding expected in {} input"))?;
        let nonce = attribute(nonce, b'r').ok_or_else(|| refuse("Nonce expected in {} input"))?;
        let at = rest.iter().position(|part| attribute(part, b'p').is_some());
        let Some((extensions, [proof, after @ ..])) = at.and_then(|at| rest.split_at_checked(at))
        else {
            return Err(refuse("At least proof is expected in {} input"));
        };
        if !after.is_empty() {
            let text = "No extension data is allowed after the client proof in {} input";
            return Err(refuse(text));
        }
        if !extensions.iter().all(|part| is_extension(part)) {
            return Err(refuse("Unsupported mandatory extension to {}"));
        }
        let without_proof = input.len().checked_sub(proof.len() + 1);
        let without_proof = without_proof
            .and_then(|end| input.get(..end))
            .unwrap_or_default();
        let wrong = "Invalid base64 encoding of the channel bindings in {}";
        let binding = base64::decode(binding).ok_or_else(|| refuse(wrong))?;
        let wrong = "Invalid base64 encoding of the client proof in {} input";
        let proof = attribute(proof, b'p').unwrap_or_default();
        let proof = base64::decode(proof).ok_or_else(|| refuse(wrong))?;
        Ok(Self {
            binding,
            nonce: nonce.to_vec(),
            proof,
            without_proof: without_proof.to_vec(),
        })
    }
}

/// server-first-message.
#[derive(Debug)]
pub(super) struct ServerFirst {
    pub(super) nonce: Vec<u8>,
    pub(super) salt: Vec<u8>,
    pub(super) iterations: u32,
}

impl ServerFirst {
    /// `own` is the client's part of the nonce, `fewest` the smallest count that
    /// the client takes.
    pub(super) fn parse(mech: &str, input: &[u8], own: &[u8], fewest: u32) -> Result<Self> {
        let refuse = |reason: &str| malformed(mech, reason);
        check(mech, input, LONGEST_CHALLENGE, "MAX_SERVERIN_LEN")?;
        let mut parts = input.split(|&byte| byte == b',');
        let nonce = parts.next().unwrap_or_default();
        if attribute(nonce, b'm').is_some() {
            return Err(refuse("Unsupported mandatory extension to {}"));
        }
        if let Some(error) = attribute(nonce, b'e') {
            return Err(server_error(mech, error));
        }
        let nonce =
            attribute(nonce, b'r').ok_or_else(|| refuse("Nonce (r=) expected in {} input"))?;
        if nonce.len() <= own.len() || !nonce.starts_with(own) || !is_nonce(nonce) {
            let text = "The nonce received from the server doesn't start from the nonce sent by the client";
            return Err(refuse(text));
        }
        let salt = parts.next().and_then(|part| attribute(part, b's'));
        let salt = salt.ok_or_else(|| refuse("Salt expected after the nonce in {} input"))?;
        let wrong = "Invalid base64 encoding of the salt";
        let salt = base64::decode(salt).ok_or_else(|| refuse(wrong))?;
        if salt.is_empty() {
            return Err(refuse("The salt can't be empty"));
        }
        let count = parts.next().and_then(|part| attribute(part, b'i'));
        let missing = "iteration-count expected after the salt in {} input";
        let iterations = iterations(mech, count.ok_or_else(|| refuse(missing))?, fewest)?;
        if !parts.all(is_extension) {
            return Err(refuse("Unsupported mandatory extension to {}"));
        }
        Ok(Self {
            nonce: nonce.to_vec(),
            salt,
            iterations,
        })
    }
}

/// A count that a client is willing to compute.
fn iterations(mech: &str, digits: &[u8], fewest: u32) -> Result<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(malformed(mech, "Invalid iteration-count in {} input"));
    }
    let count = parse_count(digits).filter(|&count| count <= super::MOST);
    let count =
        count.ok_or_else(|| malformed(mech, "iteration-count is too big, refusing to compute"))?;
    if count < fewest {
        let text = format!(
            "iteration-count is too small ({count}), refusing to compute: the server must use \
             {fewest} or more (scram_min_iterations)"
        );
        return Err(Error::with(Code::BADPROT, text));
    }
    Ok(count)
}

/// Digits, and nothing but digits.
pub(super) fn parse_count(digits: &[u8]) -> Option<u32> {
    let text = core::str::from_utf8(digits).ok()?;
    let only_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    only_digits.then(|| text.parse().ok()).flatten()
}

/// The signature in server-final-message.
pub(super) fn parse_server_final(mech: &str, input: &[u8]) -> Result<Vec<u8>> {
    let refuse = |reason: &str| malformed(mech, reason);
    check(mech, input, LONGEST_CHALLENGE, "MAX_SERVERIN_LEN")?;
    let mut parts = input.split(|&byte| byte == b',');
    let first = parts.next().unwrap_or_default();
    if let Some(error) = attribute(first, b'e') {
        return Err(server_error(mech, error));
    }
    let signature =
        attribute(first, b'v').ok_or_else(|| refuse("ServerSignature expected in {} input"))?;
    if !parts.all(is_extension) {
        return Err(refuse("Unsupported mandatory extension to {}"));
    }
    let wrong = "Invalid base64 encoding of the server proof in {} input";
    base64::decode(signature).ok_or_else(|| refuse(wrong))
}

/// `e=`: why the server refuses.
fn server_error(mech: &str, error: &[u8]) -> Error {
    let code = match error {
        b"invalid-proof" | b"unknown-user" => Code::BADAUTH,
        b"channel-bindings-dont-match"
        | b"server-does-support-channel-binding"
        | b"channel-binding-not-supported"
        | b"unsupported-channel-binding-type" => Code::BADBINDING,
        _ => Code::FAIL,
    };
    let shown = error.get(..64).unwrap_or(error);
    Error::with(
        code,
        format!("the {mech} server refused: {}", Printable(shown)),
    )
}

#[cfg(test)]
mod tests;
