// SPDX-License-Identifier: MIT OR Apache-2.0
//! The exports of prop.h over [`PropCtx`]. NULL is answered with `BADPARAM`,
//! also where stock crashes.

use super::arg::{self, Out};
use super::edge;
use crate::propctx::PropCtx;
use core::ffi::{CStr, c_char, c_int, c_uint};
use core::ptr;
use saslplug::Code;
use saslplug::raw::{propctx, propval};

const OK: c_int = Code::OK.0;
const FAIL: c_int = Code::FAIL.0;
const BADPARAM: c_int = Code::BADPARAM.0;

/// A context that belongs to a connection, as C knows it.
pub(crate) fn as_ptr(context: &PropCtx) -> *mut propctx {
    core::ptr::from_ref(context).cast_mut().cast()
}

/// Hands a context to C, which gives it back to [`prop_dispose`].
fn give(context: PropCtx) -> *mut propctx {
    Box::into_raw(Box::new(context)).cast()
}

/// # Safety
/// Any number will do.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn prop_new(estimate: c_uint) -> *mut propctx {
    edge::guard(ptr::null_mut(), || give(PropCtx::new(estimate as usize)))
}

/// # Safety
/// - `source`: NULL or a live context
/// - `copy`: NULL or writable
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn prop_dup(source: *mut propctx, copy: *mut *mut propctx) -> c_int {
    // SAFETY: prop.h: see above.
    let (source, copy) = unsafe { (arg::propctx(source), Out::new(copy)) };
    edge::guard(FAIL, || match source {
        Some(source) if !copy.is_null() => {
            let fresh = give(PropCtx::new(0));
            // SAFETY: just made.
            if let Some(fresh) = unsafe { arg::propctx(fresh) } {
                fresh.copy_from(source);
            }
            copy.set(fresh);
            OK
        }
        _ => BADPARAM,
    })
}

/// # Safety
/// - `context`: NULL or a live context
/// - `names`: NULL or strings that end with NULL
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn prop_request(
    context: *mut propctx,
    names: *mut *const c_char,
) -> c_int {
    // SAFETY: prop.h: see above.
    let (context, names) = unsafe { (arg::propctx(context), arg::texts(names)) };
    edge::guard(FAIL, || match (context, names) {
        (Some(context), Some(names)) => {
            context.request(names);
            OK
        }
        _ => BADPARAM,
    })
}

/// # Safety
/// `context`: NULL or a live context
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn prop_get(context: *mut propctx) -> *const propval {
    // SAFETY: prop.h: see above.
    let context = unsafe { arg::propctx(context) };
    edge::guard(ptr::null(), || context.map_or(ptr::null(), PropCtx::array))
}

/// # Safety
/// - `context`: NULL or a live context
/// - `names`: NULL or strings that end with NULL
/// - `found`: NULL or writable for one structure a name
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn prop_getnames(
    context: *mut propctx,
    names: *mut *const c_char,
    found: *mut propval,
) -> c_int {
    // SAFETY: prop.h: see above.
    let (context, names) = unsafe { (arg::propctx(context), arg::texts(names)) };
    edge::guard(FAIL, || {
        let (Some(context), Some(names)) = (context, names) else {
            return BADPARAM;
        };
        if found.is_null() {
            return BADPARAM;
        }
        let mut count = 0;
        for (index, name) in names.enumerate() {
            let value = context.property(name);
            count += c_int::from(value.is_some());
            // SAFETY: prop.h: `found` has an element for each name.
            let out = unsafe { Out::new(found.add(index)) };
            out.set(value.unwrap_or(PropCtx::NOTHING));
        }
        count
    })
}

/// # Safety
/// `context`: NULL or a live context
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn prop_clear(context: *mut propctx, requests: c_int) {
    // SAFETY: prop.h: see above.
    let context = unsafe { arg::propctx(context) };
    edge::guard((), || {
        if let Some(context) = context {
            context.clear(requests != 0);
        }
    });
}

/// # Safety
/// - `context`: NULL or a live context
/// - `name`: NULL or a string
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn prop_erase(context: *mut propctx, name: *const c_char) {
    // SAFETY: prop.h: see above.
    let (context, name) = unsafe { (arg::propctx(context), arg::text(name)) };
    edge::guard((), || {
        if let (Some(context), Some(name)) = (context, name) {
            context.erase(name);
        }
    });
}

/// # Safety
/// `context`: NULL or a writable pointer to NULL or to a live context that
/// `prop_new` or `prop_dup` made
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn prop_dispose(context: *mut *mut propctx) {
    // SAFETY: prop.h: see above.
    let Some(context) = (unsafe { arg::exclusive(context) }) else {
        return;
    };
    let old = core::mem::replace(context, ptr::null_mut()).cast::<PropCtx>();
    edge::guard((), || {
        if !old.is_null() {
            // SAFETY: prop.h: made by `give`, and nobody uses it any more.
            drop(unsafe { Box::from_raw(old) });
        }
    });
}

/// # Safety
/// - `context`: NULL or a live context
/// - `separator`: NULL, or covers `separator_len` bytes, or a string if that
///   is negative
/// - `out`: NULL or writable for `out_max` bytes
/// - `out_len`: NULL or writable
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn prop_format(
    context: *mut propctx,
    separator: *const c_char,
    separator_len: c_int,
    out: *mut c_char,
    out_max: c_uint,
    out_len: *mut c_uint,
) -> c_int {
    // SAFETY: prop.h: see above.
    let (context, separator, out_len) = unsafe {
        (
            arg::propctx(context),
            counted(separator, separator_len),
            Out::new(out_len),
        )
    };
    edge::guard(FAIL, || {
        let Some(context) = context.filter(|_| !out.is_null()) else {
            return BADPARAM;
        };
        let text = context.format(separator.unwrap_or_default());
        let room = out_max as usize;
        if text.len() >= room {
            return c_int::try_from(text.len() + 1 - room).unwrap_or(c_int::MAX);
        }
        // SAFETY: prop.h: `out` is writable for `out_max` bytes, and text and
        // NUL are no more than that.
        unsafe {
            ptr::copy_nonoverlapping(text.as_ptr(), out.cast(), text.len());
            out.add(text.len()).write(0);
        }
        out_len.set(c_uint::try_from(text.len()).unwrap_or(c_uint::MAX));
        OK
    })
}

/// Bytes whose length may be left to their NUL.
///
/// # Safety
/// `data` is NULL, or covers `len` bytes, or is a string if `len` is negative;
/// it does not change for `'a`.
unsafe fn counted<'a>(data: *const c_char, len: c_int) -> Option<&'a [u8]> {
    match c_uint::try_from(len) {
        // SAFETY: our caller's promise.
        Ok(len) => unsafe { arg::bytes(data, len) },
        // SAFETY: our caller's promise.
        Err(_) => unsafe { arg::text(data) }.map(CStr::to_bytes),
    }
}

/// # Safety
/// - `context`: NULL or a live context
/// - `name`: NULL or a string
/// - `value`: NULL, or covers `len` bytes, or a string if `len` is not positive
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn prop_set(
    context: *mut propctx,
    name: *const c_char,
    value: *const c_char,
    len: c_int,
) -> c_int {
    let len = if len == 0 { -1 } else { len };
    // SAFETY: prop.h: see above.
    let (context, name, value) =
        unsafe { (arg::propctx(context), arg::text(name), counted(value, len)) };
    edge::guard(FAIL, || {
        let Some(context) = context else {
            return BADPARAM;
        };
        context
            .set(name, value)
            .map_or_else(|error| error.code().0, |()| OK)
    })
}

/// # Safety
/// - `context`: NULL or a live context
/// - `name`: NULL or a string
/// - `values`: NULL or strings that end with NULL
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn prop_setvals(
    context: *mut propctx,
    name: *const c_char,
    values: *mut *const c_char,
) -> c_int {
    // SAFETY: prop.h: see above.
    let (context, name, values) =
        unsafe { (arg::propctx(context), arg::text(name), arg::texts(values)) };
    edge::guard(FAIL, || {
        let Some(context) = context else {
            return BADPARAM;
        };
        let Some(values) = values else { return OK };
        let set = context.set_values(name, values.map(CStr::to_bytes));
        set.map_or_else(|error| error.code().0, |()| OK)
    })
}

symver!(
    prop_new,
    prop_dup,
    prop_request,
    prop_get,
    prop_getnames,
    prop_clear,
    prop_erase,
    prop_dispose,
    prop_format,
    prop_set,
    prop_setvals,
);

#[cfg(test)]
mod tests;
