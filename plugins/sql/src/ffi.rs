// SPDX-License-Identifier: MIT OR Apache-2.0
//! The engines' client libraries, each opened at run time by the first
//! connection and never closed. One file an engine.
#![allow(unsafe_code, reason = "the edge to the client libraries in C")]

mod mysql;
mod pgsql;
mod sqlite;

use crate::engine::{Connection, Engine, Failure, Server};
use core::ffi::{CStr, c_char, c_int, c_void};
use std::ffi::CString;

/// Connects to one host of a server.
pub(crate) fn connect(
    server: &Server,
    host: &str,
    port: Option<u16>,
) -> Result<Box<dyn Connection>, Failure> {
    match server.engine {
        Engine::Mysql => mysql::connect(server, host, port),
        Engine::Pgsql => pgsql::connect(server, host, port),
        Engine::Sqlite => sqlite::connect(server),
    }
}

/// Opens a library for good.
fn open(name: &CStr, package: &str) -> Result<*mut c_void, String> {
    // SAFETY: a constant name; these libraries have no unusual constructors.
    let library = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if library.is_null() {
        // SAFETY: dlerror gives NULL or a C string.
        let why = unsafe { text(libc::dlerror()) };
        return Err(format!("{why}; install {package}"));
    }
    Ok(library)
}

/// The function `name` of an open library.
fn symbol(library: *mut c_void, name: &CStr) -> Result<*mut c_void, String> {
    // SAFETY: a handle of dlopen and a C string.
    let found = unsafe { libc::dlsym(library, name.as_ptr()) };
    match found.is_null() {
        true => Err(format!(
            "no {} in the client library",
            name.to_string_lossy()
        )),
        false => Ok(found),
    }
}

/// A table of a library's functions, and how to fill it.
macro_rules! functions {
    ($table:ident, $library:expr, $package:expr; $($name:ident: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        struct $table {
            $($name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl $table {
            /// The table, filled once in a process.
            fn get() -> Result<&'static Self, $crate::engine::Failure> {
                static TABLE: std::sync::OnceLock<Result<$table, String>> = std::sync::OnceLock::new();
                TABLE
                    .get_or_init(|| {
                        let library = $crate::ffi::open($library, $package)?;
                        Ok(Self {
                            // SAFETY: the library's headers give the symbol this type.
                            $($name: unsafe {
                                core::mem::transmute::<*mut core::ffi::c_void, unsafe extern "C" fn($($argument),*) $(-> $result)?>(
                                    $crate::ffi::symbol(library, $crate::ffi::c_name(concat!(stringify!($name), "\0")))?,
                                )
                            },)*
                        })
                    })
                    .as_ref()
                    .map_err(|why| $crate::engine::Failure::lost(why.clone()))
            }
        }
    };
}
use functions;

/// A name that ends with its NUL.
fn c_name(name: &'static str) -> &'static CStr {
    CStr::from_bytes_until_nul(name.as_bytes()).unwrap_or_default()
}

/// A text for C.
fn c_string(text: &str) -> Result<CString, Failure> {
    CString::new(text).map_err(|_| Failure::of("an option holds a NUL byte".into()))
}

/// A copy of a library's text.
///
/// # Safety
/// `text` is NULL or a C string.
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: our caller's promise.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .trim()
        .to_owned()
}

/// What a socket is: its number may come to belong to another one.
fn socket(descriptor: c_int) -> Option<(u64, u64)> {
    // SAFETY: all-zero is a valid stat; the descriptor need not be valid.
    unsafe {
        let mut found: libc::stat = core::mem::zeroed();
        (libc::fstat(descriptor, &mut found) == 0).then_some((found.st_dev, found.st_ino))
    }
}
