// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a property context holds: the entries, the array that C sees, and the
//! storage that names, value lists and values lie in.
#![forbid(unsafe_code)]

use super::PropCtx;
use super::arena::{Lists, Span, Texts};
use super::few::Few;
use core::cell::Cell;
use core::ffi::{CStr, c_char, c_uint};
use core::ptr;
use saslplug::raw;

const NOTHING: raw::propval = PropCtx::NOTHING;

/// So many names cost no allocation.
pub(super) const FEW: usize = 3;

/// Where a name's text is.
#[derive(Clone, Copy)]
pub(super) enum Name {
    /// The library's own.
    Known(&'static CStr),
    /// Copied into `Inner::names`.
    Copy(Span),
}

/// What C reads of a small context.
pub(super) struct Room {
    view: [Cell<raw::propval>; FEW + 1],
    lists: [Cell<*const c_char>; 2 * FEW],
}

impl Room {
    /// Nothing to see.
    pub(super) const fn new() -> Self {
        Self {
            view: [const { Cell::new(NOTHING) }; FEW + 1],
            lists: [const { Cell::new(ptr::null()) }; 2 * FEW],
        }
    }

    /// The first chunk of lists.
    pub(super) const fn lists(&self) -> &[Cell<*const c_char>] {
        &self.lists
    }
}

/// One requested name.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    /// What [`key`] says of the name.
    key: usize,
    pub(super) name: Name,
    /// The list of values, once there is one.
    pub(super) list: Option<Span>,
    pub(super) count: usize,
}

/// One value and the entry it belongs to.
#[derive(Clone, Copy)]
pub(super) struct Value {
    pub(super) entry: usize,
    pub(super) bytes: Span,
}

const NO_ENTRY: Entry = Entry {
    key: 0,
    name: Name::Known(c""),
    list: None,
    count: 0,
};
const NO_VALUE: Value = Value {
    entry: 0,
    bytes: Span::NONE,
};

/// The content of a context.
pub(super) struct Inner {
    pub(super) entries: Few<Entry, FEW>,
    /// What `prop_get` shows: one element an entry, then the terminator. Empty
    /// as long as [`Room`] holds it.
    wide_view: Vec<Cell<raw::propval>>,
    pub(super) names: Texts,
    pub(super) lists: Lists,
    pub(super) bytes: Texts,
    pub(super) values: Few<Value, FEW>,
    /// The entry that `prop_set(ctx, NULL, …)` continues.
    pub(super) current: Option<usize>,
    /// Where the next look-up starts: programs ask in the order of the names.
    pub(super) hint: Cell<usize>,
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
    #[inline]
    pub(super) const fn new(estimate: usize) -> Self {
        Self {
            entries: Few::new(NO_ENTRY),
            wide_view: Vec::new(),
            names: Texts::new(0),
            lists: Lists::new(0),
            bytes: Texts::new(0),
            values: Few::new(NO_VALUE),
            current: None,
            hint: Cell::new(0),
            estimate,
        }
    }

    /// Makes room for the first `count` names and one value each, of usual
    /// lengths.
    pub(super) fn expect(&mut self, count: usize, room: &Room) {
        let count = count.max(self.estimate).max(raw::PROP_DEFAULT);
        self.entries.reserve(count);
        self.values.reserve(count);
        self.make_room(count, room);
        self.names.expect(16 * count);
        self.lists.expect(2 * count);
        self.bytes.expect(16 * count);
    }

    /// The array that C sees.
    pub(super) fn view<'a>(&'a self, room: &'a Room) -> &'a [Cell<raw::propval>] {
        if self.wide_view.is_empty() {
            &room.view
        } else {
            &self.wide_view
        }
    }

    /// A name's bytes.
    pub(super) fn name(&self, name: Name) -> &[u8] {
        match name {
            Name::Known(name) => name.to_bytes(),
            Name::Copy(span) => self.names.get(span),
        }
    }

    pub(super) fn find(&self, name: &[u8]) -> Option<usize> {
        let (entries, hint) = (self.entries.as_slice(), self.hint.get());
        let found = match entries.get(hint) {
            Some(entry) if ptr::eq(self.name(entry.name), name) => hint,
            _ => self.search(entries, name)?,
        };
        self.hint.set(found + 1);
        Some(found)
    }

    fn search(&self, entries: &[Entry], name: &[u8]) -> Option<usize> {
        let key = key(name);
        let is_it = |entry: &Entry| entry.key == key && self.name(entry.name) == name;
        entries.iter().position(is_it)
    }

    /// Appends a name.
    pub(super) fn append(&mut self, name: Name, room: &Room) {
        let index = self.entries.len();
        self.entries.push(Entry {
            key: key(self.name(name)),
            name,
            ..NO_ENTRY
        });
        self.make_room(index + 1, room);
        if let Some(cell) = self.view(room).get(index) {
            cell.set(raw::propval {
                name: match name {
                    Name::Known(name) => name.as_ptr(),
                    Name::Copy(span) => self.names.pointer(span),
                },
                ..NOTHING
            });
        }
    }

    /// Makes the array hold `count` entries and the terminator.
    #[inline]
    pub(super) fn make_room(&mut self, count: usize, room: &Room) {
        if count >= self.view(room).len() {
            self.widen(count, room);
        }
    }

    #[cold]
    fn widen(&mut self, count: usize, room: &Room) {
        let old = self.view(room);
        let size = (count + 1).max(old.len() * 2);
        let mut view = Vec::with_capacity(size);
        view.extend(old.iter().cloned());
        view.resize_with(size, || Cell::new(NOTHING));
        self.wide_view = view;
    }

    /// Gives an entry a list of no values, unless it has a list.
    pub(super) fn make_list(&mut self, index: usize, room: &Room) {
        let entries = self.entries.as_mut_slice();
        if let Some(entry) = entries.get_mut(index).filter(|entry| entry.list.is_none()) {
            let list = self.lists.take(2, room);
            entry.list = Some(list);
            self.show(index, list, (0, 0), room);
        }
    }

    /// Puts a value at the end of an entry's list.
    pub(super) fn add(&mut self, index: usize, value: &[u8], room: &Room) {
        let Some(entry) = self.entries.as_mut_slice().get_mut(index) else {
            return;
        };
        let bytes = self.bytes.add(value);
        // A list always ends with a NULL.
        let list = match entry.list {
            Some(list) if entry.count + 1 < list.len() => list,
            Some(list) => self.lists.grow(list, room),
            None => self.lists.take(2, room),
        };
        if let Some(cell) = self.lists.get(list, room).get(entry.count) {
            cell.set(self.bytes.pointer(bytes));
        }
        entry.list = Some(list);
        entry.count += 1;
        let count = entry.count;
        self.values.push(Value {
            entry: index,
            bytes,
        });
        self.show(index, list, (count, value.len()), room);
    }

    /// Writes an entry's line of the array that C sees: the list, how many
    /// values, how many bytes more.
    fn show(&self, index: usize, list: Span, (count, more): (usize, usize), room: &Room) {
        let Some(cell) = self.view(room).get(index) else {
            return;
        };
        let more = c_uint::try_from(more).unwrap_or(c_uint::MAX);
        let line = cell.get();
        cell.set(raw::propval {
            name: line.name,
            values: self.lists.pointer(list, room),
            nvalues: c_uint::try_from(count).unwrap_or(c_uint::MAX),
            valsize: line.valsize.saturating_add(more),
        });
    }

    fn hide(&self, index: usize, room: &Room) {
        if let Some(cell) = self.view(room).get(index) {
            cell.set(raw::propval {
                name: cell.get().name,
                ..NOTHING
            });
        }
    }

    pub(super) fn erase(&mut self, index: usize, room: &Room) {
        let Some(entry) = self.entries.as_mut_slice().get_mut(index) else {
            return;
        };
        if entry.list.take().is_none() {
            return; // no value either
        }
        entry.count = 0;
        let bytes = &mut self.bytes;
        self.values.retain(|value| {
            let other = value.entry != index;
            if !other {
                bytes.wipe(value.bytes);
            }
            other
        });
        self.hide(index, room);
    }

    pub(super) fn clear_values(&mut self, room: &Room) {
        self.current = None;
        self.hint.set(0);
        if self.lists.is_unused() {
            return;
        }
        self.values.clear();
        self.bytes.reset();
        self.lists.reset(room);
        for entry in self.entries.as_mut_slice() {
            entry.list = None;
            entry.count = 0;
        }
        for index in 0..self.entries.len() {
            self.hide(index, room);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.bytes.reset();
    }
}
