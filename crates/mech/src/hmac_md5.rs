// SPDX-License-Identifier: MIT OR Apache-2.0
//! HMAC-MD5 (RFC 2104, RFC 1321) whose key can be given as the state after the
//! key blocks, as old databases hold it, and whose blocks can be hashed while
//! something else is done: the crates `hmac` and `md-5` offer neither
//! (docs/decisions/digest-layers.md).
#![forbid(unsafe_code)]

use md5::{Digest, Md5};
use zeroize::Zeroizing;

/// An MD5 state.
type State = [u32; 4];

const START: State = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// One step: everything that does not wait for the step before comes first.
macro_rules! step {
    ($between:ident, $at:expr, $constant:literal, $word:expr, $turn:literal,
     $a:ident, $b:ident, $early:expr, $late:expr) => {
        $a = $a
            .wrapping_add($constant)
            .wrapping_add($word)
            .wrapping_add($early)
            .wrapping_add($late)
            .rotate_left($turn)
            .wrapping_add($b);
        $between($at);
    };
}

/// Four steps of a round, each register once the target.
macro_rules! four {
    ($between:ident, $at:expr, $f:ident, $m:ident, $a:ident $b:ident $c:ident $d:ident,
     $(($constant:literal, $word:literal, $turn:literal)),+) => {
        four!(@each $between, $at, $f, $m, [$a $b $c $d], $(($constant, $word, $turn)),+)
    };
    (@each $between:ident, $at:expr, $f:ident, $m:ident, [$a:ident $b:ident $c:ident $d:ident],
     ($k0:literal, $w0:literal, $t0:literal), ($k1:literal, $w1:literal, $t1:literal),
     ($k2:literal, $w2:literal, $t2:literal), ($k3:literal, $w3:literal, $t3:literal)) => {
        let (early, late) = $f($b, $c, $d);
        step!($between, $at, $k0, $m[$w0], $t0, $a, $b, early, late);
        let (early, late) = $f($a, $b, $c);
        step!($between, $at + 1, $k1, $m[$w1], $t1, $d, $a, early, late);
        let (early, late) = $f($d, $a, $b);
        step!($between, $at + 2, $k2, $m[$w2], $t2, $c, $d, early, late);
        let (early, late) = $f($c, $d, $a);
        step!($between, $at + 3, $k3, $m[$w3], $t3, $b, $c, early, late);
    };
}

// The functions of the four rounds, as a sum of a part that is known early and
// one that waits for `b`.
const fn f(b: u32, c: u32, d: u32) -> (u32, u32) {
    (0, d ^ (b & (c ^ d)))
}
const fn g(b: u32, c: u32, d: u32) -> (u32, u32) {
    (c & !d, b & d)
}
const fn h(b: u32, c: u32, d: u32) -> (u32, u32) {
    (0, b ^ (c ^ d))
}
const fn i(b: u32, c: u32, d: u32) -> (u32, u32) {
    (0, c ^ (b | !d))
}

/// Hashes a block; `between` is done after each of the 64 steps, with its
/// number. MD5 waits for itself most of the time: there is room for other work.
#[rustfmt::skip]
#[allow(clippy::indexing_slicing, reason = "constant places of sixteen")]
#[inline(always)]
fn compress(state: &mut State, block: &[u8; 64], mut between: impl FnMut(usize)) {
    let mut m = [0u32; 16];
    for (word, bytes) in m.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes.try_into().map_or(0, u32::from_le_bytes);
    }
    let [mut a, mut b, mut c, mut d] = *state;
    four!(between, 0, f, m, a b c d, (0xd76a_a478, 0, 7), (0xe8c7_b756, 1, 12), (0x2420_70db, 2, 17), (0xc1bd_ceee, 3, 22));
    four!(between, 4, f, m, a b c d, (0xf57c_0faf, 4, 7), (0x4787_c62a, 5, 12), (0xa830_4613, 6, 17), (0xfd46_9501, 7, 22));
    four!(between, 8, f, m, a b c d, (0x6980_98d8, 8, 7), (0x8b44_f7af, 9, 12), (0xffff_5bb1, 10, 17), (0x895c_d7be, 11, 22));
    four!(between, 12, f, m, a b c d, (0x6b90_1122, 12, 7), (0xfd98_7193, 13, 12), (0xa679_438e, 14, 17), (0x49b4_0821, 15, 22));
    four!(between, 16, g, m, a b c d, (0xf61e_2562, 1, 5), (0xc040_b340, 6, 9), (0x265e_5a51, 11, 14), (0xe9b6_c7aa, 0, 20));
    four!(between, 20, g, m, a b c d, (0xd62f_105d, 5, 5), (0x0244_1453, 10, 9), (0xd8a1_e681, 15, 14), (0xe7d3_fbc8, 4, 20));
    four!(between, 24, g, m, a b c d, (0x21e1_cde6, 9, 5), (0xc337_07d6, 14, 9), (0xf4d5_0d87, 3, 14), (0x455a_14ed, 8, 20));
    four!(between, 28, g, m, a b c d, (0xa9e3_e905, 13, 5), (0xfcef_a3f8, 2, 9), (0x676f_02d9, 7, 14), (0x8d2a_4c8a, 12, 20));
    four!(between, 32, h, m, a b c d, (0xfffa_3942, 5, 4), (0x8771_f681, 8, 11), (0x6d9d_6122, 11, 16), (0xfde5_380c, 14, 23));
    four!(between, 36, h, m, a b c d, (0xa4be_ea44, 1, 4), (0x4bde_cfa9, 4, 11), (0xf6bb_4b60, 7, 16), (0xbebf_bc70, 10, 23));
    four!(between, 40, h, m, a b c d, (0x289b_7ec6, 13, 4), (0xeaa1_27fa, 0, 11), (0xd4ef_3085, 3, 16), (0x0488_1d05, 6, 23));
    four!(between, 44, h, m, a b c d, (0xd9d4_d039, 9, 4), (0xe6db_99e5, 12, 11), (0x1fa2_7cf8, 15, 16), (0xc4ac_5665, 2, 23));
    four!(between, 48, i, m, a b c d, (0xf429_2244, 0, 6), (0x432a_ff97, 7, 10), (0xab94_23a7, 14, 15), (0xfc93_a039, 5, 21));
    four!(between, 52, i, m, a b c d, (0x655b_59c3, 12, 6), (0x8f0c_cc92, 3, 10), (0xffef_f47d, 10, 15), (0x8584_5dd1, 1, 21));
    four!(between, 56, i, m, a b c d, (0x6fa8_7e4f, 8, 6), (0xfe2c_e6e0, 15, 10), (0xa301_4314, 6, 15), (0x4e08_11a1, 13, 21));
    four!(between, 60, i, m, a b c d, (0xf753_7e82, 4, 6), (0xbd3a_f235, 11, 10), (0x2ad7_d2bb, 2, 15), (0xeb86_d391, 9, 21));
    for (sum, word) in state.iter_mut().zip([a, b, c, d]) {
        *sum = sum.wrapping_add(word);
    }
}

/// A compression and nothing else; one copy of it.
fn hash_block(state: &mut State, block: &[u8; 64]) {
    compress(state, block, |_| ());
}

/// A key: both states after the key blocks.
pub(crate) struct Keyed {
    inner: Zeroizing<State>,
    outer: Zeroizing<State>,
}

impl Keyed {
    /// From the key itself.
    pub(crate) fn new(key: &[u8]) -> Self {
        let short;
        let key = if key.len() > 64 {
            short = Zeroizing::new(<[u8; 16]>::from(Md5::digest(key)));
            short.as_slice()
        } else {
            key
        };
        let keyed = |pad: u8| {
            let mut block = Zeroizing::new([pad; 64]);
            for (slot, byte) in block.iter_mut().zip(key) {
                *slot ^= byte;
            }
            let mut state = Zeroizing::new(START);
            hash_block(&mut state, &block);
            state
        };
        Self {
            inner: keyed(0x36),
            outer: keyed(0x5c),
        }
    }

    /// From eight words, the inner state first, each with its high byte first
    /// (`hmac_md5_precalc`).
    pub(crate) fn stored(bytes: &[u8]) -> Option<Self> {
        let (inner, outer) = bytes.split_at_checked(16)?;
        let words = |bytes: &[u8]| -> Option<Zeroizing<State>> {
            let mut words = Zeroizing::new([0; 4]);
            for (word, bytes) in words.iter_mut().zip(bytes.chunks(4)) {
                *word = u32::from_be_bytes(bytes.try_into().ok()?);
            }
            (bytes.len() == 16).then_some(words)
        };
        Some(Self {
            inner: words(inner)?,
            outer: words(outer)?,
        })
    }

    /// A message is about to come.
    pub(crate) fn begin(&self) -> Running {
        Running {
            state: self.inner.clone(),
            length: 64,
        }
    }

    /// The tag of a whole message.
    pub(crate) fn tag(&self, message: &[u8]) -> [u8; 16] {
        self.begin().finish(self, message)
    }
}

/// A message of which some blocks were hashed.
pub(crate) struct Running {
    state: Zeroizing<State>,
    /// Bytes so far, the key's block among them.
    length: u64,
}

impl Running {
    /// The next 64 bytes, with work between the 64 steps.
    #[inline(always)]
    pub(crate) fn block(&mut self, block: &[u8; 64], between: impl FnMut(usize)) {
        compress(&mut self.state, block, between);
        self.length = self.length.wrapping_add(64);
    }

    /// The tag, after the rest of the message.
    pub(crate) fn finish(mut self, key: &Keyed, rest: &[u8]) -> [u8; 16] {
        let inner = self.digest(rest);
        self = Self {
            state: key.outer.clone(),
            length: 64,
        };
        self.digest(&inner)
    }

    fn digest(&mut self, message: &[u8]) -> [u8; 16] {
        let length = self.length.wrapping_add(message.len() as u64);
        let blocks = message.chunks_exact(64);
        // What is left over, the mark behind it, and the length at the end of a
        // block: one block, or two where the length has no room in the first.
        let rest = blocks.remainder();
        let mut tail = [0; 128];
        for (slot, byte) in tail.iter_mut().zip(rest.iter().chain(&[0x80])) {
            *slot = *byte;
        }
        let size = if rest.len() < 56 { 64 } else { 128 };
        let tail = tail.get_mut(..size).unwrap_or_default();
        let bits = length.wrapping_mul(8);
        for (slot, byte) in tail.iter_mut().rev().zip(bits.to_be_bytes()) {
            *slot = byte;
        }
        for block in blocks.chain(tail.chunks_exact(64)) {
            if let Ok(block) = block.try_into() {
                hash_block(&mut self.state, block);
            }
        }
        let mut digest = [0; 16];
        for (bytes, word) in digest.chunks_mut(4).zip(self.state.iter()) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hmac::{Hmac, KeyInit, Mac};

    fn expected(key: &[u8], message: &[u8]) -> [u8; 16] {
        let mut mac = Hmac::<Md5>::new_from_slice(key).unwrap();
        mac.update(message);
        mac.finalize().into_bytes().into()
    }

    #[test]
    fn agrees_with_the_crates_at_every_length() {
        let bytes: Vec<u8> = (0..=255).cycle().take(400).collect();
        for length in 0..400 {
            let message = &bytes[..length];
            let key = &bytes[..length / 2];
            assert_eq!(
                Keyed::new(key).tag(message),
                expected(key, message),
                "{length}"
            );
        }
    }

    #[test]
    fn blocks_one_by_one_and_sixty_four_steps_each() {
        let message = [b'm'; 300];
        let key = Keyed::new(b"key");
        let mut running = key.begin();
        let mut steps = Vec::new();
        for block in message.chunks_exact(64) {
            running.block(block.try_into().unwrap(), |step| steps.push(step));
        }
        assert_eq!(
            running.finish(&key, &message[256..]),
            expected(b"key", &message)
        );
        assert_eq!(steps, (0..64).cycle().take(256).collect::<Vec<_>>());
    }
}
