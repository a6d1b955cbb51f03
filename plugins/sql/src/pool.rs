// SPDX-License-Identifier: MIT OR Apache-2.0
//! Connections that stay open between lookups. One that a fork or a daemon's
//! closing of descriptors took from us is forgotten, not closed.
#![forbid(unsafe_code)]

use crate::engine::{Connection, Engine, Failure, Server};
use crate::ffi;
use saslplug::{Code, Error, Host, Level, Result};
use std::process;
use std::sync::{Mutex, PoisonError};

/// Connections kept at most; more threads at once make their own.
const MOST: usize = 4;

struct Kept {
    process: u32,
    connection: Box<dyn Connection>,
}

/// See the module.
pub(crate) struct Pool {
    server: Server,
    kept: Mutex<Vec<Kept>>,
}

type Outcome<T> = core::result::Result<T, Failure>;

impl Pool {
    pub(crate) fn new(server: Server) -> Self {
        Self {
            server,
            kept: Mutex::new(Vec::new()),
        }
    }

    fn idle(&self) -> Option<Box<dyn Connection>> {
        loop {
            // A lock that a fork left behind locked stays so: no waiting.
            let kept = self.kept.try_lock().ok()?.pop()?;
            if kept.process == process::id() && kept.connection.is_ours() {
                return Some(kept.connection);
            }
            kept.connection.forget();
        }
    }

    fn keep(&self, connection: Box<dyn Connection>) {
        if self.server.engine == Engine::Sqlite {
            return; // opening a file is cheap, and its locks die with any descriptor
        }
        if let Ok(mut kept) = self.kept.try_lock() {
            if kept.len() < MOST {
                kept.push(Kept {
                    process: process::id(),
                    connection,
                });
            }
        }
    }

    /// Runs `work` on a connection; a kept one that was lost is replaced once.
    /// `all_or_nothing`: in a transaction.
    ///
    /// # Errors
    /// `UNAVAIL` when no server answers, `FAIL` when one refuses.
    pub(crate) fn run<T>(
        &self,
        host: &dyn Host,
        all_or_nothing: bool,
        work: &mut dyn FnMut(&mut dyn Connection) -> Outcome<T>,
    ) -> Result<T> {
        if let Some(mut connection) = self.idle() {
            match attempt(&mut *connection, all_or_nothing, work) {
                Ok(result) => {
                    self.keep(connection);
                    return Ok(result);
                }
                Err(failure) if failure.lost => {
                    host.log(
                        Level::Note,
                        format_args!("sql: {}; trying again", failure.reason),
                    );
                }
                Err(failure) => {
                    self.keep(connection);
                    return Err(refused(failure));
                }
            }
        }
        let mut connection = self.connect(host)?;
        match attempt(&mut *connection, all_or_nothing, work) {
            Ok(result) => {
                self.keep(connection);
                Ok(result)
            }
            Err(failure) => Err(refused(failure)),
        }
    }

    /// The first server that answers.
    fn connect(&self, host: &dyn Host) -> Result<Box<dyn Connection>> {
        let none = [(String::new(), None)];
        let hosts = if self.server.hosts.is_empty() {
            &none[..]
        } else {
            &self.server.hosts
        };
        let mut last = Failure::of("no server".into());
        for (name, port) in hosts {
            match ffi::connect(&self.server, name, *port) {
                Ok(connection) => return Ok(connection),
                Err(failure) => {
                    let shown = if name.is_empty() {
                        "the local server"
                    } else {
                        name
                    };
                    let reason = format!("cannot connect to {shown}: {}", failure.reason);
                    host.log(Level::Err, format_args!("sql: {reason}"));
                    last = Failure::lost(reason);
                }
            }
        }
        Err(Error::with(Code::UNAVAIL, last.reason).silent())
    }
}

fn refused(failure: Failure) -> Error {
    let code = if failure.lost {
        Code::UNAVAIL
    } else {
        Code::FAIL
    };
    Error::with(code, failure.reason)
}

fn attempt<T>(
    connection: &mut dyn Connection,
    all_or_nothing: bool,
    work: &mut dyn FnMut(&mut dyn Connection) -> Outcome<T>,
) -> Outcome<T> {
    if !all_or_nothing {
        return work(connection);
    }
    connection.query("BEGIN", &[])?;
    match work(connection) {
        Ok(result) => connection.query("COMMIT", &[]).map(|_| result),
        Err(failure) => {
            if !failure.lost {
                // What failed matters more than how it was undone.
                let _ = connection.query("ROLLBACK", &[]);
            }
            Err(failure)
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let kept = core::mem::take(self.kept.get_mut().unwrap_or_else(PoisonError::into_inner));
        for kept in kept {
            if kept.process != process::id() || !kept.connection.is_ours() {
                kept.connection.forget();
            }
        }
    }
}
