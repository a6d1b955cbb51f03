// SPDX-License-Identifier: MIT OR Apache-2.0
//! Storage whose addresses stay put: chunks that are filled up to their
//! capacity and never grown, so that a pointer handed to C stays valid until
//! the storage is reset.
//!
//! Chunks are `Vec`s and not boxes on purpose: moving a `Box` claims that
//! nobody else points into it, moving a `Vec` does not. Pointers for C are made
//! from the `Vec`'s own pointer and not from a slice, so no later borrow of the
//! chunk ends them.
#![forbid(unsafe_code)]

use super::store::Room;
use core::cell::Cell;
use core::ffi::c_char;
use core::{mem, ptr};

/// Where a run of elements lives.
#[derive(Clone, Copy)]
pub(super) struct Span {
    chunk: usize,
    start: usize,
    len: usize,
}

impl Span {
    /// Nothing.
    pub(super) const NONE: Self = Self {
        chunk: 0,
        start: 0,
        len: 0,
    };

    /// Number of elements.
    pub(super) const fn len(self) -> usize {
        self.len
    }

    const fn end(self) -> usize {
        self.start + self.len
    }
}

/// Texts of any bytes, each followed by a NUL.
pub(super) struct Texts {
    full: Vec<Vec<u8>>,
    last: Vec<u8>,
    first_size: usize,
}

impl Texts {
    /// Nothing is allocated yet; the first chunk will hold `first_size` bytes.
    pub(super) const fn new(first_size: usize) -> Self {
        Self {
            full: Vec::new(),
            last: Vec::new(),
            first_size,
        }
    }

    /// Makes the first chunk hold `size` bytes.
    pub(super) const fn expect(&mut self, size: usize) {
        self.first_size = size;
    }

    /// Stores one text.
    pub(super) fn add(&mut self, text: &[u8]) -> Span {
        let (len, capacity) = (text.len() + 1, self.last.capacity());
        if capacity - self.last.len() < len {
            let size = len.max(capacity.saturating_mul(2)).max(self.first_size);
            let old = mem::replace(&mut self.last, Vec::with_capacity(size));
            if old.capacity() > 0 {
                self.full.push(old);
            }
        }
        let span = Span {
            chunk: self.full.len(),
            start: self.last.len(),
            len: text.len(),
        };
        self.last.extend_from_slice(text);
        self.last.push(0);
        span
    }

    fn chunk(&self, span: Span) -> &Vec<u8> {
        self.full.get(span.chunk).unwrap_or(&self.last)
    }

    /// A text without its NUL.
    pub(super) fn get(&self, span: Span) -> &[u8] {
        self.chunk(span)
            .get(span.start..span.end())
            .unwrap_or_default()
    }

    /// A text for C.
    pub(super) fn pointer(&self, span: Span) -> *const c_char {
        self.chunk(span).as_ptr().wrapping_add(span.start).cast()
    }

    /// Wipes one text; its room is not used again before a reset.
    pub(super) fn wipe(&mut self, span: Span) {
        let chunk = self.full.get_mut(span.chunk).unwrap_or(&mut self.last);
        if let Some(text) = chunk.get_mut(span.start..span.end()) {
            wipe(text);
        }
    }

    /// Wipes everything and starts over with the largest chunk.
    pub(super) fn reset(&mut self) {
        self.full.iter_mut().for_each(|chunk| wipe(chunk));
        self.full.clear();
        wipe(&mut self.last);
        self.last.clear();
    }

    /// Room in all chunks.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.full.iter().map(Vec::capacity).sum::<usize>() + self.last.capacity()
    }

    /// Whether a chunk holds these bytes.
    #[cfg(test)]
    pub(super) fn holds(&self, bytes: &[u8]) -> bool {
        let mut chunks = self.full.iter().chain([&self.last]);
        chunks.any(|chunk| chunk.windows(bytes.len()).any(|window| window == bytes))
    }
}

/// Clears bytes in a way that no optimiser may leave out.
fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    zeroize::optimization_barrier(bytes);
}

/// Arrays of text pointers that end with NULL, as C reads them. The first ones
/// lie in the [`Room`] of the context.
pub(super) struct Lists {
    full: Vec<Vec<Cell<*const c_char>>>,
    last: Vec<Cell<*const c_char>>,
    /// How much of the room is taken.
    room_used: usize,
    first_size: usize,
}

/// The number of the chunk that is the room.
const ROOM: usize = usize::MAX;

impl Lists {
    /// Nothing is allocated yet; the first chunk will hold `first_size`
    /// pointers.
    pub(super) const fn new(first_size: usize) -> Self {
        Self {
            full: Vec::new(),
            last: Vec::new(),
            room_used: 0,
            first_size,
        }
    }

    /// Makes the first chunk hold `size` pointers.
    pub(super) const fn expect(&mut self, size: usize) {
        self.first_size = size;
    }

    /// Whether nothing was taken since the last reset.
    pub(super) fn is_unused(&self) -> bool {
        self.room_used == 0 && self.last.is_empty()
    }

    /// Takes a list of `len` NULLs.
    pub(super) fn take(&mut self, len: usize, room: &Room) -> Span {
        if room.lists().len() - self.room_used >= len {
            let start = self.room_used;
            self.room_used += len;
            return Span {
                chunk: ROOM,
                start,
                len,
            };
        }
        let capacity = self.last.capacity();
        if capacity - self.last.len() < len {
            let size = len.max(capacity.saturating_mul(2)).max(self.first_size);
            let old = mem::replace(&mut self.last, Vec::with_capacity(size));
            if old.capacity() > 0 {
                self.full.push(old);
            }
        }
        let span = Span {
            chunk: self.full.len(),
            start: self.last.len(),
            len,
        };
        self.last.resize_with(span.end(), || Cell::new(ptr::null()));
        span
    }

    /// Takes a list twice as long that begins with the pointers of `old`, which
    /// stays as it is for whoever still reads it.
    pub(super) fn grow(&mut self, old: Span, room: &Room) -> Span {
        let span = self.take(old.len * 2, room);
        for (to, from) in self.get(span, room).iter().zip(self.get(old, room)) {
            to.set(from.get());
        }
        span
    }

    fn chunk<'a>(&'a self, span: Span, room: &'a Room) -> &'a [Cell<*const c_char>] {
        match span.chunk {
            ROOM => room.lists(),
            chunk => self.full.get(chunk).unwrap_or(&self.last),
        }
    }

    /// The pointers of a list.
    pub(super) fn get<'a>(&'a self, span: Span, room: &'a Room) -> &'a [Cell<*const c_char>] {
        self.chunk(span, room)
            .get(span.start..span.end())
            .unwrap_or_default()
    }

    /// A list for C.
    pub(super) fn pointer(&self, span: Span, room: &Room) -> *mut *const c_char {
        let start = match span.chunk {
            ROOM => room.lists().as_ptr(),
            chunk => self.full.get(chunk).unwrap_or(&self.last).as_ptr(),
        };
        let start = start.wrapping_add(span.start);
        start.cast::<*const c_char>().cast_mut()
    }

    /// Forgets all lists and starts over with the largest chunk.
    pub(super) fn reset(&mut self, room: &Room) {
        let used = room.lists().get(..self.room_used);
        for cell in used.unwrap_or_default() {
            cell.set(ptr::null());
        }
        self.room_used = 0;
        self.full.clear();
        self.last.clear();
    }

    /// Room in all chunks.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.full.iter().map(Vec::capacity).sum::<usize>() + self.last.capacity()
    }
}
