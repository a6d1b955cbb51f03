// SPDX-License-Identifier: MIT OR Apache-2.0
//! The chain of RFC 2289: the pass phrase with a seed, hashed and folded to
//! eight bytes, again and again. Who has one value can make those before it,
//! never those after.
#![forbid(unsafe_code)]

use md4::Md4;
use md5::{Digest, Md5};
use sha1::Sha1;
use zeroize::Zeroizing;

/// A one-time password.
pub(super) type Value = [u8; 8];

/// The hash of a chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Algorithm {
    Md4,
    Md5,
    Sha1,
}

impl Algorithm {
    const ALL: [Self; 3] = [Self::Md4, Self::Md5, Self::Sha1];

    /// The name in challenges, after `otp-`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Md4 => "md4",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
        }
    }

    /// The algorithm of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// The value number `sequence` of a chain.
    pub(super) fn value(self, seed: &str, pass_phrase: &[u8], sequence: u16) -> Value {
        let seed = seed.to_ascii_lowercase();
        // The exact size first: growing would leave copies behind.
        let mut start = Zeroizing::new(Vec::with_capacity(seed.len() + pass_phrase.len()));
        start.extend_from_slice(seed.as_bytes());
        start.extend_from_slice(pass_phrase);
        let mut value = self.fold(&start);
        for _ in 0..sequence {
            value = self.next(&value);
        }
        value
    }

    /// The value that belongs to the next higher number.
    pub(super) fn next(self, value: &Value) -> Value {
        self.fold(value)
    }

    fn fold(self, input: &[u8]) -> Value {
        let mut folded = match self {
            Self::Md4 => halves(&Md4::digest(input)),
            Self::Md5 => halves(&Md5::digest(input)),
            // Five words onto two; the bytes of each word are turned round.
            Self::Sha1 => halves(&Sha1::digest(input)),
        };
        if self == Self::Sha1 {
            folded.chunks_mut(4).for_each(<[u8]>::reverse);
        }
        folded
    }
}

/// Each byte onto the one eight places before.
fn halves(digest: &[u8]) -> Value {
    let mut value = [0; 8];
    for part in digest.chunks(8) {
        for (slot, byte) in value.iter_mut().zip(part) {
            *slot ^= byte;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 2289 appendix C.
    #[test]
    fn rfc_2289_vectors() {
        let vectors: [(Algorithm, &str, &str, u16, u64); 27] = [
            (
                Algorithm::Md4,
                "This is a test.",
                "TeSt",
                0,
                0xd185_4218_ebbb_0b51,
            ),
            (
                Algorithm::Md4,
                "This is a test.",
                "TeSt",
                1,
                0x6347_3ef0_1cd0_b444,
            ),
            (
                Algorithm::Md4,
                "This is a test.",
                "TeSt",
                99,
                0xc5e6_1277_6e6c_237a,
            ),
            (
                Algorithm::Md4,
                "AbCdEfGhIjK",
                "alpha1",
                0,
                0x5007_6f47_eb1a_de4e,
            ),
            (
                Algorithm::Md4,
                "AbCdEfGhIjK",
                "alpha1",
                1,
                0x65d2_0d19_49b5_f7ab,
            ),
            (
                Algorithm::Md4,
                "AbCdEfGhIjK",
                "alpha1",
                99,
                0xd150_c82c_ce6f_62d1,
            ),
            (
                Algorithm::Md4,
                "OTP's are good",
                "correct",
                0,
                0x849c_79d4_f6f5_5388,
            ),
            (
                Algorithm::Md4,
                "OTP's are good",
                "correct",
                1,
                0x8c09_92fb_2508_47b1,
            ),
            (
                Algorithm::Md4,
                "OTP's are good",
                "correct",
                99,
                0x3f3b_f4b4_145f_d74b,
            ),
            (
                Algorithm::Md5,
                "This is a test.",
                "TeSt",
                0,
                0x9e87_6134_d904_99dd,
            ),
            (
                Algorithm::Md5,
                "This is a test.",
                "TeSt",
                1,
                0x7965_e054_36f5_029f,
            ),
            (
                Algorithm::Md5,
                "This is a test.",
                "TeSt",
                99,
                0x50fe_1962_c496_5880,
            ),
            (
                Algorithm::Md5,
                "AbCdEfGhIjK",
                "alpha1",
                0,
                0x8706_6dd9_644b_f206,
            ),
            (
                Algorithm::Md5,
                "AbCdEfGhIjK",
                "alpha1",
                1,
                0x7cd3_4c10_40ad_d14b,
            ),
            (
                Algorithm::Md5,
                "AbCdEfGhIjK",
                "alpha1",
                99,
                0x5aa3_7a81_f212_146c,
            ),
            (
                Algorithm::Md5,
                "OTP's are good",
                "correct",
                0,
                0xf205_7539_43de_4cf9,
            ),
            (
                Algorithm::Md5,
                "OTP's are good",
                "correct",
                1,
                0xddcd_ac95_6f23_4937,
            ),
            (
                Algorithm::Md5,
                "OTP's are good",
                "correct",
                99,
                0xb203_e28f_a525_be47,
            ),
            (
                Algorithm::Sha1,
                "This is a test.",
                "TeSt",
                0,
                0xbb9e_6ae1_979d_8ff4,
            ),
            (
                Algorithm::Sha1,
                "This is a test.",
                "TeSt",
                1,
                0x63d9_3663_9734_385b,
            ),
            (
                Algorithm::Sha1,
                "This is a test.",
                "TeSt",
                99,
                0x87fe_c776_8b73_ccf9,
            ),
            (
                Algorithm::Sha1,
                "AbCdEfGhIjK",
                "alpha1",
                0,
                0xad85_f658_ebe3_83c9,
            ),
            (
                Algorithm::Sha1,
                "AbCdEfGhIjK",
                "alpha1",
                1,
                0xd07c_e229_b5cf_119b,
            ),
            (
                Algorithm::Sha1,
                "AbCdEfGhIjK",
                "alpha1",
                99,
                0x27bc_7103_5aaf_3dc6,
            ),
            (
                Algorithm::Sha1,
                "OTP's are good",
                "correct",
                0,
                0xd51f_3e99_bf8e_6f0b,
            ),
            (
                Algorithm::Sha1,
                "OTP's are good",
                "correct",
                1,
                0x82ae_b52d_9437_74e4,
            ),
            (
                Algorithm::Sha1,
                "OTP's are good",
                "correct",
                99,
                0x4f29_6a74_fe15_67ec,
            ),
        ];
        for (algorithm, pass_phrase, seed, sequence, expected) in vectors {
            let value = algorithm.value(seed, pass_phrase.as_bytes(), sequence);
            assert_eq!(
                u64::from_be_bytes(value),
                expected,
                "{algorithm:?} {seed} {sequence}"
            );
        }
    }

    /// RFC 2444 and RFC 2243, in their examples.
    #[test]
    fn the_sasl_examples() {
        let value = Algorithm::Md5.value("ke1234", b"this is a test", 123);
        assert_eq!(u64::from_be_bytes(value), 0x11d4_c147_e227_c1f1);
        let value = Algorithm::Md5.value("ke1234", b"This is a test.", 499);
        assert_eq!(u64::from_be_bytes(value), 0x5bf0_75d9_959d_036f);
        let value = Algorithm::Md5.value("ke1235", b"This is a test.", 499);
        assert_eq!(u64::from_be_bytes(value), 0x3712_dcb4_aa53_16c1);
    }
}
