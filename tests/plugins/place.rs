// SPDX-License-Identifier: MIT OR Apache-2.0
//! `exchange.c`, compiled once, on a library with one plugin.

use lab::library::Library;
use lab::placed::{Placed, Way};
use lab::program::{Headers, Program};
use lab::scratch::{self, Scratch};
use lab::stage::sources;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

pub(crate) const RIGHT: &str = "secret";
pub(crate) const WRONG: &str = "canary-77";
const BADAUTH: i32 = -13;

fn program() -> &'static Program {
    static PROGRAM: OnceLock<Program> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let source = sources().join("tests/c/plugins/exchange.c");
        Program::compile(&source, Headers::Stock).unwrap_or_else(|error| panic!("{error}"))
    })
}

/// A library and the plugin that is tested.
pub(crate) struct Place {
    pub(crate) scratch: Scratch,
    pub(crate) placed: Placed,
    library: String,
    environment: Vec<String>,
    file: String,
    pub(crate) options: String,
}

impl Place {
    /// Of the options, those of the plugin are still to come.
    pub(crate) fn new(library: Library, plugin: &Path) -> Self {
        let scratch = Scratch::new().unwrap();
        let placed = Placed::new(library, &scratch).unwrap();
        let name = plugin.file_name().unwrap().to_string_lossy();
        let file = format!("{}.so", name.split(".so").next().unwrap());
        scratch::copy(plugin, &placed.plugins().join(&file)).unwrap();
        let mut environment = placed.environment(Way::LibraryPath).to_vec();
        environment.push("SASL_CONF_PATH=/nonexistent".to_owned());
        Self {
            library: placed.library().display().to_string(),
            scratch,
            placed,
            environment,
            file,
            options: String::new(),
        }
    }

    /// One exchange of a user: what was printed, the log.
    pub(crate) fn exchange_of(
        &self,
        (mechanism, user, password): (&str, &str, &str),
        extra: &[&str],
    ) -> (Vec<String>, String) {
        self.run(&[mechanism, user, password, &self.file], extra)
    }

    /// What is listed with further options, and which stores were opened for it.
    pub(crate) fn list(&self, options: &str) -> (Vec<String>, String) {
        let options = format!("OPTIONS={}\n{options}", self.options);
        let stores = ["libsasldb.so", "libldapdb.so"];
        let words = ["list", "bob", "x", stores[0], stores[1], &self.file];
        self.run(&words, &[&options])
    }

    /// The program, told these words: its lines but for the last, its log.
    pub(crate) fn run(&self, words: &[&str], extra: &[&str]) -> (Vec<String>, String) {
        let output = Command::new("timeout")
            .args(["-s", "KILL", "60", "env"])
            .args(&self.environment)
            .arg(format!("OPTIONS={}", self.options))
            .args(extra)
            .arg(program().path())
            .args(words)
            .arg(&self.library)
            .stdin(Stdio::null())
            .current_dir(self.scratch.path())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let log = text(&output.stderr);
        assert!(output.status.success(), "{:?} {log}", output.status);
        let mut lines: Vec<_> = text(&output.stdout).lines().map(str::to_owned).collect();
        let library = lines.pop();
        assert_eq!(library, Some(format!("mapped {}", self.library)), "{log}");
        (lines, log)
    }

    /// The same as bob.
    pub(crate) fn exchange(
        &self,
        mechanism: &str,
        password: &str,
        extra: &[&str],
    ) -> (Vec<String>, String) {
        self.exchange_of((mechanism, "bob", password), extra)
    }

    /// The plugin worked, and the exchange ended so.
    pub(crate) fn ended(&self, (lines, log): (Vec<String>, String), end: &str, what: &str) {
        assert!(lines[0].starts_with(end), "{what} {lines:?}\n{log}");
        assert_eq!(
            lines[1..],
            [format!("mapped {}", self.file)],
            "{what} {log}"
        );
        assert!(!log.contains(WRONG), "{what} {log}");
    }

    /// The exchange succeeds in the plugin's code.
    pub(crate) fn succeeds(&self, mechanism: &str, user: &str, ssf: u32, extra: &[&str]) {
        let said = self.exchange(mechanism, RIGHT, extra);
        self.ended(said, &format!("ok {user} ssf {ssf}"), mechanism);
    }

    /// The exchange fails in the plugin's code.
    pub(crate) fn fails(&self, mechanism: &str, extra: &[&str]) {
        let said = self.exchange(mechanism, WRONG, extra);
        self.ended(said, &format!("no {BADAUTH} "), mechanism);
    }
}
