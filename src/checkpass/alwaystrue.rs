// SPDX-License-Identifier: MIT OR Apache-2.0
//! `pwcheck_method: alwaystrue`: accepts every password, and says so each time.
//! For test set-ups; never the default.
#![forbid(unsafe_code)]

use super::PasswordCheck;
use crate::server::Server;
use core::ffi::CStr;
use saslplug::{Level, Password, Result};

/// See the module.
pub(super) struct AlwaysTrue;

impl PasswordCheck for AlwaysTrue {
    fn name(&self) -> &'static str {
        "alwaystrue"
    }

    fn check(&self, server: &Server, user: &CStr, _: Password<'_>) -> Result<()> {
        self.exists(server, user)
    }

    fn exists(&self, server: &Server, user: &CStr) -> Result<()> {
        let user = user.to_string_lossy();
        server.connection().log(
            Level::Warn,
            format_args!("AlwaysTrue Password Verifier Verified: {user}"),
        );
        Ok(())
    }
}
