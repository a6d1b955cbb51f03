// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes canonical names: the program's `SASL_CB_CANON_USER` first, then the
//! canonicaliser that `canon_user_plugin` names. Runs two or three times a
//! login, so both must be idempotent.
#![forbid(unsafe_code)]

use crate::application::Asked;
use crate::canonuser::{self, internal};
use crate::connection::{Connection, bounded};
use crate::library::Side;
use core::ffi::c_ulong;
use saslplug::{Code, Error, Host, Identity, Result};
use std::borrow::Cow;

const CB_CANON_USER: c_ulong = 0x8007;

/// The `SASL_CU_*` bits of an identity.
pub(crate) fn flags(identity: Identity) -> u32 {
    match identity {
        Identity::Authid => 1,
        Identity::Authzid => 2,
        Identity::Both => 3,
    }
}

/// Canonicalises `name` and stores it in the connection. `extra` are further
/// `SASL_CU_*` bits for the callback.
///
/// # Errors
/// `BUFOVER`, the callback's code, the canonicaliser's code, `NOMECH` when the
/// configured one does not exist.
pub(crate) fn establish(
    conn: &Connection,
    host: &dyn Host,
    side: Side,
    name: &[u8],
    identity: Identity,
    extra: u32,
) -> Result<()> {
    let flags = flags(identity) | extra;
    if conn.app.lists(CB_CANON_USER) || !is_internal(conn) {
        return establish_by_others(conn, host, side, name, identity, flags);
    }
    conn.record_missing_callback(CB_CANON_USER);
    conn.canon_flags.set(flags);
    if conn.is_stored(name) {
        return Ok(()); // the check of the password passes the name as it is kept
    }
    bounded(name)?;
    let name = internal::trim(name)?;
    if side == Side::Server && conn.realm.borrow().is_some() {
        let name = internal::with_realm(host, name);
        return conn.store_identity(&name, identity);
    }
    conn.store_identity(name, identity)
}

/// Whether the canonicaliser of this call is the built-in one.
fn is_internal(conn: &Connection) -> bool {
    conn.known.internal(|| {
        conn.with_option(c"canon_user_plugin", |option| {
            option.is_none_or(|name| name == canonuser::INTERNAL)
        })
    })
}

#[inline(never)]
fn establish_by_others(
    conn: &Connection,
    host: &dyn Host,
    side: Side,
    name: &[u8],
    identity: Identity,
    flags: u32,
) -> Result<()> {
    let asked = ask_program(conn, name, flags)?;
    conn.canon_flags.set(flags);
    let name = asked.as_deref().unwrap_or(name);
    let canonical = ask_provider(conn, host, side, name, identity)?;
    conn.store_identity(&canonical, identity)
}

fn ask_program(conn: &Connection, name: &[u8], flags: u32) -> Result<Option<Vec<u8>>> {
    if !conn.app.lists(CB_CANON_USER) {
        conn.record_missing_callback(CB_CANON_USER);
        return Ok(None);
    }
    let realm = conn.realm.borrow().clone();
    match conn.app.canonicalise(name, flags, realm.as_deref()) {
        Asked::Given(name) => Ok(Some(name)),
        Asked::Refused(error) => Err(error),
        Asked::Absent(_) | Asked::Interact => {
            conn.record_missing_callback(CB_CANON_USER);
            Ok(None)
        }
    }
}

fn ask_provider<'a>(
    conn: &Connection,
    host: &dyn Host,
    side: Side,
    name: &'a [u8],
    identity: Identity,
) -> Result<Cow<'a, [u8]>> {
    let wanted = conn.with_option(c"canon_user_plugin", |option| {
        let name = option.unwrap_or(canonuser::INTERNAL);
        canonuser::find(name).ok_or_else(|| name.to_owned())
    });
    let loaded;
    let provider: &dyn saslplug::CanonUser = match wanted {
        Ok(built_in) => built_in,
        Err(wanted) => {
            let folders = conn.library.folders();
            loaded = conn
                .library
                .registry
                .canonuser(&folders, &wanted)
                .ok_or_else(|| {
                    let name = wanted.to_string_lossy();
                    Error::with(
                        Code::NOMECH,
                        format!("desired canon_user plugin {name} not found"),
                    )
                })?;
            loaded.as_ref()
        }
    };
    bounded(name)?;
    match side {
        Side::Server => provider.server(host, name, identity),
        Side::Client => provider.client(host, name, identity),
    }
}
