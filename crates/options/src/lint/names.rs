// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of options: unknown ones, with what may have been meant, those that
//! stand there twice, and those with or without a prefix in the wrong file.
#![forbid(unsafe_code)]

use super::{Finding, Options, Weight};
use crate::file::Setting;
use crate::table;

/// The name of a SASL option that `key` writes; `None`: it is none.
pub(super) fn bare<'a>(options: &Options, key: &'a str) -> Option<&'a str> {
    if options.prefix.is_empty() {
        return Some(key);
    }
    let own = key
        .strip_prefix(options.service.as_str())
        .and_then(|rest| rest.strip_prefix('_'));
    let rest = own.unwrap_or(key).strip_prefix(options.prefix.as_str())?;
    // `sasl_PLUGIN_option` is asked for before `sasl_option`.
    let of_asker = table::all().find_map(|known| {
        let asker = known.asker.to_ascii_lowercase();
        let name = rest.strip_prefix(asker.as_str())?.strip_prefix('_')?;
        (name == known.name).then_some(name)
    });
    Some(of_asker.unwrap_or(rest))
}

pub(super) fn lint(options: &Options) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen: Vec<&Setting> = Vec::new();
    for set in &options.settings {
        match bare(options, &set.key) {
            Some(name) => {
                findings.extend(twice(options, &seen, set));
                findings.extend(unknown(options, name, set));
                seen.push(set);
            }
            None => findings.extend(without_prefix(options, set)),
        }
    }
    findings
}

fn twice(options: &Options, seen: &[&Setting], set: &Setting) -> Option<Finding> {
    let first = seen.iter().find(|other| other.key == set.key)?;
    let counts = match options.prefix.is_empty() {
        true => first.line,
        false => set.line,
    };
    let text = format!(
        "{} is set in line {} already; line {counts} counts. Remove the other one.",
        set.key, first.line
    );
    Some(Finding::new(Weight::Mistake, set.line, text))
}

fn unknown(options: &Options, name: &str, set: &Setting) -> Option<Finding> {
    if table::find(name).is_some() {
        return None;
    }
    let stripped = name
        .strip_prefix("sasl_")
        .filter(|_| options.prefix.is_empty());
    if let Some(known) = stripped.and_then(table::find) {
        let text = format!(
            "option \"{}\" is written {} in this file: sasl_ belongs into imapd.conf.",
            set.key, known.name
        );
        return Some(Finding::new(Weight::Mistake, set.line, text));
    }
    let (weight, text) = match meant(name) {
        Some(meant) => (
            Weight::Mistake,
            format!(
                "LDB-02 option \"{}\" is not known, did you mean {}?",
                set.key,
                options.written(meant)
            ),
        ),
        None => (
            Weight::Warning,
            format!(
                "option \"{}\" is not known to this library or its plugins; nobody asks for it.",
                set.key
            ),
        ),
    };
    Some(Finding::new(weight, set.line, text))
}

/// An option of SASL among those of Cyrus IMAP.
fn without_prefix(options: &Options, set: &Setting) -> Option<Finding> {
    let known = table::find(&set.key).filter(|known| known.asker != "imapd")?;
    let text = format!(
        "{} is not read by SASL here: write {}.",
        known.name,
        options.written(known.name)
    );
    Some(Finding::new(Weight::Mistake, set.line, text))
}

/// The known name that is nearest, if one is near.
pub(super) fn meant(name: &str) -> Option<&'static str> {
    let near = table::all().map(|known| (distance(name, known.name), known.name));
    let (distance, found) = near.min()?;
    let most = if name.len() < 8 { 1 } else { 3 };
    (distance <= most).then_some(found)
}

/// Letters to change, add, leave out or swap with their neighbour.
fn distance(one: &str, other: &str) -> usize {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, wanted) in other.iter().enumerate() {
            let at = |list: &[usize], index: usize| list.get(index).copied().unwrap_or(usize::MAX);
            let replaced = at(&last, column).saturating_add(usize::from(letter != wanted));
            let added = at(&next, column).saturating_add(1);
            let left_out = at(&last, column + 1).saturating_add(1);
            let mut best = replaced.min(added).min(left_out);
            let swapped = row > 0
                && column > 0
                && one.get(row - 1) == Some(wanted)
                && other.get(column - 1) == Some(letter);
            if swapped {
                best = best.min(at(&before, column - 1).saturating_add(1));
            }
            next.push(best);
        }
        before = std::mem::replace(&mut last, next);
    }
    last.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (one, other, wanted) in [
            ("filter", "filter", 0),
            ("fliter", "filter", 1),
            ("filer", "filter", 1),
            ("", "abc", 3),
            ("uri", "url", 1),
        ] {
            assert_eq!(distance(one, other), wanted, "{one} {other}");
        }
    }

    #[test]
    fn what_was_meant() {
        assert_eq!(meant("ldapdb_fliter"), Some("ldapdb_filter"));
        assert_eq!(meant("mechlist"), Some("mech_list"));
        assert_eq!(meant("pwcheck_methods"), Some("pwcheck_method"));
        assert_eq!(meant("virtdomains"), None);
        assert_eq!(meant("x"), None);
    }
}
