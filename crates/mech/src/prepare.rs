// SPDX-License-Identifier: MIT OR Apache-2.0
//! SASLprep (RFC 4013) for names and passwords that come in clear. Off unless
//! the option `saslprep` is on, as stock prepares nothing: RFC 4616 asks for it,
//! and stores that keep prepared passwords need it.
#![forbid(unsafe_code)]

use crate::ServerHost;
use saslplug::{Code, Error, Result};
use zeroize::Zeroizing;

/// A name or a password, as it came or prepared.
pub(crate) enum Prepared<'a> {
    AsItIs(&'a [u8]),
    Made(Zeroizing<Vec<u8>>),
}

impl core::ops::Deref for Prepared<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Self::AsItIs(text) => text,
            Self::Made(text) => text,
        }
    }
}

/// Printable ASCII: nothing to prepare. Looks at all bytes, as that is quicker.
pub(crate) fn is_plain(text: &[u8]) -> bool {
    let plain = |all, byte: &u8| all & (b' '..=b'~').contains(byte);
    text.iter().fold(true, plain)
}

/// `text` for the mechanism `mech`. What is plain ASCII stays as it is, and the
/// option is not asked for it.
///
/// # Errors
/// `BADPROT` for what SASLprep does not allow.
pub(crate) fn prepared<'a>(
    host: &dyn ServerHost,
    mech: &str,
    text: &'a [u8],
) -> Result<Prepared<'a>> {
    if is_plain(text) || !is_on(host.option(mech, "saslprep")) {
        return Ok(Prepared::AsItIs(text));
    }
    let made = core::str::from_utf8(text).ok();
    let made = made.and_then(|text| stringprep::saslprep(text).ok());
    let made = made.ok_or_else(|| {
        let text = format!("{mech}: a name or a password is not allowed by SASLprep (RFC 4013)");
        Error::with(Code::BADPROT, text)
    })?;
    Ok(Prepared::Made(Zeroizing::new(
        made.into_owned().into_bytes(),
    )))
}

fn is_on(option: Option<String>) -> bool {
    option.is_some_and(|text| {
        text.eq_ignore_ascii_case("on")
            || matches!(text.bytes().next(), Some(b'1' | b'y' | b'Y' | b't' | b'T'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeServer;

    fn made(option: &str, text: &[u8]) -> Option<Vec<u8>> {
        let mut host = FakeServer::new(&[]);
        let name = "PLAIN/saslprep".to_owned();
        host.options.insert(name, option.to_owned());
        let text = prepared(&host, "PLAIN", text).ok()?;
        Some(text.to_vec())
    }

    /// RFC 4013 section 3.
    #[test]
    fn rfc_examples() {
        for (text, expected) in [
            ("I\u{ad}X", Some("IX")),
            ("user", Some("user")),
            ("USER", Some("USER")),
            ("\u{aa}", Some("a")),
            ("\u{2168}", Some("IX")),
            ("\u{7}", None),
            ("\u{627}1", None),
        ] {
            let expected = expected.map(|text| text.as_bytes().to_vec());
            assert_eq!(made("yes", text.as_bytes()), expected, "{text:?}");
            assert_eq!(made("no", text.as_bytes()), Some(text.as_bytes().to_vec()));
        }
        assert_eq!(made("on", b"\xff"), None);
        assert_eq!(made("", b"\xff"), Some(b"\xff".to_vec()));
    }
}
