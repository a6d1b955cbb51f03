// SPDX-License-Identifier: MIT OR Apache-2.0
//! A [`ServerMech`] as a `sasl_server_plug_t`. A connection's context holds the
//! exchange from start to dispose: the security layer, names and credentials
//! that it showed live in it.
#![allow(unsafe_code, reason = "the edge of a plugin: C calls in")]

use crate::host::Server;
use crate::layer::Flow;
use crate::{Mechanisms, bytes, c_text, length};
use core::ffi::{c_char, c_int, c_uint, c_void};
use core::ptr;
use mech::{Disposition, Done, ServerExchange, ServerMech, Step};
use saslplug::export::{guard, tell, version_fits};
use saslplug::raw::*;
use saslplug::utils::Utils;
use saslplug::{Code, Result};
use std::ffi::CString;
use std::sync::OnceLock;

/// One mechanism of the table; its address is the library's `glob_context`.
struct Entry {
    name: CString,
    mech: &'static dyn ServerMech,
}

struct List {
    plugs: Box<[sasl_server_plug_t]>,
    _entries: Box<[Entry]>,
}

/// A plugin's server mechanisms, made when a library first asks and kept: the
/// file stays mapped.
pub struct Servers(OnceLock<List>);

// SAFETY: the pointers in the list are to the list's own entries, and neither
// changes after it was made.
unsafe impl Sync for Servers {}
// SAFETY: as above.
unsafe impl Send for Servers {}

impl Servers {
    /// None yet.
    #[allow(clippy::new_without_default, reason = "for statics")]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }
}

fn list(mechs: Vec<&'static dyn ServerMech>) -> List {
    let entries: Box<[Entry]> = mechs
        .into_iter()
        .map(|mech| Entry {
            name: c_text(&mech.info().name),
            mech,
        })
        .collect();
    let plugs = entries.iter().map(|entry| {
        let info = entry.mech.info();
        sasl_server_plug_t {
            mech_name: entry.name.as_ptr(),
            max_ssf: info.max_ssf,
            security_flags: info.security.bits(),
            features: info.features.bits(),
            glob_context: ptr::from_ref(entry).cast_mut().cast(),
            mech_new: Some(new),
            mech_step: Some(step),
            mech_dispose: Some(dispose),
            mech_free: None,
            setpass: None,
            user_query: None,
            idle: None,
            mech_avail: Some(available),
            spare_fptr2: None,
        }
    });
    List {
        plugs: plugs.collect(),
        _entries: entries,
    }
}

/// Body of `sasl_server_plug_init`.
///
/// # Safety
/// `utils` fulfils the promise of [`Utils::global`]; the out-pointers are NULL
/// or writable.
pub unsafe fn server_init<T: Mechanisms>(
    table: &'static Servers,
    utils: *const sasl_utils_t,
    max_version: c_int,
    out_version: *mut c_int,
    plugs: *mut *mut sasl_server_plug_t,
    count: *mut c_int,
) -> c_int {
    // SAFETY: our caller's promise.
    let Some(host) = (unsafe { Utils::global(utils) }) else {
        return Code::BADPARAM.0;
    };
    if out_version.is_null() || plugs.is_null() || count.is_null() {
        return Code::BADPARAM.0;
    }
    guard(Some(&host), T::NAME, || {
        if !version_fits(&host, T::NAME, max_version, SASL_SERVER_PLUG_VERSION) {
            return Code::BADVERS.0;
        }
        let mechs = match T::servers(&host) {
            Ok(mechs) => mechs,
            Err(error) => return tell(&host, T::NAME, &error),
        };
        let list = table.0.get_or_init(|| list(mechs));
        // SAFETY: tested for NULL above; the library only reads the list.
        unsafe {
            *out_version = SASL_SERVER_PLUG_VERSION;
            *plugs = list.plugs.as_ptr().cast_mut();
            *count = c_int::try_from(list.plugs.len()).unwrap_or(0);
        }
        Code::OK.0
    })
}

/// A connection's context. `flow` must stay the first field.
#[repr(C)]
struct Context {
    flow: Flow,
    entry: &'static Entry,
    exchange: Option<Box<dyn ServerExchange>>,
    output: Vec<u8>,
    binding: CString,
}

/// The mechanism behind a `glob_context`.
///
/// # Safety
/// `context` is NULL or what [`list`] put there.
unsafe fn entry(context: *mut c_void) -> Option<&'static Entry> {
    // SAFETY: our caller's promise; entries live as long as the file is mapped.
    unsafe { context.cast::<Entry>().cast_const().as_ref() }
}

unsafe extern "C" fn available(
    context: *mut c_void,
    params: *mut sasl_server_params_t,
    _conn: *mut *mut c_void,
) -> c_int {
    // SAFETY: saslplug.h: our own context, the connection's parameters.
    let both = unsafe { entry(context).zip(Server::new(params, ptr::null_mut())) };
    let Some((entry, host)) = both else {
        return Code::BADPARAM.0;
    };
    let name = entry.mech.source();
    guard(Some(&host.shared.host), name, || {
        match entry.mech.available(&host) {
            Ok(()) => Code::OK.0,
            Err(error) => tell(&host.shared.host, name, &error),
        }
    })
}

unsafe extern "C" fn new(
    context: *mut c_void,
    params: *mut sasl_server_params_t,
    _challenge: *const c_char,
    _len: c_uint,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: saslplug.h: our own context, the connection's parameters.
    let both = unsafe { entry(context).zip(Server::new(params, ptr::null_mut())) };
    let Some((entry, host)) = both.filter(|_| !out.is_null()) else {
        return Code::BADPARAM.0;
    };
    let name = entry.mech.source();
    guard(Some(&host.shared.host), name, || {
        let exchange = match entry.mech.begin(&host) {
            Ok(exchange) => exchange,
            Err(error) => return tell(&host.shared.host, name, &error),
        };
        let context = Box::new(Context {
            flow: Flow::default(),
            entry,
            exchange: Some(exchange),
            output: Vec::new(),
            binding: CString::default(),
        });
        // SAFETY: tested for NULL above.
        unsafe { *out = Box::into_raw(context).cast() };
        Code::OK.0
    })
}

unsafe extern "C" fn step(
    context: *mut c_void,
    params: *mut sasl_server_params_t,
    input: *const c_char,
    input_len: c_uint,
    out: *mut *const c_char,
    out_len: *mut c_uint,
    oparams: *mut sasl_out_params_t,
) -> c_int {
    // SAFETY: saslplug.h: the context that `new` made, used by one thread in
    // the exchange; the connection's parameters; `input_len` bytes.
    let (all, input) = unsafe {
        let context = context.cast::<Context>().as_mut();
        (
            context.zip(Server::new(params, oparams)),
            bytes(input, input_len),
        )
    };
    let Some((context, host)) =
        all.filter(|_| !out.is_null() && !out_len.is_null() && !oparams.is_null())
    else {
        return Code::BADPARAM.0;
    };
    // SAFETY: tested for NULL.
    unsafe {
        *out = ptr::null();
        *out_len = 0;
    }
    let name = context.entry.mech.source();
    guard(Some(&host.shared.host), name, || {
        match advance(context, &host, input) {
            Ok((code, sends)) => {
                if let Some(len) = sends {
                    // SAFETY: tested for NULL; the buffer is the context's.
                    unsafe {
                        *out = context.output.as_ptr().cast();
                        *out_len = len;
                    }
                }
                code.0
            }
            Err(error) => tell(&host.shared.host, name, &error),
        }
    })
}

/// One step; the length of what is in the output buffer, if it is to be sent.
fn advance(
    context: &mut Context,
    host: &Server<'_>,
    input: Option<&[u8]>,
) -> Result<(Code, Option<c_uint>)> {
    // After an error (or a panic) the exchange is simply gone.
    let mut exchange = context.exchange.take().ok_or(Code::FAIL)?;
    let taken = exchange.step(host, input)?;
    context.exchange = Some(exchange);
    let (code, data) = match taken {
        Step::Challenge(data) => (Code::CONTINUE, Some(data)),
        Step::Done(done) => (Code::OK, finish(context, host, done)),
    };
    let Some(data) = data else {
        return Ok((code, None));
    };
    context.output = data;
    // A buffer without an address of its own would look like no data.
    context.output.reserve(1);
    Ok((code, Some(length(&context.output)?)))
}

/// Writes the results of a successful exchange.
fn finish(context: &mut Context, host: &Server<'_>, done: Done) -> Option<Vec<u8>> {
    let address: *mut Context = context;
    // SAFETY: `step` tested it for NULL; nobody else holds a reference now.
    let results = unsafe { host.shared.oparams.as_mut() }?;
    results.doneflag = 1;
    results.param_version = 0;
    results.cbindingdisp = done.binding.disposition as c_uint;
    if let (Some(name), true) = (
        done.binding.name,
        done.binding.disposition != Disposition::None,
    ) {
        context.binding = c_text(&name);
        results.cbindingname = context.binding.as_ptr();
    }
    let max_buffer = host.shared.props.maxbufsize;
    match done.layer {
        Some(layer) => context
            .flow
            .install(layer, max_buffer, address.cast(), results),
        None => results.mech_ssf = 0,
    }
    done.final_data
}

unsafe extern "C" fn dispose(context: *mut c_void, _utils: *const sasl_utils_t) {
    if context.is_null() {
        return;
    }
    guard(None, "plugin", || {
        // SAFETY: the context that `new` made; disposed of once.
        drop(unsafe { Box::from_raw(context.cast::<Context>()) });
        0
    });
}
