// SPDX-License-Identifier: MIT OR Apache-2.0
//! Panics of a plugin: stopped, kept off stderr (in an inetd-style daemon that
//! is the client's socket), handed to the log instead.
//!
//! Each `.so` has its own copy of std, so this hook touches nobody else's.
#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

fn keep_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let text = info.to_string();
            let _ = LAST.try_with(|last| {
                if let Ok(mut last) = last.try_borrow_mut() {
                    *last = Some(text);
                }
            });
        }));
    });
}

/// Runs `body`; a panic becomes its text.
pub(super) fn catch<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    keep_quiet();
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload| {
        // A payload whose own drop panics must not get out either.
        let _ = catch_unwind(AssertUnwindSafe(move || drop(payload)));
        LAST.try_with(|last| last.try_borrow_mut().ok().and_then(|mut last| last.take()))
            .ok()
            .flatten()
            .unwrap_or_else(|| "panic without a text".to_owned())
    })
}
