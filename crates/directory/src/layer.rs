// SPDX-License-Identifier: MIT OR Apache-2.0
//! A SASL security layer around the messages of a connection (RFC 4513 §5.2.1):
//! packets with four bytes of length before each.
#![forbid(unsafe_code)]

use crate::protocol::Malformed;
use mech::{Negotiated, SecurityLayer};
use std::fmt;
use zeroize::Zeroizing;

/// Bytes that a packet may have at most: what we told the server.
pub(crate) const MAX_PACKET: u32 = 65_536;

/// A layer in force.
pub(crate) struct Layer {
    layer: Box<dyn SecurityLayer + Send>,
    piece: usize,
    /// The beginning of a packet.
    pending: Vec<u8>,
}

impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Layer")
    }
}

impl Layer {
    /// The negotiated layer, if it can be used here.
    pub(crate) fn new(negotiated: Negotiated) -> Option<Self> {
        Some(Self {
            layer: negotiated.layer.into_movable()?,
            piece: usize::try_from(negotiated.max_outbuf).ok()?.max(1),
            pending: Vec::new(),
        })
    }

    /// Whether no part of a packet waits.
    pub(crate) fn is_quiet(&self) -> bool {
        self.pending.is_empty()
    }

    /// The packets for `message`.
    pub(crate) fn protect(&mut self, message: &[u8]) -> Result<Vec<u8>, Malformed> {
        let mut out = Vec::with_capacity(message.len() + 64);
        for piece in message.chunks(self.piece) {
            let mut packet = Vec::with_capacity(piece.len() + 32);
            let wrapped = self.layer.wrap(piece, &mut packet);
            wrapped.map_err(|_| "the security layer failed")?;
            let length = u32::try_from(packet.len()).map_err(|_| "a packet is too large")?;
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(&packet);
        }
        Ok(out)
    }

    /// What is in the packets that `bytes` complete.
    pub(crate) fn open(&mut self, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, Malformed> {
        self.pending.extend_from_slice(bytes);
        let mut plain = Zeroizing::new(Vec::new());
        while let Some((head, rest)) = self.pending.split_first_chunk::<4>() {
            let length = u32::from_be_bytes(*head);
            if length > MAX_PACKET {
                return Err("it sent a packet larger than agreed");
            }
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let Some(packet) = rest.get(..length) else {
                break;
            };
            let opened = self.layer.unwrap(packet, &mut plain);
            opened.map_err(|_| "a packet of its security layer was altered")?;
            self.pending.drain(..length.saturating_add(4));
        }
        Ok(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Xor;
    impl SecurityLayer for Xor {
        fn wrap(&mut self, plain: &[u8], out: &mut Vec<u8>) -> saslplug::Result<()> {
            out.extend(plain.iter().map(|byte| byte ^ 0x55));
            Ok(())
        }
        fn unwrap(&mut self, packet: &[u8], out: &mut Vec<u8>) -> saslplug::Result<()> {
            match packet {
                [] => Err(saslplug::Code::BADMAC.into()),
                packet => self.wrap(packet, out),
            }
        }
        fn into_movable(self: Box<Self>) -> Option<Box<dyn SecurityLayer + Send>> {
            Some(self)
        }
    }

    fn layer() -> Layer {
        Layer::new(Negotiated {
            ssf: 1,
            max_outbuf: 3,
            layer: Box::new(Xor),
        })
        .unwrap()
    }

    #[test]
    fn packets_are_cut_and_put_together() {
        let (mut ours, mut theirs) = (layer(), layer());
        let packets = ours.protect(b"hello, you").unwrap();
        assert_eq!(packets.len(), 10 + 4 * 4);
        let mut plain = Vec::new();
        for byte in &packets {
            plain.extend_from_slice(&theirs.open(&[*byte]).unwrap());
        }
        assert_eq!(plain, b"hello, you");
        assert!(theirs.is_quiet());
        theirs.open(&[0, 0]).unwrap();
        assert!(!theirs.is_quiet());
    }

    #[test]
    fn odd_packets_end_it() {
        assert!(layer().open(&[0xff, 0, 0, 0, 1]).is_err());
        assert!(layer().open(&[0, 0, 0, 0]).is_err());
    }
}
