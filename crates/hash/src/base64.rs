// SPDX-License-Identifier: MIT OR Apache-2.0
//! Base64 as stored hashes have it: with or without padding, and with `.` for
//! `+` where a passlib wrote it.
#![forbid(unsafe_code)]

use zeroize::Zeroizing;

fn digit(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'.' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

/// The bytes, or `None` if `text` is no base64.
pub(crate) fn decode(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let text = text.get(..text.len().checked_sub(padding)?)?;
    if padding > 2 || text.len() % 4 == 1 {
        return None;
    }
    let mut out = Zeroizing::new(Vec::with_capacity(text.len()));
    for group in text.chunks(4) {
        let mut bits = 0;
        for index in 0..4 {
            let value = group.get(index).map_or(Some(0), |byte| digit(*byte))?;
            bits = (bits << 6) | value;
        }
        let [_, first, second, third] = bits.to_be_bytes();
        let bytes = [first, second, third];
        out.extend_from_slice(bytes.get(..group.len() * 3 / 4)?);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn all_forms() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("Zg==", b"f"),
            ("Zg", b"f"),
            ("Zm8=", b"fo"),
            ("Zm9v", b"foo"),
            ("+/+.", &[0xfb, 0xff, 0xbe]),
        ] {
            assert_eq!(&*decode(text.as_bytes()).unwrap(), bytes, "{text}");
        }
        for text in ["Z", "Zm9v!", "Zm9v Zg", "====", "Zm9vZ"] {
            assert!(decode(text.as_bytes()).is_none(), "{text}");
        }
    }
}
