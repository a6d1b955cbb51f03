// SPDX-License-Identifier: MIT OR Apache-2.0
//! `sasl_conn_t`: a connection of the core and its C side, that is what C code
//! holds pointers to: parameter structures for plugins, buffers, the list of
//! prompts, values that the program lent us.

use crate::client::Client;
use crate::connection::Connection;
use crate::ffi::application::CApplication;
use crate::ffi::arg;
use crate::ffi::params::{ClientParams, ServerParams};
use crate::ffi::plugin::context::Context;
use crate::ffi::prompts::Prompts;
use crate::server::Server;
use core::cell::{Cell, OnceCell, RefCell};
use core::ffi::{CStr, c_void};
use core::ptr::{self, NonNull};
use mech::HttpRequest;
use saslplug::Handle;
use saslplug::raw::*;
use std::ffi::CString;
use std::rc::Rc;

/// Marks a live connection; anything else is refused.
const LIVE: u64 = 0x6f78_6973_6173_6c32;
const DEAD: u64 = 0x6465_6164_6465_6164;

/// Which side a connection is.
pub(crate) enum Session {
    /// `sasl_server_new`.
    Server(Server),
    /// `sasl_client_new`.
    Client(Client),
}

/// What most connections never need.
#[derive(Default)]
pub(crate) struct Seldom {
    /// `sasl_errdetail`'s line.
    pub(crate) detail: RefCell<Option<CString>>,
    /// `SASL_PLUGERR`'s text.
    pub(crate) plugin_error: RefCell<Option<CString>>,
    /// `sasl_listmech`'s string.
    pub(crate) list: RefCell<Option<CString>>,
    /// What `sasl_encode` and `sasl_decode` gave out.
    pub(crate) encoded: RefCell<Vec<u8>>,
    /// The same for `sasl_decode`.
    pub(crate) decoded: RefCell<Vec<u8>>,
    /// The prompts that the program still answers.
    pub(crate) prompts: RefCell<Option<Box<Prompts>>>,
    /// The prompts of a C mechanism, which owns the list.
    pub(crate) plugin_prompts: Cell<Option<NonNull<sasl_interact_t>>>,
    /// Contexts that C mechanisms made before their exchange (`mech_avail`).
    early: RefCell<Vec<(*const c_void, Rc<Context>)>>,
    /// The context of the latest C mechanism: it has results to show.
    shown: RefCell<Option<Rc<Context>>>,
}

/// The object behind `sasl_conn_t`.
pub(crate) struct Conn {
    tag: Cell<u64>,
    session: Session,
    /// The program's callbacks.
    pub(crate) app: CApplication,
    /// `SASL_SEC_PROPS` as C reads it.
    pub(crate) limits: Cell<sasl_security_properties_t>,
    /// `SASL_SSF_EXTERNAL` as C reads it.
    pub(crate) external_ssf: Cell<sasl_ssf_t>,
    /// `SASL_GSS_CREDS`, borrowed from the program.
    pub(crate) gss_creds: Cell<*const c_void>,
    /// `SASL_HTTP_REQUEST`, borrowed.
    pub(crate) http_request: Cell<*const sasl_http_request_t>,
    /// `SASL_CHANNEL_BINDING`, borrowed.
    pub(crate) binding: Cell<*const sasl_channel_binding_t>,
    /// What most connections never need.
    seldom: OnceCell<Box<Seldom>>,
    /// Whether a property changed since a plugin was last shown its parameters.
    pub(crate) params_are_old: Cell<bool>,
    /// What C plugins are shown; made when the first one is called. The last
    /// fields: contexts use them while they are disposed of.
    pub(crate) server_params: OnceCell<Box<ServerParams>>,
    /// The same for a client connection.
    pub(crate) client_params: OnceCell<Box<ClientParams>>,
}

impl Conn {
    /// Makes a connection on the heap. `session` gets the handle under which C
    /// will know it.
    pub(crate) fn create(
        app: CApplication,
        session: impl FnOnce(CApplication, Handle) -> Session,
    ) -> NonNull<Conn> {
        let mut place = Box::<Conn>::new_uninit();
        let conn = place.as_mut_ptr();
        let app = CApplication {
            conn: conn.cast(),
            ..app
        };
        place.write(Conn {
            tag: Cell::new(LIVE),
            session: session(app, Handle(conn.cast())),
            app,
            limits: Cell::new(NO_LIMITS),
            external_ssf: Cell::new(0),
            gss_creds: Cell::new(ptr::null()),
            http_request: Cell::new(ptr::null()),
            binding: Cell::new(ptr::null()),
            seldom: OnceCell::new(),
            params_are_old: Cell::new(true),
            server_params: OnceCell::new(),
            client_params: OnceCell::new(),
        });
        // The object is initialised now; C owns it until sasl_dispose.
        NonNull::from(Box::leak(place)).cast()
    }

    /// Ends a connection.
    ///
    /// # Safety
    /// `conn` came from [`Conn::create`] and is not used any more.
    pub(crate) unsafe fn destroy(conn: *mut sasl_conn_t) {
        // SAFETY: our caller's promise.
        let conn = unsafe { Box::from_raw(conn.cast::<Conn>()) };
        conn.tag.set(DEAD);
    }

    /// The connection behind a pointer from C: `None` for NULL and for what is
    /// no live connection.
    ///
    /// # Safety
    /// `conn` is NULL or points to readable memory of a connection, which lives
    /// for `'a`.
    pub(crate) unsafe fn borrow<'a>(conn: *mut sasl_conn_t) -> Option<&'a Conn> {
        // SAFETY: our caller's promise; the tag tells dead ones apart as far as
        // that can be told.
        let conn = unsafe { conn.cast::<Conn>().as_ref() }?;
        (conn.tag.get() == LIVE).then_some(conn)
    }

    /// What most connections never need; made now.
    pub(crate) fn seldom(&self) -> &Seldom {
        self.seldom.get_or_init(Box::default)
    }

    /// The same, if there is any.
    pub(crate) fn known_seldom(&self) -> Option<&Seldom> {
        self.seldom.get().map(Box::as_ref)
    }

    /// The context that a C mechanism made early, taken out.
    pub(crate) fn take_early_context(&self, mechanism: *const c_void) -> Option<Rc<Context>> {
        let mut early = self.known_seldom()?.early.borrow_mut();
        let at = early.iter().position(|(known, _)| *known == mechanism)?;
        Some(early.swap_remove(at).1)
    }

    /// Keeps a context until the mechanism's exchange, or the end.
    pub(crate) fn keep_early_context(&self, mechanism: *const c_void, context: Rc<Context>) {
        self.seldom().early.borrow_mut().push((mechanism, context));
    }

    /// Shows the results of an exchange by `sasl_getprop`.
    pub(crate) fn show_context(&self, context: Rc<Context>) {
        let old = self.seldom().shown.replace(Some(context));
        drop(old); // may run a plugin's clean-up: no borrow here
    }

    /// Gives up the results of an exchange that failed: the plugin cleans up
    /// when the exchange goes.
    pub(crate) fn hide_context(&self) {
        let old = self.known_seldom().and_then(|seldom| seldom.shown.take());
        drop(old); // as above
    }

    /// The results of the latest C mechanism.
    pub(crate) fn results(&self) -> Option<sasl_out_params_t> {
        let shown = self.known_seldom()?.shown.borrow();
        shown.as_ref().map(|context| context.read())
    }

    /// The context of the latest C mechanism.
    pub(crate) fn shown_context(&self) -> Option<Rc<Context>> {
        self.known_seldom()?.shown.borrow().clone()
    }

    /// This connection as C knows it.
    pub(crate) fn as_ptr(&self) -> *mut sasl_conn_t {
        self.app.conn
    }

    /// Which side it is.
    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// The server, if it is one.
    pub(crate) fn server(&self) -> Option<&Server> {
        match &self.session {
            Session::Server(server) => Some(server),
            Session::Client(_) => None,
        }
    }

    /// The client, if it is one.
    pub(crate) fn client(&self) -> Option<&Client> {
        match &self.session {
            Session::Client(client) => Some(client),
            Session::Server(_) => None,
        }
    }

    /// What both sides share.
    pub(crate) fn connection(&self) -> &Connection {
        match &self.session {
            Session::Server(server) => server.connection(),
            Session::Client(client) => client.connection(),
        }
    }
}

/// Before `SASL_SEC_PROPS`.
const NO_LIMITS: sasl_security_properties_t = sasl_security_properties_t {
    min_ssf: 0,
    max_ssf: 0,
    maxbufsize: 0,
    security_flags: 0,
    property_names: ptr::null_mut(),
    property_values: ptr::null_mut(),
};

/// The property context of a server connection as C knows it; NULL for NULL and
/// for clients.
///
/// # Safety
/// As [`Conn::borrow`].
pub(crate) unsafe fn property_context(conn: *mut sasl_conn_t) -> *mut propctx {
    // SAFETY: our caller's promise.
    match unsafe { Conn::borrow(conn) }.and_then(Conn::server) {
        Some(server) => crate::ffi::prop::as_ptr(server.connection().properties()),
        None => ptr::null_mut(),
    }
}

/// The HTTP request that the program set on a connection, as it is now: programs
/// use one structure for request after request.
pub(crate) fn http_request(handle: Handle) -> Option<HttpRequest> {
    // SAFETY: a handle is NULL or the live connection that runs this call.
    let conn = unsafe { Conn::borrow(handle.0.cast()) }?;
    // SAFETY: sasl.h: NULL, or borrowed as long as the connection lives.
    let request = unsafe { conn.http_request.get().as_ref() }?;
    let length = u32::try_from(request.elen).ok()?;
    // SAFETY: sasl.h: strings, and a body of that length; all may be NULL.
    let (method, uri, entity) = unsafe {
        (
            arg::text(request.method),
            arg::text(request.uri),
            arg::bytes(request.entity.cast(), length),
        )
    };
    let text = |text: Option<&CStr>| text.unwrap_or_default().to_bytes().to_vec();
    Some(HttpRequest {
        method: text(method),
        uri: text(uri),
        entity: entity.unwrap_or_default().to_vec(),
    })
}

/// A C string's address, or NULL.
pub(crate) fn address(text: Option<&CStr>) -> *const core::ffi::c_char {
    text.map_or(ptr::null(), CStr::as_ptr)
}
