// SPDX-License-Identifier: MIT OR Apache-2.0
//! The `*_plugin_info` functions of saslplug.h: tell a callback, or standard
//! output, about each plugin. Built-in mechanisms are shown as the C structures
//! that a plugin would have; scripts parse the printed form.

use crate::ffi::application::prompt_id;
use crate::ffi::{arg, edge};
use crate::library::{self, Side};
use core::ffi::{CStr, c_char, c_int, c_uint, c_ulong, c_void};
use core::ptr;
use mech::{Features, MechInfo, PromptKind, Security};
use saslplug::raw::*;
use saslplug::{Auxprop, Code};
use std::ffi::CString;
use std::sync::Arc;

const LIST_START: c_uint = 0;
const LIST_MECH: c_uint = 1;
const LIST_END: c_uint = 2;

type ServerInfo = unsafe extern "C" fn(*mut server_sasl_mechanism_t, c_uint, *mut c_void);
type ClientInfo = unsafe extern "C" fn(*mut client_sasl_mechanism_t, c_uint, *mut c_void);
type AuxpropInfo = unsafe extern "C" fn(*mut sasl_auxprop_plug_t, c_uint, *mut c_void);

/// Prints through C's standard output, so that lines stay in the program's
/// order.
fn print(text: &str) {
    let text = CString::new(text).unwrap_or_default();
    // SAFETY: the format takes exactly one string.
    unsafe { libc::printf(c"%s".as_ptr(), text.as_ptr()) };
}

/// Whether a list names `name`; no list names all.
fn listed(list: Option<&CStr>, name: &str) -> bool {
    list.is_none_or(|list| {
        list.to_string_lossy()
            .split_ascii_whitespace()
            .any(|item| item.eq_ignore_ascii_case(name))
    })
}

/// The providers that a list names, in its order; no list names all.
fn in_order(list: Option<&CStr>, providers: Vec<Arc<dyn Auxprop>>) -> Vec<Arc<dyn Auxprop>> {
    let Some(list) = list.map(CStr::to_string_lossy) else {
        return providers;
    };
    let named = |name: &str| {
        let same =
            |one: &&Arc<dyn Auxprop>| one.name().to_bytes().eq_ignore_ascii_case(name.as_bytes());
        providers.iter().filter(same).cloned().collect::<Vec<_>>()
    };
    list.split_ascii_whitespace().flat_map(named).collect()
}

const SECURITY: &[(Security, &str)] = &[
    (Security::NOANONYMOUS, "NO_ANONYMOUS"),
    (Security::NOPLAINTEXT, "NO_PLAINTEXT"),
    (Security::NOACTIVE, "NO_ACTIVE"),
    (Security::NODICTIONARY, "NO_DICTIONARY"),
    (Security::FORWARD_SECRECY, "FORWARD_SECRECY"),
    (Security::PASS_CREDENTIALS, "PASS_CREDENTIALS"),
    (Security::MUTUAL_AUTH, "MUTUAL_AUTH"),
];

const FEATURES: &[(Features, &str)] = &[
    (Features::WANT_CLIENT_FIRST, "WANT_CLIENT_FIRST"),
    (Features::SERVER_FIRST, "SERVER_FIRST"),
    (Features::ALLOWS_PROXY, "PROXY_AUTHENTICATION"),
    (Features::NEEDSERVERFQDN, "NEED_SERVER_FQDN"),
    (Features::DONTUSE_USERPASSWD, "DONTUSE_USERPASSWD"),
    (Features::GSS_FRAMING, "GSS_FRAMING"),
    (Features::CHANNEL_BINDING, "CHANNEL_BINDING"),
    (Features::SUPPORTS_HTTP, "SUPPORTS_HTTP"),
];

fn print_mechanism(info: &MechInfo, source: &str, setpass: &str) {
    let security: Vec<_> = SECURITY
        .iter()
        .filter(|(flag, _)| info.security.contains(*flag))
        .map(|(_, name)| *name)
        .collect();
    let features: Vec<_> = FEATURES
        .iter()
        .filter(|(flag, _)| info.features.contains(*flag))
        .map(|(_, name)| *name)
        .collect();
    let blank = |list: &[&str]| {
        if list.is_empty() {
            String::new()
        } else {
            format!(" {}", list.join("|"))
        }
    };
    print(&format!(
        "Plugin \"{}\" [loaded], \tAPI version: 4\n\tSASL mechanism: {}, best SSF: {}{setpass}\n\
         \tsecurity flags:{}\n\tfeatures:{}\n",
        source,
        info.name,
        info.max_ssf,
        blank(&security),
        blank(&features),
    ));
}

/// What a C structure of one mechanism points to.
struct Shown {
    name: CString,
    source: CString,
    prompts: Option<Vec<c_ulong>>,
}

impl Shown {
    fn new(info: &MechInfo, source: &str, prompts: &[PromptKind]) -> Self {
        let text = |text: &str| CString::new(text).unwrap_or_default();
        // NULL stands for a name and a password.
        let others = prompts != [PromptKind::AuthName, PromptKind::Pass];
        let list = || {
            let ids = prompts.iter().map(|kind| prompt_id(*kind));
            ids.chain([SASL_CB_LIST_END]).collect()
        };
        Self {
            name: text(&info.name),
            source: text(source),
            prompts: others.then(list),
        }
    }

    fn required_prompts(&self) -> *const c_ulong {
        self.prompts
            .as_ref()
            .map_or(ptr::null(), Vec::as_ptr)
            .cast()
    }
}

/// Tells about server mechanisms.
///
/// # Safety
/// - `mech_list`: NULL or a string
/// - `info_cb`: NULL or a function as saslplug.h wants it
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_server_plugin_info(
    mech_list: *const c_char,
    info_cb: Option<ServerInfo>,
    rock: *mut c_void,
) -> c_int {
    // SAFETY: saslplug.h: see above.
    let list = unsafe { arg::text(mech_list) };
    edge::guard(Code::FAIL.0, || {
        if !library::is_active(Side::Server) {
            return Code::NOTINIT.0;
        }
        let tell = |mechanism: *mut server_sasl_mechanism_t, stage| {
            if let Some(callback) = info_cb {
                // SAFETY: saslplug.h: see above; the structure lives for the call.
                unsafe { callback(mechanism, stage, rock) }
            } else if stage == LIST_START {
                print("List of server plugins follows\n");
            }
        };
        tell(ptr::null_mut(), LIST_START);
        for mechanism in library::current().server_mechs().iter() {
            let info = mechanism.info();
            if !listed(list, &info.name) {
                continue;
            }
            let shown = Shown::new(info, mechanism.source(), &[]);
            let plug = server_plug(info, &shown, mechanism.sets_passwords());
            let mut entry = server_sasl_mechanism_t {
                version: SASL_SERVER_PLUG_VERSION,
                condition: Code::OK.0,
                plugname: shown.source.as_ptr().cast_mut(),
                plug: &plug,
                f: ptr::null_mut(),
            };
            match info_cb {
                Some(_) => tell(&mut entry, LIST_MECH),
                None => {
                    let sets = if mechanism.sets_passwords() {
                        "yes"
                    } else {
                        "no"
                    };
                    print_mechanism(
                        info,
                        mechanism.source(),
                        &format!(", supports setpass: {sets}"),
                    );
                }
            }
        }
        tell(ptr::null_mut(), LIST_END);
        Code::OK.0
    })
}

/// Stands for a setpass function: programs look whether there is one.
unsafe extern "C" fn has_setpass(
    _: *mut c_void,
    _: *mut sasl_server_params_t,
    _: *const c_char,
    _: *const c_char,
    _: c_uint,
    _: *const c_char,
    _: c_uint,
    _: c_uint,
) -> c_int {
    Code::FAIL.0
}

fn server_plug(info: &MechInfo, shown: &Shown, setpass: bool) -> sasl_server_plug_t {
    sasl_server_plug_t {
        mech_name: shown.name.as_ptr(),
        max_ssf: info.max_ssf,
        security_flags: info.security.bits(),
        features: info.features.bits(),
        glob_context: ptr::null_mut(),
        mech_new: None,
        mech_step: None,
        mech_dispose: None,
        mech_free: None,
        setpass: setpass.then_some(has_setpass as _),
        user_query: None,
        idle: None,
        mech_avail: None,
        spare_fptr2: None,
    }
}

/// Tells about client mechanisms.
///
/// # Safety
/// As [`sasl_server_plugin_info`].
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_client_plugin_info(
    mech_list: *const c_char,
    info_cb: Option<ClientInfo>,
    rock: *mut c_void,
) -> c_int {
    // SAFETY: saslplug.h: see above.
    let list = unsafe { arg::text(mech_list) };
    edge::guard(Code::FAIL.0, || {
        if !library::is_active(Side::Client) {
            return Code::NOTINIT.0;
        }
        let tell = |mechanism: *mut client_sasl_mechanism_t, stage| {
            if let Some(callback) = info_cb {
                // SAFETY: saslplug.h: see above; the structure lives for the call.
                unsafe { callback(mechanism, stage, rock) }
            } else if stage == LIST_START {
                print("List of client plugins follows\n");
            }
        };
        tell(ptr::null_mut(), LIST_START);
        for mechanism in library::current().client_mechs().iter() {
            let info = mechanism.info();
            if !listed(list, &info.name) {
                continue;
            }
            let shown = Shown::new(info, mechanism.source(), mechanism.required_prompts());
            let plug = client_plug(info, &shown);
            let mut entry = client_sasl_mechanism_t {
                version: SASL_CLIENT_PLUG_VERSION,
                plugname: shown.source.as_ptr().cast_mut(),
                plug: &plug,
            };
            match info_cb {
                Some(_) => tell(&mut entry, LIST_MECH),
                None => print_mechanism(info, mechanism.source(), ""),
            }
        }
        tell(ptr::null_mut(), LIST_END);
        Code::OK.0
    })
}

fn client_plug(info: &MechInfo, shown: &Shown) -> sasl_client_plug_t {
    sasl_client_plug_t {
        mech_name: shown.name.as_ptr(),
        max_ssf: info.max_ssf,
        security_flags: info.security.bits(),
        features: info.features.bits(),
        required_prompts: shown.required_prompts(),
        glob_context: ptr::null_mut(),
        mech_new: None,
        mech_step: None,
        mech_dispose: None,
        mech_free: None,
        idle: None,
        spare_fptr1: None,
        spare_fptr2: None,
    }
}

/// Stands for a store function: programs look whether there is one.
unsafe extern "C" fn has_store(
    _: *mut c_void,
    _: *mut sasl_server_params_t,
    _: *mut propctx,
    _: *const c_char,
    _: c_uint,
) -> c_int {
    Code::FAIL.0
}

/// Tells about property stores.
///
/// # Safety
/// As [`sasl_server_plugin_info`].
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn auxprop_plugin_info(
    mech_list: *const c_char,
    info_cb: Option<AuxpropInfo>,
    rock: *mut c_void,
) -> c_int {
    // SAFETY: saslplug.h: see above.
    let list = unsafe { arg::text(mech_list) };
    edge::guard(Code::FAIL.0, || {
        let tell = |plug: *mut sasl_auxprop_plug_t, stage| {
            if let Some(callback) = info_cb {
                // SAFETY: saslplug.h: see above; the structure lives for the call.
                unsafe { callback(plug, stage, rock) }
            } else if stage == LIST_START {
                print("List of auxprop plugins follows\n");
            }
        };
        let providers = library::current().stores();
        if providers.is_empty() {
            return Code::NOTINIT.0;
        }
        tell(ptr::null_mut(), LIST_START);
        for provider in in_order(list, providers) {
            let name = provider.name();
            let text = name.to_string_lossy();
            let mut plug = sasl_auxprop_plug_t {
                features: 0,
                spare_int1: 0,
                glob_context: ptr::null_mut(),
                auxprop_free: None,
                auxprop_lookup: None,
                name: name.as_ptr().cast_mut(),
                auxprop_store: provider.stores().then_some(has_store as _),
            };
            if info_cb.is_some() {
                tell(&mut plug, LIST_MECH);
            } else {
                let stores = if provider.stores() { "yes" } else { "no" };
                print(&format!(
                    "Plugin \"{text}\" , \tAPI version: {SASL_AUXPROP_PLUG_VERSION}\n\tsupports store: {stores}\n\n"
                ));
            }
        }
        tell(ptr::null_mut(), LIST_END);
        Code::OK.0
    })
}

symver!(
    sasl_server_plugin_info,
    sasl_client_plugin_info,
    auxprop_plugin_info
);
