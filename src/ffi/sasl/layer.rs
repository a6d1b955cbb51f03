// SPDX-License-Identifier: MIT OR Apache-2.0
//! sasl.h, "security layer": encode, encodev, decode. Results are valid until
//! the next call of the same kind.

use crate::ffi::conn::Conn;
use crate::ffi::{arg, edge};
use core::ffi::{c_char, c_int, c_uint};
use core::ptr;
use saslplug::raw::sasl_conn_t;
use saslplug::{Code, Error, Level, Result};

/// Keeps a result and says where it is.
fn give(
    place: &core::cell::RefCell<Vec<u8>>,
    mut data: Vec<u8>,
    output: &arg::Out<*const c_char>,
    len: &arg::Out<c_uint>,
) -> Result<Code> {
    let length = c_uint::try_from(data.len())
        .map_err(|_| Error::new(Code::BUFOVER, "more than 4 GiB at once"))?;
    data.push(0);
    output.set(data.as_ptr().cast());
    len.set(length);
    place.replace(data);
    Ok(Code::OK)
}

fn encode(
    conn: &Conn,
    plain: &[u8],
    output: &arg::Out<*const c_char>,
    len: &arg::Out<c_uint>,
    function: &str,
) -> Result<Code> {
    refuse_without_buffer(conn, function)?;
    let layer = &conn.connection().layer;
    let data = if layer.is_in_force() {
        layer.encode(plain)?
    } else {
        plain.to_vec()
    };
    give(&conn.seldom().encoded, data, output, len)
}

fn refuse_without_buffer(conn: &Conn, function: &str) -> Result<()> {
    if conn.connection().limits.get().max_buffer == 0 {
        let text =
            format!("called {function} with application that does not support security layers");
        return Err(Error::with(Code::TOOWEAK, text));
    }
    Ok(())
}

/// Protects data for the peer.
///
/// # Safety
/// - `conn`: NULL or a live connection
/// - `input`: NULL or covers `inputlen` bytes
/// - `output`, `outputlen`: NULL or writable
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_encode(
    conn: *mut sasl_conn_t,
    input: *const c_char,
    inputlen: c_uint,
    output: *mut *const c_char,
    outputlen: *mut c_uint,
) -> c_int {
    // SAFETY: sasl.h: see above.
    let (conn, input) = unsafe { (Conn::borrow(conn), arg::bytes(input, inputlen)) };
    // SAFETY: sasl.h: see above.
    let (output, len) = unsafe { (arg::Out::new(output), arg::Out::new(outputlen)) };
    edge::run(conn, |conn| match input {
        Some(plain) if !plain.is_empty() && !output.is_null() && !len.is_null() => {
            encode(conn, plain, &output, &len, "sasl_encode[v]")
        }
        _ => Err(edge::bad_argument(
            "nothing to encode, or nowhere to put it",
        )),
    })
}

/// The same for data in several pieces.
///
/// # Safety
/// - `conn`: NULL or a live connection
/// - `invec`: NULL or `numiov` pieces, each NULL or covering its length
/// - `output`, `outputlen`: NULL or writable
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_encodev(
    conn: *mut sasl_conn_t,
    invec: *const libc::iovec,
    numiov: c_uint,
    output: *mut *const c_char,
    outputlen: *mut c_uint,
) -> c_int {
    // SAFETY: sasl.h: see above.
    let conn = unsafe { Conn::borrow(conn) };
    // SAFETY: sasl.h: see above.
    let (output, len) = unsafe { (arg::Out::new(output), arg::Out::new(outputlen)) };
    edge::run(conn, |conn| {
        if invec.is_null() || numiov == 0 || output.is_null() || len.is_null() {
            return Err(edge::bad_argument(
                "nothing to encode, or nowhere to put it",
            ));
        }
        // SAFETY: not NULL; sasl.h promises `numiov` pieces.
        let pieces = unsafe { core::slice::from_raw_parts(invec, numiov as usize) };
        // First the sum: nothing is read of what is refused.
        let total = pieces
            .iter()
            .fold(0_usize, |sum, piece| sum.saturating_add(piece.iov_len));
        if c_uint::try_from(total).is_err() {
            return Err(edge::bad_argument("pieces of more than 4 GiB together"));
        }
        let mut plain = Vec::with_capacity(total);
        for piece in pieces {
            if !piece.iov_base.is_null() {
                // SAFETY: not NULL; the piece covers its length.
                plain.extend_from_slice(unsafe {
                    core::slice::from_raw_parts(piece.iov_base.cast::<u8>(), piece.iov_len)
                });
            }
        }
        if let Err(error) = refuse_without_buffer(conn, "sasl_encode[v]") {
            // docs/behaviour.md#err-forgotten: text and log, but no code.
            conn.connection().set_error_text(error.reason());
            let text = format_args!("{}", error.reason());
            conn.connection().log(Level::Fail, text);
            return Ok(error.code());
        }
        encode(conn, &plain, &output, &len, "sasl_encode[v]")
    })
}

/// Checks and opens data of the peer. A length of 0 with `OK` means that a
/// packet is not complete yet.
///
/// # Safety
/// As [`sasl_encode`].
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_decode(
    conn: *mut sasl_conn_t,
    input: *const c_char,
    inputlen: c_uint,
    output: *mut *const c_char,
    outputlen: *mut c_uint,
) -> c_int {
    // SAFETY: sasl.h: see above.
    let (conn, input) = unsafe { (Conn::borrow(conn), arg::bytes(input, inputlen)) };
    // SAFETY: sasl.h: see above.
    let (output, len) = unsafe { (arg::Out::new(output), arg::Out::new(outputlen)) };
    edge::run(conn, |conn| {
        let Some(input) = input.filter(|_| !output.is_null() && !len.is_null()) else {
            return Err(edge::bad_argument(
                "nothing to decode, or nowhere to put it",
            ));
        };
        refuse_without_buffer(conn, "sasl_decode")?;
        let max = usize::try_from(conn.connection().limits.get().max_buffer).unwrap_or(usize::MAX);
        let layer = &conn.connection().layer;
        if !layer.is_in_force() {
            if input.len() > max {
                let text = "input too large for default sasl_decode";
                return Err(Error::new(Code::BUFOVER, text));
            }
            return give(&conn.seldom().decoded, input.to_vec(), &output, &len);
        }
        let plain = layer.decode(input, max)?;
        let empty = plain.is_empty();
        give(&conn.seldom().decoded, plain, &output, &len)?;
        if empty {
            output.set(ptr::null());
        }
        Ok(Code::OK)
    })
}

symver!(sasl_encode, sasl_encodev, sasl_decode);
