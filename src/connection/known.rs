// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a call of start or step found out already. A login canonicalises and
//! looks up several times: the options that say how are asked once a call.
#![forbid(unsafe_code)]

use crate::lookup::Stores;
use core::cell::{Cell, RefCell};
use std::sync::Arc;

/// See the module. Empty, and stays so, outside such a call.
#[derive(Default)]
pub(crate) struct Known {
    calls: Cell<u32>,
    internal: Cell<Option<bool>>,
    stores: RefCell<Option<Arc<Stores>>>,
}

/// Ends a call, also where it panics.
struct End<'a>(&'a Known);

impl Drop for End<'_> {
    fn drop(&mut self) {
        let calls = self.0.calls.get().saturating_sub(1);
        self.0.calls.set(calls);
        if calls == 0 {
            self.0.internal.set(None);
            let stores = self.0.stores.take();
            drop(stores); // may run a plugin's clean-up: no borrow here
        }
    }
}

impl Known {
    /// Runs a call that asks each option once.
    pub(crate) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        self.calls.set(self.calls.get().saturating_add(1));
        let _end = End(self);
        work()
    }

    fn remembers(&self) -> bool {
        self.calls.get() > 0
    }

    /// Whether the built-in canonicaliser serves this call; `find` says so when
    /// nobody asked yet.
    pub(crate) fn internal(&self, find: impl FnOnce() -> bool) -> bool {
        if let Some(known) = self.internal.get() {
            return known;
        }
        let found = find();
        if self.remembers() {
            self.internal.set(Some(found));
        }
        found
    }

    /// The property stores of this call.
    pub(crate) fn stores(&self) -> Option<Arc<Stores>> {
        self.stores.borrow().clone()
    }

    /// Notes the property stores of this call.
    pub(crate) fn note_stores(&self, stores: &Arc<Stores>) {
        if self.remembers() {
            let old = self.stores.replace(Some(Arc::clone(stores)));
            drop(old); // as above
        }
    }
}
