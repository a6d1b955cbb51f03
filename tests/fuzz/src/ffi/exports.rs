// SPDX-License-Identifier: MIT OR Apache-2.0
//! Functions of sasl.h and saslplug.h, as the header declares them.

use core::ffi::{c_char, c_int, c_uint, c_void};
use saslplug::raw::{sasl_callback_t, sasl_conn_t};

unsafe extern "C" {
    pub(super) fn sasl_server_init(callbacks: *const sasl_callback_t, name: *const c_char)
    -> c_int;
    pub(super) fn sasl_client_init(callbacks: *const sasl_callback_t) -> c_int;
    pub(super) fn sasl_auxprop_add_plugin(name: *const c_char, init: *const c_void) -> c_int;
    pub(super) fn sasl_server_new(
        service: *const c_char,
        host: *const c_char,
        realm: *const c_char,
        local: *const c_char,
        remote: *const c_char,
        callbacks: *const sasl_callback_t,
        flags: c_uint,
        conn: *mut *mut sasl_conn_t,
    ) -> c_int;
    pub(super) fn sasl_client_new(
        service: *const c_char,
        host: *const c_char,
        local: *const c_char,
        remote: *const c_char,
        callbacks: *const sasl_callback_t,
        flags: c_uint,
        conn: *mut *mut sasl_conn_t,
    ) -> c_int;
    pub(super) fn sasl_server_start(
        conn: *mut sasl_conn_t,
        mech: *const c_char,
        input: *const c_char,
        len: c_uint,
        out: *mut *const c_char,
        out_len: *mut c_uint,
    ) -> c_int;
    pub(super) fn sasl_server_step(
        conn: *mut sasl_conn_t,
        input: *const c_char,
        len: c_uint,
        out: *mut *const c_char,
        out_len: *mut c_uint,
    ) -> c_int;
    pub(super) fn sasl_client_start(
        conn: *mut sasl_conn_t,
        mechs: *const c_char,
        prompts: *mut c_void,
        out: *mut *const c_char,
        out_len: *mut c_uint,
        mech: *mut *const c_char,
    ) -> c_int;
    pub(super) fn sasl_client_step(
        conn: *mut sasl_conn_t,
        input: *const c_char,
        len: c_uint,
        prompts: *mut c_void,
        out: *mut *const c_char,
        out_len: *mut c_uint,
    ) -> c_int;
    pub(super) fn sasl_checkpass(
        conn: *mut sasl_conn_t,
        user: *const c_char,
        len: c_uint,
        pass: *const c_char,
        pass_len: c_uint,
    ) -> c_int;
    pub(super) fn sasl_encode(
        conn: *mut sasl_conn_t,
        input: *const c_char,
        len: c_uint,
        out: *mut *const c_char,
        out_len: *mut c_uint,
    ) -> c_int;
    pub(super) fn sasl_decode(
        conn: *mut sasl_conn_t,
        input: *const c_char,
        len: c_uint,
        out: *mut *const c_char,
        out_len: *mut c_uint,
    ) -> c_int;
    pub(super) fn sasl_getprop(
        conn: *mut sasl_conn_t,
        number: c_int,
        value: *mut *const c_void,
    ) -> c_int;
    pub(super) fn sasl_setprop(
        conn: *mut sasl_conn_t,
        number: c_int,
        value: *const c_void,
    ) -> c_int;
    pub(super) fn sasl_listmech(
        conn: *mut sasl_conn_t,
        user: *const c_char,
        prefix: *const c_char,
        sep: *const c_char,
        suffix: *const c_char,
        out: *mut *const c_char,
        len: *mut c_uint,
        count: *mut c_int,
    ) -> c_int;
    pub(super) fn sasl_errdetail(conn: *mut sasl_conn_t) -> *const c_char;
    pub(super) fn sasl_dispose(conn: *mut *mut sasl_conn_t);
}
