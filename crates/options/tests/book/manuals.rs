// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every manual page is understood without a warning, and installed.

use std::path::Path;
use std::process::Command;

/// The manual pages, as paths from the top.
fn manuals() -> Vec<String> {
    let mut all = Vec::new();
    for (folder, sections) in [("docs/man", "358"), ("debian/man", "18")] {
        for section in sections.chars() {
            let names = super::files(folder, &format!(".{section}"));
            all.extend(names.iter().map(|name| format!("{folder}/{name}")));
        }
    }
    all
}

/// What `mandoc` has to say about a page.
fn lint(page: &Path) -> String {
    let mut command = Command::new("mandoc");
    let said = command.args(["-Tlint", "-Wwarning"]).arg(page).output();
    let said = said.unwrap_or_else(|error| panic!("mandoc (apt-get install mandoc): {error}"));
    String::from_utf8_lossy(&said.stdout).into_owned()
}

#[test]
fn each_manual_page_renders_without_warnings() {
    let pages = manuals();
    assert!(pages.len() >= 8, "{pages:?}");
    let said: String = pages
        .iter()
        .map(|page| lint(&super::top().join(page)))
        .collect();
    assert!(said.is_empty(), "{said}");
}

#[test]
fn a_wrong_page_is_told_from_a_right_one() {
    let page = std::env::temp_dir().join(format!("wrong-{}.3", std::process::id()));
    std::fs::write(&page, ".TH X 3 \"no date\"\n.SH NAME\n.nonsense\n").unwrap();
    let said = lint(&page);
    std::fs::remove_file(&page).unwrap();
    assert!(said.contains("date") && said.contains("nonsense"), "{said}");
}
