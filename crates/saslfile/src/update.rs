// SPDX-License-Identifier: MIT OR Apache-2.0
//! Changes to a file, so that a reader or a crash sees the old or the new state.
//!
//! Berkeley DB without an environment has neither locks nor a log. So the file
//! is locked (`flock`, among us), copied, changed, checked and renamed over the
//! original. Stock's tools lock nothing and write in place; what one of them
//! writes into the file that was just replaced is found there once it has
//! closed it, and carried over. LMDB does all this by itself.
#![forbid(unsafe_code)]

mod place;

use crate::database::{Options, Stamp, image, named, open};
use crate::format::{Format, Kind};
use crate::{LONGEST_VALUE, ffi, scan};
use place::Place;
use saslplug::{Code, Error, Result, Secret};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long to wait for other writers.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a stock writer may keep a replaced file open.
const SETTLE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(2);

/// A record to be set or removed.
#[derive(Clone, Debug)]
pub struct Change {
    key: Vec<u8>,
    value: Option<Secret>,
}

impl Change {
    /// The record of `key` gets this value; `None` removes it.
    ///
    /// # Errors
    /// `BUFOVER` for a value that stock could not read back, and what
    /// [`Key::encode`](crate::Key::encode) refuses.
    pub fn new(key: crate::Key<'_>, value: Option<Secret>) -> Result<Self> {
        if value
            .as_ref()
            .is_some_and(|value| value.len() > LONGEST_VALUE)
        {
            let why = format!("sasldb holds values of up to {LONGEST_VALUE} bytes");
            return Err(Error::with(Code::BUFOVER, why));
        }
        Ok(Self {
            key: key.encode()?,
            value,
        })
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    pub(crate) fn value(&self) -> Option<&Secret> {
        self.value.as_ref()
    }
}

/// One writer at a time in a process: `flock` knows processes' files only, and
/// LMDB wants one environment.
static ONE: Mutex<()> = Mutex::new(());

/// Applies `changes`; `create`: to a file of this kind that must be new.
pub(crate) fn run(options: &Options, create: Option<Kind>, changes: &[Change]) -> Result<()> {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    // A link stays a link: what it points to is replaced.
    let path = fs::canonicalize(&options.path).unwrap_or_else(|_| options.path.clone());
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt(&path, options, create, changes) {
            Err(error) if error.code() == Code::TRYAGAIN && Instant::now() < deadline => {
                thread::sleep(PAUSE);
            }
            outcome => return outcome.map_err(|error| named(&options.path, &error)),
        }
    }
}

fn again(why: &'static str) -> Error {
    Error::new(Code::TRYAGAIN, why)
}

/// What a system call refused.
pub(crate) fn refused(what: &str, error: &io::Error) -> Error {
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            " (run it as root, or as a member of the file's group)"
        }
        io::ErrorKind::StorageFull => " (nothing was changed)",
        _ => "",
    };
    Error::with(Code::FAIL, format!("{what}: {error}{remedy}"))
}

/// The file, locked, and still the one that has the name.
fn locked(path: &Path, create: Option<Kind>) -> Result<File> {
    let file = match open(path) {
        Ok(_) if create.is_some() => {
            return Err(Error::new(
                Code::FAIL,
                "there is a file of that name already",
            ));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut fresh = OpenOptions::new();
            fresh.read(true).write(true).create_new(true).mode(0o600);
            fresh.open(path).map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => again("made by another process"),
                _ => refused("cannot be made", &error),
            })?;
            open(path)
        }
        outcome => outcome,
    };
    let file = file.map_err(|error| refused("cannot be opened", &error))?;
    if !ffi::try_lock(&file).map_err(|error| refused("cannot be locked", &error))? {
        return Err(again("another process is writing the file (waited 30 s)"));
    }
    let same = |metadata: fs::Metadata| {
        file.metadata()
            .is_ok_and(|ours| Stamp::from(&ours) == Stamp::from(&metadata))
    };
    if !fs::metadata(path).is_ok_and(same) {
        return Err(again("the file was replaced"));
    }
    Ok(file)
}

fn attempt(path: &Path, options: &Options, create: Option<Kind>, changes: &[Change]) -> Result<()> {
    let file = locked(path, create)?;
    let (base, stamp) = image(&file)?;
    let format = Format::of(&base[..], u64::try_from(base.len()).unwrap_or(u64::MAX))?;
    // A library in C sees whole files only. While somebody writes in place, a
    // file looks damaged for a moment.
    let before = scan::collect(&base).map_err(|error| match ffi::is_unwritten(&file) {
        Some(false) => again("the file is being written"),
        _ => error,
    })?;
    let wanted = changes
        .iter()
        .filter(|change| before.get(change.key()) != change.value());
    let wanted: Vec<Change> = wanted.cloned().collect();
    if wanted.is_empty() && !base.is_empty() {
        return Ok(());
    }
    let outcome = match format.kind().or(create).unwrap_or(Kind::Berkeley) {
        Kind::Lmdb => lmdb(path, &file, base.is_empty(), options, &wanted),
        Kind::Berkeley => berkeley(path, &file, &base, stamp, &wanted),
    };
    if outcome.is_err() && base.is_empty() && create.is_some() {
        // Made above, for nothing; the error tells the story.
        let _ = fs::remove_file(path);
    }
    outcome
}

fn lmdb(
    path: &Path,
    file: &File,
    fresh: bool,
    options: &Options,
    changes: &[Change],
) -> Result<()> {
    if fresh {
        // LMDB makes its own; ours was only the name.
        place::settle_owner(path, file)?;
    }
    ffi::write_lmdb(
        path,
        options.map_size.max(1 << 16),
        options.max_readers.max(1),
        changes,
    )?;
    if fresh {
        // Readers through LMDB write here.
        let mut name = path.as_os_str().to_owned();
        name.push("-lock");
        let name = PathBuf::from(name);
        let lock = open(&name).map_err(|error| refused("its lock file", &error))?;
        place::settle_owner(&name, &lock)?;
    }
    Ok(())
}

fn berkeley(path: &Path, file: &File, base: &[u8], stamp: Stamp, changes: &[Change]) -> Result<()> {
    let place = Place::of(path, file)?;
    let mut copy = place.copy(base)?;
    ffi::write_berkeley(copy.path(), base.is_empty(), changes)?;
    verify(copy.path(), changes)?;
    let now = fs::metadata(path).map(|metadata| Stamp::from(&metadata));
    if now.ok() != Some(stamp) {
        return Err(again("the file changed meanwhile"));
    }
    let replaced = place.put(&mut copy, base)?;
    if replaced && !base.is_empty() {
        carry_over(path, file, base, changes)?;
    }
    Ok(())
}

/// Reads the copy back: what is not in it must not take the file's place.
fn verify(copy: &Path, changes: &[Change]) -> Result<()> {
    let file = open(copy).map_err(|error| refused("the copy cannot be read", &error))?;
    let records = scan::collect(&image(&file)?.0)?;
    match changes
        .iter()
        .all(|change| records.get(change.key()) == change.value())
    {
        true => Ok(()),
        false => Err(Error::new(
            Code::FAIL,
            "what Berkeley DB wrote does not read back",
        )),
    }
}

/// What a stock tool wrote into the replaced file, after we had read it, is
/// applied to the new one. Our own change of the same record is the newer one.
fn carry_over(path: &Path, old: &File, base: &[u8], ours: &[Change]) -> Result<()> {
    let deadline = Instant::now() + SETTLE;
    loop {
        match ffi::is_unwritten(old) {
            Some(true) => break,
            Some(false) if Instant::now() < deadline => thread::sleep(PAUSE),
            // Without leases: the time that a stock tool needs.
            None => {
                thread::sleep(Duration::from_millis(20));
                break;
            }
            Some(false) => break,
        }
    }
    let (late, _) = image(old)?;
    if late == base {
        return Ok(());
    }
    let (before, after) = (scan::collect(base)?, scan::collect(&late)?);
    let untouched = |key: &[u8]| ours.iter().all(|change| change.key() != key);
    let set = after
        .iter()
        .filter(|(key, value)| before.get(*key) != Some(*value));
    let set = set.map(|(key, value)| Change {
        key: key.clone(),
        value: Some(value.clone()),
    });
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    let gone = gone.map(|key| Change {
        key: key.clone(),
        value: None,
    });
    let changes: Vec<Change> = set
        .chain(gone)
        .filter(|change| untouched(change.key()))
        .collect();
    if changes.is_empty() {
        return Ok(());
    }
    let options = Options::new(PathBuf::from(path));
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt(path, &options, None, &changes) {
            Err(error) if error.code() == Code::TRYAGAIN && Instant::now() < deadline => {
                thread::sleep(PAUSE);
            }
            outcome => return outcome,
        }
    }
}
