// SPDX-License-Identifier: MIT OR Apache-2.0
//! SASL over GSS-API: [`gssapi`] (RFC 4752), [`spnego`] (GSS-SPNEGO) and
//! [`gs2`] (RFC 5801), for the plugins that bring them.
//!
//! libgssapi_krb5 is opened when a mechanism is first asked for, and is the
//! only party that sees keys. Replayed and reordered messages are refused.
#![deny(unsafe_code)]

mod acceptor;
#[allow(unsafe_code, reason = "the C binding of GSS-API")]
mod ffi;
#[cfg(fuzzing)]
#[path = "../../../tests/fuzz/doors/gssapi.rs"]
pub mod fuzz;
pub mod gs2;
pub mod gssapi;
mod initiator;
mod layer;
mod protection;
pub mod spnego;

use saslplug::{Code, Error, Host, Level, Result};

/// Whether there is a libgssapi_krb5 at all.
///
/// # Errors
/// `NOMECH` without a word.
pub fn ready() -> Result<()> {
    ffi::required().map(|_| ())
}

/// Whether a server can work: the library is there, and the file that the
/// option `keytab` names, if it names one.
///
/// # Errors
/// `NOMECH` without a word; `FAIL` for a keytab that is missing.
pub fn server_ready(host: &dyn Host) -> Result<()> {
    ready()?;
    let Some(keytab) = acceptor::keytab(host) else {
        return Ok(());
    };
    let Some(path) = acceptor::keytab_path(&keytab) else {
        return Ok(());
    };
    std::fs::File::open(path).map(|_| ()).map_err(|error| {
        let text = format!("Could not find keytab file: {path}: {error}");
        host.log(Level::Err, format_args!("{text}"));
        Error::with(Code::FAIL, text).silent()
    })
}
