// SPDX-License-Identifier: MIT OR Apache-2.0
//! `sasl_utils_t.getcallback`, and the library's own callbacks, which plugins
//! get where the program has none.

use crate::ffi::application::Entry;
use crate::ffi::conn::Conn;
use crate::ffi::sasl::setup;
use crate::ffi::utils::{connection_option, global_option};
use crate::ffi::{arg, edge};
use crate::library;
use ::saslplug::raw::*;
use ::saslplug::{Code, Level};
use core::ffi::{c_char, c_int, c_uint, c_ulong, c_void};
use core::ptr;
use std::ffi::CString;
use std::sync::{Mutex, PoisonError};

/// `sasl_utils_t.getcallback`: what the program has, or a default.
pub(crate) unsafe extern "C" fn getcallback(
    conn: *mut sasl_conn_t,
    id: c_ulong,
    procedure: *mut sasl_callback_ft,
    context: *mut *mut c_void,
) -> c_int {
    // SAFETY: saslplug.h: `conn` is NULL or live, the out-pointers are NULL or
    // writable.
    let (conn, procedure, context) = unsafe {
        (
            Conn::borrow(conn),
            arg::Out::new(procedure),
            arg::Out::new(context),
        )
    };
    edge::guard(Code::FAIL.0, || {
        if procedure.is_null() || context.is_null() {
            return Code::BADPARAM.0;
        }
        match id {
            SASL_CB_LIST_END => no_number(conn),
            SASL_CB_GETOPT => {
                let chain: sasl_getopt_t = match conn {
                    Some(_) => connection_option,
                    None => global_option,
                };
                // SAFETY: only the type is erased; the caller restores it by the id.
                procedure.set(Some(unsafe { erase(chain as *const ()) }));
                context.set(conn.map_or(ptr::null_mut(), |conn| conn.as_ptr().cast()));
                Code::OK.0
            }
            _ => found(conn, id, &procedure, &context),
        }
    })
}

/// 0 ends lists: nothing can be found under it.
fn no_number(conn: Option<&Conn>) -> c_int {
    if let Some(conn) = conn {
        let error = edge::internal_error(Code::FAIL, "callback 0 ends a list");
        conn.connection().record(&error);
    }
    Code::FAIL.0
}

/// What the lists say; without a connection only the library's own callbacks
/// count, as on stock.
fn found(
    conn: Option<&Conn>,
    id: c_ulong,
    procedure: &arg::Out<sasl_callback_ft>,
    context: &arg::Out<*mut c_void>,
) -> c_int {
    match conn.map_or(Entry::Absent, |conn| conn.app.find(id)) {
        Entry::Procedure(found, its) => {
            procedure.set(Some(found));
            context.set(its);
            Code::OK.0
        }
        Entry::Interaction(its) => {
            procedure.set(None);
            context.set(its);
            Code::INTERACT.0
        }
        Entry::Absent => default_callback(conn, id, procedure, context),
    }
}

/// The library's own callback where the program has none.
fn default_callback(
    conn: Option<&Conn>,
    id: c_ulong,
    procedure: &arg::Out<sasl_callback_ft>,
    context: &arg::Out<*mut c_void>,
) -> c_int {
    let own: *const () = match id {
        SASL_CB_LOG => default_log as *const (),
        SASL_CB_GETPATH => default_path as *const (),
        SASL_CB_GETCONFPATH => default_config_path as *const (),
        SASL_CB_VERIFYFILE => default_verify as *const (),
        SASL_CB_AUTHNAME => default_name as *const (),
        SASL_CB_PROXY_POLICY => default_policy as *const (),
        _ => ptr::null(),
    };
    context.set(match conn {
        Some(conn) if id == SASL_CB_LOG => conn.as_ptr().cast(),
        _ => ptr::null_mut(),
    });
    if own.is_null() {
        procedure.set(None);
        if let Some(conn) = conn {
            conn.connection().record_missing_callback(id);
        }
        return Code::FAIL.0;
    }
    // SAFETY: only the type is erased; the caller restores it by the id.
    procedure.set(Some(unsafe { erase(own) }));
    Code::OK.0
}

/// # Safety
/// `function` is a C function; it is called with its own type again only.
unsafe fn erase(function: *const ()) -> unsafe extern "C" fn() -> c_int {
    // SAFETY: function pointers have one size; our caller's promise.
    unsafe { core::mem::transmute::<*const (), unsafe extern "C" fn() -> c_int>(function) }
}

unsafe extern "C" fn default_log(
    context: *mut c_void,
    level: c_int,
    message: *const c_char,
) -> c_int {
    // SAFETY: saslplug.h: the context is the connection, the message a string.
    let (conn, message) = unsafe { (Conn::borrow(context.cast()), arg::text(message)) };
    edge::guard(Code::FAIL.0, || {
        let text = message.unwrap_or_default().to_string_lossy();
        match conn {
            Some(conn) => conn.connection().log_number(level, format_args!("{text}")),
            None => library::current().log(level_of(level), format_args!("{text}")),
        }
        Code::OK.0
    })
}

/// A C log level; unknown ones count as the nearest.
pub(crate) fn level_of(level: c_int) -> Level {
    match level {
        ..=0 => Level::None,
        1 => Level::Err,
        2 => Level::Fail,
        3 => Level::Warn,
        4 => Level::Note,
        5 => Level::Debug,
        6 => Level::Trace,
        7.. => Level::Pass,
    }
}

/// A text that C may keep: it stays where it is, and equal ones share a place.
fn kept(text: CString) -> *const c_char {
    static KEPT: Mutex<Vec<CString>> = Mutex::new(Vec::new());
    let mut all = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all.iter().find(|known| **known == text) {
        return known.as_ptr();
    }
    let address = text.as_ptr();
    all.push(text);
    address
}

unsafe extern "C" fn default_path(_: *mut c_void, path: *mut *const c_char) -> c_int {
    // SAFETY: sasl.h: NULL or writable.
    let path = unsafe { arg::Out::new(path) };
    edge::guard(Code::FAIL.0, || {
        path.set(kept(setup::default_plugin_path()));
        Code::OK.0
    })
}

unsafe extern "C" fn default_config_path(_: *mut c_void, path: *mut *mut c_char) -> c_int {
    // SAFETY: sasl.h: NULL or writable.
    let path = unsafe { arg::Out::new(path) };
    edge::guard(Code::FAIL.0, || {
        path.set(kept(setup::default_config_path()).cast_mut());
        Code::OK.0
    })
}

unsafe extern "C" fn default_verify(_: *mut c_void, _: *const c_char, _: c_uint) -> c_int {
    Code::OK.0
}

unsafe extern "C" fn default_name(
    _: *mut c_void,
    _: c_int,
    result: *mut *const c_char,
    len: *mut c_uint,
) -> c_int {
    // SAFETY: sasl.h: the out-pointers are NULL or writable.
    let (result, len) = unsafe { (arg::Out::new(result), arg::Out::new(len)) };
    for name in [c"USER", c"USERNAME"] {
        // SAFETY: the environment is only read; getenv's string lives until the
        // program changes it.
        let Some(value) = (unsafe { arg::text(libc::getenv(name.as_ptr())) }) else {
            continue;
        };
        result.set(value.as_ptr());
        len.set(c_uint::try_from(value.to_bytes().len()).unwrap_or(c_uint::MAX));
        return Code::OK.0;
    }
    Code::FAIL.0
}

unsafe extern "C" fn default_policy(
    conn: *mut sasl_conn_t,
    _: *mut c_void,
    requested: *const c_char,
    rlen: c_uint,
    authid: *const c_char,
    alen: c_uint,
    _: *const c_char,
    _: c_uint,
    _: *mut propctx,
) -> c_int {
    // SAFETY: sasl.h: both cover their lengths.
    let (conn, requested, authid) = unsafe {
        (
            Conn::borrow(conn),
            arg::bytes(requested, rlen),
            arg::bytes(authid, alen),
        )
    };
    edge::guard(Code::BADAUTH.0, || {
        let requested = requested.unwrap_or_default();
        if requested.is_empty() || Some(requested) == authid {
            return Code::OK.0;
        }
        if let Some(conn) = conn {
            conn.connection()
                .set_error_text("Requested identity not authenticated identity");
        }
        Code::BADAUTH.0
    })
}
