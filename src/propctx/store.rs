// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a property context holds: the entries, the array that C sees, and the
//! arenas that names, value lists and values lie in.
#![forbid(unsafe_code)]

use super::PropCtx;
use super::arena::{Arena, Span};
use core::cell::Cell;
use core::ffi::{CStr, c_char, c_uint};
use core::ptr;
use saslplug::raw;
use zeroize::Zeroize;

const NOTHING: raw::propval = PropCtx::NOTHING;

/// A pointer that C reads; a wrapper because pointers have no `Default`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Pointer(*const c_char);

impl Default for Pointer {
    fn default() -> Self {
        Self(ptr::null())
    }
}

impl Zeroize for Pointer {
    fn zeroize(&mut self) {
        self.0 = ptr::null();
    }
}

/// One requested name.
pub(super) struct Entry {
    /// The name with its NUL.
    pub(super) name: Span,
    /// The NULL-terminated array of values, once there is one.
    pub(super) table: Option<Span>,
    pub(super) count: usize,
}

/// One value: which entry it belongs to, and its bytes without the NUL.
pub(super) struct Value {
    pub(super) entry: usize,
    pub(super) bytes: Span,
    pub(super) len: usize,
}

/// The content of a context.
pub(super) struct Inner {
    pub(super) entries: Vec<Entry>,
    /// What `prop_get` shows: one element an entry, then the terminator.
    pub(super) view: Vec<Cell<raw::propval>>,
    pub(super) names: Arena<u8>,
    pub(super) tables: Arena<Pointer>,
    pub(super) bytes: Arena<u8>,
    pub(super) values: Vec<Value>,
    /// The entry that `prop_set(ctx, NULL, …)` continues.
    pub(super) current: Option<usize>,
    pub(super) estimate: usize,
}

impl Inner {
    /// Nothing yet, room for about `estimate` names once there is something.
    pub(super) const fn new(estimate: usize) -> Self {
        Self {
            entries: Vec::new(),
            view: Vec::new(),
            names: Arena::new(16 * estimate),
            tables: Arena::new(2 * estimate),
            bytes: Arena::new(32 * estimate),
            values: Vec::new(),
            current: None,
            estimate,
        }
    }

    /// The name of an entry without its NUL.
    pub(super) fn name(&self, entry: &Entry) -> &[Cell<u8>] {
        match self.names.get(entry.name) {
            [name @ .., _] => name,
            [] => &[],
        }
    }

    pub(super) fn find(&self, name: &[u8]) -> Option<usize> {
        self.entries.iter().position(|entry| {
            let cells = self.name(entry);
            cells.len() == name.len() && cells.iter().zip(name).all(|(a, b)| a.get() == *b)
        })
    }

    pub(super) fn append(&mut self, name: &CStr) {
        let bytes = name.to_bytes_with_nul();
        let span = self.names.take(bytes.len());
        for (cell, byte) in self.names.get(span).iter().zip(bytes) {
            cell.set(*byte);
        }
        self.push(span);
    }

    pub(super) fn append_cells(&mut self, name: &[Cell<u8>]) {
        let span = self.names.take(name.len());
        for (cell, byte) in self.names.get(span).iter().zip(name) {
            cell.set(byte.get());
        }
        self.push(span);
    }

    fn push(&mut self, name: Span) {
        if self.entries.capacity() == 0 {
            self.entries.reserve(self.estimate);
        }
        self.entries.push(Entry {
            name,
            table: None,
            count: 0,
        });
        self.make_room();
        let pointer = self.names.get(name).as_ptr().cast();
        if let Some(cell) = self.view.get(self.entries.len() - 1) {
            cell.set(raw::propval {
                name: pointer,
                ..NOTHING
            });
        }
    }

    /// Keeps room for the terminator behind the last entry.
    pub(super) fn make_room(&mut self) {
        if self.entries.len() >= self.view.len() {
            let size = (self.view.len() * 2)
                .max(self.entries.len() + 1)
                .max(self.estimate + 1);
            let mut view = Vec::with_capacity(size);
            view.extend(self.view.iter().cloned());
            view.resize_with(size, || Cell::new(NOTHING));
            self.view = view;
        }
    }

    /// Gives an entry a list of no values, unless it has a list.
    pub(super) fn make_list(&mut self, index: usize) {
        let Some(entry) = self.entries.get_mut(index) else {
            return;
        };
        if entry.table.is_none() {
            let table = self.tables.take(2);
            entry.table = Some(table);
            self.show(index, table, 0, 0);
        }
    }

    pub(super) fn add(&mut self, index: usize, value: &[u8]) {
        let span = self.bytes.take(value.len() + 1);
        for (cell, byte) in self.bytes.get(span).iter().zip(value) {
            cell.set(*byte);
        }
        self.link(index, span, value.len());
    }

    pub(super) fn add_cells(&mut self, index: usize, value: &[Cell<u8>]) {
        let span = self.bytes.take(value.len() + 1);
        for (cell, byte) in self.bytes.get(span).iter().zip(value) {
            cell.set(byte.get());
        }
        self.link(index, span, value.len());
    }

    /// Puts a stored value at the end of an entry's list. The NUL behind it is
    /// there: unused room is zero.
    fn link(&mut self, index: usize, span: Span, len: usize) {
        self.make_list(index);
        let Some(entry) = self.entries.get_mut(index) else {
            return;
        };
        let Some(mut table) = entry.table else { return };
        let room = self.tables.get(table).len();
        if entry.count + 1 >= room {
            let larger = self.tables.take(room * 2);
            let (from, to) = (self.tables.get(table), self.tables.get(larger));
            for (to, from) in to.iter().zip(from) {
                to.set(from.get());
            }
            table = larger;
            entry.table = Some(larger);
        }
        if let Some(cell) = self.tables.get(table).get(entry.count) {
            cell.set(Pointer(self.bytes.get(span).as_ptr().cast()));
        }
        entry.count += 1;
        let count = entry.count;
        if self.values.capacity() == 0 {
            self.values.reserve(self.estimate);
        }
        self.values.push(Value {
            entry: index,
            bytes: span,
            len,
        });
        self.show(index, table, count, len);
    }

    /// Writes an entry's line of the array that C sees.
    fn show(&self, index: usize, table: Span, count: usize, more: usize) {
        let Some(cell) = self.view.get(index) else {
            return;
        };
        let more = c_uint::try_from(more).unwrap_or(c_uint::MAX);
        let mut line = cell.get();
        line.values = self
            .tables
            .get(table)
            .as_ptr()
            .cast::<*const c_char>()
            .cast_mut();
        line.nvalues = c_uint::try_from(count).unwrap_or(c_uint::MAX);
        line.valsize = line.valsize.saturating_add(more);
        cell.set(line);
    }

    fn hide(&self, index: usize) {
        if let Some(cell) = self.view.get(index) {
            cell.set(raw::propval {
                name: cell.get().name,
                ..NOTHING
            });
        }
    }

    pub(super) fn erase(&mut self, index: usize) {
        let bytes = &mut self.bytes;
        self.values.retain(|value| {
            let other = value.entry != index;
            if !other {
                bytes.wipe(value.bytes);
            }
            other
        });
        if let Some(entry) = self.entries.get_mut(index) {
            entry.table = None;
            entry.count = 0;
        }
        self.hide(index);
    }

    pub(super) fn clear_values(&mut self) {
        self.current = None;
        if self.values.is_empty() && self.tables.is_unused() {
            return;
        }
        self.values.clear();
        self.bytes.reset();
        self.tables.reset();
        for entry in &mut self.entries {
            entry.table = None;
            entry.count = 0;
        }
        for index in 0..self.entries.len() {
            self.hide(index);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.bytes.reset();
    }
}
