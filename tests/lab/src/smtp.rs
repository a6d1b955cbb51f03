// SPDX-License-Identifier: MIT OR Apache-2.0
//! An SMTP client that logs in without libsasl2 (RFC 4954), to drive servers.

#![forbid(unsafe_code)]

use crate::line::Line;
use crate::{base64, openssl};
use std::io;
use std::net::SocketAddr;

/// An answer of the server.
#[derive(Debug)]
pub struct Answer {
    /// Its number.
    pub code: u16,
    /// Its lines, each without the number.
    pub text: String,
}

/// A connection.
#[derive(Debug)]
pub struct Smtp {
    line: Line,
    offered: Vec<String>,
}

impl Smtp {
    /// Connects and greets; an error unless the server is ready.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        Self::greet(Line::connect(address)?)
    }

    /// The same over a connection that is there.
    pub fn greet(line: Line) -> io::Result<Self> {
        let mut smtp = Self {
            line,
            offered: Vec::new(),
        };
        let greeting = smtp.answer()?;
        let hello = smtp.say("EHLO client.lab.test")?;
        if (greeting.code, hello.code) != (220, 250) {
            return Err(io::Error::other(format!("{greeting:?} {hello:?}")));
        }
        let words = hello
            .text
            .lines()
            .find_map(|line| line.strip_prefix("AUTH "));
        smtp.offered = words
            .unwrap_or_default()
            .split(' ')
            .map(str::to_owned)
            .collect();
        Ok(smtp)
    }

    /// The mechanisms that it offers.
    pub fn offered(&self) -> &[String] {
        &self.offered
    }

    /// One line and its answer.
    pub fn say(&mut self, line: &str) -> io::Result<Answer> {
        self.line.say(line)?;
        self.answer()
    }

    /// Logs in with PLAIN, LOGIN or CRAM-MD5; what the server says at last.
    pub fn log_in(&mut self, mechanism: &str, user: &str, password: &str) -> io::Result<Answer> {
        if mechanism == "PLAIN" {
            let message = base64::encode(format!("\0{user}\0{password}").as_bytes());
            return self.say(&format!("AUTH PLAIN {message}"));
        }
        let mut answer = self.say(&format!("AUTH {mechanism}"))?;
        let mut names = [user, password].into_iter();
        while answer.code == 334 {
            let reply = match mechanism {
                "LOGIN" => names.next().unwrap_or_default().to_owned(),
                _ => openssl::cram_md5(user, password, &challenge(&answer.text)?)?,
            };
            answer = self.say(&base64::encode(reply.as_bytes()))?;
        }
        Ok(answer)
    }

    /// Whether a mail to elsewhere would be taken.
    pub fn may_send(&mut self) -> io::Result<Answer> {
        self.say("MAIL FROM:<alice@lab.test>")?;
        let answer = self.say("RCPT TO:<bob@elsewhere.test>")?;
        self.say("RSET")?;
        Ok(answer)
    }

    fn answer(&mut self) -> io::Result<Answer> {
        let mut text = String::new();
        loop {
            let line = self.line.hear()?;
            let (code, rest) = line.split_at_checked(3).unwrap_or((&line, ""));
            text.push_str(rest.get(1..).unwrap_or_default());
            text.push('\n');
            if !rest.starts_with('-') {
                let code = code.parse().map_err(io::Error::other)?;
                return Ok(Answer { code, text });
            }
        }
    }
}

fn challenge(text: &str) -> io::Result<Vec<u8>> {
    base64::decode(text.trim()).ok_or_else(|| io::Error::other(format!("not base64: {text}")))
}
