// SPDX-License-Identifier: MIT OR Apache-2.0
//! Storage whose addresses stay put: chunks that are never resized, so that a
//! pointer handed to C stays valid until [`Arena::reset`].
//!
//! Chunks are `Vec`s and not boxed slices on purpose: moving a `Box` claims
//! that nobody else points into it, moving a `Vec` does not.
#![forbid(unsafe_code)]

use core::cell::Cell;
use zeroize::Zeroize;

/// Where a run of elements lives.
#[derive(Clone, Copy)]
pub(super) struct Span {
    chunk: usize,
    start: usize,
    len: usize,
}

/// Chunks of cells; the last one has room.
pub(super) struct Arena<T> {
    full: Vec<Vec<Cell<T>>>,
    last: Vec<Cell<T>>,
    used: usize,
    first_size: usize,
}

impl<T: Copy + Default + Zeroize> Arena<T> {
    /// Nothing is allocated yet; the first chunk will hold `first_size` elements.
    pub(super) const fn new(first_size: usize) -> Self {
        Self {
            full: Vec::new(),
            last: Vec::new(),
            used: 0,
            first_size,
        }
    }

    /// Whether nothing was taken since the last reset.
    pub(super) fn is_unused(&self) -> bool {
        self.used == 0 && self.full.is_empty()
    }

    /// Makes sure that the next `len` elements fit without a new chunk.
    pub(super) fn reserve(&mut self, len: usize) {
        if self.last.len() - self.used >= len {
            return;
        }
        let size = len
            .max(self.last.len().saturating_mul(2))
            .max(self.first_size);
        let mut chunk = Vec::with_capacity(size);
        chunk.resize_with(size, Cell::default);
        let old = core::mem::replace(&mut self.last, chunk);
        if !old.is_empty() {
            self.full.push(old);
        }
        self.used = 0;
    }

    /// Takes `len` elements; their content is that of a fresh or reset chunk.
    pub(super) fn take(&mut self, len: usize) -> Span {
        self.reserve(len);
        let span = Span {
            chunk: self.full.len(),
            start: self.used,
            len,
        };
        self.used += len;
        span
    }

    /// The elements of a span.
    pub(super) fn get(&self, span: Span) -> &[Cell<T>] {
        self.full
            .get(span.chunk)
            .unwrap_or(&self.last)
            .get(span.start..span.start + span.len)
            .unwrap_or_default()
    }

    /// Wipes the elements of a span; the room is not used again before a reset.
    pub(super) fn wipe(&mut self, span: Span) {
        let chunk = self.full.get_mut(span.chunk).unwrap_or(&mut self.last);
        for cell in chunk.iter_mut().skip(span.start).take(span.len) {
            cell.get_mut().zeroize();
        }
    }

    /// Wipes everything and starts over with the largest chunk.
    pub(super) fn reset(&mut self) {
        for cell in self.full.iter_mut().flatten() {
            cell.get_mut().zeroize();
        }
        self.full.clear();
        for cell in self.last.iter_mut().take(self.used) {
            cell.get_mut().zeroize();
        }
        self.used = 0;
    }
}

#[cfg(test)]
impl<T> Arena<T> {
    /// Room in all chunks.
    pub(super) fn size(&self) -> usize {
        self.full.iter().map(Vec::len).sum::<usize>() + self.last.len()
    }
}
