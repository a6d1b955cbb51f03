// SPDX-License-Identifier: MIT OR Apache-2.0
//! A drop-in `libsasl2.so.2`: the C interface of libsasl2 2.1.28 over a safe
//! core. `docs/architecture.md` shows the rooms.

mod application;
mod canonuser;
mod checkpass;
mod client;
mod config;
mod connection;
mod encoding;
mod ffi;
mod format;
#[cfg(fuzzing)]
#[path = "../tests/fuzz/doors/library.rs"]
pub mod fuzz;
mod identity;
mod layer;
mod library;
mod lookup;
mod md5;
mod mechanisms;
mod propctx;
mod random;
mod registry;
mod select;
mod server;
mod setpass;
mod token;
