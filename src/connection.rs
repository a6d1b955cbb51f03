// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the server and the client side of a connection share: names, addresses,
//! limits, identities, the last error, the reply that the caller still reads,
//! the security layer.
//!
//! Only `&Connection` exists, so a callback may re-enter; no borrow of a cell
//! is alive while foreign code runs.
#![forbid(unsafe_code)]

use crate::application::{Application, log_line};
use crate::ffi::os;
use crate::layer::Layer;
use crate::library::Library;
use crate::propctx::PropCtx;
use core::cell::{Cell, OnceCell, RefCell};
use core::ffi::{CStr, c_ulong};
use core::fmt;
use mech::{ChannelBinding, Limits, Security};
use saslplug::{Code, Error, Handle, Identity, Level, Result};
use std::ffi::CString;
use std::sync::Arc;

/// Longest user name that is accepted, bytes (`CANON_BUF_SIZE`).
pub(crate) const NAME_MAX: usize = 1024;

/// The text of `sasl_errdetail`, made when it is asked for: a missing callback
/// is recorded several times in each successful login.
#[derive(Clone, Debug, Default)]
pub(crate) enum LastError {
    /// Nothing yet.
    #[default]
    None,
    /// `Unable to find a callback: N`.
    NoCallback(c_ulong),
    /// A reason.
    Text(CString),
}

/// Names and addresses given to `sasl_server_new` or `sasl_client_new`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoint {
    /// The service (`imap`).
    pub(crate) service: CString,
    /// The server's name, lower case; a client may have none.
    pub(crate) server_fqdn: Option<CString>,
    /// The realm of plain user names; server only.
    pub(crate) realm: Option<CString>,
    /// `SASL_SUCCESS_DATA`, `SASL_NEED_PROXY`, `SASL_NEED_HTTP`.
    pub(crate) flags: u32,
}

/// State shared by both sides.
pub(crate) struct Connection {
    /// What init built.
    pub(crate) library: Arc<Library>,
    /// The program's callbacks.
    pub(crate) app: Box<dyn Application>,
    /// The C object around this one, for adapters of C plugins.
    pub(crate) handle: Handle,
    /// The service.
    pub(crate) service: CString,
    /// The server's name.
    pub(crate) server_fqdn: Option<CString>,
    /// Flags of `*_new`.
    pub(crate) flags: u32,
    /// Realm, changeable by `SASL_DEFUSERREALM`.
    pub(crate) realm: RefCell<Option<CString>>,
    /// `SASL_IPLOCALPORT`.
    pub(crate) local: RefCell<Option<CString>>,
    /// `SASL_IPREMOTEPORT`.
    pub(crate) remote: RefCell<Option<CString>>,
    /// `SASL_SEC_PROPS` and `SASL_SSF_EXTERNAL`.
    pub(crate) limits: Cell<Limits>,
    /// `SASL_AUTH_EXTERNAL`.
    pub(crate) external_id: RefCell<Option<CString>>,
    /// `SASL_CHANNEL_BINDING`, copied when it was set.
    pub(crate) bindings: RefCell<Vec<ChannelBinding>>,
    /// `SASL_AUTHUSER`.
    pub(crate) authid: RefCell<Option<CString>>,
    /// `SASL_USERNAME`.
    pub(crate) authzid: RefCell<Option<CString>>,
    /// Name of the mechanism in use (without -PLUS).
    pub(crate) mechanism: RefCell<Option<CString>>,
    /// The plugin that brings it (`SASL_AUTHSOURCE`).
    pub(crate) source: RefCell<Option<CString>>,
    /// Highest level that the system log gets.
    pub(crate) log_level: Cell<i32>,
    /// The `SASL_CU_*` bits of the canonicalisation under way.
    pub(crate) canon_flags: Cell<u32>,
    /// Whether the log knows that a store of `auxprop_plugin` is missing.
    pub(crate) told_missing_store: Cell<bool>,
    /// The layer that was agreed on.
    pub(crate) layer: Layer,
    /// Data for the peer that the caller still reads.
    reply: RefCell<Vec<u8>>,
    properties: OnceCell<Box<PropCtx>>,
    error_code: Cell<Code>,
    last_error: RefCell<LastError>,
}

impl Connection {
    /// A connection without identity, layer or error.
    pub(crate) fn new(
        library: Arc<Library>,
        app: Box<dyn Application>,
        handle: Handle,
        endpoint: Endpoint,
    ) -> Self {
        Self {
            library,
            app,
            handle,
            service: endpoint.service,
            server_fqdn: endpoint.server_fqdn,
            flags: endpoint.flags,
            realm: RefCell::new(endpoint.realm),
            local: RefCell::default(),
            remote: RefCell::default(),
            limits: Cell::new(NO_LIMITS),
            external_id: RefCell::default(),
            bindings: RefCell::default(),
            authid: RefCell::default(),
            authzid: RefCell::default(),
            mechanism: RefCell::default(),
            source: RefCell::default(),
            log_level: Cell::new(Level::Err as i32),
            canon_flags: Cell::new(0),
            told_missing_store: Cell::new(false),
            layer: Layer::default(),
            reply: RefCell::default(),
            properties: OnceCell::new(),
            error_code: Cell::new(Code::OK),
            last_error: RefCell::default(),
        }
    }

    /// The property context; made when it is first needed.
    pub(crate) fn properties(&self) -> &PropCtx {
        self.properties.get_or_init(|| Box::new(PropCtx::new(0)))
    }

    /// The property context, if anything ever needed one.
    pub(crate) fn known_properties(&self) -> Option<&PropCtx> {
        self.properties.get().map(Box::as_ref)
    }

    /// An option: the program's callbacks, then the configuration file.
    pub(crate) fn option(&self, plugin: Option<&CStr>, name: &CStr) -> Option<CString> {
        self.app
            .option(plugin, name)
            .or_else(|| Some(crate::config::options()?.get(name)?.to_owned()))
    }

    /// The same for a number; what is no number counts as not set.
    pub(crate) fn number(&self, name: &CStr) -> Option<i32> {
        self.option(None, name)?.to_str().ok()?.trim().parse().ok()
    }

    /// Writes to the program's log, else to the system's when `level` is not
    /// above `log_level`. Nothing is formatted when nobody wants it.
    pub(crate) fn log(&self, level: Level, message: fmt::Arguments<'_>) {
        self.log_number(level as i32, message);
    }

    /// The same for a level as a plugin gave it: the program's log gets it
    /// unchanged.
    pub(crate) fn log_number(&self, level: i32, message: fmt::Arguments<'_>) {
        if self.app.takes_log() {
            self.app.log(level, &log_line(message));
        } else if level <= self.log_level.get() {
            os::syslog(level, &log_line(message));
        }
    }

    /// Keeps an error for `sasl_errdetail` and logs its reason at FAIL.
    pub(crate) fn record(&self, error: &Error) {
        if !error.reason().is_empty() {
            self.set_error_text(error.reason());
            if !error.is_silent() {
                self.log(Level::Fail, format_args!("{}", error.reason()));
            }
        }
        self.record_code(error.code());
    }

    /// Keeps a result code, if it is an error.
    pub(crate) fn record_code(&self, code: Code) {
        if code.0 < 0 {
            self.error_code.set(code);
        }
    }

    /// Notes that the program lacks a callback; cheap, as most do.
    pub(crate) fn record_missing_callback(&self, id: c_ulong) {
        self.last_error.replace(LastError::NoCallback(id));
        self.error_code.set(Code::FAIL); // visible in sasl_errdetail, as in stock
    }

    /// Sets the text of the last error.
    pub(crate) fn set_error_text(&self, text: &str) {
        self.last_error
            .replace(LastError::Text(log_line(format_args!("{text}"))));
    }

    /// The text of the last error (`SASL_PLUGERR`).
    pub(crate) fn error_text(&self) -> CString {
        match &*self.last_error.borrow() {
            LastError::None => CString::default(),
            LastError::NoCallback(id) => log_line(format_args!("Unable to find a callback: {id}")),
            LastError::Text(text) => text.clone(),
        }
    }

    /// The line of `sasl_errdetail`.
    pub(crate) fn error_detail(&self) -> CString {
        let code = self.error_code.get();
        let shown = Error::bare(code).public_code();
        let text = self.error_text();
        log_line(format_args!(
            "SASL({}): {}: {}",
            shown.0,
            code.text(),
            text.to_string_lossy()
        ))
    }

    /// Keeps a reply until the next one, and says where it is: address and
    /// length, valid until then.
    pub(crate) fn keep_reply(&self, mut reply: Vec<u8>) -> (*const u8, usize) {
        let length = reply.len();
        reply.push(0); // callers print challenges as strings
        let address = reply.as_ptr();
        self.reply.replace(reply);
        (address, length)
    }

    /// Notes the mechanism in use and the plugin that it comes from.
    pub(crate) fn name_mechanism(&self, name: &str, source: &str) {
        self.mechanism.replace(CString::new(name).ok());
        self.source.replace(CString::new(source).ok());
    }

    /// Forgets identities, mechanism and layer of an earlier exchange.
    pub(crate) fn forget_exchange(&self) {
        self.authid.replace(None);
        self.authzid.replace(None);
        self.mechanism.replace(None);
        self.source.replace(None);
        self.layer.clear();
    }

    /// Stores a canonical name.
    ///
    /// # Errors
    /// `BUFOVER` above [`NAME_MAX`] bytes, `BADPROT` with a NUL inside.
    pub(crate) fn store_identity(&self, name: Vec<u8>, identity: Identity) -> Result<()> {
        if name.len() > NAME_MAX {
            return Err(Error::new(
                Code::BUFOVER,
                "user name longer than 1024 bytes",
            ));
        }
        let name = CString::new(name)
            .map_err(|_| Error::new(Code::BADPROT, "user name with a NUL inside"))?;
        if identity != Identity::Authzid {
            keep(&self.authid, &name);
        }
        if identity != Identity::Authid {
            keep(&self.authzid, &name);
        }
        Ok(())
    }
}

/// Stores a name unless it is there already: plugins and programs hold on to
/// the pointer, and a login canonicalises the same name several times.
fn keep(place: &RefCell<Option<CString>>, name: &CString) {
    if place.borrow().as_ref() != Some(name) {
        place.replace(Some(name.clone()));
    }
}

/// Before `SASL_SEC_PROPS`: everything allowed, no layer possible.
const NO_LIMITS: Limits = Limits {
    min_ssf: 0,
    max_ssf: 0,
    max_buffer: 0,
    security: Security::empty(),
    external_ssf: 0,
};

/// Checks the `addr;port` form of `SASL_IPLOCALPORT` and `SASL_IPREMOTEPORT`:
/// a numeric address, and digits if there is a port. Names are not looked up.
pub(crate) fn is_address_port(text: &CStr) -> bool {
    let Ok(text) = text.to_str() else {
        return false;
    };
    let (address, port) = text.split_once(';').unwrap_or((text, ""));
    let address = address
        .split_once('%')
        .map_or(address, |(address, _zone)| address);
    address.parse::<std::net::IpAddr>().is_ok() && port.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_numeric() {
        for good in [
            c"127.0.0.1;143",
            c"::1;143",
            c"127.0.0.1",
            c"127.0.0.1;",
            c"fe80::1%eth0;25",
        ] {
            assert!(is_address_port(good), "{good:?}");
        }
        for bad in [
            c"foo;bar",
            c"",
            c"127.0.0.1;x",
            c"localhost;143",
            c"[::1];143",
            c"1.2.3.4;5;6",
        ] {
            assert!(!is_address_port(bad), "{bad:?}");
        }
    }
}
