// SPDX-License-Identifier: MIT OR Apache-2.0
//! The exports of saslplug.h, and the auxprop functions of sasl.h.

use crate::ffi::conn::Conn;
use crate::ffi::plugin::auxprop::CAuxprop;
use crate::ffi::plugin::canonuser::CCanonUser;
use crate::ffi::plugin::{client_mech, server_mech};
use crate::ffi::{arg, edge};
use crate::propctx::PropCtx;
use crate::server::Server;
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
    // Not `run`: as on stock, the connection's last error stays what it was.
    edge::guard(Code::FAIL.0, || {
        let outcome = match (conn, context) {
            (None, None) => {
                let library = library::current();
                let stores = library.stores();
                if stores.is_empty() {
                    return Code::FAIL.0;
                }
                setpass::probe(&*library, &stores).map(|_any| ())
            }
            (conn, context) => conn
                .and_then(Conn::server)
                .ok_or(Error::bare(Code::BADPARAM))
                .and_then(|server| store(server, context, user)),
        };
        outcome.map_or_else(|error| error.code().0, |()| Code::OK.0)
    })
}

fn store(server: &Server, context: Option<&PropCtx>, user: Option<&CStr>) -> Result<()> {
    let Some(context) = context else {
        let providers = setpass::configured(server.connection())?;
        return setpass::probe(server, &providers).map(|_any| ());
    };
    let user = user.ok_or(Code::BADPARAM)?;
    let providers = setpass::configured(server.connection())?;
    let names = context.names();
    let values: Vec<Vec<Secret>> = names.iter().map(|name| context.values(name)).collect();
    let properties: Vec<(&CStr, &[Secret])> = names
        .iter()
        .zip(&values)
        .map(|(name, values)| (name.as_c_str(), values.as_slice()))
        .collect();
    setpass::store(server, &providers, user, &properties)
}

/// Logs why a plugin of the program was not added; `NOMECH` is its way to say
/// that it is not wanted here.
fn added<T>(function: &str, name: &CStr, result: Result<T>) -> core::result::Result<T, c_int> {
    result.map_err(|error| {
        if error.code() != Code::NOMECH {
            let name = name.to_string_lossy();
            let text = format_args!("{function}: plugin {name} not added: {error}");
            library::current().log(Level::Err, text);
        }
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

/// Adds the server mechanisms that a program's entry brings.
///
/// # Safety
/// - `plugname`: NULL or a string
/// - `splugfunc`: NULL or an entry as saslplug.h wants it; what it gives stays
///   valid until done
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_server_add_plugin(
    plugname: *const c_char,
    splugfunc: Option<sasl_server_plug_init_t>,
) -> c_int {
    // SAFETY: saslplug.h: see above.
    let name = unsafe { arg::text(plugname) };
    edge::guard(Code::FAIL.0, || {
        let (Some(name), Some(entry)) = (name, splugfunc) else {
            return Code::BADPARAM.0;
        };
        // SAFETY: see above.
        let made = unsafe { server_mech::init(entry, name, None) };
        match added("sasl_server_add_plugin", name, made) {
            Ok(mechs) => {
                let mechs = mechs.into_iter().map(|mech| Arc::new(mech) as _).collect();
                library::current().registry.add_server_mechs(mechs);
                Code::OK.0
            }
            Err(code) => code,
        }
    })
}

/// Adds the client mechanisms that a program's entry brings.
///
/// # Safety
/// As [`sasl_server_add_plugin`].
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_client_add_plugin(
    plugname: *const c_char,
    cplugfunc: Option<sasl_client_plug_init_t>,
) -> c_int {
    // SAFETY: saslplug.h: see above.
    let name = unsafe { arg::text(plugname) };
    edge::guard(Code::FAIL.0, || {
        let (Some(name), Some(entry)) = (name, cplugfunc) else {
            return Code::BADPARAM.0;
        };
        // SAFETY: see above.
        let made = unsafe { client_mech::init(entry, name, None) };
        match added("sasl_client_add_plugin", name, made) {
            Ok(mechs) => {
                let mechs = mechs.into_iter().map(|mech| Arc::new(mech) as _).collect();
                library::current().registry.add_client_mechs(mechs);
                Code::OK.0
            }
            Err(code) => code,
        }
    })
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
