// SPDX-License-Identifier: MIT OR Apache-2.0
//! The list of prompts that a client start or step hands out with
//! `SASL_INTERACT`, and what the program wrote into it.

use crate::ffi::application::prompt_id;
use core::ffi::{c_char, c_uint, c_ulong};
use core::ptr;
use mech::{Prompt, PromptKind};
use saslplug::Secret;
use saslplug::raw::*;
use std::ffi::CString;

/// A list of prompts on its way through the program.
pub(crate) struct Prompts {
    list: Box<[sasl_interact_t]>,
    kinds: Vec<PromptKind>,
    _texts: Vec<CString>,
}

impl Prompts {
    /// A list for `prompts`, ended as sasl.h says.
    pub(crate) fn new(prompts: &[Prompt]) -> Self {
        let mut texts = Vec::new();
        let mut keep = |text: &str| {
            let text = CString::new(text).unwrap_or_default();
            let address = text.as_ptr();
            texts.push(text);
            address
        };
        let mut list: Vec<sasl_interact_t> = prompts
            .iter()
            .map(|prompt| sasl_interact_t {
                id: prompt_id(prompt.kind),
                challenge: challenge(prompt, &mut keep),
                prompt: keep(&prompt.text),
                defresult: prompt.default.as_deref().map_or(ptr::null(), &mut keep),
                result: ptr::null(),
                len: 0,
            })
            .collect();
        list.push(END);
        let kinds = prompts.iter().map(|prompt| prompt.kind).collect();
        Self {
            list: list.into_boxed_slice(),
            kinds,
            _texts: texts,
        }
    }

    /// The list as the program gets it.
    pub(crate) fn as_ptr(&mut self) -> *mut sasl_interact_t {
        self.list.as_mut_ptr()
    }

    /// What the program filled in: `None` where it left the result NULL.
    ///
    /// # Safety
    /// The results are NULL or cover `len` bytes, as sasl.h demands.
    pub(crate) unsafe fn answers(&self) -> Vec<(PromptKind, Option<Secret>)> {
        let answer = |prompt: &sasl_interact_t| {
            // SAFETY: our caller's promise.
            (!prompt.result.is_null()).then(|| unsafe {
                let len = prompt.len as usize;
                Secret::from(core::slice::from_raw_parts(prompt.result.cast::<u8>(), len))
            })
        };
        self.kinds
            .iter()
            .zip(&self.list)
            .map(|(kind, prompt)| (*kind, answer(prompt)))
            .collect()
    }
}

const END: sasl_interact_t = sasl_interact_t {
    id: SASL_CB_LIST_END as c_ulong,
    challenge: ptr::null(),
    prompt: ptr::null(),
    defresult: ptr::null(),
    result: ptr::null(),
    len: 0 as c_uint,
};

/// The challenge text; a realm prompt shows the realms in one string, as
/// `{a} {b}`.
fn challenge(prompt: &Prompt, keep: &mut impl FnMut(&str) -> *const c_char) -> *const c_char {
    match &prompt.challenge {
        Some(text) => keep(text),
        None if prompt.kind == PromptKind::Realm && !prompt.choices.is_empty() => {
            let all: Vec<String> = prompt
                .choices
                .iter()
                .map(|realm| format!("{{{realm}}}"))
                .collect();
            keep(&all.join(" "))
        }
        None => ptr::null(),
    }
}
