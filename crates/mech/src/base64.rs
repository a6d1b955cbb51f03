// SPDX-License-Identifier: MIT OR Apache-2.0
//! Base64 (RFC 4648 section 4) as mechanisms need it: one line, padded, and
//! nothing else accepted. What `sasl_encode64` promises to C is the core's part.
#![forbid(unsafe_code)]

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The text for `bytes`.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut group = [0u8; 4];
        for (slot, byte) in group.iter_mut().skip(1).zip(chunk) {
            *slot = *byte;
        }
        let group = u32::from_be_bytes(group);
        for position in 0..4 {
            let index = (group >> (18 - 6 * position)) & 63;
            let letter = ALPHABET.get(index as usize).copied().unwrap_or(b'=');
            text.push(if position <= chunk.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    text
}

/// The bytes that `text` stands for; `None` unless it is what [`encode`] makes.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() % 4 != 0 {
        return None;
    }
    let padding = text
        .iter()
        .rev()
        .take(2)
        .take_while(|&&letter| letter == b'=')
        .count();
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut group, mut bits) = (0u32, 0);
    for letter in text.iter().take(text.len() - padding) {
        group = (group << 6) | value(*letter)?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            let [.., byte] = (group >> bits).to_be_bytes();
            bytes.push(byte);
        }
    }
    // Bits left over must be zero: one value has one text.
    (group & ((1 << bits) - 1) == 0).then_some(bytes)
}

fn value(letter: u8) -> Option<u32> {
    let letter = u32::from(letter);
    match letter {
        0x41..=0x5a => Some(letter - 0x41),
        0x61..=0x7a => Some(letter - 0x61 + 26),
        0x30..=0x39 => Some(letter - 0x30 + 52),
        0x2b => Some(62),
        0x2f => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_4648_vectors() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, text) in vectors {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decode(text.as_bytes()).unwrap(), plain.as_bytes());
        }
    }

    #[test]
    fn every_byte_comes_back() {
        let all: Vec<u8> = (0..=255).collect();
        for length in 0..all.len() {
            assert_eq!(
                decode(encode(&all[..length]).as_bytes()).unwrap(),
                all[..length]
            );
        }
    }

    #[test]
    fn nothing_else_is_accepted() {
        for text in [
            "Zg", "Zg=", "Z===", "====", "Zh==", "Zm9=", "Zm 9", "Zm9v\n", "Zg==Zg==", "=Zm9",
        ] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
    }
}
