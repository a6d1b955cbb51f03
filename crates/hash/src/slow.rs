// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ones that take time on purpose: PBKDF2 in three spellings, Argon2. Their
//! cost comes from the directory, so it has a limit here.
#![forbid(unsafe_code)]

use crate::{Verdict, base64};
use argon2::{Algorithm, Argon2, Params, Version};
use pbkdf2::hmac::EagerHash;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Rounds of PBKDF2: some seconds.
const MOST_ROUNDS: u32 = 10_000_000;
/// KiB and passes of Argon2.
const MOST_MEMORY: u32 = 1 << 20;
const MOST_PASSES: u32 = 64;
const LONGEST: usize = 512;

fn derive<D: EagerHash<Core: Sync>>(
    rounds: u32,
    salt: &[u8],
    wanted: &[u8],
    password: &[u8],
) -> Option<Verdict> {
    let sensible = (1..=MOST_ROUNDS).contains(&rounds);
    if !sensible || salt.is_empty() || !(16..=LONGEST).contains(&wanted.len()) {
        return None;
    }
    let mut computed = Zeroizing::new(vec![0; wanted.len()]);
    pbkdf2::pbkdf2_hmac::<D>(password, salt, rounds, &mut computed);
    Some(Verdict::of(computed.ct_eq(wanted).into()))
}

/// `rounds$salt$hash`.
fn in_words<D: EagerHash<Core: Sync>>(text: &[u8], password: &[u8]) -> Option<Verdict> {
    let mut parts = text.split(|byte| *byte == b'$');
    let (rounds, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let rounds = core::str::from_utf8(rounds).ok()?.parse().ok()?;
    let (salt, hash) = (base64::decode(salt)?, base64::decode(hash)?);
    derive::<D>(rounds, &salt, &hash, password)
}

pub(crate) fn pbkdf2_sha1(text: &[u8], password: &[u8]) -> Option<Verdict> {
    in_words::<sha1::Sha1>(text, password)
}

pub(crate) fn pbkdf2_sha256(text: &[u8], password: &[u8]) -> Option<Verdict> {
    in_words::<sha2::Sha256>(text, password)
}

pub(crate) fn pbkdf2_sha512(text: &[u8], password: &[u8]) -> Option<Verdict> {
    in_words::<sha2::Sha512>(text, password)
}

/// The form of 389 Directory Server: rounds (4 bytes), salt (64), hash, all in
/// one base64 text.
pub(crate) fn pbkdf2_binary(text: &[u8], password: &[u8]) -> Option<Verdict> {
    let stored = base64::decode(text)?;
    let (rounds, rest) = stored.split_first_chunk::<4>()?;
    let (salt, hash) = rest.split_at_checked(64)?;
    derive::<sha2::Sha256>(u32::from_be_bytes(*rounds), salt, hash, password)
}

/// `$argon2id$v=19$m=7168,t=5,p=1$salt$hash`.
pub(crate) fn argon2(text: &[u8], password: &[u8]) -> Option<Verdict> {
    let text = core::str::from_utf8(text).ok()?.strip_prefix('$')?;
    let parts: Vec<&str> = text.split('$').collect();
    let [kind, version, costs, salt, hash] = parts.as_slice() else {
        return None;
    };
    let algorithm = match *kind {
        "argon2i" => Algorithm::Argon2i,
        "argon2d" => Algorithm::Argon2d,
        "argon2id" => Algorithm::Argon2id,
        _ => return None,
    };
    let version = match *version {
        "v=16" => Version::V0x10,
        "v=19" => Version::V0x13,
        _ => return None,
    };
    let (salt, hash) = (
        base64::decode(salt.as_bytes())?,
        base64::decode(hash.as_bytes())?,
    );
    let params = costs_of(costs, hash.len())?;
    let mut computed = Zeroizing::new(vec![0; hash.len()]);
    Argon2::new(algorithm, version, params)
        .hash_password_into(password, &salt, &mut computed)
        .ok()?;
    Some(Verdict::of(computed.ct_eq(&hash).into()))
}

fn costs_of(text: &str, length: usize) -> Option<Params> {
    let (mut memory, mut passes, mut lanes) = (None, None, None);
    for part in text.split(',') {
        let (name, value) = part.split_once('=')?;
        let value: u32 = value.parse().ok()?;
        match name {
            "m" => memory = Some(value),
            "t" => passes = Some(value),
            "p" => lanes = Some(value),
            _ => return None,
        }
    }
    let (memory, passes) = (memory?, passes?);
    if memory > MOST_MEMORY || passes > MOST_PASSES || !(16..=LONGEST).contains(&length) {
        return None;
    }
    Params::new(memory, passes, lanes?, Some(length)).ok()
}
