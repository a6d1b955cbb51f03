// SPDX-License-Identifier: MIT OR Apache-2.0
//! `make demo`: Cyrus IMAP logs a user of a plain LDAP directory in with eight
//! lines, then each of eight classic mistakes is explained by one log line.
//! `--stock` tries the same with the distribution's library: how it was before.

#![forbid(unsafe_code)]

mod page;

use lab::account;
use lab::cyrus::Service;
use lab::imap::Method;
use lab::library::Library;
use lab::placed::Way;
use lab::story::{MISTAKES, Mistake, Story, USER};
use page::Page;
use std::env;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let mut page = Page::new(io::stdout());
    let which = match env::args().nth(1).as_deref() {
        None => Library::Ours,
        Some("--stock") => Library::Stock,
        Some(_) => {
            // Whoever cannot read this sees the exit code.
            let _ = page.failure("usage: demo [--stock]");
            return ExitCode::from(2);
        }
    };
    match tell(&mut page, which) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // If even this cannot be printed, the exit code still says it.
            let _ = page.failure(&format!("the demo could not go on: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// What has gone as expected so far.
#[derive(Default)]
struct Score {
    logins: usize,
    refusals: usize,
    explained: usize,
}

fn tell<W: Write>(page: &mut Page<W>, which: Library) -> io::Result<bool> {
    let start = Instant::now();
    page.title("Oxisasl: IMAP logins against a directory that never shows a password")?;
    account::require_root()?;
    page.note("Building the library (the first time takes a minute or two) ...")?;
    which.file()?;
    page.note(&format!(
        "built after {:.1} s",
        start.elapsed().as_secs_f64()
    ))?;
    page.note("Starting slapd (simple binds only, nothing for anonymous) and Cyrus IMAP,")?;
    page.note("on free ports of 127.0.0.1 ...")?;
    let started = Instant::now();
    let story = Story::open(which, Way::Preload, Service::Fresh)?;
    page.note(&format!(
        "ready after {:.1} s: LDAP on {}, IMAP on {}",
        started.elapsed().as_secs_f64(),
        story.slapd().address(),
        story.cyrus().address()
    ))?;
    let whose = match which {
        Library::Ours => "our",
        Library::Stock => "the distribution's",
    };
    page.note(&format!(
        "imapd maps {whose} libsasl2.so.2 and no other (checked by inode)"
    ))?;

    let mut score = Score::default();
    page.title("The eight lines in imapd.conf")?;
    for line in story.right().text().lines() {
        page.written(line)?;
    }
    logins(page, &story, &mut score)?;

    page.title("Eight mistakes, one log line each")?;
    for (number, mistake) in MISTAKES.iter().enumerate() {
        explain(page, &story, number + 1, mistake, &mut score)?;
    }
    drop(story);
    end(page, &score, start)
}

fn logins<W: Write>(page: &mut Page<W>, story: &Story, score: &mut Score) -> io::Result<()> {
    page.title(&format!("{} logs in", USER.0))?;
    for method in Method::ALL {
        let asked = Instant::now();
        let answer = story.log_in(method)?;
        score.logins += usize::from(answer.ok);
        page.result(answer.ok, method.name(), &answer.text, asked.elapsed())?;
    }
    let asked = Instant::now();
    let answer = story.log_in_wrong(Method::Plain)?;
    score.refusals += usize::from(!answer.ok);
    page.result(
        !answer.ok,
        "a wrong password",
        &answer.text,
        asked.elapsed(),
    )?;
    if score.logins == Method::ALL.len() && score.refusals == 1 {
        return Ok(());
    }
    page.failure("what the server logged:")?;
    for line in story.cyrus().syslog().lines() {
        page.note(&line)?;
    }
    Ok(())
}

fn explain<W: Write>(
    page: &mut Page<W>,
    story: &Story,
    number: usize,
    mistake: &Mistake,
    score: &mut Score,
) -> io::Result<()> {
    let explained = story.make(mistake)?;
    page.mistake(number, mistake.title)?;
    for line in &explained.written {
        page.written(line)?;
    }
    if !explained.refused {
        return page.failure("the login succeeded, and should not have");
    }
    if let Some(line) = &explained.line {
        score.explained += 1;
        return page.log(line, mistake.code);
    }
    page.failure(&format!("no {} in the log, only:", mistake.code))?;
    for line in &explained.heard {
        page.note(line)?;
    }
    Ok(())
}

fn end<W: Write>(page: &mut Page<W>, score: &Score, start: Instant) -> io::Result<bool> {
    let good = score.logins == Method::ALL.len()
        && score.refusals == 1
        && score.explained == MISTAKES.len();
    page.title(&format!(
        "{} logins, {} refusal, {} mistakes explained",
        score.logins, score.refusals, score.explained
    ))?;
    page.note(&format!(
        "in {:.1} s; both servers are stopped, the system's libsasl2 was not touched.",
        start.elapsed().as_secs_f64()
    ))?;
    if good {
        page.note("Next:  make check                     all the tests")?;
        page.note("       make stage                     the library and its plugin, to look at")?;
        page.note("       make install DESTDIR=/tmp/try  what an installation would be")?;
    } else {
        page.failure("something went otherwise than it should; see above")?;
        page.note("Next:  LAB_KEEP=1 make demo   keeps the servers' folder in /tmp")?;
    }
    Ok(good)
}
