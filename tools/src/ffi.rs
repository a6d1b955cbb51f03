// SPDX-License-Identifier: MIT OR Apache-2.0
//! `libsasl2.so.2` through its C API, as safe words. The declarations repeat
//! `sasl.h`, `prop.h` and `saslplug.h`.
#![allow(unsafe_code, reason = "the edge to the library in C")]

use core::ffi::{CStr, c_char, c_int, c_uint, c_ulong, c_void};
use core::marker::PhantomData;
use core::ptr::{null, null_mut};
use saslplug::raw::{
    client_sasl_mechanism_t, propctx, sasl_auxprop_plug_t, sasl_callback_t, sasl_conn_t,
    sasl_security_properties_t, server_sasl_mechanism_t,
};
use saslplug::{Code, Secret};
use std::cell::RefCell;
use std::ffi::CString;

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

/// What the tool tells the library when it asks: options, a plugin folder.
#[derive(Default, Debug)]
pub(crate) struct Answers {
    pub(crate) options: Vec<(&'static CStr, CString)>,
    pub(crate) plugins: Option<CString>,
}

static NOTHING: Answers = Answers {
    options: Vec::new(),
    plugins: None,
};

thread_local! {
    static ANSWERS: RefCell<&'static Answers> = const { RefCell::new(&NOTHING) };
    static SAID: RefCell<Vec<(i32, String)>> = const { RefCell::new(Vec::new()) };
}

unsafe extern "C" fn option(
    _: *mut c_void,
    _plugin: *const c_char,
    name: *const c_char,
    result: *mut *const c_char,
    length: *mut c_uint,
) -> c_int {
    if name.is_null() || result.is_null() {
        return Code::BADPARAM.0;
    }
    // SAFETY: sasl.h: `name` is a C string.
    let name = unsafe { CStr::from_ptr(name) };
    let answers: &'static Answers = ANSWERS.with_borrow(|answers| *answers);
    let Some((_, value)) = answers.options.iter().find(|(known, _)| *known == name) else {
        return Code::FAIL.0;
    };
    // SAFETY: sasl.h: `result` is writable, `length` is NULL or writable; the
    // value lives as long as the process.
    unsafe {
        *result = value.as_ptr();
        if let Some(length) = length.as_mut() {
            *length = c_uint::try_from(value.as_bytes().len()).unwrap_or_default();
        }
    }
    Code::OK.0
}

unsafe extern "C" fn log(_: *mut c_void, level: c_int, message: *const c_char) -> c_int {
    if message.is_null() {
        return Code::BADPARAM.0;
    }
    // SAFETY: sasl.h: a C string.
    let message = unsafe { CStr::from_ptr(message) }
        .to_string_lossy()
        .into_owned();
    SAID.with_borrow_mut(|said| said.push((level, message)));
    Code::OK.0
}

unsafe extern "C" fn folder(_: *mut c_void, path: *mut *const c_char) -> c_int {
    let answers: &'static Answers = ANSWERS.with_borrow(|answers| *answers);
    match &answers.plugins {
        Some(folder) if !path.is_null() => {
            // SAFETY: sasl.h: writable; the path lives as long as the process.
            unsafe { *path = folder.as_ptr() };
            Code::OK.0
        }
        _ => Code::FAIL.0,
    }
}

/// What the library logged since the last call, with its levels.
pub(crate) fn said() -> Vec<(i32, String)> {
    SAID.take()
}

/// The callbacks: kept by the library until the end, so they live as long as
/// the process.
fn callbacks(answers: Answers, client: bool) -> *const sasl_callback_t {
    let with_folder = answers.plugins.is_some();
    let answers: &'static Answers = Box::leak(Box::new(answers));
    ANSWERS.set(answers);
    let entry = |id: c_ulong, call: *const c_void| sasl_callback_t {
        id,
        // SAFETY: sasl.h: a callback is passed as `int (*)(void)`, whatever
        // its parameters are; NULL is none.
        proc_: unsafe {
            core::mem::transmute::<*const c_void, Option<unsafe extern "C" fn() -> c_int>>(call)
        },
        context: null_mut(),
    };
    let mut all = vec![
        entry(1, option as *const c_void),
        entry(2, log as *const c_void),
        entry(0, null()),
    ];
    if client {
        // What a user could be asked for: mechanisms that need it are listed.
        // Without a function the library would ask by a prompt.
        for id in [0x4002, 0x4004] {
            all.insert(0, entry(id, null()));
        }
    }
    if with_folder {
        all.insert(0, entry(3, folder as *const c_void));
    }
    Box::leak(all.into_boxed_slice()).as_ptr()
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

/// Collects names during a `*_plugin_info`.
unsafe fn collect(rock: *mut c_void, stage: c_int, name: *const c_char) {
    const MECH: c_int = 1;
    // SAFETY: the rock is the list of our caller.
    let names = unsafe { rock.cast::<Vec<String>>().as_mut() };
    if let (Some(names), MECH, false) = (names, stage, name.is_null()) {
        // SAFETY: saslplug.h: a C string.
        names.push(
            unsafe { CStr::from_ptr(name) }
                .to_string_lossy()
                .into_owned(),
        );
    }
}

unsafe extern "C" fn auxprop_name(info: *mut sasl_auxprop_plug_t, stage: c_int, rock: *mut c_void) {
    // SAFETY: saslplug.h: NULL or a plugin's structure.
    unsafe {
        collect(
            rock,
            stage,
            info.as_ref().map_or(null(), |info| info.name.cast_const()),
        )
    }
}

unsafe extern "C" fn server_name(
    info: *mut server_sasl_mechanism_t,
    stage: c_int,
    rock: *mut c_void,
) {
    // SAFETY: saslplug.h: NULL or a mechanism with its structure.
    unsafe {
        let plug = info.as_ref().and_then(|info| info.plug.as_ref());
        collect(rock, stage, plug.map_or(null(), |plug| plug.mech_name));
    }
}

unsafe extern "C" fn client_name(
    info: *mut client_sasl_mechanism_t,
    stage: c_int,
    rock: *mut c_void,
) {
    // SAFETY: saslplug.h: NULL or a mechanism with its structure.
    unsafe {
        let plug = info.as_ref().and_then(|info| info.plug.as_ref());
        collect(rock, stage, plug.map_or(null(), |plug| plug.mech_name));
    }
}

/// What a `*_plugin_info` is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// Property stores.
    Auxprop,
    /// Server mechanisms.
    Server,
    /// Client mechanisms.
    Client,
}

/// The names of all plugins or mechanisms of a kind.
pub(crate) fn names(about: About) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let rock = (&raw mut names).cast();
    // SAFETY: saslplug.h: NULL is every one; the rock lives during the call.
    unsafe {
        match about {
            About::Auxprop => auxprop_plugin_info(null(), Some(auxprop_name), rock),
            About::Server => sasl_server_plugin_info(null(), Some(server_name), rock),
            About::Client => sasl_client_plugin_info(null(), Some(client_name), rock),
        };
    }
    names
}

/// Lets the library print what it knows of the plugins in `list` (all without).
pub(crate) fn print(about: About, list: Option<&CStr>) {
    let list = list.map_or(null(), CStr::as_ptr);
    // SAFETY: saslplug.h: without a callback the library prints; `fflush(NULL)`
    // puts its lines before ours that follow.
    unsafe {
        match about {
            About::Auxprop => auxprop_plugin_info(list, None, null_mut()),
            About::Server => sasl_server_plugin_info(list, None, null_mut()),
            About::Client => sasl_client_plugin_info(list, None, null_mut()),
        };
        libc::fflush(null_mut());
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

/// Runs `body` with the terminal's echo off; `None`: no terminal.
pub(crate) fn unechoed<T>(descriptor: c_int, body: impl FnOnce() -> T) -> Option<T> {
    // SAFETY: all-zero is a valid termios; both calls work on a descriptor.
    unsafe {
        let mut settings: libc::termios = core::mem::zeroed();
        if libc::tcgetattr(descriptor, &mut settings) != 0 {
            return None;
        }
        let mut silent = settings;
        silent.c_lflag &= !libc::ECHO;
        silent.c_lflag |= libc::ECHONL;
        libc::tcsetattr(descriptor, libc::TCSAFLUSH, &silent);
        let result = body();
        libc::tcsetattr(descriptor, libc::TCSAFLUSH, &settings);
        Some(result)
    }
}

/// This machine's name.
pub(crate) fn host_name() -> Option<CString> {
    let mut buffer = [0u8; 257];
    // SAFETY: one byte is left for the NUL.
    let code = unsafe { libc::gethostname(buffer.as_mut_ptr().cast(), buffer.len() - 1) };
    CStr::from_bytes_until_nul(&buffer)
        .ok()
        .filter(|_| code == 0)
        .map(CStr::to_owned)
}
