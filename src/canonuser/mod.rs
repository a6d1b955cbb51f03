// SPDX-License-Identifier: MIT OR Apache-2.0
//! The built-in canonicalisers: one file each, and this table.
#![forbid(unsafe_code)]

pub(crate) mod internal;

use core::ffi::CStr;
use saslplug::CanonUser;

/// The default.
pub(crate) const INTERNAL: &CStr = c"INTERNAL";

static TABLE: &[&dyn CanonUser] = &[&internal::Internal];

/// The built-in canonicaliser of that name.
pub(crate) fn find(name: &CStr) -> Option<&'static dyn CanonUser> {
    TABLE.iter().copied().find(|known| known.name() == name)
}
