// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the program says about folders and files: `SASL_CB_GETPATH`,
//! `SASL_CB_GETCONFPATH`, `SASL_CB_VERIFYFILE`.

use super::{CApplication, Entry, Procedure};
use crate::ffi::arg;
use crate::library::Global;
use core::ffi::{CStr, c_char, c_int};
use core::ptr;
use saslplug::raw::*;
use saslplug::{Code, Error, Result};
use std::ffi::CString;

impl Global for CApplication {
    fn plugin_path(&self) -> Option<Result<CString>> {
        let Entry::Procedure(procedure, context) = self.find(SASL_CB_GETPATH) else {
            return None;
        };
        let mut path = ptr::null();
        let code = call!(procedure, sasl_getpath_t, context, &mut path);
        Some(path_result(code, path, "SASL_CB_GETPATH"))
    }

    fn config_path(&self) -> Option<Result<CString>> {
        let Entry::Procedure(procedure, context) = self.find(SASL_CB_GETCONFPATH) else {
            return None;
        };
        let mut path = ptr::null_mut();
        // The header says the library frees the path; stock never does, and
        // programs return static strings.
        let code = call!(procedure, sasl_getconfpath_t, context, &mut path);
        Some(path_result(code, path, "SASL_CB_GETCONFPATH"))
    }

    fn verify_file(&self, path: &CStr, kind: u32) -> Code {
        match self.find(SASL_CB_VERIFYFILE) {
            Entry::Procedure(procedure, context) => Code(call!(
                procedure,
                sasl_verifyfile_t,
                context,
                path.as_ptr(),
                kind
            )),
            _ => Code::OK,
        }
    }
}

fn path_result(code: c_int, path: *const c_char, callback: &str) -> Result<CString> {
    // SAFETY: sasl.h: on OK the path is NULL or a string.
    match unsafe { arg::text(path) } {
        _ if code != Code::OK.0 => Err(Error::with(
            Code(code.min(-1)),
            format!("{callback} failed with code {code}"),
        )),
        Some(path) => Ok(path.to_owned()),
        None => Err(Error::with(Code::FAIL, format!("{callback} gave no path"))),
    }
}
