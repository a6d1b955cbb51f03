// SPDX-License-Identifier: MIT OR Apache-2.0
//! The values of single options, and the options that have to wait.
#![forbid(unsafe_code)]

use super::ldaprc::Defaults;
use crate::faults::Fault;
use saslplug::Secret;
use std::time::Duration;

/// Every option that ldapdb has or will have.
pub(super) const NAMES: [&str; 55] = [
    "ldapdb_uri",
    "ldapdb_id",
    "ldapdb_pw",
    "ldapdb_mech",
    "ldapdb_rc",
    "ldapdb_starttls",
    "ldapdb_canon_attr",
    "ldapdb_bind_dn",
    "ldapdb_bind_pw",
    "ldapdb_pw_file",
    "ldapdb_dn_complete",
    "ldapdb_realm",
    "ldapdb_authz_id",
    "ldapdb_secprops",
    "ldapdb_tls_cacert_file",
    "ldapdb_tls_cacert_dir",
    "ldapdb_tls_cert",
    "ldapdb_tls_key",
    "ldapdb_tls_check_peer",
    "ldapdb_tls_name",
    "ldapdb_cleartext",
    "ldapdb_connect_timeout",
    "ldapdb_timeout",
    "ldapdb_max_wait",
    "ldapdb_retry_after",
    "ldapdb_balance",
    "ldapdb_pool",
    "ldapdb_idle_timeout",
    "ldapdb_ldapconf",
    "ldapdb_lookup",
    "ldapdb_search_base",
    "ldapdb_base",
    "ldapdb_scope",
    "ldapdb_filter",
    "ldapdb_require",
    "ldapdb_default_realm",
    "ldapdb_deref",
    "ldapdb_group_dn",
    "ldapdb_group_attr",
    "ldapdb_verify",
    "ldapdb_user_dn",
    "ldapdb_password_attr",
    "ldapdb_hashes",
    "ldapdb_attr_map",
    "ldapdb_negative_ttl",
    "ldapdb_cache_ttl",
    "ldapdb_ppolicy",
    "ldapdb_user_mech",
    "ldapdb_hook",
    "ldapdb_store",
    "ldapdb_debug",
    "ldapdb_referrals",
    "ldapdb_tls_ciphers",
    "ldapdb_tls_protocol_min",
    "ldapdb_proxy",
];

/// An option of a later version: the values that already hold, and the remedy.
type Later = (&'static str, &'static [&'static str], &'static str);

const TLS: &str = "Remove it; the system's OpenSSL policy holds (openssl.cnf).";

const LATER: [Later; 6] = [
    ("ldapdb_tls_ciphers", &[], TLS),
    ("ldapdb_tls_protocol_min", &[], TLS),
    ("ldapdb_deref", &["never"], "Aliases are not followed."),
    (
        "ldapdb_hook",
        &["no", "off", "false", "0"],
        "Use this project's libsasl2.",
    ),
    (
        "ldapdb_referrals",
        &["no"],
        "Add each server to ldapdb_uri.",
    ),
    (
        "ldapdb_proxy",
        &["no"],
        "Use ldapdb_bind_dn and ldapdb_filter (search).",
    ),
];

/// Refuses, by name, what this version cannot do.
pub(super) fn refuse_later_ones(options: &Reader<'_>) -> Result<(), Fault> {
    for (name, allowed, instead) in &LATER {
        let Some(value) = options.text(name) else {
            continue;
        };
        if !allowed
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(&value))
        {
            return Err(Fault::unavailable(name, &value, instead));
        }
    }
    Ok(())
}

/// Reads values.
pub(super) struct Reader<'a> {
    pub(super) get: &'a dyn Fn(&str) -> Option<String>,
    /// What stands in for options that are not set.
    pub(super) defaults: Defaults,
}

impl Reader<'_> {
    /// The value without blanks around it, or what stands in for it; an empty
    /// one is none.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.own(name)
            .or_else(|| self.defaults.get(name).map(str::to_owned))
    }

    /// The value of the option itself.
    pub(super) fn own(&self, name: &str) -> Option<String> {
        let value = (self.get)(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// The value as it is.
    pub(super) fn secret(&self, name: &str) -> Option<Secret> {
        (self.get)(name)
            .filter(|value| !value.is_empty())
            .map(|v| Secret::new(v.into_bytes()))
    }

    pub(super) fn attribute(&self, name: &str) -> Result<Option<String>, Fault> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-.;_".contains(&byte);
        match self.text(name) {
            Some(value) if !value.bytes().all(known) => Err(Fault::bad_option(
                name,
                &format!("\"{value}\" is no attribute name"),
            )),
            value => Ok(value),
        }
    }

    pub(super) fn choice<T: Copy>(
        &self,
        name: &str,
        allowed: &[(&str, T)],
    ) -> Result<Option<T>, Fault> {
        let Some(value) = self.text(name) else {
            return Ok(None);
        };
        if let Some((_, choice)) = allowed
            .iter()
            .find(|(word, _)| word.eq_ignore_ascii_case(&value))
        {
            return Ok(Some(*choice));
        }
        let words: Vec<&str> = allowed.iter().map(|(word, _)| *word).collect();
        Err(Fault::bad_option(
            name,
            &format!("\"{value}\" is not one of {}", words.join(", ")),
        ))
    }

    pub(super) fn switch(&self, name: &str, default: bool) -> Result<bool, Fault> {
        let words = [
            ("yes", true),
            ("no", false),
            ("true", true),
            ("false", false),
            ("on", true),
            ("off", false),
            ("1", true),
            ("0", false),
        ];
        Ok(self.choice(name, &words)?.unwrap_or(default))
    }

    pub(super) fn number(&self, name: &str, default: usize) -> Result<usize, Fault> {
        match self.text(name) {
            None => Ok(default),
            Some(value) => match value.parse() {
                Ok(number) if number <= 1000 => Ok(number),
                _ => Err(Fault::bad_option(
                    name,
                    &format!("\"{value}\" is not 0 to 1000"),
                )),
            },
        }
    }

    /// Seconds, none if the option is not set.
    pub(super) fn some_seconds(&self, name: &str) -> Result<Duration, Fault> {
        let seconds = u64::try_from(self.number(name, 0)?).unwrap_or(0);
        Ok(Duration::from_secs(seconds))
    }

    pub(super) fn seconds(&self, name: &str, default: u64) -> Result<Duration, Fault> {
        match self.text(name) {
            None => Ok(Duration::from_secs(default)),
            Some(value) => match value.parse() {
                Ok(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
                _ => Err(Fault::bad_option(
                    name,
                    &format!("\"{value}\" is not 1 to 86400 seconds"),
                )),
            },
        }
    }
}
