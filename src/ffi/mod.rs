// SPDX-License-Identifier: MIT OR Apache-2.0
//! The edge: the only place of this crate where unsafe code lives.
//!
//! An export has three visible parts: *decode* (arguments through [`arg`], the
//! only unsafe lines, each with the promise of the header that makes it true),
//! *run* (safe code inside [`edge`], which stops panics and owns the conversion
//! to a result code), *encode* (through [`arg::Out`]). Inward exports are named
//! by the header that declares them, outward calls by what they call.
#![allow(unsafe_code, reason = "the edge")]

/// Gives an export its version, as the dynamic linker wants it.
macro_rules! symver {
    ($($name:ident),+ $(,)?) => {
        $(#[cfg(not(any(test, fuzzing)))]
        core::arch::global_asm!(concat!(
            ".symver ", stringify!($name), ",", stringify!($name), "@@@SASL2"
        ));)+
    };
}

pub(crate) mod application;
pub(crate) mod arg;
pub(crate) mod callbacks;
pub(crate) mod conn;
pub(crate) mod edge;
pub(crate) mod errors;
pub(crate) mod forks;
pub(crate) mod md5;
pub(crate) mod memory;
pub(crate) mod os;
pub(crate) mod params;
pub(crate) mod plugin;
pub(crate) mod plugin_info;
pub(crate) mod prompts;
pub(crate) mod prop;
pub(crate) mod sasl;
pub(crate) mod saslplug;
pub(crate) mod saslutil;
pub(crate) mod utils;
pub(crate) mod variadic;
