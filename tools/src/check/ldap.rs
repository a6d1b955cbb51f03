// SPDX-License-Identifier: MIT OR Apache-2.0
//! The directory of ldapdb, walked by ldapdb's own code.
#![forbid(unsafe_code)]

use super::Task;
use super::report::{Item, Phase, Report};
use directory::{Config, Directory, Fault, Journal, Login, Step};
use saslplug::Level;
use std::cell::RefCell;
use std::fmt;

/// Keeps what ldapdb would log.
#[derive(Default)]
struct Lines(RefCell<Vec<(Level, String)>>);

impl Journal for Lines {
    fn write(&self, level: Level, line: fmt::Arguments<'_>) {
        self.0.borrow_mut().push((level, line.to_string()));
    }
}

/// Mechanisms that need a password that the store shows.
fn needs_secret(name: &str) -> bool {
    let others = ["CRAM-MD5", "DIGEST-MD5", "NTLM"];
    name.starts_with("SCRAM-") || others.contains(&name)
}

pub(super) fn check(task: &Task, offered: &[String], report: &mut Report) {
    report.begin("LDAP");
    let options = &task.source.options;
    let get = |name: &str| options.get("ldapdb", name).map(str::to_owned);
    let config = match Config::read(&get) {
        Ok(config) => config,
        Err(fault) => return report.add(phase_of(&fault), Item::bad(fault.to_string())),
    };
    let directory = Directory::new(config);
    plan(&directory, report);
    let login = Login {
        user: task.user.as_deref().unwrap_or_default(),
        realm: task.realm.as_deref(),
        service: &task.source.service,
        ..Login::default()
    };
    let journal = Lines::default();
    // What the options are warned of is told above.
    let known: Vec<String> = directory
        .config()
        .warnings()
        .iter()
        .map(|fault| format!("ldapdb: {fault}"))
        .collect();
    directory.walk(&journal, &login, task.password.as_ref(), &mut |step| {
        let mut lines = journal.0.take();
        lines.retain(|(_, line)| !known.contains(line));
        tell(&step, &lines, report);
    });
    let secret: Vec<&str> = offered
        .iter()
        .filter(|name| needs_secret(name))
        .map(String::as_str)
        .collect();
    if !login.user.is_empty() && !secret.is_empty() {
        unusable(&directory, &journal, &login, &secret, report);
    }
}

/// What ldapdb says to a mechanism that needs a readable password.
fn unusable(
    directory: &Directory,
    journal: &Lines,
    login: &Login<'_>,
    mechanisms: &[&str],
    report: &mut Report,
) {
    let names = ["userPassword"];
    let found = directory.lookup(journal, login, login.user.as_bytes(), &names, true);
    let lines = journal.0.take();
    let said = lines.iter().find(|(_, line)| line.contains("LDB-41"));
    if let (Ok(_), Some((_, line))) = (found, said) {
        let line = line.strip_prefix("ldapdb: ").unwrap_or(line);
        let text = format!("offered, but cannot work: {}: {line}", mechanisms.join(" "));
        report.add(Phase::Mechanisms, Item::warning(text));
    }
}

/// What the options amount to, and what is odd about them.
fn plan(directory: &Directory, report: &mut Report) {
    for warning in directory.config().warnings() {
        let item = match warning.level() {
            Level::Err => Item::bad(warning.to_string()),
            _ => Item::warning(warning.to_string()),
        };
        report.add(Phase::Options, item);
    }
    let lines = directory.plan().into_iter();
    let lines = lines.map(|(what, how)| format!("{what}: {how}")).collect();
    report.add(
        Phase::Options,
        Item::note("what the options say").with(lines),
    );
}

/// One step, and what ldapdb wrote to the log meanwhile.
fn tell(step: &Step, logged: &[(Level, String)], report: &mut Report) {
    use directory::Phase as Part;
    let phase = match step.phase {
        Part::Resolve => Phase::Resolve,
        Part::Connect => Phase::Connect,
        Part::Tls => Phase::Tls,
        Part::Bind | Part::Root => Phase::Bind,
        Part::Search => Phase::Search,
        Part::Canonical => Phase::Canonical,
        Part::Verify => Phase::Verify,
    };
    let what = format!("{} {}", name(step.phase), step.place);
    let item = match &step.outcome {
        Ok(lines) => match lines.split_first() {
            Some((first, rest)) => Item::good(format!("{what}: {first}")).with(rest.to_vec()),
            None => Item::good(what),
        },
        // Nothing of it is needed.
        Err(fault) if step.phase == Part::Root => Item::note(format!("{what}: {fault}")),
        Err(fault) => Item::bad(format!("{what}: {fault}")),
    };
    report.add(phase, item.took(step.time));
    for (level, line) in logged.iter().filter(|(level, _)| *level <= Level::Note) {
        let line = line.strip_prefix("ldapdb: ").unwrap_or(line);
        report.add(
            phase,
            match level {
                Level::Note => Item::note(line),
                _ => Item::warning(line),
            },
        );
    }
    for warning in &step.warnings {
        report.add(phase, Item::warning(warning.clone()));
    }
}

fn name(phase: directory::Phase) -> &'static str {
    use directory::Phase as Part;
    match phase {
        Part::Resolve => "address of",
        Part::Connect => "connect to",
        Part::Tls => "TLS with",
        Part::Bind => "bind at",
        Part::Root => "root DSE of",
        Part::Search => "search for",
        Part::Canonical => "name of",
        Part::Verify => "password of",
    }
}

/// Where a fault of the options counts.
fn phase_of(fault: &Fault) -> Phase {
    match fault.number() {
        7 => Phase::Bind,
        _ => Phase::Options,
    }
}
