// SPDX-License-Identifier: MIT OR Apache-2.0
//! Nonces that may be used once more (RFC 2831 section 2.2): who logged in with
//! one, how often, and until when. A bounded table of this process: a child
//! that inherits it does not honour what its parent holds, or one message could
//! be replayed to several children.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// More nonces than this are forgotten, the oldest first.
const MOST: usize = 1024;

/// The table.
pub(super) struct Sessions(Mutex<BTreeMap<Vec<u8>, Session>>);

struct Session {
    username: Vec<u8>,
    realm: Vec<u8>,
    last_count: u32,
    expires: u64,
    process: u32,
}

/// A use of a nonce.
#[derive(Clone, Copy)]
pub(super) struct Use<'a> {
    pub(super) nonce: &'a [u8],
    pub(super) username: &'a [u8],
    pub(super) realm: &'a [u8],
    pub(super) count: u32,
}

impl Sessions {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// Remembers a nonce after a login.
    pub(super) fn open(&self, login: Use<'_>, now: u64, seconds: u64) {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, session| session.expires > now);
        if sessions.len() >= MOST {
            let oldest = sessions.iter().min_by_key(|(_, session)| session.expires);
            let oldest = oldest.map(|(nonce, _)| nonce.clone());
            oldest.and_then(|nonce| sessions.remove(&nonce));
        }
        let session = Session {
            username: login.username.to_vec(),
            realm: login.realm.to_vec(),
            last_count: login.count,
            expires: now.saturating_add(seconds),
            process: std::process::id(),
        };
        sessions.insert(login.nonce.to_vec(), session);
    }

    /// Takes the next count of a nonce.
    ///
    /// # Errors
    /// Why the nonce is stale. A count out of order ends it for good.
    pub(super) fn advance(&self, again: Use<'_>, now: u64) -> Result<(), &'static str> {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get_mut(again.nonce).filter(|session| {
            session.username == again.username
                && session.realm == again.realm
                && session.expires > now
                && session.process == std::process::id()
        });
        let Some(session) = session else {
            return Err("no cached server nonce");
        };
        if session.last_count.checked_add(1) != Some(again.count) {
            sessions.remove(again.nonce);
            return Err("incorrect nonce-count");
        }
        session.last_count = again.count;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(nonce: &[u8], count: u32) -> Use<'_> {
        Use {
            nonce,
            username: b"tim",
            realm: b"R",
            count,
        }
    }

    #[test]
    fn counts_go_up_by_one() {
        let sessions = Sessions::new();
        sessions.open(login(b"n", 1), 100, 60);
        assert_eq!(sessions.advance(login(b"n", 2), 110), Ok(()));
        assert_eq!(sessions.advance(login(b"n", 3), 110), Ok(()));
        assert_eq!(
            sessions.advance(login(b"n", 3), 110),
            Err("incorrect nonce-count")
        );
        assert_eq!(
            sessions.advance(login(b"n", 4), 110),
            Err("no cached server nonce")
        );
    }

    #[test]
    fn only_the_same_name_and_not_for_ever() {
        let sessions = Sessions::new();
        sessions.open(login(b"n", 1), 100, 60);
        let other = Use {
            username: b"eve",
            ..login(b"n", 2)
        };
        assert!(sessions.advance(other, 110).is_err());
        let other = Use {
            realm: b"S",
            ..login(b"n", 2)
        };
        assert!(sessions.advance(other, 110).is_err());
        assert!(sessions.advance(login(b"m", 2), 110).is_err());
        assert!(sessions.advance(login(b"n", 2), 160).is_err());
        assert!(sessions.advance(login(b"n", 2), 159).is_ok());
    }

    #[test]
    fn the_table_is_bounded() {
        let sessions = Sessions::new();
        for number in 0..2000u32 {
            sessions.open(login(&number.to_be_bytes(), 1), u64::from(number), 10_000);
        }
        assert_eq!(sessions.0.lock().unwrap().len(), MOST);
        assert!(
            sessions
                .advance(login(&1999u32.to_be_bytes(), 2), 2000)
                .is_ok()
        );
        assert!(
            sessions
                .advance(login(&0u32.to_be_bytes(), 2), 2000)
                .is_err()
        );
    }
}
