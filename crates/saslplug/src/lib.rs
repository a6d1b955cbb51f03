// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Rust twin of `saslplug.h`, used by the library and by every plugin.
//!
//! [`raw`] mirrors the C structures and constants and holds no logic. [`Code`],
//! [`Error`] and [`Secret`] are the words that both sides share; [`Auxprop`],
//! [`CanonUser`] and [`Verify`] are what a plugin can be, [`Host`] is what it
//! may ask. This crate exports no symbol by itself.
//!
//! A plugin is a `cdylib` with a type that implements [`export::Load`] and one of
//! the traits, and a line with the macro that makes its entry points:
//!
//! ```
//! use core::ffi::CStr;
//! use saslplug::export::Load;
//! use saslplug::{Auxprop, Code, Error, Found, Host, Query, Result, Secret};
//! use std::sync::Arc;
//!
//! /// One user, known to everybody.
//! struct Guest;
//!
//! impl Load for Guest {
//!     const NAME: &'static str = "guest";
//!     fn load(_: &dyn Host) -> Result<Arc<Self>> {
//!         Ok(Arc::new(Guest))
//!     }
//! }
//!
//! impl Auxprop for Guest {
//!     fn name(&self) -> &CStr {
//!         c"guest"
//!     }
//!     fn lookup(&self, _: &dyn Host, query: &Query<'_>) -> Result<Found> {
//!         if query.user != b"guest" {
//!             return Err(Error::new(Code::NOUSER, "there is only guest"));
//!         }
//!         let found = query.names.iter().position(|name| *name == c"userPassword");
//!         let values = vec![Secret::new(b"welcome".to_vec())];
//!         Ok(Found(found.into_iter().map(|at| (at, values.clone())).collect()))
//!     }
//! }
//!
//! saslplug::export_auxprop!(Guest, guest_auxprop_plug_init, features = 0);
//! ```
//!
//! `examples/auxprop` is a package that does a little more, and `docs/plugins.md`
//! says what a lookup gets and gives.

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
pub use secret::{Password, Secret};
