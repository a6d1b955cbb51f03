// SPDX-License-Identifier: MIT OR Apache-2.0
//! A [`ClientMech`] as a `sasl_client_plug_t`. A connection's context holds the
//! exchange from start to dispose, and the answers of the user.
#![allow(unsafe_code, reason = "the edge of a plugin: C calls in")]

use crate::host::{Shared, fill_random, host};
use crate::layer::Flow;
use crate::prompts::{self, Answers};
use crate::{Mechanisms, bytes, c_text, length, text};
use core::ffi::{CStr, c_char, c_int, c_uint, c_ulong, c_void};
use core::ptr;
use mech::{
    Answer, ChannelBinding, ClientExchange, ClientHost, ClientMech, ClientStep, Disposition, Done,
    Limits, Prompt,
};
use saslplug::export::{guard, tell, version_fits};
use saslplug::raw::*;
use saslplug::utils::Utils;
use saslplug::{Code, GssObjects, Handle, Host, Identity, Level, Result, Secret};
use std::ffi::CString;
use std::fmt;
use std::sync::OnceLock;

struct Entry {
    name: CString,
    prompts: Box<[c_ulong]>,
    mech: &'static dyn ClientMech,
}

struct List {
    plugs: Box<[sasl_client_plug_t]>,
    _entries: Box<[Entry]>,
}

/// A plugin's client mechanisms, made when a library first asks and kept: the
/// file stays mapped.
pub struct Clients(OnceLock<List>);

// SAFETY: the pointers in the list are to the list's own entries, and neither
// changes after it was made.
unsafe impl Sync for Clients {}
// SAFETY: as above.
unsafe impl Send for Clients {}

impl Clients {
    /// None yet.
    #[allow(clippy::new_without_default, reason = "for statics")]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }
}

fn list(mechs: Vec<&'static dyn ClientMech>) -> List {
    let entry = |mech: &'static dyn ClientMech| {
        let ids = mech.required_prompts().iter().copied().map(prompts::id_of);
        Entry {
            name: c_text(&mech.info().name),
            prompts: ids.chain([SASL_CB_LIST_END]).collect(),
            mech,
        }
    };
    let entries: Box<[Entry]> = mechs.into_iter().map(entry).collect();
    let plugs = entries.iter().map(|entry| {
        let info = entry.mech.info();
        sasl_client_plug_t {
            mech_name: entry.name.as_ptr(),
            max_ssf: info.max_ssf,
            security_flags: info.security.bits(),
            features: info.features.bits(),
            required_prompts: entry.prompts.as_ptr(),
            glob_context: ptr::from_ref(entry).cast_mut().cast(),
            mech_new: Some(new),
            mech_step: Some(step),
            mech_dispose: Some(dispose),
            mech_free: None,
            idle: None,
            spare_fptr1: None,
            spare_fptr2: None,
        }
    });
    List {
        plugs: plugs.collect(),
        _entries: entries,
    }
}

/// Body of `sasl_client_plug_init`.
///
/// # Safety
/// `utils` fulfils the promise of [`Utils::global`]; the out-pointers are NULL
/// or writable.
pub unsafe fn client_init<T: Mechanisms>(
    table: &'static Clients,
    utils: *const sasl_utils_t,
    max_version: c_int,
    out_version: *mut c_int,
    plugs: *mut *mut sasl_client_plug_t,
    count: *mut c_int,
) -> c_int {
    // SAFETY: our caller's promise.
    let Some(host) = (unsafe { Utils::global(utils) }) else {
        return Code::BADPARAM.0;
    };
    if out_version.is_null() || plugs.is_null() || count.is_null() {
        return Code::BADPARAM.0;
    }
    guard(Some(&host), T::NAME, || {
        if !version_fits(&host, T::NAME, max_version, SASL_CLIENT_PLUG_VERSION) {
            return Code::BADVERS.0;
        }
        let mechs = match T::clients(&host) {
            Ok(mechs) => mechs,
            Err(error) => return tell(&host, T::NAME, &error),
        };
        let list = table.0.get_or_init(|| list(mechs));
        // SAFETY: tested for NULL above; the library only reads the list.
        unsafe {
            *out_version = SASL_CLIENT_PLUG_VERSION;
            *plugs = list.plugs.as_ptr().cast_mut();
            *count = c_int::try_from(list.plugs.len()).unwrap_or(0);
        }
        Code::OK.0
    })
}

/// A connection's context. `flow` must stay the first field.
#[repr(C)]
struct Context {
    flow: Flow,
    entry: &'static Entry,
    /// Begun at the first step: the parameters are complete only then.
    exchange: Option<Box<dyn ClientExchange>>,
    begun: bool,
    answers: Answers,
    output: Vec<u8>,
}

/// The host of a client mechanism.
struct Client<'a> {
    shared: Shared<'a>,
    params: &'a sasl_client_params_t,
    answers: Answers,
}

impl<'a> Client<'a> {
    /// # Safety
    /// `params` is NULL or the library's, valid for `'a`; `oparams` is NULL or
    /// writable for `'a`.
    unsafe fn new(
        params: *const sasl_client_params_t,
        oparams: *mut sasl_out_params_t,
    ) -> Option<Self> {
        // SAFETY: our caller's promise.
        let (host, params) = unsafe { (Utils::client(params)?, params.as_ref()?) };
        Some(Self {
            shared: Shared {
                // SAFETY: our caller's promise for the field.
                utils: unsafe { params.utils.as_ref() }?,
                host,
                oparams,
                props: params.props,
                external_ssf: params.external_ssf,
                canon_user: params.canon_user,
                binding: params.cbinding,
                gss_creds: params.gss_creds,
            },
            params,
            answers: Vec::new(),
        })
    }
}

impl Host for Client<'_> {
    host!(Client);
}

impl ClientHost for Client<'_> {
    fn server_fqdn(&self) -> Option<String> {
        // SAFETY: saslplug.h: NULL or a C string.
        unsafe { text(self.params.serverFQDN) }
    }

    fn client_fqdn(&self) -> String {
        // SAFETY: saslplug.h: NULL or a C string.
        unsafe { text(self.params.clientFQDN) }.unwrap_or_default()
    }

    fn limits(&self) -> Limits {
        self.shared.limits()
    }

    fn external_id(&self) -> Option<Vec<u8>> {
        self.shared.external_id()
    }

    fn ask(&self, prompt: &Prompt) -> Result<Answer> {
        let mut answers = self.answers.iter();
        match answers.find(|(kind, _)| *kind == prompt.kind) {
            Some((_, Some(value))) => Ok(Answer::Given(value.clone())),
            Some((_, None)) => Ok(Answer::Null),
            None => prompts::ask(prompt, self.shared.utils),
        }
    }

    fn identify(&self, name: &[u8], identity: Identity) -> Result<()> {
        self.shared.identify(name, identity, 0)
    }

    fn authid(&self) -> Option<Vec<u8>> {
        self.shared.authid()
    }

    fn authzid(&self) -> Option<Vec<u8>> {
        self.shared.authzid()
    }

    fn channel_binding(&self) -> (Option<ChannelBinding>, Disposition) {
        let disposition = match self.params.cbindingdisp {
            0 => Disposition::None,
            1 => Disposition::Want,
            _ => Disposition::Used,
        };
        (self.shared.binding(), disposition)
    }

    fn fill_random(&self, out: &mut [u8]) -> Result<()> {
        fill_random(out)
    }
}

unsafe extern "C" fn new(
    context: *mut c_void,
    params: *mut sasl_client_params_t,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: saslplug.h: the glob_context that `list` made, which lives as
    // long as the file is mapped, and the connection's parameters.
    let both = unsafe {
        let entry: Option<&'static Entry> = context.cast::<Entry>().cast_const().as_ref();
        entry.zip(Utils::client(params))
    };
    let Some((entry, host)) = both.filter(|_| !out.is_null()) else {
        return Code::BADPARAM.0;
    };
    guard(Some(&host), entry.mech.source(), || {
        let context = Box::new(Context {
            flow: Flow::default(),
            entry,
            exchange: None,
            begun: false,
            answers: Vec::new(),
            output: Vec::new(),
        });
        // SAFETY: tested for NULL above.
        unsafe { *out = Box::into_raw(context).cast() };
        Code::OK.0
    })
}

/// Where a step leaves its answer.
struct Out {
    prompts: *mut *mut sasl_interact_t,
    data: *mut *const c_char,
    len: *mut c_uint,
}

#[allow(clippy::too_many_arguments, reason = "saslplug.h has them")]
unsafe extern "C" fn step(
    context: *mut c_void,
    params: *mut sasl_client_params_t,
    input: *const c_char,
    input_len: c_uint,
    prompts: *mut *mut sasl_interact_t,
    data: *mut *const c_char,
    len: *mut c_uint,
    oparams: *mut sasl_out_params_t,
) -> c_int {
    // SAFETY: saslplug.h: the context that `new` made, used by one thread in
    // the exchange; the connection's parameters; `input_len` bytes.
    let (all, input) = unsafe {
        let context = context.cast::<Context>().as_mut();
        (
            context.zip(Client::new(params, oparams)),
            bytes(input, input_len),
        )
    };
    let Some((context, host)) =
        all.filter(|_| !data.is_null() && !len.is_null() && !oparams.is_null())
    else {
        return Code::BADPARAM.0;
    };
    let out = Out { prompts, data, len };
    // SAFETY: tested for NULL.
    unsafe {
        *out.data = ptr::null();
        *out.len = 0;
    }
    let name = context.entry.mech.source();
    let plugin_host = unsafe_host(params);
    guard(plugin_host.as_ref(), name, || {
        advance(context, host, input, &out).map_or_else(
            |error| {
                plugin_host
                    .as_ref()
                    .map_or(error.code().0, |host| tell(host, name, &error))
            },
            |code| code.0,
        )
    })
}

/// The plain host again, for errors after the mechanism's host is gone.
fn unsafe_host<'a>(params: *mut sasl_client_params_t) -> Option<Utils<'a>> {
    // SAFETY: `step` made a host of the same parameters before.
    unsafe { Utils::client(params) }
}

fn advance(
    context: &mut Context,
    mut host: Client<'_>,
    input: Option<&[u8]>,
    out: &Out,
) -> Result<Code> {
    take_answers(context, &mut host, out);
    if !context.begun {
        context.begun = true;
        context.exchange = Some(context.entry.mech.begin(&host)?);
    }
    // After an error (or a panic) the exchange is simply gone.
    let mut exchange = context.exchange.take().ok_or(Code::FAIL)?;
    let taken = exchange.step(&host, input)?;
    context.exchange = Some(exchange);
    let (code, data) = match taken {
        ClientStep::Interact(wanted) => {
            if out.prompts.is_null() {
                // Nobody listens: the answer would never come.
                return Err(Code::FAIL.into());
            }
            let list = prompts::give(&wanted, host.shared.utils)?;
            // SAFETY: tested for NULL.
            unsafe { *out.prompts = list };
            return Ok(Code::INTERACT);
        }
        ClientStep::Response(data) => (Code::CONTINUE, data),
        ClientStep::Done(done) => (Code::OK, finish(context, &host, done)),
    };
    if let Some(data) = data {
        context.output = data;
        // A buffer without an address of its own would look like no data.
        context.output.reserve(1);
        let len = length(&context.output)?;
        // SAFETY: tested for NULL by `step`; the buffer is the context's.
        unsafe {
            *out.data = context.output.as_ptr().cast();
            *out.len = len;
        }
    }
    Ok(code)
}

/// Answers to an earlier list of ours, which is freed.
fn take_answers(context: &mut Context, host: &mut Client<'_>, out: &Out) {
    // SAFETY: saslplug.h: NULL, or where the library keeps our list.
    let list = unsafe { out.prompts.as_mut() }.map_or(ptr::null_mut(), |slot| {
        core::mem::replace(slot, ptr::null_mut())
    });
    // SAFETY: the library hands back the list that `give` made.
    let fresh = unsafe { prompts::take(list, host.shared.utils) };
    context
        .answers
        .retain(|(kind, _)| !fresh.iter().any(|(other, _)| other == kind));
    context.answers.extend(fresh);
    host.answers.clone_from(&context.answers);
}

/// Writes the results of a successful exchange.
fn finish(context: &mut Context, host: &Client<'_>, done: Done) -> Option<Vec<u8>> {
    let address: *mut Context = context;
    context.answers.clear();
    // SAFETY: `step` tested it for NULL; nobody else holds a reference now.
    let results = unsafe { host.shared.oparams.as_mut() }?;
    results.doneflag = 1;
    results.param_version = 0;
    match done.layer {
        Some(layer) => {
            let max_buffer = host.shared.props.maxbufsize;
            context
                .flow
                .install(layer, max_buffer, address.cast(), results);
        }
        None => results.mech_ssf = 0,
    }
    done.final_data
}

unsafe extern "C" fn dispose(context: *mut c_void, _utils: *const sasl_utils_t) {
    if context.is_null() {
        return;
    }
    guard(None, "plugin", || {
        // SAFETY: the context that `new` made; disposed of once.
        drop(unsafe { Box::from_raw(context.cast::<Context>()) });
        0
    });
}
