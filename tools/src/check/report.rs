// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was found, as text while it is found or as JSON at the end, and the
//! exit code: the phase of the first thing that is wrong.
#![forbid(unsafe_code)]

use crate::library::tell;
use serde_json::{Value, json};
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

/// A part of the way; its number is the exit code if the way ends there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    File = 2,
    Options = 3,
    Library = 4,
    Mechanisms = 5,
    Resolve = 6,
    Connect = 7,
    Tls = 8,
    Bind = 9,
    Search = 10,
    Canonical = 11,
    Verify = 12,
    Store = 13,
    Login = 14,
}

impl Phase {
    fn name(self) -> String {
        format!("{self:?}").to_ascii_lowercase()
    }
}

/// How good it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Good,
    Note,
    Warning,
    Bad,
}

impl State {
    /// The word, and its colour on a terminal.
    fn shown(self) -> (&'static str, &'static str) {
        match self {
            Self::Good => ("ok", "32"),
            Self::Note => ("note", "36"),
            Self::Warning => ("warn", "33"),
            Self::Bad => ("FAIL", "1;31"),
        }
    }
}

/// One thing that was found.
pub(super) struct Item {
    state: State,
    text: String,
    lines: Vec<String>,
    time: Option<Duration>,
}

impl Item {
    fn new(state: State, text: impl Into<String>) -> Self {
        Self {
            state,
            text: text.into(),
            lines: Vec::new(),
            time: None,
        }
    }

    /// As it shall be.
    pub(super) fn good(text: impl Into<String>) -> Self {
        Self::new(State::Good, text)
    }

    /// Worth knowing.
    pub(super) fn note(text: impl Into<String>) -> Self {
        Self::new(State::Note, text)
    }

    /// Works, but is odd.
    pub(super) fn warning(text: impl Into<String>) -> Self {
        Self::new(State::Warning, text)
    }

    /// Here the way ends.
    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self::new(State::Bad, text)
    }

    /// With more about it.
    pub(super) fn with(mut self, lines: Vec<String>) -> Self {
        self.lines = lines;
        self
    }

    /// With the time that it took.
    pub(super) fn took(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    fn milliseconds(&self) -> Option<f64> {
        let time = self.time?;
        Some((time.as_secs_f64() * 10_000.0).round() / 10.0)
    }

    /// The number of a line of ldapdb's catalogue.
    fn number(&self) -> Option<u32> {
        let (_, rest) = self.text.split_once("LDB-")?;
        rest.get(..2)?.parse().ok()
    }
}

/// Everything that was found.
pub(super) struct Report {
    json: bool,
    colours: bool,
    section: &'static str,
    items: Vec<Value>,
    ended_at: Option<Phase>,
}

impl Report {
    /// An empty report.
    pub(super) fn new(json: bool) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            json,
            colours: !json && !plain && io::stdout().is_terminal(),
            section: "",
            items: Vec::new(),
            ended_at: None,
        }
    }

    /// What follows is about this.
    pub(super) fn begin(&mut self, section: &'static str) {
        self.section = section;
        if !self.json {
            let bold = if self.colours {
                ("\x1b[1m", "\x1b[0m")
            } else {
                ("", "")
            };
            tell(&format!("{}{section}{}", bold.0, bold.1));
        }
    }

    /// Tells one thing.
    pub(super) fn add(&mut self, phase: Phase, item: Item) {
        if item.state == State::Bad {
            self.ended_at.get_or_insert(phase);
        }
        if !self.json {
            return self.show(&item);
        }
        self.items.push(json!({
            "section": self.section,
            "phase": phase.name(),
            "state": item.state.shown().0.to_ascii_lowercase(),
            "text": item.text,
            "lines": item.lines,
            "ms": item.milliseconds(),
            "ldb": item.number(),
        }));
    }

    fn show(&self, item: &Item) {
        let (word, colour) = item.state.shown();
        let word = match self.colours {
            true => format!("\x1b[{colour}m{word:<5}\x1b[0m"),
            false => format!("{word:<5}"),
        };
        let time = item.milliseconds();
        let time = time.map_or(String::new(), |time| format!("  [{time} ms]"));
        tell(&format!("  {word} {}{time}", tamed(&item.text)));
        for line in &item.lines {
            tell(&format!("        {}", tamed(line)));
        }
    }

    /// The exit code; as JSON, all of it is written now.
    pub(super) fn end(self) -> ExitCode {
        let code = self.ended_at.map_or(0, |phase| phase as u8);
        if self.json {
            let ended_at = self.ended_at.map(Phase::name);
            let all = json!({ "items": self.items, "exit": code, "failed": ended_at });
            tell(&format!("{all:#}"));
        }
        ExitCode::from(code)
    }
}

/// Names come from outside: no control characters on a terminal.
fn tamed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter.is_control() {
            true => out.extend(letter.escape_unicode()),
            false => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fault_is_the_exit_code() {
        let mut report = Report::new(true);
        report.add(Phase::Options, Item::warning("odd"));
        assert_eq!(report.ended_at, None);
        report.add(Phase::Bind, Item::bad("LDB-20 no"));
        report.add(Phase::Login, Item::bad("no"));
        assert_eq!(report.ended_at, Some(Phase::Bind));
        assert_eq!(report.items[1]["ldb"], 20);
        assert_eq!(report.items[1]["phase"], "bind");
        assert_eq!(report.items[0]["ldb"], Value::Null);
    }

    #[test]
    fn nothing_moves_the_cursor() {
        assert_eq!(tamed("a\x1b[2Jb\n"), "a\\u{1b}[2Jb\\u{a}");
    }
}
