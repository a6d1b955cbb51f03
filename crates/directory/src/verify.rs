// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a password is right: compared with a readable value, or by a bind
//! as the user (`userbind.rs`).
#![forbid(unsafe_code)]

use crate::config::{Lookup, VerifyBy};
use crate::directory::Directory;
use crate::faults::Fault;
use crate::protocol::Entry;
use crate::session::Call;
use hash::Verdict;
use saslplug::{Code, Secret};

/// Values of a password attribute that are looked at.
const MOST_VALUES: usize = 16;

/// The `{SCHEME}` of a stored password, if it has one.
pub(crate) fn scheme(value: &Secret) -> Option<&str> {
    hash::split(value.as_bytes()).map(|(scheme, _)| scheme)
}

impl Directory {
    /// The verdict, which may be known from a moment ago.
    pub(crate) fn remembered_verdict(
        &self,
        call: &Call<'_>,
        password: &Secret,
    ) -> Result<(), Fault> {
        let user = call.login.user;
        if self.negative.knows(&call.login, password) {
            return Err(Fault::wrong_again(user));
        }
        if self.positive.knows(&call.login, password) {
            self.report(call.journal, &Fault::right_again(user));
            return Ok(());
        }
        let verdict = self.verdict(call, password);
        match &verdict {
            Ok(()) => self.positive.keep(&call.login, password),
            Err(fault) if fault.is_wrong_password() => {
                self.negative.keep(&call.login, password);
                // The right one may be another by now.
                self.positive.forget(&call.login);
            }
            Err(fault) if fault.code() != Code::UNAVAIL => self.positive.forget(&call.login),
            Err(_) => {}
        }
        verdict
    }

    /// The verdict, found out now.
    pub(crate) fn verdict(&self, call: &Call<'_>, password: &Secret) -> Result<(), Fault> {
        let user = call.login.user;
        // An empty password makes a bind that succeeds for everybody.
        if password.as_bytes().iter().all(|byte| *byte == 0) {
            return Err(Fault::empty_password(user));
        }
        if password.as_bytes().contains(&0) {
            return Err(Fault::odd_password(user));
        }
        if self.config.lookup == Lookup::None {
            return self.by_bind(call, None, password);
        }
        let entry = match self.config.verify {
            VerifyBy::Bind | VerifyBy::No => self.find(call, &[])?,
            VerifyBy::Auto | VerifyBy::Value => {
                let entry = self.find(call, std::slice::from_ref(&self.config.password_attr))?;
                if let Some(verdict) = self.by_value(call, &entry, password) {
                    return verdict;
                }
                entry
            }
        };
        self.by_bind(call, Some(&entry), password)
    }

    /// The verdict by comparison; `None`: a bind must tell.
    fn by_value(
        &self,
        call: &Call<'_>,
        entry: &Entry,
        password: &Secret,
    ) -> Option<Result<(), Fault>> {
        let bind_may_tell = self.config.verify == VerifyBy::Auto;
        let attribute = &self.config.password_attr;
        let values = entry.values(attribute).unwrap_or_default();
        let values = || values.iter().take(MOST_VALUES);
        if values().next().is_none() {
            let none = || Fault::no_password(call.login.user, &entry.dn, attribute);
            return (!bind_may_tell).then(|| Err(none()));
        }
        // Every value is compared: the time tells nothing about which.
        let (mut hits, mut unknown) = (0_usize, None);
        for value in values() {
            match self.compared(value, password) {
                Verdict::Right => hits = hits.saturating_add(1),
                Verdict::Wrong => {}
                Verdict::Unknown => unknown = unknown.or(scheme(value)),
            }
        }
        match (hits, unknown, bind_may_tell) {
            (1.., _, _) => Some(Ok(())),
            (0, None, _) => Some(Err(Fault::wrong_value(call.login.user, &entry.dn))),
            (0, Some(name), true) => {
                let fault = Fault::hashed(&entry.dn, name, "verified by bind instead");
                self.report(call.journal, &fault);
                None
            }
            (0, Some(name), false) => Some(Err(Fault::hashed(
                &entry.dn,
                name,
                "login refused (ldapdb_verify: value)",
            ))),
        }
    }

    /// Whether a stored value is `password` or made of it.
    fn compared(&self, value: &Secret, password: &Secret) -> Verdict {
        match scheme(value) {
            None if value.matches(password.as_bytes()) => Verdict::Right,
            None => Verdict::Wrong,
            Some(name) => {
                let mut known = self.config.hashes.iter();
                match known.any(|known| known.eq_ignore_ascii_case(name)) {
                    true => hash::verify(value, password, self.crypt),
                    false => Verdict::Unknown,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes() {
        let of = |text: &str| scheme(&Secret::from(text.as_bytes())).map(str::to_owned);
        assert_eq!(of("{SSHA}x").as_deref(), Some("SSHA"));
        assert_eq!(of("{}x").as_deref(), Some(""));
        assert_eq!(of("{open"), None);
        assert_eq!(of("dogood"), None);
    }
}
