// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes that nobody may see: wiped when dropped, compared in constant time,
//! absent from every `Debug` output.
#![forbid(unsafe_code)]

use core::fmt;
use core::mem::MaybeUninit;
use subtle::ConstantTimeEq;

/// A password, a key or another value that must not leak. May hold NUL bytes.
#[derive(Clone, Default)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// A secret that owns `bytes`; they are wiped when it is dropped.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes themselves. Hand them on by reference; do not copy them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `other` holds the same bytes, in time that depends on the
    /// lengths only.
    pub fn matches(&self, other: &[u8]) -> bool {
        let differences = self
            .0
            .iter()
            .zip(other)
            .fold(0, |any, (a, b)| any | (a ^ b));
        (self.0.len() == other.len()) & bool::from(differences.ct_eq(&0u8))
    }
}

/// Wipes all that was ever allocated, in a way that no optimiser leaves out.
impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        self.0.spare_capacity_mut().fill(MaybeUninit::new(0));
        zeroize::optimization_barrier(self.0.as_slice());
        zeroize::optimization_barrier(self.0.spare_capacity_mut());
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
    fn comparison_looks_at_all_bytes() {
        let secret = Secret::from(&b"a\0b"[..]);
        assert!(secret.matches(b"a\0b"));
        assert!(!secret.matches(b"a\0c"));
        assert!(!secret.matches(b"a"));
        assert!(Secret::default().matches(b""));
    }
}
