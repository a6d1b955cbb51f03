// SPDX-License-Identifier: MIT OR Apache-2.0
//! One connection to a server: a non-blocking socket and deadlines by poll.
//!
//! Bytes come in one message at a time. A connection belongs to the process
//! that opened it: another one closes it without a word. SIGPIPE is never
//! raised, EINTR never seen.
#![forbid(unsafe_code)]

use crate::deadline::Deadline;
use crate::protocol::{self, Answer, Malformed};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, SockaddrLike, SockaddrStorage, UnixAddr, connect,
    getsockopt, recv, send, setsockopt, socket, sockopt,
};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::time::Instant;
use zeroize::{Zeroize, Zeroizing};

/// Milliseconds that sent bytes may stay unacknowledged: the other machine is
/// gone, and a kept connection is replaced before the request times out.
const UNACKNOWLEDGED: u32 = 3000;

/// Where to connect to.
#[derive(Clone, Debug)]
pub(crate) enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Address {
    /// Whether a password may go there in clear without leaving the machine.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Self::Unix(_) => true,
        }
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::Tcp(address) => address.to_string(),
            Self::Unix(path) => path.display().to_string(),
        }
    }
}

/// Why a connection is of no more use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Broken {
    /// The server closed it, or said that it will.
    Closed(String),
    /// The deadline passed.
    TimedOut,
    /// What came was no LDAP.
    Malformed(Malformed),
}

impl From<Errno> for Broken {
    fn from(error: Errno) -> Self {
        Self::Closed(format!("the connection broke: {}", error.desc()))
    }
}

/// A connection in use or in the pool.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: OwnedFd,
    pid: u32,
    incoming: Zeroizing<Vec<u8>>,
    last_id: i32,
    last_use: Instant,
}

/// Waits until `socket` is ready for `events`.
fn wait(socket: &OwnedFd, events: PollFlags, deadline: Deadline) -> Result<(), Broken> {
    loop {
        let timeout = deadline.poll_timeout().ok_or(Broken::TimedOut)?;
        match poll(&mut [PollFd::new(socket.as_fd(), events)], timeout) {
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

impl Connection {
    /// Connects within `deadline`.
    pub(crate) fn open(address: &Address, deadline: Deadline) -> Result<Self, Broken> {
        let (family, target): (_, Box<dyn SockaddrLike>) = match address {
            Address::Tcp(address) => {
                let storage = SockaddrStorage::from(*address);
                let v4 = address.is_ipv4();
                (
                    if v4 {
                        AddressFamily::Inet
                    } else {
                        AddressFamily::Inet6
                    },
                    Box::new(storage),
                )
            }
            Address::Unix(path) => (AddressFamily::Unix, Box::new(UnixAddr::new(path)?)),
        };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(family, SockType::Stream, flags, None)?;
        if matches!(address, Address::Tcp(_)) {
            // Without them the connection works, only less well.
            let _ = setsockopt(&socket, sockopt::TcpNoDelay, &true);
            let _ = setsockopt(&socket, sockopt::KeepAlive, &true);
            let _ = setsockopt(&socket, sockopt::TcpUserTimeout, &UNACKNOWLEDGED);
        }
        match connect(socket.as_raw_fd(), &*target) {
            Ok(()) => {}
            Err(Errno::EINPROGRESS | Errno::EINTR) => {
                wait(&socket, PollFlags::POLLOUT, deadline)?;
                match getsockopt(&socket, sockopt::SocketError)? {
                    0 => {}
                    error => return Err(Errno::from_raw(error).into()),
                }
            }
            Err(error) => return Err(error.into()),
        }
        Ok(Self {
            socket,
            pid: std::process::id(),
            incoming: Zeroizing::new(Vec::new()),
            last_id: 0,
            last_use: Instant::now(),
        })
    }

    /// Whether this process opened it.
    pub(crate) fn is_ours(&self) -> bool {
        self.pid == std::process::id()
    }

    /// When it was last used.
    pub(crate) fn last_use(&self) -> Instant {
        self.last_use
    }

    /// Whether it can be used again: nothing has come that nobody asked for.
    /// The end of the connection would have.
    pub(crate) fn is_quiet(&self) -> bool {
        let mut fds = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        self.incoming.is_empty() && matches!(poll(&mut fds, PollTimeout::ZERO), Ok(0))
    }

    /// The id for the next request.
    pub(crate) fn next_id(&mut self) -> i32 {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        self.last_id
    }

    /// Sends a whole message.
    pub(crate) fn send(&mut self, message: &[u8], deadline: Deadline) -> Result<(), Broken> {
        self.last_use = Instant::now();
        let mut rest = message;
        while !rest.is_empty() {
            match send(self.socket.as_raw_fd(), rest, MsgFlags::MSG_NOSIGNAL) {
                Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
                Err(Errno::EAGAIN) => wait(&self.socket, PollFlags::POLLOUT, deadline)?,
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The next answer to request `id`.
    pub(crate) fn receive(&mut self, id: i32, deadline: Deadline) -> Result<Answer, Broken> {
        let (answered, answer) = self.message(deadline)?;
        match answer {
            Answer::Notice(outcome) if answered == 0 => Err(Broken::Closed(format!(
                "it said it will disconnect ({} {} \"{}\")",
                outcome.code,
                protocol::code_name(outcome.code),
                outcome.message
            ))),
            Answer::Notice(_) => Err(Broken::Malformed(
                "it answered something that was not asked",
            )),
            answer if answered == id => Ok(answer),
            _ => Err(Broken::Malformed(
                "it answered with the id of another request",
            )),
        }
    }

    /// One whole message.
    fn message(&mut self, deadline: Deadline) -> Result<(i32, Answer), Broken> {
        loop {
            if let Some(length) = protocol::frame(&self.incoming).map_err(Broken::Malformed)? {
                if let Some(message) = self.incoming.get(..length) {
                    let decoded = protocol::decode(message).map_err(Broken::Malformed);
                    self.consume(length);
                    return decoded;
                }
            }
            self.fill(deadline)?;
        }
    }

    /// Reads what is there, or waits for it.
    fn fill(&mut self, deadline: Deadline) -> Result<(), Broken> {
        let mut chunk = Zeroizing::new([0_u8; 4096]);
        loop {
            match recv(self.socket.as_raw_fd(), &mut *chunk, MsgFlags::empty()) {
                Ok(0) => return Err(Broken::Closed("it closed the connection".to_owned())),
                Ok(count) => {
                    self.append(chunk.get(..count).unwrap_or_default());
                    // A server that drips bytes does not make the clock stop.
                    return deadline.left().map(|_| ()).ok_or(Broken::TimedOut);
                }
                Err(Errno::EAGAIN) => wait(&self.socket, PollFlags::POLLIN, deadline)?,
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Appends without leaving an unwiped copy behind when memory moves.
    fn append(&mut self, bytes: &[u8]) {
        let needed = self.incoming.len() + bytes.len();
        if needed > self.incoming.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.next_power_of_two()));
            larger.extend_from_slice(&self.incoming);
            self.incoming = larger;
        }
        self.incoming.extend_from_slice(bytes);
    }

    fn consume(&mut self, length: usize) {
        let length = length.min(self.incoming.len());
        let rest = self.incoming.len() - length;
        self.incoming.rotate_left(length);
        if let Some(old) = self.incoming.get_mut(rest..) {
            old.zeroize();
        }
        self.incoming.truncate(rest);
    }

    /// Says goodbye, unless another process owns the connection, and closes.
    pub(crate) fn close(mut self) {
        if self.is_ours() {
            let message = protocol::unbind(self.next_id());
            let _ = send(self.socket.as_raw_fd(), &message, MsgFlags::MSG_NOSIGNAL);
        }
    }
}
