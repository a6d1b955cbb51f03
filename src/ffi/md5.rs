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

#[cfg(test)]
mod tests {
    #![allow(
        clippy::undocumented_unsafe_blocks,
        reason = "each call passes what the line above made"
    )]

    use super::*;
    use core::ptr;

    #[test]
    fn contexts_of_plugins() {
        let (mut context, mut digest) = (md5::START, [0_u8; 16]);
        context.buffer = [0x55; 64];
        unsafe {
            _sasl_MD5Init(&mut context);
            assert_eq!(context.buffer, [0x55; 64]);
            _sasl_MD5Update(&mut context, b"abc".as_ptr(), 3);
            _sasl_MD5Final(digest.as_mut_ptr(), &mut context);
        }
        assert_eq!(digest, md5::digest(b"abc"));
        assert_eq!((context.state, context.buffer), ([0; 4], [0; 64]));
    }

    #[test]
    fn hmac_in_one_and_in_steps() {
        let (text, key) = (b"what do ya want for nothing?", b"Jefe");
        let expected = md5::hmac(text, key);
        let mut digest = [0_u8; 16];
        let mut state = HMAC_MD5_STATE {
            istate: [0; 4],
            ostate: [0; 4],
        };
        let mut context = HMAC_MD5_CTX {
            ictx: md5::START,
            octx: md5::START,
        };
        unsafe {
            hmac_md5(text.as_ptr(), 28, key.as_ptr(), 4, digest.as_mut_ptr());
            assert_eq!(digest, expected);
            hmac_md5_init(&mut context, key.as_ptr(), 4);
            _sasl_MD5Update(&mut context.ictx, text.as_ptr(), 28);
            hmac_md5_final(digest.as_mut_ptr(), &mut context);
            assert_eq!(digest, expected);
            hmac_md5_precalc(&mut state, key.as_ptr(), 4);
            hmac_md5_import(&mut context, &mut state);
            _sasl_MD5Update(&mut context.ictx, text.as_ptr(), 28);
            hmac_md5_final(digest.as_mut_ptr(), &mut context);
        }
        assert_eq!(digest, expected);
    }

    #[test]
    fn null_does_nothing() {
        let mut context = md5::START;
        unsafe {
            _sasl_MD5Init(ptr::null_mut());
            _sasl_MD5Update(ptr::null_mut(), ptr::null(), 0);
            _sasl_MD5Update(&mut context, ptr::null(), 7);
            _sasl_MD5Final(ptr::null_mut(), ptr::null_mut());
            _sasl_MD5Final(ptr::null_mut(), &mut context);
            hmac_md5(ptr::null(), -1, ptr::null(), 5, ptr::null_mut());
            hmac_md5_init(ptr::null_mut(), ptr::null(), 0);
            hmac_md5_final(ptr::null_mut(), ptr::null_mut());
            hmac_md5_precalc(ptr::null_mut(), ptr::null(), 0);
            hmac_md5_import(ptr::null_mut(), ptr::null_mut());
        }
        assert_eq!(context.count, [0; 2]);
    }
}
