// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the library gave a mechanism for one call, as the mechanism's host.
//! `Shared` is what both sides have; identities go out through the library's
//! own `canon_user`, which writes them into `sasl_out_params_t`.
#![allow(unsafe_code, reason = "every call goes through a C pointer")]

use crate::{bytes, length, outcome, text};
use core::ffi::{c_char, c_int, c_uint, c_void};
use core::ptr;
use mech::{ChannelBinding, Limits, Lookup, Security, ServerHost};
use saslplug::raw::*;
use saslplug::utils::Utils;
use saslplug::{Code, GssObjects, Handle, Host, Identity, Level, Password, Result, Secret};
use std::ffi::{CStr, CString};
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

type CanonUser = unsafe extern "C" fn(
    *mut sasl_conn_t,
    *const c_char,
    c_uint,
    c_uint,
    *mut sasl_out_params_t,
) -> c_int;

/// What both sides have. The pointers are the library's, for one call.
pub(crate) struct Shared<'a> {
    pub(crate) utils: &'a sasl_utils_t,
    pub(crate) host: Utils<'a>,
    pub(crate) oparams: *mut sasl_out_params_t,
    pub(crate) props: sasl_security_properties_t,
    pub(crate) external_ssf: sasl_ssf_t,
    pub(crate) canon_user: Option<CanonUser>,
    pub(crate) binding: *const sasl_channel_binding_t,
    pub(crate) gss_creds: *const c_void,
}

impl Shared<'_> {
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            min_ssf: self.props.min_ssf,
            max_ssf: self.props.max_ssf,
            max_buffer: self.props.maxbufsize,
            security: Security::from_bits_retain(self.props.security_flags),
            external_ssf: self.external_ssf,
        }
    }

    pub(crate) fn identify(&self, name: &[u8], identity: Identity, flags: c_uint) -> Result<()> {
        let canon_user = self.canon_user.ok_or(Code::FAIL)?;
        if self.oparams.is_null() {
            return Err(Code::NOTDONE.into());
        }
        // Some libraries measure the string, and none takes a NUL inside.
        let name = CString::new(name).map_err(|_| Code::BADAUTH)?;
        let which = match identity {
            Identity::Authid => SASL_CU_AUTHID,
            Identity::Authzid => SASL_CU_AUTHZID,
            Identity::Both => SASL_CU_AUTHID | SASL_CU_AUTHZID,
        };
        let len = length(name.as_bytes())?;
        // SAFETY: saslplug.h: the connection's own function; the name lives for
        // the call, the results are the library's.
        outcome(unsafe {
            canon_user(
                self.utils.conn,
                name.as_ptr(),
                len,
                which | flags,
                self.oparams,
            )
        })
    }

    fn results(&self) -> Option<sasl_out_params_t> {
        // SAFETY: NULL or the library's results, live during the call.
        unsafe { self.oparams.as_ref() }.copied()
    }

    pub(crate) fn authid(&self) -> Option<Vec<u8>> {
        let results = self.results()?;
        // SAFETY: saslplug.h: NULL or `alen` bytes, written by canon_user.
        unsafe { bytes(results.authid, results.alen) }.map(<[u8]>::to_vec)
    }

    pub(crate) fn authzid(&self) -> Option<Vec<u8>> {
        let results = self.results()?;
        // SAFETY: saslplug.h: NULL or `ulen` bytes, written by canon_user.
        unsafe { bytes(results.user, results.ulen) }.map(<[u8]>::to_vec)
    }

    pub(crate) fn external_id(&self) -> Option<Vec<u8>> {
        let getprop = self.utils.getprop?;
        let mut value = ptr::null();
        // SAFETY: sasl.h: the property is NULL or a string of the connection.
        let name = unsafe {
            let code = getprop(self.utils.conn, SASL_AUTH_EXTERNAL, &mut value);
            (code == 0 && !value.is_null()).then(|| CStr::from_ptr(value.cast()))
        };
        name.map(|name| name.to_bytes().to_vec())
    }

    pub(crate) fn binding(&self) -> Option<ChannelBinding> {
        // SAFETY: sasl.h: NULL or the structure that the application set, which
        // lives as long as the connection uses it.
        let binding = unsafe { self.binding.as_ref() }?;
        let len = c_uint::try_from(binding.len).ok()?;
        // SAFETY: as above: a string, and `len` bytes.
        let (name, data) = unsafe { (text(binding.name), bytes(binding.data.cast(), len)) };
        Some(ChannelBinding {
            name: name?,
            data: data.unwrap_or_default().to_vec(),
            critical: binding.critical != 0,
        })
    }

    pub(crate) fn show_gss(&self, objects: &GssObjects) {
        // SAFETY: NULL or the library's results; nobody else holds a reference.
        if let Some(results) = unsafe { self.oparams.as_mut() } {
            results.gss_peer_name = objects.peer.0;
            results.gss_local_name = objects.local.0;
            results.client_creds = objects.delegated.0;
        }
    }
}

/// Bytes of the operating system.
pub(crate) fn fill_random(mut out: &mut [u8]) -> Result<()> {
    while !out.is_empty() {
        // SAFETY: `out` is writable for its length.
        let got = unsafe { libc::getrandom(out.as_mut_ptr().cast(), out.len(), 0) };
        match usize::try_from(got) {
            Ok(got) if got > 0 => out = out.get_mut(got..).ok_or(Code::FAIL)?,
            _ if std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted => {}
            _ => return Err(Code::FAIL.into()),
        }
    }
    Ok(())
}

/// The host of a server mechanism.
pub(crate) struct Server<'a> {
    pub(crate) shared: Shared<'a>,
    params: &'a sasl_server_params_t,
}

impl<'a> Server<'a> {
    /// # Safety
    /// `params` is NULL or the library's, valid for `'a`; `oparams` is NULL or
    /// writable for `'a`.
    pub(crate) unsafe fn new(
        params: *const sasl_server_params_t,
        oparams: *mut sasl_out_params_t,
    ) -> Option<Self> {
        // SAFETY: our caller's promise.
        let (host, params) = unsafe { (Utils::server(params)?, params.as_ref()?) };
        Some(Self {
            shared: Shared {
                // SAFETY: our caller's promise for the field.
                utils: unsafe { params.utils.as_ref() }?,
                host,
                oparams,
                props: params.props,
                external_ssf: params.external_ssf,
                canon_user: params.canon_user,
                binding: params.cbinding,
                gss_creds: params.gss_creds,
            },
            params,
        })
    }
}

macro_rules! host {
    ($host:ident) => {
        fn option(&self, plugin: &str, name: &str) -> Option<String> {
            self.shared.host.option(plugin, name)
        }
        fn property(&self, name: &CStr) -> Vec<Secret> {
            self.shared.host.property(name)
        }
        fn log(&self, level: Level, message: fmt::Arguments<'_>) {
            self.shared.host.log(level, message);
        }
        fn handle(&self) -> Handle {
            self.shared.host.handle()
        }
        fn service(&self) -> String {
            // SAFETY: saslplug.h: NULL or a C string.
            unsafe { text(self.params.service) }.unwrap_or_default()
        }
        fn gss_credentials(&self) -> Handle {
            Handle(self.shared.gss_creds.cast_mut())
        }
        fn show_gss(&self, objects: &GssObjects) {
            self.shared.show_gss(objects);
        }
    };
}
pub(crate) use host;

impl Host for Server<'_> {
    host!(Server);

    fn realm(&self) -> Option<String> {
        self.shared.host.realm()
    }
}

impl ServerHost for Server<'_> {
    fn server_fqdn(&self) -> String {
        // SAFETY: saslplug.h: NULL or a C string.
        unsafe { text(self.params.serverFQDN) }.unwrap_or_default()
    }

    fn limits(&self) -> Limits {
        self.shared.limits()
    }

    fn external_id(&self) -> Option<Vec<u8>> {
        self.shared.external_id()
    }

    fn request(&self, names: &[&'static CStr]) -> Result<()> {
        let request = self.shared.utils.prop_request.ok_or(Code::FAIL)?;
        let mut names: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
        names.push(ptr::null());
        // SAFETY: prop.h: a live context and a list that ends with NULL; the
        // names are static, as it keeps them.
        outcome(unsafe { request(self.params.propctx, names.as_mut_ptr()) })
    }

    fn identify(&self, name: &[u8], identity: Identity, lookup: Lookup) -> Result<()> {
        let flags = match lookup {
            Lookup::Required => 0,
            Lookup::ExternallyVerified => SASL_CU_EXTERNALLY_VERIFIED,
        };
        self.shared.identify(name, identity, flags)
    }

    fn authid(&self) -> Option<Vec<u8>> {
        self.shared.authid()
    }

    fn authzid(&self) -> Option<Vec<u8>> {
        self.shared.authzid()
    }

    fn erase(&self, names: &[&'static CStr]) {
        if let Some(erase) = self.shared.utils.prop_erase {
            for name in names {
                // SAFETY: prop.h: a live context and a C string.
                unsafe { erase(self.params.propctx, name.as_ptr()) }
            }
        }
    }

    fn check_password(&self, password: Password<'_>) -> Result<()> {
        let check = self.shared.utils.checkpass.ok_or(Code::NOMECH)?;
        let user = CString::new(self.authid().ok_or(Code::FAIL)?).map_err(|_| Code::BADAUTH)?;
        let pass = terminated(password);
        let (ulen, plen) = (length(user.as_bytes())?, length(password.as_bytes())?);
        let conn = self.shared.utils.conn;
        // SAFETY: saslplug.h: both live for the call and end with a NUL.
        outcome(unsafe { check(conn, user.as_ptr(), ulen, pass.as_ptr().cast(), plen) })
    }

    fn transition(&self, password: &Secret) {
        let (Some(transition), Ok(len)) = (self.params.transition, length(password.as_bytes()))
        else {
            return;
        };
        let pass = terminated(password.shown());
        // SAFETY: saslplug.h: the password lives for the call. What becomes of
        // it is the library's to say.
        unsafe { transition(self.shared.utils.conn, pass.as_ptr().cast(), len) };
    }

    fn channel_bindings(&self) -> Vec<ChannelBinding> {
        self.shared.binding().into_iter().collect()
    }

    fn fill_random(&self, out: &mut [u8]) -> Result<()> {
        fill_random(out)
    }

    fn unix_time(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.map_or(0, |now| now.as_secs())
    }
}

/// A password with a NUL behind it, wiped afterwards.
fn terminated(password: Password<'_>) -> zeroize::Zeroizing<Vec<u8>> {
    let mut copy = zeroize::Zeroizing::new(Vec::with_capacity(password.len().saturating_add(1)));
    copy.extend_from_slice(password.as_bytes());
    copy.push(0);
    copy
}
