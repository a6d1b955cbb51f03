// SPDX-License-Identifier: MIT OR Apache-2.0
//! sasl.h, "client": init, new, start, step.

use crate::application::Program as Lists;
use crate::client::{Client, Reply};
use crate::connection::Connection;
use crate::ffi::conn::{Conn, Session};
use crate::ffi::prompts::Prompts;
use crate::ffi::sasl::{property, setup};
use crate::ffi::{arg, edge};
use crate::library::{self, Program, Side};
use core::ffi::{c_char, c_int, c_uint};
use core::ptr;
use saslplug::raw::*;
use saslplug::{Code, Error, Level, Result};
use std::sync::Arc;

/// Starts the client side, or counts one more user of it.
///
/// # Safety
/// - `callbacks`: NULL or a list that stays valid and unchanged until done
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_client_init(callbacks: *const sasl_callback_t) -> c_int {
    edge::guard(Code::FAIL.0, || {
        if library::join(Side::Client) {
            return Code::OK.0;
        }
        let _turn = library::turn();
        if library::join(Side::Client) {
            return Code::OK.0; // another thread was first
        }
        let app = super::begin(Side::Client, callbacks);
        let program: Program = Arc::new(app);
        library::current().read_wanted_mechs();
        match library::current().set_folders(|| setup::plugin_folders(&program)) {
            Ok(()) => {
                library::begin(Side::Client);
                Code::OK.0
            }
            Err(error) => {
                library::current().log(Level::Err, format_args!("sasl_client_init: {error}"));
                super::abandon(Side::Client);
                error.code().0
            }
        }
    })
}

/// Ends the client side, or counts one user less.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn sasl_client_done() -> c_int {
    edge::guard(Code::FAIL.0, || super::leave(Side::Client).0)
}

/// Makes a client connection.
///
/// # Safety
/// - every string: NULL or a string
/// - `callbacks`: NULL or a list that stays valid as long as the connection
/// - `pconn`: NULL or writable
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_client_new(
    service: *const c_char,
    server_fqdn: *const c_char,
    iplocalport: *const c_char,
    ipremoteport: *const c_char,
    callbacks: *const sasl_callback_t,
    flags: c_uint,
    pconn: *mut *mut sasl_conn_t,
) -> c_int {
    // SAFETY: sasl.h: see above.
    let (service, fqdn, local, remote, pconn) = unsafe {
        (
            arg::text(service),
            arg::text(server_fqdn),
            arg::text(iplocalport),
            arg::text(ipremoteport),
            arg::Out::new(pconn),
        )
    };
    edge::guard(Code::FAIL.0, || {
        let made = library::active(Side::Client).and_then(|library| {
            let service = service.filter(|_| !pconn.is_null()).ok_or(Code::BADPARAM)?;
            let endpoint = library.endpoints.get(service, fqdn);
            let app = super::callbacks(Side::Client, callbacks);
            Ok::<_, Error>(Conn::create(app, |app, handle| {
                let conn = Connection::new(library, Lists::C(app), handle, endpoint, flags);
                Session::Client(Client::new(conn))
            }))
        });
        let set_up = made.and_then(|conn| {
            // SAFETY: just made, and nobody else knows it.
            if let Some(client) = unsafe { conn.as_ref() }.client() {
                client.read_options();
                client.check_list().inspect_err(|_| {
                    // SAFETY: as above; it is forgotten here.
                    unsafe { Conn::destroy(conn.as_ptr().cast()) }
                })?;
            }
            Ok(conn)
        });
        let conn = match set_up {
            Ok(conn) => conn,
            Err(error) => {
                if !error.reason().is_empty() {
                    library::current().log(Level::Err, format_args!("sasl_client_new: {error}"));
                }
                pconn.set(ptr::null_mut());
                return error.code().0;
            }
        };
        pconn.set(conn.as_ptr().cast());
        if local.is_none() && remote.is_none() {
            return Code::OK.0;
        }
        // SAFETY: just made. A bad address leaves a connection that can only
        // tell why, and be disposed of.
        edge::run(Some(unsafe { conn.as_ref() }), |conn| {
            let shared = conn.connection();
            property::check_address(local, property::BAD_LOCAL)?;
            property::set_address(&shared.local, local);
            property::check_address(remote, property::BAD_REMOTE)?;
            property::set_address(&shared.remote, remote);
            Ok(Code::OK)
        })
    })
}

/// What start and step write for the program.
struct Results {
    prompts: arg::Out<*mut sasl_interact_t>,
    out: arg::Out<*const c_char>,
    len: arg::Out<c_uint>,
}

impl Results {
    /// # Safety
    /// Each is NULL or writable.
    unsafe fn new(
        prompts: *mut *mut sasl_interact_t,
        out: *mut *const c_char,
        len: *mut c_uint,
    ) -> Self {
        // SAFETY: our caller's promise.
        unsafe {
            Self {
                prompts: arg::Out::new(prompts),
                out: arg::Out::new(out),
                len: arg::Out::new(len),
            }
        }
    }

    /// No data: what a failure leaves, so that nobody sends garbage.
    fn clear(&self) {
        self.out.set(ptr::null());
        self.len.set(0);
    }

    fn give(&self, conn: &Conn, reply: Reply) -> Result<Code> {
        if reply.code == Code::INTERACT {
            return self.ask(conn, &reply);
        }
        if let Some(seldom) = conn.known_seldom() {
            seldom.prompts.replace(None);
        }
        self.prompts.set(ptr::null_mut());
        match reply.data {
            Some(data) => {
                let (address, length) = conn.connection().keep_reply(data);
                self.out.set(address.cast());
                self.len
                    .set(c_uint::try_from(length).map_err(|_| Code::BUFOVER)?);
            }
            None => self.clear(),
        }
        Ok(reply.code)
    }

    fn ask(&self, conn: &Conn, reply: &Reply) -> Result<Code> {
        if self.prompts.is_null() {
            let text = "the program answers prompts neither by callback nor by interaction";
            return Err(Error::new(Code::FAIL, text));
        }
        if let Some(plugins) = conn.seldom().plugin_prompts.get() {
            self.prompts.set(plugins.as_ptr());
        } else {
            let mut prompts = Box::new(Prompts::new(&reply.prompts));
            self.prompts.set(prompts.as_ptr());
            conn.seldom().prompts.replace(Some(prompts));
        }
        self.clear();
        Ok(Code::INTERACT)
    }
}

/// Reads the answers out of the list that an earlier call handed out.
fn take_answers(conn: &Conn, client: &Client) {
    let Some(prompts) = conn.known_seldom().and_then(|seldom| seldom.prompts.take()) else {
        return;
    };
    // SAFETY: sasl.h: the program filled the results in, or left them NULL.
    client.take_answers(unsafe { prompts.answers() });
    conn.seldom().prompts.replace(Some(prompts)); // the program may still look at it
}

/// Chooses a mechanism and starts an exchange.
///
/// # Safety
/// - `conn`: NULL or a live connection
/// - `mechlist`: NULL or a string
/// - `prompt_need`: NULL, or a pointer to NULL or to the list of an earlier call
/// - `clientout`, `clientoutlen`, `mech`: NULL or writable
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_client_start(
    conn: *mut sasl_conn_t,
    mechlist: *const c_char,
    prompt_need: *mut *mut sasl_interact_t,
    clientout: *mut *const c_char,
    clientoutlen: *mut c_uint,
    mech: *mut *const c_char,
) -> c_int {
    // SAFETY: sasl.h: see above.
    let (conn, list, mech, results) = unsafe {
        (
            Conn::borrow(conn),
            arg::text(mechlist),
            arg::Out::new(mech),
            Results::new(prompt_need, clientout, clientoutlen),
        )
    };
    if !library::is_active(Side::Client) {
        return Code::NOTINIT.0;
    }
    edge::run(conn, |conn| {
        let client = conn
            .client()
            .ok_or_else(|| edge::bad_argument("no client connection"))?;
        let list = list.ok_or_else(|| edge::bad_argument("mechlist is NULL"))?;
        if results.len.is_null() && !results.out.is_null() {
            return Err(edge::bad_argument("clientoutlen is NULL"));
        }
        take_answers(conn, client);
        let reply = client.start(&arg::lossy(list), !results.out.is_null());
        let name = name_of(conn);
        if !name.is_null() {
            mech.set(name);
            results.clear();
        }
        results.give(conn, reply?)
    })
}

/// The chosen mechanism's name; it stays where it is as long as the mechanism
/// is in use.
fn name_of(conn: &Conn) -> *const c_char {
    conn.connection()
        .mechanism
        .borrow()
        .as_deref()
        .map_or(ptr::null(), |label| label.name.as_ptr())
}

/// Goes on with an exchange.
///
/// # Safety
/// As [`sasl_client_start`]; `serverin` is NULL or covers `serverinlen` bytes.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_client_step(
    conn: *mut sasl_conn_t,
    serverin: *const c_char,
    serverinlen: c_uint,
    prompt_need: *mut *mut sasl_interact_t,
    clientout: *mut *const c_char,
    clientoutlen: *mut c_uint,
) -> c_int {
    // SAFETY: sasl.h: see above.
    let (conn, input, results) = unsafe {
        (
            Conn::borrow(conn),
            arg::bytes(serverin, serverinlen),
            Results::new(prompt_need, clientout, clientoutlen),
        )
    };
    if !library::is_active(Side::Client) {
        return Code::NOTINIT.0;
    }
    edge::run(conn, |conn| {
        let client = conn
            .client()
            .ok_or_else(|| edge::bad_argument("no client connection"))?;
        if results.out.is_null() || results.len.is_null() {
            return Err(edge::bad_argument("clientout or clientoutlen is NULL"));
        }
        if input.is_none() && serverinlen > 0 {
            return Err(edge::bad_argument("serverin is NULL, but has a length"));
        }
        results.clear();
        take_answers(conn, client);
        let reply = client.step(Some(input.unwrap_or_default()))?;
        results.give(conn, reply)
    })
}

symver!(
    sasl_client_init,
    sasl_client_done,
    sasl_client_new,
    sasl_client_start,
    sasl_client_step
);
