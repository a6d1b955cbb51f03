// SPDX-License-Identifier: MIT OR Apache-2.0
//! C arguments become Rust values here, and results go back: the only place
//! that dereferences what a caller passed.
//!
//! The functions are unsafe because the caller of the library promises, in
//! the header, what a pointer covers; each `# Safety` section repeats the
//! promise in std's terms. NULL is always allowed and becomes `None`.

use crate::propctx::PropCtx;
use core::ffi::{CStr, c_char, c_uint};
use core::ptr::NonNull;
use saslplug::raw::propctx;
use std::borrow::Cow;

/// A C string.
///
/// # Safety
/// `text` is NULL or points to a NUL-terminated string that lives and does not
/// change for `'a`.
pub(crate) unsafe fn text<'a>(text: *const c_char) -> Option<&'a CStr> {
    // SAFETY: not NULL here; the rest is our caller's promise.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
}

/// A string for Rust; quick for what is UTF-8, as nearly all is.
pub(crate) fn lossy(text: &CStr) -> Cow<'_, str> {
    match text.to_str() {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => text.to_string_lossy(),
    }
}

/// Bytes with a length.
///
/// # Safety
/// `data` is NULL or covers `len` readable bytes that do not change for `'a`.
pub(crate) unsafe fn bytes<'a>(data: *const c_char, len: c_uint) -> Option<&'a [u8]> {
    let data = NonNull::new(data.cast_mut().cast::<u8>())?;
    // SAFETY: not NULL, and our caller promises `len` bytes.
    Some(unsafe { core::slice::from_raw_parts(data.as_ptr(), len as usize) })
}

/// Bytes with a length, or a string if the length is 0.
///
/// # Safety
/// As [`bytes`], and as [`text`] if `len` is 0.
pub(crate) unsafe fn bytes_or_text<'a>(data: *const c_char, len: c_uint) -> Option<&'a [u8]> {
    if len == 0 {
        // SAFETY: our caller's promise.
        return unsafe { text(data) }.map(CStr::to_bytes);
    }
    // SAFETY: our caller's promise.
    unsafe { bytes(data, len) }
}

/// A C string, at most `limit` bytes of it.
///
/// # Safety
/// `text` is NULL or points to readable bytes up to a NUL or to `limit`,
/// whichever comes first, that do not change for `'a`.
pub(crate) unsafe fn text_within<'a>(text: *const c_char, limit: usize) -> Option<&'a [u8]> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not NULL; strnlen reads no further than our caller promises.
    let len = unsafe { libc::strnlen(text, limit) };
    // SAFETY: strnlen has just read these bytes.
    Some(unsafe { core::slice::from_raw_parts(text.cast(), len) })
}

/// A buffer that C wants filled. NULL becomes `None`.
///
/// # Safety
/// `data` is NULL or valid for writes of `len` bytes for `'a`, initialised, and
/// nothing else reads or writes them meanwhile.
pub(crate) unsafe fn buffer<'a>(data: *mut c_char, len: c_uint) -> Option<&'a mut [u8]> {
    let data = NonNull::new(data.cast::<u8>())?;
    // SAFETY: not NULL, and our caller promises `len` bytes of its own.
    Some(unsafe { core::slice::from_raw_parts_mut(data.as_ptr(), len as usize) })
}

/// Whether two ranges share a byte.
pub(crate) fn overlap(a: *const c_char, a_len: c_uint, b: *const c_char, b_len: c_uint) -> bool {
    let (a, b) = (a.addr(), b.addr());
    a < b.saturating_add(b_len as usize) && b < a.saturating_add(a_len as usize)
}

/// An array of C strings that ends with NULL, as an iterator.
///
/// # Safety
/// `array` is NULL or points to strings followed by NULL; array and strings
/// live and do not change for `'a`.
pub(crate) unsafe fn texts<'a>(
    array: *const *const c_char,
) -> Option<impl Iterator<Item = &'a CStr> + Clone> {
    let mut at = NonNull::new(array.cast_mut())?;
    Some(core::iter::from_fn(move || {
        // SAFETY: `at` has not passed the NULL that our caller promises.
        let item = unsafe { text(at.read()) }?;
        // SAFETY: there is one more element, at least the NULL.
        at = unsafe { at.add(1) };
        Some(item)
    }))
}

/// A structure to read and write.
///
/// # Safety
/// `target` is NULL or points to an initialised `T` that nothing else uses
/// for `'a`.
pub(crate) unsafe fn exclusive<'a, T>(target: *mut T) -> Option<&'a mut T> {
    // SAFETY: our caller's promise.
    unsafe { target.as_mut() }
}

/// A property context that `prop_new` or a server connection handed out.
///
/// # Safety
/// `context` is NULL or came from this library and was not disposed of.
pub(crate) unsafe fn propctx<'a>(context: *const propctx) -> Option<&'a PropCtx> {
    // SAFETY: our caller's promise; only shared references are ever made.
    unsafe { context.cast::<PropCtx>().as_ref() }
}

/// A result pointer: NULL or writable.
pub(crate) struct Out<T>(*mut T);

impl<T> Out<T> {
    /// # Safety
    /// `target` is NULL or valid for writes of a `T` as long as the `Out` lives.
    pub(crate) unsafe fn new(target: *mut T) -> Self {
        Self(target)
    }

    /// Whether the caller wants no result.
    pub(crate) fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// Stores `value`, unless the pointer is NULL. What was there is not dropped.
    pub(crate) fn set(&self, value: T) {
        if !self.0.is_null() {
            // SAFETY: not NULL; the constructor's promise.
            unsafe { self.0.write(value) }
        }
    }
}
