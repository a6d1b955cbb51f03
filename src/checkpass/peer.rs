// SPDX-License-Identifier: MIT OR Apache-2.0
//! A conversation with a daemon on a UNIX-domain socket, bounded as a whole: a
//! peer that sends a byte now and then is given up like one that is silent.
#![forbid(unsafe_code)]

use crate::ffi::os;
use saslplug::{Code, Error};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// What stock gives authdaemond; saslauthd gets it too.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// The step that failed, and how.
pub(super) type Failure = (&'static str, io::Error);

/// See the module.
pub(super) struct Peer {
    stream: UnixStream,
    deadline: Instant,
}

fn at(step: &'static str) -> impl Fn(io::Error) -> Failure {
    move |error| match error.kind() {
        // What a socket's time limit looks like.
        io::ErrorKind::WouldBlock => (step, io::ErrorKind::TimedOut.into()),
        _ => (step, error),
    }
}

impl Peer {
    /// Connects; `step` is what to call it when that fails.
    pub(super) fn connect(path: &Path, step: &'static str) -> Result<Self, Failure> {
        let deadline = Instant::now() + PATIENCE;
        let stream = os::connect_unix(path, PATIENCE).map_err(at(step))?;
        Ok(Self { stream, deadline })
    }

    fn left(&self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            Err(io::ErrorKind::TimedOut.into())
        } else {
            Ok(left)
        }
    }

    /// Sends everything.
    pub(super) fn send(&mut self, bytes: &[u8], step: &'static str) -> Result<(), Failure> {
        let left = self.left().map_err(at(step))?;
        self.stream
            .set_write_timeout(Some(left))
            .and_then(|()| os::send_all(self.stream.as_fd(), bytes))
            .map_err(at(step))
    }

    /// Receives something; 0: the peer has closed.
    pub(super) fn receive(
        &mut self,
        buffer: &mut [u8],
        step: &'static str,
    ) -> Result<usize, Failure> {
        loop {
            let received = self.left().and_then(|left| {
                self.stream.set_read_timeout(Some(left))?;
                self.stream.read(buffer)
            });
            match received {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return outcome.map_err(at(step)),
            }
        }
    }

    /// Fills the whole buffer.
    pub(super) fn fill(
        &mut self,
        mut buffer: &mut [u8],
        step: &'static str,
    ) -> Result<(), Failure> {
        while !buffer.is_empty() {
            match self.receive(buffer, step)? {
                0 => return Err((step, io::ErrorKind::UnexpectedEof.into())),
                count => buffer = buffer.get_mut(count..).unwrap_or_default(),
            }
        }
        Ok(())
    }
}

/// The reason for the log and for `sasl_errdetail`.
pub(super) fn error(path: &Path, (step, error): &Failure, remedy: &str) -> Error {
    let why = match error.raw_os_error() {
        Some(errno) => os::error_text(errno),
        None if error.kind() == io::ErrorKind::TimedOut => {
            format!("no answer within {} s", PATIENCE.as_secs())
        }
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "it closed the connection".to_owned()
        }
        None => error.to_string(),
    };
    Error::with(
        Code::FAIL,
        format!("{step}: {why} ({}; {remedy})", path.display()),
    )
}
