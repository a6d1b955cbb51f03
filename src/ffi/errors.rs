// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where finished texts of `sasl_seterror` and of plugins' `log` go.

use crate::ffi::callbacks::level_of;
use crate::ffi::conn::Conn;
use crate::library;
use core::ffi::{c_int, c_uint};
use saslplug::Level;
use saslplug::raw::{SASL_NOLOG, sasl_conn_t};

#[cfg(test)]
thread_local! {
    static SAID: core::cell::RefCell<Vec<String>> = const { core::cell::RefCell::new(Vec::new()) };
}

/// Unit tests have no connection to dereference: they see the text only.
#[cfg(test)]
fn remember(number: i64, text: &[u8]) -> bool {
    SAID.with_borrow_mut(|said| said.push(format!("{number} {}", String::from_utf8_lossy(text))));
    true
}

#[cfg(not(test))]
fn remember(_: i64, _: &[u8]) -> bool {
    false
}

/// Remembers `text` as the connection's last error and logs it unless `flags`
/// hold `SASL_NOLOG`. Without a connection (a plugin's init) the reason goes to
/// the library's log.
pub(crate) fn seterror(conn: *mut sasl_conn_t, flags: c_uint, text: Vec<u8>) {
    if remember(i64::from(flags), &text) {
        return;
    }
    let text = String::from_utf8_lossy(&text);
    // SAFETY: sasl.h: `conn` is NULL or a live connection.
    let conn = unsafe { Conn::borrow(conn) };
    if let Some(conn) = conn {
        conn.connection().set_error_text(&text);
    }
    if flags & SASL_NOLOG != 0 {
        return;
    }
    match conn {
        Some(conn) => conn.connection().log(Level::Fail, format_args!("{text}")),
        None => library::current().log(Level::Fail, format_args!("{text}")),
    }
}

/// Logs `text` at `level` on behalf of the connection, if there is one.
pub(crate) fn log(conn: *mut sasl_conn_t, level: c_int, text: Vec<u8>) {
    if remember(i64::from(level), &text) {
        return;
    }
    let text = String::from_utf8_lossy(&text);
    // SAFETY: saslplug.h: `conn` is NULL or a live connection.
    match unsafe { Conn::borrow(conn) } {
        Some(conn) => conn.connection().log_number(level, format_args!("{text}")),
        None => library::current().log(level_of(level), format_args!("{text}")),
    }
}

/// The server's name of the connection, for challenges. `None` without one.
pub(crate) fn server_fqdn(conn: *mut sasl_conn_t) -> Option<String> {
    // SAFETY: sasl.h: `conn` is NULL or a live connection.
    let conn = unsafe { Conn::borrow(conn) }?;
    Some(
        conn.connection()
            .endpoint
            .server_fqdn
            .as_deref()?
            .to_string_lossy()
            .into_owned(),
    )
}

#[cfg(test)]
pub(crate) mod tests {
    /// What this thread said since the last call.
    pub(crate) fn said() -> Vec<String> {
        super::SAID.take()
    }
}
