// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lower-case hexadecimal digits, as the MD5 mechanisms send and hash them.
#![forbid(unsafe_code)]

use zeroize::Zeroizing;

const fn digit(half: u8) -> u8 {
    if half < 10 {
        b'0' + half
    } else {
        b'a' + half - 10
    }
}

/// The two digits of every byte.
const PAIRS: [[u8; 2]; 256] = {
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0u8;
    loop {
        let (high, low) = (digit(byte >> 4), digit(byte & 15));
        #[allow(clippy::indexing_slicing, reason = "a byte in 256 places")]
        {
            pairs[byte as usize] = [high, low];
        }
        if byte == u8::MAX {
            break pairs;
        }
        byte += 1;
    }
};

/// The digits of an MD5 value.
pub(crate) fn hex(bytes: &[u8; 16]) -> Zeroizing<[u8; 32]> {
    let mut text = Zeroizing::new([0; 32]);
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        let digits = PAIRS.get(usize::from(*byte)).unwrap_or(&[0; 2]);
        pair.copy_from_slice(digits);
    }
    text
}

/// The eight digits of a number.
pub(crate) fn hex_number(number: u32) -> [u8; 8] {
    let mut text = [0; 8];
    for (pair, byte) in text.chunks_exact_mut(2).zip(number.to_be_bytes()) {
        let digits = PAIRS.get(usize::from(byte)).unwrap_or(&[0; 2]);
        pair.copy_from_slice(digits);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_the_standard_library() {
        for byte in 0..=255u8 {
            let text = format!("{byte:02x}").repeat(16);
            assert_eq!(hex(&[byte; 16]).as_slice(), text.as_bytes());
            let number = u32::from(byte).wrapping_mul(0x0102_0305);
            assert_eq!(
                hex_number(number).as_slice(),
                format!("{number:08x}").as_bytes()
            );
        }
    }
}
