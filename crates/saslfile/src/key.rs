// SPDX-License-Identifier: MIT OR Apache-2.0
//! The key of a record: `user NUL realm NUL property`.
#![forbid(unsafe_code)]

use saslplug::{Code, Error, Result};

/// Bytes of a key at most. Stock puts no limit but its callers' buffers.
const LONGEST_KEY: usize = 64 * 1024;

/// Bytes of a value at most: what stock's own reader takes.
pub const LONGEST_VALUE: usize = 8191;

/// The parts of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key<'a> {
    /// The user's name, without a realm.
    pub user: &'a [u8],
    /// The realm.
    pub realm: &'a [u8],
    /// The property's name, without a star.
    pub property: &'a [u8],
}

impl<'a> Key<'a> {
    /// The bytes in the file.
    ///
    /// # Errors
    /// `BADPARAM` for a part with a NUL, which would make it another user's key.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let parts = [self.user, self.realm, self.property];
        if parts.iter().any(|part| part.contains(&0)) {
            let why = "a user name, realm or property with a NUL byte cannot be in sasldb";
            return Err(Error::new(Code::BADPARAM, why));
        }
        let key = parts.join(&0);
        if key.len() > LONGEST_KEY {
            return Err(Error::new(
                Code::BUFOVER,
                "the user name or realm is too long for sasldb",
            ));
        }
        Ok(key)
    }

    /// The parts of a key in the file; `None`: no key of sasldb.
    pub fn decode(key: &'a [u8]) -> Option<Self> {
        let mut parts = key.split(|byte| *byte == 0);
        let (user, realm, property) = (parts.next()?, parts.next()?, parts.next()?);
        parts.next().is_none().then_some(Self {
            user,
            realm,
            property,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_both_ways() {
        let key = Key {
            user: b"al",
            realm: b"lab.test",
            property: b"userPassword",
        };
        let bytes = key.encode().unwrap();
        assert_eq!(bytes, b"al\0lab.test\0userPassword");
        assert_eq!(Key::decode(&bytes), Some(key));
        assert_eq!(Key::decode(b"a\0b"), None);
        assert_eq!(Key::decode(b"a\0b\0c\0d"), None);
    }

    #[test]
    fn no_part_may_pretend_to_be_two() {
        let key = Key {
            user: b"al\0lab.test",
            realm: b"x",
            property: b"userPassword",
        };
        assert_eq!(key.encode().unwrap_err().code(), Code::BADPARAM);
    }
}
