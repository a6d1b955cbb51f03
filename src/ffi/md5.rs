// SPDX-License-Identifier: MIT OR Apache-2.0
//! The exports of md5.h, and the HMAC-MD5 functions of `sasl_utils_t` (declared
//! in hmac-md5.h, exported nowhere). Plugins own the contexts.

use super::arg::{self, Out};
use super::edge;
use crate::md5;
use core::ffi::{c_char, c_int, c_uchar, c_uint};
use saslplug::raw::{HMAC_MD5_CTX, HMAC_MD5_STATE, MD5_CTX};

/// # Safety
/// `context`: NULL or writable
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _sasl_MD5Init(context: *mut MD5_CTX) {
    // SAFETY: md5.h: see above. Any bytes are an initialised MD5_CTX; C leaves
    // the buffer as it was, and so does `start`.
    let context = unsafe { arg::exclusive(context) };
    edge::guard((), || {
        if let Some(context) = context {
            md5::start(context);
        }
    });
}

/// # Safety
/// - `context`: NULL or a context that `_sasl_MD5Init` set up
/// - `input`: NULL or covers `len` bytes
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _sasl_MD5Update(
    context: *mut MD5_CTX,
    input: *const c_uchar,
    len: c_uint,
) {
    // SAFETY: md5.h: see above.
    let (context, input) = unsafe {
        (
            arg::exclusive(context),
            arg::bytes(input.cast::<c_char>(), len),
        )
    };
    edge::guard((), || {
        if let (Some(context), Some(input)) = (context, input) {
            md5::update(context, input);
        }
    });
}

/// # Safety
/// - `digest`: NULL or writable for 16 bytes
/// - `context`: NULL or a context that `_sasl_MD5Init` set up
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _sasl_MD5Final(digest: *mut c_uchar, context: *mut MD5_CTX) {
    // SAFETY: md5.h: see above.
    let (digest, context) = unsafe { (digest_out(digest), arg::exclusive(context)) };
    edge::guard((), || {
        if let Some(context) = context {
            digest.set(md5::finish(context));
        }
    });
}

symver!(_sasl_MD5Init, _sasl_MD5Update, _sasl_MD5Final);

/// # Safety
/// `digest` is NULL or writable for 16 bytes.
unsafe fn digest_out(digest: *mut c_uchar) -> Out<[u8; md5::DIGEST]> {
    // SAFETY: our caller's promise; bytes need no alignment.
    unsafe { Out::new(digest.cast::<[u8; md5::DIGEST]>()) }
}

/// A length that C counts in int; a negative one covers nothing.
///
/// # Safety
/// `data` is NULL or covers `len` bytes that do not change for `'a`.
unsafe fn counted<'a>(data: *const c_uchar, len: c_int) -> Option<&'a [u8]> {
    // SAFETY: our caller's promise.
    unsafe { arg::bytes(data.cast::<c_char>(), c_uint::try_from(len).ok()?) }
}

/// # Safety
/// - `text`, `key`: NULL or cover their lengths
/// - `digest`: NULL or writable for 16 bytes
pub(crate) unsafe extern "C" fn hmac_md5(
    text: *const c_uchar,
    text_len: c_int,
    key: *const c_uchar,
    key_len: c_int,
    digest: *mut c_uchar,
) {
    // SAFETY: hmac-md5.h: see above.
    let (text, key, digest) = unsafe {
        (
            counted(text, text_len),
            counted(key, key_len),
            digest_out(digest),
        )
    };
    edge::guard((), || {
        digest.set(md5::hmac(text.unwrap_or_default(), key.unwrap_or_default()));
    });
}

/// # Safety
/// - `context`: NULL or writable
/// - `key`: NULL or covers `key_len` bytes
pub(crate) unsafe extern "C" fn hmac_md5_init(
    context: *mut HMAC_MD5_CTX,
    key: *const c_uchar,
    key_len: c_int,
) {
    // SAFETY: hmac-md5.h: see above.
    let (context, key) = unsafe { (Out::new(context), counted(key, key_len)) };
    edge::guard((), || context.set(md5::hmac_start(key.unwrap_or_default())));
}

/// # Safety
/// - `digest`: NULL or writable for 16 bytes
/// - `context`: NULL or a context that [`hmac_md5_init`] or
///   [`hmac_md5_import`] set up
pub(crate) unsafe extern "C" fn hmac_md5_final(digest: *mut c_uchar, context: *mut HMAC_MD5_CTX) {
    // SAFETY: hmac-md5.h: see above.
    let (digest, context) = unsafe { (digest_out(digest), arg::exclusive(context)) };
    edge::guard((), || {
        if let Some(context) = context {
            digest.set(md5::hmac_finish(context));
        }
    });
}

/// # Safety
/// - `state`: NULL or writable
/// - `key`: NULL or covers `key_len` bytes
pub(crate) unsafe extern "C" fn hmac_md5_precalc(
    state: *mut HMAC_MD5_STATE,
    key: *const c_uchar,
    key_len: c_int,
) {
    // SAFETY: hmac-md5.h: see above.
    let (state, key) = unsafe { (Out::new(state), counted(key, key_len)) };
    edge::guard((), || state.set(md5::hmac_export(key.unwrap_or_default())));
}

/// # Safety
/// - `context`: NULL or writable
/// - `state`: NULL or a state that [`hmac_md5_precalc`] made
pub(crate) unsafe extern "C" fn hmac_md5_import(
    context: *mut HMAC_MD5_CTX,
    state: *mut HMAC_MD5_STATE,
) {
    // SAFETY: hmac-md5.h: see above.
    let (context, state) = unsafe { (Out::new(context), arg::exclusive(state)) };
    edge::guard((), || {
        if let Some(state) = state {
            context.set(md5::hmac_import(state));
        }
    });
}
