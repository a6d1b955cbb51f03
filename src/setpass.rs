// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stores a password: in every configured property store that can, through the
//! program's SETPASS callback, and with the mechanisms that keep secrets of
//! their own (`sasl_setpass`, `auto_transition`).
#![forbid(unsafe_code)]

use crate::application::Asked;
use crate::connection::Connection;
use crate::lookup;
use crate::server::Server;
use core::ffi::{CStr, c_ulong};
use mech::Change;
use saslplug::{Auxprop, Code, Error, Host, Level, Result, Secret};
use std::sync::Arc;

const CB_SETPASS: c_ulong = 0x8006;

/// Flags of `sasl_setpass`: make an entry where there is none.
pub(crate) const CREATE: u32 = 1;
/// Remove the password.
pub(crate) const DISABLE: u32 = 2;
/// Only mechanisms' own secrets.
pub(crate) const NOPLAIN: u32 = 4;
/// Only the current mechanism.
pub(crate) const CURMECH_ONLY: u32 = 8;

/// Sets, changes or removes the password of `user`: first in the property
/// stores, then by the program's callback, then with the mechanisms; each is
/// tried.
///
/// # Errors
/// The last one's; `CONSTRAINT_VIOLAT` of one way is forgiven when another
/// worked.
pub(crate) fn run(
    server: &Server,
    user: &CStr,
    password: Option<&Secret>,
    old: Option<&Secret>,
    flags: u32,
) -> Result<()> {
    let stored = if flags & NOPLAIN == 0 && any_store(server.connection()) {
        store_password(server, user, password)
    } else {
        None
    };
    if let Some(outcome) = &stored {
        report(server, user, "setpass", outcome);
    }
    let called = call_back(server, user, password, flags);
    let change = Change {
        user,
        password,
        old,
        flags,
    };
    let kept = tell_mechanisms(server, &change);
    let outcome = match (stored, called) {
        (None, None) if kept.is_empty() => {
            let user = user.to_string_lossy();
            server.connection().log(
                Level::Warn,
                format_args!(
                    "secret not changed for {user}: no writable auxprop plugin or setpass \
                     callback found"
                ),
            );
            Ok(())
        }
        (None, None) => with_mechanisms(None, kept),
        (Some(only), None) | (None, Some(only)) => with_mechanisms(Some(only), kept),
        (Some(stored), Some(called)) => with_mechanisms(Some(both(stored, called)), kept),
    };
    outcome.map_err(|error| Error::bare(error.code()))
}

/// The answers of the mechanisms that keep something of their own: of all that
/// this connection may use, or of the current one.
fn tell_mechanisms(server: &Server, change: &Change<'_>) -> Vec<Result<()>> {
    let told = if change.flags & CURMECH_ONLY == 0 {
        server.mechanisms()
    } else {
        server.current_mechanism().into_iter().collect()
    };
    let mut answers = Vec::new();
    for mechanism in told {
        let Some(answer) = mechanism.set_password(server, change) else {
            continue;
        };
        let (name, user) = (&mechanism.info().name, change.user.to_string_lossy());
        let conn = server.connection();
        let unchanged = |error: &Error| error.code() == Code::NOCHANGE;
        match &answer {
            Ok(()) => conn.log(Level::Note, format_args!("{name}: set secret for {user}")),
            Err(error) if unchanged(error) => {}
            Err(error) => conn.log(
                Level::Err,
                format_args!("{name}: failed to set secret for {user}: {error}"),
            ),
        }
        answers.push(match answer {
            Err(error) if unchanged(&error) => Ok(()),
            answer => answer,
        });
    }
    answers
}

/// The last failure counts, but `CONSTRAINT_VIOLAT` only where nothing worked.
fn with_mechanisms(before: Option<Result<()>>, kept: Vec<Result<()>>) -> Result<()> {
    let (mut worked, mut violated, mut failed) = (false, None, None);
    for answer in before.into_iter().chain(kept) {
        match answer {
            Ok(()) => worked = true,
            Err(error) if error.code() == Code::CONSTRAINT_VIOLAT => violated = Some(error),
            Err(error) => failed = Some(error),
        }
    }
    match failed.or(violated.filter(|_| !worked)) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

fn both(stored: Result<()>, called: Result<()>) -> Result<()> {
    let violated = |outcome: &Result<()>| matches!(outcome, Err(error) if error.code() == Code::CONSTRAINT_VIOLAT);
    match (&stored, &called) {
        (Err(_), Ok(())) if violated(&stored) => called,
        (_, Ok(())) => stored,
        (Ok(()), Err(_)) if violated(&called) => stored,
        _ => called,
    }
}

fn report(server: &Server, user: &CStr, way: &str, outcome: &Result<()>) {
    let user = user.to_string_lossy();
    let conn = server.connection();
    match outcome {
        Ok(()) => conn.log(Level::Note, format_args!("{way} succeeded for {user}")),
        Err(error) => conn.log(Level::Err, format_args!("{way} failed for {user}: {error}")),
    }
}

fn call_back(
    server: &Server,
    user: &CStr,
    password: Option<&Secret>,
    flags: u32,
) -> Option<Result<()>> {
    let conn = server.connection();
    let outcome = match conn.app.set_password(user, password, flags) {
        Asked::Given(()) => Ok(()),
        Asked::Refused(error) => Err(error),
        Asked::Absent(_) | Asked::Interact => {
            conn.record_missing_callback(CB_SETPASS);
            return None;
        }
    };
    report(server, user, "setpass callback", &outcome);
    Some(outcome)
}

/// Whether a property store would store, whatever `auxprop_plugin` names.
fn any_store(conn: &Connection) -> bool {
    let outcome = probe(&*conn.library, &conn.library.stores());
    match outcome {
        Ok(any) => any,
        Err(error) => error.code() == Code::CONSTRAINT_VIOLAT,
    }
}

/// Asks the stores whether storing can work; `Ok(false)` when none of them
/// stores at all.
///
/// # Errors
/// The first store's that says no; `CONSTRAINT_VIOLAT` is forgiven when another
/// says yes.
pub(crate) fn probe(host: &dyn Host, providers: &[Arc<dyn Auxprop>]) -> Result<bool> {
    let stores: Vec<_> = providers.iter().filter(|one| one.stores()).collect();
    walk(stores.iter().map(|one| one.probe_store(host)))?;
    Ok(!stores.is_empty())
}

/// `None` when no configured store stores at all.
fn store_password(server: &Server, user: &CStr, password: Option<&Secret>) -> Option<Result<()>> {
    let values: Vec<Secret> = password.into_iter().cloned().collect();
    let properties: [(&CStr, &[Secret]); 1] = [(c"userPassword", &values)];
    match configured(server.connection()) {
        Ok(providers) if !providers.iter().any(|one| one.stores()) => None,
        Ok(providers) => Some(store(server, &providers, user, &properties)),
        Err(error) => Some(Err(error)),
    }
}

/// Stores properties of `user` in each of `providers`.
///
/// # Errors
/// The first store's that failed; `CONSTRAINT_VIOLAT` when no store holds such
/// properties.
pub(crate) fn store(
    host: &dyn Host,
    providers: &[Arc<dyn Auxprop>],
    user: &CStr,
    properties: &[(&CStr, &[Secret])],
) -> Result<()> {
    let stores = providers.iter().filter(|one| one.stores());
    walk(stores.map(|one| one.store(host, user.to_bytes(), properties)))
}

/// The stores that `auxprop_plugin` names.
///
/// # Errors
/// `FAIL` when there is none.
pub(crate) fn configured(conn: &Connection) -> Result<Vec<Arc<dyn Auxprop>>> {
    let providers = lookup::providers(conn).list.clone();
    if providers.is_empty() {
        let text = "no auxprop plugin to store in (option auxprop_plugin)";
        return Err(Error::new(Code::FAIL, text).silent());
    }
    Ok(providers)
}

/// Goes from store to store until one fails.
fn walk(answers: impl Iterator<Item = Result<()>>) -> Result<()> {
    let mut outcome = Ok(());
    let mut any = false;
    for answer in answers {
        match answer {
            Ok(()) => any = true,
            Err(error) if error.code() == Code::CONSTRAINT_VIOLAT => outcome = Err(error),
            Err(error) => return Err(error),
        }
    }
    if any { Ok(()) } else { outcome }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(code: Code) -> Result<()> {
        if code == Code::OK {
            Ok(())
        } else {
            Err(Error::bare(code))
        }
    }

    #[test]
    fn one_yes_forgives_a_constraint_and_nothing_else() {
        use Code as C;
        for (answers, expected) in [
            (&[][..], C::OK),
            (&[C::OK, C::CONSTRAINT_VIOLAT], C::OK),
            (&[C::CONSTRAINT_VIOLAT, C::OK], C::OK),
            (&[C::CONSTRAINT_VIOLAT], C::CONSTRAINT_VIOLAT),
            (&[C::OK, C::FAIL], C::FAIL),
            (&[C::NOUSER, C::OK], C::NOUSER),
        ] {
            let outcome = walk(answers.iter().map(|code| result(*code)));
            assert_eq!(outcome, result(expected), "{answers:?}");
        }
    }

    #[test]
    fn the_callback_has_the_last_word() {
        use Code as C;
        for (stored, called, expected) in [
            (C::OK, C::OK, C::OK),
            (C::OK, C::BADAUTH, C::BADAUTH),
            (C::OK, C::CONSTRAINT_VIOLAT, C::OK),
            (C::CONSTRAINT_VIOLAT, C::OK, C::OK),
            (C::FAIL, C::OK, C::FAIL),
            (C::FAIL, C::BADAUTH, C::BADAUTH),
        ] {
            let outcome = both(result(stored), result(called));
            assert_eq!(outcome, result(expected), "{stored:?} {called:?}");
        }
    }

    #[test]
    fn mechanisms_are_heard_after_the_rest() {
        use Code as C;
        for (before, kept, expected) in [
            (None, &[C::OK][..], C::OK),
            (Some(C::OK), &[], C::OK),
            (Some(C::OK), &[C::FAIL, C::OK], C::FAIL),
            (Some(C::OK), &[C::FAIL, C::NOUSER], C::NOUSER),
            (Some(C::FAIL), &[C::NOUSER], C::NOUSER),
            (Some(C::FAIL), &[C::OK], C::FAIL),
            (Some(C::CONSTRAINT_VIOLAT), &[C::OK], C::OK),
            (Some(C::OK), &[C::CONSTRAINT_VIOLAT], C::OK),
            (None, &[C::CONSTRAINT_VIOLAT], C::CONSTRAINT_VIOLAT),
            (None, &[C::FAIL, C::CONSTRAINT_VIOLAT], C::FAIL),
        ] {
            let kept_results = kept.iter().map(|code| result(*code)).collect();
            let outcome = with_mechanisms(before.map(result), kept_results);
            assert_eq!(outcome, result(expected), "{before:?} {kept:?}");
        }
    }
}
