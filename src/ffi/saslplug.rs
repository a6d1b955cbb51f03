// SPDX-License-Identifier: MIT OR Apache-2.0
//! The exports of saslplug.h, and the auxprop functions of sasl.h.

use crate::ffi::conn::Conn;
use crate::ffi::plugin::auxprop::CAuxprop;
use crate::ffi::plugin::canonuser::CCanonUser;
use crate::ffi::{arg, edge};
use crate::{library, setpass};
use core::ffi::{CStr, c_char, c_int};
use core::ptr;
use saslplug::raw::*;
use saslplug::{Code, Error, Level, Result, Secret};
use std::sync::Arc;

/// The property context of a server connection; it belongs to the connection.
///
/// # Safety
/// - `conn`: NULL or a live connection
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_auxprop_getctx(conn: *mut sasl_conn_t) -> *mut propctx {
    // SAFETY: sasl.h: see above.
    edge::guard(ptr::null_mut(), || unsafe {
        crate::ffi::conn::property_context(conn)
    })
}

/// Asks for properties to be looked up with the next authentication.
///
/// # Safety
/// - `conn`: NULL or a live connection
/// - `propnames`: NULL or strings that end with NULL
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_auxprop_request(
    conn: *mut sasl_conn_t,
    propnames: *mut *const c_char,
) -> c_int {
    // SAFETY: sasl.h: see above.
    let (conn, names) = unsafe { (Conn::borrow(conn), arg::texts(propnames)) };
    edge::run(conn, |conn| {
        let server = conn
            .server()
            .ok_or_else(|| edge::bad_argument("no server connection"))?;
        match names {
            Some(names) => server.connection().properties().request(names),
            None => server.connection().properties().clear(true),
        }
        Ok(Code::OK)
    })
}

/// Stores properties; with neither connection nor context it only asks whether
/// anything can.
///
/// # Safety
/// - `conn`: NULL or a live connection
/// - `ctx`: NULL or a live context
/// - `user`: NULL or a string
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_auxprop_store(
    conn: *mut sasl_conn_t,
    ctx: *mut propctx,
    user: *const c_char,
) -> c_int {
    // SAFETY: sasl.h: see above.
    let (conn, context, user) = unsafe { (Conn::borrow(conn), arg::propctx(ctx), arg::text(user)) };
    if conn.is_none() && context.is_none() {
        return edge::guard(Code::FAIL.0, || {
            if any_store() {
                Code::OK.0
            } else {
                Code::FAIL.0
            }
        });
    }
    edge::run(conn, |conn| {
        let server = conn
            .server()
            .ok_or_else(|| edge::bad_argument("no server connection"))?;
        let Some(context) = context else {
            let able = setpass::can_store(server.connection(), server);
            let none = Error::new(Code::FAIL, "no auxprop plugin can store").silent();
            return if able { Ok(Code::OK) } else { Err(none) };
        };
        let user = user.ok_or_else(|| edge::bad_argument("user is NULL"))?;
        let names = context.names();
        let values: Vec<Vec<Secret>> = names.iter().map(|name| context.values(name)).collect();
        let properties: Vec<(&CStr, &[Secret])> = names
            .iter()
            .zip(&values)
            .map(|(name, values)| (name.as_c_str(), values.as_slice()))
            .collect();
        setpass::store(server.connection(), server, user, &properties).map(|()| Code::OK)
    })
}

/// Whether any property store has a store function at all.
fn any_store() -> bool {
    let library = library::current();
    library
        .registry
        .auxprop_providers(&library.folders())
        .iter()
        .any(|provider| provider.stores())
}

/// Logs why a plugin of the program was not added.
fn added<T>(function: &str, name: &CStr, result: Result<T>) -> core::result::Result<T, c_int> {
    result.map_err(|error| {
        let name = name.to_string_lossy();
        let text = format_args!("{function}: plugin {name} not added: {error}");
        library::current().log(Level::Err, text);
        error.code().0
    })
}

/// Adds a property store that the program brings along.
///
/// # Safety
/// - `plugname`: NULL or a string
/// - `auxpropfunc`: NULL or an entry as saslplug.h wants it; what it gives stays
///   valid until done
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_auxprop_add_plugin(
    plugname: *const c_char,
    auxpropfunc: Option<sasl_auxprop_init_t>,
) -> c_int {
    // SAFETY: saslplug.h: see above.
    let name = unsafe { arg::text(plugname) }.unwrap_or_default();
    edge::guard(Code::FAIL.0, || {
        let Some(entry) = auxpropfunc else {
            return Code::BADPARAM.0;
        };
        // SAFETY: see above.
        let made = unsafe { CAuxprop::init(entry, name, None) };
        match added("sasl_auxprop_add_plugin", name, made) {
            Ok(provider) => {
                library::current().registry.add_auxprop(Arc::new(provider));
                Code::OK.0
            }
            Err(code) => code,
        }
    })
}

/// Adds a canonicaliser that the program brings along.
///
/// # Safety
/// As [`sasl_auxprop_add_plugin`].
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_canonuser_add_plugin(
    plugname: *const c_char,
    canonuserfunc: Option<sasl_canonuser_init_t>,
) -> c_int {
    // SAFETY: saslplug.h: see above.
    let name = unsafe { arg::text(plugname) };
    edge::guard(Code::FAIL.0, || {
        let (Some(name), Some(entry)) = (name, canonuserfunc) else {
            return Code::BADPARAM.0;
        };
        // SAFETY: see above.
        let made = unsafe { CCanonUser::init(entry, name, None) };
        match added("sasl_canonuser_add_plugin", name, made) {
            Ok(provider) => {
                library::current()
                    .registry
                    .add_canonuser(name.to_owned(), Arc::new(provider));
                Code::OK.0
            }
            Err(code) => code,
        }
    })
}

/// Mechanism plugins in C: the ABI is there, the adapter is not yet.
fn no_c_mechanisms(plugname: *const c_char) -> c_int {
    // SAFETY: saslplug.h: NULL or a string.
    let name = unsafe { arg::text(plugname) }
        .unwrap_or_default()
        .to_string_lossy();
    edge::guard(Code::FAIL.0, || {
        let text =
            "mechanism plugins in C are not supported by this version; built-in mechanisms are";
        library::current().log(Level::Err, format_args!("plugin {name}: {text}"));
        Code::NOMECH.0
    })
}

/// Refuses a server mechanism, and says so.
///
/// # Safety
/// - `plugname`: NULL or a string
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_server_add_plugin(
    plugname: *const c_char,
    splugfunc: Option<sasl_server_plug_init_t>,
) -> c_int {
    if splugfunc.is_none() {
        Code::BADPARAM.0
    } else {
        no_c_mechanisms(plugname)
    }
}

/// Refuses a client mechanism, and says so.
///
/// # Safety
/// - `plugname`: NULL or a string
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_client_add_plugin(
    plugname: *const c_char,
    cplugfunc: Option<sasl_client_plug_init_t>,
) -> c_int {
    if cplugfunc.is_none() {
        Code::BADPARAM.0
    } else {
        no_c_mechanisms(plugname)
    }
}

symver!(
    sasl_auxprop_getctx,
    sasl_auxprop_request,
    sasl_auxprop_store,
    sasl_auxprop_add_plugin,
    sasl_canonuser_add_plugin,
    sasl_server_add_plugin,
    sasl_client_add_plugin,
);
