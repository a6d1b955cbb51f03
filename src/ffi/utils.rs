// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fills `sasl_utils_t`, the functions that plugins may call: one for each
//! connection, and a global one (`sasl_global_utils`) for what happens without
//! a connection.

use crate::ffi::application::CApplication;
use crate::ffi::callbacks::getcallback;
use crate::ffi::conn::Conn;
use crate::ffi::{arg, edge, md5, memory, prop, sasl, saslplug, saslutil, variadic};
use ::saslplug::Code;
use ::saslplug::raw::*;
use core::cell::UnsafeCell;
use core::ffi::{c_char, c_int, c_uint, c_void};
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, PoisonError};

/// `sasl_global_utils` of saslplug.h: NULL before the first init and after the
/// last done.
#[allow(non_upper_case_globals, reason = "the C name")]
#[unsafe(no_mangle)]
pub(crate) static sasl_global_utils: AtomicPtr<sasl_utils_t> = AtomicPtr::new(ptr::null_mut());
symver!(sasl_global_utils);

/// Where the global structure lies for the whole life of the process: plugins
/// keep the pointer.
struct Place(UnsafeCell<sasl_utils_t>);

// SAFETY: written by `publish` only, before anybody is given the pointer.
unsafe impl Sync for Place {}

static GLOBAL: Place = Place(UnsafeCell::new(sasl_utils_t {
    conn: ptr::null_mut(),
    ..FUNCTIONS
}));

/// The global utils. Valid at any time, also before an init.
pub(crate) fn global() -> *const sasl_utils_t {
    GLOBAL.0.get()
}

/// Shows the global utils, with the program's allocator and mutexes.
pub(crate) fn publish() {
    static WRITING: Mutex<()> = Mutex::new(());
    let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let place = GLOBAL.0.get();
    if sasl_global_utils.load(Ordering::Acquire).is_null() {
        // SAFETY: nobody was given the pointer since the last done; plugins of
        // the program that came before an init see equal values or these.
        unsafe {
            *place = FUNCTIONS;
            (*place).getopt_context = place.cast();
            set_memory(&mut *place);
        };
    }
    sasl_global_utils.store(place, Ordering::Release);
}

/// Takes the global utils back.
pub(crate) fn withdraw() {
    sasl_global_utils.store(ptr::null_mut(), Ordering::Release);
}

/// Writes the utils of a connection to `place`.
///
/// # Safety
/// `place` is valid for a write.
pub(crate) unsafe fn write_for_connection(conn: &Conn, place: *mut sasl_utils_t) {
    // SAFETY: our caller's promise.
    let utils = unsafe {
        place.write(FUNCTIONS);
        &mut *place
    };
    utils.conn = conn.as_ptr();
    utils.getopt_context = conn.as_ptr().cast();
    utils.getopt = Some(connection_option);
    utils.checkpass = conn.server().is_some().then_some(checkpass as _);
    set_memory(utils);
}

/// The program's allocator and mutexes.
fn set_memory(utils: &mut sasl_utils_t) {
    let (allocator, mutexes) = memory::chosen();
    utils.rpool = saslutil::pool();
    utils.malloc = allocator.malloc;
    utils.calloc = allocator.calloc;
    utils.realloc = allocator.realloc;
    utils.free = allocator.free;
    utils.mutex_alloc = mutexes.alloc;
    utils.mutex_lock = mutexes.lock;
    utils.mutex_unlock = mutexes.unlock;
    utils.mutex_free = mutexes.free;
}

const FUNCTIONS: sasl_utils_t = sasl_utils_t {
    version: SASL_UTILS_VERSION,
    conn: ptr::null_mut(),
    rpool: ptr::null_mut(),
    getopt_context: ptr::null_mut(),
    getopt: Some(global_option),
    malloc: Some(libc::malloc),
    calloc: Some(libc::calloc),
    realloc: Some(libc::realloc),
    free: Some(libc::free),
    mutex_alloc: None,
    mutex_lock: None,
    mutex_unlock: None,
    mutex_free: None,
    MD5Init: Some(md5::_sasl_MD5Init),
    MD5Update: Some(md5::_sasl_MD5Update),
    MD5Final: Some(md5::_sasl_MD5Final),
    hmac_md5: Some(md5::hmac_md5),
    hmac_md5_init: Some(md5::hmac_md5_init),
    hmac_md5_final: Some(md5::hmac_md5_final),
    hmac_md5_precalc: Some(md5::hmac_md5_precalc),
    hmac_md5_import: Some(md5::hmac_md5_import),
    mkchal: Some(saslutil::sasl_mkchal),
    utf8verify: Some(saslutil::sasl_utf8verify),
    rand: Some(saslutil::sasl_rand),
    churn: Some(saslutil::sasl_churn),
    checkpass: None,
    decode64: Some(saslutil::sasl_decode64),
    encode64: Some(saslutil::sasl_encode64),
    erasebuffer: Some(saslutil::sasl_erasebuffer),
    getprop: Some(sasl::property::sasl_getprop),
    setprop: Some(sasl::property::sasl_setprop),
    getcallback: Some(getcallback),
    log: Some(variadic::sasl2_log),
    seterror: Some(variadic::sasl_seterror),
    spare_fptr: None,
    prop_new: Some(prop::prop_new),
    prop_dup: Some(prop::prop_dup),
    prop_request: Some(prop::prop_request),
    prop_get: Some(prop::prop_get),
    prop_getnames: Some(prop::prop_getnames),
    prop_clear: Some(prop::prop_clear),
    prop_dispose: Some(prop::prop_dispose),
    prop_format: Some(prop::prop_format),
    prop_set: Some(prop::prop_set),
    prop_setvals: Some(prop::prop_setvals),
    prop_erase: Some(prop::prop_erase),
    auxprop_store: Some(saslplug::sasl_auxprop_store),
    spare_fptr1: None,
    spare_fptr2: None,
};

/// Completes an option lookup with the configuration file.
///
/// # Safety
/// The pointers satisfy `sasl_getopt_t`.
unsafe fn option_of(
    app: Option<CApplication>,
    plugin: *const c_char,
    option: *const c_char,
    result: *mut *const c_char,
    len: *mut c_uint,
) -> c_int {
    // SAFETY: our caller's promise.
    let (name, out, out_len) =
        unsafe { (arg::text(option), arg::Out::new(result), arg::Out::new(len)) };
    let Some(name) = name.filter(|_| !out.is_null()) else {
        return Code::BADPARAM.0;
    };
    if let Some(app) = app {
        // SAFETY: our caller's promise.
        if unsafe { app.plugin_option(plugin, option, result, len) } == Code::OK {
            return Code::OK.0;
        }
    }
    match crate::config::options()
        .as_deref()
        .and_then(|config| config.get(name))
    {
        Some(value) => {
            // The value lives as long as the configuration, that is until the
            // last done: what saslplug.h promises.
            out.set(value.as_ptr());
            out_len.set(c_uint::try_from(value.to_bytes().len()).unwrap_or(c_uint::MAX));
            Code::OK.0
        }
        None => {
            out.set(ptr::null());
            Code::FAIL.0
        }
    }
}

/// `sasl_utils_t.getopt` without a connection.
pub(crate) unsafe extern "C" fn global_option(
    _: *mut c_void,
    plugin: *const c_char,
    option: *const c_char,
    result: *mut *const c_char,
    len: *mut c_uint,
) -> c_int {
    edge::guard(Code::FAIL.0, || {
        let app = crate::ffi::sasl::global_callbacks();
        // SAFETY: saslplug.h: the pointers satisfy `sasl_getopt_t`.
        unsafe { option_of(app, plugin, option, result, len) }
    })
}

/// `sasl_utils_t.getopt` with a connection, which is the context.
pub(crate) unsafe extern "C" fn connection_option(
    context: *mut c_void,
    plugin: *const c_char,
    option: *const c_char,
    result: *mut *const c_char,
    len: *mut c_uint,
) -> c_int {
    edge::guard(Code::FAIL.0, || {
        // SAFETY: saslplug.h: the context is the one of the structure.
        let app = unsafe { Conn::borrow(context.cast()) }.map(|conn| conn.app);
        // SAFETY: saslplug.h: the pointers satisfy `sasl_getopt_t`.
        unsafe { option_of(app, plugin, option, result, len) }
    })
}

/// `sasl_utils_t.checkpass`: verification alone, for a canonical name.
unsafe extern "C" fn checkpass(
    conn: *mut sasl_conn_t,
    user: *const c_char,
    ulen: c_uint,
    pass: *const c_char,
    passlen: c_uint,
) -> c_int {
    // SAFETY: saslplug.h: both cover their lengths.
    let (conn, user, pass) = unsafe {
        (
            Conn::borrow(conn),
            arg::bytes(user, ulen),
            arg::bytes(pass, passlen),
        )
    };
    edge::run(conn, |conn| {
        let (user, pass) = (user.ok_or(Code::BADPARAM)?, pass.ok_or(Code::BADPARAM)?);
        let server = conn.server().ok_or(Code::BADPARAM)?;
        let user = std::ffi::CString::new(user).map_err(|_| Code::BADPARAM)?;
        server
            .check_canonical(&user, pass.into())
            .map(|()| Code::OK)
    })
}
