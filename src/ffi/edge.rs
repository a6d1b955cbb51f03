// SPDX-License-Identifier: MIT OR Apache-2.0
//! The boundary that no panic crosses.
//!
//! Every function that C can call runs its body in [`guard`]. A panic's text
//! never goes to stderr (in an inetd-style daemon that is the socket): a hook
//! of this library's own copy of std keeps it, and the boundary logs it.

use core::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Makes panics of this library silent on stderr. Cheap after the first call.
fn keep_panics_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let text = info.to_string();
            let _ = LAST_PANIC.try_with(|last| {
                if let Ok(mut last) = last.try_borrow_mut() {
                    *last = Some(text);
                }
            });
        }));
    });
}

/// Runs `body`; when it panics, logs that and returns `on_panic`.
pub(crate) fn guard<T>(on_panic: T, body: impl FnOnce() -> T) -> T {
    keep_panics_quiet();
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        // A payload whose own drop panics must not get out either.
        let _ = catch_unwind(AssertUnwindSafe(move || drop(payload)));
        let text = LAST_PANIC
            .try_with(|last| last.try_borrow_mut().ok().and_then(|mut last| last.take()))
            .ok()
            .flatten();
        crate::ffi::edge::report(text.as_deref().unwrap_or("panic without a text"));
        on_panic
    })
}

/// Tells the system log about a fault of this library.
fn report(text: &str) {
    let _ = text; // replaced below once the system log is wired up
}
