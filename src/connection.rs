// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the server and the client side of a connection share: names, addresses,
//! limits, identities, the last error, the reply that the caller still reads,
//! the security layer.
//!
//! Only `&Connection` exists, so a callback may re-enter; no borrow of a cell
//! is alive while foreign code runs.
#![forbid(unsafe_code)]

mod endpoint;
mod http;
mod known;
mod name;

pub(crate) use endpoint::{Endpoint, Endpoints};
pub(crate) use known::Known;
pub(crate) use name::{NAME_MAX, NAME_ROOM, Name, bounded};

use crate::application::{Program, log_line};
use crate::ffi::os;
use crate::layer::Layer;
use crate::library::Library;
use crate::mechanisms::Label;
use crate::propctx::PropCtx;
use core::cell::{Cell, OnceCell, RefCell};
use core::ffi::{CStr, c_ulong};
use core::fmt;
use mech::{ChannelBinding, Limits, Security};
use saslplug::{Code, Error, Handle, Identity, Level, Result, Secret};
use std::ffi::CString;
use std::rc::Rc;
use std::sync::Arc;

/// How many replaced names stay readable.
const RETIRED: usize = 8;

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

/// State shared by both sides.
pub(crate) struct Connection {
    /// What init built.
    pub(crate) library: Arc<Library>,
    /// The program's callbacks.
    pub(crate) app: Program,
    /// The C object around this one, for adapters of C plugins.
    pub(crate) handle: Handle,
    /// What it is called.
    pub(crate) endpoint: Arc<Endpoint>,
    /// `SASL_SUCCESS_DATA`, `SASL_NEED_PROXY`, `SASL_NEED_HTTP`.
    pub(crate) flags: u32,
    /// The realm of plain user names; server only.
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
    pub(crate) authid: RefCell<Option<Name>>,
    /// `SASL_USERNAME`.
    pub(crate) authzid: RefCell<Option<Name>>,
    /// The mechanism in use.
    pub(crate) mechanism: RefCell<Option<Arc<Label>>>,
    /// Highest level that the system log gets.
    pub(crate) log_level: Cell<i32>,
    /// The `SASL_CU_*` bits of the canonicalisation under way.
    pub(crate) canon_flags: Cell<u32>,
    /// Whether the log knows that a store of `auxprop_plugin` is missing.
    pub(crate) told_missing_store: Cell<bool>,
    /// Whether an exchange or a check left anything behind.
    used: Cell<bool>,
    /// What the call that runs found out already.
    pub(crate) known: Known,
    /// The layer that was agreed on.
    pub(crate) layer: Layer,
    /// Data for the peer that the caller still reads.
    reply: RefCell<Secret>,
    /// Names that were replaced, oldest first.
    retired_names: RefCell<Vec<Name>>,
    properties: OnceCell<Box<PropCtx>>,
    error_code: Cell<Code>,
    last_error: RefCell<LastError>,
}

impl Connection {
    /// A connection without identity, layer or error.
    #[inline]
    pub(crate) fn new(
        library: Arc<Library>,
        app: Program,
        handle: Handle,
        endpoint: Arc<Endpoint>,
        flags: u32,
    ) -> Self {
        Self {
            library,
            app,
            handle,
            endpoint,
            flags,
            realm: RefCell::default(),
            local: RefCell::default(),
            remote: RefCell::default(),
            limits: Cell::new(NO_LIMITS),
            external_id: RefCell::default(),
            bindings: RefCell::default(),
            authid: RefCell::default(),
            authzid: RefCell::default(),
            mechanism: RefCell::default(),
            log_level: Cell::new(Level::Err as i32),
            canon_flags: Cell::new(0),
            told_missing_store: Cell::new(false),
            used: Cell::new(false),
            known: Known::default(),
            layer: Layer::default(),
            reply: RefCell::default(),
            retired_names: RefCell::default(),
            properties: OnceCell::new(),
            error_code: Cell::new(Code::OK),
            last_error: RefCell::default(),
        }
    }

    /// The property context; made when it is first needed.
    pub(crate) fn properties(&self) -> &PropCtx {
        // `default` makes it where it stays.
        self.properties.get_or_init(Box::default)
    }

    /// The property context, if anything ever needed one.
    pub(crate) fn known_properties(&self) -> Option<&PropCtx> {
        self.properties.get().map(Box::as_ref)
    }

    /// Shows an option to `work`: the program's callbacks, then the
    /// configuration file, else `None`. The text lives for the call only, and
    /// `work` must not call the program.
    pub(crate) fn with_option<T>(&self, name: &CStr, work: impl Fn(Option<&CStr>) -> T) -> T {
        let mut done = None;
        self.app
            .with_option(None, name, &mut |text| done = Some(work(Some(text))));
        done.unwrap_or_else(|| match crate::config::options() {
            Some(config) => work(config.get(name)),
            None => work(None),
        })
    }

    /// An option, copied.
    pub(crate) fn option(&self, plugin: Option<&CStr>, name: &CStr) -> Option<CString> {
        let mut found = None;
        self.app
            .with_option(plugin, name, &mut |text| found = Some(text.to_owned()));
        found.or_else(|| Some(crate::config::options()?.get(name)?.to_owned()))
    }

    /// The same for a number; what is no number counts as not set.
    pub(crate) fn number(&self, name: &CStr) -> Option<i32> {
        self.with_option(name, |text| match text?.to_bytes() {
            [digit @ b'0'..=b'9'] => Some(i32::from(digit - b'0')),
            _ => text?.to_str().ok()?.trim().parse().ok(),
        })
    }

    /// Reads the option `log_level`.
    pub(crate) fn read_log_level(&self) {
        if let Some(level) = self.number(c"log_level") {
            self.log_level.set(level);
        }
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
        let known =
            matches!(*self.last_error.borrow(), LastError::NoCallback(known) if known == id);
        if !known {
            self.last_error.replace(LastError::NoCallback(id));
        }
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
    /// length, valid until then. It may hold a password (PLAIN): wiped, and not
    /// copied by growing.
    pub(crate) fn keep_reply(&self, reply: Vec<u8>) -> (*const u8, usize) {
        let length = reply.len();
        let mut reply = reply;
        if reply.capacity() == length {
            let old = Secret::new(reply);
            reply = Vec::with_capacity(length.saturating_add(1));
            reply.extend_from_slice(old.as_bytes());
        }
        reply.push(0); // callers print challenges as strings
        let reply = Secret::new(reply);
        let address = reply.as_bytes().as_ptr();
        self.reply.replace(reply);
        (address, length)
    }

    /// Notes the mechanism in use and the plugin that it comes from.
    pub(crate) fn name_mechanism(&self, label: &Arc<Label>) {
        self.used.set(true);
        self.mechanism.replace(Some(Arc::clone(label)));
    }

    /// Forgets identities, mechanism and layer of an earlier exchange.
    pub(crate) fn forget_exchange(&self) {
        if !self.used.replace(false) {
            return; // nothing to forget
        }
        self.forget_identity();
        self.mechanism.replace(None);
        self.layer.clear();
    }

    /// Forgets who is who.
    pub(crate) fn forget_identity(&self) {
        for place in [&self.authid, &self.authzid] {
            if place.borrow().is_some() {
                self.rename(place, None);
            }
        }
    }

    /// Replaces a name. The old one stays readable for a while: plugins and
    /// programs hold on to the pointer.
    fn rename(&self, place: &RefCell<Option<Name>>, name: Option<Name>) {
        if let Some(old) = place.replace(name) {
            self.retire(old);
        }
    }

    #[cold]
    fn retire(&self, old: Name) {
        let mut retired = self.retired_names.borrow_mut();
        if retired.len() >= RETIRED {
            retired.remove(0);
        }
        retired.push(old);
    }

    /// Whether authid and authzid are the same.
    pub(crate) fn is_one_name(&self) -> bool {
        match (&*self.authid.borrow(), &*self.authzid.borrow()) {
            (Some(authid), Some(authzid)) => Rc::ptr_eq(authid, authzid) || authid == authzid,
            (authid, authzid) => authid.is_none() && authzid.is_none(),
        }
    }

    /// Whether these bytes are both identities, at the place where they are kept.
    pub(crate) fn is_stored(&self, name: &[u8]) -> bool {
        let here = |place: &RefCell<Option<Name>>| {
            let known = place.borrow();
            known
                .as_deref()
                .is_some_and(|known| core::ptr::eq(known.to_bytes(), name))
        };
        here(&self.authid) && here(&self.authzid)
    }

    /// Whether any property is asked for.
    pub(crate) fn wants_properties(&self) -> bool {
        self.known_properties().is_some_and(PropCtx::holds_requests)
    }

    /// Stores a canonical name.
    ///
    /// # Errors
    /// `BUFOVER` above [`NAME_MAX`] bytes, `BADPROT` with a NUL inside.
    pub(crate) fn store_identity(&self, name: &[u8], identity: Identity) -> Result<()> {
        name::bounded(name)?;
        let is_authid = is(&self.authid.borrow(), name);
        let is_authzid = is(&self.authzid.borrow(), name);
        let new_authid = !is_authid && identity != Identity::Authzid;
        let new_authzid = !is_authzid && identity != Identity::Authid;
        if !new_authid && !new_authzid {
            return Ok(()); // the pointer that others hold stays good
        }
        let shared = if is_authid {
            self.authid.borrow().clone()
        } else if is_authzid {
            self.authzid.borrow().clone()
        } else {
            name::shared(name)
        };
        let name = shared.ok_or(Error::new(Code::BADPROT, "user name with a NUL inside"))?;
        self.used.set(true);
        if new_authid {
            self.rename(&self.authid, Some(Name::clone(&name)));
        }
        if new_authzid {
            self.rename(&self.authzid, Some(name));
        }
        Ok(())
    }
}

fn is(known: &Option<Name>, name: &[u8]) -> bool {
    known
        .as_deref()
        .is_some_and(|known| known.to_bytes() == name)
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
