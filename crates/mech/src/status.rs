// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is thought of a mechanism, built in or not: the column "status" of
//! docs/mechanisms.md. And which need a store that shows a secret.
#![forbid(unsafe_code)]

/// What is thought of a mechanism.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Nothing against it.
    Current,
    /// For old peers; there is a better one.
    Legacy,
    /// Should be gone.
    Obsolete,
}

impl Status {
    /// Of the mechanism `name`; what is unknown is current.
    pub fn of(name: &str) -> Self {
        let is = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        if is(&["CRAM-MD5", "DIGEST-MD5", "OTP", "XOAUTH2"]) {
            Self::Legacy
        } else if is(&["KERBEROS_V4", "LOGIN", "NTLM", "PASSDSS-3DES-1", "SECURID"]) {
            Self::Obsolete
        } else {
            Self::Current
        }
    }
}

/// Whether a server can do `name` only where the store shows a password, or
/// what is worth one.
pub fn needs_secret(name: &str) -> bool {
    let known = ["CRAM-MD5", "DIGEST-MD5", "NTLM", "OTP", "SRP"];
    let family = name.get(..6).unwrap_or_default();
    family.eq_ignore_ascii_case("SCRAM-")
        || known.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_case() {
        assert_eq!(Status::of("digest-MD5"), Status::Legacy);
        assert_eq!(Status::of("Login"), Status::Obsolete);
        assert_eq!(Status::of("X-NEW"), Status::Current);
        assert!(needs_secret("scram-sha-256") && needs_secret("Otp"));
        assert!(!needs_secret("PLAIN") && !needs_secret("SCRAM") && !needs_secret("é€é"));
    }
}
