// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers in a page, and where pages come from. Every access is checked: the
//! file is somebody else's.
#![forbid(unsafe_code)]

use core::hint::black_box;
use core::ops::{Deref, DerefMut};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Byte order of a Berkeley DB file: its writer's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    Little,
    Big,
}

impl Order {
    pub(crate) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(*bytes),
            Self::Big => u16::from_be_bytes(*bytes),
        })
    }

    pub(crate) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(*bytes),
            Self::Big => u32::from_be_bytes(*bytes),
        })
    }

    pub(crate) fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let bytes = bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u64::from_le_bytes(*bytes),
            Self::Big => u64::from_be_bytes(*bytes),
        })
    }
}

/// Something that pages are read from.
pub(crate) trait Source {
    /// Fills `buffer` from `offset`.
    fn read(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
}

impl Source for File {
    fn read(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.read_exact_at(buffer, offset)
    }
}

impl Source for [u8] {
    fn read(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let end = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let start = usize::try_from(offset).map_err(|_| end())?;
        let stop = start.checked_add(buffer.len()).ok_or_else(end)?;
        buffer.copy_from_slice(self.get(start..stop).ok_or_else(end)?);
        Ok(())
    }
}

/// Bytes of a page, wiped when dropped. A page is large and is read for every
/// login: it is wiped as fast as memory can be set, and what was written is
/// shown to the compiler as if it were used.
pub(crate) struct Bytes(Vec<u8>);

impl Bytes {
    /// Zeros.
    pub(crate) fn zeroed(length: usize) -> Self {
        Self(vec![0; length])
    }

    /// None yet, with room.
    pub(crate) fn with_room(length: usize) -> Self {
        Self(Vec::with_capacity(length))
    }

    /// Adds some; the caller stays within the room, as what moves would leave a
    /// copy behind.
    pub(crate) fn extend(&mut self, part: &[u8]) {
        self.0.extend_from_slice(part);
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Bytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        self.0.fill(0);
        black_box(&self.0);
    }
}
