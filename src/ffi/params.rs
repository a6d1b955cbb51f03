// SPDX-License-Identifier: MIT OR Apache-2.0
//! The parameter structures that C plugins are shown (`sasl_server_params_t`,
//! `sasl_utils_t`). They lie beside the connection, are made when the first
//! plugin is called, and are brought up to date before each call.

use crate::client::Client;
use crate::connection::Connection;
use crate::ffi::conn::{Conn, address};
use crate::ffi::{prop, utils};
use crate::server::Server;
use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_int, c_uint};
use core::ptr;
use saslplug::raw::*;
use saslplug::{Code, Error, Host, Identity, Result};
use std::ffi::CString;
use std::sync::Arc;

/// What the plugins of one connection hold pointers to; `T` are the parameters
/// of its side.
pub(crate) struct Params<T> {
    utils: UnsafeCell<sasl_utils_t>,
    side: UnsafeCell<T>,
    texts: UnsafeCell<Texts>,
}

/// Those of a server connection.
pub(crate) type ServerParams = Params<sasl_server_params_t>;
/// Those of a client connection.
pub(crate) type ClientParams = Params<sasl_client_params_t>;

/// Copies of strings that the connection may replace while a plugin runs.
#[derive(Default)]
struct Texts {
    app_name: Option<Arc<CStr>>,
    realm: Option<CString>,
    local: Option<CString>,
    remote: Option<CString>,
}

fn length(text: Option<&CStr>) -> c_uint {
    text.map_or(0, |text| {
        c_uint::try_from(text.to_bytes().len()).unwrap_or(c_uint::MAX)
    })
}

impl<T> Params<T> {
    /// Written where they stay: together they are more than half a kilobyte.
    fn new(conn: &Conn, side: &T) -> Box<Self> {
        let mut place = Box::<Self>::new_uninit();
        let this = place.as_mut_ptr();
        // SAFETY: the fields of a place that is ours alone, in bounds and
        // aligned; `side` and the template are plain data that may be copied.
        unsafe {
            utils::write_for_connection(conn, ptr::addr_of_mut!((*this).utils).cast());
            ptr::addr_of_mut!((*this).side)
                .cast::<T>()
                .copy_from(side, 1);
            ptr::addr_of_mut!((*this).texts).write(UnsafeCell::default());
        }
        // SAFETY: all three fields were written.
        unsafe { place.assume_init() }
    }
}

impl ServerParams {
    /// `sasl_server_params_t` of a server connection, up to date. It belongs to
    /// the connection.
    pub(crate) fn of(conn: &Conn, server: &Server) -> *mut sasl_server_params_t {
        let this = conn.server_params.get_or_init(|| Self::new(conn, &EMPTY));
        if !conn.params_are_old.replace(false) {
            return this.side.get();
        }
        let shared = server.connection();
        // SAFETY: one connection is used by one thread at a time, and no
        // reference into the cell outlives this block.
        let texts = unsafe { &mut *this.texts.get() };
        refresh(&mut texts.app_name, &server.app_name.borrow());
        refresh(&mut texts.realm, &shared.realm.borrow());
        refresh(&mut texts.local, &shared.local.borrow());
        refresh(&mut texts.remote, &shared.remote.borrow());
        let params = this.server_params(conn, server, shared, texts);
        // SAFETY: as above; plugins see the structure only while they are called.
        unsafe { *this.side.get() = params };
        this.side.get()
    }

    fn server_params(
        &self,
        conn: &Conn,
        server: &Server,
        shared: &Connection,
        texts: &Texts,
    ) -> sasl_server_params_t {
        sasl_server_params_t {
            service: shared.endpoint.service.as_ptr(),
            appname: address(texts.app_name.as_deref()),
            serverFQDN: address(shared.endpoint.server_fqdn.as_deref()),
            user_realm: address(texts.realm.as_deref()),
            iplocalport: address(texts.local.as_deref()),
            ipremoteport: address(texts.remote.as_deref()),
            servicelen: length(Some(&shared.endpoint.service)),
            applen: length(texts.app_name.as_deref()),
            slen: length(shared.endpoint.server_fqdn.as_deref()),
            urlen: length(texts.realm.as_deref()),
            iploclen: length(texts.local.as_deref()),
            ipremlen: length(texts.remote.as_deref()),
            log_level: shared.log_level.get(),
            utils: self.utils.get(),
            callbacks: conn.app.own,
            props: conn.limits.get(),
            external_ssf: shared.limits.get().external_ssf,
            transition: server.transitions().then_some(transition as _),
            canon_user: Some(canon_user),
            propctx: prop::as_ptr(shared.properties()),
            gss_creds: conn.gss_creds.get(),
            cbinding: conn.binding.get(),
            http_request: conn.http_request.get(),
            flags: shared.flags,
            ..EMPTY
        }
    }
}

impl ClientParams {
    /// `sasl_client_params_t` of a client connection, up to date.
    pub(crate) fn of(conn: &Conn, client: &Client) -> *mut sasl_client_params_t {
        let this = conn
            .client_params
            .get_or_init(|| Self::new(conn, &EMPTY_CLIENT));
        let shared = client.connection();
        // SAFETY: as in `ServerParams::of`.
        let texts = unsafe { &mut *this.texts.get() };
        refresh(&mut texts.local, &shared.local.borrow());
        refresh(&mut texts.remote, &shared.remote.borrow());
        let client_fqdn = client.client_fqdn_text();
        let params = sasl_client_params_t {
            service: shared.endpoint.service.as_ptr(),
            serverFQDN: address(shared.endpoint.server_fqdn.as_deref()),
            clientFQDN: client_fqdn.as_ptr(),
            utils: this.utils.get(),
            prompt_supp: conn.app.own,
            iplocalport: address(texts.local.as_deref()),
            ipremoteport: address(texts.remote.as_deref()),
            servicelen: length(Some(&shared.endpoint.service)),
            slen: length(shared.endpoint.server_fqdn.as_deref()),
            clen: length(Some(client_fqdn)),
            iploclen: length(texts.local.as_deref()),
            ipremlen: length(texts.remote.as_deref()),
            props: conn.limits.get(),
            external_ssf: shared.limits.get().external_ssf,
            gss_creds: conn.gss_creds.get(),
            cbinding: conn.binding.get(),
            http_request: conn.http_request.get(),
            canon_user: Some(client_canon_user),
            cbindingdisp: client.disposition() as c_uint,
            log_level: shared.log_level.get(),
            flags: shared.flags,
            ..EMPTY_CLIENT
        };
        // SAFETY: as in `ServerParams::of`.
        unsafe { *this.side.get() = params };
        this.side.get()
    }
}

/// Replaces a copy only when the text is another: plugins may still hold the
/// old pointer.
fn refresh<T: Clone + PartialEq>(copy: &mut Option<T>, text: &Option<T>) {
    if copy != text {
        copy.clone_from(text);
    }
}

const EMPTY: sasl_server_params_t = sasl_server_params_t {
    service: ptr::null(),
    appname: ptr::null(),
    serverFQDN: ptr::null(),
    user_realm: ptr::null(),
    iplocalport: ptr::null(),
    ipremoteport: ptr::null(),
    servicelen: 0,
    applen: 0,
    slen: 0,
    urlen: 0,
    iploclen: 0,
    ipremlen: 0,
    log_level: 0,
    utils: ptr::null(),
    callbacks: ptr::null(),
    props: sasl_security_properties_t {
        min_ssf: 0,
        max_ssf: 0,
        maxbufsize: 0,
        security_flags: 0,
        property_names: ptr::null_mut(),
        property_values: ptr::null_mut(),
    },
    external_ssf: 0,
    transition: None,
    canon_user: None,
    propctx: ptr::null_mut(),
    gss_creds: ptr::null(),
    cbinding: ptr::null(),
    http_request: ptr::null(),
    spare_ptr4: ptr::null_mut(),
    spare_fptr1: None,
    spare_fptr2: None,
    spare_int1: 0,
    spare_int2: 0,
    spare_int3: 0,
    flags: 0,
    param_version: 0,
};

const EMPTY_CLIENT: sasl_client_params_t = sasl_client_params_t {
    service: ptr::null(),
    serverFQDN: ptr::null(),
    clientFQDN: ptr::null(),
    utils: ptr::null(),
    prompt_supp: ptr::null(),
    iplocalport: ptr::null(),
    ipremoteport: ptr::null(),
    servicelen: 0,
    slen: 0,
    clen: 0,
    iploclen: 0,
    ipremlen: 0,
    props: EMPTY.props,
    external_ssf: 0,
    gss_creds: ptr::null(),
    cbinding: ptr::null(),
    http_request: ptr::null(),
    spare_ptr4: ptr::null_mut(),
    canon_user: None,
    spare_fptr1: None,
    cbindingdisp: 0,
    log_level: 0,
    spare_int3: 0,
    flags: 0,
    param_version: 0,
};

/// The client parameters of the connection behind a host.
///
/// # Errors
/// `FAIL` when the host is no client connection.
pub(crate) fn client(host: &dyn Host) -> Result<*mut sasl_client_params_t> {
    // SAFETY: a handle is NULL or the live connection that runs this call.
    let conn = unsafe { Conn::borrow(host.handle().0.cast()) };
    conn.and_then(|conn| Some(ClientParams::of(conn, conn.client()?)))
        .ok_or(Error::new(
            Code::FAIL,
            "a C plugin was asked without a client connection",
        ))
}

/// `sasl_server_params_t.canon_user`: canonicalise and look up.
unsafe extern "C" fn canon_user(
    conn: *mut sasl_conn_t,
    name: *const c_char,
    len: c_uint,
    flags: c_uint,
    oparams: *mut sasl_out_params_t,
) -> c_int {
    use crate::ffi::{arg, edge};
    // SAFETY: saslplug.h: `conn` is the plugin's connection, `name` covers `len`
    // bytes (a string if `len` is 0), `oparams` is NULL or writable.
    let (conn, name) = unsafe { (Conn::borrow(conn), arg::bytes_or_text(name, len)) };
    edge::run(conn, |conn| {
        let server = conn.server().ok_or(Code::BADPARAM)?;
        let identity = identity_of(flags)?;
        let outcome =
            server.identify_and_look_up(name.ok_or(Code::BADPARAM)?, identity, flags & !3);
        // SAFETY: saslplug.h: NULL, or the plugin's results.
        unsafe { show_identity(server.connection(), oparams) };
        outcome.map(|()| Code::OK)
    })
}

fn identity_of(flags: c_uint) -> Result<Identity> {
    match flags & 3 {
        SASL_CU_AUTHID => Ok(Identity::Authid),
        SASL_CU_AUTHZID => Ok(Identity::Authzid),
        3 => Ok(Identity::Both),
        _ => Err(Code::BADPARAM.into()),
    }
}

/// Tells a mechanism the canonical names; they stay where they are until they
/// change.
///
/// # Safety
/// `oparams` is NULL or writable.
unsafe fn show_identity(shared: &Connection, oparams: *mut sasl_out_params_t) {
    // SAFETY: our caller's promise.
    let Some(out) = (unsafe { oparams.as_mut() }) else {
        return;
    };
    let (authid, authzid) = (shared.authid.borrow(), shared.authzid.borrow());
    out.authid = address(authid.as_deref());
    out.alen = length(authid.as_deref());
    out.user = address(authzid.as_deref());
    out.ulen = length(authzid.as_deref());
}

/// `sasl_client_params_t.canon_user`: canonicalise.
unsafe extern "C" fn client_canon_user(
    conn: *mut sasl_conn_t,
    name: *const c_char,
    len: c_uint,
    flags: c_uint,
    oparams: *mut sasl_out_params_t,
) -> c_int {
    use crate::ffi::{arg, edge};
    use mech::ClientHost;
    // SAFETY: saslplug.h: as for canon_user.
    let (conn, name) = unsafe { (Conn::borrow(conn), arg::bytes_or_text(name, len)) };
    edge::run(conn, |conn| {
        let client = conn.client().ok_or(Code::BADPARAM)?;
        let identity = identity_of(flags)?;
        let outcome = client.identify(name.ok_or(Code::BADPARAM)?, identity);
        // SAFETY: saslplug.h: NULL, or the plugin's results.
        unsafe { show_identity(client.connection(), oparams) };
        outcome.map(|()| Code::OK)
    })
}

/// `sasl_server_params_t.transition`.
unsafe extern "C" fn transition(
    conn: *mut sasl_conn_t,
    pass: *const c_char,
    passlen: c_uint,
) -> c_int {
    use crate::ffi::{arg, edge};
    // SAFETY: saslplug.h: as for canon_user.
    let (conn, pass) = unsafe { (Conn::borrow(conn), arg::bytes(pass, passlen)) };
    edge::run(conn, |conn| {
        let server = conn.server().ok_or(Code::BADPARAM)?;
        server.transition(pass.ok_or(Code::BADPARAM)?.into());
        Ok(Code::OK)
    })
}
