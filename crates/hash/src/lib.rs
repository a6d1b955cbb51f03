// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stored passwords of the form `{SCHEME}…`, as directories keep them: is this
//! the password? A stored hash is never a password itself.
//!
//! Comparison takes the same time wherever two hashes differ; what would take
//! too long or too much memory is [`Verdict::Unknown`]. `docs/ldapdb.md` lists
//! the schemes.
#![forbid(unsafe_code)]

mod base64;
mod digest;
mod slow;

use saslplug::Secret;

/// What a stored value says about a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is the password.
    Right,
    /// It is not.
    Wrong,
    /// The scheme or its parameters cannot be checked here.
    Unknown,
}

impl Verdict {
    fn of(right: bool) -> Self {
        if right { Self::Right } else { Self::Wrong }
    }
}

/// crypt(3): the password and the stored hash in, a hash out. `None`: the
/// system does not know that kind of hash.
pub type Crypt = fn(&Secret, &str) -> Option<Secret>;

/// How a scheme is checked; `None`: its text is no hash.
type Check = fn(&[u8], &[u8]) -> Option<Verdict>;

/// The schemes that need nothing from the system.
const SCHEMES: [(&str, Check); 17] = [
    ("SSHA", digest::sha1),
    ("SHA", digest::sha1),
    ("SMD5", digest::md5),
    ("MD5", digest::md5),
    ("SSHA256", digest::sha256),
    ("SHA256", digest::sha256),
    ("SSHA384", digest::sha384),
    ("SHA384", digest::sha384),
    ("SSHA512", digest::sha512),
    ("SHA512", digest::sha512),
    ("PBKDF2", slow::pbkdf2_sha1),
    ("PBKDF2-SHA1", slow::pbkdf2_sha1),
    ("PBKDF2-SHA256", slow::pbkdf2_sha256),
    ("PBKDF2-SHA512", slow::pbkdf2_sha512),
    ("PBKDF2_SHA256", slow::pbkdf2_binary),
    ("ARGON2", slow::argon2),
    ("CLEARTEXT", digest::clear),
];

/// Every scheme that can be verified.
pub fn schemes() -> impl Iterator<Item = &'static str> {
    SCHEMES.iter().map(|(name, _)| *name).chain(["CRYPT"])
}

/// The scheme of a stored value and what follows it; `None`: it has none.
pub fn split(stored: &[u8]) -> Option<(&str, &[u8])> {
    let rest = stored.strip_prefix(b"{")?;
    let end = rest.iter().position(|byte| *byte == b'}')?;
    let name = core::str::from_utf8(rest.get(..end)?).ok()?;
    Some((name, rest.get(end.checked_add(1)?..)?))
}

/// Whether `password` is what `stored` was made of. `crypt`: the system's.
pub fn verify(stored: &Secret, password: &Secret, crypt: Option<Crypt>) -> Verdict {
    let Some((scheme, text)) = split(stored.as_bytes()) else {
        return Verdict::Unknown;
    };
    if scheme.eq_ignore_ascii_case("CRYPT") {
        let text = core::str::from_utf8(text).ok();
        return match (crypt, text) {
            (Some(crypt), Some(text)) => by_crypt(crypt, text, password),
            _ => Verdict::Unknown,
        };
    }
    let check = SCHEMES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(scheme));
    let verdict = check.and_then(|(_, check)| check(text, password.as_bytes()));
    verdict.unwrap_or(Verdict::Unknown)
}

fn by_crypt(crypt: Crypt, stored: &str, password: &Secret) -> Verdict {
    // The traditional form: eight letters of the password count. A hash that
    // anybody can replace by one of the others is not worth a login.
    if !stored.starts_with('$') {
        return Verdict::Unknown;
    }
    match crypt(password, stored) {
        Some(hash) if !hash.as_bytes().starts_with(b"*") => {
            Verdict::of(hash.matches(stored.as_bytes()))
        }
        _ => Verdict::Unknown,
    }
}

#[cfg(test)]
mod tests;
