// SPDX-License-Identifier: MIT OR Apache-2.0
//! The built-in canonicalisers: one file each, and this table.
#![forbid(unsafe_code)]

mod internal;

use core::ffi::CStr;
use saslplug::CanonUser;

/// The default.
pub(crate) static INTERNAL: &dyn CanonUser = &internal::Internal;

static TABLE: &[&dyn CanonUser] = &[INTERNAL];

/// The built-in canonicaliser of that name.
pub(crate) fn find(name: &CStr) -> Option<&'static dyn CanonUser> {
    TABLE.iter().copied().find(|known| known.name() == name)
}
