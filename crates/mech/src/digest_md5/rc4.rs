// SPDX-License-Identifier: MIT OR Apache-2.0
//! RC4, for the one security layer that still needs it. Broken as a cipher:
//! nothing new may use it (RFC 7465).
#![forbid(unsafe_code)]

use zeroize::Zeroizing;

/// The key stream of one direction.
pub(super) struct Rc4 {
    state: Zeroizing<[u8; 256]>,
    i: u8,
    j: u8,
}

// The indices are bytes and the array has 256 places: no access can miss.
#[allow(
    clippy::indexing_slicing,
    reason = "a byte cannot be past the end of 256 places"
)]
impl Rc4 {
    /// A stream for `key`.
    pub(super) fn new(key: &[u8; 16]) -> Self {
        let mut state = Zeroizing::new([0; 256]);
        for (place, number) in state.iter_mut().zip(0..=255) {
            *place = number;
        }
        let mut j = 0u8;
        for (i, byte) in (0..=255u8).zip(key.iter().cycle()) {
            j = j.wrapping_add(state[usize::from(i)]).wrapping_add(*byte);
            state.swap(usize::from(i), usize::from(j));
        }
        Self { state, i: 0, j: 0 }
    }

    /// The next byte of the stream.
    #[inline(always)]
    pub(super) fn next(&mut self) -> u8 {
        self.i = self.i.wrapping_add(1);
        let x = self.state[usize::from(self.i)];
        self.j = self.j.wrapping_add(x);
        let y = self.state[usize::from(self.j)];
        self.state[usize::from(self.i)] = y;
        self.state[usize::from(self.j)] = x;
        self.state[usize::from(x.wrapping_add(y))]
    }

    /// Encrypts or decrypts in place.
    pub(super) fn apply(&mut self, data: &mut [u8]) {
        for byte in data {
            *byte ^= self.next();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6229, 128-bit key 0102…10, offsets 0, 16 and 240.
    #[test]
    fn rfc_6229_vector() {
        let mut key = [0; 16];
        for (byte, number) in key.iter_mut().zip(1..) {
            *byte = number;
        }
        let mut stream = [0; 256];
        let mut cipher = Rc4::new(&key);
        let (first, second) = stream.split_at_mut(100);
        cipher.apply(first);
        cipher.apply(second);
        let hex = |bytes: &[u8]| {
            bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        assert_eq!(hex(&stream[..16]), "9ac7cc9a609d1ef7b2932899cde41b97");
        assert_eq!(hex(&stream[16..32]), "5248c4959014126a6e8a84f11d1a9e1c");
        assert_eq!(hex(&stream[240..]), "065902e4b620f6cc36c8589f66432f2b");
    }
}
