// SPDX-License-Identifier: MIT OR Apache-2.0
//! Verifies a plain password: the program's CHECKPASS callback, then the
//! methods of `pwcheck_method` in order. One file a method, and this table.
#![forbid(unsafe_code)]

mod alwaystrue;
mod auxprop;
mod plugin;
mod saslauthd;

use crate::application::Asked;
use crate::server::Server;
use core::ffi::{CStr, c_ulong};
use saslplug::{Code, Error, Level, Result, Secret};

const CB_CHECKPASS: c_ulong = 0x8005;

/// A method of `pwcheck_method`.
pub(crate) trait PasswordCheck: Sync {
    /// Its name in the option.
    fn name(&self) -> &'static str;

    /// Whether `password` is the password of `user`.
    ///
    /// # Errors
    /// `BADAUTH`, `NOUSER`, `UNAVAIL`, `FAIL`, …
    fn check(&self, server: &Server, user: &CStr, password: &Secret) -> Result<()>;

    /// Whether `user` exists, as far as this method can tell.
    ///
    /// # Errors
    /// `NOUSER`; `NOVERIFY` when it cannot tell.
    fn exists(&self, server: &Server, user: &CStr) -> Result<()>;
}

static TABLE: &[&dyn PasswordCheck] = &[
    &auxprop::Auxprop,
    &saslauthd::Saslauthd,
    &alwaystrue::AlwaysTrue,
];

/// Checks `password` for the canonical name `user` (the `checkpass` of
/// `sasl_utils_t`: neither canonicalisation nor proxy policy).
///
/// # Errors
/// The last method's; `NOMECH` when no method exists.
pub(crate) fn run(server: &Server, user: &CStr, password: &Secret) -> Result<()> {
    let conn = server.connection();
    match conn.app.check_password(user, password) {
        Asked::Given(()) => return Ok(()),
        Asked::Refused(_) => {}
        Asked::Absent(_) | Asked::Interact => conn.record_missing_callback(CB_CHECKPASS),
    }
    each_method(server, |method| {
        method.check(server, user, password)?;
        if method.name() != "auxprop" {
            server.transition(password);
        }
        Ok(())
    })
}

/// Whether `user` (canonical) exists by the methods of `pwcheck_method`.
///
/// # Errors
/// The last method's.
pub(crate) fn exists(server: &Server, user: &CStr) -> Result<()> {
    each_method(server, |method| method.exists(server, user))
}

/// Tries the configured methods until one succeeds.
fn each_method(
    server: &Server,
    mut attempt: impl FnMut(&dyn PasswordCheck) -> Result<()>,
) -> Result<()> {
    let conn = server.connection();
    let configured = conn.option(None, c"pwcheck_method");
    let methods = configured
        .as_deref()
        .unwrap_or(c"auxprop")
        .to_string_lossy();
    let mut outcome = Err(Error::bare(Code::NOMECH));
    let mut known = false;
    for name in methods.split_ascii_whitespace() {
        let plugged;
        let method = match TABLE
            .iter()
            .find(|method| method.name().eq_ignore_ascii_case(name))
        {
            Some(method) => *method,
            None => match plugin::find(server, name) {
                Some(method) => {
                    plugged = method;
                    &plugged
                }
                None => continue,
            },
        };
        known = true;
        outcome = attempt(method);
        if outcome.is_ok() {
            return Ok(());
        }
    }
    if !known || matches!(&outcome, Err(error) if error.code() == Code::NOMECH) {
        conn.log(
            Level::Err,
            format_args!(
                "unknown password verifier(s) {methods} (option pwcheck_method; known: auxprop \
                 saslauthd alwaystrue, and ldapdb where its plugin is installed)"
            ),
        );
    }
    outcome
}
