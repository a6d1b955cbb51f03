// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the tests of logins share: a journal that keeps its lines, a scripted
//! server, a real slapd.
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod certificates;
pub(crate) mod fake;
pub(crate) mod faulty;
pub(crate) mod many;
pub(crate) mod overlays;
pub(crate) mod proxying;
pub(crate) mod reset;
pub(crate) mod slapd;

use directory::{Config, Directory, Fault, Journal, Login, Step};
use saslplug::{Code, Level, Secret};
use std::fmt;
use std::sync::Mutex;

/// A password that no log may show.
pub(crate) const CANARY: &str = "Kanarienvogel-7";

/// Keeps every line.
#[derive(Default)]
pub(crate) struct Lines(Mutex<Vec<(Level, String)>>);

impl Journal for Lines {
    fn write(&self, level: Level, line: fmt::Arguments<'_>) {
        let line = line.to_string();
        assert!(!line.contains(CANARY), "a password is in the log: {line}");
        self.0.lock().unwrap().push((level, line));
    }
}

impl Lines {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap()
            .iter()
            .map(|(_, line)| line.clone())
            .collect()
    }

    /// The lines that the default level shows.
    pub(crate) fn errors(&self) -> Vec<String> {
        let lines = self.0.lock().unwrap();
        let errors = lines.iter().filter(|(level, _)| *level <= Level::Err);
        errors.map(|(_, line)| line.clone()).collect()
    }
}

/// A directory and its log.
pub(crate) struct Client {
    pub(crate) directory: Directory,
    pub(crate) lines: Lines,
}

pub(crate) fn config(options: &[(&str, &str)]) -> Result<Config, Fault> {
    Config::read(&|name| {
        options
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    })
}

impl Client {
    pub(crate) fn new(options: &[(&str, &str)]) -> Self {
        let config = config(options).unwrap_or_else(|fault| panic!("{fault}"));
        Self {
            directory: Directory::new(config),
            lines: Lines::default(),
        }
    }

    fn login() -> Login<'static> {
        Login {
            service: "imap",
            ..Login::default()
        }
    }

    pub(crate) fn verify(&self, user: impl AsRef<[u8]>, password: &str) -> Result<(), Code> {
        let password = Secret::from(password.as_bytes());
        self.directory
            .verify(&self.lines, &Self::login(), user.as_ref(), &password)
            .map_err(|error| error.code())
    }

    /// The steps of a login on foot.
    pub(crate) fn walk(&self, user: &str, password: &str) -> Vec<Step> {
        let (login, password) = (Self::login(), Secret::from(password.as_bytes()));
        let (login, mut steps) = (Login { user, ..login }, Vec::new());
        self.directory
            .walk(&self.lines, &login, Some(&password), &mut |step| {
                steps.push(step);
            });
        steps
    }

    pub(crate) fn lookup(&self, user: &str, names: &[&str]) -> Result<Vec<Vec<Vec<u8>>>, Code> {
        let found = self
            .directory
            .lookup(&self.lines, &Self::login(), user.as_bytes(), names, true)
            .map_err(|error| error.code())?;
        let mut all = vec![Vec::new(); names.len()];
        for property in found {
            all[property.index] = property
                .values
                .iter()
                .map(|value| value.as_bytes().to_vec())
                .collect();
        }
        Ok(all)
    }

    pub(crate) fn canonical(&self, user: &str) -> Result<String, Code> {
        self.directory
            .canonical(&self.lines, &Self::login(), user.as_bytes())
            .map(|name| String::from_utf8(name).unwrap())
            .map_err(|error| error.code())
    }
}
