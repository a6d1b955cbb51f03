// SPDX-License-Identifier: MIT OR Apache-2.0
//! An [`Auxprop`] as a `sasl_auxprop_plug_t`.
#![allow(unsafe_code, reason = "the edge of a plugin: C calls in")]

use super::{Load, bytes, guard, tell, version_fits};
use crate::raw::{
    SASL_AUXPROP_AUTHZID, SASL_AUXPROP_OVERRIDE, SASL_AUXPROP_PLUG_VERSION,
    SASL_AUXPROP_VERIFY_AGAINST_HASH, propctx, sasl_auxprop_plug_t, sasl_server_params_t,
    sasl_utils_t,
};
use crate::utils::Utils;
use crate::{Auxprop, Code, Handle, Host, Identity, Level, Query};
use core::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ffi::CString;
use std::sync::Arc;

/// What the host holds: its table first, then what the table points to.
struct Holder<T> {
    plug: sasl_auxprop_plug_t,
    name: CString,
    provider: Arc<T>,
}

/// Body of `sasl_auxprop_plug_init`.
///
/// # Safety
/// `utils` fulfils the promise of [`Utils::global`]; the out-pointers are NULL
/// or writable.
pub unsafe fn auxprop_init<T: Auxprop + Load>(
    utils: *const sasl_utils_t,
    max_version: c_int,
    out_version: *mut c_int,
    plug: *mut *mut sasl_auxprop_plug_t,
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
        if !version_fits(&host, T::NAME, max_version, SASL_AUXPROP_PLUG_VERSION) {
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
            *out_version = SASL_AUXPROP_PLUG_VERSION;
            *plug = &raw mut (*table).plug;
        }
        Code::OK.0
    })
}

fn holder<T: Auxprop>(provider: Arc<T>, features: c_int) -> Box<Holder<T>> {
    let name = provider.name().to_owned();
    let plug = sasl_auxprop_plug_t {
        features,
        spare_int1: 0,
        glob_context: core::ptr::null_mut(),
        auxprop_free: Some(free::<T>),
        auxprop_lookup: Some(lookup::<T>),
        name: name.as_ptr().cast_mut(),
        auxprop_store: Some(store::<T>),
    };
    Box::new(Holder {
        plug,
        name,
        provider,
    })
}

/// Called by the host once, when it forgets the plugin.
unsafe extern "C" fn free<T: Auxprop>(context: *mut c_void, _utils: *const sasl_utils_t) {
    if context.is_null() {
        return;
    }
    guard(None, "plugin", || {
        // SAFETY: the context that `auxprop_init` made; the host frees it once.
        drop(unsafe { Box::from_raw(context.cast::<Holder<T>>()) });
        0
    });
}

unsafe extern "C" fn lookup<T: Auxprop>(
    context: *mut c_void,
    params: *mut sasl_server_params_t,
    flags: c_uint,
    user: *const c_char,
    len: c_uint,
) -> c_int {
    // SAFETY: saslplug.h: our own context, the connection's params, `len` bytes.
    let (holder, host, user) = unsafe {
        (
            context.cast::<Holder<T>>().as_ref(),
            Utils::server(params),
            bytes(user, len),
        )
    };
    let (Some(holder), Some(host)) = (holder, host) else {
        return Code::BADPARAM.0;
    };
    let plugin = holder.name.to_str().unwrap_or("plugin");
    guard(Some(&host), plugin, || {
        answer(&*holder.provider, plugin, &host, flags, user)
    })
}

/// The filter loop, the question, the values.
fn answer(
    provider: &dyn Auxprop,
    plugin: &str,
    host: &Utils<'_>,
    flags: c_uint,
    user: &[u8],
) -> c_int {
    let wanted = permitted(host.requested(), flags);
    let names: Vec<&CStr> = wanted.iter().filter_map(|(name, _)| bare(name)).collect();
    let query = Query {
        user,
        identity: if flags & SASL_AUXPROP_AUTHZID == 0 {
            Identity::Authid
        } else {
            Identity::Authzid
        },
        names: &names,
        against_hash: flags & SASL_AUXPROP_VERIFY_AGAINST_HASH != 0,
    };
    let found = match provider.lookup(host, &query) {
        Ok(found) => found,
        Err(error) => return tell(host, plugin, &error),
    };
    for (index, values) in &found.0 {
        let Some((name, had_values)) = wanted.get(*index) else {
            continue;
        };
        if values.is_empty() {
            continue;
        }
        let code = host.put(name, values, *had_values);
        if code != 0 {
            return code;
        }
    }
    Code::OK.0
}

/// The properties that this lookup may fill: starred names belong to the
/// authentication identity, the others to the authorization identity; values
/// that are there stay unless the host wants them replaced.
fn permitted(requested: Vec<(CString, bool)>, flags: c_uint) -> Vec<(CString, bool)> {
    let authzid = flags & SASL_AUXPROP_AUTHZID != 0;
    let replace = flags & SASL_AUXPROP_OVERRIDE != 0;
    requested
        .into_iter()
        .filter(|(name, has_values)| {
            let starred = name.to_bytes().first() == Some(&b'*');
            starred != authzid && (!has_values || replace)
        })
        .collect()
}

/// The name without its star.
fn bare(name: &CStr) -> Option<&CStr> {
    let bytes = name.to_bytes_with_nul();
    CStr::from_bytes_with_nul(bytes.strip_prefix(b"*").unwrap_or(bytes)).ok()
}

unsafe extern "C" fn store<T: Auxprop>(
    context: *mut c_void,
    params: *mut sasl_server_params_t,
    properties: *mut propctx,
    user: *const c_char,
    len: c_uint,
) -> c_int {
    // SAFETY: saslplug.h: our own context, the connection's params, `len` bytes.
    let (holder, host, user) = unsafe {
        (
            context.cast::<Holder<T>>().as_ref(),
            Utils::server(params),
            bytes(user, len),
        )
    };
    let Some(holder) = holder else {
        return Code::BADPARAM.0;
    };
    let plugin = holder.name.to_str().unwrap_or("plugin");
    guard(host.as_ref(), plugin, || {
        // A NULL context asks whether the plugin can store at all; a library
        // without a connection asks with NULL params too.
        let asker: &dyn Host = host.as_ref().map_or(&Nobody, |host| host);
        if !holder.provider.can_store(asker) {
            return Code::CONSTRAINT_VIOLAT.0;
        }
        if properties.is_null() {
            return Code::OK.0;
        }
        let Some(host) = &host else {
            return Code::BADPARAM.0;
        };
        // SAFETY: saslplug.h: a live property context.
        let named = unsafe { host.stored(properties) };
        let named: Vec<(&CStr, &[crate::Secret])> = named
            .iter()
            .map(|(name, values)| (name.as_c_str(), values.as_slice()))
            .collect();
        match holder.provider.store(host, user, &named) {
            Ok(()) => Code::OK.0,
            Err(error) => tell(host, plugin, &error),
        }
    })
}

/// A host that has nothing to say.
struct Nobody;

impl Host for Nobody {
    fn option(&self, _: &str, _: &str) -> Option<String> {
        None
    }
    fn property(&self, _: &CStr) -> Vec<crate::Secret> {
        Vec::new()
    }
    fn log(&self, _: Level, _: core::fmt::Arguments<'_>) {}
    fn handle(&self) -> Handle {
        Handle::NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[(&CStr, bool)], flags: c_uint) -> Vec<String> {
        let list = list
            .iter()
            .map(|(name, has)| ((*name).to_owned(), *has))
            .collect();
        permitted(list, flags)
            .iter()
            .map(|(name, _)| name.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn stars_belong_to_the_authentication_identity() {
        let list = [(c"*userPassword", false), (c"mail", false)];
        assert_eq!(names(&list, 0), ["*userPassword"]);
        assert_eq!(names(&list, SASL_AUXPROP_AUTHZID), ["mail"]);
    }

    #[test]
    fn values_stay_unless_overridden() {
        let list = [(c"*a", true), (c"*b", false)];
        assert_eq!(names(&list, 0), ["*b"]);
        assert_eq!(names(&list, SASL_AUXPROP_OVERRIDE), ["*a", "*b"]);
    }

    #[test]
    fn the_star_is_no_part_of_the_name() {
        assert_eq!(bare(c"*mail"), Some(c"mail"));
        assert_eq!(bare(c"mail"), Some(c"mail"));
        assert_eq!(bare(c"*"), Some(c""));
    }
}
