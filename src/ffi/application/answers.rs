// SPDX-License-Identifier: MIT OR Apache-2.0
//! Questions for the user that callbacks answer: names, passwords, realms and
//! whatever a mechanism wants to know.

use super::{CApplication, Procedure, refused};
use crate::application::Asked;
use crate::ffi::arg;
use core::ffi::{c_char, c_int, c_uint, c_ulong, c_void};
use core::ptr;
use mech::{Prompt, PromptKind};
use saslplug::raw::*;
use saslplug::{Code, Secret};
use std::ffi::CString;

impl CApplication {
    pub(super) fn simple(
        &self,
        id: c_ulong,
        procedure: Procedure,
        context: *mut c_void,
    ) -> Asked<Option<Secret>> {
        let mut result = ptr::null();
        let code = call!(
            procedure,
            sasl_getsimple_t,
            context,
            number(id),
            &mut result,
            ptr::null_mut(), // as stock: the result is a string
        );
        given_text(code, result, Secret::name)
    }

    pub(super) fn secret(
        &self,
        id: c_ulong,
        procedure: Procedure,
        context: *mut c_void,
    ) -> Asked<Option<Secret>> {
        let mut result: *mut sasl_secret_t = ptr::null_mut();
        let code = call!(
            procedure,
            sasl_getsecret_t,
            self.conn,
            context,
            number(id),
            &mut result
        );
        if code != Code::OK.0 {
            return not_given(code);
        }
        if result.is_null() {
            return Asked::Given(None);
        }
        // SAFETY: sasl.h: on OK the secret has `len` bytes from `data` on.
        let bytes = unsafe {
            let len = usize::try_from((*result).len).unwrap_or(0);
            core::slice::from_raw_parts(ptr::addr_of!((*result).data).cast::<u8>(), len)
        };
        Asked::Given(Some(Secret::from(bytes)))
    }

    pub(super) fn realm(
        &self,
        prompt: &Prompt,
        procedure: Procedure,
        context: *mut c_void,
    ) -> Asked<Option<Secret>> {
        let names: Vec<CString> = prompt.choices.iter().map(|text| c_text(text)).collect();
        let mut list: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
        list.push(ptr::null());
        let mut result = ptr::null();
        let code = call!(
            procedure,
            sasl_getrealm_t,
            context,
            number(SASL_CB_GETREALM),
            list.as_mut_ptr(),
            &mut result,
        );
        given_text(code, result, |text| Secret::from(text))
    }

    pub(super) fn challenge(
        &self,
        prompt: &Prompt,
        id: c_ulong,
        procedure: Procedure,
        context: *mut c_void,
    ) -> Asked<Option<Secret>> {
        let challenge = prompt.challenge.as_deref().map(c_text);
        let text = c_text(&prompt.text);
        let default = prompt.default.as_deref().map(c_text);
        let mut result = ptr::null();
        let mut len: c_uint = 0;
        let code = call!(
            procedure,
            sasl_chalprompt_t,
            context,
            number(id),
            challenge.as_ref().map_or(ptr::null(), |text| text.as_ptr()),
            text.as_ptr(),
            default.as_ref().map_or(ptr::null(), |text| text.as_ptr()),
            &mut result,
            &mut len,
        );
        given_text(code, result, |text| Secret::from(text))
    }
}

fn number(id: c_ulong) -> c_int {
    c_int::try_from(id).unwrap_or_default()
}

fn c_text(text: &str) -> CString {
    CString::new(text).unwrap_or_default()
}

/// A question that the callback did not answer: it may want interaction.
fn not_given<T>(code: c_int) -> Asked<T> {
    if code == Code::INTERACT.0 {
        Asked::Interact
    } else {
        refused(code)
    }
}

fn given_text(
    code: c_int,
    result: *const c_char,
    keep: fn(&[u8]) -> Secret,
) -> Asked<Option<Secret>> {
    if code != Code::OK.0 {
        return not_given(code);
    }
    // SAFETY: sasl.h: on OK the result is NULL or a string that lives at least
    // until the callback is called again.
    let text = unsafe { arg::text(result) };
    Asked::Given(text.map(|text| keep(text.to_bytes())))
}

/// The callback number of a prompt.
pub(crate) fn prompt_id(kind: PromptKind) -> c_ulong {
    match kind {
        PromptKind::User => SASL_CB_USER,
        PromptKind::AuthName => SASL_CB_AUTHNAME,
        PromptKind::Pass => SASL_CB_PASS,
        PromptKind::Realm => SASL_CB_GETREALM,
        PromptKind::Echo => SASL_CB_ECHOPROMPT,
        PromptKind::NoEcho => SASL_CB_NOECHOPROMPT,
    }
}

/// The prompt behind a callback number, if it is one.
pub(crate) fn prompt_kind(id: c_ulong) -> Option<PromptKind> {
    const KINDS: [PromptKind; 6] = [
        PromptKind::User,
        PromptKind::AuthName,
        PromptKind::Pass,
        PromptKind::Realm,
        PromptKind::Echo,
        PromptKind::NoEcho,
    ];
    KINDS.into_iter().find(|kind| prompt_id(*kind) == id)
}
