// SPDX-License-Identifier: MIT OR Apache-2.0
//! `pwcheck_method: NAME` where a plugin of that name verifies passwords
//! itself (`sasl_auxprop_verify_plug_init`): no password property is asked for.
#![forbid(unsafe_code)]

use super::PasswordCheck;
use crate::lookup;
use crate::server::Server;
use core::ffi::CStr;
use saslplug::{Code, Error, Identity, Password, Result, Verify};
use std::sync::Arc;

/// A plugin's verifier as a method.
pub(super) struct Plugged(Arc<dyn Verify>);

/// The verifier `name`, opening its plugin if need be.
pub(super) fn find(server: &Server, name: &str) -> Option<Plugged> {
    let library = &server.connection().library;
    let store = library
        .registry
        .auxprops(&library.folders(), Some(name), |_| ());
    let verifier = library.registry.verifier(store.first()?.name())?;
    Some(Plugged(verifier))
}

impl PasswordCheck for Plugged {
    fn name(&self) -> &'static str {
        "plugin"
    }

    fn check(&self, server: &Server, user: &CStr, password: Password<'_>) -> Result<()> {
        self.0.verify(server, user.to_bytes(), &password.kept())
    }

    fn exists(&self, server: &Server, user: &CStr) -> Result<()> {
        match lookup::run(server.connection(), server, user, Identity::Authid, false) {
            Err(error) if error.code() == Code::NOMECH => Err(Error::new(
                Code::NOVERIFY,
                "no plugin can tell whether the user exists",
            )),
            outcome => outcome,
        }
    }
}
