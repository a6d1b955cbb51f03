// SPDX-License-Identifier: MIT OR Apache-2.0
//! The security layers of RFC 2831 sections 2.3 and 2.4: a truncated HMAC-MD5
//! over sequence number and message, with or without encryption. After the
//! first packet that does not verify the layer refuses everything: RC4 and CBC
//! cannot find back, and nobody honest sends a second one.
#![forbid(unsafe_code)]

use super::keys::{Key, md5};
use super::rc4::Rc4;
use crate::hmac_md5::Keyed;
use crate::{SecurityLayer, Ssf};
use cbc::cipher::{Block, BlockModeDecrypt, BlockModeEncrypt, BlockSizeUser, KeyIvInit};
use des::{Des, TdesEde2};
use saslplug::{Code, Error, Result};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// The ciphers, in the order in which a server names them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cipher {
    Rc4_40,
    Rc4_56,
    Rc4,
    Des,
    TripleDes,
}

impl Cipher {
    pub(super) const ALL: [Self; 5] = [
        Self::Rc4_40,
        Self::Rc4_56,
        Self::Rc4,
        Self::Des,
        Self::TripleDes,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Rc4_40 => "rc4-40",
            Self::Rc4_56 => "rc4-56",
            Self::Rc4 => "rc4",
            Self::Des => "des",
            Self::TripleDes => "3des",
        }
    }

    pub(super) const fn ssf(self) -> Ssf {
        match self {
            Self::Rc4_40 => 40,
            Self::Rc4_56 => 56,
            Self::Rc4 => 128,
            Self::Des => 55,
            Self::TripleDes => 112,
        }
    }

    /// How much of the session's key goes into the cipher's.
    const fn entropy(self) -> usize {
        match self {
            Self::Rc4_40 => 5,
            Self::Rc4_56 => 7,
            Self::Rc4 | Self::Des | Self::TripleDes => 16,
        }
    }
}

/// Which end of the connection this is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Client,
    Server,
}

/// MAC, version and sequence number of every packet.
const TRAILER: usize = 16;
const MAC: usize = 10;
const VERSION: [u8; 2] = [0, 1];

mod sealed;

/// Both directions.
pub(super) struct Layer {
    sending: Direction,
    receiving: Direction,
    broken: bool,
}

struct Direction {
    key: Keyed,
    sequence: u32,
    stream: Stream,
}

enum Stream {
    Clear,
    Rc4(Box<Rc4>),
    DesOut(Box<cbc::Encryptor<Des>>),
    DesIn(Box<cbc::Decryptor<Des>>),
    TripleDesOut(Box<cbc::Encryptor<TdesEde2>>),
    TripleDesIn(Box<cbc::Decryptor<TdesEde2>>),
}

impl Layer {
    /// The layer that follows from H(A1); no cipher = integrity only.
    pub(super) fn new(session: &Key, cipher: Option<Cipher>, side: Side) -> Self {
        let peer = match side {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        };
        Self {
            sending: Direction::new(session, cipher, side, true),
            receiving: Direction::new(session, cipher, peer, false),
            broken: false,
        }
    }

    fn open(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let refuse = |reason| Err(Error::new(Code::BADMAC, reason));
        let (Some((rest, sequence)), true) =
            (packet.split_last_chunk::<4>(), packet.len() >= TRAILER)
        else {
            return refuse("DIGEST-MD5 SASL packets must be at least 16 bytes long");
        };
        let Some((sealed, &VERSION)) = rest.split_last_chunk::<2>() else {
            return refuse("Wrong Version");
        };
        if u32::from_be_bytes(*sequence) != self.receiving.sequence {
            return refuse("Incorrect Sequence Number: packet replayed, lost or out of order");
        }
        let start = out.len();
        out.extend_from_slice(sealed);
        let opened = out
            .get_mut(start..)
            .and_then(|body| self.receiving.open(body));
        let Some(length) = opened else {
            let altered = out.get_mut(start..).unwrap_or_default();
            altered.zeroize();
            out.truncate(start);
            return refuse("CMAC doesn't match: the packet was altered on the way");
        };
        out.truncate(start + length);
        Ok(())
    }
}

impl SecurityLayer for Layer {
    fn wrap(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.sending.seal(plain, out);
        Ok(())
    }

    fn unwrap(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<()> {
        if self.broken {
            return Err(Error::new(
                Code::BADMAC,
                "an earlier packet was damaged: this DIGEST-MD5 layer is over",
            ));
        }
        let opened = self.open(packet, out);
        self.broken = opened.is_err();
        opened
    }

    fn into_movable(self: Box<Self>) -> Option<Box<dyn SecurityLayer + Send>> {
        Some(self)
    }
}

impl Direction {
    /// `sender` sends in this direction; `sends` says whether that is us.
    fn new(session: &Key, cipher: Option<Cipher>, sender: Side, sends: bool) -> Self {
        let way = match sender {
            Side::Client => "client-to-server",
            Side::Server => "server-to-client",
        };
        let signing = format!("Digest session key to {way} signing key magic constant");
        let key = md5(&[session.as_slice(), signing.as_bytes()]);
        let key = Keyed::new(key.as_slice());
        let stream = cipher.map_or(Stream::Clear, |cipher| {
            let sealing = format!("Digest H(A1) to {way} sealing key magic constant");
            let entropy = session.get(..cipher.entropy()).unwrap_or_default();
            Stream::new(cipher, &md5(&[entropy, sealing.as_bytes()]), sends)
        });
        Self {
            key,
            sequence: 0,
            stream,
        }
    }

    fn seal(&mut self, plain: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.reserve(plain.len() + TRAILER + 8);
        out.extend_from_slice(plain);
        let body = out.get_mut(start..).unwrap_or_default();
        let mac = match &mut self.stream {
            Stream::Rc4(stream) => sealed::seal(&self.key, self.sequence, stream, plain, body),
            stream => {
                let mac = sealed::tag(&self.key, self.sequence, plain);
                stream.pad(plain.len(), out);
                mac
            }
        };
        out.extend_from_slice(&mac);
        if let Stream::Rc4(stream) = &mut self.stream {
            let mac = start.saturating_add(plain.len());
            stream.apply(out.get_mut(mac..).unwrap_or_default());
        } else {
            self.stream.apply(out.get_mut(start..).unwrap_or_default());
        }
        out.extend_from_slice(&VERSION);
        out.extend_from_slice(&self.sequence.to_be_bytes());
        self.sequence = self.sequence.wrapping_add(1);
    }

    /// Decrypts in place; the length of the message if it is genuine.
    fn open(&mut self, body: &mut [u8]) -> Option<usize> {
        if self.stream.is_block() && body.len() % 8 != 0 {
            return None;
        }
        let opened = match &mut self.stream {
            Stream::Rc4(stream) => Some(sealed::open(&self.key, self.sequence, stream, body)?),
            stream => {
                stream.apply(body);
                None
            }
        };
        let (padded, mac) = body.split_last_chunk::<MAC>()?;
        let (padding, well_padded) = self.stream.padding(padded);
        let message = padded.get(..padded.len().checked_sub(padding)?)?;
        let own = opened.unwrap_or_else(|| sealed::tag(&self.key, self.sequence, message));
        // Both answers are needed before either counts: no padding oracle.
        let genuine = own.ct_eq(mac) & u8::from(well_padded).ct_eq(&1);
        self.sequence = self.sequence.wrapping_add(1);
        bool::from(genuine).then_some(message.len())
    }
}

impl Stream {
    fn new(cipher: Cipher, key: &Key, sends: bool) -> Self {
        let (first, second) = (des_key(key, 0), des_key(key, 7));
        let mut both = Zeroizing::new([0; 16]);
        for (slot, byte) in both.iter_mut().zip(first.iter().chain(second.iter())) {
            *slot = *byte;
        }
        let mut iv = Zeroizing::new([0; 8]);
        for (slot, byte) in iv.iter_mut().zip(key.iter().skip(8)) {
            *slot = *byte;
        }
        let (single, both, iv) = ((&*first).into(), (&*both).into(), (&*iv).into());
        match (cipher, sends) {
            (Cipher::Rc4_40 | Cipher::Rc4_56 | Cipher::Rc4, _) => {
                Self::Rc4(Box::new(Rc4::new(key)))
            }
            (Cipher::Des, true) => Self::DesOut(Box::new(cbc::Encryptor::new(single, iv))),
            (Cipher::Des, false) => Self::DesIn(Box::new(cbc::Decryptor::new(single, iv))),
            (Cipher::TripleDes, true) => {
                Self::TripleDesOut(Box::new(cbc::Encryptor::new(both, iv)))
            }
            (Cipher::TripleDes, false) => {
                Self::TripleDesIn(Box::new(cbc::Decryptor::new(both, iv)))
            }
        }
    }

    fn is_block(&self) -> bool {
        !matches!(self, Self::Clear | Self::Rc4(_))
    }

    /// Puts padding after a message, where the cipher wants some.
    fn pad(&self, length: usize, out: &mut Vec<u8>) {
        if self.is_block() {
            let padding = 8 - (length + MAC) % 8;
            let byte = u8::try_from(padding).unwrap_or(8);
            out.extend(core::iter::repeat_n(byte, padding));
        }
    }

    /// How many bytes at the end of `padded` are padding, and whether they look
    /// as they should.
    fn padding(&self, padded: &[u8]) -> (usize, bool) {
        if !self.is_block() {
            return (0, true);
        }
        let last = padded.last().copied().unwrap_or_default();
        let length = usize::from(last);
        let tail = padded
            .len()
            .checked_sub(length)
            .and_then(|start| padded.get(start..));
        let well = (1..=8).contains(&last)
            && tail.is_some_and(|tail| tail.iter().all(|&byte| byte == last));
        (if well { length } else { 0 }, well)
    }

    fn apply(&mut self, data: &mut [u8]) {
        match self {
            Self::Clear => {}
            Self::Rc4(stream) => stream.apply(data),
            Self::DesOut(cbc) => {
                each_block::<cbc::Encryptor<Des>>(data, |block| cbc.encrypt_block(block))
            }
            Self::DesIn(cbc) => {
                each_block::<cbc::Decryptor<Des>>(data, |block| cbc.decrypt_block(block))
            }
            Self::TripleDesOut(cbc) => {
                each_block::<cbc::Encryptor<TdesEde2>>(data, |block| cbc.encrypt_block(block));
            }
            Self::TripleDesIn(cbc) => {
                each_block::<cbc::Decryptor<TdesEde2>>(data, |block| cbc.decrypt_block(block));
            }
        }
    }
}

fn each_block<C: BlockSizeUser>(data: &mut [u8], mut with: impl FnMut(&mut Block<C>)) {
    for chunk in data.chunks_exact_mut(C::block_size()) {
        if let Ok(block) = chunk.try_into() {
            with(block);
        }
    }
}

/// Seven bytes of key as the eight that DES wants: seven bits each, then one of
/// parity, which the cipher does not look at.
fn des_key(key: &Key, start: usize) -> Zeroizing<[u8; 8]> {
    let mut bits = 0u64;
    for byte in key.iter().skip(start).take(7) {
        bits = (bits << 8) | u64::from(*byte);
    }
    let mut spread = Zeroizing::new([0; 8]);
    for (slot, place) in spread.iter_mut().zip((0..8).rev()) {
        let [.., low] = (bits >> (7 * place)).to_be_bytes();
        *slot = low << 1;
    }
    spread
}

#[cfg(test)]
mod tests;
