// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the core may ask the program that uses the library: its callbacks, in
//! the order connection list, global list, default (sasl.h, "callbacks").
//!
//! The core knows this trait only; `ffi/application.rs` implements it over
//! `sasl_callback_t` lists. No method may be called while a borrow is alive:
//! the program may call any function of the library from inside.
#![forbid(unsafe_code)]

use crate::ffi::application::CApplication;
use core::ffi::{CStr, c_ulong};
use core::fmt;
use mech::Prompt;
use saslplug::{Error, Password, Secret};
use std::ffi::CString;

/// The outcome of asking for something that a callback might provide.
pub(crate) enum Asked<T> {
    /// The callback's value.
    Given(T),
    /// The callback is listed without a procedure: the program wants to be
    /// asked by interaction.
    Interact,
    /// No such callback.
    Absent(c_ulong),
    /// The callback failed.
    Refused(Error),
}

/// A name that a program or a plugin proposes to act as.
pub(crate) struct Authorisation<'a> {
    /// The authzid.
    pub(crate) requested: &'a CStr,
    /// The authid.
    pub(crate) authid: &'a CStr,
    /// The realm given to `sasl_server_new`.
    pub(crate) realm: Option<&'a CStr>,
}

/// The program behind a connection.
pub(crate) enum Program {
    /// Callback lists of C.
    C(CApplication),
    /// What a test stands in for.
    #[cfg(test)]
    Other(Box<dyn Application>),
}

impl core::ops::Deref for Program {
    type Target = dyn Application;
    fn deref(&self) -> &Self::Target {
        match self {
            Self::C(lists) => lists,
            #[cfg(test)]
            Self::Other(program) => program.as_ref(),
        }
    }
}

/// The program behind a connection, or behind the library as a whole.
pub(crate) trait Application {
    /// `SASL_CB_GETOPT`, every one of both lists until one answers; its text is
    /// shown to `work`, which must not call the program.
    fn with_option(&self, plugin: Option<&CStr>, option: &CStr, work: &mut dyn FnMut(&CStr));

    /// Whether a callback of this number is listed, with or without procedure.
    fn lists(&self, id: c_ulong) -> bool;

    /// Whether there is a `SASL_CB_LOG`.
    fn takes_log(&self) -> bool;

    /// `SASL_CB_LOG`. The level is one of `sasl.h`, or what a plugin invented.
    fn log(&self, level: i32, message: &CStr);

    /// `SASL_CB_CANON_USER`. `flags` are `SASL_CU_*`.
    fn canonicalise(&self, name: &[u8], flags: u32, realm: Option<&CStr>) -> Asked<Vec<u8>>;

    /// `SASL_CB_PROXY_POLICY`; `Err` is the callback's own code.
    fn authorise(&self, request: &Authorisation<'_>) -> Asked<()>;

    /// `SASL_CB_SERVER_USERDB_CHECKPASS`.
    fn check_password(&self, user: &CStr, password: Password<'_>) -> Asked<()>;

    /// `SASL_CB_SERVER_USERDB_SETPASS`.
    fn set_password(&self, user: &CStr, password: Option<&Secret>, flags: u32) -> Asked<()>;

    /// `SASL_CB_USER`, `_AUTHNAME`, `_PASS`, `_GETREALM`, `_ECHOPROMPT`,
    /// `_NOECHOPROMPT`. `None`: asked, and the result left NULL.
    fn ask(&self, prompt: &Prompt) -> Asked<Option<Secret>>;

    /// Whether a prompt of this kind could be answered, by callback or by
    /// interaction.
    fn can_answer(&self, kind: mech::PromptKind) -> bool;
}

/// A message formatted once for whoever wants it; control characters of the
/// network cannot break a log line apart. Line feeds at its end, which some
/// plugins write, go.
pub(crate) fn log_line(message: fmt::Arguments<'_>) -> CString {
    let text = match message.as_str() {
        Some(text) => text.to_owned(),
        None => message.to_string(),
    };
    let clean: String = text
        .trim_end_matches('\n')
        .chars()
        .map(|c| if c.is_control() && c != '\t' { '?' } else { c })
        .collect();
    CString::new(clean).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line() {
        let line = log_line(format_args!("user \"{}\"", "a\nb\0c\u{1b}[31m"));
        assert_eq!(line.to_str(), Ok("user \"a?b?c?[31m\""));
        let line = log_line(format_args!("as a plugin writes it\n"));
        assert_eq!(line.to_str(), Ok("as a plugin writes it"));
    }
}
