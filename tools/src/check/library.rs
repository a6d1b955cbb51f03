// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which library is used, which plugins it finds, and why those.
#![forbid(unsafe_code)]

use super::file::Source;
use super::report::{Item, Phase, Report};
use crate::ffi::{self, About, Library};
use options::table;
use saslplug::{Code, Level};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const SYSTEM: &str = "/usr/lib/x86_64-linux-gnu/sasl2";
/// The packages of the distribution that bring property stores.
const PACKAGES: [(&str, &str); 3] = [
    ("ldapdb", "libsasl2-modules-ldap"),
    ("sasldb", "libsasl2-modules-db"),
    ("sql", "libsasl2-modules-sql"),
];
/// What only this project's ldapdb exports.
const OURS: &[u8] = b"sasl_auxprop_verify_plug_init";
/// What only this project's library has in it.
const OUR_LIBRARY: &[u8] = b"(oxisasl)";
/// Options of ldapdb that the original knows.
const ORIGINAL: [&str; 7] = [
    "ldapdb_uri",
    "ldapdb_id",
    "ldapdb_pw",
    "ldapdb_mech",
    "ldapdb_rc",
    "ldapdb_starttls",
    "ldapdb_canon_attr",
];

/// The library with the options of the file; nothing is said yet.
///
/// # Errors
/// That of `sasl_server_init`.
pub(super) fn open(source: &Source) -> Result<Library, Code> {
    Library::server(source.answers(), c"saslcheck")
}

/// What the library logged, worth a warning each.
pub(super) fn said(most: Level) -> Vec<String> {
    let lines = ffi::said().into_iter();
    let lines = lines.filter(|(level, _)| (1..=most as i32).contains(level));
    lines.map(|(_, line)| line).collect()
}

pub(super) fn check(source: &Source, report: &mut Report) {
    report.begin("Library and plugins");
    let (name, version) = ffi::version();
    let library = mapped("libsasl2.so").into_iter().next().unwrap_or_default();
    let why = chosen_by(&library);
    let name = match has(&library, OUR_LIBRARY) {
        true => format!("Oxisasl, in place of {name} {version}"),
        false => format!("{name} {version}"),
    };
    report.add(
        Phase::Library,
        Item::good(format!("{name}: {} {why}", library.display())),
    );
    let folders = folders(&library);
    report.add(
        Phase::Library,
        Item::note("plugins are looked for, in order, in").with(lines(&folders)),
    );
    let opened = match open(source) {
        Ok(opened) => opened,
        Err(code) => {
            let item = Item::bad(format!("sasl_server_init: {}", ffi::text(code)));
            return report.add(Phase::Library, item.with(said(Level::Debug)));
        }
    };
    let known = ffi::names(About::Auxprop);
    drop(opened);
    stores(source, &folders, &known, report);
    for line in said(Level::Warn) {
        report.add(Phase::Library, Item::warning(line));
    }
}

fn lines(folders: &[PathBuf]) -> Vec<String> {
    let count = |folder: &Path| files(folder).len();
    let line = |folder: &PathBuf| match fs::read_dir(folder) {
        Ok(_) => format!("{} ({} files)", folder.display(), count(folder)),
        Err(error) => format!("{} ({error})", folder.display()),
    };
    folders.iter().map(line).collect()
}

/// Files of this process whose name has `word` in it.
fn mapped(word: &str) -> Vec<PathBuf> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let mut all: Vec<PathBuf> = maps
        .lines()
        .filter_map(|line| line.split_once('/'))
        .map(|(_, path)| PathBuf::from(format!("/{path}")))
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().contains(word))
        })
        .collect();
    all.dedup();
    all
}

/// What made the loader take that file.
fn chosen_by(library: &Path) -> String {
    let folder = library.parent().unwrap_or(library);
    for name in ["LD_PRELOAD", "LD_LIBRARY_PATH"] {
        let value = env::var_os(name).unwrap_or_default();
        let mut paths = env::split_paths(&value);
        let same = |path: PathBuf| {
            let path = fs::canonicalize(path).unwrap_or_default();
            path == library || path == folder
        };
        if paths.any(same) {
            return format!("(by {name}; the server needs it in its environment too)");
        }
    }
    "(the system's)".to_owned()
}

/// The folders of plugins, as the library looks for them.
fn folders(library: &Path) -> Vec<PathBuf> {
    let path: Option<OsString> = env::var_os("SASL_PATH").filter(|path| !path.is_empty());
    if let Some(path) = path {
        return env::split_paths(&path).collect();
    }
    let beside = library.parent().map(|folder| folder.join("sasl2"));
    let mut all: Vec<PathBuf> = beside
        .into_iter()
        .filter(|folder| folder.exists())
        .collect();
    let system = PathBuf::from(SYSTEM);
    if !all.contains(&system) {
        all.push(system);
    }
    all
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "so"));
    files
}

/// The property stores that are asked.
fn stores(source: &Source, folders: &[PathBuf], known: &[String], report: &mut Report) {
    let named = source.words("auxprop_plugin");
    let wanted: Vec<&str> = match named.is_empty() {
        true => known.iter().map(String::as_str).collect(),
        false => named.clone(),
    };
    if named.is_empty() && source.methods().contains(&"auxprop") {
        let text = format!(
            "auxprop_plugin is not set: every store that is installed is asked ({})",
            known.join(" ")
        );
        report.add(Phase::Library, Item::warning(text));
    }
    for store in wanted {
        let same = |name: &String| name.eq_ignore_ascii_case(store);
        let file = folders
            .iter()
            .map(|folder| folder.join(format!("lib{store}.so")))
            .find(|file| file.exists());
        match (file, known.iter().any(same)) {
            (Some(file), true) => found(source, store, &file, report),
            (None, true) => report.add(
                Phase::Library,
                Item::good(format!("store {store}: by a plugin of another name")),
            ),
            (file, false) => report.add(Phase::Library, Item::bad(missing(store, file.as_deref()))),
        }
    }
}

fn found(source: &Source, store: &str, file: &Path, report: &mut Report) {
    let origin = package(file).unwrap_or_else(|| "of no package".to_owned());
    let text = format!("store {store}: {} ({origin})", file.display());
    report.add(Phase::Library, Item::good(text));
    if store != "ldapdb" || has(file, OURS) {
        return;
    }
    let ignored: Vec<&str> = source
        .options
        .set()
        .map(|(name, _)| name)
        .filter(|name| table::find(name).is_some_and(|known| known.asker == "ldapdb"))
        .filter(|name| !ORIGINAL.contains(name))
        .collect();
    if !ignored.is_empty() {
        let text = format!(
            "{} is the original ldapdb, which ignores {}. Put this project's folder first in \
             SASL_PATH, here and for the server.",
            file.display(),
            ignored.join(" ")
        );
        report.add(Phase::Library, Item::bad(text));
    }
}

fn missing(store: &str, file: Option<&Path>) -> String {
    if let Some(file) = file {
        return format!(
            "store {store}: {} cannot be used: the library's reasons are below, or in its log",
            file.display()
        );
    }
    let package = PACKAGES.iter().find(|(name, _)| *name == store);
    let remedy = match package {
        Some((_, package)) => format!("install the package {package}, or this project's plugins"),
        None => "correct auxprop_plugin".to_owned(),
    };
    format!("store {store}: there is no lib{store}.so in these folders: {remedy}")
}

fn has(file: &Path, words: &[u8]) -> bool {
    let bytes = fs::read(file).unwrap_or_default();
    bytes.windows(words.len()).any(|window| window == words)
}

/// The package of the distribution that a file is from, with its version.
fn package(file: &Path) -> Option<String> {
    let answer = |arguments: [&str; 3], last: &str| {
        let output = Command::new("dpkg-query")
            .args(arguments)
            .arg(last)
            .output();
        let output = output.ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let file = file.to_str()?;
    let owner = answer(["--no-pager", "--search", "--"], file)?;
    let name = owner.split(": ").next()?.trim().to_owned();
    let version = answer(["--no-pager", "-W", "-f=${Version}"], &name)?;
    Some(format!("package {name} {version}"))
}
