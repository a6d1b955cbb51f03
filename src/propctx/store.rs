// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a property context holds: the entries, the array that C sees, and the
//! storage that names, value lists and values lie in.
#![forbid(unsafe_code)]

use super::PropCtx;
use super::arena::{Lists, Span, Texts};
use core::cell::Cell;
use core::ffi::c_uint;
use saslplug::raw;

const NOTHING: raw::propval = PropCtx::NOTHING;

/// One requested name.
pub(super) struct Entry {
    /// What [`key`] says of the name.
    key: usize,
    pub(super) name: Span,
    /// The list of values, once there is one.
    pub(super) list: Option<Span>,
    pub(super) count: usize,
}

/// One value and the entry it belongs to.
pub(super) struct Value {
    pub(super) entry: usize,
    pub(super) bytes: Span,
}

/// The content of a context.
pub(super) struct Inner {
    pub(super) entries: Vec<Entry>,
    /// What `prop_get` shows: one element an entry, then the terminator.
    pub(super) view: Vec<Cell<raw::propval>>,
    pub(super) names: Texts,
    pub(super) lists: Lists,
    pub(super) bytes: Texts,
    pub(super) values: Vec<Value>,
    /// The entry that `prop_set(ctx, NULL, …)` continues.
    pub(super) current: Option<usize>,
    /// Where the next look-up starts: programs ask in the order of the names.
    hint: Cell<usize>,
    /// How many names to make room for at least.
    estimate: usize,
}

/// Tells most names apart without looking at all bytes.
fn key(name: &[u8]) -> usize {
    let end = |byte: Option<&u8>| usize::from(byte.copied().unwrap_or_default());
    (name.len() << 16) | (end(name.first()) << 8) | end(name.last())
}

impl Inner {
    /// Nothing is allocated yet.
    pub(super) const fn new(estimate: usize) -> Self {
        Self {
            entries: Vec::new(),
            view: Vec::new(),
            names: Texts::new(0),
            lists: Lists::new(0),
            bytes: Texts::new(0),
            values: Vec::new(),
            current: None,
            hint: Cell::new(0),
            estimate,
        }
    }

    /// Makes room for the first `count` names and one value each, of usual
    /// lengths.
    pub(super) fn expect(&mut self, count: usize) {
        let count = count.max(self.estimate).max(raw::PROP_DEFAULT);
        self.entries.reserve(count);
        self.make_room(count);
        self.names.expect(16 * count);
        self.lists.expect(2 * count);
        self.bytes.expect(16 * count);
    }

    pub(super) fn find(&self, name: &[u8]) -> Option<usize> {
        let key = key(name);
        let is_it = |entry: &Entry| entry.key == key && self.names.get(entry.name) == name;
        let hint = self.hint.get();
        let found = if self.entries.get(hint).is_some_and(is_it) {
            hint
        } else {
            self.entries.iter().position(is_it)?
        };
        self.hint.set(found + 1);
        Some(found)
    }

    /// Appends a name.
    pub(super) fn append(&mut self, name: &[u8]) {
        let span = self.names.add(name);
        let index = self.entries.len();
        self.entries.push(Entry {
            key: key(name),
            name: span,
            list: None,
            count: 0,
        });
        self.make_room(index + 1);
        if let Some(cell) = self.view.get(index) {
            cell.set(raw::propval {
                name: self.names.pointer(span),
                ..NOTHING
            });
        }
    }

    /// Makes the array hold `count` entries and the terminator.
    pub(super) fn make_room(&mut self, count: usize) {
        if count >= self.view.len() {
            let size = (count + 1).max(self.view.len() * 2);
            let mut view = Vec::with_capacity(size);
            view.extend(self.view.iter().cloned());
            view.resize_with(size, || Cell::new(NOTHING));
            self.view = view;
        }
    }

    /// Gives an entry a list of no values, unless it has a list.
    pub(super) fn make_list(&mut self, index: usize) {
        if let Some(entry) = self
            .entries
            .get_mut(index)
            .filter(|entry| entry.list.is_none())
        {
            let list = self.lists.take(2);
            entry.list = Some(list);
            self.show(index, list, 0, 0);
        }
    }

    /// Puts a value at the end of an entry's list.
    pub(super) fn add(&mut self, index: usize, value: &[u8]) {
        let Some(entry) = self.entries.get_mut(index) else {
            return;
        };
        let bytes = self.bytes.add(value);
        // A list always ends with a NULL.
        let list = match entry.list {
            Some(list) if entry.count + 1 < list.len() => list,
            Some(list) => self.lists.grow(list),
            None => self.lists.take(2),
        };
        if let Some(cell) = self.lists.get(list).get(entry.count) {
            cell.set(self.bytes.pointer(bytes));
        }
        entry.list = Some(list);
        entry.count += 1;
        let count = entry.count;
        if self.values.capacity() == 0 {
            self.values.reserve(self.entries.len().min(16));
        }
        self.values.push(Value {
            entry: index,
            bytes,
        });
        self.show(index, list, count, value.len());
    }

    /// Writes an entry's line of the array that C sees.
    fn show(&self, index: usize, list: Span, count: usize, more: usize) {
        let Some(cell) = self.view.get(index) else {
            return;
        };
        let more = c_uint::try_from(more).unwrap_or(c_uint::MAX);
        let line = cell.get();
        cell.set(raw::propval {
            name: line.name,
            values: self.lists.pointer(list),
            nvalues: c_uint::try_from(count).unwrap_or(c_uint::MAX),
            valsize: line.valsize.saturating_add(more),
        });
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
            entry.list = None;
            entry.count = 0;
        }
        self.hide(index);
    }

    pub(super) fn clear_values(&mut self) {
        self.current = None;
        self.hint.set(0);
        if self.lists.is_unused() {
            return;
        }
        self.values.clear();
        self.bytes.reset();
        self.lists.reset();
        for entry in &mut self.entries {
            entry.list = None;
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
