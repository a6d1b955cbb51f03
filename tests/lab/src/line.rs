// SPDX-License-Identifier: MIT OR Apache-2.0
//! A connection that speaks in lines.

#![forbid(unsafe_code)]

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

/// The connection.
#[derive(Debug)]
pub struct Line {
    stream: BufReader<TcpStream>,
}

impl Line {
    /// Connects.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        Self::over(TcpStream::connect_timeout(&address, LIMIT)?)
    }

    /// Uses a connection; it waits so long for a line and no longer.
    pub fn over(stream: TcpStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(LIMIT))?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// Sends a line.
    pub fn say(&mut self, line: &str) -> io::Result<()> {
        write!(self.stream.get_mut(), "{line}\r\n")
    }

    /// A line without its end.
    pub fn hear(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the connection was closed",
            ));
        }
        Ok(line.trim_end().to_owned())
    }

    /// Lines to the first that begins with `mark`.
    pub fn hear_until(&mut self, mark: &str) -> io::Result<String> {
        let mut text = String::new();
        loop {
            let line = self.hear()?;
            text.push_str(&line);
            text.push('\n');
            if line.starts_with(mark) {
                return Ok(text);
            }
        }
    }

    /// Sends a line; the line that follows.
    pub fn ask(&mut self, line: &str) -> io::Result<String> {
        self.say(line)?;
        self.hear()
    }
}
