// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table of deliberate differences in docs/behaviour.md.

#![forbid(unsafe_code)]

use crate::lines::Change;

#[derive(Debug)]
struct Row {
    place: String,
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

    /// Whether a row lists this change; the row then counts as needed.
    pub fn allows(&mut self, program: &str, change: &Change) -> bool {
        let place = format!("{program}/{}", change.section());
        let mut allowed = false;
        for row in &mut self.0 {
            if !matches(&row.place, &place) {
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

/// `| where | stock | ours | reason |`; a `|` inside is written `\|`.
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
