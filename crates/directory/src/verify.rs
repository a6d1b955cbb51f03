// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a password is right: compared with a readable value, or by a bind
//! as the user on a connection that does nothing else.
#![forbid(unsafe_code)]

use crate::bind;
use crate::config::{Lookup, VerifyBy};
use crate::directory::Directory;
use crate::faults::Fault;
use crate::pool::Role;
use crate::protocol::Entry;
use crate::session::{Call, Server, Trouble};
use crate::template::{Login, Template};
use hash::Verdict;
use saslplug::Secret;
use std::time::Instant;

/// Values of a password attribute that are looked at.
const MOST_VALUES: usize = 16;

/// The `{SCHEME}` of a stored password, if it has one.
pub(crate) fn scheme(value: &Secret) -> Option<&str> {
    hash::split(value.as_bytes()).map(|(scheme, _)| scheme)
}

impl Directory {
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

    /// One bind as the user, on a connection that only ever binds.
    fn by_bind(
        &self,
        call: &Call<'_>,
        entry: Option<&Entry>,
        password: &Secret,
    ) -> Result<(), Fault> {
        let login = Login {
            entry: entry.map(|entry| entry.dn.as_str()),
            ..call.login.clone()
        };
        self.run(
            call,
            Role::Verify,
            "the bind of a user",
            &mut |connection, server, deadline| {
                let name = self.bind_name(&login, server).map_err(Trouble::Fault)?;
                let start = Instant::now();
                let outcome = bind::simple(connection, &name, password, deadline)?;
                if outcome.code != 0 {
                    let fault = Fault::user_bind(server.label, login.user, &name, &outcome);
                    return Err(Trouble::Fault(fault));
                }
                self.report(
                    call.journal,
                    &Fault::verified(login.user, &name, start.elapsed()),
                );
                Ok(())
            },
        )
    }

    /// The name that the user's bind carries.
    fn bind_name(&self, login: &Login<'_>, server: Server<'_>) -> Result<String, Fault> {
        let name = match &self.config.user_dn {
            None => login.entry.map(str::to_owned),
            Some(user) => {
                let text = match user.is_dn {
                    true => self.completed(&user.text, server),
                    false => user.text.clone(),
                };
                let template = Template::parse(&text)
                    .map_err(|why| Fault::bad_option("ldapdb_user_dn", &why))?;
                if user.is_dn {
                    template.fill_dn(login)
                } else if is_safe_raw(login.user) {
                    template
                        .fill(login)
                        .and_then(|name| String::from_utf8(name).ok())
                } else {
                    let why = "with a raw ldapdb_user_dn it may not have = , \\ / { } or S-1-";
                    return Err(Fault::odd_login(login.user.as_bytes(), why));
                }
            }
        };
        let name = name.ok_or_else(|| Fault::no_value(login.user, "ldapdb_user_dn"))?;
        // Without a name the bind is anonymous and succeeds for everybody.
        if name.trim().is_empty() {
            return Err(Fault::no_bind_name(login.user));
        }
        Ok(name)
    }
}

/// Whether a directory that tries several forms of a name takes this one for
/// what it looks like.
fn is_safe_raw(user: &str) -> bool {
    let sid = user
        .get(..4)
        .is_some_and(|head| head.eq_ignore_ascii_case("S-1-"));
    !sid && !user.contains(['=', ',', '\\', '/', '{', '}'])
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

    #[test]
    fn raw_names_look_like_names() {
        for user in [
            "cn=x",
            "a,b",
            "DOM\\x",
            "corp.ex/x",
            "{guid}",
            "S-1-5-21",
            "s-1-5",
        ] {
            assert!(!is_safe_raw(user), "{user}");
        }
        assert!(is_safe_raw("jdoe@corp.ex"));
    }
}
