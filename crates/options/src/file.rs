// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finds and reads `<application>.conf` (docs/utilities.md).
//!
//! One line is `key: value`; the first of equal keys counts. Every fault is an
//! error that names file, line and remedy; a file that is there but cannot be
//! read is passed over, as on stock, and said. Nothing here blocks: a fifo is
//! opened without waiting and refused.
#![forbid(unsafe_code)]

#[cfg(test)]
mod tests;

use saslplug::{Code, Error, Result};
use std::ffi::{CStr, CString};
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use zeroize::{Zeroize, Zeroizing};

/// Longest line, as on stock. Comments may be longer.
const LINE: usize = 4095;
/// Longest file: beyond it, it is something else.
const FILE: u64 = 8 * 1024 * 1024;

/// The options of one file. Values never move, so C may keep pointers to them
/// as long as the `Config` lives. They may be passwords: wiped when dropped.
pub struct Config {
    options: Vec<(CString, CString)>,
}

impl Config {
    /// The value of `key`. Keys were lower-cased when read; `key` is compared
    /// as it is, as on stock.
    pub fn get(&self, key: &CStr) -> Option<&CStr> {
        let found = self.options.iter().find(|(name, _)| name.as_c_str() == key);
        found.map(|(_, value)| value.as_c_str())
    }

    /// Reads the options out of `text`; `file` is only named in errors.
    ///
    /// # Errors
    /// `CONFIGERR` with `FILE line N: fault, remedy`.
    pub fn parse(file: &Path, text: &[u8]) -> Result<Self> {
        let mut config = Self {
            options: Vec::new(),
        };
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            if let Some((key, value)) = setting(line).map_err(|why| wrong(file, index, why))? {
                config.add(key, value);
            }
        }
        Ok(config)
    }

    fn add(&mut self, key: &[u8], value: &[u8]) {
        // Neither holds a NUL: parse_line looked.
        if let (Ok(key), Ok(value)) = (CString::new(key.to_ascii_lowercase()), CString::new(value))
        {
            if self.get(&key).is_none() {
                self.options.push((key, value));
            }
        }
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        for (_, value) in &mut self.options {
            value.zeroize();
        }
    }
}

/// The error for the line of number `index`, counted from 0.
pub(crate) fn wrong(file: &Path, index: usize, why: &str) -> Error {
    let text = format!("{} line {}: {why}", file.display(), index + 1);
    Error::with(Code::CONFIGERR, text)
}

/// One option as a file has it.
#[derive(Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name, in lower case, as it is written.
    pub key: String,
    /// Its value, which may be a password.
    pub value: Zeroizing<String>,
    /// Its line, counted from 1.
    pub line: usize,
}

/// All options of a file in its order, with equal names.
///
/// # Errors
/// As [`Config::parse`].
pub fn settings(file: &Path, text: &[u8]) -> Result<Vec<Setting>> {
    let mut all = Vec::new();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let found = setting(line).map_err(|why| wrong(file, index, why))?;
        all.extend(found.map(|(key, value)| Setting {
            key: String::from_utf8_lossy(key).to_ascii_lowercase(),
            value: Zeroizing::new(String::from_utf8_lossy(value).into_owned()),
            line: index + 1,
        }));
    }
    Ok(all)
}

/// A key and its value.
type Pair<'a> = (&'a [u8], &'a [u8]);

/// What a line sets; `None`: it is empty or a comment.
fn setting(line: &[u8]) -> core::result::Result<Option<Pair<'_>>, &'static str> {
    let line = trim_end(line);
    let start = line
        .iter()
        .position(|byte| !is_space(*byte))
        .unwrap_or(line.len());
    let text = line.get(start..).unwrap_or_default();
    if text.is_empty() || text.starts_with(b"#") {
        return Ok(None);
    }
    if text.starts_with(b"\xef\xbb\xbf") {
        return Err("a byte order mark, save the file as plain text without one");
    }
    if text.contains(&0) {
        return Err("a NUL byte, save the file as plain text and not as UTF-16");
    }
    if line.len() > LINE {
        return Err("longer than 4095 bytes, shorten the value");
    }
    split(text).map(Some)
}

/// Cuts a line into key and value.
fn split(text: &[u8]) -> core::result::Result<Pair<'_>, &'static str> {
    let is_key = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let end = text
        .iter()
        .position(|byte| !is_key(byte))
        .unwrap_or(text.len());
    let (key, rest) = text.split_at(end);
    let Some((b':', value)) = rest.split_first() else {
        return Err(match rest.first() {
            None => "no colon, write \"option: value\"",
            Some(b'=') => "'=' instead of a colon, write \"option: value\"",
            Some(byte) if is_space(*byte) => {
                "a blank before the colon or no colon, write \"option: value\""
            }
            Some(_) => "an option's name is made of letters, digits, '_' and '-', correct the name",
        });
    };
    let start = value.iter().position(|byte| !is_space(*byte));
    match start.and_then(|start| value.get(start..)) {
        Some(value) => Ok((key, value)),
        None => Err("no value after the colon, give one or remove the line"),
    }
}

/// C's isspace.
const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn trim_end(line: &[u8]) -> &[u8] {
    let end = line
        .iter()
        .rposition(|byte| !is_space(*byte))
        .map_or(0, |last| last + 1);
    line.get(..end).unwrap_or_default()
}

/// What reading one file gave.
pub enum Reading<T = Config> {
    /// Its options.
    Read(T),
    /// There is no such file.
    Missing,
    /// There is something, but it cannot be read: `FILE: fault, remedy`.
    Unreadable(String),
}

/// Reads one file.
///
/// # Errors
/// `CONFIGERR` when its content is wrong.
pub fn read(file: &Path) -> Result<Reading> {
    read_by(file, Config::parse)
}

/// Reads one file whose content `parse` understands.
///
/// # Errors
/// What `parse` says.
pub fn read_by<T>(
    file: &Path,
    parse: impl FnOnce(&Path, &[u8]) -> Result<T>,
) -> Result<Reading<T>> {
    let unreadable = |fault: &str| Ok(Reading::Unreadable(format!("{}: {fault}", file.display())));
    match load(file) {
        Ok(Ok(mut text)) => {
            let parsed = parse(file, &text);
            text.zeroize();
            parsed.map(Reading::Read)
        }
        Ok(Err(fault)) => unreadable(fault),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(Reading::Missing)
        }
        Err(error) => unreadable(&format!("{error}, let the user of this program read it")),
    }
}

/// The file's bytes, or why it is no configuration file.
fn load(file: &Path) -> io::Result<core::result::Result<Vec<u8>, &'static str>> {
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    let opened: File = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(file)?;
    let kind = opened.metadata()?.file_type();
    if kind.is_dir() {
        return Ok(Err("a folder, put a plain file in its place"));
    }
    if kind.is_fifo() || kind.is_socket() || kind.is_block_device() {
        return Ok(Err("a fifo, socket or disk, put a plain file in its place"));
    }
    let mut text = Vec::new();
    opened.take(FILE + 1).read_to_end(&mut text)?;
    if text.len() as u64 > FILE {
        return Ok(Err(
            "larger than 8 MiB, this cannot be a configuration file",
        ));
    }
    Ok(Ok(text))
}

/// What the search for an application's file found.
pub struct Search {
    /// The options, if a file was read.
    pub config: Option<Config>,
    /// Why files that are there were passed over; worth a line in the log each.
    pub passed_over: Vec<String>,
    /// The last answer of the caller's check when no file was read.
    pub verdict: Code,
}

/// Reads `NAME.conf` from the first of `folders` that has one. `permit` is
/// asked for every path before it is opened, whether there is a file or not;
/// all but `OK` means: not this one.
///
/// # Errors
/// `CONFIGERR` when the file's content is wrong.
pub fn find<'a>(
    folders: impl IntoIterator<Item = &'a Path>,
    name: &CStr,
    mut permit: impl FnMut(&Path) -> Code,
) -> Result<Search> {
    let mut search = Search {
        config: None,
        passed_over: Vec::new(),
        verdict: Code::OK,
    };
    for folder in folders {
        let mut file = folder.as_os_str().to_owned();
        file.push("/");
        file.push(std::ffi::OsStr::from_bytes(name.to_bytes()));
        file.push(".conf");
        let file = PathBuf::from(file);
        search.verdict = permit(&file);
        if search.verdict != Code::OK {
            continue;
        }
        match read(&file)? {
            Reading::Read(config) => {
                search.config = Some(config);
                break;
            }
            Reading::Missing => {}
            Reading::Unreadable(fault) => search.passed_over.push(fault),
        }
    }
    Ok(search)
}
