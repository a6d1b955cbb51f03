// SPDX-License-Identifier: MIT OR Apache-2.0
//! The canonicaliser `INTERNAL`: takes blanks off both ends and, on the server,
//! appends the realm to a name that has none. Letters keep their case.
#![forbid(unsafe_code)]

use core::ffi::CStr;
use saslplug::{CanonUser, Code, Error, Host, Identity, Result};
use std::borrow::Cow;

/// See the module.
pub(super) struct Internal;

impl CanonUser for Internal {
    fn name(&self) -> &CStr {
        super::INTERNAL
    }

    fn server<'a>(&self, host: &dyn Host, user: &'a [u8], _: Identity) -> Result<Cow<'a, [u8]>> {
        trim(user).map(|name| with_realm(host, name))
    }

    fn client<'a>(&self, _: &dyn Host, user: &'a [u8], _: Identity) -> Result<Cow<'a, [u8]>> {
        trim(user).map(Cow::Borrowed)
    }
}

/// A name with the realm behind it, unless it has one.
pub(crate) fn with_realm<'a>(host: &dyn Host, name: &'a [u8]) -> Cow<'a, [u8]> {
    match host.realm() {
        Some(realm) if !name.contains(&b'@') => Cow::Owned([name, b"@", realm.as_bytes()].concat()),
        _ => Cow::Borrowed(name),
    }
}

/// Without blanks at both ends, as C's `isspace` knows them.
///
/// # Errors
/// `FAIL` when nothing is left.
#[inline]
pub(crate) fn trim(name: &[u8]) -> Result<&[u8]> {
    let blank = |b: &u8| matches!(b, b' ' | b'\t'..=b'\r');
    match (name.first(), name.last()) {
        (Some(first), Some(last)) if !blank(first) && !blank(last) => Ok(name),
        _ => trim_blanks(name, blank),
    }
}

fn trim_blanks(name: &[u8], blank: impl Fn(&u8) -> bool) -> Result<&[u8]> {
    let start = name.iter().position(|b| !blank(b));
    let end = name.iter().rposition(|b| !blank(b));
    match (start, end) {
        (Some(start), Some(end)) => Ok(name.get(start..=end).unwrap_or_default()),
        _ => Err(Error::new(Code::FAIL, "All-whitespace username.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::fmt;
    use saslplug::{Handle, Level, Secret};

    struct Realm(Option<&'static str>);
    impl Host for Realm {
        fn option(&self, _: &str, _: &str) -> Option<String> {
            None
        }
        fn property(&self, _: &CStr) -> Vec<Secret> {
            Vec::new()
        }
        fn log(&self, _: Level, _: fmt::Arguments<'_>) {}
        fn handle(&self) -> Handle {
            Handle::NONE
        }
        fn realm(&self) -> Option<String> {
            self.0.map(str::to_owned)
        }
    }

    fn server(realm: Option<&'static str>, name: &[u8]) -> Result<Vec<u8>> {
        let name = Internal.server(&Realm(realm), name, Identity::Both)?;
        Ok(name.into_owned())
    }

    #[test]
    fn blanks_go_and_the_realm_comes_once() {
        assert_eq!(
            server(Some("ex.com"), b" \tbob\r\n"),
            Ok(b"bob@ex.com".to_vec())
        );
        assert_eq!(
            server(Some("ex.com"), b"bob@ex.com"),
            Ok(b"bob@ex.com".to_vec())
        );
        assert_eq!(server(None, b"B o b"), Ok(b"B o b".to_vec()));
        assert_eq!(
            Internal.client(&Realm(Some("x")), b" bob ", Identity::Authid),
            Ok(Cow::Borrowed(&b"bob"[..]))
        );
    }

    #[test]
    fn a_name_of_blanks_is_no_name() {
        for name in [&b""[..], b" ", b"\t\n\x0b\x0c\r"] {
            assert_eq!(server(None, name).expect_err("blank").code(), Code::FAIL);
        }
    }
}
