// SPDX-License-Identifier: MIT OR Apache-2.0
//! LDB-60 and 61: a password was changed, or not.
#![forbid(unsafe_code)]

use super::{Fault, Shown, shown};
use crate::protocol::Outcome;
use saslplug::{Code, Level};

impl Fault {
    pub(crate) fn stored(dn: &str, how: &str) -> Self {
        let text = format!("password or property of \"{}\" changed ({how}).", Shown(dn));
        Self::new(60, Level::Note, Code::OK, "", text)
    }

    pub(crate) fn not_stored(server: &str, dn: &str, outcome: &Outcome) -> Self {
        let code = match outcome.code {
            19 => Code::WEAKPASS,
            51 | 52 => Code::UNAVAIL,
            _ => Code::FAIL,
        };
        let hint = match outcome.code {
            10 => " This server takes no changes: put the one that does first in ldapdb_uri.",
            17 => " The directory's schema does not have this attribute (ldapdb_attr_map).",
            50 => " The account may not write it.",
            _ => "",
        };
        let text = format!(
            "password or property of \"{}\" not changed by {server}: {}.{hint}",
            Shown(dn),
            shown(outcome)
        );
        Self::new(61, Level::Err, code, server, text)
    }

    pub(crate) fn ad_wants_tls(server: &str, dn: &str) -> Self {
        let text = format!(
            "password of \"{}\" not sent to {server}: Active Directory takes it by TLS only. Use \
             ldaps:// or ldapdb_starttls: demand.",
            Shown(dn)
        );
        Self::new(61, Level::Err, Code::FAIL, server, text)
    }

    pub(crate) fn ad_password(dn: &str) -> Self {
        let text = format!(
            "password of \"{}\" not changed: with ldapdb_store: ad it must be one, in UTF-8, and \
             cannot be removed.",
            Shown(dn)
        );
        Self::new(61, Level::Err, Code::FAIL, "", text)
    }

    pub(crate) fn cannot_store() -> Self {
        let text =
            "nothing can be changed without a service account and a search (ldapdb_bind_dn)."
                .to_owned();
        Self::new(61, Level::Err, Code::CONSTRAINT_VIOLAT, "", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_result_means() {
        for (code, sasl, says) in [
            (19, Code::WEAKPASS, "19 constraintViolation \"too short\""),
            (50, Code::FAIL, "may not write it"),
            (10, Code::FAIL, "takes no changes"),
            (17, Code::FAIL, "ldapdb_attr_map"),
            (53, Code::FAIL, "53 unwillingToPerform"),
            (52, Code::UNAVAIL, "52 unavailable"),
        ] {
            let outcome = Outcome {
                code,
                message: "too short".to_owned(),
                referral: None,
            };
            let fault = Fault::not_stored("ldap://s", "cn=j", &outcome);
            assert_eq!((fault.number(), fault.code()), (61, sasl), "{fault}");
            assert!(fault.to_string().contains(says), "{fault}");
        }
    }
}
