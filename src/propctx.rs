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
mod store;
#[cfg(test)]
mod tests;

use core::cell::{Cell, RefCell};
use core::ffi::CStr;
use core::ptr;
use saslplug::{Code, Error, Result, Secret, raw};
use store::Inner;

/// A property context.
pub(crate) struct PropCtx(RefCell<Inner>);

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
    pub(crate) const fn new(estimate: usize) -> Self {
        // The estimate is a guess: a huge one must not cost memory.
        let estimate = if estimate < 64 { estimate } else { 64 };
        Self(RefCell::new(Inner::new(estimate)))
    }

    /// Appends the names that are not there yet and clears all values. No name
    /// at all changes nothing.
    pub(crate) fn request<'a>(&self, names: impl IntoIterator<Item = &'a CStr, IntoIter: Clone>) {
        let names = names.into_iter();
        let count = names.clone().count();
        if count == 0 {
            return;
        }
        let mut inner = self.0.borrow_mut();
        if inner.entries.is_empty() {
            inner.expect(count);
        }
        for name in names {
            if inner.find(name.to_bytes()).is_none() {
                inner.append(name.to_bytes());
            }
        }
        inner.clear_values();
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
        let count = inner.entries.len();
        inner.make_room(count);
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
                cell.set(Self::NOTHING);
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
        let inner = self.0.borrow();
        let mut copy = Inner::new(inner.entries.len());
        for entry in &inner.entries {
            copy.append(inner.names.get(entry.name));
        }
        for (index, entry) in inner.entries.iter().enumerate() {
            if entry.list.is_some() {
                copy.make_list(index);
            }
        }
        for value in &inner.values {
            copy.add(value.entry, inner.bytes.get(value.bytes));
        }
        Self(RefCell::new(copy))
    }

    /// The names in the order of their requests, `separator` between them.
    pub(crate) fn format(&self, separator: &[u8]) -> Vec<u8> {
        let inner = self.0.borrow();
        let mut out = Vec::new();
        for (index, entry) in inner.entries.iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(separator);
            }
            out.extend_from_slice(inner.names.get(entry.name));
        }
        out
    }

    /// The names in the order of their requests.
    pub(crate) fn names(&self) -> Vec<std::ffi::CString> {
        let inner = self.0.borrow();
        let name = |entry: &store::Entry| std::ffi::CString::new(inner.names.get(entry.name)).ok();
        inner.entries.iter().filter_map(name).collect()
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
        own.map(|value| Secret::from(inner.bytes.get(value.bytes)))
            .collect()
    }
}
