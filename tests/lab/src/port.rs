// SPDX-License-Identifier: MIT OR Apache-2.0
//! TCP ports on loopback: one that is free now, one that answers by a
//! deadline, one that nobody listens on.

#![forbid(unsafe_code)]

use crate::process;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// A loopback address that nobody listens on now.
pub fn free() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// Waits until `address` accepts connections; an error after `limit`.
pub fn wait_open(address: SocketAddr, limit: Duration) -> io::Result<()> {
    process::wait_until(limit, &format!("{address} to accept connections"), || {
        Ok(TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok())
    })
}

/// Whether a connection to `address` is refused at once.
pub fn refuses(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, Duration::from_millis(500))
        .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}
