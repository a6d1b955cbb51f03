// SPDX-License-Identifier: MIT OR Apache-2.0
//! Real programs with the library under test: Cyrus IMAP, memcached and the
//! distribution's tools and sample programs, each on stock (which proves the
//! recipe) and on ours. Start, drive, stop; the servers come from `tests/lab`.
//! More of OpenLDAP is in `tests/interop`.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may end with a panic, in its helpers too"
)]

mod cyrus_imap;
mod directories;
mod memcached;
mod openldap;
mod passwords;
mod pluginviewer;
mod sample;
mod saslauthd;
