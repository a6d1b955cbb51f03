// SPDX-License-Identifier: MIT OR Apache-2.0
//! `pwcheck_method: auxprop`: compares with the password that the property
//! stores show; where they show none, a store's own verifier decides. Every
//! value is compared, in constant time, and none stays behind.
#![forbid(unsafe_code)]

use super::PasswordCheck;
use crate::server::Server;
use crate::{lookup, md5};
use core::ffi::CStr;
use saslplug::{Code, Error, Identity, Password, Result, Secret, Verify};
use std::sync::Arc;

/// The password, and what `auto_transition` made of it once.
const PROPERTIES: [&CStr; 2] = [c"*userPassword", c"*cmusaslsecretPLAIN"];

/// Schemes of hashed values. A value that starts with one of them is never the
/// password itself.
const HASH_SCHEMES: &[&str] = &[
    "ARGON2",
    "CRYPT",
    "MD5",
    "PBKDF2",
    "PBKDF2-SHA1",
    "PBKDF2-SHA256",
    "PBKDF2-SHA512",
    "PBKDF2_SHA256",
    "SASL",
    "SHA",
    "SHA256",
    "SHA384",
    "SHA512",
    "SMD5",
    "SSHA",
    "SSHA256",
    "SSHA384",
    "SSHA512",
];

/// See the module.
pub(super) struct Auxprop;

impl PasswordCheck for Auxprop {
    fn name(&self) -> &'static str {
        "auxprop"
    }

    fn check(&self, server: &Server, user: &CStr, password: Password<'_>) -> Result<()> {
        let mut found = Found::default();
        stored(server, user, |which, value| {
            found.compare(which, value, password)
        })?;
        match found {
            Found { any: false, .. } => verify(server, user, password, found.scheme.as_deref()),
            Found { right: true, .. } => Ok(()),
            Found { .. } => Err(Error::bare(Code::BADAUTH)),
        }
    }

    fn exists(&self, server: &Server, user: &CStr) -> Result<()> {
        stored(server, user, |_, _| ())
    }
}

/// Looks both properties up and shows their values to `work`; then they are
/// erased from the property context. `work` must not call the program or a
/// plugin.
fn stored(server: &Server, user: &CStr, mut work: impl FnMut(usize, &[u8])) -> Result<()> {
    let context = server.connection().properties();
    context.request_known(&PROPERTIES);
    let outcome = server.identify_and_look_up(user.to_bytes(), Identity::Both, 0);
    context.take_values(&PROPERTIES, |which, value| {
        if outcome.is_ok() {
            work(which, value);
        }
    });
    outcome
}

/// What a comparison with all stored values gave.
#[derive(Default)]
struct Found {
    /// Whether there was a value that can be compared.
    any: bool,
    /// Whether one of them is the password.
    right: bool,
    /// The first scheme of those that cannot.
    scheme: Option<String>,
}

impl Found {
    /// No short cut: the work does not tell which value matched.
    fn compare(&mut self, which: usize, value: &[u8], password: Password<'_>) {
        match hash_scheme(value) {
            Some(scheme) if which == 0 => {
                self.scheme.get_or_insert(scheme);
                return;
            }
            _ if which == 0 => self.right |= password.matches(value),
            _ => self.right |= matches_salted(value, password),
        }
        self.any = true;
    }
}

/// The first verifier among the configured property stores.
fn verifier(server: &Server) -> Option<Arc<dyn Verify>> {
    let conn = server.connection();
    let registry = &conn.library.registry;
    if !registry.has_verifiers() {
        return None;
    }
    let stores = lookup::providers(conn);
    stores
        .list
        .iter()
        .find_map(|provider| registry.verifier(provider.name()))
}

fn verify(
    server: &Server,
    user: &CStr,
    password: Password<'_>,
    scheme: Option<&str>,
) -> Result<()> {
    match (verifier(server), scheme) {
        (Some(verifier), _) => verifier.verify(server, user.to_bytes(), &password.kept()),
        (None, Some(scheme)) => Err(Error::with(
            Code::BADAUTH,
            format!(
                "userPassword is stored as {{{scheme}}}: it cannot be compared here; let the \
                 directory verify it (auxprop_plugin: ldapdb with ldapdb_verify: bind)"
            ),
        )),
        (None, None) => Err(Error::new(
            Code::NOUSER,
            "the user has no password in any auxprop plugin",
        )
        .silent()),
    }
}

/// The scheme of a value like `{SSHA}…`.
fn hash_scheme(value: &[u8]) -> Option<String> {
    let text = value.strip_prefix(b"{")?;
    let end = text.iter().position(|b| *b == b'}')?;
    let scheme = core::str::from_utf8(text.get(..end)?)
        .ok()?
        .to_ascii_uppercase();
    HASH_SCHEMES.contains(&scheme.as_str()).then_some(scheme)
}

/// 16 bytes of salt, a NUL, MD5 of salt, `sasldb` and the password.
fn matches_salted(value: &[u8], password: Password<'_>) -> bool {
    let Some((salt, rest)) = value.split_at_checked(16) else {
        return false;
    };
    let Some(digest) = rest.strip_prefix(b"\0") else {
        return false;
    };
    let text = Secret::new([salt, b"sasldb", password.as_bytes()].concat());
    Secret::from(&md5::digest(text.as_bytes())[..]).matches(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_schemes_are_hashes() {
        let scheme = |text: &str| hash_scheme(text.as_bytes());
        assert_eq!(scheme("{ssha}abc").as_deref(), Some("SSHA"));
        assert_eq!(scheme("{CRYPT}$6$x$y").as_deref(), Some("CRYPT"));
        for clear in ["{abc", "{smile}x", "secret", "", "{}"] {
            assert_eq!(scheme(clear), None, "{clear}");
        }
    }

    #[test]
    fn a_salted_value_matches_its_password_only() {
        let salt = b"0123456789abcdef";
        let mut value = salt.to_vec();
        value.push(0);
        value.extend_from_slice(&md5::digest(b"0123456789abcdefsasldbpw"));
        assert!(matches_salted(&value, Password::from(&b"pw"[..])));
        assert!(!matches_salted(&value, Password::from(&b"px"[..])));
        assert!(!matches_salted(b"short", Password::from(&b"pw"[..])));
    }
}
