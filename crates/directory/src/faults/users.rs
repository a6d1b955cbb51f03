// SPDX-License-Identifier: MIT OR Apache-2.0
//! LDB-40 to 55: a user was found, verified or refused.
#![forbid(unsafe_code)]

use super::{Fault, Shown, shown};
use crate::protocol::{Outcome, Policy};
use saslplug::{Code, Level};
use std::time::Duration;

impl Fault {
    pub(crate) fn verified(login: &str, name: &str, time: Duration) -> Self {
        let text = format!(
            "\"{}\" verified by bind as \"{}\" in {:.1} ms.",
            Shown(login),
            Shown(name),
            time.as_secs_f64() * 1000.0
        );
        Self::new(40, Level::Debug, Code::OK, "", text)
    }

    pub(crate) fn no_secret(dn: &str, attribute: &str) -> Self {
        Self::new(
            41,
            Level::Err,
            Code::OK,
            "",
            format!(
                "entry \"{}\" found, but no readable {attribute}: DIGEST-MD5, CRAM-MD5 and SCRAM \
                 cannot work with this directory. Set \"mech_list: PLAIN LOGIN\" (over TLS).",
                Shown(dn)
            ),
        )
    }

    pub(crate) fn hashed(dn: &str, scheme: &str, then: &str) -> Self {
        let text = format!(
            "password of \"{}\" is stored under the scheme {{{}}}, which is not compared here; {then}.",
            Shown(dn),
            Shown(scheme)
        );
        Self::new(42, Level::Note, Code::BADAUTH, "", text)
    }

    pub(crate) fn stock() -> Self {
        Self::new(
            43,
            Level::Err,
            Code::OK,
            "",
            "running under stock libsasl2: a password (PLAIN, LOGIN, sasl_checkpass) cannot be \
             verified by bind here, only compared with a readable one. Use this project's libsasl2."
                .to_owned(),
        )
    }

    /// What a password policy means for the login; `OK`: it is only to be noted.
    pub(crate) fn policy(
        login: &str,
        name: &str,
        outcome: &Outcome,
        policy: Policy,
    ) -> Option<Self> {
        // 53 has words of its own.
        let (right, refused) = (outcome.code == 0, outcome.code == 49);
        let days = |seconds: u64| seconds / 86_400;
        let (number, level, code, says) = match policy {
            Policy::Expired if refused => {
                let says = "the password has expired".to_owned();
                (50, Level::Fail, Code::EXPIRED, says)
            }
            Policy::Locked if refused => {
                let says = "the account is locked".to_owned();
                (55, Level::Fail, Code::PWLOCK, says)
            }
            Policy::MustChange if right => {
                let says = "the password is right, but must be changed first".to_owned();
                (50, Level::Fail, Code::EXPIRED, says)
            }
            Policy::Grace(count) if right => {
                let says = format!("the password has expired; {count} more logins with it");
                (56, Level::Note, Code::OK, says)
            }
            Policy::Expires(seconds) if right => {
                let says = format!("the password expires in {} days", days(seconds));
                (56, Level::Note, Code::OK, says)
            }
            _ => return None,
        };
        let text = format!(
            "bind as \"{}\" for \"{}\": {says} (password policy of the server).",
            Shown(name),
            Shown(login)
        );
        Some(Self::new(number, level, code, "", text))
    }

    pub(crate) fn right_again(login: &str) -> Self {
        let text = format!(
            "the same right password for \"{}\" again; nothing was sent (ldapdb_cache_ttl).",
            Shown(login)
        );
        Self::new(40, Level::Debug, Code::OK, "", text)
    }

    pub(crate) fn no_member(login: &str, dn: &str, group: &str) -> Self {
        let text = format!(
            "\"{}\" is \"{}\", which is no member of \"{}\" (ldapdb_group_dn).",
            Shown(login),
            Shown(dn),
            Shown(group)
        );
        Self::new(30, Level::Fail, Code::NOUSER, "", text)
    }

    pub(crate) fn empty_password(login: &str) -> Self {
        let text = format!(
            "empty password for \"{}\" refused; nothing was sent.",
            Shown(login)
        );
        Self::new(50, Level::Fail, Code::BADAUTH, "", text)
    }

    pub(crate) fn wrong_again(login: &str) -> Self {
        let text = format!(
            "the same wrong password for \"{}\" again; nothing was sent (ldapdb_negative_ttl).",
            Shown(login)
        );
        Self::new(50, Level::Fail, Code::BADAUTH, "", text)
    }

    /// Whether the server or a value said that the password is wrong.
    pub(crate) fn is_wrong_password(&self) -> bool {
        (self.number, self.code) == (50, Code::BADAUTH)
    }

    pub(crate) fn odd_password(login: &str) -> Self {
        let text = format!(
            "password with a NUL for \"{}\" refused; nothing was sent.",
            Shown(login)
        );
        Self::new(50, Level::Fail, Code::BADAUTH, "", text)
    }

    pub(crate) fn no_bind_name(login: &str) -> Self {
        let text = format!(
            "no name to bind as for \"{}\" (the entry's DN or ldapdb_user_dn is empty); nothing \
             was sent.",
            Shown(login)
        );
        Self::new(51, Level::Fail, Code::NOUSER, "", text)
    }

    pub(crate) fn wrong_value(login: &str, dn: &str) -> Self {
        let text = format!(
            "password of \"{}\" (\"{}\") does not match.",
            Shown(login),
            Shown(dn)
        );
        Self::new(50, Level::Fail, Code::BADAUTH, "", text)
    }

    pub(crate) fn no_password(login: &str, dn: &str, attribute: &str) -> Self {
        let text = format!(
            "entry \"{}\" of \"{}\" shows no {attribute} to compare (ldapdb_verify: value).",
            Shown(dn),
            Shown(login)
        );
        Self::new(52, Level::Fail, Code::BADAUTH, "", text)
    }

    /// What a refused bind of the user means.
    pub(crate) fn user_bind(server: &str, login: &str, name: &str, outcome: &Outcome) -> Self {
        let message = outcome.message.to_ascii_lowercase();
        let fail = |number, code, note: &str| {
            let text = format!(
                "bind as \"{}\" for \"{}\": {}{note}",
                Shown(name),
                Shown(login),
                shown(outcome)
            );
            Self::new(number, Level::Fail, code, "", text)
        };
        match outcome.code {
            49 => {
                let (code, note) = active_directory(&message);
                fail(50, code, note)
            }
            32 | 34 | 64 => fail(51, Code::NOUSER, ""),
            80 if message.contains("nomatchingentries") => fail(51, Code::NOUSER, ""),
            48 => fail(52, Code::BADAUTH, " (the entry has no password)"),
            50 => fail(53, Code::NOAUTHZ, " (no access for this user)"),
            53 if ["inactiv", "disabled", "locked"]
                .iter()
                .any(|word| message.contains(word)) =>
            {
                fail(54, Code::DISABLED, " (account disabled)")
            }
            53 => {
                let text = format!(
                    "bind as \"{}\" for \"{}\": {}. glauth answers this while its \
                     LimitFailedBinds ban is on.",
                    Shown(name),
                    Shown(login),
                    shown(outcome)
                );
                Self::server(54, server, text)
            }
            19 => fail(55, Code::PWLOCK, " (too many failed logins)"),
            8 | 13 => Self::wants_encryption(server, outcome),
            _ => Self::answered(server, outcome, "the bind of a user"),
        }
    }
}

/// Active Directory tells in the diagnostic message why it refused.
fn active_directory(message: &str) -> (Code, &'static str) {
    let data = message.split_once("data ").map(|(_, rest)| {
        rest.split(|letter: char| !letter.is_ascii_hexdigit())
            .next()
            .unwrap_or("")
    });
    match data {
        Some("532") => (Code::EXPIRED, " (AD 532: password expired)"),
        Some("773") => (Code::EXPIRED, " (AD 773: must change password)"),
        Some("533") => (Code::DISABLED, " (AD 533: account disabled)"),
        Some("701") => (Code::DISABLED, " (AD 701: account expired)"),
        Some("530") => (Code::DISABLED, " (AD 530: not at this time)"),
        Some("531") => (Code::DISABLED, " (AD 531: not from this machine)"),
        Some("775") => (Code::PWLOCK, " (AD 775: account locked)"),
        _ => (Code::BADAUTH, ""),
    }
}
