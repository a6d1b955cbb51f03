// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a database engine is to the plugin. The engines themselves are in
//! `ffi`: each is a C library that is opened at run time.
#![forbid(unsafe_code)]

use crate::statement::Parameter;
use saslplug::Secret;
use std::time::Duration;

/// How statements are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Dialect {
    /// Markers are `?`; `"` quotes values too, where no name fits.
    Marked,
    /// Markers are `?`, and a backslash escapes.
    Backslash,
    /// Markers are `$1`, `$2`, …; `"` quotes names.
    Numbered,
}

/// The engines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Engine {
    Mysql,
    Pgsql,
    Sqlite,
}

impl Engine {
    /// By the words of option `sql_engine`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "mysql" | "mariadb" => Self::Mysql,
            "pgsql" | "postgresql" | "postgres" => Self::Pgsql,
            "sqlite" | "sqlite3" => Self::Sqlite,
            _ => return None,
        })
    }

    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Self::Mysql => Dialect::Backslash,
            Self::Pgsql => Dialect::Numbered,
            Self::Sqlite => Dialect::Marked,
        }
    }
}

/// Where the database is.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) engine: Engine,
    /// Host and port; empty: the engine's local socket.
    pub(crate) hosts: Vec<(String, Option<u16>)>,
    pub(crate) user: String,
    pub(crate) password: Secret,
    pub(crate) database: String,
    pub(crate) tls: Tls,
    pub(crate) patience: Duration,
}

/// Protection of the connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Tls {
    No,
    /// Encrypted, whoever the server is.
    Encrypted,
    /// Encrypted, with a certificate that this file's authorities signed.
    Verified(String),
}

/// Why something failed. The reason shows no parameter.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) reason: String,
    /// The connection is of no more use.
    pub(crate) lost: bool,
}

impl Failure {
    pub(crate) fn of(reason: String) -> Self {
        Self {
            reason,
            lost: false,
        }
    }

    pub(crate) fn lost(reason: String) -> Self {
        Self { reason, lost: true }
    }
}

/// The values of a row; `None` is NULL.
pub(crate) type Row = Vec<Option<Secret>>;

/// A connection to a server.
pub(crate) trait Connection: Send {
    /// Runs a statement; at most two rows come back.
    fn query(&mut self, text: &str, parameters: &[Parameter]) -> Result<Vec<Row>, Failure>;

    /// Whether the connection's socket is still the one that was opened, and
    /// whether it may be kept at all.
    fn is_ours(&self) -> bool;

    /// Gives it up without a word: it belongs to our parent process, or its
    /// socket's number to somebody else.
    fn forget(self: Box<Self>);
}
