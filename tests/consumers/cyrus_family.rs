// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rest of Cyrus: pop3d (with APOP, which no other program uses) and
//! timsieved as servers; imtest, pop3test and sivtest as clients.

use lab::account::Account;
use lab::consumer::{Consumer, Origin};
use lab::cyrus::{Cyrus, Further, Service};
use lab::imap::{self, Method};
use lab::library::Library;
use lab::line::Line;
use lab::placed::{Placed, SHARED_SECRET, Way};
use lab::scratch::Scratch;
use lab::{imtest, maps, openssl, port, process, sasldb};
use std::net::SocketAddr;
use std::time::Duration;

const USER: [&str; 2] = ["jdoe", "dogood"];
const WRONG: [&str; 2] = ["jdoe", "canary-71"];
const LIMIT: Duration = Duration::from_secs(20);

const POP3D: Consumer = Consumer {
    program: "Cyrus pop3d",
    package: "cyrus-pop3d",
    side: "server",
    mechanisms: "USER, APOP, PLAIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-256",
    origin: Origin::Installed("/usr/lib/cyrus/bin/pop3d"),
};

const TIMSIEVED: Consumer = Consumer {
    program: "Cyrus timsieved",
    package: "cyrus-imapd",
    mechanisms: "PLAIN CRAM-MD5 SCRAM-SHA-256 DIGEST-MD5 (layers 0, 1, 56, 128)",
    origin: Origin::Installed("/usr/lib/cyrus/bin/timsieved"),
    ..POP3D
};

const IMTEST: Consumer = Consumer {
    program: "imtest, pop3test, sivtest",
    package: "cyrus-clients",
    side: "client",
    origin: Origin::Installed("/usr/lib/cyrus/bin/imtest"),
    ..TIMSIEVED
};

pub(crate) struct Family {
    pub(crate) cyrus: Cyrus,
    pub(crate) pop3: SocketAddr,
    pub(crate) sieve: SocketAddr,
    pub(crate) placed: Placed,
    _scratch: Scratch,
}

impl Family {
    pub(crate) fn start(which: Library) -> Self {
        let scratch = Scratch::new().unwrap();
        let placed = placed(which, &scratch);
        let owner = Account::named("cyrus").unwrap();
        let users = [("jdoe", "dogood")];
        let file = sasldb::create(&scratch, "imap.example.com", &users, owner).unwrap();
        let lines = format!(
            "sasl_pwcheck_method: auxprop\nsasl_auxprop_plugin: sasldb\nsasl_sasldb_path: {}\n\
             sasl_mech_list: PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-256\nallowapop: 1\n",
            file.display()
        );
        let [pop3, sieve] = [port::free().unwrap(), port::free().unwrap()];
        let further: [Further; 2] = [("pop3", "pop3d", pop3), ("sieve", "timsieved", sieve)];
        let (way, service) = (Way::LibraryPath, Service::Fresh);
        let cyrus = Cyrus::start_with(&scratch, &placed, way, service, &lines, &further).unwrap();
        // The first login makes the mailbox, without which timsieved refuses.
        let first = imap::try_login(cyrus.address(), Method::Plain, USER[0], USER[1]).unwrap();
        assert!(first.ok, "{first:?}");
        Self {
            cyrus,
            pop3,
            sieve,
            placed,
            _scratch: scratch,
        }
    }

    fn require(&self, name: &str) {
        let all = self.cyrus.processes(name).unwrap();
        assert!(!all.is_empty(), "no {name}: {}", self.logs());
        for id in all {
            maps::require_only(id, self.placed.library()).unwrap();
        }
    }

    pub(crate) fn logs(&self) -> String {
        self.cyrus.syslog().lines().join("\n")
    }

    /// Right and wrong, with a test program on a library of its own.
    fn accepts(
        &self,
        program: &str,
        address: SocketAddr,
        options: &[&str],
        words: &[String],
    ) -> imtest::Outcome {
        let run = |user| imtest::run_program(program, address, options, user, words).unwrap();
        let right = run(USER);
        assert!(
            right.authenticated,
            "{options:?} {}\n{}",
            right.said,
            self.logs()
        );
        let wrong = run(WRONG);
        assert!(!wrong.authenticated, "{options:?} {}", wrong.said);
        right
    }
}

fn placed(which: Library, scratch: &Scratch) -> Placed {
    let placed = Placed::new(which, scratch).unwrap();
    if which == Library::Stock {
        placed.add_plugin(sasldb::PLUGIN).unwrap();
        placed.add_shared_secret().unwrap();
    } else {
        placed.add_our_plugin(sasldb::PLUGIN).unwrap();
    }
    placed
}

/// A connection to pop3d and the challenge in its greeting.
fn pop3(address: SocketAddr) -> (Line, String) {
    let mut line = Line::connect(address).unwrap();
    let greeting = line.hear().unwrap();
    assert!(greeting.starts_with("+OK"), "{greeting}");
    let challenge = greeting.find('<').map(|at| {
        greeting[at..]
            .split_inclusive('>')
            .next()
            .unwrap()
            .to_owned()
    });
    (line, challenge.unwrap_or_default())
}

fn apop(family: &Family, user: &str, password: &str) -> String {
    let (mut line, challenge) = pop3(family.pop3);
    assert!(
        challenge.ends_with("@imap.example.com>"),
        "{challenge:?} {}",
        family.logs()
    );
    let digest = openssl::md5((challenge + password).as_bytes()).unwrap();
    let answer = line.ask(&format!("APOP {user} {digest}")).unwrap();
    if answer.starts_with("+OK") {
        family.require("pop3d");
        assert!(line.ask("STAT").unwrap().starts_with("+OK"));
    }
    answer
}

fn serves_pop3(which: Library) {
    let family = Family::start(which);
    assert!(
        apop(&family, "jdoe", "dogood").starts_with("+OK"),
        "{}",
        family.logs()
    );
    for (user, password) in [("jdoe", WRONG[1]), ("nobody", "dogood"), ("jdoe", "")] {
        assert!(apop(&family, user, password).starts_with("-ERR"), "{user}");
    }
    let (mut line, _) = pop3(family.pop3);
    for answer in ["APOP", "APOP jdoe", "APOP jdoe 12"] {
        assert!(line.ask(answer).unwrap().starts_with("-ERR"), "{answer}");
    }
    for (password, expected) in [("dogood", "+OK"), (WRONG[1], "-ERR")] {
        let (mut line, _) = pop3(family.pop3);
        assert!(line.ask("USER jdoe").unwrap().starts_with("+OK"));
        let answer = line.ask(&format!("PASS {password}")).unwrap();
        assert!(answer.starts_with(expected), "{answer} {}", family.logs());
    }
    for mechanism in ["PLAIN"].iter().chain(&SHARED_SECRET) {
        family.accepts("pop3test", family.pop3, &["-m", mechanism], &[]);
    }
    // Two answers to one challenge must not follow from each other.
    let challenges = [pop3(family.pop3).1, pop3(family.pop3).1];
    assert_ne!(challenges[0], challenges[1]);
    process::wait_until(LIMIT, "the log", || Ok(family.logs().contains("badlogin"))).unwrap();
    assert!(!family.logs().contains(WRONG[1]));
}

fn serves_sieve(which: Library) {
    let family = Family::start(which);
    let mut line = Line::connect(family.sieve).unwrap();
    let greeting = line.hear_until("OK").unwrap();
    let offer = "\"SASL\" \"PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-256\"";
    let words = |text: &str| {
        let mut words: Vec<_> = text
            .replace('"', "")
            .split(' ')
            .map(str::to_owned)
            .collect();
        words.sort();
        words
    };
    let told = greeting
        .lines()
        .find(|line| line.starts_with("\"SASL\""))
        .unwrap();
    assert_eq!(words(told), words(offer));
    family.require("timsieved");
    drop(line);
    tries(&family, "sivtest", family.sieve, &[]);
    assert!(!family.logs().contains(WRONG[1]));
}

/// Every mechanism, and every layer of DIGEST-MD5.
fn tries(family: &Family, program: &str, address: SocketAddr, words: &[String]) {
    for mechanism in ["PLAIN"].iter().chain(&SHARED_SECRET) {
        family.accepts(program, address, &["-m", mechanism], words);
    }
    for strength in ["0", "1", "56", "128"] {
        let options = ["-m", "DIGEST-MD5", "-l", strength];
        let right = family.accepts(program, address, &options, words);
        assert_eq!(right.layer(), strength.parse().ok(), "{}", right.said);
    }
}

fn logs_in(which: Library) {
    let family = Family::start(Library::Stock);
    let scratch = Scratch::new().unwrap();
    let placed = placed(which, &scratch);
    let loaded = lab::loaded::Loaded::new(&scratch).unwrap();
    let mut words = placed.environment(Way::LibraryPath).to_vec();
    words.extend(loaded.environment());
    for (program, address) in [
        ("imtest", family.cyrus.address()),
        ("pop3test", family.pop3),
        ("sivtest", family.sieve),
    ] {
        tries(&family, program, address, &words);
        loaded.require_only(placed.library()).unwrap();
    }
}

on_both!(pop3d, POP3D, |which, _| serves_pop3(which));
on_both!(timsieved, TIMSIEVED, |which, _| serves_sieve(which));
on_both!(clients, IMTEST, |which, _| logs_in(which));
