// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Kerberos plugins with a real KDC: ours in stock libsasl2 and in ours,
//! against ours and against Debian's, both roles, all layers; and everything
//! that must not work. A test carries the messages between two programs, and
//! edits them where that is the point.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may end with a panic, in its helpers too"
)]

mod agreement;
mod attacks;
mod party;
mod refusals;
