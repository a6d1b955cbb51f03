// SPDX-License-Identifier: MIT OR Apache-2.0
//! LDB-01 to 09: the configuration is wrong until somebody changes it.
#![forbid(unsafe_code)]

use super::{Fault, Shown};
use saslplug::{Code, Level};

impl Fault {
    fn config(number: u8, text: String) -> Self {
        Self::new(number, Level::Err, Code::FAIL, "", text)
    }

    pub(crate) fn no_uri() -> Self {
        Self::config(
            1,
            "ldapdb_uri is not set. Put \"ldapdb_uri: ldap://host/dc=example,dc=com\" in the SASL \
             configuration (Cyrus IMAP: sasl_ldapdb_uri in imapd.conf; Postfix: sasl/smtpd.conf; \
             others: the application's file in /etc/sasl2 or /usr/lib/sasl2)."
                .to_owned(),
        )
    }

    pub(crate) fn not_a_url(part: &str, why: &str) -> Self {
        Self::config(
            3,
            format!(
                "\"{}\" in ldapdb_uri is not an LDAP URL; {}. Servers are separated by blanks; a \
                 comma inside the DN is fine or %2c.",
                Shown(part),
                Shown(why)
            ),
        )
    }

    pub(crate) fn lost_comma(dn: &str, kind: &str) -> Self {
        Self::config(
            4,
            format!(
                "suspicious base DN \"{}\" in ldapdb_uri: '=' inside the value of {}. %44 is the \
                 letter D; a comma is %2c, or just a comma.",
                Shown(dn),
                Shown(kind)
            ),
        )
    }

    pub(crate) fn trailing_slash(given: &str, used: &str) -> Self {
        let text = format!(
            "base DN \"{}\" had a trailing slash; using \"{}\".",
            Shown(given),
            Shown(used)
        );
        Self::new(5, Level::Warn, Code::FAIL, "", text)
    }

    pub(crate) fn id_is_dn(id: &str) -> Self {
        Self::config(
            6,
            format!(
                "ldapdb_id \"{}\" looks like a DN, but ldapdb_id is a SASL user name. For a simple \
                 bind use ldapdb_bind_dn, or ldapdb_mech: SIMPLE.",
                Shown(id)
            ),
        )
    }

    pub(crate) fn password_file(path: &str, why: &str, uid: u32) -> Self {
        let text = format!(
            "ldapdb_pw_file {}: {} (as uid {uid}).",
            Shown(path),
            Shown(why)
        );
        Self::new(7, Level::Err, Code::UNAVAIL, path, text)
    }

    pub(crate) fn password_file_open(path: &str, mode: u32) -> Self {
        let text = format!(
            "ldapdb_pw_file {}: others may read it (mode {mode:04o}); chmod 0600 or 0640.",
            Shown(path)
        );
        Self::new(7, Level::Warn, Code::UNAVAIL, path, text)
    }

    pub(crate) fn unavailable(option: &str, value: &str, instead: &str) -> Self {
        Self::config(
            8,
            format!(
                "{option}: {} is not available in this version. {instead}",
                Shown(value)
            ),
        )
    }

    pub(crate) fn bad_option(option: &str, why: &str) -> Self {
        Self::config(9, format!("{option}: {}.", Shown(why)))
    }

    pub(crate) fn no_effect(option: &str, why: &str) -> Self {
        let text = format!("{option} has no effect: {why}.");
        Self::new(9, Level::Note, Code::FAIL, option, text)
    }

    pub(crate) fn no_rc(name: &str) -> Self {
        let text = format!(
            "ldapdb_rc: there is no readable file \"{0}\", neither $HOME/{0} nor $HOME/.{0} nor {0}.",
            Shown(name)
        );
        Self::new(9, Level::Warn, Code::FAIL, "ldapdb_rc", text)
    }
}
