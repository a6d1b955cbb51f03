// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was found a moment ago: one login asks two or three times.
//!
//! An entry is kept for five seconds under the login and under the canonical
//! name. Values of the password attribute are never kept: a changed password
//! counts at once. Which login led to a canonical name is kept longer, so that
//! the canonical name can be looked up again with a filter that does not match
//! it.
#![forbid(unsafe_code)]

use crate::protocol::Entry;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const FRESH: Duration = Duration::from_secs(5);
const REMEMBERED: Duration = Duration::from_secs(600);
const ENTRIES: usize = 256;
const NAMES: usize = 64;

#[derive(Debug)]
struct Noted {
    login: String,
    canonical: Option<String>,
    realm: Option<String>,
    service: String,
    entry: Entry,
    /// Attributes that were asked for.
    asked: Vec<String>,
    since: Instant,
}

/// Whose entry is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'a> {
    pub(crate) user: &'a str,
    pub(crate) realm: Option<&'a str>,
    pub(crate) service: &'a str,
}

#[derive(Debug, Default)]
struct Known {
    noted: VecDeque<Noted>,
    /// Names of properties that this host asks for.
    wanted: Vec<String>,
}

/// The memory of one plugin.
#[derive(Debug, Default)]
pub(crate) struct Memo(Mutex<Known>);

impl Noted {
    fn is_for(&self, key: Key<'_>) -> bool {
        let name = self.login == key.user || self.canonical.as_deref() == Some(key.user);
        name && self.realm.as_deref() == key.realm && self.service == key.service
    }
}

impl Memo {
    /// The entry for `key`, if it was found just now with all of `attributes`.
    pub(crate) fn find(&self, key: Key<'_>, attributes: &[String]) -> Option<Entry> {
        let known = self.0.try_lock().ok()?;
        let noted = known.noted.iter().rev().find(|noted| noted.is_for(key))?;
        let covered = |name: &String| {
            noted
                .asked
                .iter()
                .any(|asked| asked.eq_ignore_ascii_case(name))
        };
        (noted.since.elapsed() < FRESH && attributes.iter().all(covered))
            .then(|| noted.entry.clone())
    }

    /// The name of the entry for `key`, if it was found just now.
    pub(crate) fn name_of(&self, key: Key<'_>) -> Option<String> {
        let known = self.0.try_lock().ok()?;
        let noted = known.noted.iter().rev().find(|noted| noted.is_for(key))?;
        (noted.since.elapsed() < FRESH).then(|| noted.entry.dn.clone())
    }

    /// The login that led to the canonical name `key` lately.
    pub(crate) fn login_of(&self, key: Key<'_>) -> Option<String> {
        let known = self.0.try_lock().ok()?;
        let noted = known.noted.iter().rev().find(|noted| {
            noted.is_for(key) && noted.login != key.user && noted.since.elapsed() < REMEMBERED
        })?;
        Some(noted.login.clone())
    }

    /// Keeps `entry`, without the values of `secret`.
    pub(crate) fn keep(
        &self,
        key: Key<'_>,
        canonical: Option<&str>,
        entry: &Entry,
        asked: &[String],
        secret: &str,
    ) {
        let Ok(mut known) = self.0.try_lock() else {
            return;
        };
        let mut entry = entry.clone();
        let mut asked = asked.to_vec();
        if entry.values(secret).is_some() {
            entry
                .attributes
                .retain(|(name, _)| !name.eq_ignore_ascii_case(secret));
            asked.retain(|name| !name.eq_ignore_ascii_case(secret));
        }
        known.noted.retain(|noted| {
            let same = noted.login == key.user && noted.service == key.service;
            !(same && noted.realm.as_deref() == key.realm) && noted.since.elapsed() < REMEMBERED
        });
        if known.noted.len() >= ENTRIES {
            known.noted.pop_front();
        }
        known.noted.push_back(Noted {
            login: key.user.to_owned(),
            canonical: canonical.map(str::to_owned),
            realm: key.realm.map(str::to_owned),
            service: key.service.to_owned(),
            entry,
            asked,
            since: Instant::now(),
        });
    }

    /// Forgets what was found for a login or canonical name.
    pub(crate) fn forget(&self, user: &str) {
        if let Ok(mut known) = self.0.try_lock() {
            let is_other =
                |noted: &Noted| noted.login != user && noted.canonical.as_deref() != Some(user);
            known.noted.retain(is_other);
        }
    }

    /// Notes that these attributes are asked for, and tells all that were: one
    /// search can then serve a whole login.
    pub(crate) fn learn(&self, names: &[String]) -> Vec<String> {
        let Ok(mut known) = self.0.try_lock() else {
            return names.to_vec();
        };
        for name in names {
            let is_new = !known
                .wanted
                .iter()
                .any(|wanted| wanted.eq_ignore_ascii_case(name));
            if is_new && known.wanted.len() < NAMES {
                known.wanted.push(name.clone());
            }
        }
        let mut all = names.to_vec();
        for name in &known.wanted {
            if !all.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                all.push(name.clone());
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use saslplug::Secret;

    fn key(user: &str) -> Key<'_> {
        Key {
            user,
            realm: None,
            service: "imap",
        }
    }

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    fn entry() -> Entry {
        let value = |text: &str| vec![Secret::from(text.as_bytes())];
        Entry {
            dn: "cn=j".to_owned(),
            attributes: vec![
                ("mail".to_owned(), value("j@x")),
                ("userPassword".to_owned(), value("geheim")),
            ],
        }
    }

    #[test]
    fn both_names_lead_to_the_entry() {
        let memo = Memo::default();
        memo.keep(
            key("jdoe"),
            Some("j@x"),
            &entry(),
            &names(&["mail"]),
            "userPassword",
        );
        for user in ["jdoe", "j@x"] {
            assert_eq!(memo.find(key(user), &names(&["MAIL"])).unwrap().dn, "cn=j");
        }
        assert!(memo.find(key("jdo"), &[]).is_none());
        assert!(memo.find(key("jdoe"), &names(&["cn"])).is_none());
        assert!(
            memo.find(
                Key {
                    realm: Some("r"),
                    ..key("jdoe")
                },
                &[]
            )
            .is_none()
        );
        assert!(
            memo.find(
                Key {
                    service: "smtp",
                    ..key("jdoe")
                },
                &[]
            )
            .is_none()
        );
        assert_eq!(memo.login_of(key("j@x")).as_deref(), Some("jdoe"));
        assert_eq!(memo.login_of(key("jdoe")), None);
    }

    #[test]
    fn no_password_is_kept() {
        let memo = Memo::default();
        let asked = names(&["mail", "userpassword"]);
        memo.keep(key("jdoe"), None, &entry(), &asked, "userPassword");
        assert!(memo.find(key("jdoe"), &names(&["userPassword"])).is_none());
        let found = memo.find(key("jdoe"), &names(&["mail"])).unwrap();
        assert!(found.values("userPassword").is_none());
        // That there is none may be remembered.
        let mut bare = entry();
        bare.attributes.pop();
        memo.keep(key("jdoe"), None, &bare, &asked, "userPassword");
        assert!(memo.find(key("jdoe"), &names(&["userPassword"])).is_some());
    }

    #[test]
    fn it_forgets() {
        let memo = Memo::default();
        memo.keep(key("jdoe"), Some("j@x"), &entry(), &[], "userPassword");
        let later = |memo: &Memo, seconds| {
            let mut known = memo.0.lock().unwrap();
            let since = &mut known.noted[0].since;
            *since = since.checked_sub(Duration::from_secs(seconds)).unwrap();
        };
        later(&memo, 6);
        assert!(memo.find(key("jdoe"), &[]).is_none());
        assert!(memo.login_of(key("j@x")).is_some());
        later(&memo, 600);
        assert!(memo.login_of(key("j@x")).is_none());
        for index in 0..1000 {
            memo.keep(
                key(&format!("u{index}")),
                None,
                &entry(),
                &[],
                "userPassword",
            );
        }
        assert!(memo.0.lock().unwrap().noted.len() <= ENTRIES);
    }

    #[test]
    fn it_learns_what_is_asked() {
        let memo = Memo::default();
        assert_eq!(memo.learn(&names(&["mail"])), names(&["mail"]));
        assert_eq!(memo.learn(&names(&["CN"])), names(&["CN", "mail"]));
        assert_eq!(memo.learn(&names(&["cn"])), names(&["cn", "mail"]));
    }
}
