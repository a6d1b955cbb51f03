// SPDX-License-Identifier: MIT OR Apache-2.0
//! sasl.h, "properties": sasl_getprop and sasl_setprop. A pointer that is given
//! out refers into the connection and is valid until the property changes.

use crate::connection::is_address_port;
use crate::ffi::conn::{Conn, address};
use crate::ffi::{arg, edge};
use crate::mechanisms::Label;
use core::cell::RefCell;
use core::ffi::{CStr, c_int, c_void};
use core::ops::Deref;
use core::ptr;
use mech::{ChannelBinding, Security};
use saslplug::raw::*;
use saslplug::{Code, Error, Result};
use std::ffi::CString;
use std::sync::Arc;

const NOT_YET: &str = "Information that was requested is not yet available.";

/// What a bad `SASL_IPLOCALPORT` is called.
pub(crate) const BAD_LOCAL: &str = "Bad IPLOCALPORT value";
/// The same for `SASL_IPREMOTEPORT`.
pub(crate) const BAD_REMOTE: &str = "Bad IPREMOTEPORT value";

/// A property's value, as an address.
enum Value {
    /// Here it is (NULL may be a value).
    At(*const c_void),
    /// Not known yet; the result is left alone.
    NotYet,
    /// Not known; the result becomes NULL.
    Unset,
}

fn text<T: Deref<Target = CStr>>(place: &RefCell<Option<T>>) -> *const c_void {
    address(place.borrow().as_deref()).cast()
}

fn once_known<T: Deref<Target = CStr>>(place: &RefCell<Option<T>>) -> Value {
    let known = text(place);
    if known.is_null() {
        Value::NotYet
    } else {
        Value::At(known)
    }
}

/// Reads a property.
///
/// # Safety
/// - `conn`: NULL or a live connection
/// - `pvalue`: NULL or writable
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_getprop(
    conn: *mut sasl_conn_t,
    propnum: c_int,
    pvalue: *mut *const c_void,
) -> c_int {
    // SAFETY: sasl.h: see above.
    let (conn, out) = unsafe { (Conn::borrow(conn), arg::Out::new(pvalue)) };
    edge::run(conn, |conn| {
        if out.is_null() {
            return Err(edge::bad_argument("pvalue is NULL"));
        }
        match value_of(conn, propnum)? {
            Value::At(value) => out.set(value),
            Value::NotYet => return Err(Error::new(Code::NOTDONE, NOT_YET).silent()),
            Value::Unset => {
                out.set(ptr::null());
                return Err(Error::new(Code::NOTDONE, NOT_YET).silent());
            }
        }
        Ok(Code::OK)
    })
}

fn value_of(conn: &Conn, number: c_int) -> Result<Value> {
    let shared = conn.connection();
    let unset_or = |place: &RefCell<Option<CString>>| match text(place) {
        known if known.is_null() => Value::Unset,
        known => Value::At(known),
    };
    Ok(match number {
        SASL_USERNAME => once_known(&shared.authzid),
        SASL_AUTHUSER => once_known(&shared.authid),
        SASL_MECHNAME => label(conn, |label| &label.name),
        SASL_AUTHSOURCE => label(conn, |label| &label.source),
        SASL_SSF => Value::At(shared.layer.ssf.as_ptr().cast()),
        SASL_MAXOUTBUF => Value::At(shared.layer.max_outbuf.as_ptr().cast()),
        SASL_GETOPTCTX => Value::At(conn.as_ptr().cast()),
        SASL_CALLBACK => Value::At(conn.app.own.cast()),
        SASL_IPLOCALPORT => unset_or(&shared.local),
        SASL_IPREMOTEPORT => unset_or(&shared.remote),
        SASL_PLUGERR => {
            let text = shared.error_text();
            let at = text.as_ptr().cast();
            conn.seldom().plugin_error.replace(Some(text));
            Value::At(at)
        }
        SASL_SERVICE => Value::At(shared.endpoint.service.as_ptr().cast()),
        SASL_SERVERFQDN => Value::At(address(shared.endpoint.server_fqdn.as_deref()).cast()),
        SASL_DELEGATEDCREDS | SASL_GSS_PEER_NAME | SASL_GSS_LOCAL_NAME => from_plugin(conn, number),
        SASL_GSS_CREDS => Value::At(conn.gss_creds.get()),
        SASL_HTTP_REQUEST => Value::At(conn.http_request.get().cast()),
        SASL_SSF_EXTERNAL => Value::At(conn.external_ssf.as_ptr().cast()),
        SASL_SEC_PROPS => Value::At(conn.limits.as_ptr().cast()),
        SASL_AUTH_EXTERNAL => Value::At(text(&shared.external_id)),
        SASL_DEFUSERREALM | SASL_APPNAME => return server_value(conn, number),
        _ => return Err(edge::bad_argument("unknown property")),
    })
}

/// One of the names of the mechanism in use; they live as long as its table.
fn label(conn: &Conn, which: fn(&Label) -> &CString) -> Value {
    match conn.connection().mechanism.borrow().as_deref() {
        Some(label) => Value::At(which(label).as_ptr().cast()),
        None => Value::NotYet,
    }
}

/// What only a server connection has.
fn server_value(conn: &Conn, number: c_int) -> Result<Value> {
    let Some(server) = conn.server() else {
        let text = format!("property {number} belongs to server connections");
        return Err(edge::internal_error(Code::BADPROT, &text));
    };
    Ok(Value::At(match number {
        SASL_APPNAME => text(&server.app_name),
        _ => text(&conn.connection().realm),
    }))
}

/// What only GSS-API mechanisms of plugins report.
fn from_plugin(conn: &Conn, number: c_int) -> Value {
    let Some(results) = conn.results() else {
        return Value::NotYet;
    };
    let value = match number {
        SASL_DELEGATEDCREDS => results.client_creds.cast_const(),
        SASL_GSS_PEER_NAME => results.gss_peer_name,
        _ => results.gss_local_name,
    };
    if value.is_null() {
        Value::NotYet
    } else {
        Value::At(value)
    }
}

/// Sets a property.
///
/// # Safety
/// - `conn`: NULL or a live connection
/// - `value`: NULL or what sasl.h says for `propnum`; values that the header
///   calls borrowed stay valid as long as the connection
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_setprop(
    conn: *mut sasl_conn_t,
    propnum: c_int,
    value: *const c_void,
) -> c_int {
    // SAFETY: sasl.h: see above.
    let conn = unsafe { Conn::borrow(conn) };
    edge::run(conn, |conn| {
        conn.params_are_old.set(true);
        match propnum {
            SASL_GSS_CREDS => conn.gss_creds.set(value),
            SASL_HTTP_REQUEST => conn.http_request.set(value.cast()),
            SASL_CHANNEL_BINDING => {
                conn.binding.set(value.cast());
                // SAFETY: see above.
                let binding = unsafe { copy_binding(value.cast()) };
                conn.connection()
                    .bindings
                    .replace(binding.into_iter().collect());
            }
            SASL_SSF_EXTERNAL => {
                // SAFETY: see above: NULL or an ssf.
                let ssf = unsafe { value.cast::<sasl_ssf_t>().as_ref() };
                set_external_ssf(
                    conn,
                    *ssf.ok_or_else(|| edge::bad_argument("value is NULL"))?,
                );
            }
            SASL_SEC_PROPS => {
                // SAFETY: see above: NULL or the structure.
                let limits = unsafe { value.cast::<sasl_security_properties_t>().as_ref() };
                set_limits(
                    conn,
                    limits.ok_or_else(|| edge::bad_argument("value is NULL"))?,
                )?;
            }
            _ => {
                // SAFETY: see above: the others are NULL or strings.
                let text = unsafe { arg::text(value.cast()) };
                set_text(conn, propnum, text)?;
            }
        }
        Ok(Code::OK)
    })
}

/// A copy of the program's channel binding.
///
/// # Safety
/// `binding` is NULL or a valid `sasl_channel_binding_t`.
unsafe fn copy_binding(binding: *const sasl_channel_binding_t) -> Option<ChannelBinding> {
    // SAFETY: our caller's promise.
    let binding = unsafe { binding.as_ref() }?;
    // SAFETY: the same for its parts.
    let (name, data) = unsafe {
        let len = u32::try_from(binding.len).ok()?;
        (
            arg::text(binding.name),
            arg::bytes(binding.data.cast(), len),
        )
    };
    Some(ChannelBinding {
        name: name.unwrap_or_default().to_string_lossy().into_owned(),
        data: data.unwrap_or_default().to_vec(),
        critical: binding.critical != 0,
    })
}

fn set_external_ssf(conn: &Conn, ssf: sasl_ssf_t) {
    conn.external_ssf.set(ssf);
    let mut limits = conn.connection().limits.get();
    limits.external_ssf = ssf;
    conn.connection().limits.set(limits);
}

fn set_limits(conn: &Conn, given: &sasl_security_properties_t) -> Result<()> {
    if given.maxbufsize == 0 && given.min_ssf != 0 {
        let text = "Attempt to disable security layers (maxoutbuf == 0) with min_ssf > 0";
        return Err(Error::new(Code::TOOWEAK, text));
    }
    conn.limits.set(*given);
    let mut limits = conn.connection().limits.get();
    limits.min_ssf = given.min_ssf;
    limits.max_ssf = given.max_ssf;
    limits.max_buffer = given.maxbufsize;
    limits.security = Security::from_bits_retain(given.security_flags);
    conn.connection().limits.set(limits);
    Ok(())
}

fn set_text(conn: &Conn, number: c_int, text: Option<&CStr>) -> Result<()> {
    let shared = conn.connection();
    let filled = || text.filter(|text| !text.is_empty()).map(CStr::to_owned);
    match number {
        SASL_IPLOCALPORT => {
            check_address(text, BAD_LOCAL)?;
            set_address(&shared.local, text);
            Ok(())
        }
        SASL_IPREMOTEPORT => {
            check_address(text, BAD_REMOTE)?;
            set_address(&shared.remote, text);
            Ok(())
        }
        SASL_AUTH_EXTERNAL => {
            shared.external_id.replace(filled());
            Ok(())
        }
        SASL_DEFUSERREALM => {
            if conn.server().is_none() {
                let text = "Tried to set realm on non-server connection";
                return Err(Error::new(Code::BADPROT, text));
            }
            let realm = filled().ok_or_else(|| edge::bad_argument("the realm is NULL or empty"))?;
            shared.realm.replace(Some(realm));
            Ok(())
        }
        SASL_APPNAME => {
            let Some(server) = conn.server() else {
                let text = "Tried to set application name on non-server connection";
                return Err(Error::new(Code::BADPROT, text));
            };
            server
                .app_name
                .replace(text.filter(|text| !text.is_empty()).map(Arc::from));
            Ok(())
        }
        _ => Err(Error::new(Code::BADPARAM, "Unknown parameter type")),
    }
}

/// Checks an address; NULL is none.
///
/// # Errors
/// `BADPARAM` with `fault`.
pub(crate) fn check_address(text: Option<&CStr>, fault: &'static str) -> Result<()> {
    match text {
        Some(text) if !is_address_port(text) => Err(Error::new(Code::BADPARAM, fault)),
        _ => Ok(()),
    }
}

/// Keeps an address; NULL clears it.
pub(crate) fn set_address(place: &RefCell<Option<CString>>, text: Option<&CStr>) {
    if text.is_some() || place.borrow().is_some() {
        place.replace(text.map(CStr::to_owned));
    }
}

symver!(sasl_getprop, sasl_setprop);
