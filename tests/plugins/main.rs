// SPDX-License-Identifier: MIT OR Apache-2.0
//! Plugins across the border: the distribution's in our library, ours in the
//! distribution's. Real exchanges, right and wrong password; the memory map
//! proves whose code ran.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod lists;
mod mechanisms;
mod place;
mod stores;
mod viewer;
