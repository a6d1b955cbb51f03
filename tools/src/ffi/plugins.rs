// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the library knows of plugins: their names, and its own listing.
#![allow(unsafe_code, reason = "the edge to the library in C")]

use super::{auxprop_plugin_info, sasl_client_plugin_info, sasl_server_plugin_info};
use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr::{null, null_mut};
use saslplug::raw::{client_sasl_mechanism_t, sasl_auxprop_plug_t, server_sasl_mechanism_t};

/// Collects names during a `*_plugin_info`.
unsafe fn collect(rock: *mut c_void, stage: c_int, name: *const c_char) {
    const MECH: c_int = 1;
    // SAFETY: the rock is the list of our caller.
    let names = unsafe { rock.cast::<Vec<String>>().as_mut() };
    if let (Some(names), MECH, false) = (names, stage, name.is_null()) {
        // SAFETY: saslplug.h: a C string.
        names.push(
            unsafe { CStr::from_ptr(name) }
                .to_string_lossy()
                .into_owned(),
        );
    }
}

unsafe extern "C" fn auxprop_name(info: *mut sasl_auxprop_plug_t, stage: c_int, rock: *mut c_void) {
    // SAFETY: saslplug.h: NULL or a plugin's structure.
    unsafe {
        collect(
            rock,
            stage,
            info.as_ref().map_or(null(), |info| info.name.cast_const()),
        )
    }
}

unsafe extern "C" fn server_name(
    info: *mut server_sasl_mechanism_t,
    stage: c_int,
    rock: *mut c_void,
) {
    // SAFETY: saslplug.h: NULL or a mechanism with its structure.
    unsafe {
        let plug = info.as_ref().and_then(|info| info.plug.as_ref());
        collect(rock, stage, plug.map_or(null(), |plug| plug.mech_name));
    }
}

unsafe extern "C" fn client_name(
    info: *mut client_sasl_mechanism_t,
    stage: c_int,
    rock: *mut c_void,
) {
    // SAFETY: saslplug.h: NULL or a mechanism with its structure.
    unsafe {
        let plug = info.as_ref().and_then(|info| info.plug.as_ref());
        collect(rock, stage, plug.map_or(null(), |plug| plug.mech_name));
    }
}

/// What a `*_plugin_info` is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// Property stores.
    Auxprop,
    /// Server mechanisms.
    Server,
    /// Client mechanisms.
    Client,
}

/// The names of all plugins or mechanisms of a kind.
pub(crate) fn names(about: About) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let rock = (&raw mut names).cast();
    // SAFETY: saslplug.h: NULL is every one; the rock lives during the call.
    unsafe {
        match about {
            About::Auxprop => auxprop_plugin_info(null(), Some(auxprop_name), rock),
            About::Server => sasl_server_plugin_info(null(), Some(server_name), rock),
            About::Client => sasl_client_plugin_info(null(), Some(client_name), rock),
        };
    }
    names
}

/// Lets the library print what it knows of the plugins in `list` (all without).
pub(crate) fn print(about: About, list: Option<&CStr>) {
    let list = list.map_or(null(), CStr::as_ptr);
    // SAFETY: saslplug.h: without a callback the library prints; `fflush(NULL)`
    // puts its lines before ours that follow.
    unsafe {
        match about {
            About::Auxprop => auxprop_plugin_info(list, None, null_mut()),
            About::Server => sasl_server_plugin_info(list, None, null_mut()),
            About::Client => sasl_client_plugin_info(list, None, null_mut()),
        };
        libc::fflush(null_mut());
    }
}
