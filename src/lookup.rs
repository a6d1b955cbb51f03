// SPDX-License-Identifier: MIT OR Apache-2.0
//! Asks every configured property store, in order, and folds their answers
//! (docs/behaviour.md, "Lookup"). All of them are asked each time: a later one
//! may hold what an earlier one lacks.
#![forbid(unsafe_code)]

use crate::config;
use crate::connection::Connection;
use crate::library::{self, Library};
use core::ffi::CStr;
use saslplug::{Auxprop, Code, Error, Host, Identity, Level, Query, Result};
use std::ffi::CString;
use std::sync::Arc;

/// The property stores that a value of `auxprop_plugin` stands for.
pub(crate) struct Stores {
    option: Option<CString>,
    generation: u64,
    /// In the order in which they are asked.
    pub(crate) list: Vec<Arc<dyn Auxprop>>,
}

impl Stores {
    /// Whether these are the stores of `option` still.
    fn serve(&self, option: Option<&CStr>, generation: u64) -> bool {
        self.generation == generation && self.option.as_deref() == option
    }
}

/// Opens the stores that the configuration file names, or all where it asks for
/// the method auxprop and names none. A server may go into another root folder
/// before its first login, as Postfix's smtpd does: there are no files of plugins
/// then. What is missing is told at the first login.
pub(crate) fn open_named(library: &Library) {
    let Some(config) = config::options() else {
        return;
    };
    let names = config.get(c"auxprop_plugin").map(CStr::to_string_lossy);
    let asked = config
        .get(c"pwcheck_method")
        .is_some_and(|methods| methods.to_string_lossy().contains("auxprop"));
    if asked || names.is_some() {
        library
            .registry
            .auxprops(&library.folders(), names.as_deref(), |_| {});
    }
}

/// The stores that `auxprop_plugin` names, or all. What is missing is told once
/// a connection: the option is read several times in each login.
pub(crate) fn providers(conn: &Connection) -> Arc<Stores> {
    if let Some(stores) = conn.known.stores() {
        return stores;
    }
    let stores = look_for_providers(conn);
    conn.known.note_stores(&stores);
    stores
}

fn look_for_providers(conn: &Connection) -> Arc<Stores> {
    let library = &conn.library;
    let generation = library.registry.generation();
    let known = conn.with_option(c"auxprop_plugin", |option| {
        match &*library::read(&library.stores) {
            Some(stores) if stores.serve(option, generation) => Ok(Arc::clone(stores)),
            _ => Err(option.map(CStr::to_owned)),
        }
    });
    match known {
        Ok(stores) => stores,
        Err(option) => find_providers(conn, option, generation),
    }
}

/// Looks the stores up, opening plugins, and remembers them if all are there:
/// as those of `generation`, which is older than the look, so that a plugin
/// that another thread adds meanwhile is not overlooked for ever.
fn find_providers(conn: &Connection, option: Option<CString>, generation: u64) -> Arc<Stores> {
    let library = &conn.library;
    let names = option.as_deref().map(CStr::to_string_lossy);
    let mut missing = Vec::new();
    let list = library
        .registry
        .auxprops(&library.folders(), names.as_deref(), |name| {
            missing.push(name.to_owned());
        });
    match names.as_deref() {
        Some(names) if list.is_empty() => tell_missing(conn, names),
        Some(_) if !missing.is_empty() => tell_missing(conn, &missing.join(" ")),
        _ => {}
    }
    let complete = missing.is_empty();
    drop(names);
    let stores = Arc::new(Stores {
        option,
        generation,
        list,
    });
    if complete {
        let old = library::write(&library.stores).replace(Arc::clone(&stores));
        drop(old); // not under the lock: a plugin's clean-up may run
    }
    stores
}

fn tell_missing(conn: &Connection, names: &str) {
    if conn.told_missing_store.replace(true) {
        return;
    }
    conn.log(
        Level::Warn,
        format_args!(
            "could not find auxprop plugin, was searching for '{names}' \
             (option auxprop_plugin; plugin folders: {})",
            folder_list(conn)
        ),
    );
}

fn folder_list(conn: &Connection) -> String {
    let folders = conn.library.folders();
    let names: Vec<_> = folders
        .iter()
        .map(|folder| folder.display().to_string())
        .collect();
    names.join(":")
}

/// Looks the requested properties of `user` up; values land in the property
/// context.
///
/// # Errors
/// `NOMECH` when no store answered, `NOUSER`, `DISABLED`, `UNAVAIL`, …
pub(crate) fn run(
    conn: &Connection,
    host: &dyn Host,
    user: &CStr,
    identity: Identity,
    against_hash: bool,
) -> Result<()> {
    // Plugins read the names that are wanted from the property context.
    let query = Query {
        user: user.to_bytes(),
        identity,
        names: &[],
        against_hash,
    };
    let stores = providers(conn);
    if let [only] = stores.list.as_slice() {
        let answer = only.lookup(host, &query).map(|_found| ());
        return answer.or_else(|error| fold(Err(Error::bare(Code::NOMECH)), Err(error)));
    }
    let mut outcome = Err(Error::bare(Code::NOMECH));
    for provider in &stores.list {
        outcome = match (outcome, provider.lookup(host, &query)) {
            (Ok(()), Ok(_found)) => Ok(()),
            (so_far, answer) => fold(so_far, answer.map(|_found| ())),
        };
    }
    outcome
}

/// What the answers so far and one more make together.
fn fold(so_far: Result<()>, answer: Result<()>) -> Result<()> {
    let code = |result: &Result<()>| result.as_ref().err().map_or(Code::OK, Error::code);
    match (code(&so_far), code(&answer)) {
        (_, Code::NOMECH) => so_far,
        (Code::NOMECH | Code::NOUSER, Code::OK | Code::NOVERIFY) => Ok(()),
        (_, Code::OK | Code::NOVERIFY) => so_far,
        (Code::NOMECH, Code::NOUSER) => answer,
        (_, Code::NOUSER) => so_far,
        (Code::OK | Code::NOUSER | Code::NOMECH, Code::DISABLED) => answer,
        (_, Code::DISABLED) => so_far,
        _ => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(answers: &[Code]) -> Code {
        let start = Err(Error::bare(Code::NOMECH));
        let result = answers.iter().fold(start, |so_far, code| {
            fold(
                so_far,
                if *code == Code::OK {
                    Ok(())
                } else {
                    Err(Error::bare(*code))
                },
            )
        });
        result.err().map_or(Code::OK, |error| error.code())
    }

    #[test]
    fn answers_fold_as_in_stock() {
        use Code as C;
        for (answers, expected) in [
            (&[][..], C::NOMECH),
            (&[C::NOMECH, C::OK], C::OK),
            (&[C::NOUSER, C::OK], C::OK),
            (&[C::OK, C::NOUSER], C::OK),
            (&[C::NOUSER, C::NOVERIFY], C::OK),
            (&[C::NOMECH, C::NOUSER], C::NOUSER),
            (&[C::OK, C::DISABLED], C::DISABLED),
            (&[C::DISABLED, C::OK], C::DISABLED),
            (&[C::OK, C::UNAVAIL], C::UNAVAIL),
            (&[C::UNAVAIL, C::OK], C::UNAVAIL),
            (&[C::UNAVAIL, C::FAIL], C::FAIL),
            (&[C::FAIL, C::NOUSER, C::NOMECH], C::FAIL),
        ] {
            assert_eq!(folded(answers), expected, "{answers:?}");
        }
    }
}
