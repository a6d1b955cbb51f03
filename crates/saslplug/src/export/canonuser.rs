// SPDX-License-Identifier: MIT OR Apache-2.0
//! A [`CanonUser`] as a `sasl_canonuser_plug_t`.
#![allow(unsafe_code, reason = "the edge of a plugin: C calls in")]

use super::{Load, bytes, guard, tell, version_fits};
use crate::raw::{
    SASL_CANONUSER_PLUG_VERSION, SASL_CU_AUTHID, SASL_CU_AUTHZID, sasl_canonuser_plug_t,
    sasl_client_params_t, sasl_server_params_t, sasl_utils_t,
};
use crate::utils::Utils;
use crate::{CanonUser, Code, Identity, Result};
use core::ffi::{c_char, c_int, c_uint, c_void};
use std::ffi::CString;
use std::sync::Arc;

/// What the host holds: its table first, then what the table points to.
struct Holder<T> {
    plug: sasl_canonuser_plug_t,
    name: CString,
    provider: Arc<T>,
}

/// Where the canonical name goes.
struct Target {
    buffer: *mut c_char,
    max: c_uint,
    length: *mut c_uint,
}

impl Target {
    /// Writes `name` and a NUL after it.
    fn give(&self, name: &[u8]) -> c_int {
        let Ok(length) = c_uint::try_from(name.len()) else {
            return Code::BUFOVER.0;
        };
        if self.buffer.is_null() || self.length.is_null() {
            return Code::BADPARAM.0;
        }
        if length >= self.max {
            return Code::BUFOVER.0;
        }
        // SAFETY: saslplug.h: the buffer has room for `max` bytes, and
        // `length` + NUL is within; `name` is ours, so nothing overlaps.
        unsafe {
            self.buffer
                .cast::<u8>()
                .copy_from_nonoverlapping(name.as_ptr(), name.len());
            self.buffer.add(name.len()).write(0);
            self.length.write(length);
        }
        Code::OK.0
    }
}

/// Body of `sasl_canonuser_init`.
///
/// # Safety
/// `utils` fulfils the promise of [`Utils::global`]; the out-pointers are NULL
/// or writable.
pub unsafe fn canonuser_init<T: CanonUser + Load>(
    utils: *const sasl_utils_t,
    max_version: c_int,
    out_version: *mut c_int,
    plug: *mut *mut sasl_canonuser_plug_t,
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
        if !version_fits(&host, T::NAME, max_version, SASL_CANONUSER_PLUG_VERSION) {
            return Code::BADVERS.0;
        }
        let provider = match T::load(&host) {
            Ok(provider) => provider,
            Err(error) => return tell(&host, T::NAME, &error),
        };
        let table = Box::into_raw(holder(provider, features));
        // SAFETY: `table` was just made; the out-pointers are writable.
        unsafe {
            (*table).plug.glob_context = table.cast();
            *out_version = SASL_CANONUSER_PLUG_VERSION;
            *plug = &raw mut (*table).plug;
        }
        Code::OK.0
    })
}

fn holder<T: CanonUser>(provider: Arc<T>, features: c_int) -> Box<Holder<T>> {
    let name = provider.name().to_owned();
    let plug = sasl_canonuser_plug_t {
        features,
        spare_int1: 0,
        glob_context: core::ptr::null_mut(),
        name: name.as_ptr(),
        canon_user_free: Some(free::<T>),
        canon_user_server: Some(server::<T>),
        canon_user_client: Some(client::<T>),
        spare_fptr1: None,
        spare_fptr2: None,
        spare_fptr3: None,
    };
    Box::new(Holder {
        plug,
        name,
        provider,
    })
}

/// Called by the host once, when it forgets the plugin.
unsafe extern "C" fn free<T: CanonUser>(context: *mut c_void, _utils: *const sasl_utils_t) {
    if context.is_null() {
        return;
    }
    guard(None, "plugin", || {
        // SAFETY: the context that `canonuser_init` made; the host frees it once.
        drop(unsafe { Box::from_raw(context.cast::<Holder<T>>()) });
        0
    });
}

fn identity(flags: c_uint) -> Identity {
    match (flags & SASL_CU_AUTHID != 0, flags & SASL_CU_AUTHZID != 0) {
        (true, true) => Identity::Both,
        (false, true) => Identity::Authzid,
        _ => Identity::Authid,
    }
}

/// Asks `question` and writes its answer to `target`.
fn answer<T: CanonUser>(
    context: *mut c_void,
    host: Option<&Utils<'_>>,
    target: &Target,
    question: impl FnOnce(&T, &Utils<'_>) -> Result<Vec<u8>>,
) -> c_int {
    // SAFETY: saslplug.h: the context that `canonuser_init` made, still alive.
    let holder = unsafe { context.cast::<Holder<T>>().as_ref() };
    let (Some(holder), Some(host)) = (holder, host) else {
        return Code::BADPARAM.0;
    };
    let plugin = holder.name.to_str().unwrap_or("plugin");
    guard(Some(host), plugin, || {
        match question(&holder.provider, host) {
            Ok(name) => {
                let code = target.give(&name);
                if code == Code::BUFOVER.0 {
                    host.set_error("the canonical user name is too long for libsasl2");
                }
                code
            }
            Err(error) => tell(host, plugin, &error),
        }
    })
}

unsafe extern "C" fn server<T: CanonUser>(
    context: *mut c_void,
    params: *mut sasl_server_params_t,
    user: *const c_char,
    len: c_uint,
    flags: c_uint,
    out: *mut c_char,
    out_max: c_uint,
    out_len: *mut c_uint,
) -> c_int {
    // SAFETY: saslplug.h: the connection's params; `len` bytes. Copied, because
    // the host may pass its own result buffer.
    let (host, user) = unsafe { (Utils::server(params), bytes(user, len).to_vec()) };
    let target = Target {
        buffer: out,
        max: out_max,
        length: out_len,
    };
    answer::<T>(context, host.as_ref(), &target, |provider, host| {
        let name = provider.server(host, &user, identity(flags))?;
        Ok(name.into_owned())
    })
}

unsafe extern "C" fn client<T: CanonUser>(
    context: *mut c_void,
    params: *mut sasl_client_params_t,
    user: *const c_char,
    len: c_uint,
    flags: c_uint,
    out: *mut c_char,
    out_max: c_uint,
    out_len: *mut c_uint,
) -> c_int {
    // SAFETY: as in `server`.
    let (host, user) = unsafe { (Utils::client(params), bytes(user, len).to_vec()) };
    let target = Target {
        buffer: out,
        max: out_max,
        length: out_len,
    };
    answer::<T>(context, host.as_ref(), &target, |provider, host| {
        let name = provider.client(host, &user, identity(flags))?;
        Ok(name.into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_needs_room_for_its_nul() {
        let (mut buffer, mut length) = ([1 as c_char; 4], 0);
        let target = Target {
            buffer: buffer.as_mut_ptr(),
            max: 4,
            length: &mut length,
        };
        assert_eq!(target.give(b"abcd"), Code::BUFOVER.0);
        assert_eq!(target.give(b"abc"), Code::OK.0);
        assert_eq!(length, 3);
        assert_eq!(buffer[3], 0);
    }

    #[test]
    fn flags_name_the_identity() {
        assert_eq!(identity(1), Identity::Authid);
        assert_eq!(identity(2), Identity::Authzid);
        assert_eq!(identity(3), Identity::Both);
        assert_eq!(identity(0x10), Identity::Authid);
    }
}
