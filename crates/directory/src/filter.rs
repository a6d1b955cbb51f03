// SPDX-License-Identifier: MIT OR Apache-2.0
//! Search filters (RFC 4515) as templates.
//!
//! A filter is parsed once, when the configuration is read; a login is only
//! ever put into the assertion values of the BER form, so no letter of it can
//! change the filter. The text form, escaped with [`FilterValue`], is for logs.
#![forbid(unsafe_code)]

use crate::protocol::Entry;
use crate::template::{Login, Template};
use lber::common::TagClass;
use lber::structure::{PL, StructureTag};
use std::fmt::Write;

mod parse;

/// Bytes escaped for a filter's text: a type of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct FilterValue(String);

impl FilterValue {
    /// Escapes by RFC 4515 §3: `* ( ) \`, controls, and what is not UTF-8.
    pub(crate) fn escape(value: &[u8]) -> Self {
        let mut out = String::with_capacity(value.len());
        for chunk in value.utf8_chunks() {
            for letter in chunk.valid().chars() {
                if letter.is_control() || "*()\\".contains(letter) {
                    for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
                        let _ = write!(out, "\\{byte:02x}");
                    }
                } else {
                    out.push(letter);
                }
            }
            for byte in chunk.invalid() {
                let _ = write!(out, "\\{byte:02x}");
            }
        }
        Self(out)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Comparison {
    Equal = 3,
    AtLeast = 5,
    AtMost = 6,
    Approx = 8,
}

/// A search filter with variables.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    #[doc(hidden)]
    Item(Item),
}

/// One assertion of a filter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Item {
    attribute: String,
    kind: Kind,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Kind {
    Compare(Comparison, Template),
    Present,
    /// Pieces between asterisks; the first and the last may be empty.
    Substrings(Vec<Template>),
    Extensible {
        rule: Option<String>,
        dn: bool,
        value: Template,
    },
}

impl Filter {
    /// Understands `text`; parentheses around the whole may be missing.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        parse::whole(text.trim())
    }

    /// The filter that every entry matches, as it is sent.
    pub(crate) fn any() -> StructureTag {
        primitive(TagClass::Context, 7, b"objectClass".to_vec())
    }

    /// The filter as it is sent. `None`: a variable has no value.
    pub(crate) fn encode(&self, login: &Login<'_>) -> Option<StructureTag> {
        let all = |parts: &[Self]| {
            parts
                .iter()
                .map(|part| part.encode(login))
                .collect::<Option<Vec<StructureTag>>>()
        };
        Some(match self {
            Self::And(parts) => constructed(0, all(parts)?),
            Self::Or(parts) => constructed(1, all(parts)?),
            Self::Not(part) => constructed(2, vec![part.encode(login)?]),
            Self::Item(item) => item.encode(login)?,
        })
    }

    /// The filter as text, for the log.
    pub(crate) fn text(&self, login: &Login<'_>) -> String {
        let all = |parts: &[Self]| {
            parts
                .iter()
                .map(|part| part.text(login))
                .collect::<String>()
        };
        match self {
            Self::And(parts) => format!("(&{})", all(parts)),
            Self::Or(parts) => format!("(|{})", all(parts)),
            Self::Not(part) => format!("(!{})", part.text(login)),
            Self::Item(item) => item.text(login),
        }
    }

    /// Attributes that an assertion about the login looks at.
    pub(crate) fn login_attributes(&self, into: &mut Vec<String>) {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().for_each(|part| part.login_attributes(into));
            }
            Self::Not(part) => part.login_attributes(into),
            Self::Item(item) if item.has_variables() => into.push(item.attribute.clone()),
            Self::Item(_) => {}
        }
    }

    /// Whether an assertion about the login is true of what `entry` shows.
    /// `None`: the entry does not show enough to tell.
    pub(crate) fn holds(&self, login: &Login<'_>, entry: &Entry) -> Option<bool> {
        match self {
            Self::And(parts) => fold(parts.iter().map(|part| part.holds(login, entry)), false),
            Self::Or(parts) => fold(parts.iter().map(|part| part.holds(login, entry)), true),
            Self::Not(part) => part.holds(login, entry).map(|holds| !holds),
            Self::Item(item) => item.holds(login, entry),
        }
    }
}

/// `decisive` wins at once; else what is known.
fn fold(parts: impl Iterator<Item = Option<bool>>, decisive: bool) -> Option<bool> {
    parts
        .flatten()
        .reduce(|a, b| if a == decisive { a } else { b })
}

impl Item {
    fn has_variables(&self) -> bool {
        match &self.kind {
            Kind::Present => false,
            Kind::Compare(_, value) | Kind::Extensible { value, .. } => value.has_variables(),
            Kind::Substrings(parts) => parts.iter().any(Template::has_variables),
        }
    }

    fn encode(&self, login: &Login<'_>) -> Option<StructureTag> {
        let name = || self.attribute.clone().into_bytes();
        Some(match &self.kind {
            Kind::Present => primitive(TagClass::Context, 7, name()),
            Kind::Compare(comparison, value) => constructed(
                *comparison as u64,
                vec![octets(name()), octets(value.fill(login)?)],
            ),
            Kind::Substrings(parts) => {
                let last = parts.len().saturating_sub(1);
                let mut pieces = Vec::new();
                for (index, part) in parts
                    .iter()
                    .enumerate()
                    .filter(|(_, part)| !part.is_empty())
                {
                    let place = if index == 0 {
                        0
                    } else if index == last {
                        2
                    } else {
                        1
                    };
                    pieces.push(primitive(TagClass::Context, place, part.fill(login)?));
                }
                constructed(4, vec![octets(name()), sequence(pieces)])
            }
            Kind::Extensible { rule, dn, value } => {
                let mut parts = Vec::new();
                parts.extend(
                    rule.as_ref()
                        .map(|rule| context(1, rule.clone().into_bytes())),
                );
                if !self.attribute.is_empty() {
                    parts.push(context(2, name()));
                }
                parts.push(context(3, value.fill(login)?));
                parts.extend(dn.then(|| context(4, vec![0xff])));
                constructed(9, parts)
            }
        })
    }

    fn text(&self, login: &Login<'_>) -> String {
        let shown = |value: &Template| match value.fill(login) {
            Some(bytes) => FilterValue::escape(&bytes).as_str().to_owned(),
            None => "<no value>".to_owned(),
        };
        let attribute = &self.attribute;
        match &self.kind {
            Kind::Present => format!("({attribute}=*)"),
            Kind::Compare(comparison, value) => {
                let sign = match comparison {
                    Comparison::Equal => "=",
                    Comparison::AtLeast => ">=",
                    Comparison::AtMost => "<=",
                    Comparison::Approx => "~=",
                };
                format!("({attribute}{sign}{})", shown(value))
            }
            Kind::Substrings(parts) => {
                format!(
                    "({attribute}={})",
                    parts.iter().map(shown).collect::<Vec<_>>().join("*")
                )
            }
            Kind::Extensible { rule, dn, value } => {
                let dn = if *dn { ":dn" } else { "" };
                let rule = rule
                    .as_ref()
                    .map(|rule| format!(":{rule}"))
                    .unwrap_or_default();
                format!("({attribute}{dn}{rule}:={})", shown(value))
            }
        }
    }

    /// Only assertions about the login say anything here, and only those that
    /// can be checked without the directory's schema.
    fn holds(&self, login: &Login<'_>, entry: &Entry) -> Option<bool> {
        let Kind::Compare(Comparison::Equal, value) = &self.kind else {
            return None;
        };
        if !value.has_variables() {
            return None;
        }
        let fold = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_lowercase();
        let wanted = fold(&value.fill(login)?);
        let values = entry.values(&self.attribute)?;
        Some(values.iter().any(|value| fold(value.as_bytes()) == wanted))
    }
}

fn primitive(class: TagClass, id: u64, bytes: Vec<u8>) -> StructureTag {
    StructureTag {
        class,
        id,
        payload: PL::P(bytes),
    }
}

fn context(id: u64, bytes: Vec<u8>) -> StructureTag {
    primitive(TagClass::Context, id, bytes)
}

fn constructed(id: u64, parts: Vec<StructureTag>) -> StructureTag {
    StructureTag {
        class: TagClass::Context,
        id,
        payload: PL::C(parts),
    }
}

fn octets(bytes: Vec<u8>) -> StructureTag {
    primitive(TagClass::Universal, 4, bytes)
}

fn sequence(parts: Vec<StructureTag>) -> StructureTag {
    StructureTag {
        class: TagClass::Universal,
        id: 16,
        payload: PL::C(parts),
    }
}

#[cfg(test)]
mod tests;
