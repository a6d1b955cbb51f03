// SPDX-License-Identifier: MIT OR Apache-2.0
//! A C client mechanism (`sasl_client_plug_t`) as [`ClientMech`]. The list of
//! prompts that it makes goes to the program as it is, and back.

use crate::ffi::application::prompt_kind;
use crate::ffi::arg;
use crate::ffi::conn::Conn;
use crate::ffi::params::ClientParams;
use crate::ffi::plugin::auxprop::{length, outcome};
use crate::ffi::plugin::context::{Context, Idle};
use crate::ffi::plugin::loader::Loaded;
use crate::ffi::plugin::plugs::{Common, Plugs, Structure};
use crate::ffi::plugin::server_mech::{made, terminated};
use crate::ffi::utils;
use core::ffi::{CStr, c_char, c_int, c_uint, c_void};
use core::ptr::{self, NonNull};
use mech::{ClientExchange, ClientHost, ClientMech, ClientStep, Done, MechInfo, PromptKind};
use saslplug::raw::*;
use saslplug::{Code, Error, Result};
use std::ffi::CString;
use std::rc::Rc;
use std::sync::Arc;

impl Structure for sasl_client_plug_t {
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

/// A client mechanism in C.
pub(crate) struct CClientMech {
    info: MechInfo,
    /// Name of the plugin (its file's).
    source: CString,
    prompts: Vec<PromptKind>,
    plug: *const sasl_client_plug_t,
    plugs: Arc<Plugs<sasl_client_plug_t>>,
}

// SAFETY: as for `Plugs`.
unsafe impl Send for CClientMech {}
// SAFETY: as for `Plugs`.
unsafe impl Sync for CClientMech {}

/// Calls a plugin's entry and gives its mechanisms.
///
/// # Errors
/// The entry's code; `BADVERS`, `BADPARAM` for what it should not give.
///
/// # Safety
/// As for a server mechanism.
pub(crate) unsafe fn init(
    init: sasl_client_plug_init_t,
    name: &CStr,
    library: Option<Arc<Loaded>>,
) -> Result<Vec<CClientMech>> {
    let (mut version, mut count): (c_int, c_int) = (0, 0);
    let mut list: *mut sasl_client_plug_t = ptr::null_mut();
    let newest = SASL_CLIENT_PLUG_VERSION;
    // SAFETY: our caller's promise; the out-pointers are ours.
    let code = unsafe { init(utils::global(), newest, &mut version, &mut list, &mut count) };
    outcome(code)?;
    if version != newest {
        let name = name.to_string_lossy();
        let text = format!(
            "version conflict in sasl_client_add_plugin for {name}: {newest} expected, but {version} reported"
        );
        return Err(Error::with(Code::BADVERS, text));
    }
    let plugs = Plugs::new(list, count, library)?;
    let mechs = plugs
        .usable(name)?
        .into_iter()
        .map(|(info, plug)| CClientMech {
            info,
            source: name.to_owned(),
            // SAFETY: saslplug.h: the structure is valid as long as `plugs` is held.
            prompts: required_prompts(unsafe { &*plug }),
            plug,
            plugs: Arc::clone(&plugs),
        });
    Ok(mechs.collect())
}

/// The prompts without which the plugin cannot work: its list, which ends with
/// 0, or name and password where it has none.
fn required_prompts(plug: &sasl_client_plug_t) -> Vec<PromptKind> {
    if plug.required_prompts.is_null() {
        return vec![PromptKind::AuthName, PromptKind::Pass];
    }
    let mut kinds = Vec::new();
    let mut at = plug.required_prompts;
    loop {
        // SAFETY: saslplug.h: the list ends with SASL_CB_LIST_END.
        let id = unsafe { *at };
        if id == SASL_CB_LIST_END || kinds.len() >= 16 {
            return kinds;
        }
        kinds.extend(prompt_kind(id));
        at = at.wrapping_add(1);
    }
}

impl CClientMech {
    fn plug(&self) -> &sasl_client_plug_t {
        // SAFETY: valid as long as `plugs` is held.
        unsafe { &*self.plug }
    }
}

fn connection(host: &dyn ClientHost) -> Result<(&Conn, *mut sasl_client_params_t)> {
    // SAFETY: a handle is NULL or the live connection that runs this call.
    let conn = unsafe { Conn::borrow(host.handle().0.cast()) };
    conn.and_then(|conn| Some((conn, ClientParams::of(conn, conn.client()?))))
        .ok_or(Error::new(
            Code::FAIL,
            "a C mechanism was asked without a client connection",
        ))
}

impl ClientMech for CClientMech {
    fn info(&self) -> &MechInfo {
        &self.info
    }

    fn source(&self) -> &str {
        self.source.to_str().unwrap_or_default()
    }

    fn required_prompts(&self) -> &[PromptKind] {
        &self.prompts
    }

    fn begin(&self, host: &dyn ClientHost) -> Result<Box<dyn ClientExchange>> {
        let (conn, params) = connection(host)?;
        let new = self.plug().mech_new.ok_or(Code::FAIL)?;
        let mut raw = ptr::null_mut();
        // SAFETY: saslplug.h; the parameters are up to date and live.
        let code = unsafe { new(self.plug().glob_context, params, &mut raw) };
        // SAFETY: the parameters were just filled.
        let utils = unsafe { (*params).utils };
        let context = || {
            let plugin = Arc::clone(&self.plugs);
            Context::new(raw, self.plug().mech_dispose, utils, plugin as _)
        };
        let context = made(code, (!raw.is_null()).then(context))?.unwrap_or_else(context);
        let plug = self.plug();
        context.set_idle(plug.idle.map(Idle::Client), plug.glob_context);
        conn.show_context(Rc::clone(&context));
        Ok(Box::new(CClientExchange {
            context,
            step: self.plug().mech_step,
        }))
    }
}

type StepFn = unsafe extern "C" fn(
    *mut c_void,
    *mut sasl_client_params_t,
    *const c_char,
    c_uint,
    *mut *mut sasl_interact_t,
    *mut *const c_char,
    *mut c_uint,
    *mut sasl_out_params_t,
) -> c_int;

struct CClientExchange {
    context: Rc<Context>,
    step: Option<StepFn>,
}

impl ClientExchange for CClientExchange {
    fn step(&mut self, host: &dyn ClientHost, challenge: Option<&[u8]>) -> Result<ClientStep> {
        let step = self.step.ok_or(Code::FAIL)?;
        let (conn, params) = connection(host)?;
        let len = length(challenge.unwrap_or_default())?;
        let input = terminated(challenge);
        let (mut out, mut outlen): (*const c_char, c_uint) = (ptr::null(), 0);
        let earlier = conn
            .known_seldom()
            .and_then(|seldom| seldom.plugin_prompts.get());
        let mut prompts = earlier.map_or(ptr::null_mut(), NonNull::as_ptr);
        // SAFETY: saslplug.h; input and parameters live for the call, and the
        // list of prompts is the plugin's own of an earlier step, or NULL.
        let code = unsafe {
            step(
                self.context.as_ptr(),
                params,
                input
                    .as_ref()
                    .map_or(ptr::null(), |input| input.as_ptr().cast()),
                len,
                &mut prompts,
                &mut out,
                &mut outlen,
                self.context.results(),
            )
        };
        let pending = NonNull::new(prompts).filter(|_| code == Code::INTERACT.0);
        if earlier.is_some() || pending.is_some() {
            conn.seldom().plugin_prompts.set(pending);
        }
        // SAFETY: saslplug.h: NULL or the plugin's buffer of `outlen` bytes.
        let data = unsafe { arg::bytes(out, outlen) }.map(<[u8]>::to_vec);
        if !(Code::OK.0..=Code::INTERACT.0).contains(&code) {
            conn.hide_context();
        }
        let max_buffer = conn.connection().limits.get().max_buffer;
        match Code(code) {
            Code::OK => Ok(ClientStep::Done(Done {
                final_data: data,
                binding: self.context.binding(),
                layer: self.context.layer(max_buffer)?,
                may_object: false,
            })),
            Code::CONTINUE => Ok(ClientStep::Response(data)),
            Code::INTERACT => Ok(ClientStep::Interact(Vec::new())),
            Code(code) if code < 0 => Err(Error::bare(Code(code))),
            _ => Err(Error::new(
                Code::FAIL,
                "the mechanism plugin answered with an unknown code",
            )),
        }
    }
}
