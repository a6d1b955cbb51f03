// SPDX-License-Identifier: MIT OR Apache-2.0
//! Passwords of a moment ago, of which one is right or wrong: a client that asks
//! again and again with the same wrong one does not lock the account, nor count
//! against a server's quota (`ldapdb_negative_ttl`); with the same right one it
//! gets in without a question (`ldapdb_cache_ttl`).
//!
//! Kept are keyed digests that only this process can compute.
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

/// One password of one login.
struct Kept {
    since: Instant,
    login: Digest,
    password: Digest,
}

/// A memory of one plugin.
pub(crate) struct Remembered {
    key: Option<[u8; 32]>,
    time: Duration,
    kept: Mutex<VecDeque<Kept>>,
}

impl core::fmt::Debug for Remembered {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Remembered")
    }
}

impl Remembered {
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

    /// The digests of the login, and of the login with a password.
    fn digests(&self, login: &Login<'_>, password: &Secret) -> Option<[Digest; 2]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_ref()?).ok()?;
        for part in [login.user, login.realm.unwrap_or_default(), login.service] {
            mac.update(part.as_bytes());
            mac.update(&[0]);
        }
        let login = mac.clone().finalize().into_bytes().into();
        mac.update(password.as_bytes());
        Some([login, mac.finalize().into_bytes().into()])
    }

    /// Whether this password was kept just now.
    pub(crate) fn knows(&self, login: &Login<'_>, password: &Secret) -> bool {
        let (Some([_, digest]), Ok(kept)) = (self.digests(login, password), self.kept.try_lock())
        else {
            return false;
        };
        let fresh = |kept: &Kept| kept.since.elapsed() < self.time;
        kept.iter()
            .any(|kept| fresh(kept) && kept.password == digest)
    }

    /// Notes a password.
    pub(crate) fn keep(&self, login: &Login<'_>, password: &Secret) {
        let (Some([login, password]), Ok(mut kept)) =
            (self.digests(login, password), self.kept.try_lock())
        else {
            return;
        };
        kept.retain(|old| old.since.elapsed() < self.time && old.password != password);
        if kept.len() >= MOST {
            kept.pop_front();
        }
        kept.push_back(Kept {
            since: Instant::now(),
            login,
            password,
        });
    }

    /// Forgets all passwords of a login.
    pub(crate) fn forget(&self, login: &Login<'_>) {
        let Some([login, _]) = self.digests(login, &Secret::default()) else {
            return;
        };
        // What cannot be forgotten now is forgotten with its time.
        if let Ok(mut kept) = self.kept.lock() {
            kept.retain(|old| old.login != login);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(1500);

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
        let memory = Remembered::new(SHORT);
        memory.keep(&login("j"), &wrong);
        assert!(memory.knows(&login("j"), &wrong));
        assert!(!memory.knows(&login("j"), &other));
        assert!(!memory.knows(&login("k"), &wrong));
        std::thread::sleep(SHORT * 2);
        assert!(!memory.knows(&login("j"), &wrong));
        memory.keep(&login("j"), &wrong);
        memory.keep(&login("k"), &wrong);
        memory.forget(&login("j"));
        assert!(!memory.knows(&login("j"), &wrong));
        assert!(memory.knows(&login("k"), &wrong));
        let none = Remembered::new(Duration::ZERO);
        none.keep(&login("j"), &wrong);
        assert!(!none.knows(&login("j"), &wrong));
        let memory = Remembered::new(Duration::from_secs(60));
        for index in 0..1000 {
            memory.keep(&login(&format!("u{index}")), &wrong);
        }
        assert!(memory.kept.lock().unwrap().len() <= MOST);
        assert!(memory.knows(&login("u999"), &wrong));
    }
}
