// SPDX-License-Identifier: MIT OR Apache-2.0
//! A drop-in `libsasl2.so.2`: the C interface of libsasl2 2.1.28 over a safe
//! core. `docs/architecture.md` shows the rooms.

#[allow(dead_code, reason = "being built")]
mod config;
mod encoding;
#[allow(dead_code, reason = "being built")]
mod ffi;
mod format;
mod md5;
#[allow(dead_code, reason = "being built")]
mod propctx;
mod random;
