// SPDX-License-Identifier: MIT OR Apache-2.0
//! A C server mechanism (`sasl_server_plug_t`) as [`ServerMech`].

use crate::ffi::arg;
use crate::ffi::conn::Conn;
use crate::ffi::params::ServerParams;
use crate::ffi::plugin::auxprop::{length, outcome};
use crate::ffi::plugin::context::{Context, Idle};
use crate::ffi::plugin::loader::Loaded;
use crate::ffi::plugin::plugs::{Common, Plugs, Structure};
use crate::ffi::utils;
use core::ffi::{CStr, c_char, c_int, c_uint, c_void};
use core::ptr;
use mech::{Change, Done, MechInfo, ServerExchange, ServerHost, ServerMech, Step};
use saslplug::raw::*;
use saslplug::{Code, Error, Result, Secret};
use std::ffi::CString;
use std::rc::Rc;
use std::sync::Arc;

impl Structure for sasl_server_plug_t {
    fn common(&self) -> Common {
        Common {
            name: self.mech_name,
            max_ssf: self.max_ssf,
            security_flags: self.security_flags,
            features: self.features,
            complete: self.mech_new.is_some() && self.mech_step.is_some(),
            glob_context: self.glob_context,
            free: self.mech_free,
        }
    }
}

/// A server mechanism in C.
pub(crate) struct CServerMech {
    info: MechInfo,
    /// Name of the plugin (its file's).
    source: CString,
    /// `NOUSER` from the entry: present, but refused.
    refused: bool,
    plug: *const sasl_server_plug_t,
    plugs: Arc<Plugs<sasl_server_plug_t>>,
}

// SAFETY: as for `Plugs`.
unsafe impl Send for CServerMech {}
// SAFETY: as for `Plugs`.
unsafe impl Sync for CServerMech {}

/// Calls a plugin's entry and gives its mechanisms. `library` keeps the file
/// mapped.
///
/// # Errors
/// The entry's code; `BADVERS`, `BADPARAM` for what it should not give.
///
/// # Safety
/// `init` satisfies saslplug.h, and what it gives stays valid as long as
/// `library` is held.
pub(crate) unsafe fn init(
    init: sasl_server_plug_init_t,
    name: &CStr,
    library: Option<Arc<Loaded>>,
) -> Result<Vec<CServerMech>> {
    let (mut version, mut count): (c_int, c_int) = (0, 0);
    let mut list: *mut sasl_server_plug_t = ptr::null_mut();
    let newest = SASL_SERVER_PLUG_VERSION;
    // SAFETY: our caller's promise; the out-pointers are ours.
    let code = unsafe { init(utils::global(), newest, &mut version, &mut list, &mut count) };
    if code != Code::OK.0 && code != Code::NOUSER.0 && code != Code::CONTINUE.0 {
        return Err(Error::bare(Code(code)));
    }
    if version != newest {
        let name = name.to_string_lossy();
        let text = format!(
            "version mismatch on  sasl_server_add_plugin for '{name}': {newest} expected, but {version} reported"
        );
        return Err(Error::with(Code::BADVERS, text));
    }
    let plugs = Plugs::new(list, count, library)?;
    let mechs = plugs
        .usable(name)?
        .into_iter()
        .map(|(info, plug)| CServerMech {
            info,
            source: name.to_owned(),
            refused: code == Code::NOUSER.0,
            plug,
            plugs: Arc::clone(&plugs),
        });
    Ok(mechs.collect())
}

impl CServerMech {
    fn plug(&self) -> &sasl_server_plug_t {
        // SAFETY: valid as long as `plugs` is held.
        unsafe { &*self.plug }
    }

    /// The connection behind a host and its parameters.
    fn params<'a>(
        &self,
        host: &'a dyn ServerHost,
    ) -> Result<(&'a Conn, *mut sasl_server_params_t)> {
        // SAFETY: a handle is NULL or the live connection that runs this call.
        let conn = unsafe { Conn::borrow(host.handle().0.cast()) };
        conn.and_then(|conn| Some((conn, ServerParams::of(conn, conn.server()?))))
            .ok_or(Error::new(
                Code::FAIL,
                "a C mechanism was asked without a server connection",
            ))
    }

    fn context(&self, context: *mut c_void, params: *mut sasl_server_params_t) -> Rc<Context> {
        // SAFETY: the parameters were just filled.
        let utils = unsafe { (*params).utils };
        Context::new(
            context,
            self.plug().mech_dispose,
            utils,
            Arc::clone(&self.plugs) as _,
        )
    }
}

impl ServerMech for CServerMech {
    fn info(&self) -> &MechInfo {
        &self.info
    }

    fn source(&self) -> &str {
        self.source.to_str().unwrap_or_default()
    }

    fn available(&self, host: &dyn ServerHost) -> Result<()> {
        if self.refused {
            return Err(Error::new(Code::NOMECH, "no users in secrets db"));
        }
        let Some(available) = self.plug().mech_avail else {
            return Ok(());
        };
        let (conn, params) = self.params(host)?;
        let mut context = conn.take_early_context(self.plug.cast());
        let had = context.is_some();
        let mut raw = context
            .as_ref()
            .map_or(ptr::null_mut(), |context| context.as_ptr());
        // SAFETY: saslplug.h; the parameters are up to date and live.
        let code = unsafe { available(self.plug().glob_context, params, &mut raw) };
        if !had && !raw.is_null() {
            context = Some(self.context(raw, params));
        }
        if let Some(context) = context {
            conn.keep_early_context(self.plug.cast(), context);
        }
        outcome(code)
    }

    fn sets_passwords(&self) -> bool {
        self.plug().setpass.is_some()
    }

    fn set_password(&self, host: &dyn ServerHost, change: &Change<'_>) -> Option<Result<()>> {
        let setpass = self.plug().setpass?;
        Some(self.params(host).and_then(|(_, params)| {
            let [password, old] = [change.password, change.old].map(Given::new);
            // SAFETY: saslplug.h; the strings and the parameters live for the call.
            outcome(unsafe {
                setpass(
                    self.plug().glob_context,
                    params,
                    change.user.as_ptr(),
                    password.pointer(),
                    password.len,
                    old.pointer(),
                    old.len,
                    change.flags,
                )
            })
        }))
    }

    fn begin(&self, host: &dyn ServerHost) -> Result<Box<dyn ServerExchange>> {
        let (conn, params) = self.params(host)?;
        let context = match conn.take_early_context(self.plug.cast()) {
            Some(context) => context,
            None => {
                let new = self.plug().mech_new.ok_or(Code::FAIL)?;
                let mut raw = ptr::null_mut();
                // SAFETY: saslplug.h; the parameters are up to date and live.
                let code =
                    unsafe { new(self.plug().glob_context, params, ptr::null(), 0, &mut raw) };
                made(code, (!raw.is_null()).then(|| self.context(raw, params)))?
                    .unwrap_or_else(|| self.context(raw, params))
            }
        };
        let plug = self.plug();
        context.set_idle(plug.idle.map(Idle::Server), plug.glob_context);
        conn.show_context(Rc::clone(&context));
        Ok(Box::new(CServerExchange {
            context,
            step: self.plug().mech_step,
        }))
    }
}

/// A password as a plugin reads it.
struct Given {
    text: Option<zeroize::Zeroizing<Vec<u8>>>,
    len: c_uint,
}

impl Given {
    fn new(secret: Option<&Secret>) -> Self {
        let bytes = secret.map(Secret::as_bytes);
        Self {
            // What came through the API has a length that C can tell.
            len: length(bytes.unwrap_or_default()).unwrap_or_default(),
            text: terminated(bytes),
        }
    }

    fn pointer(&self) -> *const c_char {
        self.text
            .as_ref()
            .map_or(ptr::null(), |text| text.as_ptr().cast())
    }
}

type StepFn = unsafe extern "C" fn(
    *mut c_void,
    *mut sasl_server_params_t,
    *const c_char,
    c_uint,
    *mut *const c_char,
    *mut c_uint,
    *mut sasl_out_params_t,
) -> c_int;

struct CServerExchange {
    context: Rc<Context>,
    step: Option<StepFn>,
}

impl ServerExchange for CServerExchange {
    fn step(&mut self, host: &dyn ServerHost, response: Option<&[u8]>) -> Result<Step> {
        let step = self.step.ok_or(Code::FAIL)?;
        // SAFETY: a handle is NULL or the live connection that runs this call.
        let conn = unsafe { Conn::borrow(host.handle().0.cast()) }.ok_or(Code::FAIL)?;
        let params = ServerParams::of(conn, conn.server().ok_or(Code::FAIL)?);
        let len = length(response.unwrap_or_default())?;
        let input = terminated(response);
        let (mut out, mut outlen): (*const c_char, c_uint) = (ptr::null(), 0);
        // SAFETY: saslplug.h; input and parameters live for the call.
        let code = unsafe {
            step(
                self.context.as_ptr(),
                params,
                input
                    .as_ref()
                    .map_or(ptr::null(), |input| input.as_ptr().cast()),
                len,
                &mut out,
                &mut outlen,
                self.context.results(),
            )
        };
        // SAFETY: saslplug.h: NULL or the plugin's buffer of `outlen` bytes.
        let data = unsafe { arg::bytes(out, outlen) }.map(<[u8]>::to_vec);
        if code != Code::OK.0 && code != Code::CONTINUE.0 {
            conn.hide_context();
        }
        let max_buffer = conn.connection().limits.get().max_buffer;
        match Code(code) {
            Code::OK => Ok(Step::Done(Done {
                final_data: data,
                binding: self.context.binding(),
                layer: self.context.layer(max_buffer)?,
                may_object: false,
            })),
            Code::CONTINUE => Ok(Step::Challenge(data.unwrap_or_default())),
            Code(code) if code < 0 => Err(Error::bare(Code(code))),
            _ => Err(Error::new(
                Code::FAIL,
                "the mechanism plugin answered with an unknown code",
            )),
        }
    }
}

/// What `mech_new` made. A plugin may leave a context behind although it says
/// no: then that is disposed of at once.
///
/// # Errors
/// The plugin's code.
pub(super) fn made(code: c_int, context: Option<Rc<Context>>) -> Result<Option<Rc<Context>>> {
    outcome(code).map(|()| context)
}

/// The input with a NUL behind it, which plugins take for granted; wiped, as
/// it may be a password.
pub(super) fn terminated(input: Option<&[u8]>) -> Option<zeroize::Zeroizing<Vec<u8>>> {
    let input = input?;
    let mut copy = zeroize::Zeroizing::new(Vec::with_capacity(input.len().saturating_add(1)));
    copy.extend_from_slice(input);
    copy.push(0);
    Some(copy)
}
