// SPDX-License-Identifier: MIT OR Apache-2.0
//! `saslcheck`: reads the options of an application and walks the way of a
//! login, step by step: which file, which library, which plugins, which
//! mechanisms, which directory, which verdict. Where the way ends it says why
//! and what to do; the exit code names the phase.
#![forbid(unsafe_code)]

mod examples;
mod file;
mod ldap;
mod library;
mod login;
mod mechanisms;
mod report;
mod stores;

use crate::input::{self, Way};
use crate::library::complain;
use crate::usage;
use clap::ArgMatches;
use file::Source;
use options::lint::Weight;
use report::{Item, Phase, Report};
use saslplug::Secret;
use std::ffi::OsString;
use std::process::ExitCode;

const NAME: &str = "saslcheck";

/// What is checked.
struct Task {
    source: Source,
    user: Option<String>,
    password: Option<Secret>,
    realm: Option<String>,
}

/// Runs the program.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let matches = match usage::parse(&usage::SASLCHECK, arguments) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    if let Some(example) = text("example") {
        return examples::show(&example, text("prefix").as_deref().unwrap_or_default());
    }
    let mut report = Report::new(matches.get_flag("json"));
    report.begin("Configuration");
    let source = file::find(
        text("file").as_deref(),
        text("prefix").as_deref(),
        text("service").as_deref(),
    );
    let source = match source {
        Ok(source) => source,
        Err(why) => {
            report.add(Phase::File, Item::bad(why));
            return report.end();
        }
    };
    let password = match password(&matches) {
        Ok(password) => password,
        Err(code) => return code,
    };
    let task = Task {
        source,
        user: text("user"),
        password,
        realm: text("realm"),
    };
    walk(&task, &mut report);
    report.end()
}

/// The password, asked for only if it is wanted.
fn password(matches: &ArgMatches) -> Result<Option<Secret>, ExitCode> {
    if !matches.get_flag("password") {
        return Ok(None);
    }
    match input::password(Way::Ask { twice: false }) {
        Ok(password) => Ok(Some(password)),
        Err(problem) => {
            complain(NAME, &format!("no password: {problem:?}"));
            Err(ExitCode::from(1))
        }
    }
}

fn walk(task: &Task, report: &mut Report) {
    let source = &task.source;
    report.add(
        Phase::File,
        Item::good(format!("{} ({})", source.file.display(), source.syntax())),
    );
    for warning in source.access() {
        report.add(Phase::File, Item::warning(warning));
    }
    for finding in source.options.lint() {
        let text = match finding.line {
            Some(line) => format!("line {line}: {}", finding.text),
            None => finding.text,
        };
        report.add(
            Phase::Options,
            match finding.weight {
                Weight::Mistake => Item::bad(text),
                Weight::Warning => Item::warning(text),
            },
        );
    }
    library::check(source, report);
    let offered = mechanisms::check(source, report);
    if source.asks("ldapdb") {
        ldap::check(task, &offered, report);
    }
    stores::check(task, report);
    if let (Some(user), Some(password)) = (&task.user, &task.password) {
        login::check(task, user, password, report);
    }
}
