// SPDX-License-Identifier: MIT OR Apache-2.0
//! The whole way at once: the library itself verifies the password, with all
//! methods and stores, as PLAIN and LOGIN do.
#![forbid(unsafe_code)]

use super::Task;
use super::library::{open, said};
use super::report::{Item, Phase, Report};
use crate::ffi;
use saslplug::{Level, Secret};
use std::ffi::CString;
use std::time::Instant;

pub(super) fn check(task: &Task, user: &str, password: &Secret, report: &mut Report) {
    report.begin("Login through the library (PLAIN, LOGIN)");
    let text = |text: &str| CString::new(text).unwrap_or_default();
    let Ok(library) = open(&task.source) else {
        return;
    };
    let realm = task.realm.as_deref().map(text);
    let conn = library.accept(&text(&task.source.service), None, realm.as_deref());
    let Ok(conn) = conn else {
        return;
    };
    let _ = said(Level::Debug);
    let start = Instant::now();
    let verdict = conn.check_password(&text(user), password);
    let time = start.elapsed();
    let item = match verdict {
        Ok(()) => Item::good(format!("{user} is let in")),
        Err(code) => {
            let item = Item::bad(format!("{user} is not let in: {}", ffi::text(code)));
            let mut lines = said(Level::Warn);
            if lines.is_empty() {
                lines.push(conn.detail());
            }
            item.with(lines)
        }
    };
    report.add(Phase::Login, item.took(time));
    for line in said(Level::Warn) {
        report.add(Phase::Login, Item::warning(line));
    }
}
