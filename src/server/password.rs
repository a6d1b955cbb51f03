// SPDX-License-Identifier: MIT OR Apache-2.0
//! Passwords on a server connection outside a mechanism: `sasl_checkpass`,
//! `sasl_user_exists`, `sasl_setpass`, `auto_transition`.
#![forbid(unsafe_code)]

use super::{Server, Stage, Transition};
use crate::library::Side;
use crate::{checkpass, identity, setpass};
use core::ffi::CStr;
use saslplug::{Code, Error, Identity, Level, Password, Result, Secret};

impl Server {
    /// Verifies a password that the application got outside an exchange
    /// (`sasl_checkpass`).
    ///
    /// # Errors
    /// The verification's; the reason is always `checkpass failed`.
    pub(crate) fn check_plain(&self, user: &[u8], password: Password<'_>) -> Result<()> {
        self.abandon();
        identity::establish(&self.conn, self, Side::Server, user, Identity::Both, 0)?;
        let authid = self.conn.authid.borrow().clone();
        let authid = authid.as_deref().unwrap_or_default();
        checkpass::run(self, authid, password).map_err(|error| self.checkpass_failed(&error))?;
        self.authorise()
    }

    /// Ends an exchange that is under way: what it established must not mix with
    /// the identity of a password check. A layer stays in force.
    fn abandon(&self) {
        self.give_up();
        if self.stage.get() != Stage::Done {
            self.stage.set(Stage::Idle);
        }
        self.conn.forget_identity();
    }

    /// Verifies a password for a canonical name (`sasl_utils_t.checkpass`).
    ///
    /// # Errors
    /// As [`Server::check_plain`].
    pub(crate) fn check_canonical(&self, user: &CStr, password: Password<'_>) -> Result<()> {
        checkpass::run(self, user, password).map_err(|error| self.checkpass_failed(&error))
    }

    /// Programs match the text `checkpass failed`; the reason goes to the log.
    fn checkpass_failed(&self, error: &Error) -> Error {
        if !error.reason().is_empty() && !error.is_silent() {
            self.conn
                .log(Level::Fail, format_args!("{}", error.reason()));
        }
        Error::new(error.code(), "checkpass failed").silent()
    }

    /// Whether a user exists by the configured methods.
    ///
    /// # Errors
    /// `NOUSER`, or what the methods say.
    pub(crate) fn user_exists(&self, user: &CStr) -> Result<()> {
        checkpass::exists(self, user)
    }

    /// Whether `auto_transition` is on.
    pub(crate) fn transitions(&self) -> bool {
        self.transition.get() != Transition::No
    }

    /// Offers a verified password to the property stores (`auto_transition`).
    pub(crate) fn transition(&self, password: Password<'_>) {
        if !self.transitions() {
            return;
        }
        let user = self.conn.authid.borrow().clone();
        let user = user.as_deref().unwrap_or_default();
        let name = user.to_string_lossy();
        self.conn.log(
            Level::Note,
            format_args!("transitioning user {name} to auxprop database"),
        );
        let plain = self.transition.get() == Transition::Yes;
        let flags = if plain {
            setpass::CREATE
        } else {
            setpass::CREATE | setpass::NOPLAIN
        };
        // A login does not fail because the copy could not be kept; the log has
        // the reason.
        let _ = setpass::run(self, user, Some(&password.kept()), None, flags);
    }

    /// Sets, changes or removes a password (`sasl_setpass`). The name is taken
    /// as it is: a store knows best how it keeps names.
    ///
    /// # Errors
    /// `BADPARAM` for `CURMECH_ONLY` without a mechanism; the stores' and the
    /// mechanisms'.
    pub(crate) fn set_password(
        &self,
        user: &CStr,
        password: Option<&Secret>,
        old: Option<&Secret>,
        flags: u32,
    ) -> Result<()> {
        if flags & setpass::CURMECH_ONLY != 0 && self.conn.mechanism.borrow().is_none() {
            let text = "No current SASL mechanism available";
            return Err(Error::new(Code::BADPARAM, text).silent());
        }
        setpass::run(self, user, password, old, flags)
    }
}
