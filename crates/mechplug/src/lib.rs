// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes a `.so` that any libsasl2 of this ABI loads out of mechanisms that
//! are [`mech::ServerMech`] and [`mech::ClientMech`].
//!
//! [`export_mechs!`] defines the entry points of `saslplug.h`. Behind them are
//! a host over the parameters that the library gives, prompts as
//! `sasl_interact_t`, the security layer with its packets, and the boundary
//! that no panic crosses. This crate exports no symbol by itself.
#![allow(unsafe_code, reason = "the edge of a plugin: C calls in, we call C")]

mod client;
mod host;
mod layer;
mod prompts;
mod server;

pub use client::{Clients, client_init};
pub use server::{Servers, server_init};

use core::ffi::{CStr, c_char, c_int, c_uint};
use saslplug::{Code, Host, Result};
use std::ffi::CString;

/// The mechanisms of a plugin file.
pub trait Mechanisms {
    /// The file's name without `lib` and `.so`, for log lines.
    const NAME: &'static str;

    /// The server's, the strongest first.
    ///
    /// # Errors
    /// Any code of `sasl.h`; `NOMECH` without a reason is a quiet no.
    fn servers(host: &dyn Host) -> Result<Vec<&'static dyn mech::ServerMech>>;

    /// The client's, the strongest first.
    ///
    /// # Errors
    /// As [`Mechanisms::servers`].
    fn clients(host: &dyn Host) -> Result<Vec<&'static dyn mech::ClientMech>>;
}

/// Defines `sasl_server_plug_init` and `sasl_client_plug_init`, and their
/// static-linking names `$server` and `$client`, for a type that is
/// [`Mechanisms`].
#[macro_export]
macro_rules! export_mechs {
    ($plugin:ty, $server:ident, $client:ident) => {
        $crate::__entry!(
            sasl_server_plug_init,
            $plugin,
            server_init,
            sasl_server_plug_t,
            Servers
        );
        $crate::__entry!($server, $plugin, server_init, sasl_server_plug_t, Servers);
        $crate::__entry!(
            sasl_client_plug_init,
            $plugin,
            client_init,
            sasl_client_plug_t,
            Clients
        );
        $crate::__entry!($client, $plugin, client_init, sasl_client_plug_t, Clients);
    };
}

/// One entry point. Not for direct use.
#[doc(hidden)]
#[macro_export]
macro_rules! __entry {
    ($name:ident, $plugin:ty, $body:ident, $plug:ident, $table:ident) => {
        /// Entry point for libsasl2, as `saslplug.h` declares it.
        ///
        /// # Safety
        /// `utils` is the host's; the out-pointers are NULL or writable.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(
            utils: *const ::saslplug::raw::sasl_utils_t,
            max_version: ::core::ffi::c_int,
            out_version: *mut ::core::ffi::c_int,
            list: *mut *mut ::saslplug::raw::$plug,
            count: *mut ::core::ffi::c_int,
        ) -> ::core::ffi::c_int {
            static TABLE: $crate::$table = $crate::$table::new();
            // SAFETY: the host's promise, handed on.
            unsafe {
                $crate::$body::<$plugin>(&TABLE, utils, max_version, out_version, list, count)
            }
        }
    };
}

/// A C string without its NULs inside: C cannot show what follows one.
fn c_text(text: &str) -> CString {
    let bytes: Vec<u8> = text
        .bytes()
        .map(|byte| if byte == 0 { b'?' } else { byte })
        .collect();
    CString::new(bytes).unwrap_or_default()
}

/// Bytes that C gives: `None` for NULL.
///
/// # Safety
/// `data` is NULL or covers `len` bytes that do not change for `'a`.
unsafe fn bytes<'a>(data: *const c_char, len: c_uint) -> Option<&'a [u8]> {
    if data.is_null() {
        return None;
    }
    // SAFETY: not NULL; the rest is our caller's promise.
    Some(unsafe { core::slice::from_raw_parts(data.cast::<u8>(), len as usize) })
}

/// A string that C gives: `None` for NULL.
///
/// # Safety
/// `text` is NULL or a C string.
unsafe fn text(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not NULL; the rest is our caller's promise.
    let text = unsafe { CStr::from_ptr(text) };
    Some(text.to_string_lossy().into_owned())
}

/// A length for C.
fn length(bytes: &[u8]) -> Result<c_uint> {
    c_uint::try_from(bytes.len()).map_err(|_| Code::BUFOVER.into())
}

/// The result of a foreign function.
fn outcome(code: c_int) -> Result<()> {
    match Code(code) {
        Code::OK => Ok(()),
        Code(code) if code < 0 => Err(Code(code).into()),
        _ => Err(Code::FAIL.into()),
    }
}
