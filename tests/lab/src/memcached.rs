// SPDX-License-Identifier: MIT OR Apache-2.0
//! memcached with SASL, and a client for its binary protocol.

#![forbid(unsafe_code)]

use crate::port;
use crate::process::{Process, in_session};
use crate::scratch::Scratch;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The status of a command that went well.
pub const SUCCESS: u16 = 0;
/// The status of a refused authentication, and of any command before one.
pub const REFUSED: u16 = 0x20;

const LIMIT: Duration = Duration::from_secs(20);

/// A running memcached.
#[derive(Debug)]
pub struct Memcached {
    process: Process,
    address: SocketAddr,
}

impl Memcached {
    /// Starts it with these lines in memcached.conf and `NAME=value` words.
    pub fn start(scratch: &Scratch, environment: &[String], sasl: &str) -> io::Result<Self> {
        scratch.file("memcached.conf", sasl)?;
        let address = port::free()?;
        let mut command = in_session("env");
        command
            .args(environment)
            .arg(format!("SASL_CONF_PATH={}", scratch.path().display()))
            .args([
                "memcached",
                "-S",
                "-B",
                "binary",
                "-U",
                "0",
                "-u",
                "root",
                "-vv",
            ])
            .args(["-t", "2", "-l", &address.ip().to_string()])
            .args(["-p", &address.port().to_string()]);
        let mut process =
            Process::start("memcached", &mut command, &scratch.join("memcached.log"))?;
        process.wait_ready(LIMIT, || Ok(!port::refuses(address)))?;
        Ok(Self { process, address })
    }

    /// Its process number.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it printed: with -vv also what libsasl2 logged.
    pub fn output(&self) -> String {
        self.process.output()
    }

    /// A new connection.
    pub fn connect(&self) -> io::Result<Client> {
        let stream = TcpStream::connect_timeout(&self.address, LIMIT)?;
        stream.set_read_timeout(Some(LIMIT))?;
        Ok(Client { stream })
    }
}

/// A connection that speaks the binary protocol.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status word.
    pub status: u16,
    /// Value or message.
    pub value: Vec<u8>,
}

impl Answer {
    /// The value as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.value).into_owned()
    }
}

impl Client {
    /// The mechanisms offered, separated by blanks.
    pub fn mechanisms(&mut self) -> io::Result<String> {
        self.call(0x20, &[], b"", b"").map(|answer| answer.text())
    }

    /// The first message of an exchange.
    pub fn authenticate(&mut self, mechanism: &str, data: &[u8]) -> io::Result<Answer> {
        self.call(0x21, &[], mechanism.as_bytes(), data)
    }

    /// A further message of an exchange.
    pub fn step(&mut self, mechanism: &str, data: &[u8]) -> io::Result<Answer> {
        self.call(0x22, &[], mechanism.as_bytes(), data)
    }

    /// Stores a value.
    pub fn set(&mut self, key: &str, value: &[u8]) -> io::Result<Answer> {
        self.call(0x01, &[0; 8], key.as_bytes(), value)
    }

    /// Reads a value; the answer carries four more bytes (flags) before it.
    pub fn get(&mut self, key: &str) -> io::Result<Answer> {
        self.call(0x00, &[], key.as_bytes(), b"")
    }

    fn call(&mut self, code: u8, extras: &[u8], key: &[u8], value: &[u8]) -> io::Result<Answer> {
        let wide = |_| io::Error::new(io::ErrorKind::InvalidInput, "too long for the protocol");
        let body = extras.len() + key.len() + value.len();
        let mut packet = vec![0x80, code];
        packet.extend(u16::try_from(key.len()).map_err(wide)?.to_be_bytes());
        packet.push(u8::try_from(extras.len()).map_err(wide)?);
        packet.extend([0; 3]);
        packet.extend(u32::try_from(body).map_err(wide)?.to_be_bytes());
        packet.extend([0; 12]);
        packet.extend(extras.iter().chain(key).chain(value));
        self.stream.write_all(&packet)?;
        self.answer()
    }

    fn answer(&mut self) -> io::Result<Answer> {
        let mut header = [0_u8; 24];
        self.stream.read_exact(&mut header)?;
        let [0x81, _, _, _, _, _, high, low, a, b, c, d, ..] = header else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("not an answer: {header:?}"),
            ));
        };
        let length = u64::from(u32::from_be_bytes([a, b, c, d]));
        let mut value = Vec::new();
        Read::by_ref(&mut self.stream)
            .take(length)
            .read_to_end(&mut value)?;
        Ok(Answer {
            status: u16::from_be_bytes([high, low]),
            value,
        })
    }
}
