// SPDX-License-Identifier: MIT OR Apache-2.0
//! MD5 (RFC 1321) and HMAC-MD5 (RFC 2104) over contexts that C can see.
//!
//! Plugins hold `MD5_CTX` by value, hand one half-way computed to another
//! function and keep HMAC states in databases, so the state must be the
//! structure of `md5.h` itself; no crate works on that. Only for these
//! interfaces: MD5 protects nothing by itself.
#![forbid(unsafe_code)]

use saslplug::raw::{HMAC_MD5_CTX, HMAC_MD5_STATE, MD5_CTX};
use zeroize::Zeroize;

/// Length of a digest.
pub(crate) const DIGEST: usize = 16;
const BLOCK: usize = 64;

/// A context that has seen nothing.
pub(crate) const START: MD5_CTX = MD5_CTX {
    state: [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476],
    count: [0; 2],
    buffer: [0; BLOCK],
};

/// Starts over. The buffer is left alone, as on stock.
pub(crate) fn start(context: &mut MD5_CTX) {
    context.state = START.state;
    context.count = START.count;
}

/// Takes in more bytes.
pub(crate) fn update(context: &mut MD5_CTX, mut input: &[u8]) {
    let used = buffered(context);
    let [low, high] = context.count;
    let bits = (u64::from(high) << 32 | u64::from(low)).wrapping_add((input.len() as u64) << 3);
    context.count = halves(bits);
    if used > 0 {
        let (head, rest) = input.split_at(input.len().min(BLOCK - used));
        if let Some(target) = context.buffer.get_mut(used..used + head.len()) {
            target.copy_from_slice(head);
        }
        if used + head.len() < BLOCK {
            return;
        }
        compress(&mut context.state, &context.buffer);
        input = rest;
    }
    let mut blocks = input.chunks_exact(BLOCK);
    for block in &mut blocks {
        if let Ok(block) = block.try_into() {
            compress(&mut context.state, block);
        }
    }
    let rest = blocks.remainder();
    if let Some(target) = context.buffer.get_mut(..rest.len()) {
        target.copy_from_slice(rest);
    }
}

/// The digest; the context is wiped.
pub(crate) fn finish(context: &mut MD5_CTX) -> [u8; DIGEST] {
    const PADDING: [u8; BLOCK] = {
        let mut padding = [0; BLOCK];
        padding[0] = 0x80;
        padding
    };
    let [low, high] = context.count;
    let used = buffered(context);
    let pad = if used < 56 { 56 - used } else { 120 - used };
    update(context, PADDING.get(..pad.min(BLOCK)).unwrap_or_default());
    let mut length = [0; 8];
    put(&mut length, &[low, high], u32::to_le_bytes);
    update(context, &length);
    let mut digest = [0; DIGEST];
    put(&mut digest, &context.state, u32::to_le_bytes);
    context.state.zeroize();
    context.count.zeroize();
    context.buffer.zeroize();
    digest
}

/// The MD5 of `input`.
pub(crate) fn digest(input: &[u8]) -> [u8; DIGEST] {
    let mut context = START;
    update(&mut context, input);
    finish(&mut context)
}

/// Starts HMAC-MD5 with `key`; feed the message to `ictx`.
pub(crate) fn hmac_start(key: &[u8]) -> HMAC_MD5_CTX {
    let mut block = [0_u8; BLOCK];
    if key.len() > BLOCK {
        block
            .iter_mut()
            .zip(digest(key))
            .for_each(|(to, from)| *to = from);
    } else {
        block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    }
    let mut context = HMAC_MD5_CTX {
        ictx: START,
        octx: START,
    };
    for (half, pad) in [(&mut context.ictx, 0x36), (&mut context.octx, 0x5c)] {
        let mut padded = block.map(|byte| byte ^ pad);
        update(half, &padded);
        padded.zeroize();
    }
    block.zeroize();
    context
}

/// Ends HMAC-MD5; the context is wiped.
pub(crate) fn hmac_finish(context: &mut HMAC_MD5_CTX) -> [u8; DIGEST] {
    let inner = finish(&mut context.ictx);
    update(&mut context.octx, &inner);
    finish(&mut context.octx)
}

/// HMAC-MD5 of `input`.
pub(crate) fn hmac(input: &[u8], key: &[u8]) -> [u8; DIGEST] {
    let mut context = hmac_start(key);
    update(&mut context.ictx, input);
    hmac_finish(&mut context)
}

/// The key's state as databases keep it: eight words, most significant byte
/// first.
pub(crate) fn hmac_export(key: &[u8]) -> HMAC_MD5_STATE {
    let context = hmac_start(key);
    HMAC_MD5_STATE {
        istate: context.ictx.state.map(u32::to_be),
        ostate: context.octx.state.map(u32::to_be),
    }
}

/// Continues from a kept state.
pub(crate) fn hmac_import(state: &HMAC_MD5_STATE) -> HMAC_MD5_CTX {
    let count = halves(BLOCK as u64 * 8);
    let half = |state: [u32; 4]| MD5_CTX {
        state: state.map(u32::from_be),
        count,
        ..START
    };
    HMAC_MD5_CTX {
        ictx: half(state.istate),
        octx: half(state.ostate),
    }
}

/// Bytes waiting in the buffer.
const fn buffered(context: &MD5_CTX) -> usize {
    let [low, _] = context.count;
    (low >> 3) as usize % BLOCK
}

/// A 64-bit count as the structure keeps it: low half first.
#[allow(clippy::cast_possible_truncation, reason = "the halves are meant")]
const fn halves(bits: u64) -> [u32; 2] {
    [bits as u32, (bits >> 32) as u32]
}

fn put(out: &mut [u8], words: &[u32], bytes: fn(u32) -> [u8; 4]) {
    for (out, word) in out.chunks_exact_mut(4).zip(words) {
        out.copy_from_slice(&bytes(*word));
    }
}

const fn mix_f(x: u32, y: u32, z: u32) -> u32 {
    z ^ (x & (y ^ z))
}

const fn mix_g(x: u32, y: u32, z: u32) -> u32 {
    (z & x).wrapping_add(!z & y)
}

const fn mix_h(x: u32, y: u32, z: u32) -> u32 {
    x ^ y ^ z
}

const fn mix_i(x: u32, y: u32, z: u32) -> u32 {
    y ^ (x | !z)
}

macro_rules! step {
    ($mix:ident, $a:ident, $b:ident, $c:ident, $d:ident, $word:ident, $turn:literal, $sine:literal) => {
        $a = $b.wrapping_add(
            $a.wrapping_add($word)
                .wrapping_add($sine)
                .wrapping_add($mix($b, $c, $d))
                .rotate_left($turn),
        )
    };
}

/// RFC 1321 section 3.4, written out; the last number of each step is the
/// integer part of 2^32 |sin n|.
#[rustfmt::skip]
fn compress(state: &mut [u32; 4], block: &[u8; BLOCK]) {
    let mut words = [0_u32; 16];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes.try_into().map_or(0, u32::from_le_bytes);
    }
    let [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15] = words;
    let [mut a, mut b, mut c, mut d] = *state;
    step!(mix_f, a, b, c, d, m0, 7, 0xd76aa478);
    step!(mix_f, d, a, b, c, m1, 12, 0xe8c7b756);
    step!(mix_f, c, d, a, b, m2, 17, 0x242070db);
    step!(mix_f, b, c, d, a, m3, 22, 0xc1bdceee);
    step!(mix_f, a, b, c, d, m4, 7, 0xf57c0faf);
    step!(mix_f, d, a, b, c, m5, 12, 0x4787c62a);
    step!(mix_f, c, d, a, b, m6, 17, 0xa8304613);
    step!(mix_f, b, c, d, a, m7, 22, 0xfd469501);
    step!(mix_f, a, b, c, d, m8, 7, 0x698098d8);
    step!(mix_f, d, a, b, c, m9, 12, 0x8b44f7af);
    step!(mix_f, c, d, a, b, m10, 17, 0xffff5bb1);
    step!(mix_f, b, c, d, a, m11, 22, 0x895cd7be);
    step!(mix_f, a, b, c, d, m12, 7, 0x6b901122);
    step!(mix_f, d, a, b, c, m13, 12, 0xfd987193);
    step!(mix_f, c, d, a, b, m14, 17, 0xa679438e);
    step!(mix_f, b, c, d, a, m15, 22, 0x49b40821);
    step!(mix_g, a, b, c, d, m1, 5, 0xf61e2562);
    step!(mix_g, d, a, b, c, m6, 9, 0xc040b340);
    step!(mix_g, c, d, a, b, m11, 14, 0x265e5a51);
    step!(mix_g, b, c, d, a, m0, 20, 0xe9b6c7aa);
    step!(mix_g, a, b, c, d, m5, 5, 0xd62f105d);
    step!(mix_g, d, a, b, c, m10, 9, 0x02441453);
    step!(mix_g, c, d, a, b, m15, 14, 0xd8a1e681);
    step!(mix_g, b, c, d, a, m4, 20, 0xe7d3fbc8);
    step!(mix_g, a, b, c, d, m9, 5, 0x21e1cde6);
    step!(mix_g, d, a, b, c, m14, 9, 0xc33707d6);
    step!(mix_g, c, d, a, b, m3, 14, 0xf4d50d87);
    step!(mix_g, b, c, d, a, m8, 20, 0x455a14ed);
    step!(mix_g, a, b, c, d, m13, 5, 0xa9e3e905);
    step!(mix_g, d, a, b, c, m2, 9, 0xfcefa3f8);
    step!(mix_g, c, d, a, b, m7, 14, 0x676f02d9);
    step!(mix_g, b, c, d, a, m12, 20, 0x8d2a4c8a);
    step!(mix_h, a, b, c, d, m5, 4, 0xfffa3942);
    step!(mix_h, d, a, b, c, m8, 11, 0x8771f681);
    step!(mix_h, c, d, a, b, m11, 16, 0x6d9d6122);
    step!(mix_h, b, c, d, a, m14, 23, 0xfde5380c);
    step!(mix_h, a, b, c, d, m1, 4, 0xa4beea44);
    step!(mix_h, d, a, b, c, m4, 11, 0x4bdecfa9);
    step!(mix_h, c, d, a, b, m7, 16, 0xf6bb4b60);
    step!(mix_h, b, c, d, a, m10, 23, 0xbebfbc70);
    step!(mix_h, a, b, c, d, m13, 4, 0x289b7ec6);
    step!(mix_h, d, a, b, c, m0, 11, 0xeaa127fa);
    step!(mix_h, c, d, a, b, m3, 16, 0xd4ef3085);
    step!(mix_h, b, c, d, a, m6, 23, 0x04881d05);
    step!(mix_h, a, b, c, d, m9, 4, 0xd9d4d039);
    step!(mix_h, d, a, b, c, m12, 11, 0xe6db99e5);
    step!(mix_h, c, d, a, b, m15, 16, 0x1fa27cf8);
    step!(mix_h, b, c, d, a, m2, 23, 0xc4ac5665);
    step!(mix_i, a, b, c, d, m0, 6, 0xf4292244);
    step!(mix_i, d, a, b, c, m7, 10, 0x432aff97);
    step!(mix_i, c, d, a, b, m14, 15, 0xab9423a7);
    step!(mix_i, b, c, d, a, m5, 21, 0xfc93a039);
    step!(mix_i, a, b, c, d, m12, 6, 0x655b59c3);
    step!(mix_i, d, a, b, c, m3, 10, 0x8f0ccc92);
    step!(mix_i, c, d, a, b, m10, 15, 0xffeff47d);
    step!(mix_i, b, c, d, a, m1, 21, 0x85845dd1);
    step!(mix_i, a, b, c, d, m8, 6, 0x6fa87e4f);
    step!(mix_i, d, a, b, c, m15, 10, 0xfe2ce6e0);
    step!(mix_i, c, d, a, b, m6, 15, 0xa3014314);
    step!(mix_i, b, c, d, a, m13, 21, 0x4e0811a1);
    step!(mix_i, a, b, c, d, m4, 6, 0xf7537e82);
    step!(mix_i, d, a, b, c, m11, 10, 0xbd3af235);
    step!(mix_i, c, d, a, b, m2, 15, 0x2ad7d2bb);
    step!(mix_i, b, c, d, a, m9, 21, 0xeb86d391);
    let [sa, sb, sc, sd] = *state;
    *state = [
        sa.wrapping_add(a), sb.wrapping_add(b), sc.wrapping_add(c), sd.wrapping_add(d),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// RFC 1321 appendix A.5.
    #[test]
    fn digests_of_the_rfc() {
        for (text, expected) in [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("a", "0cc175b9c0f1b6a831c399e269772661"),
            ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            (
                "abcdefghijklmnopqrstuvwxyz",
                "c3fcd3d76192e4007dfb496cca67e13b",
            ),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a",
            ),
        ] {
            assert_eq!(hex(&digest(text.as_bytes())), expected);
        }
    }

    #[test]
    fn every_split_gives_the_same() {
        let bytes: Vec<u8> = (0..300_u32)
            .map(|n| n.to_le_bytes()[0].wrapping_mul(7))
            .collect();
        for len in [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 128, 300] {
            let whole = digest(&bytes[..len]);
            for split in 0..=len {
                let mut context = START;
                update(&mut context, &bytes[..split]);
                update(&mut context, &bytes[split..len]);
                assert_eq!(finish(&mut context), whole);
            }
        }
    }

    #[test]
    fn the_context_looks_like_stock() {
        let mut context = START;
        update(&mut context, b"abc");
        assert_eq!(context.count, [24, 0]);
        assert_eq!(context.state, START.state);
        assert_eq!(context.buffer[..4], *b"abc\0");
        finish(&mut context);
        assert_eq!(
            (context.state, context.count, context.buffer),
            ([0; 4], [0; 2], [0; 64])
        );
    }

    /// RFC 2104 and a key longer than a block; both measured on stock as well.
    #[test]
    fn hmac_of_the_rfc() {
        let text = b"what do ya want for nothing?";
        assert_eq!(
            hex(&hmac(text, b"Jefe")),
            "750c783e6ab0b503eaa86e310a5db738"
        );
        assert_eq!(
            hex(&hmac(text, &[0xaa; 80])),
            "586320d6ea66c6eaf15690346754a2cb"
        );
    }

    /// The bytes that stock keeps in a database for the key `Jefe`.
    #[test]
    fn a_kept_state_works_both_ways() {
        let state = hmac_export(b"Jefe");
        let bytes: Vec<u8> = [state.istate, state.ostate]
            .iter()
            .flatten()
            .flat_map(|word| word.to_ne_bytes())
            .collect();
        let kept = "cb6180e82fa83ea843278d6cb952693453f5670c4d4ca5e30f66faca781f2ab7";
        assert_eq!(hex(&bytes), kept);
        let mut context = hmac_import(&state);
        assert_eq!(
            (context.ictx.count, context.octx.count),
            ([512, 0], [512, 0])
        );
        update(&mut context.ictx, b"what do ya want for nothing?");
        assert_eq!(
            hex(&hmac_finish(&mut context)),
            "750c783e6ab0b503eaa86e310a5db738"
        );
    }
}
