// SPDX-License-Identifier: MIT OR Apache-2.0
//! `sasl_utils_t` and the params structures, as a [`Host`] for plugins.
//!
//! Only fields are read; no symbol of the library is needed, so one file
//! serves any libsasl2 of this ABI. `version` is not looked at: stock leaves
//! it 0. Every text goes out through a constant `"%s"`.
#![allow(
    unsafe_code,
    reason = "the edge of a plugin: every call goes through a C pointer"
)]

use crate::raw::{
    SASL_NOLOG, propctx, propval, sasl_client_params_t, sasl_conn_t, sasl_server_params_t,
    sasl_utils_t,
};
use crate::{Handle, Host, Level, Secret};
use core::ffi::{CStr, c_char, c_int, c_uint};
use core::fmt;
use core::ptr::{null, null_mut};
use std::ffi::CString;

/// The host of a plugin, for the time of one call.
pub struct Utils<'a> {
    utils: &'a sasl_utils_t,
    server: Option<&'a sasl_server_params_t>,
}

/// A C string without its NULs inside: C cannot show what follows one.
fn c_text(text: &str) -> CString {
    let bytes: Vec<u8> = text
        .bytes()
        .map(|byte| if byte == 0 { b'?' } else { byte })
        .collect();
    CString::new(bytes).unwrap_or_default()
}

/// # Safety
/// `text` is NULL or a C string.
unsafe fn text_of(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not NULL here; the rest is our caller's promise.
    let text = unsafe { CStr::from_ptr(text) };
    Some(text.to_string_lossy().into_owned())
}

impl<'a> Utils<'a> {
    /// A host without a connection, as plugin entry points get it.
    ///
    /// # Safety
    /// `utils` is NULL or valid for reads for `'a`, its function pointers
    /// callable, its strings C strings.
    pub unsafe fn global(utils: *const sasl_utils_t) -> Option<Self> {
        // SAFETY: our caller's promise.
        unsafe { utils.as_ref() }.map(|utils| Self {
            utils,
            server: None,
        })
    }

    /// The host of a server connection.
    ///
    /// # Safety
    /// `params` is NULL or valid for reads for `'a`, and its `utils` fulfils
    /// the promise of [`Utils::global`].
    pub unsafe fn server(params: *const sasl_server_params_t) -> Option<Self> {
        // SAFETY: our caller's promise.
        let server = unsafe { params.as_ref() }?;
        // SAFETY: our caller's promise for the field.
        let utils = unsafe { server.utils.as_ref() }?;
        Some(Self {
            utils,
            server: Some(server),
        })
    }

    /// The host of a client connection.
    ///
    /// # Safety
    /// As [`Utils::server`].
    pub unsafe fn client(params: *const sasl_client_params_t) -> Option<Self> {
        // SAFETY: our caller's promise.
        let client = unsafe { params.as_ref() }?;
        // SAFETY: our caller's promise for the field.
        unsafe { Self::global(client.utils) }
    }

    fn conn(&self) -> *mut sasl_conn_t {
        self.utils.conn
    }

    fn context(&self) -> *mut propctx {
        self.server.map_or(null_mut(), |server| server.propctx)
    }

    /// Sets what `sasl_errdetail` shows, without a line in the log.
    pub fn set_error(&self, reason: &str) {
        let (Some(seterror), false) = (self.utils.seterror, self.conn().is_null()) else {
            return;
        };
        let reason = c_text(reason);
        // SAFETY: saslplug.h: a printf-like function; "%s" takes one C string.
        unsafe { seterror(self.conn(), SASL_NOLOG, c"%s".as_ptr(), reason.as_ptr()) }
    }

    /// The properties that the connection's context asks for: name (with its
    /// `*`) and whether it has values.
    pub fn requested(&self) -> Vec<(CString, bool)> {
        let (Some(prop_get), false) = (self.utils.prop_get, self.context().is_null()) else {
            return Vec::new();
        };
        let mut names = Vec::new();
        // SAFETY: prop.h: the context is live during the call; the result is
        // NULL or an array that ends with a NULL name.
        unsafe {
            let mut at = prop_get(self.context());
            while let Some(entry) = at.as_ref().filter(|entry| !entry.name.is_null()) {
                names.push((
                    CStr::from_ptr(entry.name).to_owned(),
                    !entry.values.is_null(),
                ));
                at = at.add(1);
            }
        }
        names
    }

    /// Names and values of a property context that the host hands over to be
    /// stored.
    ///
    /// # Safety
    /// `properties` is NULL or a live property context of this host.
    pub unsafe fn stored(&self, properties: *mut propctx) -> Vec<(CString, Vec<Secret>)> {
        let (Some(prop_get), false) = (self.utils.prop_get, properties.is_null()) else {
            return Vec::new();
        };
        let mut all = Vec::new();
        // SAFETY: prop.h: NULL or an array that ends with a NULL name.
        unsafe {
            let mut at = prop_get(properties);
            while let Some(entry) = at.as_ref().filter(|entry| !entry.name.is_null()) {
                all.push((CStr::from_ptr(entry.name).to_owned(), values_of(entry)));
                at = at.add(1);
            }
        }
        all
    }

    /// Puts `values` in place of the values of property `name` (with its `*`).
    /// Values may hold NUL bytes. Returns a code of `sasl.h`.
    pub fn put(&self, name: &CStr, values: &[Secret], replace: bool) -> c_int {
        let (Some(prop_set), false) = (self.utils.prop_set, self.context().is_null()) else {
            return crate::Code::BADPARAM.0;
        };
        if let (true, Some(prop_erase)) = (replace, self.utils.prop_erase) {
            // SAFETY: prop.h: a live context and a C string.
            unsafe { prop_erase(self.context(), name.as_ptr()) }
        }
        for value in values {
            let Ok(length) = c_int::try_from(value.len()) else {
                return crate::Code::BUFOVER.0;
            };
            // A length of 0 makes the host measure the string: an empty one.
            let bytes: *const u8 = if value.is_empty() {
                c"".as_ptr().cast()
            } else {
                value.as_bytes().as_ptr()
            };
            // SAFETY: prop.h: the host copies `length` bytes during the call.
            let code = unsafe { prop_set(self.context(), name.as_ptr(), bytes.cast(), length) };
            if code != 0 {
                return code;
            }
        }
        0
    }
}

/// The values of one property: C keeps lengths only as a sum.
///
/// # Safety
/// `found` was filled by the host's `prop_getnames` or `prop_get`.
unsafe fn values_of(found: &propval) -> Vec<Secret> {
    let mut values = Vec::new();
    if found.values.is_null() {
        return values;
    }
    // SAFETY: prop.h: `values` ends with NULL, each value with a NUL; a single
    // value covers `valsize` bytes.
    unsafe {
        let mut at = found.values.cast_const();
        while !(*at).is_null() {
            let bytes = if found.nvalues == 1 {
                core::slice::from_raw_parts((*at).cast::<u8>(), found.valsize as usize)
            } else {
                CStr::from_ptr(*at).to_bytes()
            };
            values.push(Secret::from(bytes));
            at = at.add(1);
        }
    }
    values
}

impl Host for Utils<'_> {
    fn option(&self, plugin: &str, name: &str) -> Option<String> {
        let getopt = self.utils.getopt?;
        let (plugin, option) = (c_text(plugin), c_text(name));
        let plugin = if plugin.is_empty() {
            null()
        } else {
            plugin.as_ptr()
        };
        let (mut result, mut length): (*const c_char, c_uint) = (null(), 0);
        // SAFETY: sasl.h: the context belongs to getopt; the out-pointers are ours.
        let code = unsafe {
            getopt(
                self.utils.getopt_context,
                plugin,
                option.as_ptr(),
                &mut result,
                &mut length,
            )
        };
        if code != 0 {
            return None;
        }
        // SAFETY: sasl.h: after SASL_OK the result is a C string.
        unsafe { text_of(result) }
    }

    fn property(&self, name: &CStr) -> Vec<Secret> {
        let (Some(getnames), false) = (self.utils.prop_getnames, self.context().is_null()) else {
            return Vec::new();
        };
        let mut names = [name.as_ptr(), null()];
        let mut found = [propval {
            name: null(),
            values: null_mut(),
            nvalues: 0,
            valsize: 0,
        }; 2];
        // SAFETY: prop.h: a live context, a NULL-terminated list, room for each name.
        unsafe {
            getnames(self.context(), names.as_mut_ptr(), found.as_mut_ptr());
            values_of(&found[0])
        }
    }

    fn log(&self, level: Level, message: fmt::Arguments<'_>) {
        // Without a connection stock filters nothing: steps would fill syslog.
        let Some(log) = self.utils.log else { return };
        if self.conn().is_null() && level > Level::Note {
            return;
        }
        let message = c_text(&message.to_string());
        // SAFETY: saslplug.h: a printf-like function; "%s" takes one C string.
        unsafe {
            log(
                self.conn(),
                level as c_int,
                c"%s".as_ptr(),
                message.as_ptr(),
            )
        }
    }

    fn handle(&self) -> Handle {
        Handle(self.conn().cast())
    }

    fn service(&self) -> String {
        // SAFETY: saslplug.h: NULL or a C string.
        self.server
            .and_then(|server| unsafe { text_of(server.service) })
            .unwrap_or_default()
    }

    fn realm(&self) -> Option<String> {
        // SAFETY: saslplug.h: NULL or a C string.
        self.server
            .and_then(|server| unsafe { text_of(server.user_realm) })
    }

    fn server_name(&self) -> String {
        // SAFETY: saslplug.h: NULL or a C string.
        self.server
            .and_then(|server| unsafe { text_of(server.serverFQDN) })
            .unwrap_or_default()
    }
}
