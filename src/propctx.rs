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
mod few;
mod store;
#[cfg(test)]
mod tests;

use core::cell::{Cell, RefCell};
use core::ffi::CStr;
use core::ptr;
use saslplug::{Code, Error, Result, Secret, raw};
use store::{Inner, Name, Room};

/// A property context.
pub(crate) struct PropCtx {
    inner: RefCell<Inner>,
    /// Beside the cell that is borrowed mutably: C reads it at any time, so a
    /// context does not move once it holds names.
    room: Room,
}

fn not_requested() -> Error {
    Error::new(
        Code::BADPARAM,
        "a value for a property that was not requested",
    )
    .silent()
}

impl Default for PropCtx {
    #[inline]
    fn default() -> Self {
        Self::new(0)
    }
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
    #[inline]
    pub(crate) const fn new(estimate: usize) -> Self {
        // The estimate is a guess: a huge one must not cost memory.
        let estimate = if estimate < 64 { estimate } else { 64 };
        Self {
            inner: RefCell::new(Inner::new(estimate)),
            room: Room::new(),
        }
    }

    /// Appends the names that are not there yet and clears all values. No name
    /// at all changes nothing.
    pub(crate) fn request<'a>(&self, names: impl IntoIterator<Item = &'a CStr, IntoIter: Clone>) {
        let names = names.into_iter();
        let count = names.clone().count();
        if count == 0 {
            return;
        }
        let mut inner = self.inner.borrow_mut();
        if inner.entries.is_empty() {
            inner.expect(count, &self.room);
        }
        for name in names {
            if inner.find(name.to_bytes()).is_none() {
                let copy = inner.names.add(name.to_bytes());
                inner.append(Name::Copy(copy), &self.room);
            }
        }
        inner.clear_values(&self.room);
    }

    /// The same for different names that live for ever: they are not copied.
    pub(crate) fn request_known(&self, names: &[&'static CStr]) {
        let mut inner = self.inner.borrow_mut();
        if inner.entries.is_empty() && names.len() > store::FEW {
            inner.expect(names.len(), &self.room);
        }
        let fresh = inner.entries.is_empty();
        for name in names {
            if fresh || inner.find(name.to_bytes()).is_none() {
                inner.append(Name::Known(name), &self.room);
            }
        }
        inner.clear_values(&self.room);
    }

    /// Adds a value. No name = that of the previous call; no value = an empty
    /// list where there is none yet.
    ///
    /// # Errors
    /// `BADPARAM` when the name was not requested or there is no previous one.
    pub(crate) fn set(&self, name: Option<&CStr>, value: Option<&[u8]>) -> Result<()> {
        let mut inner = self.inner.borrow_mut();
        if let Some(name) = name {
            inner.current = inner.find(name.to_bytes());
        }
        let entry = inner.current.ok_or_else(not_requested)?;
        match value {
            Some(value) => inner.add(entry, value, &self.room),
            None => inner.make_list(entry, &self.room),
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
        let mut inner = self.inner.borrow_mut();
        let count = inner.entries.len();
        inner.make_room(count, &self.room);
        inner.view(&self.room).as_ptr().cast()
    }

    /// One property as C sees it now; `None` if it was not requested.
    pub(crate) fn property(&self, name: &CStr) -> Option<raw::propval> {
        let inner = self.inner.borrow();
        let entry = inner.find(name.to_bytes())?;
        inner.view(&self.room).get(entry).map(Cell::get)
    }

    /// Whether a property was requested.
    pub(crate) fn holds_requests(&self) -> bool {
        !self.inner.borrow().entries.is_empty()
    }

    /// Whether a property of the authzid was requested.
    pub(crate) fn wants_of_authzid(&self) -> bool {
        let inner = self.inner.borrow();
        let mut names = inner.entries.iter().map(|entry| inner.name(entry.name));
        names.any(|name| name.first() != Some(&b'*'))
    }

    /// Forgets all values, and with `requests` the names as well.
    pub(crate) fn clear(&self, requests: bool) {
        let mut inner = self.inner.borrow_mut();
        inner.clear_values(&self.room);
        if requests {
            inner.entries.clear();
            inner.names.reset();
            for cell in inner.view(&self.room) {
                cell.set(Self::NOTHING);
            }
        }
    }

    /// Wipes the values of one property.
    pub(crate) fn erase(&self, name: &CStr) {
        self.erase_all(&[name]);
    }

    /// Wipes the values of some properties.
    pub(crate) fn erase_all(&self, names: &[&CStr]) {
        self.take_values(names, |_, _| ());
    }

    /// Takes the names and values of another context, any bytes included. This
    /// one must be fresh, and at the place where it stays: C gets pointers into
    /// it.
    pub(crate) fn copy_from(&self, source: &Self) {
        let (source, mut copy) = (source.inner.borrow(), self.inner.borrow_mut());
        for entry in source.entries.iter() {
            let name = copy.names.add(source.name(entry.name));
            copy.append(Name::Copy(name), &self.room);
        }
        for (index, entry) in source.entries.iter().enumerate() {
            if entry.list.is_some() {
                copy.make_list(index, &self.room);
            }
        }
        for value in source.values.iter() {
            copy.add(value.entry, source.bytes.get(value.bytes), &self.room);
        }
    }

    /// The names in the order of their requests, `separator` between them.
    pub(crate) fn format(&self, separator: &[u8]) -> Vec<u8> {
        let inner = self.inner.borrow();
        let mut out = Vec::new();
        for (index, entry) in inner.entries.iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(separator);
            }
            out.extend_from_slice(inner.name(entry.name));
        }
        out
    }

    /// The names in the order of their requests.
    pub(crate) fn names(&self) -> Vec<std::ffi::CString> {
        let inner = self.inner.borrow();
        let name = |entry: &store::Entry| std::ffi::CString::new(inner.name(entry.name)).ok();
        inner.entries.iter().filter_map(name).collect()
    }

    /// Shows the values of some properties, with the number of the name, and
    /// wipes them.
    pub(crate) fn take_values(&self, names: &[&CStr], mut show: impl FnMut(usize, &[u8])) {
        let mut inner = self.inner.borrow_mut();
        if inner.lists.is_unused() {
            return;
        }
        inner.hint.set(0);
        for (number, name) in names.iter().enumerate() {
            let Some(entry) = inner.find(name.to_bytes()) else {
                continue;
            };
            let own = inner.values.iter().filter(|value| value.entry == entry);
            own.for_each(|value| show(number, inner.bytes.get(value.bytes)));
            inner.erase(entry, &self.room);
        }
    }

    /// The values of a property, any bytes included.
    pub(crate) fn values(&self, name: &CStr) -> Vec<Secret> {
        let mut all = Vec::new();
        self.each_value(name, |value| all.push(Secret::from(value)));
        all
    }

    /// Shows the values of a property, which must not be changed meanwhile.
    pub(crate) fn each_value(&self, name: &CStr, mut show: impl FnMut(&[u8])) {
        let inner = self.inner.borrow();
        if inner.values.is_empty() {
            return;
        }
        let Some(entry) = inner.find(name.to_bytes()) else {
            return;
        };
        let own = inner.values.iter().filter(|value| value.entry == entry);
        own.for_each(|value| show(inner.bytes.get(value.bytes)));
    }
}
