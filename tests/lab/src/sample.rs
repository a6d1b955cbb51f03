// SPDX-License-Identifier: MIT OR Apache-2.0
//! The distribution's sample server and client, which talk base64 lines on
//! their standard streams: we carry each side's lines to the other.
//! Both print through stdio, so `stdbuf` keeps them from waiting for each
//! other; without a terminal the client reads the password from its input.

#![forbid(unsafe_code)]

use crate::process::in_session;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

/// How to call one side.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// `NAME=value` words.
    pub environment: &'a [String],
    /// The options.
    pub options: &'a [&'a str],
}

/// What both sides said.
#[derive(Debug)]
pub struct Conversation {
    /// The server's output.
    pub server: String,
    /// The client's output.
    pub client: String,
}

impl Conversation {
    /// Whether both sides call it complete and exchanged their messages.
    pub fn complete(&self) -> bool {
        let done = "Negotiation complete";
        self.server.contains(done)
            && self.client.contains(done)
            && self
                .server
                .contains("recieved decoded message 'client message 1'")
            && self
                .client
                .contains("recieved decoded message 'srv message 1'")
    }
}

#[derive(Clone, Copy)]
enum Side {
    Server,
    Client,
}

/// Runs a server and a client against each other; the client gets `password`
/// when it prompts for one.
pub fn converse(
    server: Call<'_>,
    client: Call<'_>,
    password: Option<&str>,
) -> io::Result<Conversation> {
    let (sender, pieces) = mpsc::channel();
    let mut server = start("sasl-sample-server", server, Side::Server, &sender)?;
    let mut client = start("sasl-sample-client", client, Side::Client, &sender)?;
    drop(sender);
    let pipes = (server.stdin.take(), client.stdin.take());
    let said = relay(&pieces, pipes, password);
    for mut child in [server, client] {
        // `timeout` ends each side; by then its pipes are closed.
        child.wait()?;
    }
    said
}

fn start(
    program: &str,
    call: Call<'_>,
    side: Side,
    to: &Sender<(Side, String)>,
) -> io::Result<Child> {
    let mut child = in_session("timeout")
        .args(["20", "env"])
        .args(call.environment)
        .args(["stdbuf", "-o0", program])
        .args(call.options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(stdout) = child.stdout.take() {
        forward(stdout, b'\n', side, to.clone());
    }
    if let Some(stderr) = child.stderr.take() {
        // A prompt has no end of line, only a blank.
        forward(stderr, b' ', side, to.clone());
    }
    Ok(child)
}

fn forward(
    from: impl io::Read + Send + 'static,
    delimiter: u8,
    side: Side,
    to: Sender<(Side, String)>,
) {
    thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut bytes = Vec::new();
        while from
            .read_until(delimiter, &mut bytes)
            .is_ok_and(|length| length > 0)
        {
            let piece = String::from_utf8_lossy(&bytes).into_owned();
            bytes.clear();
            if to.send((side, piece)).is_err() {
                return;
            }
        }
        if delimiter == b'\n' {
            // The end of the standard output is told by an empty piece; a
            // listener that has left needs no telling.
            let _ = to.send((side, String::new()));
        }
    });
}

fn relay(
    pieces: &Receiver<(Side, String)>,
    (mut to_server, mut to_client): (Option<ChildStdin>, Option<ChildStdin>),
    password: Option<&str>,
) -> io::Result<Conversation> {
    let mut said = Conversation {
        server: String::new(),
        client: String::new(),
    };
    loop {
        let (side, piece) = match pieces.recv_timeout(LIMIT) {
            Ok(heard) => heard,
            Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(said),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("{said:#?}"),
                ));
            }
        };
        match side {
            // A side that has ended: the other one must not wait for it.
            Side::Server if piece.is_empty() => to_client = None,
            Side::Client if piece.is_empty() => to_server = None,
            Side::Server => {
                said.server.push_str(&piece);
                tell(&mut to_client, message(&piece, "S: "));
            }
            Side::Client => {
                said.client.push_str(&piece);
                tell(&mut to_server, message(&piece, "C: "));
                let prompted = piece == "Password: ";
                tell(&mut to_client, password.filter(|_| prompted));
            }
        }
    }
}

/// The message in a line, if it is one.
fn message<'a>(piece: &'a str, mark: &str) -> Option<&'a str> {
    piece
        .strip_suffix('\n')
        .filter(|line| line.starts_with(mark))
}

fn tell(pipe: &mut Option<ChildStdin>, line: Option<&str>) {
    if let (Some(open), Some(line)) = (pipe.as_mut(), line) {
        // A side that has gone away no longer listens; its words tell why.
        if writeln!(open, "{line}").is_err() {
            *pipe = None;
        }
    }
}
