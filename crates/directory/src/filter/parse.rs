// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the text of a filter to its parts.
#![forbid(unsafe_code)]

use super::{Comparison, Filter, Item, Kind};
use crate::template::Template;

const DEPTH: usize = 32;

/// The filter that `text` is.
pub(super) fn whole(text: &str) -> Result<Filter, String> {
    if !text.starts_with('(') {
        return item(text);
    }
    let (filter, rest) = parse(text, DEPTH)?;
    if rest.is_empty() {
        Ok(filter)
    } else {
        Err(format!("\"{rest}\" is left over"))
    }
}

/// A filter in parentheses at the start of `text`, and what follows it.
fn parse(text: &str, depth: usize) -> Result<(Filter, &str), String> {
    let depth = depth.checked_sub(1).ok_or("it is nested too deeply")?;
    let inner = text
        .strip_prefix('(')
        .ok_or_else(|| format!("\"(\" expected before \"{text}\""))?;
    let close = |rest: &str| format!("\")\" expected before \"{rest}\"");
    let (kind, rest) = inner.split_at(inner.chars().next().map_or(0, char::len_utf8));
    match kind {
        "&" | "|" => {
            let (parts, rest) = parse_list(rest, depth)?;
            let rest = rest.strip_prefix(')').ok_or_else(|| close(rest))?;
            Ok((
                if kind == "&" {
                    Filter::And(parts)
                } else {
                    Filter::Or(parts)
                },
                rest,
            ))
        }
        "!" => {
            let (part, rest) = parse(rest, depth)?;
            let rest = rest.strip_prefix(')').ok_or_else(|| close(rest))?;
            Ok((Filter::Not(Box::new(part)), rest))
        }
        _ => {
            let (text, rest) = inner.split_once(')').ok_or_else(|| close(""))?;
            Ok((item(text)?, rest))
        }
    }
}

fn parse_list(mut text: &str, depth: usize) -> Result<(Vec<Filter>, &str), String> {
    let mut parts = Vec::new();
    while text.starts_with('(') {
        let (part, rest) = parse(text, depth)?;
        parts.push(part);
        text = rest;
    }
    if parts.is_empty() {
        return Err("& and | need at least one part".to_owned());
    }
    Ok((parts, text))
}

fn item(text: &str) -> Result<Filter, String> {
    let (left, value) = text
        .split_once('=')
        .ok_or_else(|| format!("no \"=\" in \"{text}\""))?;
    let (attribute, kind) = match left.chars().last() {
        Some(':') => return extensible(left.trim_end_matches(':'), value),
        Some('>') => (
            left.trim_end_matches('>'),
            compare(Comparison::AtLeast, value)?,
        ),
        Some('<') => (
            left.trim_end_matches('<'),
            compare(Comparison::AtMost, value)?,
        ),
        Some('~') => (
            left.trim_end_matches('~'),
            compare(Comparison::Approx, value)?,
        ),
        _ if value == "*" => (left, Kind::Present),
        _ if value.contains('*') => {
            let parts: Result<Vec<_>, _> = value.split('*').map(assertion).collect();
            (left, Kind::Substrings(parts?))
        }
        _ => (left, compare(Comparison::Equal, value)?),
    };
    Ok(Filter::Item(Item {
        attribute: named(attribute)?,
        kind,
    }))
}

fn compare(comparison: Comparison, value: &str) -> Result<Kind, String> {
    assertion(value).map(|value| Kind::Compare(comparison, value))
}

fn extensible(left: &str, value: &str) -> Result<Filter, String> {
    let mut parts = left.split(':');
    let attribute = parts.next().unwrap_or("");
    let (mut rule, mut dn) = (None, false);
    for part in parts {
        if part.eq_ignore_ascii_case("dn") && rule.is_none() {
            dn = true;
        } else {
            rule = Some(named(part)?);
        }
    }
    let attribute = if attribute.is_empty() {
        String::new()
    } else {
        named(attribute)?
    };
    if attribute.is_empty() && rule.is_none() {
        return Err("an extensible match needs an attribute or a rule".to_owned());
    }
    let kind = Kind::Extensible {
        rule,
        dn,
        value: assertion(value)?,
    };
    Ok(Filter::Item(Item { attribute, kind }))
}

fn named(attribute: &str) -> Result<String, String> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-.;_".contains(&byte);
    if !attribute.is_empty() && attribute.bytes().all(known) {
        Ok(attribute.to_owned())
    } else {
        Err(format!("\"{attribute}\" is no attribute name"))
    }
}

/// An assertion value: `\xx` escapes and variables.
fn assertion(text: &str) -> Result<Template, String> {
    let mut template = Template::default();
    let mut pieces = text.split('\\');
    template.push(Template::parse(pieces.next().unwrap_or(""))?);
    for piece in pieces {
        let digits = piece
            .get(..2)
            .filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let byte = byte.ok_or("a backslash needs two hex digits (\\2a)")?;
        template.push_text(&[byte]);
        template.push(Template::parse(piece.get(2..).unwrap_or(""))?);
    }
    if text.contains('(') {
        return Err("( in a value is written \\28".to_owned());
    }
    Ok(template)
}
