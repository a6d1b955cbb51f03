// SPDX-License-Identifier: MIT OR Apache-2.0
//! What happens to the values of an entry: which attribute a property comes
//! from, and which stored hashes are compared.
#![forbid(unsafe_code)]

use super::options::Reader;
use crate::dn::Dn;
use crate::faults::Fault;
use crate::template::Template;

/// How passwords and properties are changed (`ldapdb_store`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Store {
    /// As they are.
    Modify,
    /// By an operation that lets the server hash them.
    Exop,
    /// As Active Directory wants it: `unicodePwd`.
    ActiveDirectory,
    /// Not by this plugin.
    No,
}

/// Whether a password policy is asked for (`ldapdb_ppolicy`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AskPolicy {
    /// Where the server lists the control.
    Auto,
    Yes,
    No,
}

pub(super) fn ask_policy(options: &Reader<'_>) -> Result<AskPolicy, Fault> {
    let words = [
        ("auto", AskPolicy::Auto),
        ("yes", AskPolicy::Yes),
        ("true", AskPolicy::Yes),
        ("on", AskPolicy::Yes),
        ("1", AskPolicy::Yes),
        ("no", AskPolicy::No),
        ("false", AskPolicy::No),
        ("off", AskPolicy::No),
        ("0", AskPolicy::No),
    ];
    let choice = options.choice("ldapdb_ppolicy", &words)?;
    Ok(choice.unwrap_or(AskPolicy::Auto))
}

/// `ldapdb_group_dn` and `ldapdb_group_attr`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Group {
    pub(crate) template: Template,
    pub(crate) attribute: String,
}

pub(super) fn group(options: &Reader<'_>) -> Result<Option<Group>, Fault> {
    let option = "ldapdb_group_dn";
    let attribute = options.attribute("ldapdb_group_attr")?;
    let Some(text) = options.text(option) else {
        return match attribute {
            None => Ok(None),
            Some(_) => Err(Fault::bad_option(
                "ldapdb_group_attr",
                "there is no ldapdb_group_dn",
            )),
        };
    };
    if Dn::parse(&text).is_none() {
        let why = format!("\"{text}\" is not a DN");
        return Err(Fault::bad_option(option, &why));
    }
    let template = Template::parse(&text).map_err(|why| Fault::bad_option(option, &why))?;
    if template.wants_entry() {
        return Err(Fault::bad_option(option, "%D has no place in it"));
    }
    let attribute = attribute.unwrap_or_else(|| "uniqueMember".to_owned());
    Ok(Some(Group {
        template,
        attribute,
    }))
}

pub(super) fn store(options: &Reader<'_>) -> Result<Store, Fault> {
    let words = [
        ("modify", Store::Modify),
        ("exop", Store::Exop),
        ("ad", Store::ActiveDirectory),
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
