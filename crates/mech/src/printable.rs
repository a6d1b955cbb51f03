// SPDX-License-Identifier: MIT OR Apache-2.0
//! Text of strangers on one log line: letters of any script stay, control
//! characters, quotes and broken UTF-8 are shown as `\x1b` or `\u{202e}`.
#![forbid(unsafe_code)]

use core::fmt;

/// Bytes from the network, for a log line or a reason.
pub(crate) struct Printable<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for letter in chunk.valid().chars() {
                match letter {
                    '\'' => f.write_str("'")?,
                    '\0'..='\x1f' | '\x7f' => write!(f, "\\x{:02x}", u32::from(letter))?,
                    _ => write!(f, "{}", letter.escape_debug())?,
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Printable;

    #[test]
    fn letters_stay_and_controls_do_not() {
        let shown = |bytes: &[u8]| Printable(bytes).to_string();
        assert_eq!(shown("zoë O'Hara".as_bytes()), "zoë O'Hara");
        assert_eq!(
            shown(b"a\n\x1b[2J\"\\\0\x7f\xff\xe2\x80\xae"),
            r#"a\x0a\x1b[2J\"\\\x00\x7f\xff\u{202e}"#
        );
        assert_eq!(shown(b"cut \xe2\x80"), r"cut \xe2\x80");
    }
}
