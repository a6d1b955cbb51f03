// SPDX-License-Identifier: MIT OR Apache-2.0
//! docs/troubleshooting.md has each number LDB-nn of the code, with the lines of
//! the catalogue and the remedy of docs/ldapdb.md.

use std::collections::BTreeSet;

const OPEN: &str = "<!-- numbers";
const END: &str = "<!-- end -->";

/// Number, level and remedy: the rows of docs/ldapdb.md.
fn remedies() -> Vec<(String, String, String)> {
    let manual = super::read("docs/ldapdb.md");
    let (_, table) = manual.split_once("\n## Log lines").unwrap();
    let table = table.split("\n## ").next().unwrap();
    let rows = table.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.strip_suffix(" |")?.splitn(3, " |");
        let number = cells.next()?.to_owned();
        number.parse::<u8>().ok()?;
        Some((
            number,
            cells.next()?.trim().to_owned(),
            cells.next()?.trim().to_owned(),
        ))
    });
    rows.collect()
}

/// `LDB-01 …` of each line of the catalogue.
fn catalogue() -> Vec<String> {
    let lines = super::read("crates/directory/src/faults/lines.txt");
    let told = lines
        .lines()
        .filter_map(|line| line.find("LDB-").map(|at| line[at..].to_owned()));
    told.collect()
}

fn section((number, level, remedy): &(String, String, String), lines: &[String]) -> String {
    let head = format!("LDB-{number} ");
    let said: String = lines
        .iter()
        .filter(|line| line.starts_with(&head))
        .map(|line| format!("    {line}\n"))
        .collect();
    let level = match level.as_str() {
        "" => "saslcheck".to_owned(),
        level => format!("level {level}"),
    };
    let gap = if said.is_empty() { "" } else { "\n" };
    format!("\n### LDB-{number}\n\n{said}{gap}({level}) {remedy}.\n")
}

fn sections() -> String {
    let lines = catalogue();
    let all = remedies();
    assert!(all.len() > 40, "docs/ldapdb.md: {} rows", all.len());
    all.iter()
        .map(|row| section(row, &lines))
        .collect::<String>()
        + "\n"
}

/// The numbers that the sources give to `Fault::new`, `LDB-nn` in texts too.
fn in_the_code() -> BTreeSet<u8> {
    let folder = "crates/directory/src/faults";
    let mut numbers = BTreeSet::new();
    for name in super::files(folder, ".rs") {
        let source = super::read(&format!("{folder}/{name}"));
        let made = source.split("::new(").skip(1).map(str::trim_start);
        numbers.extend(made.filter_map(|text| text.split(',').next()?.trim().parse::<u8>().ok()));
    }
    let tool = super::read("crates/options/src/lint/names.rs");
    let written = tool.split("\"LDB-").skip(1);
    numbers.extend(written.filter_map(|text| text.get(..2)?.parse::<u8>().ok()));
    numbers
}

#[test]
fn each_number_of_the_code_is_on_the_page() {
    let name = "docs/troubleshooting.md";
    let page = super::read(name);
    super::hold(name, &super::filled(&page, OPEN, END, |_| sections()));
    let page = super::read(name);
    let mut numbers = in_the_code();
    let told = catalogue();
    numbers.extend(told.iter().filter_map(|line| line[4..6].parse::<u8>().ok()));
    assert!(numbers.len() > 40, "found only {numbers:?}");
    for number in numbers {
        let heading = format!("\n### LDB-{number:02}\n");
        assert!(page.contains(&heading), "{name} has no LDB-{number:02}");
    }
    for line in told {
        assert!(page.contains(&line), "{name} lacks the line \"{line}\"");
    }
}
