// SPDX-License-Identifier: MIT OR Apache-2.0
//! A `/dev/log` of our own: a datagram socket whose lines are collected.
//! The server under test sees it through a private mount of `/dev`
//! ([`Syslog::enter`]); nothing of the host's logging changes.

#![forbid(unsafe_code)]

use crate::process;
use crate::scratch::{Scratch, set_mode};
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Mounts a small `/dev` with our socket as `/dev/log`, then becomes "$@".
const ENTER: &str = r#"
set -e
dev=$1; shift
for node in null zero full random urandom; do
  : >> "$dev/$node"
  mount --bind "/dev/$node" "$dev/$node"
done
ln -sfn /proc/self/fd "$dev/fd"
mount --rbind "$dev" /dev
exec env "$@"
"#;

/// The listener and what it heard.
#[derive(Debug)]
pub struct Syslog {
    dev: PathBuf,
    lines: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Syslog {
    /// Listens in a folder `dev` of the scratch folder.
    pub fn listen(scratch: &Scratch) -> io::Result<Self> {
        let dev = scratch.folder("dev")?;
        let path = dev.join("log");
        let socket = UnixDatagram::bind(&path)?;
        set_mode(&path, 0o666)?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        let lines = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (heard, ended) = (Arc::clone(&lines), Arc::clone(&stop));
        let reader = thread::spawn(move || {
            let mut buffer = [0_u8; 16 * 1024];
            while !ended.load(Ordering::Relaxed) {
                if let Ok(length) = socket.recv(&mut buffer) {
                    let bytes = buffer.get(..length).unwrap_or_default();
                    let line = String::from_utf8_lossy(bytes);
                    lock(&heard).push(line.trim_end_matches(['\0', '\n']).to_owned());
                }
            }
        });
        Ok(Self {
            dev,
            lines,
            stop,
            reader: Some(reader),
        })
    }

    /// The command that runs `program` in a session and a mount namespace of
    /// its own, with our socket as `/dev/log`. `NAME=value` words may precede
    /// the program's name as arguments (`env` reads them).
    pub fn enter(&self) -> std::process::Command {
        let mut command = process::in_session("unshare");
        command.args(["-m", "sh", "-c", ENTER, "enter"]);
        command.arg(&self.dev);
        command
    }

    /// The folder that becomes `/dev`.
    pub fn dev(&self) -> &Path {
        &self.dev
    }

    /// Everything heard so far.
    pub fn lines(&self) -> Vec<String> {
        lock(&self.lines).clone()
    }

    /// How many lines were heard so far: a mark for [`Syslog::since`].
    pub fn mark(&self) -> usize {
        lock(&self.lines).len()
    }

    /// What was heard after a mark.
    pub fn since(&self, mark: usize) -> Vec<String> {
        self.lines().split_off(mark.min(self.mark()))
    }

    /// Waits for a line after `mark` that contains `text`.
    pub fn wait_for(&self, mark: usize, text: &str, limit: Duration) -> io::Result<String> {
        let mut found = None;
        process::wait_until(limit, &format!("the log line \"{text}\""), || {
            found = self
                .since(mark)
                .into_iter()
                .find(|line| line.contains(text));
            Ok(found.is_some())
        })
        .map_err(|error| {
            let heard = self.since(mark).join("\n");
            io::Error::new(error.kind(), format!("{error}; heard:\n{heard}"))
        })?;
        found.ok_or_else(|| io::Error::other("the line went away"))
    }
}

impl Drop for Syslog {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            // A reader that panicked has nothing more to say.
            let _ = reader.join();
        }
    }
}

fn lock(lines: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The message of a line as `/dev/log` gets it: without `<priority>`, time
/// stamp and `program[number]:`.
pub fn message(line: &str) -> &str {
    line.split_once("]: ").map_or(line, |(_, message)| message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_loses_its_envelope() {
        let line = "<22>Nov 21 20:47:25 cyrus/imap[123]: badlogin: localhost [127.0.0.1]: x";
        assert_eq!(message(line), "badlogin: localhost [127.0.0.1]: x");
        assert_eq!(message("bare"), "bare");
    }

    #[test]
    fn lines_are_collected_after_a_mark() {
        let scratch = Scratch::new().unwrap();
        let syslog = Syslog::listen(&scratch).unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        let limit = Duration::from_secs(5);
        sender
            .send_to(b"<6>first\0", syslog.dev().join("log"))
            .unwrap();
        syslog.wait_for(0, "first", limit).unwrap();
        let mark = syslog.mark();
        sender
            .send_to(b"<6>second\n", syslog.dev().join("log"))
            .unwrap();
        assert_eq!(syslog.wait_for(mark, "second", limit).unwrap(), "<6>second");
        assert_eq!(syslog.since(mark), ["<6>second"]);
    }
}
