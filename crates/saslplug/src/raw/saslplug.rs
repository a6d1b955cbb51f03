// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mirror of `saslplug.h`, with this project's extension for verification.

use super::*;
use core::ffi::{c_char, c_int, c_uchar, c_uint, c_ulong, c_void};

/// `MD5_CTX` of `md5.h`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MD5_CTX {
    pub state: [u32; 4],
    pub count: [u32; 2],
    pub buffer: [u8; 64],
}

/// `HMAC_MD5_CTX` of `hmac-md5.h`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HMAC_MD5_CTX {
    pub ictx: MD5_CTX,
    pub octx: MD5_CTX,
}

/// `HMAC_MD5_STATE` of `hmac-md5.h`: big-endian, kept in old databases.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HMAC_MD5_STATE {
    pub istate: [u32; 4],
    pub ostate: [u32; 4],
}

pub const SASL_UTILS_VERSION: c_int = 4;
pub const SASL_CLIENT_PLUG_VERSION: c_int = 4;
pub const SASL_SERVER_PLUG_VERSION: c_int = 4;
pub const SASL_CANONUSER_PLUG_VERSION: c_int = 5;
pub const SASL_AUXPROP_PLUG_VERSION: c_int = 8;
/// Extension of this project.
pub const SASL_AUXPROP_VERIFY_PLUG_VERSION: c_int = 1;

pub const SASL_AUXPROP_OVERRIDE: c_uint = 1;
pub const SASL_AUXPROP_AUTHZID: c_uint = 2;
pub const SASL_AUXPROP_VERIFY_AGAINST_HASH: c_uint = 0x10;

/// Bit of `sasl_auxprop_plug_t.features` (extension): the file also has the
/// entry `sasl_auxprop_verify_plug_init`.
pub const SASL_AUXPROP_FEAT_VERIFY: c_int = 0x1;

pub const SASL_FEAT_NEEDSERVERFQDN: c_uint = 1;
pub const SASL_FEAT_WANT_CLIENT_FIRST: c_uint = 2;
pub const SASL_FEAT_SERVER_FIRST: c_uint = 0x10;
pub const SASL_FEAT_ALLOWS_PROXY: c_uint = 0x20;
pub const SASL_FEAT_DONTUSE_USERPASSWD: c_uint = 0x80;
pub const SASL_FEAT_GSS_FRAMING: c_uint = 0x100;
pub const SASL_FEAT_SERVICE: c_uint = 0x200;
pub const SASL_FEAT_GETSECRET: c_uint = 0x400;
pub const SASL_FEAT_CHANNEL_BINDING: c_uint = 0x800;
pub const SASL_FEAT_SUPPORTS_HTTP: c_uint = 0x1000;

pub type sasl_getcallback_t = unsafe extern "C" fn(
    conn: *mut sasl_conn_t,
    callbacknum: c_ulong,
    pproc: *mut sasl_callback_ft,
    pcontext: *mut *mut c_void,
) -> c_int;

/// The functions a plugin may call (`sasl_utils_t`).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sasl_utils_t {
    pub version: c_int,
    pub conn: *mut sasl_conn_t,
    pub rpool: *mut sasl_rand_t,
    pub getopt_context: *mut c_void,
    pub getopt: Option<sasl_getopt_t>,
    pub malloc: sasl_malloc_t,
    pub calloc: sasl_calloc_t,
    pub realloc: sasl_realloc_t,
    pub free: sasl_free_t,
    pub mutex_alloc: sasl_mutex_alloc_t,
    pub mutex_lock: sasl_mutex_lock_t,
    pub mutex_unlock: sasl_mutex_unlock_t,
    pub mutex_free: sasl_mutex_free_t,
    pub MD5Init: Option<unsafe extern "C" fn(*mut MD5_CTX)>,
    pub MD5Update: Option<unsafe extern "C" fn(*mut MD5_CTX, *const c_uchar, c_uint)>,
    pub MD5Final: Option<unsafe extern "C" fn(*mut c_uchar, *mut MD5_CTX)>,
    pub hmac_md5:
        Option<unsafe extern "C" fn(*const c_uchar, c_int, *const c_uchar, c_int, *mut c_uchar)>,
    pub hmac_md5_init: Option<unsafe extern "C" fn(*mut HMAC_MD5_CTX, *const c_uchar, c_int)>,
    pub hmac_md5_final: Option<unsafe extern "C" fn(*mut c_uchar, *mut HMAC_MD5_CTX)>,
    pub hmac_md5_precalc: Option<unsafe extern "C" fn(*mut HMAC_MD5_STATE, *const c_uchar, c_int)>,
    pub hmac_md5_import: Option<unsafe extern "C" fn(*mut HMAC_MD5_CTX, *mut HMAC_MD5_STATE)>,
    pub mkchal:
        Option<unsafe extern "C" fn(*mut sasl_conn_t, *mut c_char, c_uint, c_uint) -> c_int>,
    pub utf8verify: Option<unsafe extern "C" fn(*const c_char, c_uint) -> c_int>,
    pub rand: Option<unsafe extern "C" fn(*mut sasl_rand_t, *mut c_char, c_uint)>,
    pub churn: Option<unsafe extern "C" fn(*mut sasl_rand_t, *const c_char, c_uint)>,
    pub checkpass: Option<
        unsafe extern "C" fn(
            *mut sasl_conn_t,
            *const c_char,
            c_uint,
            *const c_char,
            c_uint,
        ) -> c_int,
    >,
    pub decode64: Option<
        unsafe extern "C" fn(*const c_char, c_uint, *mut c_char, c_uint, *mut c_uint) -> c_int,
    >,
    pub encode64: Option<
        unsafe extern "C" fn(*const c_char, c_uint, *mut c_char, c_uint, *mut c_uint) -> c_int,
    >,
    pub erasebuffer: Option<unsafe extern "C" fn(*mut c_char, c_uint)>,
    pub getprop: Option<unsafe extern "C" fn(*mut sasl_conn_t, c_int, *mut *const c_void) -> c_int>,
    pub setprop: Option<unsafe extern "C" fn(*mut sasl_conn_t, c_int, *const c_void) -> c_int>,
    pub getcallback: Option<sasl_getcallback_t>,
    pub log: Option<unsafe extern "C" fn(*mut sasl_conn_t, c_int, *const c_char, ...)>,
    pub seterror: Option<unsafe extern "C" fn(*mut sasl_conn_t, c_uint, *const c_char, ...)>,
    pub spare_fptr: Option<unsafe extern "C" fn() -> c_int>,
    pub prop_new: Option<unsafe extern "C" fn(c_uint) -> *mut propctx>,
    pub prop_dup: Option<unsafe extern "C" fn(*mut propctx, *mut *mut propctx) -> c_int>,
    pub prop_request: Option<unsafe extern "C" fn(*mut propctx, *mut *const c_char) -> c_int>,
    pub prop_get: Option<unsafe extern "C" fn(*mut propctx) -> *const propval>,
    pub prop_getnames:
        Option<unsafe extern "C" fn(*mut propctx, *mut *const c_char, *mut propval) -> c_int>,
    pub prop_clear: Option<unsafe extern "C" fn(*mut propctx, c_int)>,
    pub prop_dispose: Option<unsafe extern "C" fn(*mut *mut propctx)>,
    pub prop_format: Option<
        unsafe extern "C" fn(
            *mut propctx,
            *const c_char,
            c_int,
            *mut c_char,
            c_uint,
            *mut c_uint,
        ) -> c_int,
    >,
    pub prop_set:
        Option<unsafe extern "C" fn(*mut propctx, *const c_char, *const c_char, c_int) -> c_int>,
    pub prop_setvals:
        Option<unsafe extern "C" fn(*mut propctx, *const c_char, *mut *const c_char) -> c_int>,
    pub prop_erase: Option<unsafe extern "C" fn(*mut propctx, *const c_char)>,
    pub auxprop_store:
        Option<unsafe extern "C" fn(*mut sasl_conn_t, *mut propctx, *const c_char) -> c_int>,
    pub spare_fptr1: Option<unsafe extern "C" fn() -> c_int>,
    pub spare_fptr2: Option<unsafe extern "C" fn() -> c_int>,
}

pub type sasl_encode_fn = unsafe extern "C" fn(
    context: *mut c_void,
    invec: *const libc::iovec,
    numiov: c_uint,
    output: *mut *const c_char,
    outputlen: *mut c_uint,
) -> c_int;
pub type sasl_decode_fn = unsafe extern "C" fn(
    context: *mut c_void,
    input: *const c_char,
    inputlen: c_uint,
    output: *mut *const c_char,
    outputlen: *mut c_uint,
) -> c_int;

/// What a mechanism reports (`sasl_out_params_t`).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sasl_out_params_t {
    pub doneflag: c_uint,
    pub user: *const c_char,
    pub authid: *const c_char,
    pub ulen: c_uint,
    pub alen: c_uint,
    pub maxoutbuf: c_uint,
    pub mech_ssf: sasl_ssf_t,
    pub encode_context: *mut c_void,
    pub encode: Option<sasl_encode_fn>,
    pub decode_context: *mut c_void,
    pub decode: Option<sasl_decode_fn>,
    pub client_creds: *mut c_void,
    pub gss_peer_name: *const c_void,
    pub gss_local_name: *const c_void,
    pub cbindingname: *const c_char,
    pub spare_fptr1: Option<unsafe extern "C" fn() -> c_int>,
    pub spare_fptr2: Option<unsafe extern "C" fn() -> c_int>,
    pub cbindingdisp: c_uint,
    pub spare_int2: c_int,
    pub spare_int3: c_int,
    pub spare_int4: c_int,
    pub param_version: c_int,
}

pub type sasl_client_canon_user_t = unsafe extern "C" fn(
    conn: *mut sasl_conn_t,
    in_: *const c_char,
    len: c_uint,
    flags: c_uint,
    oparams: *mut sasl_out_params_t,
) -> c_int;
pub type sasl_server_canon_user_t = sasl_client_canon_user_t;

/// What a client mechanism learns (`sasl_client_params_t`).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sasl_client_params_t {
    pub service: *const c_char,
    pub serverFQDN: *const c_char,
    pub clientFQDN: *const c_char,
    pub utils: *const sasl_utils_t,
    pub prompt_supp: *const sasl_callback_t,
    pub iplocalport: *const c_char,
    pub ipremoteport: *const c_char,
    pub servicelen: c_uint,
    pub slen: c_uint,
    pub clen: c_uint,
    pub iploclen: c_uint,
    pub ipremlen: c_uint,
    pub props: sasl_security_properties_t,
    pub external_ssf: sasl_ssf_t,
    pub gss_creds: *const c_void,
    pub cbinding: *const sasl_channel_binding_t,
    pub http_request: *const sasl_http_request_t,
    pub spare_ptr4: *mut c_void,
    pub canon_user: Option<sasl_client_canon_user_t>,
    pub spare_fptr1: Option<unsafe extern "C" fn() -> c_int>,
    pub cbindingdisp: c_uint,
    pub log_level: c_int,
    pub spare_int3: c_int,
    pub flags: c_uint,
    pub param_version: c_int,
}

/// What a server mechanism or an auxprop plugin learns (`sasl_server_params_t`).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sasl_server_params_t {
    pub service: *const c_char,
    pub appname: *const c_char,
    pub serverFQDN: *const c_char,
    pub user_realm: *const c_char,
    pub iplocalport: *const c_char,
    pub ipremoteport: *const c_char,
    pub servicelen: c_uint,
    pub applen: c_uint,
    pub slen: c_uint,
    pub urlen: c_uint,
    pub iploclen: c_uint,
    pub ipremlen: c_uint,
    pub log_level: c_int,
    pub utils: *const sasl_utils_t,
    pub callbacks: *const sasl_callback_t,
    pub props: sasl_security_properties_t,
    pub external_ssf: sasl_ssf_t,
    pub transition: Option<
        unsafe extern "C" fn(conn: *mut sasl_conn_t, pass: *const c_char, passlen: c_uint) -> c_int,
    >,
    pub canon_user: Option<sasl_server_canon_user_t>,
    pub propctx: *mut propctx,
    pub gss_creds: *const c_void,
    pub cbinding: *const sasl_channel_binding_t,
    pub http_request: *const sasl_http_request_t,
    pub spare_ptr4: *mut c_void,
    pub spare_fptr1: Option<unsafe extern "C" fn() -> c_int>,
    pub spare_fptr2: Option<unsafe extern "C" fn() -> c_int>,
    pub spare_int1: c_int,
    pub spare_int2: c_int,
    pub spare_int3: c_int,
    pub flags: c_uint,
    pub param_version: c_int,
}

/// A client mechanism (`sasl_client_plug_t`).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sasl_client_plug_t {
    pub mech_name: *const c_char,
    pub max_ssf: sasl_ssf_t,
    pub security_flags: c_uint,
    pub features: c_uint,
    pub required_prompts: *const c_ulong,
    pub glob_context: *mut c_void,
    pub mech_new: Option<
        unsafe extern "C" fn(*mut c_void, *mut sasl_client_params_t, *mut *mut c_void) -> c_int,
    >,
    pub mech_step: Option<
        unsafe extern "C" fn(
            *mut c_void,
            *mut sasl_client_params_t,
            *const c_char,
            c_uint,
            *mut *mut sasl_interact_t,
            *mut *const c_char,
            *mut c_uint,
            *mut sasl_out_params_t,
        ) -> c_int,
    >,
    pub mech_dispose: Option<unsafe extern "C" fn(*mut c_void, *const sasl_utils_t)>,
    pub mech_free: Option<unsafe extern "C" fn(*mut c_void, *const sasl_utils_t)>,
    pub idle:
        Option<unsafe extern "C" fn(*mut c_void, *mut c_void, *mut sasl_client_params_t) -> c_int>,
    pub spare_fptr1: Option<unsafe extern "C" fn() -> c_int>,
    pub spare_fptr2: Option<unsafe extern "C" fn() -> c_int>,
}

/// A server mechanism (`sasl_server_plug_t`).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sasl_server_plug_t {
    pub mech_name: *const c_char,
    pub max_ssf: sasl_ssf_t,
    pub security_flags: c_uint,
    pub features: c_uint,
    pub glob_context: *mut c_void,
    pub mech_new: Option<
        unsafe extern "C" fn(
            *mut c_void,
            *mut sasl_server_params_t,
            *const c_char,
            c_uint,
            *mut *mut c_void,
        ) -> c_int,
    >,
    pub mech_step: Option<
        unsafe extern "C" fn(
            *mut c_void,
            *mut sasl_server_params_t,
            *const c_char,
            c_uint,
            *mut *const c_char,
            *mut c_uint,
            *mut sasl_out_params_t,
        ) -> c_int,
    >,
    pub mech_dispose: Option<unsafe extern "C" fn(*mut c_void, *const sasl_utils_t)>,
    pub mech_free: Option<unsafe extern "C" fn(*mut c_void, *const sasl_utils_t)>,
    pub setpass: Option<
        unsafe extern "C" fn(
            *mut c_void,
            *mut sasl_server_params_t,
            *const c_char,
            *const c_char,
            c_uint,
            *const c_char,
            c_uint,
            c_uint,
        ) -> c_int,
    >,
    pub user_query: Option<
        unsafe extern "C" fn(
            *mut c_void,
            *mut sasl_server_params_t,
            *const c_char,
            c_int,
            *mut *const c_char,
        ) -> c_int,
    >,
    pub idle:
        Option<unsafe extern "C" fn(*mut c_void, *mut c_void, *mut sasl_server_params_t) -> c_int>,
    pub mech_avail: Option<
        unsafe extern "C" fn(*mut c_void, *mut sasl_server_params_t, *mut *mut c_void) -> c_int,
    >,
    pub spare_fptr2: Option<unsafe extern "C" fn() -> c_int>,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct client_sasl_mechanism_t {
    pub version: c_int,
    pub plugname: *mut c_char,
    pub plug: *const sasl_client_plug_t,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct server_sasl_mechanism_t {
    pub version: c_int,
    pub condition: c_int,
    pub plugname: *mut c_char,
    pub plug: *const sasl_server_plug_t,
    pub f: *mut c_char,
}

/// A canonicaliser (`sasl_canonuser_plug_t`).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sasl_canonuser_plug_t {
    pub features: c_int,
    pub spare_int1: c_int,
    pub glob_context: *mut c_void,
    pub name: *const c_char,
    pub canon_user_free: Option<unsafe extern "C" fn(*mut c_void, *const sasl_utils_t)>,
    pub canon_user_server: Option<
        unsafe extern "C" fn(
            *mut c_void,
            *mut sasl_server_params_t,
            *const c_char,
            c_uint,
            c_uint,
            *mut c_char,
            c_uint,
            *mut c_uint,
        ) -> c_int,
    >,
    pub canon_user_client: Option<
        unsafe extern "C" fn(
            *mut c_void,
            *mut sasl_client_params_t,
            *const c_char,
            c_uint,
            c_uint,
            *mut c_char,
            c_uint,
            *mut c_uint,
        ) -> c_int,
    >,
    pub spare_fptr1: Option<unsafe extern "C" fn() -> c_int>,
    pub spare_fptr2: Option<unsafe extern "C" fn() -> c_int>,
    pub spare_fptr3: Option<unsafe extern "C" fn() -> c_int>,
}

/// An auxiliary property store (`sasl_auxprop_plug_t`).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sasl_auxprop_plug_t {
    pub features: c_int,
    pub spare_int1: c_int,
    pub glob_context: *mut c_void,
    pub auxprop_free: Option<unsafe extern "C" fn(*mut c_void, *const sasl_utils_t)>,
    pub auxprop_lookup: Option<
        unsafe extern "C" fn(
            *mut c_void,
            *mut sasl_server_params_t,
            c_uint,
            *const c_char,
            c_uint,
        ) -> c_int,
    >,
    pub name: *mut c_char,
    pub auxprop_store: Option<
        unsafe extern "C" fn(
            *mut c_void,
            *mut sasl_server_params_t,
            *mut propctx,
            *const c_char,
            c_uint,
        ) -> c_int,
    >,
}

/// A verifier that belongs to an auxprop plugin (extension of this project).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sasl_auxprop_verify_plug_t {
    /// 0.
    pub features: c_int,
    pub spare_int1: c_int,
    pub glob_context: *mut c_void,
    /// Name of the auxprop plugin.
    pub name: *const c_char,
    pub verify_free: Option<unsafe extern "C" fn(*mut c_void, *const sasl_utils_t)>,
    /// OK = the password is right. Called with the canonical name.
    pub verify: Option<
        unsafe extern "C" fn(
            glob_context: *mut c_void,
            sparams: *mut sasl_server_params_t,
            flags: c_uint,
            user: *const c_char,
            ulen: c_uint,
            pass: *const c_char,
            passlen: c_uint,
        ) -> c_int,
    >,
    /// 1: the store may show a password to mechanisms; 0: it never does.
    pub shows_secrets:
        Option<unsafe extern "C" fn(*mut c_void, *mut sasl_server_params_t) -> c_int>,
    pub spare_fptr1: Option<unsafe extern "C" fn() -> c_int>,
    pub spare_fptr2: Option<unsafe extern "C" fn() -> c_int>,
}

pub type sasl_server_plug_init_t = unsafe extern "C" fn(
    utils: *const sasl_utils_t,
    max_version: c_int,
    out_version: *mut c_int,
    pluglist: *mut *mut sasl_server_plug_t,
    plugcount: *mut c_int,
) -> c_int;
pub type sasl_client_plug_init_t = unsafe extern "C" fn(
    utils: *const sasl_utils_t,
    max_version: c_int,
    out_version: *mut c_int,
    pluglist: *mut *mut sasl_client_plug_t,
    plugcount: *mut c_int,
) -> c_int;
pub type sasl_canonuser_init_t = unsafe extern "C" fn(
    utils: *const sasl_utils_t,
    max_version: c_int,
    out_version: *mut c_int,
    plug: *mut *mut sasl_canonuser_plug_t,
    plugname: *const c_char,
) -> c_int;
pub type sasl_auxprop_init_t = unsafe extern "C" fn(
    utils: *const sasl_utils_t,
    max_version: c_int,
    out_version: *mut c_int,
    plug: *mut *mut sasl_auxprop_plug_t,
    plugname: *const c_char,
) -> c_int;
/// Type of the entry `sasl_auxprop_verify_plug_init` (extension).
pub type sasl_auxprop_verify_init_t = unsafe extern "C" fn(
    utils: *const sasl_utils_t,
    max_version: c_int,
    out_version: *mut c_int,
    plug: *mut *mut sasl_auxprop_verify_plug_t,
    plugname: *const c_char,
) -> c_int;
