// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a server process keeps: a random key that makes salts stable, and the
//! keys derived for recent users, because deriving them is the whole cost of a
//! login. An entry is good for exactly one password, salt and count; the tables
//! are bounded, and wiped where entries leave.
#![forbid(unsafe_code)]

use super::keys::{Hash, Key, Keys};
use crate::ServerHost;
use saslplug::{Code, Result};
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Entries of each table.
const MOST: usize = 1024;

/// What one mechanism remembers.
pub(super) struct Memory {
    secret: OnceLock<Zeroizing<[u8; 32]>>,
    known: Table,
    /// Of users that do not exist: they must not take longer, nor push others out.
    unknown: Table,
}

type Table = Mutex<BTreeMap<Vec<u8>, Entry>>;

struct Entry {
    /// Keyed hash of password, salt and count.
    tag: Key,
    keys: Keys,
}

/// Where the password comes from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) user: &'a [u8],
    pub(super) exists: bool,
    pub(super) password: &'a [u8],
    pub(super) salt: &'a [u8],
    pub(super) iterations: u32,
}

impl Memory {
    pub(super) const fn new() -> Self {
        Self {
            secret: OnceLock::new(),
            known: Mutex::new(BTreeMap::new()),
            unknown: Mutex::new(BTreeMap::new()),
        }
    }

    fn secret(&self, host: &dyn ServerHost) -> Result<&[u8; 32]> {
        if self.secret.get().is_none() {
            let mut fresh = Zeroizing::new([0; 32]);
            host.fill_random(fresh.as_mut_slice())?;
            let _ = self.secret.set(fresh);
        }
        self.secret
            .get()
            .map(|secret| &**secret)
            .ok_or_else(|| Code::FAIL.into())
    }

    /// A value that stays the same for `user` as long as the process lives, and
    /// that nobody can tell from random.
    pub(super) fn stable(
        &self,
        host: &dyn ServerHost,
        hash: Hash,
        purpose: &str,
        user: &[u8],
    ) -> Result<Key> {
        let secret = self.secret(host)?;
        Ok(hash.hmac(secret, &[purpose.as_bytes(), b"\0", user]))
    }

    /// The keys for a password, derived or remembered.
    pub(super) fn keys(
        &self,
        host: &dyn ServerHost,
        hash: Hash,
        source: Source<'_>,
    ) -> Result<Keys> {
        let secret = self.secret(host)?;
        let count = source.iterations.to_be_bytes();
        let lengths = (source.salt.len() as u64).to_be_bytes();
        let parts = [
            b"tag\0".as_slice(),
            &count,
            &lengths,
            source.salt,
            source.password,
        ];
        let tag = hash.hmac(secret, &parts);
        let table = if source.exists {
            &self.known
        } else {
            &self.unknown
        };
        {
            let table = table.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(entry) = table.get(source.user) {
                if bool::from(entry.tag.ct_eq(&tag)) {
                    return Ok(entry.keys.clone());
                }
            }
        }
        // Long work: no lock is held.
        let keys = Keys::derive(hash, source.password, source.salt, source.iterations);
        let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
        if table.len() >= MOST && !table.contains_key(source.user) {
            table.pop_first();
        }
        table.insert(
            source.user.to_vec(),
            Entry {
                tag,
                keys: keys.clone(),
            },
        );
        Ok(keys)
    }

    /// Forgets all keys; salts stay.
    pub(super) fn forget(&self) {
        for table in [&self.known, &self.unknown] {
            table.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeServer;

    fn size(table: &Table) -> usize {
        table.lock().unwrap().len()
    }

    #[test]
    fn an_entry_is_good_for_one_password_salt_and_count() {
        let (memory, host) = (Memory::new(), FakeServer::new(&[]));
        let source = Source {
            user: b"tim",
            exists: true,
            password: b"pw",
            salt: b"salt",
            iterations: 2,
        };
        let changes = [
            source,
            Source {
                password: b"px",
                ..source
            },
            Source {
                salt: b"sal",
                ..source
            },
            Source {
                salt: b"saltp",
                password: b"w",
                ..source
            },
            Source {
                iterations: 3,
                ..source
            },
            source,
        ];
        for source in changes {
            let keys = memory.keys(&host, Hash::Sha256, source).unwrap();
            let fresh = Keys::derive(
                Hash::Sha256,
                source.password,
                source.salt,
                source.iterations,
            );
            let message: [&[u8]; 1] = [b"m"];
            assert_eq!(
                keys.signature(Hash::Sha256, &message),
                fresh.signature(Hash::Sha256, &message)
            );
            assert_eq!(size(&memory.known), 1);
        }
        memory.forget();
        assert_eq!(size(&memory.known), 0);
    }

    #[test]
    fn tables_are_bounded_and_apart() {
        let (memory, host) = (Memory::new(), FakeServer::new(&[]));
        let source = Source {
            user: b"tim",
            exists: true,
            password: b"pw",
            salt: b"s",
            iterations: 1,
        };
        memory.keys(&host, Hash::Sha1, source).unwrap();
        for number in 0..1124u32 {
            let user = number.to_be_bytes();
            let stranger = Source {
                user: &user,
                exists: false,
                ..source
            };
            memory.keys(&host, Hash::Sha1, stranger).unwrap();
        }
        assert_eq!(size(&memory.unknown), MOST);
        assert_eq!(size(&memory.known), 1);
    }

    #[test]
    fn stable_values_differ_by_user_purpose_and_process() {
        let (memory, host) = (Memory::new(), FakeServer::new(&[]));
        let salt = |user: &[u8]| memory.stable(&host, Hash::Sha1, "salt", user).unwrap();
        assert_eq!(salt(b"tim"), salt(b"tim"));
        assert_ne!(salt(b"tim"), salt(b"tom"));
        assert_ne!(
            salt(b"tim"),
            memory
                .stable(&host, Hash::Sha1, "password", b"tim")
                .unwrap()
        );
        let other = Memory::new()
            .stable(&host, Hash::Sha1, "salt", b"tim")
            .unwrap();
        assert_ne!(salt(b"tim"), other);
    }
}
