// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two servers with the same people, one of them killed, then frozen, under
//! parallel logins: no login fails, none waits longer than it may.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helpers"
)]
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test's helpers"
)]

mod support;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use support::slapd::Slapd;
use support::{CANARY, Client};

/// Seconds that one call may take (`ldapdb_max_wait`).
const MOST: u64 = 10;

/// What happened to the logins of a phase.
#[derive(Default)]
struct Tally {
    done: AtomicUsize,
    slowest: Mutex<Duration>,
    failed: Mutex<Vec<String>>,
}

fn login(client: &Client, tally: &Tally, number: usize) {
    let (user, password) = match number % 2 {
        0 => ("jdoe@example.com", "dogood"),
        _ => ("anna@example.com", "geheim ü"),
    };
    let start = Instant::now();
    let right = client.verify(user, password);
    let took = start.elapsed();
    let wrong = match number % 5 {
        0 => client.verify(user, "wrong"),
        _ => Err(saslplug::Code::BADAUTH),
    };
    if right != Ok(()) || wrong != Err(saslplug::Code::BADAUTH) {
        let text = format!("{right:?} {wrong:?} after {took:?}");
        tally.failed.lock().unwrap().push(text);
    }
    let mut slowest = tally.slowest.lock().unwrap();
    *slowest = took.max(*slowest);
    tally.done.fetch_add(1, Ordering::Relaxed);
}

/// Sixteen threads log in while `events` happen; gives the slowest login.
fn under_load(client: &Client, events: impl FnOnce()) -> Duration {
    let (tally, stop) = (Tally::default(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let (tally, stop) = (&tally, &stop);
            scope.spawn(move || {
                let mut number = thread;
                while !stop.load(Ordering::Relaxed) {
                    login(client, tally, number);
                    number += 1;
                    std::thread::sleep(Duration::from_millis(20));
                }
            });
        }
        events();
        // A busy machine may need more time than the events took.
        let begun = Instant::now();
        while tally.done.load(Ordering::Relaxed) < 32 && begun.elapsed().as_secs() < 60 {
            sleep(20);
        }
        stop.store(true, Ordering::Relaxed);
    });
    let failed = tally.failed.lock().unwrap();
    assert_eq!(
        *failed,
        [""; 0],
        "{:#?}",
        client.lines.all().iter().rev().take(20).collect::<Vec<_>>()
    );
    assert!(tally.done.load(Ordering::Relaxed) >= 32);
    *tally.slowest.lock().unwrap()
}

fn sleep(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

/// Waits for a log line with both words that was not there before `from`.
fn wait_for(client: &Client, from: usize, words: [&str; 2]) {
    let start = Instant::now();
    loop {
        let lines = client.lines.all();
        let mut new = lines.iter().skip(from);
        if new.any(|line| words.iter().all(|word| line.contains(word))) {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "no {words:?}");
        sleep(50);
    }
}

#[test]
fn one_server_killed_then_frozen() {
    let mut first = Slapd::start("first");
    let second = Slapd::start("second");
    let list = format!("{} {}", first.uri(), second.uri());
    let label = first
        .uri()
        .trim_end_matches("/dc=users,dc=local")
        .to_owned();
    let wait = MOST.to_string();
    let client = Client::new(&[
        ("ldapdb_uri", &list),
        ("ldapdb_bind_dn", "cn=cyrus,ou=machines"),
        ("ldapdb_bind_pw", CANARY),
        ("ldapdb_filter", "(mail=%u)"),
        ("ldapdb_timeout", "2"),
        ("ldapdb_connect_timeout", "2"),
        ("ldapdb_max_wait", &wait),
        ("ldapdb_retry_after", "1"),
    ]);
    let bound = Duration::from_secs(MOST);

    let slowest = under_load(&client, || {
        sleep(300);
        first.kill();
        sleep(700);
    });
    assert!(slowest < bound, "killed: {slowest:?}");
    let seen = client.lines.all().len();
    let slowest = under_load(&client, || {
        first.start_again();
        wait_for(&client, seen, [&label, "answers again"]);
    });
    assert!(slowest < bound, "back: {slowest:?}");
    let before = first.counts().1;
    under_load(&client, || sleep(300));
    assert!(first.counts().1 > before, "the first one is asked again");

    let frozen = client.lines.all().len();
    let slowest = under_load(&client, || {
        first.freeze(true);
        wait_for(&client, frozen, [&label, "skipped"]);
        sleep(1500);
    });
    assert!(slowest < bound, "frozen: {slowest:?}");
    let thawed = client.lines.all().len();
    let slowest = under_load(&client, || {
        first.freeze(false);
        wait_for(&client, thawed, [&label, "answers again"]);
    });
    assert!(slowest < bound, "thawed: {slowest:?}");
}

#[test]
fn while_both_are_down_nobody_waits_long() {
    let (mut first, mut second) = (Slapd::start("down1"), Slapd::start("down2"));
    let list = format!("{} {}", first.uri(), second.uri());
    let client = Client::new(&[
        ("ldapdb_uri", &list),
        ("ldapdb_bind_dn", "cn=cyrus,ou=machines"),
        ("ldapdb_bind_pw", CANARY),
        ("ldapdb_filter", "(mail=%u)"),
        ("ldapdb_retry_after", "1"),
        ("ldapdb_balance", "random"),
    ]);
    assert_eq!(client.verify("jdoe@example.com", "dogood"), Ok(()));
    first.kill();
    second.kill();
    for _ in 0..5 {
        let start = Instant::now();
        let verdict = client.verify("jdoe@example.com", "dogood");
        assert_eq!(verdict, Err(saslplug::Code::UNAVAIL));
        assert!(start.elapsed() < Duration::from_secs(2));
    }
    second.start_again();
    let start = Instant::now();
    while client.verify("jdoe@example.com", "dogood").is_err() {
        assert!(
            start.elapsed() < Duration::from_secs(15),
            "{:?}",
            client.lines.all()
        );
        sleep(100);
    }
}
