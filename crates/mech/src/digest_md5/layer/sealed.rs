// SPDX-License-Identifier: MIT OR Apache-2.0
//! The MAC of a packet, and the packet with RC4: the bytes are encrypted between
//! the steps of the hash, because each of the two waits for itself most of the
//! time.
#![forbid(unsafe_code)]

use super::super::rc4::Rc4;
use super::MAC;
use crate::hmac_md5::{Keyed, Running};
use zeroize::Zeroizing;

/// The hash's block, and what is encrypted with one.
const BLOCK: usize = 64;

fn cut(full: [u8; 16]) -> [u8; MAC] {
    let [mac @ .., _, _, _, _, _, _] = full;
    mac
}

/// What the MAC is made of: the sequence number, then the message. Block by
/// block; the message is four bytes late.
struct Hashed {
    running: Running,
    /// The first bytes of the next block.
    carry: Zeroizing<[u8; 4]>,
}

impl Hashed {
    fn new(key: &Keyed, sequence: u32) -> Self {
        Self {
            running: key.begin(),
            carry: Zeroizing::new(sequence.to_be_bytes()),
        }
    }

    /// The next block of the message, with work between the steps.
    #[inline(always)]
    fn block(&mut self, message: &[u8; BLOCK], between: impl FnMut(usize)) {
        let mut block = [0; BLOCK];
        let (first, rest) = block.split_at_mut(4);
        first.copy_from_slice(&*self.carry);
        let (now, later) = message.split_at(BLOCK - 4);
        rest.copy_from_slice(now);
        self.carry.copy_from_slice(later);
        self.running.block(&block, between);
    }

    fn finish(mut self, key: &Keyed, mut rest: &[u8]) -> [u8; MAC] {
        while let Some((block, after)) = rest.split_first_chunk::<BLOCK>() {
            self.block(block, |_| ());
            rest = after;
        }
        let mut tail = Zeroizing::new([0; BLOCK + 4]);
        let bytes = self.carry.iter().chain(rest);
        for (slot, byte) in tail.iter_mut().zip(bytes) {
            *slot = *byte;
        }
        let tail = tail.get(..rest.len() + 4).unwrap_or_default();
        cut(self.running.finish(key, tail))
    }
}

/// The MAC of a message.
pub(super) fn tag(key: &Keyed, sequence: u32, message: &[u8]) -> [u8; MAC] {
    Hashed::new(key, sequence).finish(key, message)
}

/// Encrypts `body`, a copy of `plain`, and makes the MAC of `plain`.
pub(super) fn seal(
    key: &Keyed,
    sequence: u32,
    stream: &mut Rc4,
    plain: &[u8],
    body: &mut [u8],
) -> [u8; MAC] {
    let mut hashed = Hashed::new(key, sequence);
    let mut blocks = body.chunks_exact_mut(BLOCK);
    let mut rest = plain;
    while let Some((block, after)) = rest.split_first_chunk::<BLOCK>() {
        let Some(body) = blocks.next() else { break };
        let mut bytes = body.iter_mut();
        hashed.block(block, |_| {
            if let Some(byte) = bytes.next() {
                *byte ^= stream.next();
            }
        });
        rest = after;
    }
    stream.apply(blocks.into_remainder());
    hashed.finish(key, rest)
}

/// Decrypts `body`, a message and its MAC; the MAC that it should have. `None`
/// where it is too short for one.
pub(super) fn open(
    key: &Keyed,
    sequence: u32,
    stream: &mut Rc4,
    body: &mut [u8],
) -> Option<[u8; MAC]> {
    let length = body.len().checked_sub(MAC)?;
    let mut hashed = Hashed::new(key, sequence);
    let (first, mut encrypted) = body.split_at_mut(length.min(BLOCK));
    stream.apply(first);
    // The block before is hashed while the next one is decrypted.
    let mut clear = first;
    let mut left = length.saturating_sub(clear.len());
    let mut done = 0;
    while left >= BLOCK {
        let (block, after) = encrypted.split_at_mut(BLOCK);
        let mut bytes = block.iter_mut();
        hashed.block((&*clear).try_into().ok()?, |_| {
            if let Some(byte) = bytes.next() {
                *byte ^= stream.next();
            }
        });
        done += BLOCK;
        left = left.saturating_sub(BLOCK);
        (clear, encrypted) = (block, after);
    }
    stream.apply(encrypted);
    Some(hashed.finish(key, body.get(done..length)?))
}
