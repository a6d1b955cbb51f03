// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the library may ask the tools: options, a plugin folder, a log.
#![allow(unsafe_code, reason = "the edge to the library in C")]

use core::ffi::{CStr, c_char, c_int, c_uint, c_ulong, c_void};
use core::ptr::{null, null_mut};
use saslplug::Code;
use saslplug::raw::sasl_callback_t;
use std::cell::RefCell;
use std::ffi::CString;

/// The value of an option. May be a password: not shown by `Debug`.
pub(crate) struct Answer {
    /// Who gets it; empty: whoever has none of its own.
    asker: CString,
    name: CString,
    value: CString,
}

impl Answer {
    /// `value` for all who ask for `name`.
    pub(crate) fn new(name: &CStr, value: CString) -> Self {
        Self {
            asker: CString::default(),
            name: name.to_owned(),
            value,
        }
    }

    /// The same for `asker` only.
    pub(crate) fn only_for(mut self, asker: CString) -> Self {
        self.asker = asker;
        self
    }
}

/// What the tool tells the library when it asks: options, a plugin folder.
#[derive(Default)]
pub(crate) struct Answers {
    pub(crate) options: Vec<Answer>,
    pub(crate) plugins: Option<CString>,
}

static NOTHING: Answers = Answers {
    options: Vec::new(),
    plugins: None,
};

thread_local! {
    static ANSWERS: RefCell<&'static Answers> = const { RefCell::new(&NOTHING) };
    static SAID: RefCell<Vec<(i32, String)>> = const { RefCell::new(Vec::new()) };
}

unsafe extern "C" fn option(
    _: *mut c_void,
    plugin: *const c_char,
    name: *const c_char,
    result: *mut *const c_char,
    length: *mut c_uint,
) -> c_int {
    if name.is_null() || result.is_null() {
        return Code::BADPARAM.0;
    }
    // SAFETY: sasl.h: `name` is a C string.
    let name = unsafe { CStr::from_ptr(name) };
    let asker = match plugin.is_null() {
        true => c"",
        // SAFETY: sasl.h: NULL or a C string.
        false => unsafe { CStr::from_ptr(plugin) },
    };
    let answers: &'static Answers = ANSWERS.with_borrow(|answers| *answers);
    let of = |asker: &CStr| {
        let mut options = answers.options.iter();
        options.find(|answer| *answer.name == *name && *answer.asker == *asker)
    };
    let Some(Answer { value, .. }) = of(asker).or_else(|| of(c"")) else {
        return Code::FAIL.0;
    };
    // SAFETY: sasl.h: `result` is writable, `length` is NULL or writable; the
    // value lives as long as the process.
    unsafe {
        *result = value.as_ptr();
        if let Some(length) = length.as_mut() {
            *length = c_uint::try_from(value.as_bytes().len()).unwrap_or_default();
        }
    }
    Code::OK.0
}

unsafe extern "C" fn log(_: *mut c_void, level: c_int, message: *const c_char) -> c_int {
    if message.is_null() {
        return Code::BADPARAM.0;
    }
    // SAFETY: sasl.h: a C string.
    let message = unsafe { CStr::from_ptr(message) }
        .to_string_lossy()
        .into_owned();
    SAID.with_borrow_mut(|said| said.push((level, message)));
    Code::OK.0
}

unsafe extern "C" fn folder(_: *mut c_void, path: *mut *const c_char) -> c_int {
    let answers: &'static Answers = ANSWERS.with_borrow(|answers| *answers);
    match &answers.plugins {
        Some(folder) if !path.is_null() => {
            // SAFETY: sasl.h: writable; the path lives as long as the process.
            unsafe { *path = folder.as_ptr() };
            Code::OK.0
        }
        _ => Code::FAIL.0,
    }
}

/// What the library logged since the last call, with its levels.
pub(crate) fn said() -> Vec<(i32, String)> {
    SAID.take()
}

/// The callbacks: kept by the library until the end, so they live as long as
/// the process.
pub(super) fn callbacks(answers: Answers, client: bool) -> *const sasl_callback_t {
    let with_folder = answers.plugins.is_some();
    let answers: &'static Answers = Box::leak(Box::new(answers));
    ANSWERS.set(answers);
    let entry = |id: c_ulong, call: *const c_void| sasl_callback_t {
        id,
        // SAFETY: sasl.h: a callback is passed as `int (*)(void)`, whatever
        // its parameters are; NULL is none.
        proc_: unsafe {
            core::mem::transmute::<*const c_void, Option<unsafe extern "C" fn() -> c_int>>(call)
        },
        context: null_mut(),
    };
    let mut all = vec![
        entry(1, option as *const c_void),
        entry(2, log as *const c_void),
        entry(0, null()),
    ];
    if client {
        // What a user could be asked for: mechanisms that need it are listed.
        // Without a function the library would ask by a prompt.
        for id in [0x4002, 0x4004] {
            all.insert(0, entry(id, null()));
        }
    }
    if with_folder {
        all.insert(0, entry(3, folder as *const c_void));
    }
    Box::leak(all.into_boxed_slice()).as_ptr()
}
