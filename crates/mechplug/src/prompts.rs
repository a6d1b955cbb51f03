// SPDX-License-Identifier: MIT OR Apache-2.0
//! Questions to the user: through the program's callbacks, or as a list of
//! `sasl_interact_t` that goes out with `SASL_INTERACT` and comes back with
//! answers. The list is one block of the library's own allocator.
#![allow(unsafe_code, reason = "callbacks and lists are C's")]

use crate::{c_text, outcome};
use core::ffi::{CStr, c_char, c_int, c_uint, c_ulong, c_void};
use core::mem::size_of;
use core::ptr;
use mech::{Answer, Prompt, PromptKind};
use saslplug::raw::*;
use saslplug::{Code, Result, Secret};
use std::ffi::CString;

/// What the program answered so far.
pub(crate) type Answers = Vec<(PromptKind, Option<Secret>)>;

/// The number of a kind in `sasl.h`.
pub(crate) fn id_of(kind: PromptKind) -> c_ulong {
    match kind {
        PromptKind::User => SASL_CB_USER,
        PromptKind::AuthName => SASL_CB_AUTHNAME,
        PromptKind::Pass => SASL_CB_PASS,
        PromptKind::Realm => SASL_CB_GETREALM,
        PromptKind::Echo => SASL_CB_ECHOPROMPT,
        PromptKind::NoEcho => SASL_CB_NOECHOPROMPT,
    }
}

fn kind_of(id: c_ulong) -> Option<PromptKind> {
    [
        PromptKind::User,
        PromptKind::AuthName,
        PromptKind::Pass,
        PromptKind::Realm,
        PromptKind::Echo,
        PromptKind::NoEcho,
    ]
    .into_iter()
    .find(|kind| id_of(*kind) == id)
}

/// Takes the answers out of a list of ours that came back, and frees it.
///
/// # Safety
/// `list` is NULL or what [`give`] made with the same `utils`, its results NULL
/// or readable for their length, as `sasl.h` demands.
pub(crate) unsafe fn take(list: *mut sasl_interact_t, utils: &sasl_utils_t) -> Answers {
    let mut answers = Vec::new();
    if list.is_null() {
        return answers;
    }
    let mut at = list;
    // SAFETY: our caller's promise: the list ends with SASL_CB_LIST_END.
    unsafe {
        while (*at).id != SASL_CB_LIST_END {
            let answer = crate::bytes((*at).result.cast(), (*at).len).map(Secret::from);
            answers.extend(kind_of((*at).id).map(|kind| (kind, answer)));
            at = at.add(1);
        }
        if let Some(free) = utils.free {
            free(list.cast());
        }
    }
    answers
}

/// A list for the program: structures first, then the texts that they point to.
///
/// # Errors
/// `NOMEM`.
pub(crate) fn give(prompts: &[Prompt], utils: &sasl_utils_t) -> Result<*mut sasl_interact_t> {
    let texts: Vec<[Option<CString>; 3]> = prompts
        .iter()
        .map(|prompt| {
            let challenge = challenge(prompt);
            [
                challenge.as_deref().map(c_text),
                Some(c_text(&prompt.text)),
                prompt.default.as_deref().map(c_text),
            ]
        })
        .collect();
    let structures = prompts
        .len()
        .saturating_add(1)
        .saturating_mul(size_of::<sasl_interact_t>());
    let room = texts
        .iter()
        .flatten()
        .flatten()
        .fold(structures, |sum, text| {
            sum.saturating_add(text.as_bytes_with_nul().len())
        });
    let malloc = utils.malloc.ok_or(Code::NOMEM)?;
    // SAFETY: sasl.h: like malloc of C; NULL is tested below.
    let block: *mut sasl_interact_t = unsafe { malloc(room) }.cast();
    if block.is_null() {
        return Err(Code::NOMEM.into());
    }
    let mut end = block.cast::<u8>().wrapping_add(structures);
    let mut put = |text: &Option<CString>| -> *const c_char {
        let Some(text) = text else {
            return ptr::null();
        };
        let text = text.as_bytes_with_nul();
        let start = end;
        // SAFETY: `room` was counted with this text in it.
        unsafe { ptr::copy_nonoverlapping(text.as_ptr(), start, text.len()) };
        end = end.wrapping_add(text.len());
        start.cast()
    };
    let ids = prompts.iter().map(|prompt| id_of(prompt.kind));
    for (at, (id, [challenge, text, default])) in ids.zip(&texts).enumerate() {
        let entry = sasl_interact_t {
            id,
            challenge: put(challenge),
            prompt: put(text),
            defresult: put(default),
            result: ptr::null(),
            len: 0,
        };
        // SAFETY: `room` has one structure more than there are prompts.
        unsafe { block.add(at).write(entry) };
    }
    let last = sasl_interact_t {
        id: SASL_CB_LIST_END,
        challenge: ptr::null(),
        prompt: ptr::null(),
        defresult: ptr::null(),
        result: ptr::null(),
        len: 0,
    };
    // SAFETY: as above.
    unsafe { block.add(prompts.len()).write(last) };
    Ok(block)
}

/// The challenge text; a realm prompt shows the realms in one string.
fn challenge(prompt: &Prompt) -> Option<String> {
    if prompt.challenge.is_none() && !prompt.choices.is_empty() {
        let all = prompt.choices.iter().map(|realm| format!("{{{realm}}}"));
        return Some(all.collect::<Vec<_>>().join(" "));
    }
    prompt.challenge.as_deref().map(str::to_owned)
}

/// Asks the program's callback.
///
/// # Errors
/// What the callback says.
pub(crate) fn ask(prompt: &Prompt, utils: &sasl_utils_t) -> Result<Answer> {
    let Some(getcallback) = utils.getcallback else {
        return Ok(Answer::Nobody);
    };
    let (mut function, mut context): (sasl_callback_ft, *mut c_void) = (None, ptr::null_mut());
    let id = id_of(prompt.kind);
    // SAFETY: saslplug.h: the connection's own function, our out-pointers.
    match Code(unsafe { getcallback(utils.conn, id, &mut function, &mut context) }) {
        Code::INTERACT => return Ok(Answer::Interact),
        Code::OK => {}
        _ => return Ok(Answer::Nobody),
    }
    let Some(function) = function else {
        return Ok(Answer::Interact);
    };
    let call = Callback {
        function,
        context,
        id: c_int::try_from(id).unwrap_or(0),
    };
    match prompt.kind {
        PromptKind::User | PromptKind::AuthName => call.simple(),
        PromptKind::Pass => call.secret(utils.conn),
        PromptKind::Realm => call.realm(prompt),
        PromptKind::Echo | PromptKind::NoEcho => call.challenge(prompt),
    }
}

/// A callback of the program, of the type that `sasl.h` gives its number.
struct Callback {
    function: unsafe extern "C" fn() -> c_int,
    context: *mut c_void,
    id: c_int,
}

macro_rules! call {
    ($callback:ident as $type:ty, $($argument:expr),*) => {{
        // SAFETY: sasl.h gives the callback of this number this type; the
        // arguments live for the call.
        unsafe {
            let function: $type = core::mem::transmute($callback.function);
            function($($argument),*)
        }
    }};
}

impl Callback {
    fn simple(&self) -> Result<Answer> {
        let (mut result, mut len) = (ptr::null(), 0);
        outcome(call!(
            self as sasl_getsimple_t,
            self.context,
            self.id,
            &mut result,
            &mut len
        ))?;
        Ok(string(result, len))
    }

    fn secret(&self, conn: *mut sasl_conn_t) -> Result<Answer> {
        let mut secret = ptr::null_mut();
        outcome(call!(
            self as sasl_getsecret_t,
            conn,
            self.context,
            self.id,
            &mut secret
        ))?;
        if secret.is_null() {
            return Ok(Answer::Null);
        }
        // SAFETY: sasl.h: a structure with `len` bytes from `data` on.
        let bytes = unsafe {
            let len = usize::try_from((*secret).len).map_err(|_| Code::BUFOVER)?;
            core::slice::from_raw_parts((&raw const (*secret).data).cast::<u8>(), len)
        };
        Ok(Answer::Given(Secret::from(bytes)))
    }

    fn realm(&self, prompt: &Prompt) -> Result<Answer> {
        let texts: Vec<CString> = prompt.choices.iter().map(|realm| c_text(realm)).collect();
        let mut list: Vec<*const c_char> = texts.iter().map(|text| text.as_ptr()).collect();
        list.push(ptr::null());
        let mut result = ptr::null();
        let available = list.as_mut_ptr();
        outcome(call!(
            self as sasl_getrealm_t,
            self.context,
            self.id,
            available,
            &mut result
        ))?;
        Ok(string(result, 0))
    }

    fn challenge(&self, prompt: &Prompt) -> Result<Answer> {
        let texts = [
            prompt.challenge.as_deref().map(c_text),
            Some(c_text(&prompt.text)),
            prompt.default.as_deref().map(c_text),
        ];
        let [challenge, text, default] = texts
            .each_ref()
            .map(|text| text.as_ref().map_or(ptr::null(), |text| text.as_ptr()));
        let (mut result, mut len) = (ptr::null(), 0);
        outcome(call!(
            self as sasl_chalprompt_t,
            self.context,
            self.id,
            challenge,
            text,
            default,
            &mut result,
            &mut len
        ))?;
        Ok(string(result, len))
    }
}

/// What a callback left; it need not set the length.
fn string(result: *const c_char, len: c_uint) -> Answer {
    if result.is_null() {
        return Answer::Null;
    }
    // SAFETY: sasl.h: `len` bytes, or a C string.
    let bytes = unsafe {
        if len > 0 {
            core::slice::from_raw_parts(result.cast::<u8>(), len as usize)
        } else {
            CStr::from_ptr(result).to_bytes()
        }
    };
    Answer::Given(Secret::from(bytes))
}
