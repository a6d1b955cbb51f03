// SPDX-License-Identifier: MIT OR Apache-2.0
//! An SMTP server for one user, without libsasl2: it offers the mechanisms it
//! is told to, checks what clients send, and remembers logins and mails.

#![forbid(unsafe_code)]

use crate::line::Line;
use crate::{base64, openssl};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

const CHALLENGE: &[u8] = b"<1896.697170952@peer.lab.test>";

/// What a server has seen: `PLAIN yes`, `CRAM-MD5 no`, `mail`.
type Seen = Arc<Mutex<Vec<String>>>;

/// A listening server; it ends with the test's process.
#[derive(Debug)]
pub struct SmtpPeer {
    address: SocketAddr,
    seen: Seen,
}

impl SmtpPeer {
    /// Listens; `mechanisms` are separated by blanks.
    pub fn start(mechanisms: &str, user: &str, password: &str) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let seen = Seen::default();
        let words = [mechanisms, user, password].map(str::to_owned);
        let notes = Arc::clone(&seen);
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let [mechanisms, user, password] = words.clone();
                let notes = Arc::clone(&notes);
                // A client that leaves is no concern of the next.
                thread::spawn(move || Talk::run(stream, mechanisms, [user, password], notes));
            }
        });
        Ok(Self { address, seen })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has seen so far.
    pub fn seen(&self) -> Vec<String> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

struct Talk {
    line: Line,
    user: [String; 2],
    seen: Seen,
    entered: bool,
}

impl Talk {
    fn run(stream: TcpStream, mechanisms: String, user: [String; 2], seen: Seen) -> io::Result<()> {
        let mut talk = Self {
            line: Line::over(stream)?,
            user,
            seen,
            entered: false,
        };
        talk.line.say("220 peer.lab.test ESMTP")?;
        loop {
            let line = talk.line.hear()?;
            let mut words = line.split(' ');
            let verb = words.next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => talk
                    .line
                    .say(&format!("250-peer.lab.test\r\n250 AUTH {mechanisms}"))?,
                "AUTH" => talk.log_in(words.next().unwrap_or_default(), words.next())?,
                "MAIL" => talk.mail()?,
                "DATA" => talk.data()?,
                "QUIT" => return talk.line.say("221 bye"),
                "RCPT" | "RSET" | "NOOP" | "HELO" => talk.line.say("250 ok")?,
                _ => talk.line.say("502 what?")?,
            }
        }
    }

    fn note(&self, what: String) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(what);
    }

    fn ask(&mut self, challenge: &[u8]) -> io::Result<String> {
        self.line
            .say(&format!("334 {}", base64::encode(challenge)))?;
        let line = self.line.hear()?;
        let bytes = base64::decode(&line).unwrap_or_default();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn log_in(&mut self, mechanism: &str, initial: Option<&str>) -> io::Result<()> {
        let [user, password] = self.user.clone();
        let message = match (mechanism, initial) {
            ("LOGIN", _) => format!("\0{}\0{}", self.ask(b"Username:")?, self.ask(b"Password:")?),
            ("CRAM-MD5", _) => self.ask(CHALLENGE)?,
            (_, Some(initial)) => {
                let bytes = base64::decode(initial).unwrap_or_default();
                String::from_utf8_lossy(&bytes).into_owned()
            }
            (_, None) => self.ask(b"")?,
        };
        let right = match mechanism {
            "CRAM-MD5" => message == openssl::cram_md5(&user, &password, CHALLENGE)?,
            // The first name, which to act for, is none or the same.
            "PLAIN" | "LOGIN" => {
                let end = format!("\0{user}\0{password}");
                message == end || message == format!("{user}{end}")
            }
            _ => false,
        };
        self.entered = right;
        self.note(format!("{mechanism} {}", if right { "yes" } else { "no" }));
        self.line.say(if right {
            "235 welcome"
        } else {
            "535 authentication failed"
        })
    }

    fn mail(&mut self) -> io::Result<()> {
        self.line.say(if self.entered {
            "250 ok"
        } else {
            "530 log in first"
        })
    }

    fn data(&mut self) -> io::Result<()> {
        self.line.say("354 go on")?;
        while self.line.hear()? != "." {}
        self.note("mail".to_owned());
        self.line.say("250 taken")
    }
}
