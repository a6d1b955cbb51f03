// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where passwords live: password files, SQL databases, saslauthd and
//! authdaemond, on stock libsasl2 and on ours, with stock's plugins and ours.
//! `accounts.c` drives them all through the public API.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may end with a panic, in its helpers too"
)]

mod accounts;
mod daemons;
mod imap;
mod jail;
mod sasldb;
mod secured;
mod sql;
mod tools;
