// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mirror of `sasl.h`: structures, callback types and constants.

use super::propctx;
use core::ffi::{c_char, c_int, c_uchar, c_uint, c_ulong, c_void};

/// Opaque: a connection.
#[repr(C)]
#[derive(Debug)]
pub struct sasl_conn_t {
    _opaque: [u8; 0],
}

pub type sasl_ssf_t = c_uint;

#[repr(C)]
#[derive(Debug)]
pub struct sasl_secret_t {
    pub len: c_ulong,
    pub data: [c_uchar; 1],
}

/// Opaque: a random pool.
#[repr(C)]
#[derive(Debug)]
pub struct sasl_rand_t {
    _opaque: [u8; 0],
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sasl_security_properties_t {
    pub min_ssf: sasl_ssf_t,
    pub max_ssf: sasl_ssf_t,
    pub maxbufsize: c_uint,
    pub security_flags: c_uint,
    pub property_names: *mut *const c_char,
    pub property_values: *mut *const c_char,
}

pub type sasl_callback_ft = Option<unsafe extern "C" fn() -> c_int>;

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sasl_callback_t {
    pub id: c_ulong,
    pub proc_: sasl_callback_ft,
    pub context: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sasl_interact_t {
    pub id: c_ulong,
    pub challenge: *const c_char,
    pub prompt: *const c_char,
    pub defresult: *const c_char,
    pub result: *const c_void,
    pub len: c_uint,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sasl_channel_binding_t {
    pub name: *const c_char,
    pub critical: c_int,
    pub len: c_ulong,
    pub data: *const c_uchar,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sasl_http_request_t {
    pub method: *const c_char,
    pub uri: *const c_char,
    pub entity: *const c_uchar,
    pub elen: c_ulong,
    pub non_persist: c_uint,
}

// Callback types (sasl.h "callbacks"). Each takes the context registered with it.
pub type sasl_malloc_t = Option<unsafe extern "C" fn(usize) -> *mut c_void>;
pub type sasl_calloc_t = Option<unsafe extern "C" fn(usize, usize) -> *mut c_void>;
pub type sasl_realloc_t = Option<unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void>;
pub type sasl_free_t = Option<unsafe extern "C" fn(*mut c_void)>;
pub type sasl_mutex_alloc_t = Option<unsafe extern "C" fn() -> *mut c_void>;
pub type sasl_mutex_lock_t = Option<unsafe extern "C" fn(*mut c_void) -> c_int>;
pub type sasl_mutex_unlock_t = Option<unsafe extern "C" fn(*mut c_void) -> c_int>;
pub type sasl_mutex_free_t = Option<unsafe extern "C" fn(*mut c_void)>;

pub type sasl_getopt_t = unsafe extern "C" fn(
    context: *mut c_void,
    plugin_name: *const c_char,
    option: *const c_char,
    result: *mut *const c_char,
    len: *mut c_uint,
) -> c_int;
pub type sasl_log_t =
    unsafe extern "C" fn(context: *mut c_void, level: c_int, message: *const c_char) -> c_int;
pub type sasl_getpath_t =
    unsafe extern "C" fn(context: *mut c_void, path: *mut *const c_char) -> c_int;
pub type sasl_getconfpath_t =
    unsafe extern "C" fn(context: *mut c_void, path: *mut *mut c_char) -> c_int;
pub type sasl_verifyfile_t =
    unsafe extern "C" fn(context: *mut c_void, file: *const c_char, type_: c_uint) -> c_int;
pub type sasl_getsimple_t = unsafe extern "C" fn(
    context: *mut c_void,
    id: c_int,
    result: *mut *const c_char,
    len: *mut c_uint,
) -> c_int;
pub type sasl_getsecret_t = unsafe extern "C" fn(
    conn: *mut sasl_conn_t,
    context: *mut c_void,
    id: c_int,
    psecret: *mut *mut sasl_secret_t,
) -> c_int;
pub type sasl_chalprompt_t = unsafe extern "C" fn(
    context: *mut c_void,
    id: c_int,
    challenge: *const c_char,
    prompt: *const c_char,
    defresult: *const c_char,
    result: *mut *const c_char,
    len: *mut c_uint,
) -> c_int;
pub type sasl_getrealm_t = unsafe extern "C" fn(
    context: *mut c_void,
    id: c_int,
    availrealms: *mut *const c_char,
    result: *mut *const c_char,
) -> c_int;
pub type sasl_authorize_t = unsafe extern "C" fn(
    conn: *mut sasl_conn_t,
    context: *mut c_void,
    requested_user: *const c_char,
    rlen: c_uint,
    auth_identity: *const c_char,
    alen: c_uint,
    def_realm: *const c_char,
    urlen: c_uint,
    propctx: *mut propctx,
) -> c_int;
pub type sasl_server_userdb_checkpass_t = unsafe extern "C" fn(
    conn: *mut sasl_conn_t,
    context: *mut c_void,
    user: *const c_char,
    pass: *const c_char,
    passlen: c_uint,
    propctx: *mut propctx,
) -> c_int;
pub type sasl_server_userdb_setpass_t = unsafe extern "C" fn(
    conn: *mut sasl_conn_t,
    context: *mut c_void,
    user: *const c_char,
    pass: *const c_char,
    passlen: c_uint,
    propctx: *mut propctx,
    flags: c_uint,
) -> c_int;
pub type sasl_canon_user_t = unsafe extern "C" fn(
    conn: *mut sasl_conn_t,
    context: *mut c_void,
    in_: *const c_char,
    inlen: c_uint,
    flags: c_uint,
    user_realm: *const c_char,
    out: *mut c_char,
    out_max: c_uint,
    out_len: *mut c_uint,
) -> c_int;

pub const SASL_SUCCESS_DATA: c_uint = 4;
pub const SASL_NEED_PROXY: c_uint = 8;
pub const SASL_NEED_HTTP: c_uint = 0x10;

pub const SASL_SEC_NOPLAINTEXT: c_uint = 1;
pub const SASL_SEC_NOACTIVE: c_uint = 2;
pub const SASL_SEC_NODICTIONARY: c_uint = 4;
pub const SASL_SEC_FORWARD_SECRECY: c_uint = 8;
pub const SASL_SEC_NOANONYMOUS: c_uint = 0x10;
pub const SASL_SEC_PASS_CREDENTIALS: c_uint = 0x20;
pub const SASL_SEC_MUTUAL_AUTH: c_uint = 0x40;
pub const SASL_SEC_MAXIMUM: c_uint = 0xffff;

pub const SASL_CB_LIST_END: c_ulong = 0;
pub const SASL_CB_GETOPT: c_ulong = 1;
pub const SASL_CB_LOG: c_ulong = 2;
pub const SASL_CB_GETPATH: c_ulong = 3;
pub const SASL_CB_VERIFYFILE: c_ulong = 4;
pub const SASL_CB_GETCONFPATH: c_ulong = 5;
pub const SASL_CB_USER: c_ulong = 0x4001;
pub const SASL_CB_AUTHNAME: c_ulong = 0x4002;
pub const SASL_CB_LANGUAGE: c_ulong = 0x4003;
pub const SASL_CB_PASS: c_ulong = 0x4004;
pub const SASL_CB_ECHOPROMPT: c_ulong = 0x4005;
pub const SASL_CB_NOECHOPROMPT: c_ulong = 0x4006;
pub const SASL_CB_CNONCE: c_ulong = 0x4007;
pub const SASL_CB_GETREALM: c_ulong = 0x4008;
pub const SASL_CB_PROXY_POLICY: c_ulong = 0x8001;
pub const SASL_CB_SERVER_USERDB_CHECKPASS: c_ulong = 0x8005;
pub const SASL_CB_SERVER_USERDB_SETPASS: c_ulong = 0x8006;
pub const SASL_CB_CANON_USER: c_ulong = 0x8007;
pub const SASL_CB_SERVER_CHANNEL_BINDING: c_ulong = 0x8008;

pub const SASL_VRFY_PLUGIN: c_uint = 0;
pub const SASL_VRFY_CONF: c_uint = 1;
pub const SASL_VRFY_PASSWD: c_uint = 2;
pub const SASL_VRFY_OTHER: c_uint = 3;

pub const SASL_NOLOG: c_uint = 1;

pub const SASL_CU_NONE: c_uint = 0;
pub const SASL_CU_AUTHID: c_uint = 1;
pub const SASL_CU_AUTHZID: c_uint = 2;
pub const SASL_CU_EXTERNALLY_VERIFIED: c_uint = 4;
pub const SASL_CU_OVERRIDE: c_uint = 8;
pub const SASL_CU_ASIS_MASK: c_uint = 0xfff0;
pub const SASL_CU_VERIFY_AGAINST_HASH: c_uint = 0x10;

pub const SASL_SET_CREATE: c_uint = 1;
pub const SASL_SET_DISABLE: c_uint = 2;
pub const SASL_SET_NOPLAIN: c_uint = 4;
pub const SASL_SET_CURMECH_ONLY: c_uint = 8;

pub const SASL_USERNAME: c_int = 0;
pub const SASL_SSF: c_int = 1;
pub const SASL_MAXOUTBUF: c_int = 2;
pub const SASL_DEFUSERREALM: c_int = 3;
pub const SASL_GETOPTCTX: c_int = 4;
pub const SASL_CALLBACK: c_int = 7;
pub const SASL_IPLOCALPORT: c_int = 8;
pub const SASL_IPREMOTEPORT: c_int = 9;
pub const SASL_PLUGERR: c_int = 10;
pub const SASL_DELEGATEDCREDS: c_int = 11;
pub const SASL_SERVICE: c_int = 12;
pub const SASL_SERVERFQDN: c_int = 13;
pub const SASL_AUTHSOURCE: c_int = 14;
pub const SASL_MECHNAME: c_int = 15;
pub const SASL_AUTHUSER: c_int = 16;
pub const SASL_APPNAME: c_int = 17;
pub const SASL_GSS_CREDS: c_int = 18;
pub const SASL_GSS_PEER_NAME: c_int = 19;
pub const SASL_GSS_LOCAL_NAME: c_int = 20;
pub const SASL_CHANNEL_BINDING: c_int = 21;
pub const SASL_HTTP_REQUEST: c_int = 22;
pub const SASL_SSF_EXTERNAL: c_int = 100;
pub const SASL_SEC_PROPS: c_int = 101;
pub const SASL_AUTH_EXTERNAL: c_int = 102;

pub const SASL_PATH_TYPE_PLUGIN: c_int = 0;
pub const SASL_PATH_TYPE_CONFIG: c_int = 1;

pub const SASL_MECHNAMEMAX: usize = 20;
