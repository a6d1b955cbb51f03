// SPDX-License-Identifier: MIT OR Apache-2.0
//! C programs: compiled once, run on either library in a scratch folder with a
//! time limit.
//!
//! One binary serves both libraries, as with an installed program: it is
//! linked against Debian's library and `LD_LIBRARY_PATH` decides. A program
//! that includes `tests/c/trace.h` writes its memory map to the file named by
//! `TRACE_MAPS`, which proves the choice.

#![forbid(unsafe_code)]

use crate::library::Library;
use crate::scratch::Scratch;
use crate::stage::{sources, target};
use std::io::{self, Read};
use std::os::unix::fs::symlink;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

/// Which headers a program is compiled against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Headers {
    /// Debian's, in `/usr/include`.
    Stock,
    /// This project's, in `include`.
    Ours,
}

/// A compiled program.
#[derive(Debug)]
pub struct Program {
    name: String,
    binary: PathBuf,
}

/// What a run left behind.
#[derive(Debug)]
pub struct Outcome {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// How it ended.
    pub status: ExitStatus,
}

impl Outcome {
    /// An error unless the program ended with 0.
    pub fn success(self) -> io::Result<Self> {
        if self.status.success() {
            return Ok(self);
        }
        Err(io::Error::other(format!(
            "the program ended with {} (signal {:?})\n{}\n{}",
            self.status,
            self.status.signal(),
            self.stdout,
            self.stderr
        )))
    }
}

static NEXT: AtomicU32 = AtomicU32::new(0);

impl Program {
    /// Compiles one C file, with every warning an error.
    pub fn compile(source: &Path, headers: Headers) -> io::Result<Self> {
        Self::compile_against(source, headers, "sasl2")
    }

    /// The same for a program of another library than libsasl2.
    pub fn compile_against(source: &Path, headers: Headers, library: &str) -> io::Result<Self> {
        let name = source
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .ok_or_else(|| io::Error::other(format!("{} has no name", source.display())))?;
        let folder = target().join("lab");
        fs::create_dir_all(&folder)?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let binary = folder.join(format!("{name}-{}-{number}", process::id()));
        let mut command = Command::new("cc");
        command
            .args(["-std=gnu11", "-g", "-O1", "-D_GNU_SOURCE"])
            .args(["-Wall", "-Wextra", "-Werror", "-Wno-format"])
            .args(["-Wno-format-extra-args"]);
        if headers == Headers::Ours {
            command.arg("-I").arg(sources().join("include"));
        }
        let output = command
            .arg(source)
            .arg("-o")
            .arg(&binary)
            .arg(format!("-l{library}"))
            .output()?;
        if !output.status.success() {
            return Err(io::Error::other(format!(
                "{} does not compile:\n{}",
                source.display(),
                String::from_utf8_lossy(&output.stderr)
            )));
        }
        Ok(Self { name, binary })
    }

    /// The name of the source without `.c`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The binary, for a test that runs it in its own way.
    pub fn path(&self) -> &Path {
        &self.binary
    }

    /// Runs it on `library`; kills it after `limit`.
    pub fn run(&self, library: Library, limit: Duration) -> io::Result<Outcome> {
        self.run_under(&[], library, limit)
    }

    /// The same under a tool such as valgrind, named with its arguments.
    pub fn run_under(
        &self,
        tool: &[&str],
        library: Library,
        limit: Duration,
    ) -> io::Result<Outcome> {
        let scratch = Scratch::new()?;
        let mut command = match tool.split_first() {
            None => Command::new(&self.binary),
            Some((tool, arguments)) => {
                let mut command = Command::new(tool);
                command.args(arguments).arg(&self.binary);
                command
            }
        };
        let maps = scratch.join("maps");
        command
            .current_dir(scratch.path())
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("LANG", "C")
            .env("USER", "tester")
            .env("TRACE_MAPS", &maps)
            .env("SASL_CONF_PATH", "./conf")
            .env("SASL_PATH", mechanisms(library, scratch.path())?);
        library.select(&mut command)?;
        let outcome = wait(command, limit, &self.name)?;
        if let Ok(maps) = fs::read_to_string(&maps) {
            library.require_in(&maps)?;
        }
        Ok(outcome)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // A binary that stays is in target.
        let _ = fs::remove_file(&self.binary);
    }
}

/// The value of `SASL_PATH`: ours has its mechanisms built in and gets an empty
/// folder; stock gets PLAIN, LOGIN and ANONYMOUS, each in a folder of its own,
/// since the order inside one folder is not defined.
fn mechanisms(library: Library, scratch: &Path) -> io::Result<String> {
    fs::create_dir_all(scratch.join("conf"))?;
    let mut path = Vec::new();
    match library {
        Library::Ours => {
            fs::create_dir_all(scratch.join("empty"))?;
            path.push("./empty".to_owned());
        }
        Library::Stock => {
            for name in ["plain", "login", "anonymous"] {
                let folder = scratch.join(name);
                fs::create_dir_all(&folder)?;
                let file = format!("lib{name}.so");
                symlink(library.plugins()?.join(&file), folder.join(&file))?;
                path.push(format!("./{name}"));
            }
        }
    }
    Ok(path.join(":"))
}

fn wait(mut command: Command, limit: Duration, name: &str) -> io::Result<Outcome> {
    let mut child = command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
    let stdout = reader(child.stdout.take());
    let stderr = reader(child.stderr.take());
    let status = wait_until(&mut child, Instant::now() + limit);
    let text = |thread: thread::JoinHandle<Vec<u8>>| {
        let bytes = thread.join().unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let (stdout, stderr) = (text(stdout), text(stderr));
    let status = status?.ok_or_else(|| {
        io::Error::other(format!(
            "{name} ran longer than {limit:?}:\n{stdout}\n{stderr}"
        ))
    })?;
    Ok(Outcome {
        stdout,
        stderr,
        status,
    })
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read until an error is the output.
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

fn wait_until(child: &mut Child, end: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() > end {
            // The whole group: a program's sections are children of its own.
            let group = format!("-{}", child.id());
            Command::new("kill")
                .args(["-s", "KILL", "--", &group])
                .status()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> (Scratch, PathBuf) {
        let folder = Scratch::new().unwrap();
        let file = folder.file("probe.c", text).unwrap();
        (folder, file)
    }

    #[test]
    fn output_and_status_come_back() {
        let (_folder, file) = source(
            "#include <stdio.h>\n#include <sasl/sasl.h>\n\
             int main(void) { puts(sasl_errstring(0, 0, 0)); fputs(\"e\", stderr); return 3; }\n",
        );
        let program = Program::compile(&file, Headers::Stock).unwrap();
        let outcome = program
            .run(Library::Stock, Duration::from_secs(10))
            .unwrap();
        assert_eq!(outcome.stdout, "successful result\n");
        assert_eq!(outcome.stderr, "e");
        assert_eq!(outcome.status.code(), Some(3));
        assert!(outcome.success().is_err());
    }

    #[test]
    fn a_program_that_hangs_is_killed() {
        let (_folder, file) = source("#include <unistd.h>\nint main(void) { return pause(); }\n");
        let program = Program::compile(&file, Headers::Stock).unwrap();
        let error = program
            .run(Library::Stock, Duration::from_millis(200))
            .unwrap_err();
        assert!(error.to_string().contains("longer than"), "{error}");
    }

    #[test]
    fn a_program_that_does_not_compile_is_told() {
        let (_folder, file) = source("int main(void) { return nothing; }\n");
        let error = Program::compile(&file, Headers::Ours).unwrap_err();
        assert!(error.to_string().contains("nothing"), "{error}");
    }
}
