// SPDX-License-Identifier: MIT OR Apache-2.0
//! What options say together: stores that nobody asks, methods that do not
//! exist, lists that are not separated.
#![forbid(unsafe_code)]

use super::{Finding, Options, Weight};
use crate::table;

/// Words of `pwcheck_method`; `ldapdb` is a store that verifies itself.
const METHODS: [&str; 5] = [
    "auxprop",
    "saslauthd",
    "authdaemond",
    "alwaystrue",
    "ldapdb",
];
/// Property stores of this project.
const STORES: [&str; 3] = ["ldapdb", "sasldb", "sql"];
/// Mechanisms that hand over the password itself.
const PLAIN: [&str; 2] = ["PLAIN", "LOGIN"];

pub(super) fn lint(options: &Options) -> Vec<Finding> {
    let mut findings = Vec::new();
    methods(options, &mut findings);
    commas(options, &mut findings);
    for store in STORES {
        findings.extend(unasked_store(options, store));
    }
    for (option, method) in [
        ("saslauthd_path", "saslauthd"),
        ("saslauthd_remote", "saslauthd"),
        ("authdaemond_path", "authdaemond"),
    ] {
        let unused = !options
            .words("pwcheck_method")
            .iter()
            .any(|word| word == method);
        if let (true, Some(line)) = (unused, line_of(options, option)) {
            let text = format!(
                "{} has no effect: {} does not name {method}.",
                options.written(option),
                options.written("pwcheck_method")
            );
            findings.push(Finding::new(Weight::Warning, line, text));
        }
    }
    findings
}

fn line_of(options: &Options, name: &str) -> Option<usize> {
    let mut set = options.set();
    set.find(|(known, _)| *known == name)
        .map(|(_, set)| set.line)
}

fn methods(options: &Options, findings: &mut Vec<Finding>) {
    let Some(line) = line_of(options, "pwcheck_method") else {
        return;
    };
    for word in options.words("pwcheck_method") {
        let (weight, text) = match word.as_str() {
            "alwaystrue" => (
                Weight::Warning,
                "alwaystrue lets everybody in with any password; it is for tests only.".to_owned(),
            ),
            known if METHODS.contains(&known) => continue,
            "pwcheck" | "shadow" | "pam" | "ldap" => (
                Weight::Mistake,
                format!("\"{word}\" is no method here: saslauthd can do it (saslauthd -a {word})."),
            ),
            _ => (
                Weight::Mistake,
                format!("\"{word}\" is not one of {}.", METHODS.join(", ")),
            ),
        };
        let text = format!("{}: {text}", options.written("pwcheck_method"));
        findings.push(Finding::new(weight, line, text));
    }
}

/// The original library separates by blanks only.
fn commas(options: &Options, findings: &mut Vec<Finding>) {
    for name in ["mech_list", "auxprop_plugin", "pwcheck_method"] {
        let has = options.get("", name).is_some_and(|text| text.contains(','));
        if let (true, Some(line)) = (has, line_of(options, name)) {
            let text = format!(
                "{}: separate by blanks; stock libsasl2 takes a comma for a part of the name.",
                options.written(name)
            );
            findings.push(Finding::new(Weight::Warning, line, text));
        }
    }
}

/// Options of a store that is not among those that are asked.
fn unasked_store(options: &Options, store: &str) -> Option<Finding> {
    let of_store = |name: &str| table::find(name).is_some_and(|known| known.asker == store);
    let (_, set) = options.set().find(|(name, _)| of_store(name))?;
    let stores = options.words("auxprop_plugin");
    let is_store = |word: &String| word.eq_ignore_ascii_case(store);
    let methods = options.words("pwcheck_method");
    let canon = options.get("", "canon_user_plugin");
    if canon.is_some_and(|word| word.eq_ignore_ascii_case(store)) || methods.iter().any(is_store) {
        return None;
    }
    if !stores.is_empty() && !stores.iter().any(is_store) {
        let text = format!(
            "{} has no effect: {} names {}, not {store}.",
            set.key,
            options.written("auxprop_plugin"),
            stores.join(" ")
        );
        return Some(Finding::new(Weight::Mistake, set.line, text));
    }
    let asks = methods.is_empty() || methods.iter().any(|word| word == "auxprop");
    let mechs = options.words("mech_list");
    let is_plain = |mech: &String| PLAIN.iter().any(|plain| mech.eq_ignore_ascii_case(plain));
    if !asks && !mechs.is_empty() && mechs.iter().all(is_plain) {
        let text = format!(
            "{} has no effect: {} is {}, and {} needs no store.",
            set.key,
            options.written("pwcheck_method"),
            methods.join(" "),
            mechs.join(" ")
        );
        return Some(Finding::new(Weight::Warning, set.line, text));
    }
    None
}
