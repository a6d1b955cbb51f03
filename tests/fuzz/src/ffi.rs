// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C interface, as a program with bugs and a peer with bad intentions use it:
//! any call after any other, on one server and one client.
#![allow(unsafe_code, reason = "a program in C would do the same")]

mod exports;

use core::ffi::{CStr, c_char, c_int, c_uint, c_ulong, c_void};
use core::ptr::{null, null_mut};
use exports::*;
use saslplug::export::Load;
use saslplug::raw::{sasl_callback_t, sasl_conn_t, sasl_secret_t, sasl_security_properties_t};
use saslplug::{Auxprop, Code, Error, Found, Host, Query, Result, Secret};
use std::sync::Arc;

/// The plugin that knows the one user, tim.
struct OneUser;

impl Load for OneUser {
    const NAME: &'static str = "oneuser";

    fn load(_: &dyn Host) -> Result<Arc<Self>> {
        Ok(Arc::new(Self))
    }
}

impl Auxprop for OneUser {
    fn name(&self) -> &CStr {
        c"oneuser"
    }

    fn lookup(&self, _: &dyn Host, query: &Query<'_>) -> Result<Found> {
        if !query.user.starts_with(b"tim@") {
            return Err(Error::bare(Code::NOUSER));
        }
        let names = query.names.iter().enumerate();
        let password = names.filter(|(_, name)| **name == c"userPassword");
        let secret = crate::exchange::unknown();
        Ok(Found(
            password
                .map(|(at, _)| (at, vec![Secret::from(secret.as_bytes())]))
                .collect(),
        ))
    }
}

saslplug::export_auxprop!(OneUser, oneuser_auxprop_plug_init, features = 0);

/// What a client's application says: tim, and a password.
#[repr(C)]
pub(crate) struct Words {
    secret: [u8; 64],
}

unsafe extern "C" fn option(
    _: *mut c_void,
    _: *const c_char,
    name: *const c_char,
    value: *mut *const c_char,
    len: *mut c_uint,
) -> c_int {
    // SAFETY: sasl.h: a C string.
    let found = match unsafe { CStr::from_ptr(name) }.to_bytes() {
        b"auxprop_plugin" => c"oneuser",
        b"pwcheck_method" => c"auxprop",
        b"log_level" => c"0",
        _ => return Code::FAIL.0,
    };
    // SAFETY: sasl.h: writable; the length may be NULL.
    unsafe {
        *value = found.as_ptr();
        if !len.is_null() {
            *len = found.count_bytes() as c_uint;
        }
    }
    0
}

unsafe extern "C" fn quiet(_: *mut c_void, _: c_int, _: *const c_char) -> c_int {
    0
}

unsafe extern "C" fn name(
    _: *mut c_void,
    _: c_int,
    value: *mut *const c_char,
    len: *mut c_uint,
) -> c_int {
    // SAFETY: sasl.h: writable; the length may be NULL.
    unsafe {
        *value = c"tim".as_ptr();
        if !len.is_null() {
            *len = 3;
        }
    }
    0
}

unsafe extern "C" fn password(
    _: *mut sasl_conn_t,
    words: *mut c_void,
    _: c_int,
    secret: *mut *mut sasl_secret_t,
) -> c_int {
    // SAFETY: `words` is the connection's, sasl.h: `secret` is writable.
    unsafe { *secret = (*words.cast::<Words>()).secret.as_mut_ptr().cast() };
    0
}

fn entry(id: c_ulong, function: *const (), words: *mut Words) -> sasl_callback_t {
    sasl_callback_t {
        id,
        // SAFETY: sasl.h has one type for all callbacks; the number tells which
        // it is.
        proc_: Some(unsafe {
            core::mem::transmute::<*const (), unsafe extern "C" fn() -> c_int>(function)
        }),
        context: words.cast(),
    }
}

const END: sasl_callback_t = sasl_callback_t {
    id: 0,
    proc_: None,
    context: null_mut(),
};

fn init() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let list = [
            entry(1, option as *const (), null_mut()),
            entry(2, quiet as *const (), null_mut()),
            END,
        ];
        let list = Box::leak(Box::new(list)).as_ptr();
        // SAFETY: lists and names that live for ever.
        unsafe {
            assert_eq!(sasl_server_init(list, c"fuzz".as_ptr()), 0);
            assert_eq!(sasl_client_init(list), 0);
            let init = oneuser_auxprop_plug_init as *const c_void;
            assert_eq!(sasl_auxprop_add_plugin(c"oneuser".as_ptr(), init), 0);
        }
    });
}

/// A server or a client.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Server,
    Client,
}

/// A connection, disposed of when dropped.
pub(crate) struct Conn {
    side: Side,
    conn: *mut sasl_conn_t,
    _words: Box<Words>,
    _callbacks: Box<[sasl_callback_t; 4]>,
}

impl Drop for Conn {
    fn drop(&mut self) {
        // SAFETY: a live connection.
        unsafe { sasl_dispose(&mut self.conn) };
    }
}

impl Conn {
    /// A connection; `password` is what a client's application says.
    pub(crate) fn new(side: Side, password_text: &str) -> Self {
        init();
        let mut words = Box::new(Words { secret: [0; 64] });
        let length = password_text.len().min(55);
        words.secret[..8].copy_from_slice(&(length as c_ulong).to_ne_bytes());
        words.secret[8..8 + length].copy_from_slice(&password_text.as_bytes()[..length]);
        let context = &raw mut *words;
        let of = |id, function| entry(id, function, context);
        let callbacks = Box::new([
            of(0x4001, name as *const ()),
            of(0x4002, name as *const ()),
            of(0x4004, password as *const ()),
            END,
        ]);
        let (mut conn, list) = (null_mut(), callbacks.as_ptr());
        let (service, host) = (c"imap".as_ptr(), c"host.example.com".as_ptr());
        // SAFETY: C strings or NULL; the callbacks live as long as the connection.
        let code = unsafe {
            match side {
                Side::Server => sasl_server_new(
                    service,
                    host,
                    c"lab".as_ptr(),
                    null(),
                    null(),
                    null(),
                    0,
                    &mut conn,
                ),
                Side::Client => sasl_client_new(service, host, null(), null(), list, 0, &mut conn),
            }
        };
        assert_eq!(code, 0);
        let made = Self {
            side,
            conn,
            _words: words,
            _callbacks: callbacks,
        };
        made.limit(256);
        made
    }

    /// No anonymous logins, and layers up to this strength.
    pub(crate) fn limit(&self, most: c_uint) {
        let wish = sasl_security_properties_t {
            min_ssf: 0,
            max_ssf: most,
            maxbufsize: 65_536,
            security_flags: 0x10,
            property_names: null_mut(),
            property_values: null_mut(),
        };
        // SAFETY: a live connection, and what the property is said to be.
        unsafe { sasl_setprop(self.conn, 101, (&raw const wish).cast()) };
    }

    /// Runs a call that gives bytes.
    fn call(
        &self,
        work: impl FnOnce(*mut *const c_char, *mut c_uint) -> c_int,
    ) -> (c_int, Vec<u8>) {
        let (mut out, mut len) = (null(), 0);
        let code = work(&mut out, &mut len);
        if out.is_null() || code < 0 {
            return (code, Vec::new());
        }
        // SAFETY: sasl.h: `out` covers `len` bytes until the next call.
        let bytes = unsafe { core::slice::from_raw_parts(out.cast::<u8>(), len as usize) };
        (code, bytes.to_vec())
    }

    /// The first step.
    pub(crate) fn start(&self, mechanism: &CStr, input: Option<&[u8]>) -> (c_int, Vec<u8>) {
        let text = Text::of(input);
        let (data, size) = (text.start(), text.len());
        // SAFETY: a live connection, `size` bytes, writable places.
        self.call(|out, len| unsafe {
            match self.side {
                Side::Server => {
                    sasl_server_start(self.conn, mechanism.as_ptr(), data, size, out, len)
                }
                Side::Client => sasl_client_start(
                    self.conn,
                    mechanism.as_ptr(),
                    null_mut(),
                    out,
                    len,
                    &mut null(),
                ),
            }
        })
    }

    /// A further step.
    pub(crate) fn step(&self, input: Option<&[u8]>) -> (c_int, Vec<u8>) {
        let text = Text::of(input);
        let (data, size) = (text.start(), text.len());
        // SAFETY: as above.
        self.call(|out, len| unsafe {
            match self.side {
                Side::Server => sasl_server_step(self.conn, data, size, out, len),
                Side::Client => sasl_client_step(self.conn, data, size, null_mut(), out, len),
            }
        })
    }

    /// Protects, or takes the protection off.
    pub(crate) fn layer(&self, protect: bool, input: &[u8]) -> (c_int, Vec<u8>) {
        let text = Text::of(Some(input));
        let (data, size) = (text.start(), text.len());
        let work = if protect { sasl_encode } else { sasl_decode };
        // SAFETY: as above.
        self.call(|out, len| unsafe { work(self.conn, data, size, out, len) })
    }

    /// Whether this is the user's password.
    pub(crate) fn accepts(&self, user: &[u8], password: &[u8]) -> bool {
        let (user, password) = (Text::of(Some(user)), Text::of(Some(password)));
        // SAFETY: as above.
        unsafe {
            let (user, len) = (user.start(), user.len());
            sasl_checkpass(self.conn, user, len, password.start(), password.len()) == 0
        }
    }

    /// Asks for a property, the list of mechanisms and the last error.
    pub(crate) fn ask(&self, number: u8) {
        let (mut value, mut count) = (null(), 0);
        // SAFETY: as above; the text of the last error is a C string.
        unsafe {
            sasl_getprop(self.conn, c_int::from(number), &mut value);
            let texts = [c"(".as_ptr(), c" ".as_ptr(), c")".as_ptr()];
            let (mut list, mut len) = (null(), 0);
            sasl_listmech(
                self.conn,
                null(),
                texts[0],
                texts[1],
                texts[2],
                &mut list,
                &mut len,
                &mut count,
            );
            assert!(CStr::from_ptr(sasl_errdetail(self.conn)).count_bytes() > 0);
        }
    }
}

/// Bytes with a NUL behind them, as strings in C are: where a length is 0, some
/// functions look for it.
struct Text(Option<Vec<u8>>);

impl Text {
    fn of(bytes: Option<&[u8]>) -> Self {
        Self(bytes.map(|bytes| [bytes, b"\0"].concat()))
    }

    fn start(&self) -> *const c_char {
        self.0.as_ref().map_or(null(), |text| text.as_ptr().cast())
    }

    fn len(&self) -> c_uint {
        self.0.as_ref().map_or(0, |text| text.len() as c_uint - 1)
    }
}
