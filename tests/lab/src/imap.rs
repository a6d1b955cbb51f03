// SPDX-License-Identifier: MIT OR Apache-2.0
//! A small IMAP client (RFC 3501) that does without libsasl2: LOGIN,
//! AUTHENTICATE PLAIN and AUTHENTICATE LOGIN, right and wrong.

#![forbid(unsafe_code)]

use crate::base64;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// No answer may take longer than this.
const LIMIT: Duration = Duration::from_secs(20);

/// How a client logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The LOGIN command, which makes imapd call `sasl_checkpass`.
    LoginCommand,
    /// AUTHENTICATE PLAIN, with an empty challenge first.
    Plain,
    /// AUTHENTICATE LOGIN: name and password asked for one by one.
    Login,
}

impl Method {
    /// All three.
    pub const ALL: [Self; 3] = [Self::LoginCommand, Self::Plain, Self::Login];

    /// What the client types.
    pub fn name(self) -> &'static str {
        match self {
            Self::LoginCommand => "LOGIN command",
            Self::Plain => "AUTHENTICATE PLAIN",
            Self::Login => "AUTHENTICATE LOGIN",
        }
    }
}

/// The server's last word on a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whether it was OK.
    pub ok: bool,
    /// The tagged line, without the tag.
    pub text: String,
    /// The untagged lines before it.
    pub untagged: Vec<String>,
}

/// A connection to an IMAP server.
#[derive(Debug)]
pub struct Imap {
    stream: BufReader<TcpStream>,
    next: u32,
}

impl Imap {
    /// Connects and reads the greeting.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, LIMIT)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.set_nodelay(true)?;
        let mut client = Self {
            stream: BufReader::new(stream),
            next: 1,
        };
        let greeting = client.line()?;
        if greeting.starts_with("* OK") {
            return Ok(client);
        }
        Err(unexpected("a greeting", &greeting))
    }

    /// Logs in; a refusal is an answer, not an error.
    pub fn log_in(&mut self, method: Method, user: &str, password: &str) -> io::Result<Answer> {
        match method {
            Method::LoginCommand => {
                self.command(&format!("LOGIN {} {}", quoted(user), quoted(password)))
            }
            Method::Plain => {
                let message = format!("\0{user}\0{password}");
                self.authenticate("PLAIN", &[message.as_bytes()])
            }
            Method::Login => self.authenticate("LOGIN", &[user.as_bytes(), password.as_bytes()]),
        }
    }

    /// AUTHENTICATE with these responses, one a challenge.
    pub fn authenticate(&mut self, mechanism: &str, responses: &[&[u8]]) -> io::Result<Answer> {
        let tag = self.send(&format!("AUTHENTICATE {mechanism}"))?;
        let mut responses = responses.iter();
        let mut untagged = Vec::new();
        loop {
            let line = self.line()?;
            if let Some(text) = line.strip_prefix(&format!("{tag} ")) {
                return Ok(answer(text, untagged));
            }
            if line.starts_with('+') {
                let reply = responses
                    .next()
                    .map_or("*".to_owned(), |r| base64::encode(r));
                self.write(&reply)?;
            } else {
                untagged.push(line);
            }
        }
    }

    /// Sends a command and reads to its end.
    pub fn command(&mut self, text: &str) -> io::Result<Answer> {
        let tag = self.send(text)?;
        let mut untagged = Vec::new();
        loop {
            let line = self.line()?;
            if let Some(text) = line.strip_prefix(&format!("{tag} ")) {
                return Ok(answer(text, untagged));
            }
            untagged.push(line);
        }
    }

    /// LOGOUT, and the end of the connection.
    pub fn log_out(mut self) -> io::Result<()> {
        self.command("LOGOUT").map(drop)
    }

    fn send(&mut self, text: &str) -> io::Result<String> {
        let tag = format!("a{}", self.next);
        self.next += 1;
        self.write(&format!("{tag} {text}"))?;
        Ok(tag)
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        self.stream
            .get_mut()
            .write_all(format!("{line}\r\n").as_bytes())
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the IMAP server closed the connection",
            ));
        }
        Ok(line.trim_end().to_owned())
    }
}

/// One connection, one login, and a look at the mailbox if it succeeds.
pub fn try_login(
    address: SocketAddr,
    method: Method,
    user: &str,
    password: &str,
) -> io::Result<Answer> {
    let mut client = Imap::connect(address)?;
    let answer = client.log_in(method, user, password)?;
    if answer.ok {
        let inbox = client.command("SELECT INBOX")?;
        if !inbox.ok {
            return Err(unexpected("INBOX", &inbox.text));
        }
    }
    // A server that hangs up after a refusal is within its rights.
    let _ = client.log_out();
    Ok(answer)
}

fn answer(text: &str, untagged: Vec<String>) -> Answer {
    Answer {
        ok: text.starts_with("OK"),
        text: text.to_owned(),
        untagged,
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn unexpected(what: &str, line: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the IMAP server said \"{line}\" instead of {what}"),
    )
}
