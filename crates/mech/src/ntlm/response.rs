// SPDX-License-Identifier: MIT OR Apache-2.0
//! The responses of NTLM (MS-NLMP section 3.3): LM and NTLM, which encrypt the
//! challenge with DES under the password's hash, and version 2, an HMAC over
//! the challenge and data of the client. Keys are wiped.
#![forbid(unsafe_code)]

use super::message::{little, upper, widen};
use des::Des;
use des::cipher::BlockCipherEncrypt;
use hmac::{Hmac, KeyInit, Mac};
use md4::Md4;
use md5::{Digest, Md5};
use zeroize::Zeroizing;

/// The length of an LM, LMv2 or NTLM response; a longer one is NTLMv2.
pub(super) const SHORT: usize = 24;

/// What a password becomes before it meets a challenge.
pub(super) struct Hash(Zeroizing<[u8; 16]>);

impl Hash {
    /// The LM hash: fourteen upper-case bytes, each half the key for a constant.
    pub(super) fn lm(password: &[u8]) -> Self {
        let mut key = Zeroizing::new([0; 14]);
        for (slot, byte) in key.iter_mut().zip(password) {
            *slot = byte.to_ascii_uppercase();
        }
        let mut hash = Zeroizing::new([0; 16]);
        for (out, half) in hash.chunks_mut(8).zip(key.chunks(7)) {
            out.copy_from_slice(&encrypt(half, b"KGS!@#$%"));
        }
        Self(hash)
    }

    /// The NT hash of a password in UTF-8.
    pub(super) fn nt(password: &[u8]) -> Self {
        Self::of_units(Zeroizing::new(widen(password)))
    }

    /// The NT hash as peers make it that take each byte for a letter.
    pub(super) fn nt_bytewise(password: &[u8]) -> Self {
        let units = password.iter().map(|&byte| u16::from(byte));
        Self::of_units(Zeroizing::new(units.collect()))
    }

    fn of_units(units: Zeroizing<Vec<u16>>) -> Self {
        let bytes = Zeroizing::new(little(&units));
        Self(Zeroizing::new(Md4::digest(bytes.as_slice()).into()))
    }

    /// The LM or NTLM response to `nonce`.
    pub(super) fn respond(&self, nonce: &[u8; 8]) -> [u8; SHORT] {
        let mut key = Zeroizing::new([0; 21]);
        for (slot, byte) in key.iter_mut().zip(self.0.iter()) {
            *slot = *byte;
        }
        let mut response = [0; SHORT];
        for (out, part) in response.chunks_mut(8).zip(key.chunks(7)) {
            out.copy_from_slice(&encrypt(part, nonce));
        }
        response
    }

    /// The key of version 2 for this account; to be made of an NT hash.
    pub(super) fn version_2(&self, user: &[u16], domain: &[u16]) -> Key {
        let mut name = upper(user);
        name.extend_from_slice(domain);
        Key(sign(self.0.as_slice(), &[&little(&name)]))
    }
}

/// A key of version 2.
pub(super) struct Key(Zeroizing<[u8; 16]>);

impl Key {
    /// The version 2 response to `nonce`: the proof, then the client's data.
    pub(super) fn respond(&self, nonce: &[u8; 8], data: &[u8]) -> Vec<u8> {
        let proof = sign(self.0.as_slice(), &[nonce, data]);
        [proof.as_slice(), data].concat()
    }
}

/// The client's data in an NTLMv2 response (MS-NLMP section 2.2.2.7).
pub(super) fn data(time: [u8; 8], nonce: [u8; 8], info: &[u8]) -> Vec<u8> {
    let mut data = vec![1, 1, 0, 0, 0, 0, 0, 0];
    data.extend(time);
    data.extend(nonce);
    data.extend([0; 4]);
    data.extend(info);
    data.extend([0; 4]);
    data
}

fn sign(key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; 16]> {
    // A key of any length will do for HMAC.
    let Ok(mut mac) = <Hmac<Md5> as KeyInit>::new_from_slice(key) else {
        return Zeroizing::default();
    };
    parts.iter().for_each(|part| mac.update(part));
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// DES with a key of seven bytes, spread over eight without parity.
fn encrypt(key: &[u8], block: &[u8; 8]) -> [u8; 8] {
    let mut bits = Zeroizing::new(0u64);
    for byte in key.iter().take(7) {
        *bits = (*bits << 8) | u64::from(*byte);
    }
    let mut spread = Zeroizing::new([0u8; 8]);
    for (position, slot) in spread.iter_mut().rev().enumerate() {
        let [low, ..] = (*bits >> (7 * position)).to_le_bytes();
        *slot = low << 1;
    }
    let mut out = (*block).into();
    Des::new(&(*spread).into()).encrypt_block(&mut out);
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    // MS-NLMP section 4.2.
    const NONCE: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
    const OWN: [u8; 8] = [0xaa; 8];

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn hashes() {
        assert_eq!(
            hex(&*Hash::lm(b"Password").0),
            "e52cac67419a9a224a3b108f3fa6cb6d"
        );
        assert_eq!(
            hex(&*Hash::nt(b"Password").0),
            "a4f49c406510bdcab6824ee7c30fd852"
        );
        // Longer passwords are cut for LM only.
        assert_eq!(
            *Hash::lm(b"0123456789abcdefgh").0,
            *Hash::lm(b"0123456789ABCD").0
        );
    }

    #[test]
    fn version_1() {
        assert_eq!(
            hex(&Hash::nt(b"Password").respond(&NONCE)),
            "67c43011f30298a2ad35ece64f16331c44bdbed927841f94"
        );
        assert_eq!(
            hex(&Hash::lm(b"Password").respond(&NONCE)),
            "98def7b87f88aa5dafe2df779688a172def11c7d5ccdef13"
        );
    }

    #[test]
    fn version_2() {
        let key = Hash::nt(b"Password").version_2(&widen(b"User"), &widen(b"Domain"));
        assert_eq!(hex(&*key.0), "0c868a403bfd7a93a3001ef22ef02e3f");
        assert_eq!(
            hex(&key.respond(&NONCE, &OWN)),
            "86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa"
        );
        let mut info = Vec::new();
        for (kind, name) in [(2u8, "Domain"), (1, "Server")] {
            let name = little(&widen(name.as_bytes()));
            info.extend([kind, 0, 12, 0]);
            info.extend(name);
        }
        info.extend([0; 4]);
        let response = key.respond(&NONCE, &data([0; 8], OWN, &info));
        assert_eq!(hex(&response[..16]), "68cd0ab851e51c96aabc927bebef6a1c");
        assert_eq!(response.len(), 16 + 28 + info.len() + 4);
    }

    #[test]
    fn letters_beyond_ascii() {
        let utf8 = "pä".as_bytes();
        assert_ne!(*Hash::nt(utf8).0, *Hash::nt_bytewise(utf8).0);
        assert_eq!(*Hash::nt(b"pa").0, *Hash::nt_bytewise(b"pa").0);
        // What stock answers for this password to the challenge 1 … 8.
        assert_eq!(
            hex(&Hash::nt_bytewise(utf8).respond(&[1, 2, 3, 4, 5, 6, 7, 8])),
            "6cd069f0732d016f53eb79a8cf0fa77e7b6a5263eaf64aae"
        );
    }
}
