// SPDX-License-Identifier: MIT OR Apache-2.0
//! The lines in which two outputs differ, each with the section it stands in.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;

/// One line that only one of the two has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Only the first output has it.
    Missing { section: String, line: String },
    /// Only the second output has it.
    Added { section: String, line: String },
}

impl Change {
    /// The name after the last `== `.
    pub fn section(&self) -> &str {
        match self {
            Self::Missing { section, .. } | Self::Added { section, .. } => section,
        }
    }
}

/// The section that this line begins.
pub fn header(line: &str) -> Option<&str> {
    line.strip_prefix("== ")
        .filter(|name| !name.contains(char::is_whitespace))
}

/// Splits an output at its `== name` lines.
fn sections(text: &str) -> (Vec<String>, BTreeMap<String, Vec<&str>>) {
    let mut order = vec![String::new()];
    let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for line in text.lines() {
        if let Some(name) = header(line) {
            order.push(name.to_owned());
        }
        let section = order.last().cloned().unwrap_or_default();
        found.entry(section).or_default().push(line);
    }
    (order, found)
}

/// The sections of `text` that `wanted` wants, as one text.
pub fn some(text: &str, mut wanted: impl FnMut(&str) -> bool) -> String {
    let (order, found) = sections(text);
    let wanted = order.iter().filter(|name| wanted(name));
    wanted
        .filter_map(|name| found.get(name))
        .flatten()
        .map(|line| format!("{line}\n"))
        .collect()
}

/// The differences, section by section, in the order of the first output.
pub fn changes(first: &str, second: &str) -> Vec<Change> {
    let (mut order, a) = sections(first);
    let (others, b) = sections(second);
    for name in others {
        if !order.contains(&name) {
            order.push(name);
        }
    }
    let empty = Vec::new();
    order
        .iter()
        .flat_map(|name| {
            let (a, b) = (a.get(name).unwrap_or(&empty), b.get(name).unwrap_or(&empty));
            in_section(name, a, b)
        })
        .collect()
}

/// Walks along a longest common subsequence.
fn in_section(section: &str, a: &[&str], b: &[&str]) -> Vec<Change> {
    let width = b.len() + 1;
    let mut common = vec![0u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i * width + j] = if a[i] == b[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut found = Vec::new();
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            i += 1;
            j += 1;
        } else if i < a.len()
            && (j == b.len() || common[(i + 1) * width + j] >= common[i * width + j + 1])
        {
            found.push(Change::Missing {
                section: section.to_owned(),
                line: a[i].to_owned(),
            });
            i += 1;
        } else {
            found.push(Change::Added {
                section: section.to_owned(),
                line: b[j].to_owned(),
            });
            j += 1;
        }
    }
    found
}

#[test]
fn equal_texts_have_no_change_and_others_tell_where() {
    let text = "== one\na\nb\n== two\nc\n";
    assert_eq!(changes(text, text), []);
    let found = changes(text, "== one\na\nx\n== two\nc\nd\n");
    let missing = |section: &str, line: &str| Change::Missing {
        section: section.to_owned(),
        line: line.to_owned(),
    };
    let added = |section: &str, line: &str| Change::Added {
        section: section.to_owned(),
        line: line.to_owned(),
    };
    assert_eq!(
        found,
        [missing("one", "b"), added("one", "x"), added("two", "d")]
    );
    assert_eq!(changes("== a\nx\n", "").len(), 2);
    assert_eq!(some(text, |name| name == "two"), "== two\nc\n");
}
