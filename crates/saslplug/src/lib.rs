// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Rust twin of `saslplug.h`, used by the library and by every plugin.
//!
//! [`raw`] mirrors the C structures and constants and holds no logic. [`Code`],
//! [`Error`] and [`Secret`] are the words that both sides share; [`Auxprop`],
//! [`CanonUser`] and [`Verify`] are what a plugin can be, [`Host`] is what it
//! may ask. This crate exports no symbol by itself.

mod error;
pub mod export;
pub mod provider;
#[allow(
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    reason = "the C header's own names"
)]
pub mod raw;
mod secret;
pub mod utils;

pub use error::{Code, Error, Result};
pub use provider::{Auxprop, CanonUser, Found, GssObjects, Handle, Host};
pub use provider::{Identity, Level, Query, Verify};
pub use secret::Secret;
