// SPDX-License-Identifier: MIT OR Apache-2.0
//! The filter for each server, and what an entry must match beside it.
#![forbid(unsafe_code)]

use super::Lookup;
use super::options::Reader;
use crate::faults::Fault;
use crate::filter::Filter;
use crate::uri::Uri;

/// The filters, and the same without `ldapdb_require` if that is set.
pub(super) fn all(
    options: &Reader<'_>,
    servers: &[Uri],
    canon_attr: Option<&str>,
    lookup: Lookup,
) -> Result<(Vec<Filter>, Vec<Filter>), Fault> {
    let unrestricted = of_servers(options, servers, canon_attr, lookup)?;
    let Some(filter) = required(options)? else {
        return Ok((unrestricted, Vec::new()));
    };
    let both = |one: &Filter| Filter::And(vec![one.clone(), filter.clone()]);
    Ok((unrestricted.iter().map(both).collect(), unrestricted))
}

/// `ldapdb_require`.
fn required(options: &Reader<'_>) -> Result<Option<Filter>, Fault> {
    let option = "ldapdb_require";
    let Some(text) = options.text(option) else {
        return Ok(None);
    };
    let bad = |why: String| Fault::bad_option(option, &format!("\"{text}\" is no filter: {why}"));
    Filter::parse(&text).map(Some).map_err(bad)
}

/// The filter for each server.
fn of_servers(
    options: &Reader<'_>,
    servers: &[Uri],
    canon_attr: Option<&str>,
    lookup: Lookup,
) -> Result<Vec<Filter>, Fault> {
    if lookup != Lookup::Search {
        return Ok(Vec::new());
    }
    let checked = |option: &str, text: &str| {
        let filter = Filter::parse(text)
            .map_err(|why| Fault::bad_option(option, &format!("\"{text}\" is no filter: {why}")))?;
        let mut about = Vec::new();
        filter.login_attributes(&mut about);
        if about.is_empty() {
            let why = format!("\"{text}\" has no variable such as %u, so it finds everybody");
            return Err(Fault::bad_option(option, &why));
        }
        Ok(filter)
    };
    let default = match canon_attr {
        Some(attribute) => format!("(|(uid=%u)({attribute}=%u))"),
        None => "(uid=%u)".to_owned(),
    };
    let own = options.text("ldapdb_filter");
    servers
        .iter()
        .map(|server| match (&own, &server.filter) {
            (Some(text), _) => checked("ldapdb_filter", text),
            (None, Some(text)) => checked("ldapdb_uri", text),
            (None, None) => checked("ldapdb_filter", &default),
        })
        .collect()
}
