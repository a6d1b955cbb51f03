// SPDX-License-Identifier: MIT OR Apache-2.0
//! The property context of `prop.h`: names asked for, values found.
//!
//! C reads the array of [`raw::propval`] directly, so the array and all that it
//! points to lie in cells that are written in place: `prop_get`'s array and
//! every value survive `prop_set`. Raw pointers are only stored here as plain
//! values, never read through. Values are secrets: wiped by clear, erase and
//! drop. All methods take `&self` and call no foreign code, so plugins may use
//! a context while the library does.
#![forbid(unsafe_code)]

mod arena;
#[cfg(test)]
mod tests;

use arena::{Arena, Span};
use core::cell::{Cell, RefCell};
use core::ffi::{CStr, c_char, c_uint};
use core::ptr;
use saslplug::{Code, Error, Result, Secret, raw};
use zeroize::Zeroize;

/// A pointer that C reads; a wrapper because pointers have no `Default`.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Pointer(*const c_char);

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
struct Entry {
    /// The name with its NUL.
    name: Span,
    /// The NULL-terminated array of values, once there is one.
    table: Option<Span>,
    count: usize,
}

/// One value: which entry it belongs to, and its bytes without the NUL.
struct Value {
    entry: usize,
    bytes: Span,
    len: usize,
}

/// A property context.
pub(crate) struct PropCtx(RefCell<Inner>);

struct Inner {
    entries: Vec<Entry>,
    /// What `prop_get` shows: one element an entry, then the terminator.
    view: Vec<Cell<raw::propval>>,
    names: Arena<u8>,
    tables: Arena<Pointer>,
    bytes: Arena<u8>,
    values: Vec<Value>,
    /// The entry that `prop_set(ctx, NULL, …)` continues.
    current: Option<usize>,
    estimate: usize,
}

const NOTHING: raw::propval = raw::propval {
    name: ptr::null(),
    values: ptr::null_mut(),
    nvalues: 0,
    valsize: 0,
};

fn not_requested() -> Error {
    Error::new(
        Code::BADPARAM,
        "a value for a property that was not requested",
    )
    .silent()
}

impl PropCtx {
    /// The end of an array, and a name that was not requested.
    pub(crate) const NOTHING: raw::propval = raw::propval {
        name: ptr::null(),
        values: ptr::null_mut(),
        nvalues: 0,
        valsize: 0,
    };

    /// An empty context for about `estimate` names. Allocates nothing yet.
    pub(crate) fn new(estimate: usize) -> Self {
        // The estimate is a caller's guess: a huge one must not cost memory.
        let estimate = estimate.clamp(raw::PROP_DEFAULT, 64);
        Self(RefCell::new(Inner {
            entries: Vec::new(),
            view: Vec::new(),
            names: Arena::new(16 * estimate),
            tables: Arena::new(2 * estimate),
            bytes: Arena::new(32 * estimate),
            values: Vec::new(),
            current: None,
            estimate,
        }))
    }

    /// Appends the names that are not there yet and clears all values. No name
    /// at all changes nothing.
    pub(crate) fn request<'a>(&self, names: impl IntoIterator<Item = &'a CStr>) {
        let mut inner = self.0.borrow_mut();
        let mut any = false;
        for name in names {
            any = true;
            if inner.find(name.to_bytes()).is_none() {
                inner.append(name);
            }
        }
        if any {
            inner.clear_values();
        }
    }

    /// Adds a value. No name = that of the previous call; no value = an empty
    /// list where there is none yet.
    ///
    /// # Errors
    /// `BADPARAM` when the name was not requested or there is no previous one.
    pub(crate) fn set(&self, name: Option<&CStr>, value: Option<&[u8]>) -> Result<()> {
        let mut inner = self.0.borrow_mut();
        if let Some(name) = name {
            inner.current = inner.find(name.to_bytes());
        }
        let entry = inner.current.ok_or_else(not_requested)?;
        match value {
            Some(value) => inner.add(entry, value),
            None => inner.make_list(entry),
        }
        Ok(())
    }

    /// Adds several values to one property; none = an empty list.
    ///
    /// # Errors
    /// As [`PropCtx::set`].
    pub(crate) fn set_values<'a>(
        &self,
        name: Option<&CStr>,
        values: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<()> {
        let mut values = values.into_iter();
        self.set(name, values.next())?;
        values.try_for_each(|value| self.set(None, Some(value)))
    }

    /// Adds a value of any bytes to a requested property.
    ///
    /// # Errors
    /// `BADPARAM` when the name was not requested.
    pub(crate) fn set_bytes(&self, name: &CStr, value: &[u8]) -> Result<()> {
        self.set(Some(name), Some(value))
    }

    /// The array that `prop_get` hands out, ended by a NULL name. Valid until
    /// the next request, full clear or drop; it shows later values as well.
    pub(crate) fn array(&self) -> *const raw::propval {
        let mut inner = self.0.borrow_mut();
        inner.make_room();
        inner.view.as_ptr().cast()
    }

    /// One property as C sees it now; `None` if it was not requested.
    pub(crate) fn property(&self, name: &CStr) -> Option<raw::propval> {
        let inner = self.0.borrow();
        let entry = inner.find(name.to_bytes())?;
        inner.view.get(entry).map(Cell::get)
    }

    /// Forgets all values, and with `requests` the names as well.
    pub(crate) fn clear(&self, requests: bool) {
        let mut inner = self.0.borrow_mut();
        inner.clear_values();
        if requests {
            inner.entries.clear();
            inner.names.reset();
            for cell in &inner.view {
                cell.set(NOTHING);
            }
        }
    }

    /// Wipes the values of one property.
    pub(crate) fn erase(&self, name: &CStr) {
        let mut inner = self.0.borrow_mut();
        if let Some(entry) = inner.find(name.to_bytes()) {
            inner.erase(entry);
        }
    }

    /// A context of its own with the same names and values, any bytes included.
    pub(crate) fn duplicate(&self) -> Self {
        let copy = Self::new(self.0.borrow().estimate);
        {
            let inner = self.0.borrow();
            let mut other = copy.0.borrow_mut();
            for entry in &inner.entries {
                other.append_cells(inner.names.get(entry.name));
            }
            for (index, entry) in inner.entries.iter().enumerate() {
                if entry.table.is_some() {
                    other.make_list(index);
                }
            }
            for value in &inner.values {
                let cells = inner.bytes.get(value.bytes);
                other.add_cells(value.entry, cells.get(..value.len).unwrap_or_default());
            }
        }
        copy
    }

    /// The names in the order of their requests, `separator` between them.
    pub(crate) fn format(&self, separator: &[u8]) -> Vec<u8> {
        let inner = self.0.borrow();
        let mut out = Vec::new();
        for (index, entry) in inner.entries.iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(separator);
            }
            out.extend(inner.name(entry).iter().map(Cell::get));
        }
        out
    }

    /// The names in the order of their requests.
    pub(crate) fn names(&self) -> Vec<std::ffi::CString> {
        let inner = self.0.borrow();
        let bytes = |entry: &Entry| inner.name(entry).iter().map(Cell::get).collect::<Vec<u8>>();
        inner
            .entries
            .iter()
            .filter_map(|entry| std::ffi::CString::new(bytes(entry)).ok())
            .collect()
    }

    /// The values of a property, any bytes included.
    pub(crate) fn values(&self, name: &CStr) -> Vec<Secret> {
        let inner = self.0.borrow();
        let Some(entry) = inner.find(name.to_bytes()) else {
            return Vec::new();
        };
        if inner
            .entries
            .get(entry)
            .is_none_or(|entry| entry.count == 0)
        {
            return Vec::new();
        }
        let own = inner.values.iter().filter(|value| value.entry == entry);
        own.map(|value| {
            let cells = inner.bytes.get(value.bytes).iter().take(value.len);
            Secret::new(cells.map(Cell::get).collect())
        })
        .collect()
    }

    /// Whether the property was requested and has a list of values (even an
    /// empty one).
    pub(crate) fn is_found(&self, name: &CStr) -> bool {
        let inner = self.0.borrow();
        let entry = inner
            .find(name.to_bytes())
            .and_then(|entry| inner.entries.get(entry));
        entry.is_some_and(|entry| entry.table.is_some())
    }
}

impl Inner {
    /// The name of an entry without its NUL.
    fn name(&self, entry: &Entry) -> &[Cell<u8>] {
        match self.names.get(entry.name) {
            [name @ .., _] => name,
            [] => &[],
        }
    }

    fn find(&self, name: &[u8]) -> Option<usize> {
        self.entries.iter().position(|entry| {
            let cells = self.name(entry);
            cells.len() == name.len() && cells.iter().zip(name).all(|(a, b)| a.get() == *b)
        })
    }

    fn append(&mut self, name: &CStr) {
        let bytes = name.to_bytes_with_nul();
        let span = self.names.take(bytes.len());
        for (cell, byte) in self.names.get(span).iter().zip(bytes) {
            cell.set(*byte);
        }
        self.push(span);
    }

    fn append_cells(&mut self, name: &[Cell<u8>]) {
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
    fn make_room(&mut self) {
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
    fn make_list(&mut self, index: usize) {
        let Some(entry) = self.entries.get_mut(index) else {
            return;
        };
        if entry.table.is_none() {
            let table = self.tables.take(2);
            entry.table = Some(table);
            self.show(index, table, 0, 0);
        }
    }

    fn add(&mut self, index: usize, value: &[u8]) {
        let span = self.bytes.take(value.len() + 1);
        for (cell, byte) in self.bytes.get(span).iter().zip(value) {
            cell.set(*byte);
        }
        self.link(index, span, value.len());
    }

    fn add_cells(&mut self, index: usize, value: &[Cell<u8>]) {
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

    fn erase(&mut self, index: usize) {
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

    fn clear_values(&mut self) {
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
