// SPDX-License-Identifier: MIT OR Apache-2.0
//! Credentials (`gss_cred_id_t`): our own, or lent by the application.
#![allow(unsafe_code, reason = "the C binding of GSS-API")]

use super::types::{
    ACCEPT, INDEFINITE, INITIATE, KeyValueDesc, KeyValueSetDesc, NO_CI_FLAGS, NOTHING_SET,
    OidSetDesc, failed, gss_cred_id_t,
};
use super::{Kind, Library, NOTHING, Name, fault, lent};
use core::ptr;
use saslplug::{Code, Handle, Result, Secret};
use std::ffi::CString;

/// What proves who we are.
pub(crate) struct Credentials {
    library: &'static Library,
    pub(super) raw: gss_cred_id_t,
    owned: bool,
}

impl Credentials {
    pub(super) fn empty(library: &'static Library) -> Self {
        Self {
            library,
            raw: ptr::null_mut(),
            owned: true,
        }
    }

    /// What the application set (`SASL_GSS_CREDS`); it stays the application's.
    pub(crate) fn lent(library: &'static Library, handle: Handle) -> Option<Self> {
        (handle != Handle::NONE).then(|| Self {
            library,
            raw: handle.0.cast(),
            owned: false,
        })
    }

    /// The key of a service, from `keytab` or where Kerberos looks by itself.
    /// No name: any key that is there.
    ///
    /// # Errors
    /// `FAIL` with the library's words.
    pub(crate) fn acceptor(
        library: &'static Library,
        name: Option<&Name>,
        keytab: Option<&str>,
        kind: Kind,
    ) -> Result<Self> {
        let mut made = Self::empty(library);
        let name = name.map_or(ptr::null_mut(), |name| name.raw);
        let mechs = OidSetDesc {
            count: 1,
            elements: kind.oid(),
        };
        let mut minor = 0;
        let major = match keytab {
            // SAFETY: RFC 2744: names and sets live for the call.
            None => unsafe {
                (library.gss_acquire_cred)(
                    &mut minor,
                    name,
                    INDEFINITE,
                    &mechs,
                    ACCEPT,
                    &mut made.raw,
                    NOTHING_SET,
                    ptr::null_mut(),
                )
            },
            Some(keytab) => {
                let value = CString::new(keytab).map_err(|_| Code::BADPARAM)?;
                let element = KeyValueDesc {
                    key: c"keytab".as_ptr(),
                    value: value.as_ptr(),
                };
                let store = KeyValueSetDesc {
                    count: 1,
                    elements: &element,
                };
                // SAFETY: MIT's gssapi_ext.h: names and sets live for the call.
                unsafe {
                    (library.gss_acquire_cred_from)(
                        &mut minor,
                        name,
                        INDEFINITE,
                        &mechs,
                        ACCEPT,
                        &store,
                        &mut made.raw,
                        NOTHING_SET,
                        ptr::null_mut(),
                    )
                }
            }
        };
        if failed(major) {
            return Err(fault(library, Code::FAIL, major, minor, kind));
        }
        Ok(made)
    }

    /// A user's tickets: those of `name`, or the default ones.
    ///
    /// # Errors
    /// `FAIL` with the library's words.
    pub(crate) fn initiator(
        library: &'static Library,
        name: Option<&Name>,
        kind: Kind,
    ) -> Result<Self> {
        let mut made = Self::empty(library);
        let name = name.map_or(ptr::null_mut(), |name| name.raw);
        let mechs = OidSetDesc {
            count: 1,
            elements: kind.oid(),
        };
        let mut minor = 0;
        // SAFETY: RFC 2744: names and sets live for the call.
        let major = unsafe {
            (library.gss_acquire_cred)(
                &mut minor,
                name,
                INDEFINITE,
                &mechs,
                INITIATE,
                &mut made.raw,
                NOTHING_SET,
                ptr::null_mut(),
            )
        };
        if failed(major) {
            return Err(fault(library, Code::FAIL, major, minor, kind));
        }
        Ok(made)
    }

    /// Credentials that a password brings.
    ///
    /// # Errors
    /// `FAIL` with the library's words.
    pub(crate) fn with_password(
        library: &'static Library,
        name: &Name,
        password: &Secret,
        kind: Kind,
    ) -> Result<Self> {
        let mut made = Self::empty(library);
        let mechs = OidSetDesc {
            count: 1,
            elements: kind.oid(),
        };
        let mut minor = 0;
        // SAFETY: MIT's gssapi_ext.h: name, password and set live for the call.
        let major = unsafe {
            (library.gss_acquire_cred_with_password)(
                &mut minor,
                name.raw,
                &lent(password.as_bytes()),
                INDEFINITE,
                &mechs,
                INITIATE,
                &mut made.raw,
                NOTHING_SET,
                ptr::null_mut(),
            )
        };
        if failed(major) {
            return Err(fault(library, Code::FAIL, major, minor, kind));
        }
        Ok(made)
    }

    /// Contexts of these credentials promise confidentiality and integrity only
    /// where they were asked for. A library without the option goes on.
    pub(crate) fn only_requested_protection(&mut self) {
        if self.owned {
            let mut minor = 0;
            // SAFETY: MIT's gssapi_ext.h: our own credentials, an empty value.
            unsafe {
                (self.library.gss_set_cred_option)(
                    &mut minor,
                    &mut self.raw,
                    &NO_CI_FLAGS,
                    &NOTHING,
                );
            }
        }
    }

    /// The C object, which stays our own; NULL when there is none.
    pub(crate) fn handle(&self) -> Handle {
        Handle(self.raw.cast())
    }
}

impl Drop for Credentials {
    fn drop(&mut self) {
        if self.owned && !self.raw.is_null() {
            let mut minor = 0;
            // SAFETY: our own credentials, released once.
            unsafe { (self.library.gss_release_cred)(&mut minor, &mut self.raw) };
        }
    }
}
