// SPDX-License-Identifier: MIT OR Apache-2.0
//! The exports of saslutil.h, and `sasl_config_getstring`, which no header
//! declares. NULL never crashes, also where it does on stock.

use super::arg::{self, Out};
use super::{edge, errors};
use crate::config::{self, Reading};
use crate::encoding::{self, Decoded};
use crate::random;
use core::ffi::{CStr, c_char, c_int, c_uint};
use core::ptr;
use saslplug::Code;
use saslplug::raw::{sasl_conn_t, sasl_rand_t};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use zeroize::{Zeroize, Zeroizing};

const OK: c_int = Code::OK.0;
const CONTINUE: c_int = Code::CONTINUE.0;
const FAIL: c_int = Code::FAIL.0;
const BADPARAM: c_int = Code::BADPARAM.0;
const BADPROT: c_int = Code::BADPROT.0;
const BUFOVER: c_int = Code::BUFOVER.0;

/// Bytes for a buffer of C's that may be the same memory: an overlapping input
/// is copied first, because Rust's slices must not share bytes.
///
/// # Safety
/// `input` covers `len` bytes, `out` is writable for `out_max` bytes; both NULL
/// or live for `'a`.
unsafe fn separate<'a>(
    input: *const c_char,
    len: c_uint,
    out: *mut c_char,
    out_max: c_uint,
) -> Option<(Input<'a>, &'a mut [u8])> {
    // SAFETY: our caller's promise; the borrow ends before `out` is borrowed
    // if the two share bytes.
    let input = match unsafe { arg::bytes(input, len) }? {
        shared if arg::overlap(input, len, out, out_max) => {
            Input::Own(Zeroizing::new(shared.to_vec()))
        }
        lent => Input::Lent(lent),
    };
    // SAFETY: our caller's promise.
    let out = unsafe { arg::buffer(out, out_max) }?;
    Some((input, out))
}

enum Input<'a> {
    Lent(&'a [u8]),
    Own(Zeroizing<Vec<u8>>),
}

impl Input<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Lent(bytes) => bytes,
            Self::Own(bytes) => bytes,
        }
    }
}

/// # Safety
/// - `input`: NULL or covers `len` bytes
/// - `out`: NULL or writable for `out_max` bytes; may be `input`
/// - `out_len`: NULL or writable
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_encode64(
    input: *const c_char,
    len: c_uint,
    out: *mut c_char,
    out_max: c_uint,
    out_len: *mut c_uint,
) -> c_int {
    // SAFETY: saslutil.h: see above.
    let out_len = unsafe { Out::new(out_len) };
    edge::guard(FAIL, || {
        if input.is_null() && len > 0 {
            return BADPARAM;
        }
        let needed = encoding::encoded_len(u64::from(len));
        out_len.set(c_uint::try_from(needed).unwrap_or(c_uint::MAX));
        // Nothing is read before it is sure that the result fits.
        if needed >= u64::from(out_max) {
            return BUFOVER;
        }
        let room = c_uint::try_from(needed + 1).unwrap_or(out_max);
        let input = if len == 0 { out.cast_const() } else { input };
        // SAFETY: saslutil.h: see above; `room` is not more than `out_max`.
        let Some((input, out)) = (unsafe { separate(input, len, out, room) }) else {
            return BADPARAM;
        };
        encoding::encode64(input.bytes(), out).map_or_else(|error| error.code().0, |_| OK)
    })
}

/// # Safety
/// As [`sasl_encode64`].
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_decode64(
    input: *const c_char,
    len: c_uint,
    out: *mut c_char,
    out_max: c_uint,
    out_len: *mut c_uint,
) -> c_int {
    // SAFETY: saslutil.h: see above.
    let out_len = unsafe { Out::new(out_len) };
    edge::guard(FAIL, || {
        if out.is_null() {
            return FAIL;
        }
        let input = if len == 0 { out.cast_const() } else { input };
        // No more of `out` is touched than the result can need.
        let room = out_max.min(len / 4 * 3 + 1);
        // SAFETY: saslutil.h: see above.
        let Some((input, out)) = (unsafe { separate(input, len, out, room) }) else {
            return BADPARAM;
        };
        let (decoded, code) = match encoding::decode64(input.bytes(), out) {
            Ok(Decoded::Whole(decoded)) => (decoded, OK),
            Ok(Decoded::Leftover(decoded)) => (decoded, CONTINUE),
            Ok(Decoded::AfterPadding(decoded)) => (decoded, BADPROT),
            Err(error) => return error.code().0,
        };
        out_len.set(c_uint::try_from(decoded).unwrap_or(c_uint::MAX));
        code
    })
}

/// # Safety
/// - `conn`: NULL or a live connection
/// - `out`: NULL or writable for `out_max` bytes
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_mkchal(
    conn: *mut sasl_conn_t,
    out: *mut c_char,
    out_max: c_uint,
    with_host: c_uint,
) -> c_int {
    edge::guard(0, || {
        let host = if with_host == 0 {
            None
        } else {
            errors::server_fqdn(conn)
        };
        let host = host.as_deref();
        if out.is_null() || (out_max as usize) < encoding::challenge_room(host) {
            return 0;
        }
        let Ok(number) = random::number() else {
            return 0;
        };
        let seconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |time| time.as_secs());
        let text = encoding::challenge(number, seconds, host);
        if text.len() >= out_max as usize {
            return 0;
        }
        // SAFETY: saslutil.h: `out` is writable for `out_max` bytes; text and
        // NUL are no more than that.
        unsafe {
            ptr::copy_nonoverlapping(text.as_ptr(), out.cast(), text.len());
            out.add(text.len()).write(0);
        }
        c_int::try_from(text.len()).unwrap_or(0)
    })
}

/// # Safety
/// `text`: NULL or covers `len` bytes
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_utf8verify(text: *const c_char, len: c_uint) -> c_int {
    edge::guard(FAIL, || {
        if len == 0 {
            return OK;
        }
        // SAFETY: saslutil.h: see above.
        match unsafe { arg::bytes(text, len) } {
            Some(text) if encoding::is_utf8(text) => OK,
            Some(_) => BADPROT,
            None => BADPARAM,
        }
    })
}

/// What every `sasl_rand_t *` points to: there is no pool, so there is nothing
/// to free, to seed or to share.
static POOL: u8 = 0;

/// The random pool of `sasl_utils_t`.
pub(crate) fn pool() -> *mut sasl_rand_t {
    (&raw const POOL).cast_mut().cast()
}

/// # Safety
/// `made`: NULL or writable
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_randcreate(made: *mut *mut sasl_rand_t) -> c_int {
    // SAFETY: saslutil.h: see above.
    let made = unsafe { Out::new(made) };
    if made.is_null() {
        return BADPARAM;
    }
    made.set(pool());
    OK
}

/// # Safety
/// Nothing is dereferenced.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_randfree(_: *mut *mut sasl_rand_t) {}

/// # Safety
/// Nothing is dereferenced.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_randseed(_: *mut sasl_rand_t, _: *const c_char, _: c_uint) {}

/// # Safety
/// `out`: NULL or writable for `len` bytes
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_rand(_: *mut sasl_rand_t, out: *mut c_char, len: c_uint) {
    edge::guard((), || {
        if out.is_null() {
            return;
        }
        // SAFETY: saslutil.h: see above. C's memory may be uninitialised, so
        // it is given a value before it becomes a slice.
        let out = unsafe {
            out.write_bytes(0, len as usize);
            arg::buffer(out, len)
        };
        if let Some(Err(error)) = out.map(random::fill) {
            errors::log(ptr::null_mut(), 1, error.reason().as_bytes().to_vec());
        }
    });
}

/// # Safety
/// Nothing is dereferenced.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_churn(_: *mut sasl_rand_t, _: *const c_char, _: c_uint) {}

/// # Safety
/// `secret`: NULL or writable for `len` bytes
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_erasebuffer(secret: *mut c_char, len: c_uint) {
    edge::guard((), || {
        // SAFETY: saslutil.h: see above; the bytes hold a secret, so they are
        // initialised.
        if let Some(secret) = unsafe { arg::buffer(secret, len) } {
            secret.zeroize();
        }
    });
}

/// # Safety
/// `text`: NULL or a string that may be changed
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_strlower(text: *mut c_char) -> *mut c_char {
    edge::guard((), || {
        // SAFETY: saslutil.h: see above.
        let len = unsafe { arg::text(text) }.map_or(0, |text| text.to_bytes().len());
        let len = c_uint::try_from(len).unwrap_or(c_uint::MAX);
        // SAFETY: as above; the borrow that measured it is over.
        if let Some(text) = unsafe { arg::buffer(text, len) } {
            text.make_ascii_lowercase();
        }
    });
    text
}

/// # Safety
/// `file`: NULL or a string
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_config_init(file: *const c_char) -> c_int {
    // SAFETY: saslutil.h: see above.
    let file = unsafe { arg::text(file) };
    edge::guard(FAIL, || {
        config::set_options(None);
        let Some(file) = file else { return CONTINUE };
        let say = |text: &str| errors::log(ptr::null_mut(), 1, text.as_bytes().to_vec());
        match config::read(Path::new(OsStr::from_bytes(file.to_bytes()))) {
            Ok(Reading::Read(config)) => {
                config::set_options(Some(Arc::new(config)));
                OK
            }
            Ok(Reading::Missing) => CONTINUE,
            Ok(Reading::Unreadable(fault)) => {
                say(&fault);
                CONTINUE
            }
            Err(error) => {
                say(error.reason());
                error.code().0
            }
        }
    })
}

/// The value of an option, or `default`. Valid until `sasl_config_done` or the
/// next reading of a file.
///
/// # Safety
/// - `key`: NULL or a string
/// - `default`: anything; it is only handed back
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_config_getstring(
    key: *const c_char,
    default: *const c_char,
) -> *const c_char {
    // SAFETY: see above.
    let key = unsafe { arg::text(key) };
    edge::guard(default, || {
        let options = config::options();
        let value = key.and_then(|key| options.as_deref()?.get(key));
        value.map_or(default, CStr::as_ptr)
    })
}

/// Forgets the options of this process.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn sasl_config_done() {
    edge::guard((), || config::set_options(None));
}

symver!(
    sasl_encode64,
    sasl_decode64,
    sasl_mkchal,
    sasl_utf8verify,
    sasl_randcreate,
    sasl_randfree,
    sasl_randseed,
    sasl_rand,
    sasl_churn,
    sasl_erasebuffer,
    sasl_strlower,
    sasl_config_init,
    sasl_config_getstring,
    sasl_config_done,
);

#[cfg(test)]
mod tests;
