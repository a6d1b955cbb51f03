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
        self.shown().matches(other)
    }

    /// The same, lent.
    pub fn shown(&self) -> Password<'_> {
        Password(self.as_bytes())
    }
}

/// A secret that somebody else keeps: what a peer or a program passed. It is
/// not copied on its way to who verifies it, and no `Debug` output shows it.
#[derive(Clone, Copy)]
pub struct Password<'a>(&'a [u8]);

impl<'a> Password<'a> {
    /// The bytes themselves. Hand them on by reference; do not copy them.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Length in bytes.
    pub const fn len(self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// A copy that is wiped when it is dropped.
    pub fn kept(self) -> Secret {
        Secret::from(self.0)
    }

    /// Whether `other` holds the same bytes, in time that depends on the
    /// lengths only.
    pub fn matches(self, other: &[u8]) -> bool {
        let differences = self
            .0
            .iter()
            .zip(other)
            .fold(0, |any, (a, b)| any | (a ^ b));
        (self.0.len() == other.len()) & bool::from(differences.ct_eq(&0u8))
    }
}

impl<'a> From<&'a [u8]> for Password<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Password<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
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
            if bytes.capacity() == 0 {
                return;
            }
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
        let secret = Secret::from(&b"dogood"[..]);
        assert_eq!(
            format!("{secret:?} {:?}", secret.shown()),
            "Secret(…) Password(…)"
        );
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
