// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `saslcheck` asks a server's connection: is this the password, and why
//! is that mechanism not offered.
#![allow(unsafe_code, reason = "the edge to the library in C")]

use super::{Conn, outcome, sasl_checkpass, sasl_errdetail, sasl_server_start, sasl_setprop};
use core::ffi::{CStr, c_uint};
use core::ptr::null;
use saslplug::{Code, Secret};

impl Conn<'_> {
    /// `sasl_checkpass`.
    pub(crate) fn check_password(&self, user: &CStr, password: &Secret) -> Result<(), Code> {
        let length = |length: usize| c_uint::try_from(length).map_err(|_| Code::BUFOVER);
        // C programs may look for the NUL.
        let text = Secret::new([password.as_bytes(), b"\0"].concat());
        // SAFETY: sasl.h: a live connection, a C string, bytes and their number.
        outcome(unsafe {
            sasl_checkpass(
                self.0,
                user.as_ptr(),
                length(user.to_bytes().len())?,
                text.as_bytes().as_ptr().cast(),
                length(password.len())?,
            )
        })
    }

    /// `sasl_errdetail`.
    pub(crate) fn detail(&self) -> String {
        // SAFETY: sasl.h: a C string that lives until the next call.
        unsafe {
            let text = sasl_errdetail(self.0);
            match text.is_null() {
                true => String::new(),
                false => CStr::from_ptr(text).to_string_lossy().into_owned(),
            }
        }
    }

    /// `SASL_SSF_EXTERNAL`: a layer below protects.
    pub(crate) fn set_protected(&self, ssf: c_uint) -> Result<(), Code> {
        // SAFETY: sasl.h: the value is copied.
        outcome(unsafe { sasl_setprop(self.0, 100, (&raw const ssf).cast()) })
    }

    /// Begins an exchange that nobody will finish; the error says why it
    /// cannot begin.
    pub(crate) fn try_mechanism(&self, name: &CStr) -> Result<(), Code> {
        let (mut output, mut length) = (null(), 0);
        // SAFETY: sasl.h: no input; the out-pointers are ours.
        let code = unsafe {
            sasl_server_start(self.0, name.as_ptr(), null(), 0, &mut output, &mut length)
        };
        match code {
            0 | 1 => Ok(()),
            code => Err(Code(code)),
        }
    }
}
