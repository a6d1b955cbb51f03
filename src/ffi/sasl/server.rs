// SPDX-License-Identifier: MIT OR Apache-2.0
//! sasl.h, "server": init, new, start, step, checkpass, user_exists.

use crate::application::Program as Lists;
use crate::config;
use crate::connection::Connection;
use crate::ffi::conn::{Conn, Session};
use crate::ffi::sasl::{property, setup};
use crate::ffi::{arg, edge, os};
use crate::library::{self, Program, Side};
use crate::lookup;
use crate::server::{Reply, Server};
use core::ffi::{CStr, c_char, c_int, c_uint};
use core::ptr;
use saslplug::raw::*;
use saslplug::{Code, Error, Level, Result};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, OnceLock};

/// `PATH_MAX` of Linux: stock's limit for the application's name.
const NAME_LIMIT: usize = 4096;

/// Starts the server side, or counts one more user of it.
///
/// # Safety
/// - `callbacks`: NULL or a list that stays valid and unchanged until done
/// - `appname`: NULL or a string
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_server_init(
    callbacks: *const sasl_callback_t,
    appname: *const c_char,
) -> c_int {
    // SAFETY: sasl.h: see above.
    let appname = unsafe { arg::text(appname) };
    edge::guard(Code::FAIL.0, || {
        if appname.is_some_and(|name| name.to_bytes().len() >= NAME_LIMIT) {
            return Code::BADPARAM.0;
        }
        if library::join(Side::Server) {
            return Code::OK.0;
        }
        let _turn = library::turn();
        if library::join(Side::Server) {
            return Code::OK.0; // another thread was first
        }
        match start_up(callbacks, appname) {
            Ok(()) => Code::OK.0,
            Err(error) => {
                library::current().log(Level::Err, format_args!("sasl_server_init: {error}"));
                super::abandon(Side::Server);
                error.code().0
            }
        }
    })
}

fn start_up(callbacks: *const sasl_callback_t, appname: Option<&CStr>) -> Result<()> {
    let app = super::begin(Side::Server, callbacks);
    if app.has_empty_entry() {
        let text = "a global callback has no procedure: a server cannot ask by interaction";
        return Err(Error::new(Code::FAIL, text));
    }
    let library = library::current();
    let program: Program = Arc::new(app);
    if let Some(name) = appname.filter(|name| !name.is_empty()) {
        library.set_app_name(name);
        read_config(&program, name)?;
    }
    if let Some(file) = library.option(None, c"plugin_list") {
        let file = file.to_string_lossy();
        let text = format_args!(
            "option plugin_list ({file}) is not supported: plugins are found by folder"
        );
        library.log(Level::Warn, text);
    }
    library.read_wanted_mechs();
    library.set_folders(|| setup::plugin_folders(&program))?;
    library::begin(Side::Server);
    lookup::open_named(&library);
    Ok(())
}

/// Finds and reads `<appname>.conf`.
fn read_config(program: &Program, name: &CStr) -> Result<()> {
    let folders = setup::config_folders(program)?;
    let search = config::find(
        folders.iter().map(|folder| folder.as_path()),
        name,
        |path| match CString::new(path.as_os_str().as_bytes()) {
            Ok(path) => program.verify_file(&path, SASL_VRFY_CONF),
            Err(_) => Code::BADPARAM,
        },
    )?;
    for fault in &search.passed_over {
        let text = format_args!("configuration file passed over: {fault}");
        library::current().log(Level::Err, text);
    }
    match search.config {
        Some(config) => config::set_options(Some(Arc::new(config))),
        None if search.verdict.0 < 0 => {
            let text = "the program refused its configuration file (SASL_CB_VERIFYFILE)";
            return Err(Error::new(search.verdict, text));
        }
        None => {}
    }
    Ok(())
}

/// Ends the server side, or counts one user less.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn sasl_server_done() -> c_int {
    edge::guard(Code::FAIL.0, || super::leave(Side::Server).0)
}

/// Makes a server connection.
///
/// # Safety
/// - every string: NULL or a string
/// - `callbacks`: NULL or a list that stays valid as long as the connection
/// - `pconn`: NULL or writable
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_server_new(
    service: *const c_char,
    server_fqdn: *const c_char,
    user_realm: *const c_char,
    iplocalport: *const c_char,
    ipremoteport: *const c_char,
    callbacks: *const sasl_callback_t,
    flags: c_uint,
    pconn: *mut *mut sasl_conn_t,
) -> c_int {
    // SAFETY: sasl.h: see above.
    let (service, fqdn, realm, local, remote, pconn) = unsafe {
        (
            arg::text(service),
            arg::text(server_fqdn),
            arg::text(user_realm),
            arg::text(iplocalport),
            arg::text(ipremoteport),
            arg::Out::new(pconn),
        )
    };
    edge::guard(Code::FAIL.0, || {
        pconn.set(ptr::null_mut());
        let made = library::active(Side::Server).and_then(|library| {
            let service = service.filter(|_| !pconn.is_null()).ok_or(Code::FAIL)?;
            if local.is_some() || remote.is_some() {
                property::check_address(local, property::BAD_LOCAL)?;
                property::check_address(remote, property::BAD_REMOTE)?;
            }
            let fqdn = fqdn.unwrap_or_else(own_name);
            let endpoint = library.endpoints.get(service, Some(fqdn));
            let app = super::callbacks(Side::Server, callbacks);
            let name = library.app_name();
            Ok::<_, Error>(Conn::create(app, |app, handle| {
                let conn = Connection::new(library, Lists::C(app), handle, endpoint, flags);
                Session::Server(Server::new(conn, name))
            }))
        });
        let conn = match made {
            Ok(conn) => conn,
            Err(error) => return error.code().0,
        };
        // SAFETY: just made, and nobody else knows it.
        let made = unsafe { conn.as_ref() };
        let shared = made.connection();
        if local.is_some() || remote.is_some() {
            property::set_address(&shared.local, local);
            property::set_address(&shared.remote, remote);
        }
        if realm.is_some() {
            shared.realm.replace(realm.map(CStr::to_owned));
        }
        if let Some(server) = made.server() {
            server.read_options();
        }
        pconn.set(conn.as_ptr().cast());
        Code::OK.0
    })
}

/// This host's full name; the resolver is asked once a process.
fn own_name() -> &'static CStr {
    static NAME: OnceLock<CString> = OnceLock::new();
    let find = || {
        let name = os::host_name().unwrap_or_default();
        let full = if name.to_bytes().contains(&b'.') {
            None
        } else {
            os::canonical_host_name(&name)
        };
        full.unwrap_or(name)
    };
    NAME.get_or_init(find)
}

/// Hands a reply to C: data and length, both NULL-safe.
fn give(
    conn: &Conn,
    reply: Reply,
    out: &arg::Out<*const c_char>,
    len: &arg::Out<c_uint>,
) -> Result<Code> {
    match reply.data {
        Some(data) => {
            let (address, length) = conn.connection().keep_reply(data);
            out.set(address.cast());
            len.set(c_uint::try_from(length).map_err(|_| Code::BUFOVER)?);
        }
        None => {
            out.set(ptr::null());
            len.set(0);
        }
    }
    Ok(reply.code)
}

/// A challenge must have somewhere to go.
#[track_caller]
fn need_results(out: &arg::Out<*const c_char>, len: &arg::Out<c_uint>) -> Result<()> {
    if out.is_null() || len.is_null() {
        return Err(edge::bad_argument("serverout or serveroutlen is NULL"));
    }
    Ok(())
}

fn initialised(conn: Option<&Conn>) -> core::result::Result<Option<&Conn>, c_int> {
    if library::is_active(Side::Server) {
        Ok(conn)
    } else {
        Err(Code::NOTINIT.0)
    }
}

/// Starts an exchange.
///
/// # Safety
/// - `conn`: NULL or a live connection
/// - `mech`: NULL or a string
/// - `clientin`: NULL or covers `clientinlen` bytes
/// - `serverout`, `serveroutlen`: NULL or writable
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_server_start(
    conn: *mut sasl_conn_t,
    mech: *const c_char,
    clientin: *const c_char,
    clientinlen: c_uint,
    serverout: *mut *const c_char,
    serveroutlen: *mut c_uint,
) -> c_int {
    // SAFETY: sasl.h: see above.
    let (conn, mech, input) = unsafe {
        (
            Conn::borrow(conn),
            arg::text(mech),
            arg::bytes(clientin, clientinlen),
        )
    };
    // SAFETY: sasl.h: see above.
    let (out, len) = unsafe { (arg::Out::new(serverout), arg::Out::new(serveroutlen)) };
    out.set(ptr::null());
    len.set(0);
    let conn = match initialised(conn) {
        Ok(conn) => conn,
        Err(code) => return code,
    };
    edge::run(conn, |conn| {
        let server = conn
            .server()
            .ok_or_else(|| edge::bad_argument("no server connection"))?;
        let mech = mech.ok_or_else(|| edge::bad_argument("mech is NULL"))?;
        need_results(&out, &len)?;
        if input.is_none() && clientinlen > 0 {
            return Err(edge::bad_argument("clientin is NULL, but has a length"));
        }
        let reply = server.start(&arg::lossy(mech), input)?;
        give(conn, reply, &out, &len)
    })
}

/// Goes on with an exchange.
///
/// # Safety
/// As [`sasl_server_start`].
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_server_step(
    conn: *mut sasl_conn_t,
    clientin: *const c_char,
    clientinlen: c_uint,
    serverout: *mut *const c_char,
    serveroutlen: *mut c_uint,
) -> c_int {
    // SAFETY: sasl.h: see above.
    let (conn, input) = unsafe { (Conn::borrow(conn), arg::bytes(clientin, clientinlen)) };
    // SAFETY: sasl.h: see above.
    let (out, len) = unsafe { (arg::Out::new(serverout), arg::Out::new(serveroutlen)) };
    out.set(ptr::null());
    len.set(0);
    let conn = match initialised(conn) {
        Ok(conn) => conn,
        Err(code) => return code,
    };
    edge::run(conn, |conn| {
        let server = conn
            .server()
            .ok_or_else(|| edge::bad_argument("no server connection"))?;
        if input.is_none() && clientinlen > 0 {
            return Err(edge::bad_argument("clientin is NULL, but has a length"));
        }
        need_results(&out, &len)?;
        let reply = server.step(Some(input.unwrap_or_default()))?;
        give(conn, reply, &out, &len)
    })
}

/// Verifies a clear-text password outside an exchange. `user` NULL asks only
/// whether that is possible.
///
/// # Safety
/// - `conn`: NULL or a live connection
/// - `user`, `pass`: NULL or cover their lengths
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_checkpass(
    conn: *mut sasl_conn_t,
    user: *const c_char,
    userlen: c_uint,
    pass: *const c_char,
    passlen: c_uint,
) -> c_int {
    // SAFETY: sasl.h: see above; a length of 0 stands for a string.
    let (conn, user, pass) = unsafe {
        (
            Conn::borrow(conn),
            arg::bytes_or_text(user, userlen),
            arg::bytes_or_text(pass, passlen),
        )
    };
    let conn = match initialised(conn) {
        Ok(conn) => conn,
        Err(code) => return code,
    };
    let Some(user) = user else { return Code::OK.0 };
    edge::run(conn, |conn| {
        let server = conn
            .server()
            .ok_or_else(|| edge::bad_argument("no server connection"))?;
        let pass = pass.ok_or_else(|| edge::bad_argument("pass is NULL"))?;
        server.check_plain(user, pass.into()).map(|()| Code::OK)
    })
}

/// Whether a user exists.
///
/// # Safety
/// - `conn`: NULL or a live connection
/// - `service`, `user_realm`, `user`: NULL or strings
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_user_exists(
    conn: *mut sasl_conn_t,
    _service: *const c_char,
    _user_realm: *const c_char,
    user: *const c_char,
) -> c_int {
    // SAFETY: sasl.h: see above.
    let (conn, user) = unsafe { (Conn::borrow(conn), arg::text(user)) };
    let conn = match initialised(conn) {
        Ok(conn) => conn,
        Err(code) => return code,
    };
    edge::run(conn, |conn| {
        let server = conn
            .server()
            .ok_or_else(|| edge::bad_argument("no server connection"))?;
        let user = user.ok_or_else(|| edge::bad_argument("user is NULL"))?;
        server.user_exists(user).map(|()| Code::OK)
    })
}

symver!(
    sasl_server_init,
    sasl_server_done,
    sasl_server_new,
    sasl_server_start,
    sasl_server_step,
    sasl_checkpass,
    sasl_user_exists,
);
