// SPDX-License-Identifier: MIT OR Apache-2.0
//! The catalogue of log lines: LDB-nn, all in one place.
//!
//! Each line says what, where, which code, and the remedy; never a password.
//! An ERR or WARN line is repeated at most once a minute per number and server, with a
//! count. `docs/ldapdb.md` lists the numbers.
#![forbid(unsafe_code)]

use crate::protocol::{Outcome, code_name};
use saslplug::{Code, Error, Level};
use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

mod account;
#[cfg(test)]
mod lines;
mod options;
mod servers;
mod stores;
#[cfg(test)]
mod tables;
mod users;

pub(crate) use account::Search;

/// Where lines go.
pub trait Journal {
    /// Writes one line.
    fn write(&self, level: Level, line: fmt::Arguments<'_>);
}

/// One line of the catalogue, and what it means for the call.
#[derive(Clone, PartialEq, Eq)]
pub struct Fault {
    number: u8,
    level: Level,
    code: Code,
    place: String,
    text: String,
    next: bool,
}

impl Fault {
    /// A fault that ends the call with `code`.
    fn new(number: u8, level: Level, code: Code, place: &str, text: String) -> Self {
        Self {
            number,
            level,
            code,
            place: place.to_owned(),
            text,
            next: false,
        }
    }

    /// The number nn of LDB-nn.
    pub fn number(&self) -> u8 {
        self.number
    }

    /// How loud it is in the log.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The result of the call that met it.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Whether another server may do better.
    pub(crate) fn tries_next(&self) -> bool {
        self.next
    }

    /// The same fault, for which another server may be asked.
    fn or_next(mut self) -> Self {
        self.next = true;
        self
    }

    /// The same fault, after which no other server may be asked.
    pub(crate) fn not_next(mut self) -> Self {
        self.next = false;
        self
    }

    /// The error that the library gets: it is in the log already.
    pub fn error(&self) -> Error {
        Error::with(self.code, format!("ldapdb: {self}")).silent()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LDB-{:02} {}", self.number, self.text)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({:?})", self.code)
    }
}

/// Text from outside, for a log line: no control characters, not endless.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

/// As [`Shown`], for a sentence of ours that has text from outside in it.
pub(crate) struct Words<'a>(pub(crate) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        tamed(self.0, 200, f)
    }
}

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        tamed(self.0, 500, f)
    }
}

fn tamed(text: &str, longest: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut length = 0;
    for letter in text.chars() {
        length += letter.len_utf8();
        if length > longest {
            return f.write_str("…");
        }
        if letter.is_control() || ('\u{200e}'..='\u{202e}').contains(&letter) {
            write!(f, "{}", letter.escape_unicode())?;
        } else {
            write!(f, "{letter}")?;
        }
    }
    Ok(())
}

/// `49 invalidCredentials "…"`.
fn shown(outcome: &Outcome) -> String {
    let name = code_name(outcome.code);
    match outcome.message.trim_end_matches('\0') {
        "" => format!("{} {name}", outcome.code),
        text => format!("{} {name} \"{}\"", outcome.code, Shown(text)),
    }
}

#[derive(Debug)]
struct Seen {
    number: u8,
    place: String,
    since: Instant,
    held_back: u32,
}

/// Writes faults, and remembers which it wrote.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    seen: Mutex<Vec<Seen>>,
    /// Steps are shown at the default level too.
    debug: bool,
}

const MINUTE: Duration = Duration::from_secs(60);
const REMEMBERED: usize = 64;

impl Catalogue {
    /// An empty memory; `debug`: steps are shown at the default level too.
    pub(crate) fn new(debug: bool) -> Self {
        Self {
            debug,
            ..Self::default()
        }
    }

    /// Writes `fault`, unless it is a repetition.
    pub(crate) fn report(&self, journal: &dyn Journal, fault: &Fault) {
        let held_back = match fault.level {
            Level::Err | Level::Warn => match self.held_back(fault) {
                Some(count) => count,
                None => return,
            },
            _ => 0,
        };
        let level = if self.debug && fault.level == Level::Debug {
            Level::Err
        } else {
            fault.level
        };
        if held_back == 0 {
            journal.write(level, format_args!("ldapdb: {fault}"));
        } else {
            journal.write(
                level,
                format_args!("ldapdb: {fault} ({held_back} more in the last minute or so)"),
            );
        }
    }

    /// How often the fault was held back; `None`: hold it back again.
    fn held_back(&self, fault: &Fault) -> Option<u32> {
        // A lock that another thread held when the host forked stays locked:
        // then a line too many is written.
        let Ok(mut seen) = self.seen.try_lock() else {
            return Some(0);
        };
        let now = Instant::now();
        let known = |entry: &&mut Seen| entry.number == fault.number && entry.place == fault.place;
        if let Some(entry) = seen.iter_mut().find(known) {
            if now.duration_since(entry.since) < MINUTE {
                entry.held_back = entry.held_back.saturating_add(1);
                return None;
            }
            entry.since = now;
            return Some(std::mem::take(&mut entry.held_back));
        }
        if seen.len() >= REMEMBERED {
            seen.remove(0);
        }
        seen.push(Seen {
            number: fault.number,
            place: fault.place.clone(),
            since: now,
            held_back: 0,
        });
        Some(0)
    }
}

/// A log that writes one fault at most once a minute.
#[derive(Debug, Default)]
pub struct Once(Catalogue);

impl Once {
    /// Writes `fault`, unless it was written a moment ago.
    pub fn report(&self, journal: &dyn Journal, fault: &Fault) {
        self.0.report(journal, fault);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[derive(Default)]
    struct Lines(RefCell<Vec<String>>);

    impl Journal for Lines {
        fn write(&self, level: Level, line: fmt::Arguments<'_>) {
            self.0.borrow_mut().push(format!("{level:?} {line}"));
        }
    }

    #[test]
    fn a_line_is_not_repeated_within_a_minute() {
        let (catalogue, lines) = (Catalogue::default(), Lines::default());
        for _ in 0..5 {
            catalogue.report(&lines, &Fault::no_uri());
        }
        assert_eq!(lines.0.borrow().len(), 1);
        let old = Instant::now().checked_sub(MINUTE * 2).unwrap();
        catalogue.seen.lock().unwrap()[0].since = old;
        catalogue.report(&lines, &Fault::no_uri());
        let lines = lines.0.borrow();
        assert!(
            lines[0].starts_with("Err ldapdb: LDB-01 ldapdb_uri is not set."),
            "{lines:?}"
        );
        assert!(
            lines[1].ends_with("(4 more in the last minute or so)"),
            "{lines:?}"
        );
    }

    #[test]
    fn other_servers_have_lines_of_their_own() {
        let (catalogue, lines) = (Catalogue::default(), Lines::default());
        catalogue.report(&lines, &Fault::timed_out("ldap://a", 8, "search"));
        catalogue.report(&lines, &Fault::timed_out("ldap://b", 8, "search"));
        catalogue.report(&lines, &Fault::timed_out("ldap://a", 8, "search"));
        assert_eq!(lines.0.borrow().len(), 2);
    }

    #[test]
    fn text_from_outside_is_tamed() {
        assert_eq!(Shown("a\nb\u{202e}").to_string(), "a\\u{a}b\\u{202e}");
        assert!(Shown(&"x".repeat(900)).to_string().len() < 210);
    }

    #[test]
    fn the_number_of_remembered_lines_is_bounded() {
        let (catalogue, lines) = (Catalogue::default(), Lines::default());
        for index in 0..500 {
            catalogue.report(
                &lines,
                &Fault::timed_out(&format!("ldap://{index}"), 8, "search"),
            );
        }
        assert!(catalogue.seen.lock().unwrap().len() <= REMEMBERED);
    }
}
