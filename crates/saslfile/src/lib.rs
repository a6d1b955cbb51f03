// SPDX-License-Identifier: MIT OR Apache-2.0
//! The password file of SASL (`/etc/sasldb2`): a Berkeley DB 5.3 hash file or an
//! LMDB file, told apart by content.
//!
//! A record's key is `user NUL realm NUL property`, its value the property's
//! bytes. Reading is done by code of our own with `pread` alone, so a damaged
//! file, a fork or a writer in the middle of its work can do no harm. Writing
//! is done by the libraries that own the formats, on a copy that then takes
//! the file's place (docs/decisions/sasldb.md).

mod bytes;
mod database;
mod ffi;
mod format;
mod key;
mod scan;
mod update;

pub use database::{Database, Options};
pub use format::Kind;
pub use key::{Key, LONGEST_VALUE};
pub use update::Change;

/// Where the file is unless an option says otherwise.
pub const DEFAULT_PATH: &str = "/etc/sasldb2";

/// Reads the records of a file's image, as a fuzzer does; the number of records.
///
/// # Errors
/// What is wrong with the image.
pub fn check(image: &[u8]) -> saslplug::Result<usize> {
    let mut count = 0usize;
    scan::records(image, &mut |_, _| count = count.saturating_add(1))?;
    Ok(count)
}
