// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes to and from a server: a non-blocking socket, deadlines by poll, and
//! TLS around it where it is wanted.
//!
//! SIGPIPE is never raised, EINTR never seen.
#![forbid(unsafe_code)]

use crate::deadline::Deadline;
use crate::protocol::Malformed;
#[cfg(feature = "tls")]
use crate::tls;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, SockaddrLike, SockaddrStorage, UnixAddr, connect,
    getsockopt, recv, send, setsockopt, socket, sockopt,
};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::PathBuf;

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

/// A connected socket.
#[derive(Debug)]
pub(crate) struct Socket(OwnedFd);

impl Socket {
    /// Begins to connect; tells whether that is done already.
    pub(crate) fn begin(address: &Address) -> Result<(Self, bool), Broken> {
        let (family, target): (_, Box<dyn SockaddrLike>) = match address {
            Address::Tcp(address) => {
                let family = match address.is_ipv4() {
                    true => AddressFamily::Inet,
                    false => AddressFamily::Inet6,
                };
                (family, Box::new(SockaddrStorage::from(*address)))
            }
            Address::Unix(path) => (AddressFamily::Unix, Box::new(UnixAddr::new(path)?)),
        };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = Self(socket(family, SockType::Stream, flags, None)?);
        if matches!(address, Address::Tcp(_)) {
            // Without them the connection works, only less well.
            let _ = setsockopt(&socket.0, sockopt::TcpNoDelay, &true);
            let _ = setsockopt(&socket.0, sockopt::KeepAlive, &true);
            let _ = setsockopt(&socket.0, sockopt::TcpUserTimeout, &UNACKNOWLEDGED);
        }
        match connect(socket.0.as_raw_fd(), &*target) {
            Ok(()) => Ok((socket, true)),
            Err(Errno::EINPROGRESS | Errno::EINTR) => Ok((socket, false)),
            Err(error) => Err(error.into()),
        }
    }

    /// The socket, if the connection that was begun is there.
    pub(crate) fn connected(self) -> Result<Self, Broken> {
        match getsockopt(&self.0, sockopt::SocketError)? {
            0 => Ok(self),
            error => Err(Errno::from_raw(error).into()),
        }
    }

    /// Which of `sockets` is connected, or will never be; `None` when `deadline`
    /// comes first.
    pub(crate) fn first_writable(sockets: &[&Self], deadline: Deadline) -> Option<usize> {
        let mut fds: Vec<PollFd<'_>> = sockets
            .iter()
            .map(|socket| PollFd::new(socket.0.as_fd(), PollFlags::POLLOUT))
            .collect();
        match poll(&mut fds, deadline.poll_timeout()?) {
            Ok(0) | Err(Errno::EINTR) => None,
            Ok(_) => fds.iter().position(|fd| fd.any().unwrap_or(true)),
            // What is wrong shows when the socket is used.
            Err(_) => Some(0),
        }
    }

    /// Waits until the socket is ready for `events`.
    pub(crate) fn wait(&self, events: PollFlags, deadline: Deadline) -> Result<(), Broken> {
        loop {
            let timeout = deadline.poll_timeout().ok_or(Broken::TimedOut)?;
            match poll(&mut [PollFd::new(self.0.as_fd(), events)], timeout) {
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether nothing has come; the end of the connection would have.
    fn is_quiet(&self) -> bool {
        let mut fds = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        matches!(poll(&mut fds, PollTimeout::ZERO), Ok(0))
    }

    fn send_now(&self, bytes: &[u8]) -> Result<usize, Errno> {
        loop {
            match send(self.0.as_raw_fd(), bytes, MsgFlags::MSG_NOSIGNAL) {
                Err(Errno::EINTR) => {}
                result => return result,
            }
        }
    }

    fn receive_now(&self, into: &mut [u8]) -> Result<usize, Errno> {
        loop {
            match recv(self.0.as_raw_fd(), into, MsgFlags::empty()) {
                Err(Errno::EINTR) => {}
                result => return result,
            }
        }
    }
}

impl io::Read for Socket {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.receive_now(into).map_err(io::Error::from)
    }
}

impl io::Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.send_now(bytes).map_err(io::Error::from)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The way to a server.
#[derive(Debug)]
pub(crate) enum Transport {
    /// As it is.
    Clear(Socket),
    /// Inside TLS.
    #[cfg(feature = "tls")]
    Tls(Box<tls::Stream>),
}

impl Transport {
    /// Sends some of `bytes`, waiting if it must.
    pub(crate) fn send(&mut self, bytes: &[u8], deadline: Deadline) -> Result<usize, Broken> {
        match self {
            Self::Clear(socket) => loop {
                match socket.send_now(bytes) {
                    Ok(sent) => return Ok(sent),
                    Err(Errno::EAGAIN) => socket.wait(PollFlags::POLLOUT, deadline)?,
                    Err(error) => return Err(error.into()),
                }
            },
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.send(bytes, deadline),
        }
    }

    /// Sends `bytes` if that is possible at once.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) {
        match self {
            Self::Clear(socket) => {
                let _ = socket.send_now(bytes);
            }
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.say_goodbye(bytes),
        }
    }

    /// Receives what is there, or waits for it; 0 at the end.
    pub(crate) fn receive(&mut self, into: &mut [u8], deadline: Deadline) -> Result<usize, Broken> {
        match self {
            Self::Clear(socket) => loop {
                match socket.receive_now(into) {
                    Ok(count) => return Ok(count),
                    Err(Errno::EAGAIN) => socket.wait(PollFlags::POLLIN, deadline)?,
                    Err(error) => return Err(error.into()),
                }
            },
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.receive(into, deadline),
        }
    }

    /// Whether nothing has come that nobody asked for.
    pub(crate) fn is_quiet(&self) -> bool {
        match self {
            Self::Clear(socket) => socket.is_quiet(),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.is_quiet() && stream.socket().is_quiet(),
        }
    }

    /// Whether others on the way can read nothing.
    pub(crate) fn is_encrypted(&self) -> bool {
        !matches!(self, Self::Clear(_))
    }
}
