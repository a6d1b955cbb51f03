// SPDX-License-Identifier: MIT OR Apache-2.0
//! sasl.h, "server": sasl_setpass and sasl_checkapop.

use crate::ffi::conn::Conn;
use crate::ffi::{arg, edge};
use crate::library::{self, Side};
use crate::{md5, setpass};
use core::ffi::{c_char, c_int, c_uint};
use saslplug::raw::sasl_conn_t;
use saslplug::{Code, Error, Identity, Result, Secret};

/// Sets, changes or removes a user's password.
///
/// # Safety
/// - `conn`: NULL or a live connection
/// - `user`: NULL or a string
/// - `pass`, `oldpass`: NULL or cover their lengths
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_setpass(
    conn: *mut sasl_conn_t,
    user: *const c_char,
    pass: *const c_char,
    passlen: c_uint,
    oldpass: *const c_char,
    oldpasslen: c_uint,
    flags: c_uint,
) -> c_int {
    // SAFETY: sasl.h: see above.
    let (conn, user, pass, old) = unsafe {
        (
            Conn::borrow(conn),
            arg::text(user),
            arg::bytes(pass, passlen),
            arg::bytes(oldpass, oldpasslen),
        )
    };
    if !library::is_active(Side::Server) {
        return Code::NOTINIT.0;
    }
    edge::run(conn, |conn| {
        let server = conn
            .server()
            .ok_or_else(|| edge::bad_argument("no server connection"))?;
        let user = user
            .filter(|user| !user.is_empty())
            .ok_or_else(|| edge::bad_argument("user is NULL or empty"))?;
        let disable = flags & setpass::DISABLE != 0;
        if disable && flags & setpass::CREATE != 0 {
            return Err(edge::bad_argument(
                "SASL_SET_CREATE and SASL_SET_DISABLE at once",
            ));
        }
        if !disable && pass.is_none_or(<[u8]>::is_empty) {
            return Err(edge::bad_argument("an empty password"));
        }
        let password = pass.filter(|_| !disable).map(Secret::from);
        let old = old.map(Secret::from);
        server
            .set_password(user, password.as_ref(), old.as_ref(), flags)
            .map(|()| Code::OK)
    })
}

/// Verifies an APOP response (RFC 1939): `user` and the hex MD5 of challenge
/// and password. A NULL challenge asks only whether that is possible.
///
/// # Safety
/// - `conn`: NULL or a live connection
/// - `challenge`, `response`: NULL or cover their lengths
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_checkapop(
    conn: *mut sasl_conn_t,
    challenge: *const c_char,
    challen: c_uint,
    response: *const c_char,
    resplen: c_uint,
) -> c_int {
    // SAFETY: sasl.h: see above; a length of 0 stands for a string.
    let (conn, challenge, response) = unsafe {
        (
            Conn::borrow(conn),
            arg::bytes_or_text(challenge, challen),
            arg::bytes_or_text(response, resplen),
        )
    };
    if !library::is_active(Side::Server) {
        return Code::NOTINIT.0;
    }
    let Some(challenge) = challenge else {
        return Code::OK.0;
    };
    edge::run(conn, |conn| {
        let response = response.ok_or_else(|| edge::bad_argument("response is NULL"))?;
        check_apop(conn, challenge, response).map(|()| Code::OK)
    })
}

fn check_apop(conn: &Conn, challenge: &[u8], response: &[u8]) -> Result<()> {
    const PASSWORD: &core::ffi::CStr = c"*userPassword";
    let server = conn
        .server()
        .ok_or_else(|| edge::bad_argument("no server connection"))?;
    let bad = || Error::new(Code::BADPROT, "Bad Digest");
    let at = response
        .iter()
        .rposition(|byte| *byte == b' ')
        .ok_or_else(bad)?;
    let (user, digest) = response.split_at(at);
    let digest = digest
        .get(1..)
        .filter(|digest| is_lower_hex(digest))
        .ok_or_else(bad)?;
    let context = server.connection().properties();
    context.request([PASSWORD]);
    let found = server.identify_and_look_up(user, Identity::Both, 0);
    let values = context.values(PASSWORD);
    context.erase(PASSWORD);
    found?;
    let matches = values.iter().fold(false, |any, value| {
        let text = Secret::new([challenge, value.as_bytes()].concat());
        let expected: String = md5::digest(text.as_bytes())
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        any | Secret::new(expected.into_bytes()).matches(digest)
    });
    if matches {
        server.allow()
    } else {
        Err(Error::new(Code::BADAUTH, "login incorrect").silent())
    }
}

fn is_lower_hex(digest: &[u8]) -> bool {
    digest.len() == 32
        && digest
            .iter()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

symver!(sasl_setpass, sasl_checkapop);
