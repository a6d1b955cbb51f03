// SPDX-License-Identifier: MIT OR Apache-2.0
//! `libsasl2.so.2` through its C API, as safe words. The declarations repeat
//! `sasl.h`, `prop.h` and `saslplug.h`.
#![allow(unsafe_code, reason = "the edge to the library in C")]

mod callbacks;
mod check;
mod plugins;
mod terminal;

pub(crate) use callbacks::{Answer, Answers, said};
pub(crate) use plugins::{About, names, print};
pub(crate) use terminal::{host_name, unechoed};

use callbacks::callbacks;
use core::ffi::{CStr, c_char, c_int, c_uint, c_void};
use core::marker::PhantomData;
use core::ptr::{null, null_mut};
use saslplug::raw::{
    client_sasl_mechanism_t, propctx, sasl_auxprop_plug_t, sasl_callback_t, sasl_conn_t,
    sasl_security_properties_t, server_sasl_mechanism_t,
};
use saslplug::{Code, Secret};

type Collect<T> = Option<unsafe extern "C" fn(*mut T, c_int, *mut c_void)>;

unsafe extern "C" {
    fn auxprop_plugin_info(
        list: *const c_char,
        each: Collect<sasl_auxprop_plug_t>,
        rock: *mut c_void,
    ) -> c_int;
    fn prop_dispose(context: *mut *mut propctx);
    fn prop_new(estimate: c_uint) -> *mut propctx;
    fn prop_request(context: *mut propctx, names: *const *const c_char) -> c_int;
    fn prop_set(
        context: *mut propctx,
        name: *const c_char,
        value: *const c_char,
        length: c_int,
    ) -> c_int;
    fn sasl_auxprop_store(
        conn: *mut sasl_conn_t,
        context: *mut propctx,
        user: *const c_char,
    ) -> c_int;
    fn sasl_checkpass(
        conn: *mut sasl_conn_t,
        user: *const c_char,
        user_length: c_uint,
        password: *const c_char,
        length: c_uint,
    ) -> c_int;
    fn sasl_client_init(callbacks: *const sasl_callback_t) -> c_int;
    fn sasl_client_new(
        service: *const c_char,
        server: *const c_char,
        local: *const c_char,
        remote: *const c_char,
        callbacks: *const sasl_callback_t,
        flags: c_uint,
        conn: *mut *mut sasl_conn_t,
    ) -> c_int;
    fn sasl_client_plugin_info(
        list: *const c_char,
        each: Collect<client_sasl_mechanism_t>,
        rock: *mut c_void,
    ) -> c_int;
    fn sasl_dispose(conn: *mut *mut sasl_conn_t);
    fn sasl_done();
    fn sasl_errdetail(conn: *mut sasl_conn_t) -> *const c_char;
    fn sasl_errstring(
        code: c_int,
        languages: *const c_char,
        language: *mut *const c_char,
    ) -> *const c_char;
    fn sasl_listmech(
        conn: *mut sasl_conn_t,
        user: *const c_char,
        prefix: *const c_char,
        separator: *const c_char,
        suffix: *const c_char,
        result: *mut *const c_char,
        length: *mut c_uint,
        count: *mut c_int,
    ) -> c_int;
    fn sasl_server_init(callbacks: *const sasl_callback_t, name: *const c_char) -> c_int;
    fn sasl_server_new(
        service: *const c_char,
        server: *const c_char,
        realm: *const c_char,
        local: *const c_char,
        remote: *const c_char,
        callbacks: *const sasl_callback_t,
        flags: c_uint,
        conn: *mut *mut sasl_conn_t,
    ) -> c_int;
    fn sasl_server_plugin_info(
        list: *const c_char,
        each: Collect<server_sasl_mechanism_t>,
        rock: *mut c_void,
    ) -> c_int;
    fn sasl_server_start(
        conn: *mut sasl_conn_t,
        mechanism: *const c_char,
        input: *const c_char,
        length: c_uint,
        output: *mut *const c_char,
        output_length: *mut c_uint,
    ) -> c_int;
    fn sasl_setpass(
        conn: *mut sasl_conn_t,
        user: *const c_char,
        password: *const c_char,
        length: c_uint,
        old: *const c_char,
        old_length: c_uint,
        flags: c_uint,
    ) -> c_int;
    fn sasl_setprop(conn: *mut sasl_conn_t, number: c_int, value: *const c_void) -> c_int;
    fn sasl_version_info(
        implementation: *mut *const c_char,
        version: *mut *const c_char,
        major: *mut c_int,
        minor: *mut c_int,
        step: *mut c_int,
        patch: *mut c_int,
    );
}

fn outcome(code: c_int) -> Result<(), Code> {
    match code {
        0 => Ok(()),
        code => Err(Code(code)),
    }
}

/// The library, initialised until this is dropped.
pub(crate) struct Library(());

impl Library {
    /// `sasl_server_init`.
    pub(crate) fn server(answers: Answers, name: &CStr) -> Result<Self, Code> {
        // SAFETY: sasl.h: both live as long as the process (the name is kept).
        let name: &'static CStr = Box::leak(name.to_owned().into_boxed_c_str());
        // SAFETY: as above.
        outcome(unsafe { sasl_server_init(callbacks(answers, false), name.as_ptr()) })
            .map(|()| Self(()))
    }

    /// `sasl_client_init`.
    pub(crate) fn client(answers: Answers) -> Result<Self, Code> {
        // SAFETY: sasl.h: the callbacks live as long as the process.
        outcome(unsafe { sasl_client_init(callbacks(answers, true)) }).map(|()| Self(()))
    }

    /// A server's connection.
    pub(crate) fn accept(
        &self,
        service: &CStr,
        name: Option<&CStr>,
        realm: Option<&CStr>,
    ) -> Result<Conn<'_>, Code> {
        let text = |text: Option<&CStr>| text.map_or(null(), CStr::as_ptr);
        let mut conn = null_mut();
        // SAFETY: sasl.h: strings are copied; the out-pointer is ours.
        let code = unsafe {
            sasl_server_new(
                service.as_ptr(),
                text(name),
                text(realm),
                null(),
                null(),
                null(),
                0,
                &mut conn,
            )
        };
        outcome(code).map(|()| Conn(conn, PhantomData))
    }

    /// A client's connection.
    pub(crate) fn connect(&self, service: &CStr, server: &CStr) -> Result<Conn<'_>, Code> {
        let mut conn = null_mut();
        // SAFETY: as above.
        let code = unsafe {
            sasl_client_new(
                service.as_ptr(),
                server.as_ptr(),
                null(),
                null(),
                null(),
                0,
                &mut conn,
            )
        };
        outcome(code).map(|()| Conn(conn, PhantomData))
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        // SAFETY: initialised by us; every connection is gone, as it borrows us.
        unsafe { sasl_done() }
    }
}

/// A connection.
pub(crate) struct Conn<'a>(*mut sasl_conn_t, PhantomData<&'a Library>);

impl Drop for Conn<'_> {
    fn drop(&mut self) {
        // SAFETY: a live connection, disposed of once.
        unsafe { sasl_dispose(&mut self.0) }
    }
}

impl Conn<'_> {
    /// `sasl_setpass`.
    pub(crate) fn set_password(
        &self,
        user: &CStr,
        password: Option<&Secret>,
        flags: c_uint,
    ) -> Result<(), Code> {
        // C programs may look for the NUL.
        let password = password.map(|password| Secret::new([password.as_bytes(), b"\0"].concat()));
        let length = password
            .as_ref()
            .map_or(0, |password| password.len().saturating_sub(1));
        let length = c_uint::try_from(length).map_err(|_| Code::BUFOVER)?;
        let bytes = password
            .as_ref()
            .map_or(null(), |password| password.as_bytes().as_ptr());
        // SAFETY: sasl.h: a live connection, a C string, `length` bytes.
        outcome(unsafe {
            sasl_setpass(
                self.0,
                user.as_ptr(),
                bytes.cast(),
                length,
                null(),
                0,
                flags,
            )
        })
    }

    /// `sasl_auxprop_store`: each property gets one value or none.
    pub(crate) fn store(
        &self,
        user: &CStr,
        properties: &[(&CStr, Option<&Secret>)],
    ) -> Result<(), Code> {
        let mut names: Vec<*const c_char> =
            properties.iter().map(|(name, _)| name.as_ptr()).collect();
        names.push(null());
        // SAFETY: prop.h: a new context; the names live longer than it; values
        // are copied.
        unsafe {
            let mut context = prop_new(0);
            if context.is_null() {
                return Err(Code::NOMEM);
            }
            let mut code = prop_request(context, names.as_ptr());
            for (name, value) in properties {
                let Some(value) = value.filter(|_| code == 0) else {
                    continue;
                };
                let length = c_int::try_from(value.len()).unwrap_or(c_int::MAX);
                code = prop_set(
                    context,
                    name.as_ptr(),
                    value.as_bytes().as_ptr().cast(),
                    length,
                );
            }
            if code == 0 {
                code = sasl_auxprop_store(self.0, context, user.as_ptr());
            }
            prop_dispose(&mut context);
            outcome(code)
        }
    }

    /// The mechanisms that a peer would be offered, separated by blanks.
    pub(crate) fn mechanisms(&self) -> Result<String, Code> {
        let (mut result, mut length, mut count) = (null(), 0, 0);
        // SAFETY: sasl.h: NULLs are allowed; the result is a C string that
        // lives until the next call.
        unsafe {
            let code = sasl_listmech(
                self.0,
                null(),
                null(),
                c" ".as_ptr(),
                null(),
                &mut result,
                &mut length,
                &mut count,
            );
            outcome(code)?;
            Ok(if result.is_null() {
                String::new()
            } else {
                CStr::from_ptr(result).to_string_lossy().into_owned()
            })
        }
    }

    /// `SASL_SEC_PROPS`.
    pub(crate) fn set_security(
        &self,
        min_ssf: c_uint,
        max_ssf: c_uint,
        flags: c_uint,
    ) -> Result<(), Code> {
        let properties = sasl_security_properties_t {
            min_ssf,
            max_ssf,
            maxbufsize: 2048,
            security_flags: flags,
            property_names: null_mut(),
            property_values: null_mut(),
        };
        // SAFETY: sasl.h: the structure is copied.
        outcome(unsafe { sasl_setprop(self.0, 101, (&raw const properties).cast()) })
    }

    /// `SASL_SSF_EXTERNAL` and `SASL_AUTH_EXTERNAL`.
    pub(crate) fn set_external(&self, ssf: c_uint, id: &CStr) -> Result<(), Code> {
        // SAFETY: sasl.h: both values are copied.
        unsafe {
            outcome(sasl_setprop(self.0, 100, (&raw const ssf).cast()))?;
            outcome(sasl_setprop(self.0, 102, id.as_ptr().cast()))
        }
    }
}

/// The English text of a code.
pub(crate) fn text(code: Code) -> String {
    // SAFETY: sasl.h: NULLs are allowed; the text is static.
    unsafe {
        let text = sasl_errstring(code.0, null(), null_mut());
        if text.is_null() {
            String::new()
        } else {
            CStr::from_ptr(text).to_string_lossy().into_owned()
        }
    }
}

/// The library's name and version.
pub(crate) fn version() -> (String, String) {
    let (mut name, mut major, mut minor, mut step) = (null(), 0, 0, 0);
    // SAFETY: sasl.h: NULLs are allowed; the name is static.
    unsafe {
        sasl_version_info(
            &mut name,
            null_mut(),
            &mut major,
            &mut minor,
            &mut step,
            null_mut(),
        );
        let name = if name.is_null() {
            String::new()
        } else {
            CStr::from_ptr(name).to_string_lossy().into_owned()
        };
        (name, format!("{major}.{minor}.{step}"))
    }
}
