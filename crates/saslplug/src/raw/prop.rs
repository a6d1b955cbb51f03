// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mirror of `prop.h`.

use core::ffi::{c_char, c_uint};

/// One property as `prop_get` shows it; an array ends with `name` NULL.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct propval {
    pub name: *const c_char,
    /// NULL-terminated array of values, or NULL.
    pub values: *mut *const c_char,
    pub nvalues: c_uint,
    /// Sum of the values' lengths without their NULs.
    pub valsize: c_uint,
}

/// Opaque: the property context.
#[repr(C)]
#[derive(Debug)]
pub struct propctx {
    _opaque: [u8; 0],
}

pub const PROP_DEFAULT: usize = 4;
