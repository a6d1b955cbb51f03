// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes that nobody may see: wiped when dropped, compared in constant time,
//! absent from every `Debug` output.
#![forbid(unsafe_code)]

use core::fmt;
use core::mem::MaybeUninit;
use subtle::ConstantTimeEq;

/// Names up to this length need no allocation.
const SHORT: usize = 30;

/// A password, a key or another value that must not leak. May hold NUL bytes.
#[derive(Clone)]
pub struct Secret(Bytes);

#[derive(Clone)]
enum Bytes {
    Kept(Vec<u8>),
    /// Length and bytes: for names only, as a move leaves a copy behind.
    Short(u8, [u8; SHORT]),
}

impl Secret {
    /// A secret that owns `bytes`; they are wiped when it is dropped.
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(Bytes::Kept(bytes))
    }

    /// The answer to a question for a name: no password.
    pub fn name(bytes: &[u8]) -> Self {
        let mut short = [0; SHORT];
        match (short.get_mut(..bytes.len()), u8::try_from(bytes.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(bytes);
                Self(Bytes::Short(length, short))
            }
            _ => Self::from(bytes),
        }
    }

    /// The bytes themselves. Hand them on by reference; do not copy them.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::Kept(bytes) => bytes,
            Bytes::Short(length, bytes) => bytes.get(..usize::from(*length)).unwrap_or_default(),
        }
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// Whether `other` holds the same bytes, in time that depends on the
    /// lengths only.
    pub fn matches(&self, other: &[u8]) -> bool {
        let own = self.as_bytes();
        let differences = own.iter().zip(other).fold(0, |any, (a, b)| any | (a ^ b));
        (own.len() == other.len()) & bool::from(differences.ct_eq(&0u8))
    }
}

impl Default for Secret {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

/// Wipes all that was ever allocated, in a way that no optimiser leaves out.
impl Drop for Secret {
    fn drop(&mut self) {
        if let Bytes::Kept(bytes) = &mut self.0 {
            bytes.fill(0);
            bytes.spare_capacity_mut().fill(MaybeUninit::new(0));
            zeroize::optimization_barrier(bytes.as_slice());
            zeroize::optimization_barrier(bytes.spare_capacity_mut());
        }
    }
}

impl From<&[u8]> for Secret {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes.to_vec())
    }
}

impl From<Vec<u8>> for Secret {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.matches(other.as_bytes())
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::from(&b"dogood"[..])), "Secret(…)");
    }

    #[test]
    fn names_of_any_length_stay_what_they_are() {
        for length in [0, 1, SHORT - 1, SHORT, SHORT + 1, 300] {
            let name = vec![b'n'; length];
            assert_eq!(Secret::name(&name).as_bytes(), name);
            assert_eq!(Secret::name(&name), Secret::from(&name[..]));
        }
    }

    #[test]
    fn comparison_looks_at_all_bytes() {
        let secret = Secret::from(&b"a\0b"[..]);
        assert!(secret.matches(b"a\0b"));
        assert!(!secret.matches(b"a\0c"));
        assert!(!secret.matches(b"a"));
        assert!(Secret::default().matches(b""));
    }
}
