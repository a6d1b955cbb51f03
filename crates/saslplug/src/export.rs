// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes a `.so` that any libsasl2 of this ABI loads out of a Rust type.
//!
//! [`export_auxprop!`](crate::export_auxprop),
//! [`export_canonuser!`](crate::export_canonuser) and
//! [`export_verify!`](crate::export_verify) define the entry points. They check
//! versions, stop panics, choose the properties an identity may see, and write
//! values with the host's `prop_set`.
#![allow(unsafe_code, reason = "the edge of a plugin: C calls in")]

mod auxprop;
mod canonuser;
mod panics;
mod verify;

pub use auxprop::auxprop_init;
pub use canonuser::canonuser_init;
pub use verify::verify_init;

use crate::utils::Utils;
use crate::{Code, Error, Host, Level, Result};
use core::ffi::{c_char, c_int, c_uint};
use std::sync::Arc;

/// How a plugin comes to life when a host loads it.
pub trait Load: Sized {
    /// The plugin's name, for log lines before it is alive.
    const NAME: &'static str;

    /// The plugin for this host. Called once for each entry point; entry points
    /// that shall share state return the same object.
    ///
    /// # Errors
    /// Any code of `sasl.h`: the host then does without the plugin.
    fn load(host: &dyn Host) -> Result<Arc<Self>>;

    /// Told when the host asked for the verifier too: stock libsasl2 never does.
    fn verifier_loaded(&self) {}
}

/// Bytes of a name or a password.
///
/// # Safety
/// `data` is NULL or covers `len` readable bytes that do not change for `'a`.
unsafe fn bytes<'a>(data: *const c_char, len: c_uint) -> &'a [u8] {
    if data.is_null() || len == 0 {
        return &[];
    }
    // SAFETY: not NULL, and our caller promises `len` bytes.
    unsafe { core::slice::from_raw_parts(data.cast::<u8>(), len as usize) }
}

/// Tells the host why something failed and turns it into a code: the reason
/// for `sasl_errdetail`, and a log line unless the plugin wrote one.
pub fn tell(host: &Utils<'_>, plugin: &str, error: &Error) -> c_int {
    if !error.reason().is_empty() {
        host.set_error(error.reason());
        if !error.is_silent() {
            let level = match error.code() {
                Code::NOUSER | Code::BADAUTH | Code::NOAUTHZ => Level::Fail,
                _ => Level::Err,
            };
            host.log(level, format_args!("{plugin}: {}", error.reason()));
        }
    }
    error.code().0
}

/// Runs `body` behind the boundary that no panic crosses.
pub fn guard(host: Option<&Utils<'_>>, plugin: &str, body: impl FnOnce() -> c_int) -> c_int {
    panics::catch(body).unwrap_or_else(|text| {
        if let Some(host) = host {
            host.set_error("internal error of the plugin; see the log");
            host.log(Level::Err, format_args!("{plugin}: internal error: {text}"));
        }
        Code::FAIL.0
    })
}

/// Whether a host of version `max` can load a plugin of version `ours`.
pub fn version_fits(host: &Utils<'_>, plugin: &str, max: c_int, ours: c_int) -> bool {
    if max < ours {
        host.log(
            Level::Err,
            format_args!("{plugin}: this libsasl2 speaks plugin version {max}, the plugin {ours}"),
        );
    }
    max >= ours
}

/// Defines `sasl_auxprop_plug_init` and `$name` (the static-linking name) for a
/// type that is [`Load`] and [`Auxprop`](crate::Auxprop).
#[macro_export]
macro_rules! export_auxprop {
    ($plugin:ty, $name:ident, features = $features:expr) => {
        $crate::__entry!(
            sasl_auxprop_plug_init,
            $plugin,
            auxprop_init,
            sasl_auxprop_plug_t,
            $features
        );
        $crate::__entry!($name, $plugin, auxprop_init, sasl_auxprop_plug_t, $features);
    };
}

/// Defines `sasl_canonuser_init` and `$name` for a type that is [`Load`] and
/// [`CanonUser`](crate::CanonUser).
#[macro_export]
macro_rules! export_canonuser {
    ($plugin:ty, $name:ident) => {
        $crate::__entry!(
            sasl_canonuser_init,
            $plugin,
            canonuser_init,
            sasl_canonuser_plug_t,
            0
        );
        $crate::__entry!($name, $plugin, canonuser_init, sasl_canonuser_plug_t, 0);
    };
}

/// Defines `sasl_auxprop_verify_plug_init` for a type that is [`Load`] and
/// [`Verify`](crate::Verify).
#[macro_export]
macro_rules! export_verify {
    ($plugin:ty) => {
        $crate::__entry!(
            sasl_auxprop_verify_plug_init,
            $plugin,
            verify_init,
            sasl_auxprop_verify_plug_t,
            0
        );
    };
}

/// One entry point. Not for direct use.
#[doc(hidden)]
#[macro_export]
macro_rules! __entry {
    ($name:ident, $plugin:ty, $body:ident, $plug:ident, $features:expr) => {
        /// Entry point for libsasl2, as `saslplug.h` declares it.
        ///
        /// # Safety
        /// `utils` is the host's; the out-pointers are NULL or writable.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(
            utils: *const $crate::raw::sasl_utils_t,
            max_version: ::core::ffi::c_int,
            out_version: *mut ::core::ffi::c_int,
            plug: *mut *mut $crate::raw::$plug,
            _plugname: *const ::core::ffi::c_char,
        ) -> ::core::ffi::c_int {
            // SAFETY: the host's promise, handed on.
            unsafe {
                $crate::export::$body::<$plugin>(utils, max_version, out_version, plug, $features)
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_code() {
        assert_eq!(guard(None, "test", || panic!("on purpose")), Code::FAIL.0);
        assert_eq!(guard(None, "test", || Code::NOUSER.0), Code::NOUSER.0);
        let text = panics::catch(|| -> c_int { panic!("the reason") }).unwrap_err();
        assert!(text.contains("the reason"), "{text}");
    }
}
