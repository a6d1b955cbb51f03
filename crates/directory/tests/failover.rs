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

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

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

/// Sixteen threads log in while `events` happen; no login fails or waits longer
/// than it may.
fn under_load(client: &Client, what: &str, events: impl FnOnce(&Tally)) {
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
        let guard = StopOnDrop(&stop);
        events(&tally);
        drop(guard);
    });
    let failed = tally.failed.lock().unwrap();
    let lines = client.lines.all();
    assert_eq!(*failed, [""; 0], "{what}: {lines:#?}");
    let slowest = *tally.slowest.lock().unwrap();
    assert!(slowest < Duration::from_secs(MOST), "{what}: {slowest:?}");
}

/// Ends the threads even if what they wait for does not happen.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[track_caller]
fn until(what: &str, client: &Client, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        let lines = client.lines.all();
        assert!(start.elapsed() < PATIENCE, "no {what}: {lines:#?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until so many logins more are done.
fn logins(client: &Client, tally: &Tally, more: usize) {
    let done = || tally.done.load(Ordering::Relaxed);
    let goal = done() + more;
    until("logins", client, || done() >= goal);
}

/// Waits for a log line with both words that was not there before `from`.
fn wait_for(client: &Client, from: usize, words: [&str; 2]) {
    until(words[1], client, || {
        let lines = client.lines.all();
        let mut new = lines.iter().skip(from);
        new.any(|line| words.iter().all(|word| line.contains(word)))
    });
}

fn client(list: &str, more: &[(&str, &str)]) -> Client {
    let wait = MOST.to_string();
    let options = [
        ("ldapdb_uri", list),
        ("ldapdb_bind_dn", "cn=cyrus,ou=machines"),
        ("ldapdb_bind_pw", CANARY),
        ("ldapdb_filter", "(mail=%u)"),
        ("ldapdb_max_wait", &wait),
        ("ldapdb_retry_after", "1"),
    ];
    Client::new(&[&options, more].concat())
}

#[test]
fn one_of_two_replicas_killed_then_frozen() {
    let mut first = Slapd::providing("first");
    let second = Slapd::replica_of(&first, "second");
    let label = first.uri_alone();
    let client = client(
        &format!("{} {}", first.uri(), second.uri()),
        &[("ldapdb_timeout", "2"), ("ldapdb_connect_timeout", "2")],
    );
    let users = |slapd: &Slapd| slapd.lines("BIND dn=\"cn=johndoe,ou=people");

    under_load(&client, "killed", |tally| {
        logins(&client, tally, 32);
        first.kill();
        logins(&client, tally, 64);
    });
    assert!(users(&second) > 0, "{}", second.log());
    let seen = client.lines.all().len();
    under_load(&client, "back", |_| {
        first.start_again();
        wait_for(&client, seen, [&label, "answers again"]);
    });
    let before = users(&first);
    under_load(&client, "used again", |tally| logins(&client, tally, 32));
    assert!(users(&first) >= before + 8, "{}", first.log());

    let frozen = client.lines.all().len();
    under_load(&client, "frozen", |tally| {
        first.freeze(true);
        wait_for(&client, frozen, [&label, "skipped"]);
        logins(&client, tally, 64);
    });
    let thawed = client.lines.all().len();
    under_load(&client, "thawed", |_| {
        first.freeze(false);
        wait_for(&client, thawed, [&label, "answers again"]);
    });
    let before = users(&first);
    under_load(&client, "used after that", |tally| {
        logins(&client, tally, 32)
    });
    assert!(users(&first) >= before + 8, "{}", first.log());
}

#[test]
fn while_both_are_down_nobody_waits_long() {
    let (mut first, mut second) = (Slapd::start("down1"), Slapd::start("down2"));
    let list = format!("{} {}", first.uri(), second.uri());
    let client = client(&list, &[("ldapdb_balance", "random")]);
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
    until("server", &client, || {
        client.verify("jdoe@example.com", "dogood").is_ok()
    });
}
