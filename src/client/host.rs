// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a client connection answers to mechanisms and plugins.
#![forbid(unsafe_code)]

use super::Client;
use crate::application::Asked;
use crate::ffi::os;
use crate::identity;
use crate::library::Side;
use core::ffi::CStr;
use core::fmt;
use mech::{Answer, ChannelBinding, ClientHost, Disposition, HttpRequest, Limits};
use mech::{Prompt, PromptKind};
use saslplug::{Handle, Host, Identity, Level, Result, Secret};
use std::ffi::CString;

fn lossy(text: &CStr) -> String {
    text.to_string_lossy().into_owned()
}

impl Client {
    /// This host's name, asked for once a connection and never from DNS.
    pub(crate) fn client_fqdn_text(&self) -> &CStr {
        self.client_fqdn
            .get_or_init(|| os::host_name().unwrap_or_default())
    }

    fn answered(&self, kind: PromptKind) -> Option<Option<Secret>> {
        let answers = self.answers.borrow();
        answers
            .iter()
            .find(|(known, _)| *known == kind)
            .map(|(_, answer)| answer.clone())
    }
}

impl Host for Client {
    fn option(&self, plugin: &str, name: &str) -> Option<String> {
        let name = CString::new(name).ok()?;
        let plugin = CString::new(plugin)
            .ok()
            .filter(|plugin| !plugin.is_empty());
        self.conn
            .option(plugin.as_deref(), &name)
            .as_deref()
            .map(lossy)
    }

    fn property(&self, _: &CStr) -> Vec<Secret> {
        Vec::new()
    }

    fn log(&self, level: Level, message: fmt::Arguments<'_>) {
        self.conn.log(level, message);
    }

    fn handle(&self) -> Handle {
        self.conn.handle
    }

    fn service(&self) -> String {
        lossy(&self.conn.endpoint.service)
    }
}

impl ClientHost for Client {
    fn server_fqdn(&self) -> Option<String> {
        self.conn.endpoint.server_fqdn.as_deref().map(lossy)
    }

    fn client_fqdn(&self) -> String {
        lossy(self.client_fqdn_text())
    }

    fn limits(&self) -> Limits {
        self.conn.limits.get()
    }

    fn external_id(&self) -> Option<Vec<u8>> {
        self.conn
            .external_id
            .borrow()
            .as_ref()
            .map(|id| id.to_bytes().to_vec())
    }

    fn ask(&self, prompt: &Prompt) -> Result<Answer> {
        if !self.answers.borrow().is_empty() {
            match self.answered(prompt.kind) {
                Some(Some(answer)) => return Ok(Answer::Given(answer)),
                // Not every prompt needs an answer: the mechanism decides.
                Some(None) => return Ok(Answer::Null),
                None => {}
            }
        }
        match self.conn.app.ask(prompt) {
            Asked::Given(Some(answer)) => Ok(Answer::Given(answer)),
            Asked::Given(None) => Ok(Answer::Null),
            Asked::Interact => Ok(Answer::Interact),
            Asked::Refused(error) => Err(error),
            Asked::Absent(id) => {
                let named = (prompt.kind == PromptKind::AuthName)
                    .then(login_name)
                    .flatten();
                Ok(named.map_or_else(
                    || {
                        self.conn.record_missing_callback(id);
                        Answer::Nobody
                    },
                    |name| Answer::Given(Secret::new(name.into_bytes())),
                ))
            }
        }
    }

    fn identify(&self, name: &[u8], identity: Identity) -> Result<()> {
        identity::establish(&self.conn, self, Side::Client, name, identity, 0)
    }

    fn authid(&self) -> Option<Vec<u8>> {
        self.conn
            .authid
            .borrow()
            .as_ref()
            .map(|name| name.to_bytes().to_vec())
    }

    fn authzid(&self) -> Option<Vec<u8>> {
        self.conn
            .authzid
            .borrow()
            .as_ref()
            .map(|name| name.to_bytes().to_vec())
    }

    fn with_names(&self, work: &mut dyn FnMut(&[u8], &[u8])) {
        let (authid, authzid) = (self.conn.authid.borrow(), self.conn.authzid.borrow());
        work(
            authid.as_deref().unwrap_or_default().to_bytes(),
            authzid.as_deref().unwrap_or_default().to_bytes(),
        );
    }

    fn http_request(&self) -> Result<Option<HttpRequest>> {
        self.conn.http_request()
    }

    fn channel_binding(&self) -> (Option<ChannelBinding>, Disposition) {
        (
            self.conn.bindings.borrow().first().cloned(),
            self.disposition.get(),
        )
    }

    fn fill_random(&self, out: &mut [u8]) -> Result<()> {
        crate::random::fill(out)
    }
}

/// The default for `SASL_CB_AUTHNAME`.
fn login_name() -> Option<String> {
    ["USER", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
}
