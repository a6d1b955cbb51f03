// SPDX-License-Identifier: MIT OR Apache-2.0
//! What kind of file this is, by its content. One file a kind that can be read.
#![forbid(unsafe_code)]

pub(crate) mod berkeley;
pub(crate) mod lmdb;

use crate::bytes::{Order, Source};
use core::fmt;
use saslplug::{Code, Error, Result, Secret};
use std::io;

/// The kinds of files that this crate works on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Berkeley DB, hash access method: Debian's.
    Berkeley,
    /// LMDB: newer upstream builds.
    Lmdb,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Berkeley => "Berkeley DB",
            Self::Lmdb => "LMDB",
        })
    }
}

/// A file that can be read.
#[derive(Debug)]
pub(crate) enum Format {
    /// No byte in it: no record either.
    Empty,
    Berkeley(Box<berkeley::Meta>),
    Lmdb(lmdb::Geometry),
}

/// Bytes that tell the kind.
pub(crate) const HEAD: usize = 512;

/// Other kinds, to be named in the log: offset, bytes, name.
const FOREIGN: &[(usize, &[u8], &str)] = &[
    (12, b"\x62\x31\x05\x00", "a Berkeley DB btree file"),
    (12, b"\x00\x05\x31\x62", "a Berkeley DB btree file"),
    (0, b"\xce\x9a\x57\x13", "a GDBM file"),
    (0, b"\xcf\x9a\x57\x13", "a GDBM file"),
    (0, b"\xcd\x9a\x57\x13", "a GDBM file"),
    (0, b"SQLite format 3\0", "an SQLite file"),
];

/// A file that is broken: what is wrong, and where.
pub(crate) fn damaged(what: impl fmt::Display) -> Error {
    Error::with(
        Code::FAIL,
        format!(
            "damaged: {what}; restore it from a backup, or rebuild it with db5.3_dump -r and db5.3_load"
        ),
    )
}

pub(crate) fn unreadable(what: impl fmt::Display, error: &io::Error) -> Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return damaged(format_args!("the file ends before {what}"));
    }
    Error::with(Code::FAIL, format!("{what}: {error}"))
}

impl Format {
    /// Looks at the beginning of a file of `length` bytes.
    pub(crate) fn of(source: &(impl Source + ?Sized), length: u64) -> Result<Self> {
        if length == 0 {
            return Ok(Self::Empty);
        }
        let mut head = vec![0; HEAD.min(usize::try_from(length).unwrap_or(HEAD))];
        source
            .read(&mut head, 0)
            .map_err(|error| unreadable("the first page", &error))?;
        if let Some(order) = berkeley::order(&head) {
            return Ok(Self::Berkeley(Box::new(berkeley::Meta::parse(
                &head, order,
            )?)));
        }
        if Order::Little.u32(&head, 16) == Some(lmdb::MAGIC) {
            return Ok(Self::Lmdb(lmdb::Geometry::parse(&head)?));
        }
        let kind = FOREIGN
            .iter()
            .find(|(at, magic, _)| head.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
        let kind = kind.map_or("neither Berkeley DB nor LMDB", |(_, _, name)| name);
        Err(Error::with(
            Code::FAIL,
            format!("not a sasldb file: {kind}; look at option sasldb_path"),
        ))
    }

    /// The kind, if there is any content.
    pub(crate) fn kind(&self) -> Option<Kind> {
        match self {
            Self::Empty => None,
            Self::Berkeley(_) => Some(Kind::Berkeley),
            Self::Lmdb(_) => Some(Kind::Lmdb),
        }
    }

    /// The value of a key.
    pub(crate) fn get(
        &self,
        source: &(impl Source + ?Sized),
        key: &[u8],
    ) -> Result<Option<Secret>> {
        match self {
            Self::Empty => Ok(None),
            Self::Berkeley(meta) => meta.get(source, key),
            Self::Lmdb(geometry) => geometry.get(source, key),
        }
    }
}
