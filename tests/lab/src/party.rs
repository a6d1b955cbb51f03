// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two programs that authenticate each other, a server and a client, and the
//! lines between them (`tests/c/interop/lines.h`), which a test may edit.

#![forbid(unsafe_code)]

use crate::library::Library;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

/// What a side said.
#[derive(Debug, Default, Clone)]
pub struct Said {
    /// The code of the end; `None` when the other side ended it.
    pub code: Option<i32>,
    /// The text beside the code.
    pub detail: String,
    /// What it knew in the end.
    pub properties: BTreeMap<String, String>,
    /// What it read of the other's protected data, or the code.
    pub data: Option<Result<String, i32>>,
}

impl Said {
    /// A property, empty if there is none.
    pub fn property(&self, name: &str) -> &str {
        self.properties.get(name).map_or("", String::as_str)
    }

    /// The strength of the layer, if the exchange succeeded.
    pub fn ssf(&self) -> Option<u32> {
        if self.code != Some(0) {
            return None;
        }
        self.property("ssf").parse().ok()
    }

    /// The files that it had mapped, as `/proc/PID/maps` has them.
    pub fn maps(&self) -> String {
        self.property("maps").replace('|', "\n")
    }
}

/// What both said, and the messages.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The server's words.
    pub server: Said,
    /// The client's words.
    pub client: Said,
    /// The lines that were carried, in order, as they were delivered.
    pub messages: Vec<String>,
}

impl Outcome {
    /// Whether both call it a success.
    pub fn both_ok(&self) -> bool {
        self.server.code == Some(0) && self.client.code == Some(0)
    }

    /// An error unless each side ran on the library it should.
    pub fn require_libraries(&self, server: Library, client: Library) -> io::Result<()> {
        server.require_in(&self.server.maps())?;
        client.require_in(&self.client.maps())
    }
}

/// The `size` bytes that each side protects, as the other tells them.
pub fn sample(size: u32) -> String {
    let byte = |at: u32| format!("{:02x}", (at * 7 + 1) & 0xff);
    (0..size).map(byte).collect()
}

/// Edits a line on its way: its number, and the line.
pub type Edit<'a> = &'a dyn Fn(usize, String) -> String;

/// Changes nothing.
pub fn faithful(_: usize, line: String) -> String {
    line
}

/// Runs an exchange to its end. Messages go through `edit`, protected data (0
/// the server's, 1 the client's) through `spoil`.
pub fn converse(
    server: Command,
    client: Command,
    edit: Edit<'_>,
    spoil: Edit<'_>,
) -> io::Result<Outcome> {
    let has_data = |command: &Command| {
        let mut words = command.get_args();
        words.any(|word| word.to_string_lossy().starts_with("data="))
    };
    let protects = has_data(&server) && has_data(&client);
    let mut outcome = Outcome::default();
    let (mut server, mut client) = (Party::start(server)?, Party::start(client)?);
    let mut clients_turn = true;
    while server.said.code.is_none() || client.said.code.is_none() {
        let (speaker, listener) = match clients_turn {
            true => (&mut client, &mut server),
            false => (&mut server, &mut client),
        };
        let Some(line) = speaker.hear()? else {
            break;
        };
        if speaker.said.code.is_some_and(|code| code != 0) {
            break;
        }
        if !line.starts_with('E') {
            let line = edit(outcome.messages.len(), line);
            listener.tell(&line);
            outcome.messages.push(line);
        }
        clients_turn = !clients_turn;
    }
    let succeeded = [&server, &client].map(|party| party.said.code == Some(0));
    if protects && succeeded == [true; 2] {
        exchange(&mut server, &mut client, spoil)?;
    }
    outcome.server = server.end()?;
    outcome.client = client.end()?;
    Ok(outcome)
}

/// Each side's protected data goes to the other.
fn exchange(server: &mut Party, client: &mut Party, spoil: Edit<'_>) -> io::Result<()> {
    let sent = [server.hear()?, client.hear()?];
    for ((number, line), receiver) in sent.into_iter().enumerate().zip([client, server]) {
        let Some(line) = line.filter(|line| line.starts_with('L')) else {
            continue;
        };
        for line in spoil(number, line).lines() {
            receiver.tell(line);
            let heard = receiver.hear()?.unwrap_or_default();
            receiver.said.data = Some(match heard.split_once(' ') {
                Some(("E", code)) => Err(code.parse().unwrap_or(i32::MIN)),
                Some((_, data)) => Ok(data.to_owned()),
                None => Ok(String::new()),
            });
        }
    }
    Ok(())
}

struct Party {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    said: Said,
}

impl Party {
    fn start(mut command: Command) -> io::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self {
            child,
            lines: BufReader::new(stdout).lines(),
            said: Said::default(),
        })
    }

    fn tell(&mut self, line: &str) {
        if let Some(stdin) = self.child.stdin.as_mut() {
            // A side that has ended does not listen any more.
            let _ = writeln!(stdin, "{line}");
        }
    }

    /// The next message, protected data or end; properties are kept.
    fn hear(&mut self) -> io::Result<Option<String>> {
        while let Some(line) = self.lines.next().transpose()? {
            match line.split_once(' ').unwrap_or((&line, "")) {
                ("P", rest) => {
                    let (name, value) = rest.split_once(' ').unwrap_or((rest, ""));
                    let map = &mut self.said.properties;
                    map.insert(name.to_owned(), value.to_owned());
                }
                ("E", rest) => {
                    let (code, detail) = rest.split_once(' ').unwrap_or((rest, ""));
                    let code = code.parse().map_err(io::Error::other)?;
                    if self.said.code.is_none() {
                        self.said.code = Some(code);
                        detail.clone_into(&mut self.said.detail);
                    }
                    return Ok(Some(format!("E {code}")));
                }
                _ => return Ok(Some(line)),
            }
        }
        Ok(None)
    }

    /// Ends the program; it must not have crashed.
    fn end(mut self) -> io::Result<Said> {
        self.tell("Q");
        let status = self.child.wait()?;
        if status.code().is_some_and(|code| code < 124) {
            return Ok(self.said);
        }
        Err(io::Error::other(format!(
            "a side ended with {status}: {:#?}",
            self.said
        )))
    }
}
