// SPDX-License-Identifier: MIT OR Apache-2.0
//! C arguments become Rust values here, and results go back: the only place
//! that dereferences what a caller passed.
//!
//! The functions are unsafe because the caller of the library promises, in
//! the header, what a pointer covers; each `# Safety` section repeats the
//! promise in std's terms. NULL is always allowed and becomes `None`.

use core::ffi::{CStr, c_char, c_uint};
use core::ptr::NonNull;

/// A C string.
///
/// # Safety
/// `text` is NULL or points to a NUL-terminated string that lives and does not
/// change for `'a`.
pub(crate) unsafe fn text<'a>(text: *const c_char) -> Option<&'a CStr> {
    // SAFETY: not NULL here; the rest is our caller's promise.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
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
