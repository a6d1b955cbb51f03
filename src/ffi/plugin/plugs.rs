// SPDX-License-Identifier: MIT OR Apache-2.0
//! The structures that one entry of a mechanism plugin gives: what server and
//! client plugins have in common. They are cleaned up together, when the last
//! mechanism of the entry goes.

use crate::ffi::arg;
use crate::ffi::plugin::loader::Loaded;
use crate::ffi::utils;
use crate::library;
use core::ffi::{CStr, c_char, c_int, c_uint, c_void};
use mech::{Features, MechInfo, Security};
use saslplug::raw::{sasl_ssf_t, sasl_utils_t};
use saslplug::{Code, Error, Level, Result};
use std::borrow::Cow;
use std::sync::Arc;

/// More mechanisms than this in one plugin are a mistake.
const MOST: usize = 256;

/// The fields that `sasl_server_plug_t` and `sasl_client_plug_t` share.
pub(super) struct Common {
    /// `mech_name`.
    pub(super) name: *const c_char,
    /// `max_ssf`.
    pub(super) max_ssf: sasl_ssf_t,
    /// `security_flags`.
    pub(super) security_flags: c_uint,
    /// `features`.
    pub(super) features: c_uint,
    /// Whether the functions without which it cannot work are there.
    pub(super) complete: bool,
    /// `glob_context`.
    pub(super) glob_context: *mut c_void,
    /// `mech_free`.
    pub(super) free: Option<unsafe extern "C" fn(*mut c_void, *const sasl_utils_t)>,
}

/// A structure of one of the two kinds.
pub(super) trait Structure {
    /// What both kinds have.
    fn common(&self) -> Common;
}

/// The structures of one entry, and the file that they lie in.
pub(super) struct Plugs<T: Structure> {
    /// Each valid as long as this lives.
    pub(super) list: Vec<*const T>,
    _library: Option<Arc<Loaded>>,
}

// SAFETY: saslplug.h: a plugin's structures do not change after its init, and
// the plugin answers for calls from several threads.
unsafe impl<T: Structure> Send for Plugs<T> {}
// SAFETY: as above.
unsafe impl<T: Structure> Sync for Plugs<T> {}

impl<T: Structure> Plugs<T> {
    /// Takes the `count` structures from `list` on. `library` keeps the file
    /// mapped.
    ///
    /// # Errors
    /// `BADPARAM` when there is none.
    pub(super) fn new(
        list: *mut T,
        count: c_int,
        library: Option<Arc<Loaded>>,
    ) -> Result<Arc<Self>> {
        let count = usize::try_from(count).unwrap_or(0);
        if list.is_null() || count == 0 {
            return Err(Error::new(Code::BADPARAM, "the plugin gives no mechanism"));
        }
        let list = (0..count.min(MOST))
            .map(|at| list.cast_const().wrapping_add(at))
            .collect();
        Ok(Arc::new(Self {
            list,
            _library: library,
        }))
    }

    /// The mechanisms that can be used; what is wrong with others is logged.
    ///
    /// # Errors
    /// `BADPARAM` when there is none, with the reason of the last.
    pub(super) fn usable(&self, plugin: &CStr) -> Result<Vec<(MechInfo, *const T)>> {
        let mut found = Vec::new();
        let mut wrong = None;
        for plug in &self.list {
            // SAFETY: saslplug.h: each is valid as long as this lives.
            match describe(unsafe { &**plug }) {
                Ok(info) => found.push((info, *plug)),
                Err(why) => wrong = Some(why),
            }
        }
        match wrong {
            Some(why) if found.is_empty() => Err(Error::new(Code::BADPARAM, why)),
            Some(why) => {
                let plugin = plugin.to_string_lossy();
                let message = format_args!("plugin {plugin}: {why}; it is passed over");
                library::current().log(Level::Err, message);
                Ok(found)
            }
            None => Ok(found),
        }
    }
}

impl<T: Structure> Drop for Plugs<T> {
    fn drop(&mut self) {
        for plug in &self.list {
            // SAFETY: valid as long as the plugin is loaded, which `_library`
            // sees to until after this.
            let common = unsafe { &**plug }.common();
            if let Some(free) = common.free {
                // SAFETY: saslplug.h: called once, at the end.
                unsafe { free(common.glob_context, utils::global()) }
            }
        }
    }
}

/// The mechanism's line.
///
/// # Errors
/// What makes the structure useless.
fn describe(plug: &impl Structure) -> core::result::Result<MechInfo, &'static str> {
    let common = plug.common();
    // SAFETY: saslplug.h: NULL or a string, valid as the structure is.
    let name = unsafe { arg::text(common.name) }.and_then(|name| name.to_str().ok());
    let name = name
        .filter(|name| is_name(name))
        .ok_or("a mechanism has no name, or one that no list can carry")?;
    if !common.complete {
        return Err("a mechanism lacks mech_new or mech_step");
    }
    Ok(MechInfo {
        name: Cow::Owned(name.to_owned()),
        max_ssf: common.max_ssf,
        security: Security::from_bits_retain(common.security_flags),
        features: Features::from_bits_retain(common.features),
    })
}

/// Letters, digits, `-` and `_` (RFC 4422 section 3.1), small ones too; longer
/// than the 20 bytes there only as far as a mistake can be told from a name.
fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !name.is_empty() && name.len() <= 64 && name.bytes().all(fits)
}
