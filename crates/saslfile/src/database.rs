// SPDX-License-Identifier: MIT OR Apache-2.0
//! The file as a plugin uses it: a handle kept open, one `stat` a lookup.
//!
//! Nothing but `pread` happens on the handle, so a fork may share it. A program
//! that closes all descriptors may leave ours to another file: whatever reads
//! badly is opened anew, and a descriptor that is not ours is not closed.
#![forbid(unsafe_code)]

use crate::bytes::Source;
use crate::format::Format;
use crate::key::Key;
use crate::update::Change;
use crate::{Kind, format, scan, update};
use saslplug::{Code, Error, Result, Secret};
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::fd::IntoRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How often a reading is repeated while somebody writes in place.
const TRIES: u32 = 6;

/// Where the file is, and LMDB's numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// The file.
    pub path: PathBuf,
    /// Bytes that an LMDB file may grow to.
    pub map_size: usize,
    /// Readers of an LMDB file at once.
    pub max_readers: u32,
}

impl Options {
    /// The defaults, for a file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            map_size: 1 << 20,
            max_readers: 126,
        }
    }
}

/// A password file.
#[derive(Debug)]
pub struct Database {
    options: Options,
    kept: Mutex<Option<Arc<Opened>>>,
}

/// What tells one state of a file from another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stamp {
    file: (u64, u64),
    size: u64,
    modified: (i64, i64),
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        Self {
            file: (metadata.dev(), metadata.ino()),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

#[derive(Debug)]
struct Opened {
    file: Option<File>,
    stamp: Stamp,
    format: Format,
}

impl Drop for Opened {
    fn drop(&mut self) {
        let Some(file) = self.file.take() else { return };
        let ours = file
            .metadata()
            .is_ok_and(|metadata| Stamp::from(&metadata).file == self.stamp.file);
        if !ours {
            // Somebody closed it and the number belongs to another file now.
            let _ = file.into_raw_fd();
        }
    }
}

/// Opens a file for reading; a fifo does not make us wait.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a file"));
    }
    Ok(file)
}

/// An error with the file's name in front.
pub(crate) fn named(path: &Path, error: &Error) -> Error {
    Error::with(
        error.code(),
        format!("{}: {}", path.display(), error.reason()),
    )
}

fn refused(path: &Path, error: &io::Error) -> Error {
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            " (on Debian the file belongs to group sasl: add the service's user to it)"
        }
        _ => " (option sasldb_path)",
    };
    Error::with(
        Code::FAIL,
        format!("cannot open {}: {error}{remedy}", path.display()),
    )
}

impl Opened {
    fn at(path: &Path) -> Result<Option<Self>> {
        let file = match open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(refused(path, &error)),
        };
        let metadata = file.metadata().map_err(|error| refused(path, &error))?;
        let format = Format::of(&file, metadata.len()).map_err(|error| named(path, &error))?;
        Ok(Some(Self {
            stamp: Stamp::from(&metadata),
            format,
            file: Some(file),
        }))
    }

    fn source(&self) -> Result<&File> {
        self.file
            .as_ref()
            .ok_or_else(|| Error::new(Code::FAIL, "the file was closed"))
    }

    fn values(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Secret>>> {
        let file = self.source()?;
        keys.iter().map(|key| self.format.get(file, key)).collect()
    }
}

impl Database {
    /// A file; nothing is opened yet.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            kept: Mutex::new(None),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.options.path
    }

    /// The handle, for a file in the state that it has now; `None`: no file.
    /// The flag tells whether it was opened just now.
    fn opened(&self, anew: bool) -> Result<Option<(Arc<Opened>, bool)>> {
        // Where another thread is at it (or was, when we were forked), this
        // lookup has a handle of its own.
        let Ok(mut kept) = self.kept.try_lock() else {
            return Ok(Opened::at(self.path())?.map(|opened| (Arc::new(opened), true)));
        };
        if let Some(opened) = kept.as_ref().filter(|_| !anew) {
            let now = std::fs::metadata(self.path());
            if now.is_ok_and(|metadata| Stamp::from(&metadata) == opened.stamp) {
                return Ok(Some((Arc::clone(opened), false)));
            }
        }
        *kept = None;
        *kept = Opened::at(self.path())?.map(Arc::new);
        Ok(kept.as_ref().map(|opened| (Arc::clone(opened), true)))
    }

    /// The values of `properties` of a user; `None`: no such user. A user is
    /// who has a `userPassword` or one of the properties.
    ///
    /// # Errors
    /// `FAIL` with the reason when the file cannot be read.
    pub fn lookup(
        &self,
        user: &[u8],
        realm: &[u8],
        properties: &[&[u8]],
    ) -> Result<Option<Vec<Option<Secret>>>> {
        let key = |property| {
            Key {
                user,
                realm,
                property,
            }
            .encode()
        };
        let mut keys = Vec::with_capacity(properties.len().saturating_add(1));
        for property in properties {
            keys.push(key(property)?);
        }
        if !properties.contains(&&b"userPassword"[..]) {
            keys.push(key(b"userPassword")?);
        }
        let Some(mut values) = self.values(&keys)? else {
            return Ok(None);
        };
        if values.iter().all(Option::is_none) {
            return Ok(None);
        }
        values.truncate(properties.len());
        Ok(Some(values))
    }

    fn values(&self, keys: &[Vec<u8>]) -> Result<Option<Vec<Option<Secret>>>> {
        let mut anew = false;
        let mut failure = Error::bare(Code::FAIL);
        for attempt in 0..TRIES {
            let outcome = self.opened(anew).and_then(|opened| match opened {
                None => Ok(None),
                Some((opened, fresh)) => match opened.values(keys) {
                    // Within one tick of the clock a file may change unseen.
                    Ok(values) if !fresh && values.iter().all(Option::is_none) => {
                        Err(Error::bare(Code::TRYAGAIN))
                    }
                    Ok(values) => Ok(Some(values)),
                    Err(error) => Err(named(self.path(), &error)),
                },
            });
            match outcome {
                Ok(values) => return Ok(values),
                Err(error) if error.code() == Code::TRYAGAIN && attempt == 0 => {}
                Err(error) => {
                    failure = error;
                    thread::sleep(Duration::from_millis(2));
                }
            }
            anew = true;
        }
        Err(failure)
    }

    /// Whether the file is there.
    pub fn exists(&self) -> bool {
        self.path().exists()
    }

    /// What kind of file it is; `None`: there is none, or it is empty.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn kind(&self) -> Result<Option<Kind>> {
        Ok(Opened::at(self.path())?.and_then(|opened| opened.format.kind()))
    }

    /// Shows every record that has a key of this kind of file.
    ///
    /// # Errors
    /// Why the file cannot be read; `NOUSER` when there is none.
    pub fn each(&self, show: &mut dyn FnMut(Key<'_>, Secret)) -> Result<()> {
        let none = || {
            Error::with(
                Code::NOUSER,
                format!("{} does not exist", self.path().display()),
            )
        };
        let mut failure = None;
        for _ in 0..TRIES {
            let opened = Opened::at(self.path())?.ok_or_else(none)?;
            let mut all = Vec::new();
            let file = opened.source()?;
            let walked = scan::walk(file, &opened.format, &mut |key, value| {
                all.push((key.to_vec(), value))
            });
            let now = Stamp::from(
                &file
                    .metadata()
                    .map_err(|error| refused(self.path(), &error))?,
            );
            match walked {
                Ok(()) if now == opened.stamp => {
                    for (key, value) in all {
                        if let Some(key) = Key::decode(&key) {
                            show(key, value);
                        }
                    }
                    return Ok(());
                }
                outcome => failure = outcome.err(),
            }
            thread::sleep(Duration::from_millis(2));
        }
        let busy = Error::new(Code::TRYAGAIN, "the file is being written all the time");
        Err(named(self.path(), &failure.unwrap_or(busy)))
    }

    /// Applies changes, all or none. A file that is not there is made, with
    /// mode 0660 and group `sasl`.
    ///
    /// # Errors
    /// Why nothing was written.
    pub fn change(&self, changes: &[Change]) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        update::run(&self.options, None, changes)
    }

    /// The same, for a file that is to be made in the given format.
    ///
    /// # Errors
    /// As [`Database::change`]; `FAIL` when the file is there already.
    pub fn create(&self, kind: Kind, changes: &[Change]) -> Result<()> {
        update::run(&self.options, Some(kind), changes)
    }

    /// Whether this process may write the file or make it.
    pub fn is_writable(&self) -> bool {
        match OpenOptions::new()
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(self.path())
        {
            Ok(_) => true,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}

/// All bytes of a file that nobody changes meanwhile.
pub(crate) fn image(file: &File) -> Result<(Vec<u8>, Stamp)> {
    let failed = |error: io::Error| format::unreadable("the file", &error);
    let before = file.metadata().map_err(failed)?;
    let length = usize::try_from(before.len()).unwrap_or(usize::MAX);
    if length > 1 << 31 {
        return Err(Error::new(Code::FAIL, "the file is larger than 2 GiB"));
    }
    let mut bytes = vec![0; length];
    file.read(&mut bytes, 0).map_err(failed)?;
    let after = file.metadata().map_err(failed)?;
    if Stamp::from(&before) != Stamp::from(&after) {
        return Err(Error::new(
            Code::TRYAGAIN,
            "the file changed while it was read",
        ));
    }
    Ok((bytes, Stamp::from(&after)))
}
