// SPDX-License-Identifier: MIT OR Apache-2.0
//! What happens to the values of an entry: which attribute a property comes
//! from, and which stored hashes are compared.
#![forbid(unsafe_code)]

use super::options::Reader;
use crate::faults::Fault;

/// How passwords and properties are changed (`ldapdb_store`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Store {
    /// As they are.
    Modify,
    /// By an operation that lets the server hash them.
    Exop,
    /// Not by this plugin.
    No,
}

pub(super) fn store(options: &Reader<'_>) -> Result<Store, Fault> {
    let words = [
        ("modify", Store::Modify),
        ("exop", Store::Exop),
        ("no", Store::No),
    ];
    let choice = options.choice("ldapdb_store", &words)?;
    Ok(choice.unwrap_or(Store::Modify))
}

/// `ldapdb_attr_map`: property and attribute.
pub(super) fn attribute_map(options: &Reader<'_>) -> Result<Vec<(String, String)>, Fault> {
    let option = "ldapdb_attr_map";
    let text = options.text(option).unwrap_or_default();
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-.;_".contains(&byte);
    let mut map = Vec::new();
    for pair in text.split([' ', '\t', ',']).filter(|pair| !pair.is_empty()) {
        let Some((property, attribute)) = pair.split_once('=') else {
            let why = format!("\"{pair}\" is not property=attribute");
            return Err(Fault::bad_option(option, &why));
        };
        let odd = |name: &str| name.is_empty() || !name.bytes().all(known);
        if odd(property) || odd(attribute) {
            let why = format!("\"{pair}\" has no two names");
            return Err(Fault::bad_option(option, &why));
        }
        if property.eq_ignore_ascii_case("userPassword") {
            let why = "for userPassword set ldapdb_password_attr";
            return Err(Fault::bad_option(option, why));
        }
        map.push((property.to_owned(), attribute.to_owned()));
    }
    Ok(map)
}

/// `ldapdb_hashes`: the schemes that are compared; all but those are left to a
/// bind.
pub(super) fn hashes(options: &Reader<'_>) -> Result<Vec<&'static str>, Fault> {
    let option = "ldapdb_hashes";
    let text = options.text(option).unwrap_or_else(|| "all".to_owned());
    let mut list = Vec::new();
    for word in text.split([' ', '\t', ',']).filter(|word| !word.is_empty()) {
        let word = word.trim_start_matches('{').trim_end_matches('}');
        match word.to_ascii_lowercase().as_str() {
            "all" => list.extend(hash::schemes()),
            "none" => {}
            _ => match hash::schemes().find(|name| name.eq_ignore_ascii_case(word)) {
                Some(name) => list.push(name),
                None => {
                    let known: Vec<&str> = hash::schemes().collect();
                    let why = format!("\"{word}\" is not one of all, none, {}", known.join(", "));
                    return Err(Fault::bad_option(option, &why));
                }
            },
        }
    }
    Ok(list)
}
