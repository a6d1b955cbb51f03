// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stores a password: in every configured property store that can, and through
//! the program's SETPASS callback (`sasl_setpass`, `auto_transition`).
#![forbid(unsafe_code)]

use crate::application::Asked;
use crate::connection::Connection;
use crate::lookup;
use crate::server::Server;
use core::ffi::{CStr, c_ulong};
use saslplug::{Code, Error, Host, Level, Result, Secret};
use std::ffi::CString;

const CB_SETPASS: c_ulong = 0x8006;

/// Flags of `sasl_setpass`.
pub(crate) const CREATE: u32 = 1;
/// Remove the password.
pub(crate) const DISABLE: u32 = 2;
/// Only mechanisms' own secrets.
pub(crate) const NOPLAIN: u32 = 4;
/// Only the current mechanism.
pub(crate) const CURMECH_ONLY: u32 = 8;

/// Sets, changes or removes the password of `user` (canonical).
///
/// # Errors
/// The first store's that failed; `CONSTRAINT_VIOLAT` is forgiven when another
/// way worked.
pub(crate) fn run(
    server: &Server,
    user: &CStr,
    password: Option<&Secret>,
    flags: u32,
) -> Result<()> {
    let conn = server.connection();
    let mut tried = false;
    let mut outcome = Ok(());
    if flags & (NOPLAIN | CURMECH_ONLY) == 0 && can_store(conn, server) {
        tried = true;
        outcome = store_password(server, user, password, flags);
    }
    match conn.app.set_password(user, password, flags) {
        Asked::Given(()) => {
            tried = true;
            outcome = forgive(outcome);
        }
        Asked::Refused(error) => {
            tried = true;
            outcome = outcome.and(Err(error));
        }
        Asked::Absent(_) | Asked::Interact => conn.record_missing_callback(CB_SETPASS),
    }
    report(conn, user, tried, &outcome);
    outcome
}

fn forgive(outcome: Result<()>) -> Result<()> {
    match outcome {
        Err(error) if error.code() == Code::CONSTRAINT_VIOLAT => Ok(()),
        outcome => outcome,
    }
}

fn report(conn: &Connection, user: &CStr, tried: bool, outcome: &Result<()>) {
    let user = user.to_string_lossy();
    match outcome {
        Ok(()) if !tried => conn.log(
            Level::Warn,
            format_args!(
                "secret not changed for {user}: no writable auxprop plugin or setpass callback found"
            ),
        ),
        Ok(()) => conn.log(Level::Note, format_args!("setpass succeeded for {user}")),
        Err(error) => {
            let text = error.public_code().text();
            conn.log(Level::Err, format_args!("setpass failed for {user}: {text}"));
        }
    }
}

/// Whether any configured property store can store.
pub(crate) fn can_store(conn: &Connection, host: &dyn Host) -> bool {
    lookup::providers(conn)
        .iter()
        .any(|provider| provider.can_store(host))
}

fn store_password(
    server: &Server,
    user: &CStr,
    password: Option<&Secret>,
    flags: u32,
) -> Result<()> {
    let values: Vec<Secret> = match password {
        Some(password) if flags & DISABLE == 0 => vec![password.clone()],
        _ => Vec::new(),
    };
    let outcome = store(
        server.connection(),
        server,
        user,
        &[(c"userPassword", &values)],
    );
    // Nothing to remove is as good as removed.
    match outcome {
        Err(error) if flags & DISABLE != 0 && error.code() == Code::NOUSER => Ok(()),
        outcome => outcome,
    }
}

/// Stores properties of `user` in every configured store.
///
/// # Errors
/// The first store's that failed; `CONSTRAINT_VIOLAT` when no store holds such
/// properties; `FAIL` without any store.
pub(crate) fn store(
    conn: &Connection,
    host: &dyn Host,
    user: &CStr,
    properties: &[(&CStr, &[Secret])],
) -> Result<()> {
    let providers = lookup::providers(conn);
    if providers.is_empty() {
        return Err(Error::new(
            Code::FAIL,
            "no auxprop plugin to store in (option auxprop_plugin)",
        ));
    }
    let mut stored = false;
    for provider in providers {
        match provider.store(host, user.to_bytes(), properties) {
            Ok(()) => stored = true,
            Err(error) if error.code() == Code::CONSTRAINT_VIOLAT => {}
            Err(error) => return Err(error),
        }
    }
    if stored {
        Ok(())
    } else {
        Err(Error::new(
            Code::CONSTRAINT_VIOLAT,
            "no auxprop plugin stores these properties",
        ))
    }
}

/// The name for the store: canonical, as a login would use it.
pub(crate) fn canonical(server: &Server) -> CString {
    server
        .connection()
        .authid
        .borrow()
        .clone()
        .unwrap_or_default()
}
