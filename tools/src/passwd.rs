// SPDX-License-Identifier: MIT OR Apache-2.0
//! `saslpasswd2`: sets, changes and removes passwords in whatever property
//! store is configured, through the library.
#![forbid(unsafe_code)]

use crate::ffi::{self, Answer, Answers, Conn, Library};
use crate::input::{self, Problem, Way};
use crate::library::{complain, fail, reasons, version};
use crate::usage;
use clap::ArgMatches;
use saslfile::{Change, Database, Kind, Options};
use saslplug::{Code, Level, Secret};
use std::ffi::{CStr, CString, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const NAME: &str = "saslpasswd2";
/// Flags of `sasl_setpass`.
const CREATE: u32 = 1;
const DISABLE: u32 = 2;
const NOPLAIN: u32 = 4;
/// Iterations of new SCRAM keys.
const ITERATIONS: u32 = 4096;

/// Secrets that older versions stored beside the password.
const OLD_SECRETS: [&CStr; 3] = [
    c"cmusaslsecretCRAM-MD5",
    c"cmusaslsecretDIGEST-MD5",
    c"cmusaslsecretPLAIN",
];

fn c_string(text: &str) -> Result<CString, Code> {
    CString::new(text).map_err(|_| Code::BADPARAM)
}

/// Runs the program.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let matches = match usage::parse(&usage::SASLPASSWD2, arguments) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    if matches.get_flag("version") {
        return version();
    }
    if let Some(new) = matches.get_one::<String>("convert") {
        return convert(file(&matches), Path::new(new));
    }
    let Some(user) = matches.get_one::<String>("userid") else {
        return usage::refuse(&usage::SASLPASSWD2, "the user's name is missing");
    };
    match change(&matches, user) {
        Ok(()) => {
            reasons(NAME, Level::Warn);
            ExitCode::SUCCESS
        }
        Err(Failure::Code(code)) => fail(NAME, code),
        Err(Failure::Told(code)) => ExitCode::from(code),
    }
}

enum Failure {
    Code(Code),
    Told(u8),
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Self::Code(code)
    }
}

fn file(matches: &ArgMatches) -> PathBuf {
    PathBuf::from(
        matches
            .get_one::<String>("file")
            .map_or(saslfile::DEFAULT_PATH, String::as_str),
    )
}

fn read_password(matches: &ArgMatches) -> Result<Secret, Failure> {
    let way = if matches.get_flag("pipe") {
        Way::Pipe
    } else {
        Way::Ask { twice: true }
    };
    input::password(way).map_err(|problem| {
        match problem {
            Problem::Differ => complain(NAME, "passwords don't match; aborting"),
            Problem::Unreadable(error) => complain(NAME, &format!("no password: {error}")),
        }
        Failure::Told(7)
    })
}

fn change(matches: &ArgMatches, user: &str) -> Result<(), Failure> {
    let application = c_string(
        matches
            .get_one::<String>("application")
            .map_or("saslpasswd", |name| name),
    )?;
    let mut answers = Answers::default();
    if let Some(file) = matches.get_one::<String>("file") {
        answers
            .options
            .push(Answer::new(c"sasldb_path", c_string(file)?));
    }
    let realm = matches
        .get_one::<String>("realm")
        .map(|realm| c_string(realm))
        .transpose()?;
    let user = c_string(user)?;
    let library = Library::server(answers, &application)?;
    let host = ffi::host_name();
    let conn = library.accept(c"sasldb", host.as_deref(), realm.as_deref())?;
    let disable = matches.get_flag("disable");
    let password = if disable {
        None
    } else {
        Some(read_password(matches)?)
    };
    if let Some(mechanism) = matches.get_one::<String>("scram") {
        let password = password
            .filter(|password| !password.is_empty())
            .ok_or(Code::BADPARAM)?;
        return store_keys(&conn, &user, mechanism, &password);
    }
    let mut flags = 0;
    for (name, flag) in [
        ("create", CREATE),
        ("disable", DISABLE),
        ("noplain", NOPLAIN),
    ] {
        if matches.get_flag(name) {
            flags |= flag;
        }
    }
    conn.set_password(&user, password.as_ref(), flags)?;
    // What is not there, or cannot be there, need not be removed.
    let _ = conn.store(&user, &OLD_SECRETS.map(|name| (name, None)));
    if disable {
        let _ = conn.store(&user, &[(c"authPassword", None)]);
    }
    Ok(())
}

/// Keys in place of the password.
fn store_keys(
    conn: &Conn<'_>,
    user: &CStr,
    mechanism: &str,
    password: &Secret,
) -> Result<(), Failure> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|_| Code::FAIL)?;
    let name = mechanism.to_ascii_uppercase();
    let keys =
        mech::stored_keys(&name, password.as_bytes(), &salt, ITERATIONS).ok_or_else(|| {
            complain(
                NAME,
                &format!("{mechanism} is no SCRAM mechanism (SCRAM-SHA-256, …)"),
            );
            Failure::Told(1)
        })?;
    conn.store(
        user,
        &[(c"authPassword", Some(&keys)), (c"userPassword", None)],
    )?;
    let _ = conn.store(user, &OLD_SECRETS.map(|name| (name, None)));
    Ok(())
}

/// A Berkeley DB file as a new LMDB file.
fn convert(old: PathBuf, new: &Path) -> ExitCode {
    let mut records = Vec::new();
    let (mut bytes, mut failure) = (0usize, None);
    let outcome = Database::new(Options::new(old)).each(&mut |key, value| {
        bytes = bytes
            .saturating_add(value.len())
            .saturating_add(key.user.len())
            .saturating_add(512);
        match Change::new(key, Some(value)) {
            Ok(change) => records.push(change),
            Err(error) => failure = Some(error),
        }
    });
    let options = Options::new(new);
    // Room for the tree and for changes.
    let map_size = options
        .map_size
        .max(bytes.saturating_mul(4).next_multiple_of(1 << 20));
    let target = Database::new(Options {
        map_size,
        ..options
    });
    let outcome = outcome
        .and_then(|()| failure.map_or(Ok(()), Err))
        .and_then(|()| target.create(Kind::Lmdb, &records));
    match outcome {
        Ok(()) => {
            let count = records.len();
            complain(
                NAME,
                &format!(
                    "{count} records in {} (sasldb_mapsize: {map_size})",
                    new.display()
                ),
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(NAME, error.reason());
            ExitCode::FAILURE
        }
    }
}
