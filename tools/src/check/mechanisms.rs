// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which mechanisms are offered, and why the others are not.
#![forbid(unsafe_code)]

use super::file::Source;
use super::library::{open, said};
use super::report::{Item, Phase, Report};
use crate::ffi::{self, About, Conn};
use saslplug::Level;
use std::ffi::CString;

/// The strength that stands for TLS.
const TLS: u32 = 256;

/// Tells it; gives the names that are offered inside TLS.
pub(super) fn check(source: &Source, report: &mut Report) -> Vec<String> {
    report.begin("Mechanisms");
    // The library said what it has to say when it was opened before.
    let library = match open(source) {
        Ok(library) => library,
        Err(_) => return Vec::new(),
    };
    let service = CString::new(source.service.as_str()).unwrap_or_default();
    let connection = |protected: bool| {
        let conn = library.accept(&service, None, None).ok()?;
        if protected {
            conn.set_protected(TLS).ok()?;
        }
        Some(conn)
    };
    let (Some(clear), Some(inside)) = (connection(false), connection(true)) else {
        let item = Item::bad("sasl_server_new failed").with(said(Level::Debug));
        report.add(Phase::Library, item);
        return Vec::new();
    };
    let without = list(&clear);
    let within = list(&inside);
    let hidden = said(Level::Note)
        .into_iter()
        .find(|line| line.contains("are not offered: "));
    if without.is_empty() && within.is_empty() {
        let text = format!("none is offered: {}", inside.detail());
        report.add(Phase::Mechanisms, Item::bad(text).with(said(Level::Warn)));
    } else if without == within {
        offered("offered", &within, report);
    } else {
        offered("offered inside TLS", &within, report);
        offered("offered without", &without, report);
    }
    named_in_vain(source, report);
    not_offered(source, (&inside, hidden.as_deref()), &within, report);
    let _ = said(Level::Debug);
    within
}

fn offered(what: &str, names: &[String], report: &mut Report) {
    let text = format!("{what}: {}", names.join(" "));
    report.add(Phase::Mechanisms, Item::good(text));
}

fn list(conn: &Conn<'_>) -> Vec<String> {
    let names = conn.mechanisms().unwrap_or_default();
    names.split_whitespace().map(str::to_owned).collect()
}

/// Names in `mech_list` that nothing brings.
fn named_in_vain(source: &Source, report: &mut Report) {
    let known = ffi::names(About::Server);
    for name in source.words("mech_list") {
        let base = name.strip_suffix("-PLUS").unwrap_or(name);
        if known.iter().any(|other| other.eq_ignore_ascii_case(base)) {
            continue;
        }
        let package = match base.to_ascii_uppercase().as_str() {
            name if name.starts_with("GS") => {
                " (package libsasl2-modules-gssapi-mit, or this project's plugins)"
            }
            _ => "",
        };
        let text = format!(
            "mech_list names {name}, which is neither built in nor in a plugin{package}. There are: {}",
            known.join(" ")
        );
        report.add(Phase::Mechanisms, Item::warning(text));
    }
}

/// Why each of the others is not offered.
fn not_offered(
    source: &Source,
    (conn, hidden): (&Conn<'_>, Option<&str>),
    offered: &[String],
    report: &mut Report,
) {
    let listed = source.words("mech_list");
    let mut reasons = Vec::new();
    let mut unlisted = Vec::new();
    for name in ffi::names(About::Server) {
        if offered
            .iter()
            .any(|other| other.eq_ignore_ascii_case(&name))
        {
            continue;
        }
        let is_listed = listed.iter().any(|other| other.eq_ignore_ascii_case(&name));
        if !listed.is_empty() && !is_listed {
            unlisted.push(name);
            continue;
        }
        reasons.push(format!("{name}: {}", reason(conn, hidden, &name)));
    }
    if !unlisted.is_empty() {
        let text = format!("mech_list leaves out {}", unlisted.join(" "));
        report.add(Phase::Mechanisms, Item::note(text));
    }
    for text in reasons {
        let item = match listed.is_empty() {
            true => Item::note(format!("not offered: {text}")),
            false => Item::warning(format!("in mech_list, but not offered: {text}")),
        };
        report.add(Phase::Mechanisms, item);
    }
}

/// What the library says when the mechanism is tried. One that works is left out
/// of the list because no store shows a password (`hidden`), or on purpose.
fn reason(conn: &Conn<'_>, hidden: Option<&str>, name: &str) -> String {
    let name = CString::new(name).unwrap_or_default();
    let _ = said(Level::Debug);
    let Err(code) = conn.try_mechanism(&name) else {
        let by_name = "it can be used, but only where it is asked for by name";
        return hidden.unwrap_or(by_name).to_owned();
    };
    let detail = conn.detail();
    let detail = detail.rsplit_once("): ").map_or(&*detail, |(_, text)| text);
    let logged = said(Level::Warn);
    match (detail, logged.first()) {
        ("", None) => ffi::text(code),
        ("", Some(line)) => line.clone(),
        (detail, _) => detail.to_owned(),
    }
}
