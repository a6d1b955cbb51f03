// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table of deliberate differences in docs/behaviour.md. A row is about
//! lines, or about a whole section whose lines are recorded elsewhere.

#![forbid(unsafe_code)]

use crate::lines::Change;

#[derive(Debug)]
struct Row {
    place: String,
    /// The section differs as recorded.
    whole: bool,
    stock: Option<String>,
    ours: Option<String>,
    stock_seen: bool,
    ours_seen: bool,
}

/// All rows.
#[derive(Debug)]
pub struct Table(Vec<Row>);

impl Table {
    /// Reads the rows between the two marks.
    pub fn read(text: &str) -> Result<Self, String> {
        let (_, rest) = text
            .split_once("<!-- differences -->")
            .ok_or("no table of differences")?;
        let (table, _) = rest
            .split_once("<!-- end -->")
            .ok_or("no end of the table")?;
        let lines = table.lines().filter(|line| line.starts_with('|'));
        lines.skip(2).map(row).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a row lists this section as a whole; it then counts as needed.
    pub fn whole(&mut self, program: &str, section: &str) -> bool {
        let place = format!("{program}/{section}");
        let fits = |row: &&mut Row| row.whole && matches(&row.place, &place);
        let mut rows = self.0.iter_mut().filter(fits);
        rows.next().is_some_and(|row| {
            (row.stock_seen, row.ours_seen) = (true, true);
            true
        })
    }

    /// Whether a row lists this change; the row then counts as needed.
    pub fn allows(&mut self, program: &str, change: &Change) -> bool {
        let place = format!("{program}/{}", change.section());
        let mut allowed = false;
        for row in &mut self.0 {
            if row.whole || !matches(&row.place, &place) {
                continue;
            }
            let (cell, line, seen) = match change {
                Change::Missing { line, .. } => (&row.stock, line, &mut row.stock_seen),
                Change::Added { line, .. } => (&row.ours, line, &mut row.ours_seen),
            };
            if cell.as_ref().is_some_and(|cell| matches(cell, line)) {
                *seen = true;
                allowed = true;
            }
        }
        allowed
    }

    /// The rows of which one side was never needed.
    pub fn unused(&self) -> String {
        let unused = |row: &&Row| {
            (row.stock.is_some() && !row.stock_seen) || (row.ours.is_some() && !row.ours_seen)
        };
        let rows = self.0.iter().filter(unused);
        rows.map(|row| format!("{row:?}\n")).collect()
    }
}

/// `| where | stock | ours | reason |`; a `|` inside is written `\|`. Two cells
/// `whole` without backquotes stand for all lines of the section.
fn row(line: &str) -> Result<Row, String> {
    let escaped = line.replace("\\|", "\u{1}");
    let cells: Vec<_> = escaped
        .trim_matches('|')
        .split('|')
        .map(|cell| cell.trim().replace('\u{1}', "|"))
        .collect();
    let [place, stock, ours, reason] = cells.as_slice() else {
        return Err(format!("a row needs four cells: {line}"));
    };
    if reason.is_empty() {
        return Err(format!("a row needs a reason: {line}"));
    }
    Ok(Row {
        place: code(place).ok_or("a row needs a place")?,
        whole: stock == "whole" && ours == "whole",
        stock: code(stock),
        ours: code(ours),
        stock_seen: false,
        ours_seen: false,
    })
}

/// The text between backquotes; `-` is no line at all.
fn code(cell: &str) -> Option<String> {
    (cell != "-").then(|| cell.trim_matches('`').to_owned())
}

/// Whether `text` fits a pattern in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut parts: Vec<_> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[test]
fn stars_stand_for_anything() {
    assert!(matches("a*c", "abc"));
    assert!(matches("*", ""));
    assert!(matches("abc", "abc"));
    assert!(matches("a*b*c", "axxbyyc"));
    assert!(!matches("abc", "abcd"));
    assert!(!matches("a*b", "abc"));
    assert!(!matches("ab*ba", "aba"));
}

#[test]
fn a_section_may_be_listed_as_a_whole() {
    let text = "<!-- differences -->\n| where | stock | ours | reason |\n|---|---|---|---|\n\
                | `p/*_nul` | whole | whole | better |\n<!-- end -->";
    let mut table = Table::read(text).unwrap();
    assert!(!table.whole("p", "other"));
    assert_eq!(table.unused().lines().count(), 1);
    let change = Change::Missing {
        section: "a_nul".to_owned(),
        line: "whole".to_owned(),
    };
    assert!(!table.allows("p", &change));
    assert!(table.whole("p", "a_nul"));
    assert_eq!(table.unused(), "");
}

#[test]
fn a_row_is_needed_or_told() {
    let text = "<!-- differences -->\n| where | stock | ours | reason |\n|---|---|---|---|\n\
                | `p/*` | `  = -1*` | `  = 0 OK` | better |\n\
                | `p/x` | - | `a \\| b` | more |\n<!-- end -->";
    let mut table = Table::read(text).unwrap();
    let change = |line: &str| Change::Missing {
        section: "s".to_owned(),
        line: line.to_owned(),
    };
    assert!(table.allows("p", &change("  = -1 FAIL")));
    assert!(!table.allows("q", &change("  = -1 FAIL")));
    assert!(!table.allows("p", &change("  = 0 OK")));
    assert_eq!(table.unused().lines().count(), 2);
    let added = Change::Added {
        section: "x".to_owned(),
        line: "a | b".to_owned(),
    };
    assert!(table.allows("p", &added));
    assert_eq!(table.unused().lines().count(), 1);
    assert!(Table::read("no table").is_err());
}
