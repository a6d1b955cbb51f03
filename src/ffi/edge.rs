// SPDX-License-Identifier: MIT OR Apache-2.0
//! The boundary that no panic crosses.
//!
//! Every function that C can call runs its body in [`guard`]. A panic's text
//! never goes to stderr (in an inetd-style daemon that is the socket): a hook
//! of this library's own copy of std keeps it, and the boundary logs it.

use crate::application::log_line;
use crate::ffi::conn::Conn;
use core::cell::RefCell;
use core::ffi::c_int;
use saslplug::{Code, Error, Level, Result};
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
        report(text.as_deref().unwrap_or("panic without a text"));
        on_panic
    })
}

/// Tells the log about a fault of this library.
fn report(text: &str) {
    // The log may be what panicked: once more is the end of it.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        crate::ffi::os::syslog(
            Level::Err as i32,
            &log_line(format_args!(
                "libsasl2 (oxisasl): internal error, please report it: {text}"
            )),
        );
    }));
}

/// Runs the body of an export on its connection and turns the outcome into a
/// result code; an error is remembered for `sasl_errdetail`. No connection:
/// `BADPARAM`.
pub(crate) fn run(conn: Option<&Conn>, body: impl FnOnce(&Conn) -> Result<Code>) -> c_int {
    guard(Code::FAIL.0, || {
        let Some(conn) = conn else {
            return Code::BADPARAM.0;
        };
        match body(conn) {
            Ok(code) => code.0,
            Err(error) => {
                conn.connection().record(&error);
                error.code().0
            }
        }
    })
}

/// `BADPARAM` in stock's form, with the reason behind it; told to the program
/// and not logged.
#[track_caller]
pub(crate) fn bad_argument(reason: &str) -> Error {
    let place = core::panic::Location::caller();
    let (file, line) = (place.file(), place.line());
    let text = format!("Parameter error in {file} near line {line}: {reason}");
    Error::with(Code::BADPARAM, text).silent()
}

/// What stock calls an internal error, with the reason behind it.
#[track_caller]
pub(crate) fn internal_error(code: Code, reason: &str) -> Error {
    let place = core::panic::Location::caller();
    let (file, line) = (place.file(), place.line());
    let text = format!(
        "Internal Error {} in {file} near line {line}: {reason}",
        code.0
    );
    Error::with(code, text)
}
