// SPDX-License-Identifier: MIT OR Apache-2.0
//! sasl.h, what both sides share: done, dispose, errors, lists.

use crate::ffi::conn::{Conn, Session};
use crate::ffi::params::{ClientParams, ServerParams};
use crate::ffi::plugin::context::Idle;
use crate::ffi::{arg, edge};
use crate::library::{self, Side};
use core::ffi::{CStr, c_char, c_int, c_uint};
use core::ptr;
use saslplug::Code;
use saslplug::raw::sasl_conn_t;
use std::ffi::CString;
use std::sync::OnceLock;

/// Drops one reference of each side.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn sasl_done() {
    edge::guard((), || {
        super::leave(Side::Server);
        super::leave(Side::Client);
    });
}

/// Stock's internal clean-up of the common part; here it goes with the last
/// done, so there is nothing left to do.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn sasl_common_done() {}

/// Ends a connection and sets the pointer to NULL.
///
/// # Safety
/// - `pconn`: NULL or a pointer to NULL or to a live connection
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_dispose(pconn: *mut *mut sasl_conn_t) {
    edge::guard((), || {
        // SAFETY: sasl.h: see above.
        let Some(pconn) = (unsafe { arg::exclusive(pconn) }) else {
            return;
        };
        let conn = core::mem::replace(pconn, ptr::null_mut());
        // SAFETY: sasl.h: NULL or live.
        if let Some(live) = unsafe { Conn::borrow(conn) } {
            // While callbacks and plugins can still use the connection.
            if let Some(server) = live.server() {
                server.give_up();
            }
            // SAFETY: live, and the program gives it up.
            unsafe { Conn::destroy(conn) };
        }
    });
}

/// The English text of a code.
///
/// # Safety
/// - `outlang`: NULL or writable
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_errstring(
    saslerr: c_int,
    _langlist: *const c_char,
    outlang: *mut *const c_char,
) -> *const c_char {
    // SAFETY: sasl.h: see above.
    unsafe { arg::Out::new(outlang) }.set(c"en-us".as_ptr());
    edge::guard(ptr::null(), || text_of(Code(saslerr)).as_ptr())
}

/// The text of a code as a C string that lives for ever.
fn text_of(code: Code) -> &'static CStr {
    static TEXTS: OnceLock<Vec<(&'static str, CString)>> = OnceLock::new();
    let texts = TEXTS.get_or_init(|| {
        let all = (-100..=2).map(|code| Code(code).text());
        all.map(|text| (text, CString::new(text).unwrap_or_default()))
            .collect()
    });
    let found = texts.iter().find(|(text, _)| *text == code.text());
    found.map_or(c"undefined error!", |(_, text)| text.as_c_str())
}

/// The last error of a connection, for a log.
///
/// # Safety
/// - `conn`: NULL or a live connection
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_errdetail(conn: *mut sasl_conn_t) -> *const c_char {
    // SAFETY: sasl.h: see above.
    let conn = unsafe { Conn::borrow(conn) };
    edge::guard(ptr::null(), || {
        let Some(conn) = conn else { return ptr::null() };
        let detail = conn.connection().error_detail();
        let address = detail.as_ptr();
        conn.seldom().detail.replace(Some(detail));
        address
    })
}

/// Gives the mechanism of a connection idle time; the answer is the plugin's:
/// not 0 where it did something. No built-in one needs any.
///
/// # Safety
/// - `conn`: NULL or a live connection
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_idle(conn: *mut sasl_conn_t) -> c_int {
    // SAFETY: sasl.h: see above.
    let conn = unsafe { Conn::borrow(conn) };
    edge::guard(0, || conn.and_then(idle).unwrap_or(0))
}

fn idle(conn: &Conn) -> Option<c_int> {
    let context = conn.shown_context()?;
    let (idle, glob) = context.idle()?;
    Some(match idle {
        Idle::Server(idle) => {
            let params = ServerParams::of(conn, conn.server()?);
            // SAFETY: saslplug.h; context and parameters live for the call.
            unsafe { idle(glob, context.as_ptr(), params) }
        }
        Idle::Client(idle) => {
            let params = ClientParams::of(conn, conn.client()?);
            // SAFETY: as above.
            unsafe { idle(glob, context.as_ptr(), params) }
        }
    })
}

/// The names of all mechanisms, both sides, as an array that ends with NULL.
/// NULL before an init.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn sasl_global_listmech() -> *mut *const c_char {
    edge::guard(ptr::null_mut(), || {
        if !library::is_any_active() {
            return ptr::null_mut();
        }
        NAMES.get_or_init(Names::new).list.as_ptr().cast_mut()
    })
}

struct Names {
    list: Vec<*const c_char>,
    _texts: Vec<CString>,
}

// SAFETY: never changed after it was made.
unsafe impl Send for Names {}
// SAFETY: as above.
unsafe impl Sync for Names {}

static NAMES: OnceLock<Names> = OnceLock::new();

impl Names {
    fn new() -> Self {
        let mut names: Vec<String> = Vec::new();
        let server = library::current().server_mechs();
        let client = library::current().client_mechs();
        let all = server.iter().map(|mechanism| mechanism.info());
        for info in all.chain(client.iter().map(|mechanism| mechanism.info())) {
            if !names.iter().any(|name| *name == info.name) {
                names.push(info.name.clone().into_owned());
            }
        }
        names.reverse(); // the strongest comes last: docs/behaviour.md#life-order
        let texts: Vec<CString> = names.into_iter().flat_map(CString::new).collect();
        let mut list: Vec<*const c_char> = texts.iter().map(|text| text.as_ptr()).collect();
        list.push(ptr::null());
        Self {
            list,
            _texts: texts,
        }
    }
}

/// The mechanisms that a connection can offer or use, as one string.
///
/// # Safety
/// - `conn`: NULL or a live connection
/// - `prefix`, `sep`, `suffix`: NULL or strings
/// - `result`, `plen`, `pcount`: NULL or writable
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_listmech(
    conn: *mut sasl_conn_t,
    _user: *const c_char,
    prefix: *const c_char,
    sep: *const c_char,
    suffix: *const c_char,
    result: *mut *const c_char,
    plen: *mut c_uint,
    pcount: *mut c_int,
) -> c_int {
    // SAFETY: sasl.h: see above.
    let (conn, prefix, sep, suffix) = unsafe {
        (
            Conn::borrow(conn),
            arg::text(prefix),
            arg::text(sep),
            arg::text(suffix),
        )
    };
    // SAFETY: sasl.h: see above.
    let (result, plen, pcount) = unsafe {
        (
            arg::Out::new(result),
            arg::Out::new(plen),
            arg::Out::new(pcount),
        )
    };
    edge::run(conn, |conn| {
        if result.is_null() {
            return Err(edge::bad_argument("result is NULL"));
        }
        plen.set(0);
        pcount.set(0);
        let names = match conn.session() {
            Session::Server(server) => server.offer()?,
            Session::Client(client) => client.offer(),
        };
        let text = |text: Option<&CStr>| text.unwrap_or_default().to_string_lossy().into_owned();
        let separator = sep.map_or_else(|| " ".to_owned(), |sep| text(Some(sep)));
        let list = format!("{}{}{}", text(prefix), names.join(&separator), text(suffix));
        let list = CString::new(list).unwrap_or_default();
        plen.set(c_uint::try_from(list.as_bytes().len()).unwrap_or(c_uint::MAX));
        pcount.set(c_int::try_from(names.len()).unwrap_or(c_int::MAX));
        result.set(list.as_ptr());
        conn.seldom().list.replace(Some(list));
        Ok(Code::OK)
    })
}

symver!(
    sasl_done,
    sasl_common_done,
    sasl_dispose,
    sasl_errstring,
    sasl_errdetail,
    sasl_idle,
    sasl_global_listmech,
    sasl_listmech,
);
