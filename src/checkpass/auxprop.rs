// SPDX-License-Identifier: MIT OR Apache-2.0
//! `pwcheck_method: auxprop`: compares with the password that the property
//! stores show; where they show none, a store's own verifier decides. Every
//! value is compared, in constant time, and none stays behind.
#![forbid(unsafe_code)]

use super::PasswordCheck;
use crate::server::Server;
use crate::{lookup, md5};
use core::ffi::CStr;
use saslplug::{Code, Error, Identity, Result, Secret, Verify};
use std::sync::Arc;

const PASSWORD: &CStr = c"*userPassword";
const SALTED: &CStr = c"*cmusaslsecretPLAIN";

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

    fn check(&self, server: &Server, user: &CStr, password: &Secret) -> Result<()> {
        let (shown, salted) = stored(server, user)?;
        let readable: Vec<_> = shown
            .iter()
            .filter(|value| hash_scheme(value).is_none())
            .collect();
        if readable.is_empty() && salted.is_empty() {
            return verify(server, user, password, &shown);
        }
        // No short cut: the work does not tell which value matched.
        let plain = readable
            .iter()
            .fold(false, |any, value| any | (**value == *password));
        let hashed = salted
            .iter()
            .fold(false, |any, value| any | matches_salted(value, password));
        if plain | hashed {
            Ok(())
        } else {
            Err(Error::bare(Code::BADAUTH))
        }
    }

    fn exists(&self, server: &Server, user: &CStr) -> Result<()> {
        stored(server, user).map(drop)
    }
}

/// The values of both properties; they are erased from the property context.
fn stored(server: &Server, user: &CStr) -> Result<(Vec<Secret>, Vec<Secret>)> {
    let context = server.connection().properties();
    context.clear(false);
    context.request([PASSWORD, SALTED]);
    let outcome = server.identify_and_look_up(user.to_bytes(), Identity::Both, 0);
    let values = (context.values(PASSWORD), context.values(SALTED));
    context.erase(PASSWORD);
    context.erase(SALTED);
    outcome.map(|()| values)
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

fn verify(server: &Server, user: &CStr, password: &Secret, shown: &[Secret]) -> Result<()> {
    match (verifier(server), shown.iter().find_map(hash_scheme)) {
        (Some(verifier), _) => verifier.verify(server, user.to_bytes(), password),
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
fn hash_scheme(value: &Secret) -> Option<String> {
    let text = value.as_bytes().strip_prefix(b"{")?;
    let end = text.iter().position(|b| *b == b'}')?;
    let scheme = core::str::from_utf8(text.get(..end)?)
        .ok()?
        .to_ascii_uppercase();
    HASH_SCHEMES.contains(&scheme.as_str()).then_some(scheme)
}

/// 16 bytes of salt, a NUL, MD5 of salt, `sasldb` and the password.
fn matches_salted(value: &Secret, password: &Secret) -> bool {
    let Some((salt, rest)) = value.as_bytes().split_at_checked(16) else {
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
        let scheme = |text: &str| hash_scheme(&Secret::from(text.as_bytes()));
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
        let value = Secret::new(value);
        assert!(matches_salted(&value, &Secret::from(&b"pw"[..])));
        assert!(!matches_salted(&value, &Secret::from(&b"px"[..])));
        assert!(!matches_salted(
            &Secret::from(&b"short"[..]),
            &Secret::from(&b"pw"[..])
        ));
    }
}
