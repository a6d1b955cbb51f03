// SPDX-License-Identifier: MIT OR Apache-2.0
//! Wrong passwords of a moment ago (`ldapdb_negative_ttl`): a client that asks
//! again and again with the same one does not lock the account, nor count
//! against a server's quota.
//!
//! Kept is a keyed digest that only this process can compute.
#![forbid(unsafe_code)]

use crate::template::Login;
use hmac::{Hmac, KeyInit, Mac};
use saslplug::Secret;
use sha2::Sha256;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const MOST: usize = 256;

type Digest = [u8; 32];

/// The memory of one plugin.
pub(crate) struct Negative {
    key: Option<[u8; 32]>,
    time: Duration,
    kept: Mutex<VecDeque<(Instant, Digest)>>,
}

impl core::fmt::Debug for Negative {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Negative")
    }
}

impl Negative {
    /// A memory that keeps for `time`; zero: none.
    pub(crate) fn new(time: Duration) -> Self {
        let mut key = [0; 32];
        let filled = !time.is_zero() && getrandom::fill(&mut key).is_ok();
        Self {
            key: filled.then_some(key),
            time,
            kept: Mutex::default(),
        }
    }

    fn digest(&self, login: &Login<'_>, password: &Secret) -> Option<Digest> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_ref()?).ok()?;
        for part in [login.user, login.realm.unwrap_or_default(), login.service] {
            mac.update(part.as_bytes());
            mac.update(&[0]);
        }
        mac.update(password.as_bytes());
        Some(mac.finalize().into_bytes().into())
    }

    /// Whether this password was wrong just now.
    pub(crate) fn knows(&self, login: &Login<'_>, password: &Secret) -> bool {
        let (Some(digest), Ok(kept)) = (self.digest(login, password), self.kept.try_lock()) else {
            return false;
        };
        let fresh = |since: &Instant| since.elapsed() < self.time;
        kept.iter()
            .any(|(since, known)| fresh(since) && *known == digest)
    }

    /// Notes a wrong password.
    pub(crate) fn keep(&self, login: &Login<'_>, password: &Secret) {
        let (Some(digest), Ok(mut kept)) = (self.digest(login, password), self.kept.try_lock())
        else {
            return;
        };
        kept.retain(|(since, known)| since.elapsed() < self.time && *known != digest);
        if kept.len() >= MOST {
            kept.pop_front();
        }
        kept.push_back((Instant::now(), digest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(user: &str) -> Login<'_> {
        Login {
            user,
            service: "imap",
            ..Login::default()
        }
    }

    #[test]
    fn it_remembers_for_a_while() {
        let (wrong, other) = (Secret::from(&b"wrong"[..]), Secret::from(&b"other"[..]));
        let memory = Negative::new(Duration::from_millis(150));
        memory.keep(&login("j"), &wrong);
        assert!(memory.knows(&login("j"), &wrong));
        assert!(!memory.knows(&login("j"), &other));
        assert!(!memory.knows(&login("k"), &wrong));
        std::thread::sleep(Duration::from_millis(200));
        assert!(!memory.knows(&login("j"), &wrong));
        let none = Negative::new(Duration::ZERO);
        none.keep(&login("j"), &wrong);
        assert!(!none.knows(&login("j"), &wrong));
        let memory = Negative::new(Duration::from_secs(60));
        for index in 0..1000 {
            memory.keep(&login(&format!("u{index}")), &wrong);
        }
        assert!(memory.kept.lock().unwrap().len() <= MOST);
        assert!(memory.knows(&login("u999"), &wrong));
    }
}
