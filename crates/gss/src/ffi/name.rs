// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of principals (`gss_name_t`).
#![allow(unsafe_code, reason = "the C binding of GSS-API")]

use super::types::{self, HOSTBASED_SERVICE, OidDesc, USER_NAME, failed, gss_name_t};
use super::{Buffer, Kind, Library, fault, lent};
use core::ptr;
use saslplug::{Code, Handle, Result};

/// A name.
pub(crate) struct Name {
    library: &'static Library,
    pub(super) raw: gss_name_t,
}

impl Name {
    pub(super) fn empty(library: &'static Library) -> Self {
        Self {
            library,
            raw: ptr::null_mut(),
        }
    }

    fn import(library: &'static Library, text: &[u8], form: &OidDesc) -> Result<Self> {
        let mut name = Self::empty(library);
        let mut minor = 0;
        // SAFETY: RFC 2744: the text lives for the call, the result is ours.
        let major =
            unsafe { (library.gss_import_name)(&mut minor, &lent(text), form, &mut name.raw) };
        if failed(major) {
            return Err(fault(library, Code::FAIL, major, minor, Kind::Krb5));
        }
        Ok(name)
    }

    /// The name of a service on a host.
    ///
    /// # Errors
    /// `FAIL` with the library's words.
    pub(crate) fn service(library: &'static Library, service: &str, host: &str) -> Result<Self> {
        let text = format!("{service}@{host}");
        Self::import(library, text.as_bytes(), &HOSTBASED_SERVICE)
    }

    /// The name of a user.
    ///
    /// # Errors
    /// `FAIL` with the library's words.
    pub(crate) fn user(library: &'static Library, name: &[u8]) -> Result<Self> {
        Self::import(library, name, &USER_NAME)
    }

    /// The name as text: `alice@REALM`.
    ///
    /// # Errors
    /// `FAIL` with the library's words.
    pub(crate) fn display(&self) -> Result<Vec<u8>> {
        let (mut text, mut minor) = (Buffer::new(self.library), 0);
        // SAFETY: RFC 2744: our name, our results.
        let major = unsafe {
            (self.library.gss_display_name)(&mut minor, self.raw, &mut text.desc, ptr::null_mut())
        };
        if failed(major) {
            return Err(fault(self.library, Code::FAIL, major, minor, Kind::Krb5));
        }
        Ok(text.bytes().to_vec())
    }

    /// This user's name as a principal of this machine's realm.
    ///
    /// # Errors
    /// `FAIL` with the library's words.
    pub(crate) fn as_principal(&self) -> Result<Self> {
        let mut canonical = Self::empty(self.library);
        let mut minor = 0;
        // SAFETY: RFC 2744: our own name, our results.
        let major = unsafe {
            (self.library.gss_canonicalize_name)(
                &mut minor,
                self.raw,
                &types::KRB5,
                &mut canonical.raw,
            )
        };
        if failed(major) {
            return Err(fault(self.library, Code::FAIL, major, minor, Kind::Krb5));
        }
        Ok(canonical)
    }

    /// The C object, which stays this name's own.
    pub(crate) fn handle(&self) -> Handle {
        Handle(self.raw.cast())
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        if !self.raw.is_null() {
            let mut minor = 0;
            // SAFETY: our own name, released once.
            unsafe { (self.library.gss_release_name)(&mut minor, &mut self.raw) };
        }
    }
}
