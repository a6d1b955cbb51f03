// SPDX-License-Identifier: MIT OR Apache-2.0
//! `accounts.c`, compiled once, on a library with plugins.

use lab::library::Library;
use lab::placed::{Placed, Way};
use lab::program::{Headers, Program};
use lab::scratch::Scratch;
use lab::stage::sources;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A plugin's origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plugin {
    Stock,
    Ours,
}

/// A library with one plugin, ready to run the program.
pub(crate) struct Place {
    _scratch: Scratch,
    environment: Vec<String>,
}

fn program() -> &'static Program {
    static PROGRAM: OnceLock<Program> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        Program::compile(&sources().join("tests/stores/accounts.c"), Headers::Stock).unwrap()
    })
}

/// What a run said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) lines: Vec<String>,
    pub(crate) log: String,
}

impl Said {
    /// Names of the calls that succeeded.
    pub(crate) fn succeeded(&self) -> Vec<&str> {
        self.lines
            .iter()
            .filter_map(|line| line.strip_prefix("ok "))
            .collect()
    }

    /// The number of calls that failed with `code`.
    pub(crate) fn failed(&self, code: i32) -> usize {
        let code = code.to_string();
        let word =
            |line: &&String| line.starts_with("no ") && line.split(' ').nth(2) == Some(&code);
        self.lines.iter().filter(word).count()
    }
}

impl Place {
    pub(crate) fn new(library: Library, plugin: Plugin, file: &str, options: &str) -> Self {
        let scratch = Scratch::new().unwrap();
        let placed = Placed::new(library, &scratch).unwrap();
        match plugin {
            Plugin::Stock => placed.add_plugin(file).unwrap(),
            Plugin::Ours => placed.add_our_plugin(file).unwrap(),
        }
        let mut environment = placed.environment(Way::LibraryPath).to_vec();
        environment.extend(["REALM=lab.test".into(), "LOG=1".into()]);
        environment.push(format!("OPTIONS={options}"));
        Self {
            _scratch: scratch,
            environment,
        }
    }

    pub(crate) fn set(&mut self, variable: &str) {
        self.environment.push(variable.to_owned());
    }

    /// The command that runs the program with these words.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("timeout");
        command
            .args(["-s", "KILL", "120", "env"])
            .args(&self.environment);
        command.arg(program().path()).args(words);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Said {
        let output = self.command(words).output().unwrap();
        let said = Said {
            lines: String::from_utf8_lossy(&output.stdout)
                .lines()
                .map(str::to_owned)
                .collect(),
            log: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        assert!(output.status.success(), "{:?}: {said:#?}", output.status);
        said
    }

    /// Runs over the numbers `from..=to`; how many calls succeeded.
    pub(crate) fn count(&self, what: &str, name: &str, from: u32, to: u32) -> usize {
        self.run(&[what, name, &from.to_string(), &to.to_string()])
            .succeeded()
            .len()
    }
}
