// SPDX-License-Identifier: MIT OR Apache-2.0
//! Users in a directory that never shows a password: what `make demo` tells,
//! asserted, and what it does not tell (one process for many logins, secrets
//! that must not be logged, the same lines on stock).

use lab::cyrus::{Cyrus, Service};
use lab::imap::{self, Method};
use lab::imtest;
use lab::library::Library;
use lab::placed::{Placed, Way};
use lab::process::wait_until;
use lab::scratch::Scratch;
use lab::slapd::{Kind, Person, Slapd};
use lab::story::{Lines, MISTAKES, SERVICE_PASSWORD, Story, USER};
use std::thread;
use std::time::Duration;

const RIGHT: &str = "canary-31-right";
const WRONG: &str = "canary-32-wrong";
const SERVICE: &str = "canary-33-service";

fn canary() -> Person {
    Person {
        name: "canary".to_owned(),
        mail: "canary@example.com".to_owned(),
        password: RIGHT.to_owned(),
    }
}

/// Everything that anybody could read afterwards.
fn logs(story: &Story) -> String {
    let mut logs = story.cyrus().syslog().lines().join("\n");
    logs.push_str(&story.cyrus().output());
    logs.push_str(&story.slapd().log());
    logs
}

#[test]
fn the_story_has_its_end() {
    let story = Story::open(Library::Ours, Way::Preload, Service::Fresh).unwrap();
    for method in Method::ALL {
        let answer = story.log_in(method).unwrap();
        assert!(answer.ok, "{method:?}: {answer:?}\n{}", logs(&story));
        let wrong = story.log_in_wrong(method).unwrap();
        assert!(!wrong.ok, "{method:?}: {wrong:?}");
    }
    let mut unexplained = Vec::new();
    for mistake in &MISTAKES {
        let explained = story.make(mistake).unwrap();
        assert!(explained.refused, "{mistake:?}: {explained:#?}");
        if explained.line.is_none() {
            unexplained.push((mistake, explained));
        }
    }
    assert!(unexplained.is_empty(), "{unexplained:#?}");
    // The mistakes are over: the eight lines work as before.
    assert!(story.log_in(Method::Plain).unwrap().ok, "{}", logs(&story));
}

#[test]
fn a_pool_of_processes_serves_many() {
    let service = Service::Pool(2);
    let people = [canary()];
    let story = Story::open_with(
        Library::Ours,
        Way::LibraryPath,
        service,
        SERVICE_PASSWORD,
        &people,
    )
    .unwrap();
    wait_until(Duration::from_secs(10), "two processes", || {
        Ok(story.cyrus().imapds()?.len() == 2)
    })
    .unwrap();
    let before = sorted(story.cyrus().imapds().unwrap());
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| many_logins(&story));
        }
    });
    story
        .cyrus()
        .require_library(story.placed().library())
        .unwrap();
    let after = sorted(story.cyrus().imapds().unwrap());
    assert_eq!(after, before, "{}", logs(&story));
}

fn many_logins(story: &Story) {
    let address = story.cyrus().address();
    let mail = canary().mail;
    for round in 0..3 {
        for method in Method::ALL {
            let answer = story.log_in(method).unwrap();
            assert!(answer.ok, "{round} {method:?}: {answer:?}\n{}", logs(story));
            // Somebody else through the same process: right, then with the
            // first one's password, then with none.
            let other = imap::try_login(address, method, &mail, RIGHT).unwrap();
            assert!(other.ok, "{round} {method:?}: {other:?}\n{}", logs(story));
            let mixed = imap::try_login(address, method, &mail, USER.1).unwrap();
            assert!(!mixed.ok, "{round} {method:?}: {mixed:?}");
            let empty = imap::try_login(address, method, &mail, "").unwrap();
            assert!(!empty.ok, "{round} {method:?}: {empty:?}");
        }
    }
}

fn sorted(mut ids: Vec<u32>) -> Vec<u32> {
    ids.sort_unstable();
    ids
}

/// How often the directory was asked: connections, binds, searches.
fn asked(story: &Story) -> [usize; 3] {
    let log = story.slapd().log();
    [" ACCEPT from ", " method=128", " SRCH base="].map(|mark| log.matches(mark).count())
}

#[test]
fn a_warm_login_is_a_bind_and_at_most_a_search() {
    let story = Story::open(Library::Ours, Way::Preload, Service::Pool(1)).unwrap();
    assert!(story.log_in(Method::Plain).unwrap().ok, "{}", logs(&story));
    for method in Method::ALL {
        let before = asked(&story);
        assert!(story.log_in(method).unwrap().ok, "{}", logs(&story));
        let after = asked(&story);
        let more: Vec<_> = before.iter().zip(after).map(|(b, a)| a - b).collect();
        // What was found may be remembered for seconds; a password is verified
        // by the directory each time.
        assert_eq!(more[..2], [0, 1], "{method:?}\n{}", logs(&story));
        assert!(more[2] <= 1, "{method:?}: {more:?}\n{}", logs(&story));
    }
}

#[test]
fn no_secret_is_logged() {
    let story = Story::open_with(
        Library::Ours,
        Way::Preload,
        Service::Fresh,
        SERVICE,
        &[canary()],
    )
    .unwrap();
    let address = story.cyrus().address();
    let mail = canary().mail;
    for method in Method::ALL {
        assert!(imap::try_login(address, method, &mail, RIGHT).unwrap().ok);
        assert!(!imap::try_login(address, method, &mail, WRONG).unwrap().ok);
    }
    let mut lines = story.right().clone();
    // The loudest configuration, and a service password that is refused.
    lines.set("log_level", "7");
    lines.set("ldapdb_debug", "yes");
    story.cyrus().configure(&lines.text()).unwrap();
    assert!(
        imap::try_login(address, Method::Login, &mail, RIGHT)
            .unwrap()
            .ok
    );
    assert!(
        !imap::try_login(address, Method::Plain, &mail, WRONG)
            .unwrap()
            .ok
    );
    lines.set("ldapdb_bind_pw", WRONG);
    story.cyrus().configure(&lines.text()).unwrap();
    assert!(
        !imap::try_login(address, Method::Plain, &mail, RIGHT)
            .unwrap()
            .ok
    );
    for mistake in &MISTAKES {
        story.make(mistake).unwrap();
    }
    let logs = logs(&story);
    assert!(
        logs.contains("canary@example.com"),
        "nothing was logged at all"
    );
    for secret in [RIGHT, WRONG, SERVICE] {
        let found = logs.lines().find(|line| line.contains(secret));
        assert_eq!(found, None);
    }
}

#[test]
fn clients_with_our_library_log_in() {
    let story = Story::open(Library::Ours, Way::Preload, Service::Fresh).unwrap();
    let environment = story.placed().environment(Way::LibraryPath);
    let address = story.cyrus().address();
    for mechanism in ["login", "PLAIN"] {
        let right = imtest::run(address, mechanism, USER.0, USER.1, &environment).unwrap();
        assert!(right.authenticated, "{}\n{}", right.said, logs(&story));
        let wrong = imtest::run(address, mechanism, USER.0, WRONG, &environment).unwrap();
        assert!(!wrong.authenticated, "{}", wrong.said);
    }
}

/// As installed: our plugins first, then the distribution's, which has a
/// ldapdb of its own and users of sasldb.
#[test]
fn the_distributions_plugins_may_stand_behind_ours() {
    let scratch = Scratch::new().unwrap();
    let mut placed = Placed::new(Library::Ours, &scratch).unwrap();
    placed.search_system_too().unwrap();
    let slapd = Slapd::start(&scratch, Kind::SimpleOnly, SERVICE_PASSWORD, &[]).unwrap();
    let lines = Lines::eight(&slapd.address().to_string(), SERVICE_PASSWORD).text();
    let service = Service::Fresh;
    let cyrus = Cyrus::start(&scratch, &placed, Way::LibraryPath, service, &lines).unwrap();
    for method in Method::ALL {
        let right = imap::try_login(cyrus.address(), method, USER.0, USER.1).unwrap();
        let logs = cyrus.syslog().lines();
        assert!(
            right.ok,
            "{method:?}: {right:?}\n{logs:#?}\n{}",
            slapd.log()
        );
        let wrong = imap::try_login(cyrus.address(), method, USER.0, WRONG).unwrap();
        assert!(!wrong.ok, "{method:?}: {wrong:?}");
    }
}

/// Why this project exists: if it ever fails, stock has learnt simple binds.
#[test]
fn stock_refuses_the_eight_lines_and_does_not_say_why() {
    let story = Story::open(Library::Stock, Way::Preload, Service::Fresh).unwrap();
    for method in Method::ALL {
        assert!(!story.log_in(method).unwrap().ok);
    }
    let lines = story.cyrus().syslog().lines().join("\n");
    assert!(lines.contains("generic failure"), "{lines}");
    assert!(
        !lines.contains("bind_dn") && !lines.contains("ldap://"),
        "{lines}"
    );
}
