// SPDX-License-Identifier: MIT OR Apache-2.0
//! LDAP messages (RFC 4511) on `lber`: requests, and what servers answer.
//!
//! What comes in is measured before it is parsed: message size, nesting and
//! every length inside.
#![forbid(unsafe_code)]

use lber::common::TagClass;
use lber::structure::StructureTag;
use saslplug::Secret;

mod policy;
mod request;

pub(crate) use policy::{POLICY, Policy};
pub(crate) use request::{Change, PROXY, START_TLS, Search, WHO_AM_I, bind, compare, extended};
pub(crate) use request::{modify, password_modify, sasl_bind, unbind};

/// Bytes of one message at most.
pub(crate) const MAX_MESSAGE: usize = 1 << 20;
const MAX_DEPTH: usize = 12;

/// Why bytes are no LDAP message.
pub(crate) type Malformed = &'static str;

/// The result part of an answer.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) code: u32,
    pub(crate) message: String,
    pub(crate) referral: Option<String>,
}

/// An entry of a search result.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry {
    pub(crate) dn: String,
    pub(crate) attributes: Vec<(String, Vec<Secret>)>,
}

impl Entry {
    /// The values of `attribute`, if the entry shows it.
    pub(crate) fn values(&self, attribute: &str) -> Option<&[Secret]> {
        let mut shown = self.attributes.iter();
        let found = shown.find(|(name, _)| name.eq_ignore_ascii_case(attribute));
        found
            .map(|(_, values)| values.as_slice())
            .filter(|values| !values.is_empty())
    }
}

/// One answer of a server.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// With what a mechanism has to say, and what a password policy, if anything.
    Bind(Outcome, Option<Vec<u8>>, Option<Policy>),
    Entry(Entry),
    Reference,
    Done(Outcome),
    /// With its value, if any. With id 0 a notice that nobody asked for.
    Extended(Outcome, Option<Vec<u8>>),
    Modified(Outcome),
    Compared(Outcome),
}

/// How many bytes the first message in `bytes` has; `None`: not known yet.
///
/// # Errors
/// The bytes cannot begin an LDAP message, or it is too large.
pub(crate) fn frame(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    match bytes.first() {
        None => return Ok(None),
        Some(0x30) => {}
        Some(0x15 | 0x16) => return Err("it speaks TLS on this port"),
        Some(_) => return Err("it did not send an LDAP message"),
    }
    let Some((header, length)) = measure(bytes)? else {
        return Ok(None);
    };
    match header.checked_add(length) {
        Some(total) if total <= MAX_MESSAGE => Ok(Some(total)),
        _ => Err("its message is larger than 1 MiB"),
    }
}

/// Length of a header and of its contents; `None`: more bytes are needed.
fn measure(bytes: &[u8]) -> Result<Option<(usize, usize)>, Malformed> {
    let (Some(tag), Some(first)) = (bytes.first(), bytes.get(1)) else {
        return Ok(None);
    };
    if tag & 0x1f == 0x1f {
        return Err("it uses tag numbers that LDAP does not have");
    }
    let first = usize::from(*first);
    if first < 0x80 {
        return Ok(Some((2, first)));
    }
    let count = first & 0x7f;
    if !(1..=4).contains(&count) {
        return Err("it sent a length that LDAP does not allow");
    }
    let Some(digits) = bytes.get(2..2 + count) else {
        return Ok(None);
    };
    let length = digits
        .iter()
        .fold(0_usize, |sum, digit| (sum << 8) | usize::from(*digit));
    Ok(Some((2 + count, length)))
}

/// Walks over every length and level of `bytes` without recursion in the parser.
fn check(bytes: &[u8], depth: usize) -> Result<(), Malformed> {
    let depth = depth
        .checked_sub(1)
        .ok_or("its message is nested too deeply")?;
    let mut rest = bytes;
    while let Some(tag) = rest.first() {
        let (header, length) = measure(rest)?.ok_or("its message ends too early")?;
        let contents = header
            .checked_add(length)
            .and_then(|end| rest.get(header..end));
        let contents = contents.ok_or("a length in its message is too large")?;
        if tag & 0x20 != 0 {
            check(contents, depth)?;
        }
        rest = rest.get(header + length..).unwrap_or_default();
    }
    Ok(())
}

/// Message id and answer in `bytes`, one whole message.
///
/// # Errors
/// Why it is no answer of an LDAP server.
pub(crate) fn decode(bytes: &[u8]) -> Result<(i32, Answer), Malformed> {
    const ODD: Malformed = "it sent a message of an unknown form";
    check(bytes, MAX_DEPTH)?;
    let (_, message) = lber::parse::parse_tag(bytes).map_err(|_| ODD)?;
    let mut parts = message.expect_constructed().ok_or(ODD)?.into_iter();
    let id = parts.next().and_then(integer).ok_or(ODD)?;
    let id = i32::try_from(id).map_err(|_| ODD)?;
    let operation = parts
        .next()
        .filter(|op| op.class == TagClass::Application)
        .ok_or(ODD)?;
    let controls = parts
        .next()
        .filter(|part| part.class == TagClass::Context && part.id == 0);
    let kind = operation.id;
    let mut parts = operation.expect_constructed().ok_or(ODD)?.into_iter();
    let answer = match kind {
        1 => {
            let (outcome, credentials) = outcome_and(parts, 7).ok_or(ODD)?;
            Answer::Bind(outcome, credentials, controls.and_then(policy::policy))
        }
        4 => Answer::Entry(entry(&mut parts).ok_or(ODD)?),
        5 => Answer::Done(outcome(parts).ok_or(ODD)?),
        7 => Answer::Modified(outcome(parts).ok_or(ODD)?),
        15 => Answer::Compared(outcome(parts).ok_or(ODD)?),
        19 => Answer::Reference,
        24 => {
            let (outcome, value) = outcome_and(parts, 11).ok_or(ODD)?;
            Answer::Extended(outcome, value)
        }
        _ => return Err(ODD),
    };
    Ok((id, answer))
}

/// An integer or enumeration of at most eight bytes.
fn integer(tag: StructureTag) -> Option<i64> {
    let bytes = tag.expect_primitive()?;
    let negative = bytes.first()? & 0x80 != 0;
    if bytes.len() > 8 {
        return None;
    }
    let start = if negative { -1 } else { 0 };
    Some(
        bytes
            .iter()
            .fold(start, |sum, byte| (sum << 8) | i64::from(*byte)),
    )
}

fn text(tag: StructureTag) -> Option<String> {
    tag.expect_primitive()
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn outcome(parts: impl Iterator<Item = StructureTag>) -> Option<Outcome> {
    outcome_and(parts, u64::MAX).map(|(outcome, _)| outcome)
}

/// A result, and the bytes of the context tag `wanted` after it.
fn outcome_and(
    mut parts: impl Iterator<Item = StructureTag>,
    wanted: u64,
) -> Option<(Outcome, Option<Vec<u8>>)> {
    let code = u32::try_from(integer(parts.next()?)?).ok()?;
    let _matched = parts.next().and_then(text)?;
    let message = parts.next().and_then(text)?;
    let (mut referral, mut extra) = (None, None);
    for part in parts.filter(|part| part.class == TagClass::Context) {
        if part.id == 3 {
            let urls = part.expect_constructed().unwrap_or_default();
            referral = urls.into_iter().next().and_then(text);
        } else if part.id == wanted {
            extra = part.expect_primitive();
        }
    }
    let outcome = Outcome {
        code,
        message,
        referral,
    };
    Some((outcome, extra))
}

fn entry(parts: &mut impl Iterator<Item = StructureTag>) -> Option<Entry> {
    let dn = String::from_utf8(parts.next()?.expect_primitive()?).ok()?;
    let mut attributes = Vec::new();
    for attribute in parts.next()?.expect_constructed()? {
        let mut parts = attribute.expect_constructed()?.into_iter();
        let name = parts.next().and_then(text)?;
        let values = parts.next()?.expect_constructed()?;
        let values: Option<Vec<Secret>> = values
            .into_iter()
            .map(|value| value.expect_primitive().map(Secret::new))
            .collect();
        attributes.push((name, values?));
    }
    Some(Entry { dn, attributes })
}

/// The name of a result code.
pub(crate) fn code_name(code: u32) -> &'static str {
    match code {
        0 => "success",
        1 => "operationsError",
        2 => "protocolError",
        3 => "timeLimitExceeded",
        4 => "sizeLimitExceeded",
        5 => "compareFalse",
        6 => "compareTrue",
        7 => "authMethodNotSupported",
        8 => "strongerAuthRequired",
        10 => "referral",
        11 => "adminLimitExceeded",
        12 => "unavailableCriticalExtension",
        13 => "confidentialityRequired",
        16 => "noSuchAttribute",
        17 => "undefinedAttributeType",
        19 => "constraintViolation",
        32 => "noSuchObject",
        34 => "invalidDNSyntax",
        48 => "inappropriateAuthentication",
        49 => "invalidCredentials",
        50 => "insufficientAccessRights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwillingToPerform",
        47 => "proxiedAuthorizationDenied",
        64 => "namingViolation",
        80 => "other",
        123 => "authorizationDenied",
        _ => "error",
    }
}

#[cfg(test)]
mod tests;
