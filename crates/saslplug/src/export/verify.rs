// SPDX-License-Identifier: MIT OR Apache-2.0
//! A [`Verify`] as a `sasl_auxprop_verify_plug_t`, this project's extension.
#![allow(unsafe_code, reason = "the edge of a plugin: C calls in")]

use super::{Load, bytes, guard, tell, version_fits};
use crate::raw::{
    SASL_AUXPROP_VERIFY_PLUG_VERSION, sasl_auxprop_verify_plug_t, sasl_server_params_t,
    sasl_utils_t,
};
use crate::utils::Utils;
use crate::{Code, Secret, Verify};
use core::ffi::{c_char, c_int, c_uint, c_void};
use std::ffi::CString;
use std::sync::Arc;

/// What the host holds: its table first, then what the table points to.
struct Holder<T> {
    plug: sasl_auxprop_verify_plug_t,
    name: CString,
    provider: Arc<T>,
}

/// Body of `sasl_auxprop_verify_plug_init`.
///
/// # Safety
/// `utils` fulfils the promise of [`Utils::global`]; the out-pointers are NULL
/// or writable.
pub unsafe fn verify_init<T: Verify + Load>(
    utils: *const sasl_utils_t,
    max_version: c_int,
    out_version: *mut c_int,
    plug: *mut *mut sasl_auxprop_verify_plug_t,
    features: c_int,
) -> c_int {
    // SAFETY: our caller's promise.
    let Some(host) = (unsafe { Utils::global(utils) }) else {
        return Code::BADPARAM.0;
    };
    if out_version.is_null() || plug.is_null() {
        return Code::BADPARAM.0;
    }
    guard(Some(&host), T::NAME, || {
        if !version_fits(
            &host,
            T::NAME,
            max_version,
            SASL_AUXPROP_VERIFY_PLUG_VERSION,
        ) {
            return Code::BADVERS.0;
        }
        let provider = match T::load(&host) {
            Ok(provider) => provider,
            Err(error) => return tell(&host, T::NAME, &error),
        };
        provider.verifier_loaded();
        let table = Box::into_raw(holder(provider, features));
        // SAFETY: `table` was just made; the out-pointers are writable.
        unsafe {
            (*table).plug.glob_context = table.cast();
            *out_version = SASL_AUXPROP_VERIFY_PLUG_VERSION;
            *plug = &raw mut (*table).plug;
        }
        Code::OK.0
    })
}

fn holder<T: Verify>(provider: Arc<T>, features: c_int) -> Box<Holder<T>> {
    let name = provider.name().to_owned();
    let plug = sasl_auxprop_verify_plug_t {
        features,
        spare_int1: 0,
        glob_context: core::ptr::null_mut(),
        name: name.as_ptr(),
        verify_free: Some(free::<T>),
        verify: Some(verify::<T>),
        shows_secrets: Some(shows_secrets::<T>),
        spare_fptr1: None,
        spare_fptr2: None,
    };
    Box::new(Holder {
        plug,
        name,
        provider,
    })
}

/// Called by the host once, when it forgets the plugin.
unsafe extern "C" fn free<T: Verify>(context: *mut c_void, _utils: *const sasl_utils_t) {
    if context.is_null() {
        return;
    }
    guard(None, "plugin", || {
        // SAFETY: the context that `verify_init` made; the host frees it once.
        drop(unsafe { Box::from_raw(context.cast::<Holder<T>>()) });
        0
    });
}

unsafe extern "C" fn verify<T: Verify>(
    context: *mut c_void,
    params: *mut sasl_server_params_t,
    _flags: c_uint,
    user: *const c_char,
    user_len: c_uint,
    pass: *const c_char,
    pass_len: c_uint,
) -> c_int {
    // SAFETY: our extension's promise: our own context, the connection's
    // params, and buffers that cover their lengths.
    let (holder, host, user, password) = unsafe {
        (
            context.cast::<Holder<T>>().as_ref(),
            Utils::server(params),
            bytes(user, user_len),
            Secret::from(bytes(pass, pass_len)),
        )
    };
    let (Some(holder), Some(host)) = (holder, host) else {
        return Code::BADPARAM.0;
    };
    let plugin = holder.name.to_str().unwrap_or("plugin");
    guard(Some(&host), plugin, || {
        match holder.provider.verify(&host, user, &password) {
            Ok(()) => Code::OK.0,
            Err(error) => match tell(&host, plugin, &error) {
                // Only Ok(()) may say yes.
                0.. => Code::FAIL.0,
                code => code,
            },
        }
    })
}

unsafe extern "C" fn shows_secrets<T: Verify>(
    context: *mut c_void,
    params: *mut sasl_server_params_t,
) -> c_int {
    // SAFETY: our extension's promise: our own context, the connection's params.
    let (holder, host) = unsafe { (context.cast::<Holder<T>>().as_ref(), Utils::server(params)) };
    let (Some(holder), Some(host)) = (holder, host) else {
        return 1;
    };
    guard(Some(&host), "plugin", || {
        c_int::from(holder.provider.shows_secrets(&host))
    })
}
