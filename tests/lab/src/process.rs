// SPDX-License-Identifier: MIT OR Apache-2.0
//! Servers as child processes: each in a session of its own, its output in a
//! file, stopped by its own number (never by name) within a bound of time.
//! If we die without stopping it, a guard that holds the other end of a pipe
//! does, so that nothing is left running after Ctrl-C.

#![forbid(unsafe_code)]

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take to stop after it was asked to.
const PATIENCE: Duration = Duration::from_secs(5);

const GUARD: &str = r#"
read -r word
[ "$word" = stopped ] && exit 0
kill -s TERM -- "-$1" 2>/dev/null
sleep 3
kill -s KILL -- "-$1" 2>/dev/null
"#;

/// A running server.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    guard: Child,
    lifeline: Option<ChildStdin>,
    log: PathBuf,
}

/// A command that runs in a session of its own, under the same process number.
pub fn in_session(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("setsid");
    command.arg(program);
    command
}

impl Process {
    /// Starts a command made by [`in_session`]; both outputs go to `log`.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> io::Result<Self> {
        let out = File::create(log)?;
        let err = out.try_clone()?;
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
        let mut guard = in_session("sh")
            .args(["-c", GUARD, "guard", &child.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let lifeline = guard.stdin.take();
        Ok(Self {
            name: name.to_owned(),
            child,
            guard,
            lifeline,
            log: log.to_path_buf(),
        })
    }

    /// The process number, which is also its group's and session's.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the server printed so far.
    pub fn output(&self) -> String {
        fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// An error with the server's output, if it has ended.
    pub fn require_running(&mut self) -> io::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(self.ended(status)),
        }
    }

    /// Waits for `ready`, but not longer than the server lives or `limit` lasts.
    pub fn wait_ready(
        &mut self,
        limit: Duration,
        mut ready: impl FnMut() -> io::Result<bool>,
    ) -> io::Result<()> {
        let what = format!("{} to be ready", self.name);
        wait_until(limit, &what, || {
            self.require_running()?;
            ready()
        })
        .map_err(|error| io::Error::new(error.kind(), format!("{error}\n{}", self.output())))
    }

    /// Stops the server and everything in its process group.
    pub fn stop(&mut self) -> io::Result<()> {
        self.signal("TERM")?;
        let child = &mut self.child;
        let gone = wait_until(PATIENCE, "the server to stop", || {
            Ok(child.try_wait()?.is_some())
        });
        // Children that outlive their parent are in the same group.
        self.signal("KILL")?;
        if gone.is_err() {
            self.child.wait()?;
        }
        if let Some(mut lifeline) = self.lifeline.take() {
            lifeline.write_all(b"stopped\n")?;
        }
        self.guard.wait()?;
        Ok(())
    }

    fn signal(&self, name: &str) -> io::Result<()> {
        let group = format!("-{}", self.child.id());
        // A group that is gone already is what we want.
        Command::new("sh")
            .args(["-c", "kill -s \"$1\" -- \"$2\"", "kill", name, &group])
            .stderr(Stdio::null())
            .status()?;
        Ok(())
    }

    fn ended(&self, status: ExitStatus) -> io::Error {
        io::Error::other(format!(
            "{} ended ({status}) and said:\n{}",
            self.name,
            self.output()
        ))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.lifeline.is_some() {
            // The guard is the second line; a drop cannot report.
            let _ = self.stop();
        }
    }
}

/// Asks `done` every few milliseconds; an error that names `what` after `limit`.
pub fn wait_until(
    limit: Duration,
    what: &str,
    mut done: impl FnMut() -> io::Result<bool>,
) -> io::Result<()> {
    let start = Instant::now();
    while !done()? {
        if start.elapsed() > limit {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("waited {} s for {what}", limit.as_secs()),
            ));
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// Runs a short command to its end; an error with its output unless it succeeds.
pub fn run(command: &mut Command) -> io::Result<Output> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("{program}: {error}")))?;
    if output.status.success() {
        return Ok(output);
    }
    Err(io::Error::other(format!(
        "{program}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    fn alive(id: u32) -> bool {
        Path::new(&format!("/proc/{id}")).exists()
    }

    #[test]
    fn is_stopped_with_its_children() {
        let scratch = Scratch::new().unwrap();
        let mut command = in_session("sh");
        command.args(["-c", "sleep 60 & echo $!; wait"]);
        let process = Process::start("sleeper", &mut command, &scratch.join("log")).unwrap();
        let limit = Duration::from_secs(5);
        wait_until(limit, "the child", || Ok(process.output().ends_with('\n'))).unwrap();
        let child: u32 = process.output().trim().parse().unwrap();
        assert!(alive(child));
        drop(process);
        wait_until(limit, "the child's end", || Ok(!alive(child))).unwrap();
    }

    #[test]
    fn a_server_that_ends_at_once_is_an_error_with_its_words() {
        let scratch = Scratch::new().unwrap();
        let mut command = in_session("sh");
        command.args(["-c", "echo no such option; exit 3"]);
        let mut process = Process::start("server", &mut command, &scratch.join("log")).unwrap();
        let error = process
            .wait_ready(Duration::from_secs(5), || Ok(false))
            .unwrap_err();
        assert!(error.to_string().contains("no such option"), "{error}");
    }

    #[test]
    fn the_guard_stops_what_we_left_behind() {
        let scratch = Scratch::new().unwrap();
        let mut command = in_session("sleep");
        command.arg("60");
        let mut process = Process::start("sleeper", &mut command, &scratch.join("log")).unwrap();
        // As if we had died: the pipe closes without a word.
        process.lifeline = None;
        let limit = Duration::from_secs(5);
        wait_until(limit, "the guard", || {
            Ok(process.child.try_wait()?.is_some())
        })
        .unwrap();
        process.guard.wait().unwrap();
    }
}
