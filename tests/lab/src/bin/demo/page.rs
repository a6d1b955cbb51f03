// SPDX-License-Identifier: MIT OR Apache-2.0
//! How the demo looks: aligned, wrapped, coloured on a terminal only.

#![forbid(unsafe_code)]

use std::io::{self, IsTerminal, Stdout, Write};
use std::time::Duration;

const WIDTH: usize = 78;
const BOLD: &str = "\x1b[1m";
const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const RESET: &str = "\x1b[0m";

/// A page that is being printed.
pub(crate) struct Page<W> {
    out: W,
    colour: bool,
}

impl Page<Stdout> {
    /// The terminal, or whatever stands for it.
    pub(crate) fn new(out: Stdout) -> Self {
        let colour = out.is_terminal();
        Self { out, colour }
    }
}

impl<W: Write> Page<W> {
    /// A heading, with an empty line before it.
    pub(crate) fn title(&mut self, text: &str) -> io::Result<()> {
        let text = self.paint(BOLD, text);
        writeln!(self.out, "\n{text}")?;
        self.out.flush()
    }

    /// A plain line.
    pub(crate) fn note(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "  {text}")?;
        self.out.flush()
    }

    /// What somebody wrote in a file or typed.
    pub(crate) fn written(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "      {line}")
    }

    /// One check: mark, name, time, the server's words.
    pub(crate) fn result(
        &mut self,
        good: bool,
        name: &str,
        words: &str,
        took: Duration,
    ) -> io::Result<()> {
        let mark = if good {
            self.paint(GREEN, "ok  ")
        } else {
            self.paint(RED, "FAIL")
        };
        let answer: String = without_codes(words).chars().take(40).collect();
        writeln!(
            self.out,
            "  {mark}  {name:<20}{:>6} ms   {answer}",
            took.as_millis()
        )
    }

    /// The number and name of a mistake.
    pub(crate) fn mistake(&mut self, number: usize, title: &str) -> io::Result<()> {
        let title = self.paint(BOLD, title);
        writeln!(self.out, "\n  {number}. {title}")
    }

    /// A log line, wrapped, its code in colour.
    pub(crate) fn log(&mut self, line: &str, code: &str) -> io::Result<()> {
        for (number, row) in wrap(line, WIDTH - 6).iter().enumerate() {
            let lead = if number == 0 { "  -> " } else { "     " };
            let row = row.replace(code, &self.paint(YELLOW, code));
            writeln!(self.out, "{lead}{row}")?;
        }
        self.out.flush()
    }

    /// Something that should not have happened.
    pub(crate) fn failure(&mut self, text: &str) -> io::Result<()> {
        let text = self.paint(RED, text);
        writeln!(self.out, "  {text}")?;
        self.out.flush()
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colour {
            format!("{colour}{text}{RESET}")
        } else {
            text.to_owned()
        }
    }
}

/// "OK \[CAPABILITY …\] User logged in SESSIONID=<…>" without the long parts.
fn without_codes(words: &str) -> String {
    let words = words.split(" SESSIONID=").next().unwrap_or_default();
    match (words.find('['), words.find(']')) {
        (Some(open), Some(close)) if open < close => {
            let before = words.get(..open).unwrap_or_default();
            let after = words.get(close + 1..).unwrap_or_default();
            format!("{}{}", before.trim_end(), after)
        }
        _ => words.to_owned(),
    }
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match rows.last_mut() {
            Some(row) if row.chars().count() + 1 + word.chars().count() <= width => {
                row.push(' ');
                row.push_str(word);
            }
            _ => rows.push(word.to_owned()),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_and_kept() {
        let text = "LDB-01: ldapdb_uri is not set. Put it there.";
        let rows = wrap(text, 20);
        assert!(rows.iter().all(|row| row.len() <= 20), "{rows:?}");
        assert_eq!(rows.join(" "), text);
    }

    #[test]
    fn capabilities_are_left_out() {
        assert_eq!(
            without_codes("OK [CAPABILITY IMAP4rev1 ID] User logged in SESSIONID=<x>"),
            "OK User logged in"
        );
    }

    #[test]
    fn no_colour_without_a_terminal() {
        let mut page = Page {
            out: Vec::new(),
            colour: false,
        };
        page.log("ldapdb: LDB-01: text", "LDB-01").unwrap();
        page.failure("no").unwrap();
        assert!(!page.out.contains(&0x1b));
    }
}
