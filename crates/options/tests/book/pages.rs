// SPDX-License-Identifier: MIT OR Apache-2.0
//! SUMMARY.md names every page; links and mentions lead to what is there.

use super::markdown::{anchors, links, title};
use std::collections::BTreeSet;
use std::path::Path;

/// The pages below docs/, as paths from there.
fn pages() -> Vec<String> {
    let mut all = super::files("docs", ".md");
    all.retain(|name| name != "SUMMARY.md");
    let decisions = super::files("docs/decisions", ".md");
    all.extend(decisions.iter().map(|name| format!("decisions/{name}")));
    all
}

const DECISION: &str = "  - [";

/// The list of decisions, by their files.
fn decisions() -> String {
    let names = super::files("docs/decisions", ".md");
    let line = |name: &String| {
        let title = title(&super::read(&format!("docs/decisions/{name}")));
        format!("{DECISION}{title}](decisions/{name})\n")
    };
    names.iter().map(line).collect()
}

#[test]
fn the_summary_names_every_page_once() {
    let summary = super::read("docs/SUMMARY.md");
    let kept: String = summary
        .lines()
        .filter(|line| !line.contains("](decisions/"))
        .map(|line| format!("{line}\n"))
        .collect();
    let (before, after) = kept.split_once("- [Decisions]()\n").unwrap();
    let wanted = format!("{before}- [Decisions]()\n{}{after}", decisions());
    super::hold("docs/SUMMARY.md", &wanted);

    let mut named = links(&wanted.replace("    ", "  "));
    named.retain(|link| !link.is_empty());
    let once: BTreeSet<&String> = named.iter().collect();
    assert_eq!(once.len(), named.len(), "a page is named twice");
    for page in pages() {
        assert!(once.contains(&page), "docs/SUMMARY.md does not name {page}");
    }
    for name in named {
        assert!(
            super::top().join("docs").join(&name).is_file(),
            "there is no docs/{name}"
        );
    }
}

/// What is wrong with a link of the page `from`.
fn fault(from: &str, link: &str) -> Option<String> {
    if link.contains("://") || link.is_empty() {
        return None;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let docs = super::top().join("docs");
    let folder = Path::new(from).parent().unwrap();
    let to = match file {
        "" => docs.join(from),
        file => docs.join(folder).join(file),
    };
    let Ok(to) = to.canonicalize() else {
        return Some(format!("{from}: there is no {file}"));
    };
    if !to.starts_with(docs.canonicalize().unwrap()) {
        return Some(format!("{from}: {file} is not part of the book"));
    }
    if anchor.is_empty() {
        return None;
    }
    let known = anchors(&std::fs::read_to_string(&to).unwrap());
    (!known.iter().any(|known| known == anchor)).then(|| format!("{from}: {file} has no #{anchor}"))
}

#[test]
fn each_link_leads_to_a_page_and_a_heading() {
    let mut seen = 0;
    let mut faults = Vec::new();
    for page in pages() {
        let links = links(&super::read(&format!("docs/{page}")));
        seen += links.len();
        faults.extend(links.iter().filter_map(|link| fault(&page, link)));
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(seen > 30, "only {seen} links");
}

/// `docs/NAME.md` in a text.
#[test]
fn each_page_that_is_mentioned_is_there() {
    let mut all: Vec<String> = pages().iter().map(|page| format!("docs/{page}")).collect();
    all.extend(["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(str::to_owned));
    for page in all {
        let text = super::read(&page);
        for rest in text.split("docs/").skip(1) {
            let end =
                rest.find(|letter: char| !letter.is_alphanumeric() && !"-_./".contains(letter));
            let name = rest[..end.unwrap_or(rest.len())].trim_end_matches('.');
            if name.ends_with(".md") {
                let file = super::top().join("docs").join(name);
                assert!(file.is_file(), "{page} mentions docs/{name}");
            }
        }
    }
}
