// SPDX-License-Identifier: MIT OR Apache-2.0
//! The quick ones: a digest of password and salt, base64 of digest and salt.
#![forbid(unsafe_code)]

use crate::{Verdict, base64};
use sha2::digest::Digest;
use subtle::ConstantTimeEq;

/// Salts beyond this are no salts.
const LONGEST_SALT: usize = 256;

fn check<D: Digest>(text: &[u8], password: &[u8]) -> Option<Verdict> {
    let stored = base64::decode(text)?;
    let (digest, salt) = stored.split_at_checked(<D as Digest>::output_size())?;
    if salt.len() > LONGEST_SALT {
        return None;
    }
    let computed = D::new()
        .chain_update(password)
        .chain_update(salt)
        .finalize();
    Some(Verdict::of(computed.as_slice().ct_eq(digest).into()))
}

pub(crate) fn md5(text: &[u8], password: &[u8]) -> Option<Verdict> {
    check::<md5::Md5>(text, password)
}

pub(crate) fn sha1(text: &[u8], password: &[u8]) -> Option<Verdict> {
    check::<sha1::Sha1>(text, password)
}

pub(crate) fn sha256(text: &[u8], password: &[u8]) -> Option<Verdict> {
    check::<sha2::Sha256>(text, password)
}

pub(crate) fn sha384(text: &[u8], password: &[u8]) -> Option<Verdict> {
    check::<sha2::Sha384>(text, password)
}

pub(crate) fn sha512(text: &[u8], password: &[u8]) -> Option<Verdict> {
    check::<sha2::Sha512>(text, password)
}

/// The password itself behind a scheme that says so.
pub(crate) fn clear(text: &[u8], password: &[u8]) -> Option<Verdict> {
    Some(Verdict::of(text.ct_eq(password).into()))
}
