// SPDX-License-Identifier: MIT OR Apache-2.0
//! The derivations of RFC 5802 section 3 for five hashes, and the form in which
//! a store holds their results (RFC 5803).
#![forbid(unsafe_code)]

use super::MOST;
use super::message::parse_count;
use crate::base64;
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::digest::Digest;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A value that is worth a password, or a part of one.
pub(super) type Key = Zeroizing<Vec<u8>>;

/// The hash functions of the family.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// Runs a generic function with the hash that `$hash` stands for.
macro_rules! with {
    ($hash:expr, $function:ident($($argument:expr),*)) => {
        match $hash {
            Hash::Sha1 => $function::<Sha1>($($argument),*),
            Hash::Sha224 => $function::<Sha224>($($argument),*),
            Hash::Sha256 => $function::<Sha256>($($argument),*),
            Hash::Sha384 => $function::<Sha384>($($argument),*),
            Hash::Sha512 => $function::<Sha512>($($argument),*),
        }
    };
}

fn digest<D: Digest>(data: &[u8]) -> Key {
    Zeroizing::new(D::digest(data).to_vec())
}

fn hmac<D: EagerHash>(key: &[u8], parts: &[&[u8]]) -> Key {
    // HMAC takes a key of any length; were it not so, nothing would match.
    let Ok(mut mac) = Hmac::<D>::new_from_slice(key) else {
        return Key::default();
    };
    for part in parts {
        mac.update(part);
    }
    Zeroizing::new(mac.finalize().into_bytes().to_vec())
}

impl Hash {
    /// Its size in bits.
    pub(super) const fn bits(self) -> u32 {
        match self {
            Self::Sha1 => 160,
            Self::Sha224 => 224,
            Self::Sha256 => 256,
            Self::Sha384 => 384,
            Self::Sha512 => 512,
        }
    }

    /// Its size in bytes.
    pub(super) const fn size(self) -> usize {
        self.bits() as usize / 8
    }

    /// H(data).
    pub(super) fn digest(self, data: &[u8]) -> Key {
        #[cfg(test)]
        work::add(data.len() / 64 + 1);
        with!(self, digest(data))
    }

    /// HMAC(key, parts in a row).
    pub(super) fn hmac(self, key: &[u8], parts: &[&[u8]]) -> Key {
        #[cfg(test)]
        work::add(parts.iter().map(|part| part.len()).sum::<usize>() / 64 + 4);
        with!(self, hmac(key, parts))
    }

    /// Hi(password, salt, iterations).
    pub(super) fn salted(self, password: &[u8], salt: &[u8], iterations: u32) -> Key {
        #[cfg(test)]
        work::add(usize::try_from(iterations).unwrap_or_default() * 2);
        let mut key = Zeroizing::new(vec![0; self.size()]);
        with!(self, pbkdf2_hmac(password, salt, iterations, &mut key));
        key
    }

    fn client_key(self, salted: &[u8]) -> Key {
        self.hmac(salted, &[b"Client Key"])
    }

    fn server_key(self, salted: &[u8]) -> Key {
        self.hmac(salted, &[b"Server Key"])
    }

    /// ClientProof.
    pub(super) fn proof(self, salted: &[u8], message: &[&[u8]]) -> Key {
        let key = self.client_key(salted);
        let signature = self.hmac(&self.digest(&key), message);
        xor(&key, &signature)
    }

    /// ServerSignature, as the client expects it.
    pub(super) fn expected(self, salted: &[u8], message: &[&[u8]]) -> Key {
        self.hmac(&self.server_key(salted), message)
    }
}

fn xor(left: &[u8], right: &[u8]) -> Key {
    Zeroizing::new(
        left.iter()
            .zip(right)
            .map(|(left, right)| left ^ right)
            .collect(),
    )
}

/// What a server needs to know of a user.
#[derive(Clone)]
pub(super) struct Keys {
    stored: Key,
    server: Key,
}

impl Keys {
    /// From the password.
    pub(super) fn derive(hash: Hash, password: &[u8], salt: &[u8], iterations: u32) -> Self {
        let salted = hash.salted(password, salt, iterations);
        Self {
            stored: hash.digest(&hash.client_key(&salted)),
            server: hash.server_key(&salted),
        }
    }

    /// Whether `proof` shows that the client knows the password.
    pub(super) fn accept(&self, hash: Hash, proof: &[u8], message: &[&[u8]]) -> bool {
        let signature = hash.hmac(&self.stored, message);
        let key = hash.digest(&xor(proof, &signature));
        proof.len() == hash.size() && bool::from(key.ct_eq(&self.stored))
    }

    /// ServerSignature.
    pub(super) fn signature(&self, hash: Hash, message: &[&[u8]]) -> Key {
        hash.hmac(&self.server, message)
    }
}

/// A value of `authPassword`: `SCRAM-SHA-1$4096:salt$StoredKey:ServerKey`.
pub(super) struct Stored {
    pub(super) salt: Vec<u8>,
    pub(super) iterations: u32,
    pub(super) keys: Keys,
}

impl Stored {
    /// Reads a value; `None` if it is for another mechanism or not well-formed.
    pub(super) fn parse(hash: Hash, mech: &str, value: &[u8]) -> Option<Self> {
        let mut parts = value.split(|&byte| byte == b'$').map(<[u8]>::trim_ascii);
        let (scheme, info, secret) = (parts.next()?, parts.next()?, parts.next()?);
        if scheme != mech.as_bytes() || parts.next().is_some() {
            return None;
        }
        let pair = |part: &'_ [u8]| -> Option<(Vec<u8>, Vec<u8>)> {
            let colon = part.iter().position(|&byte| byte == b':')?;
            let (left, right) = part.split_at_checked(colon)?;
            Some((left.to_vec(), base64::decode(right.get(1..)?)?))
        };
        let (count, salt) = pair(info)?;
        let (stored, server) = pair(secret)?;
        let stored = Zeroizing::new(base64::decode(&stored)?);
        let server = Zeroizing::new(server);
        let iterations = parse_count(&count).filter(|count| (1..=MOST).contains(count))?;
        let sizes = stored.len() == hash.size() && server.len() == hash.size();
        (sizes && !salt.is_empty()).then_some(Self {
            salt,
            iterations,
            keys: Keys { stored, server },
        })
    }
}

/// A value of `authPassword` for a password (RFC 5803).
pub(super) fn text(
    hash: Hash,
    mech: &str,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
) -> Zeroizing<String> {
    let keys = Keys::derive(hash, &prepared(password), salt, iterations);
    let salt = base64::encode(salt);
    let stored = Zeroizing::new(base64::encode(&keys.stored));
    let server = Zeroizing::new(base64::encode(&keys.server));
    Zeroizing::new(format!(
        "{mech}${iterations}:{salt}${}:{}",
        *stored, *server
    ))
}

/// A password as RFC 5802 wants it: prepared by SASLprep (RFC 4013) where that
/// is possible, as it is where it is not.
pub(super) fn prepared(password: &[u8]) -> Key {
    let prepared = core::str::from_utf8(password)
        .ok()
        .and_then(|text| stringprep::saslprep(text).ok());
    Zeroizing::new(match prepared {
        Some(text) if !text.is_empty() => text.into_owned().into_bytes(),
        _ => password.to_vec(),
    })
}

/// Blocks hashed by this thread: what a stranger could measure as time.
#[cfg(test)]
pub(super) mod work {
    use core::cell::Cell;
    std::thread_local! { static BLOCKS: Cell<usize> = const { Cell::new(0) }; }

    pub(super) fn add(blocks: usize) {
        BLOCKS.set(BLOCKS.get() + blocks);
    }

    /// Since the last question.
    pub(in super::super) fn take() -> usize {
        BLOCKS.take()
    }
}

#[cfg(test)]
mod tests;
