// SPDX-License-Identifier: MIT OR Apache-2.0
//! Verifies a plain password: the program's CHECKPASS callback, then the
//! methods of `pwcheck_method` in order. One file a method, and this table.
#![forbid(unsafe_code)]

mod alwaystrue;
mod authdaemond;
mod auxprop;
mod peer;
mod plugin;
mod saslauthd;

#[cfg(fuzzing)]
pub(crate) use {authdaemond::verdict, saslauthd::is_yes};

use crate::application::Asked;
use crate::server::Server;
use core::ffi::{CStr, c_ulong};
use core::fmt;
use saslplug::{Code, Error, Level, Password, Result};
use std::borrow::Cow;

const CB_CHECKPASS: c_ulong = 0x8005;

/// A method of `pwcheck_method`.
pub(crate) trait PasswordCheck: Sync {
    /// Its name in the option.
    fn name(&self) -> &'static str;

    /// Whether `password` is the password of `user`.
    ///
    /// # Errors
    /// `BADAUTH`, `NOUSER`, `UNAVAIL`, `FAIL`, …
    fn check(&self, server: &Server, user: &CStr, password: Password<'_>) -> Result<()>;

    /// Whether `user` exists, as far as this method can tell.
    ///
    /// # Errors
    /// `NOUSER`; `NOVERIFY` when it cannot tell.
    fn exists(&self, server: &Server, user: &CStr) -> Result<()>;
}

static TABLE: &[&dyn PasswordCheck] = &[
    &auxprop::Auxprop,
    &saslauthd::Saslauthd,
    &authdaemond::Authdaemond,
    &alwaystrue::AlwaysTrue,
];

/// Checks `password` for the canonical name `user` (the `checkpass` of
/// `sasl_utils_t`: neither canonicalisation nor proxy policy).
///
/// # Errors
/// The last method's; `NOMECH` when no method exists.
pub(crate) fn run(server: &Server, user: &CStr, password: Password<'_>) -> Result<()> {
    if password.is_empty() {
        // Some verifiers take it for no wish to authenticate and say yes (RFC
        // 4513 section 5.1.2): none gets to see it.
        let text = "an empty password is never accepted";
        return Err(Error::new(Code::BADAUTH, text));
    }
    let conn = server.connection();
    let asked = if conn.app.lists(CB_CHECKPASS) {
        conn.app.check_password(user, password)
    } else {
        Asked::Absent(CB_CHECKPASS)
    };
    match asked {
        Asked::Given(()) => return Ok(()),
        Asked::Refused(_) => {}
        Asked::Absent(_) | Asked::Interact => conn.record_missing_callback(CB_CHECKPASS),
    }
    let mut outcome = Err(Error::bare(Code::NOMECH));
    let known = each_method(server, |method| {
        outcome = method.check(server, user, password);
        if outcome.is_ok() && method.name() != "auxprop" {
            server.transition(password);
        }
        outcome.is_err()
    });
    if matches!(&outcome, Err(error) if error.code() == Code::NOMECH) {
        complain(server, format_args!("unknown password verifier(s) {known}"));
    }
    outcome
}

/// Whether `user` (canonical) exists by the methods of `pwcheck_method`: each
/// is asked until one knows.
///
/// # Errors
/// The last method's.
pub(crate) fn exists(server: &Server, user: &CStr) -> Result<()> {
    let mut outcome = Err(Error::bare(Code::NOMECH));
    each_method(server, |method| {
        let answer = method.exists(server, user);
        // As on stock, a yes of auxprop lets the others speak too.
        let go_on = answer.is_err() || method.name() == "auxprop";
        if outcome.is_err() {
            outcome = answer;
        }
        go_on
    });
    if matches!(&outcome, Err(error) if error.code() == Code::NOMECH) {
        complain(server, format_args!("no plaintext password verifier?"));
    }
    outcome
}

fn complain(server: &Server, what: fmt::Arguments<'_>) {
    server.connection().log(
        Level::Err,
        format_args!(
            "{what} (option pwcheck_method; known: auxprop saslauthd authdaemond alwaystrue, and ldapdb where \
             its plugin is installed; auxprop needs a plugin that option auxprop_plugin names)"
        ),
    );
}

fn is_named(method: &dyn PasswordCheck, option: &CStr) -> bool {
    method.name().as_bytes() == option.to_bytes()
}

/// Tries the configured methods as long as `attempt` says so; returns the
/// option.
fn each_method(
    server: &Server,
    mut attempt: impl FnMut(&dyn PasswordCheck) -> bool,
) -> Cow<'static, str> {
    let only = |name: &CStr| TABLE.iter().find(|method| is_named(**method, name));
    let methods = server
        .connection()
        .with_option(c"pwcheck_method", |option| {
            let option = option.unwrap_or(c"auxprop");
            only(option).ok_or_else(|| option.to_string_lossy().into_owned())
        });
    let methods = match methods {
        Ok(method) => {
            attempt(*method);
            return Cow::Borrowed(method.name());
        }
        Err(methods) => methods,
    };
    for name in methods.split([' ', '\t']).filter(|name| !name.is_empty()) {
        let built_in = TABLE
            .iter()
            .find(|method| method.name().eq_ignore_ascii_case(name));
        let go_on = match built_in {
            Some(method) => attempt(*method),
            None => plugin::find(server, name).is_none_or(|method| attempt(&method)),
        };
        if !go_on {
            break;
        }
    }
    Cow::Owned(methods)
}
