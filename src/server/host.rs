// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a server connection answers to mechanisms and plugins.
#![forbid(unsafe_code)]

use super::{EXTERNALLY_VERIFIED, Server};
use crate::{setpass, token};
use core::ffi::CStr;
use core::fmt;
use mech::{ChannelBinding, HttpRequest, Limits, Lookup, ServerHost};
use saslplug::{Code, Error, Handle, Host, Identity, Level, Password, Result, Secret};
use std::ffi::CString;

const NO_STORE: Error = Error::new(
    Code::NOMECH,
    "no plugin of option auxprop_plugin can store properties",
);

fn lossy(text: &CStr) -> String {
    text.to_string_lossy().into_owned()
}

impl Host for Server {
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

    fn property(&self, name: &CStr) -> Vec<Secret> {
        self.conn
            .known_properties()
            .map(|context| context.values(name))
            .unwrap_or_default()
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

    fn realm(&self) -> Option<String> {
        self.conn
            .realm
            .borrow()
            .as_deref()
            .filter(|realm| !realm.is_empty())
            .map(lossy)
    }
}

impl ServerHost for Server {
    fn server_fqdn(&self) -> String {
        self.conn
            .endpoint
            .server_fqdn
            .as_deref()
            .map(lossy)
            .unwrap_or_default()
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

    fn request(&self, names: &[&'static CStr]) -> Result<()> {
        self.conn.properties().request(names.iter().copied());
        Ok(())
    }

    fn identify(&self, name: &[u8], identity: Identity, lookup: Lookup) -> Result<()> {
        let extra = if lookup == Lookup::ExternallyVerified {
            EXTERNALLY_VERIFIED
        } else {
            0
        };
        self.identify_and_look_up(name, identity, extra)
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

    fn erase(&self, names: &[&'static CStr]) {
        if let Some(context) = self.conn.known_properties() {
            context.erase_all(names);
        }
    }

    fn check_password(&self, password: Password<'_>) -> Result<()> {
        let user = self.conn.authid.borrow().clone();
        let user = user.ok_or(Error::new(Code::FAIL, "a password without a user"))?;
        self.check_canonical(&user, password)
    }

    fn lists(&self, mechanism: &str) -> bool {
        let mut listed = self.allowed.get().into_iter().flatten();
        listed.any(|name| name.eq_ignore_ascii_case(mechanism))
    }

    fn can_store(&self) -> Result<()> {
        let providers = setpass::configured(&self.conn)?;
        if setpass::probe(&*self.conn.library, &providers)? {
            return Ok(());
        }
        Err(NO_STORE)
    }

    fn store(&self, user: &CStr, properties: &[(&CStr, &[Secret])]) -> Result<()> {
        let providers = setpass::configured(&self.conn)?;
        if !providers.iter().any(|one| one.stores()) {
            return Err(NO_STORE);
        }
        setpass::store(self, &providers, user, properties)
    }

    fn can_check_tokens(&self) -> Result<()> {
        token::configured(&self.conn)
    }

    fn check_token(&self, _: &str, _: Option<&[u8]>, token: &Secret) -> Result<String> {
        token::verify(&self.conn, token)
    }

    fn transition(&self, password: &Secret) {
        Server::transition(self, password.shown());
    }

    fn http_request(&self) -> Result<Option<HttpRequest>> {
        self.conn.http_request()
    }

    fn channel_bindings(&self) -> Vec<ChannelBinding> {
        self.conn.bindings.borrow().clone()
    }

    fn fill_random(&self, out: &mut [u8]) -> Result<()> {
        crate::random::fill(out)
    }

    fn unix_time(&self) -> u64 {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map(|time| time.as_secs()).unwrap_or_default()
    }
}
