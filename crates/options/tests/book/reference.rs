// SPDX-License-Identifier: MIT OR Apache-2.0
//! Options: docs/options.md and the tables of the manual pages are what
//! `table.tsv` says.

use options::table::{self, Known, Values};
use std::collections::BTreeSet;

const END: &str = "<!-- end -->";
const OPEN: &str = "<!-- options: ";
const MAN_END: &str = ".\\\" end";
const MAN_OPEN: &str = ".\\\" options: ";

/// The options of whom a mark names: `core`, or `SCRAM OTP`.
fn of(askers: &str) -> Vec<Known> {
    let askers: Vec<&str> = askers.trim_end_matches(" -->").split(' ').collect();
    let all = table::all().filter(|known| askers.contains(&known.asker));
    let found: Vec<Known> = all.collect();
    assert!(!found.is_empty(), "no option of {askers:?}");
    found
}

fn values(known: &Known) -> String {
    match known.values {
        Values::Switch => "yes or no".to_owned(),
        Values::Number => "a number".to_owned(),
        Values::Secret => "a password".to_owned(),
        Values::Path => "a path".to_owned(),
        Values::Text => "text".to_owned(),
        Values::Words(words) => words.replace('|', ", "),
    }
}

fn row(known: &Known) -> String {
    let default = known.default.replace('|', "\\|");
    let meaning = known.meaning.replace('|', "\\|");
    let name = known.name;
    format!("| `{name}` | {} | {default} | {meaning} |\n", values(known))
}

fn table_of(askers: &str) -> String {
    let rows: String = of(askers).iter().map(row).collect();
    format!("\n| option | value | default | meaning |\n|---|---|---|---|\n{rows}\n")
}

fn entry(known: &Known) -> String {
    let words = format!(
        "{} ({}; default: {}).",
        known.meaning,
        values(known),
        known.default
    );
    let mut letters = words.replace('\\', "\\e").replace(". ", ".\n");
    if let Some(first) = letters.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    format!(".TP\n.B {}\n{}\n", known.name, folded(&letters))
}

/// Lines of less than 80 letters.
fn folded(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let mut whole = String::new();
        for word in line.split(' ') {
            if !whole.is_empty() && whole.len() + word.len() > 76 {
                lines.push(std::mem::take(&mut whole));
            }
            if !whole.is_empty() {
                whole.push(' ');
            }
            whole += word;
        }
        lines.push(whole);
    }
    lines.join("\n")
}

fn entries_of(askers: &str) -> String {
    of(askers).iter().map(entry).collect()
}

/// Those whose options a page has.
fn askers(page: &str, open: &str) -> BTreeSet<String> {
    let marks = page.lines().filter_map(|line| line.strip_prefix(open));
    let names = marks.flat_map(|mark| mark.trim_end_matches(" -->").split(' '));
    names.map(str::to_owned).collect()
}

#[test]
fn the_page_of_options_is_what_the_table_says() {
    let page = super::read("docs/options.md");
    let all: BTreeSet<String> = table::all().map(|known| known.asker.to_owned()).collect();
    assert_eq!(
        askers(&page, OPEN),
        all,
        "docs/options.md has not the options of all"
    );
    super::hold(
        "docs/options.md",
        &super::filled(&page, OPEN, END, table_of),
    );
}

#[test]
fn the_manual_pages_have_every_option() {
    let mut seen = BTreeSet::new();
    for name in ["docs/man/sasl.conf.5", "docs/man/ldapdb.5"] {
        let page = super::read(name);
        seen.extend(askers(&page, MAN_OPEN));
        super::hold(name, &super::filled(&page, MAN_OPEN, MAN_END, entries_of));
    }
    let all: BTreeSet<String> = table::all().map(|known| known.asker.to_owned()).collect();
    assert_eq!(seen, all, "the manual pages have not the options of all");
}
