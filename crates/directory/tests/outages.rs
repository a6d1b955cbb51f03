// SPDX-License-Identifier: MIT OR Apache-2.0
//! What else befalls servers and clients, and the list of all of it:
//! `faults.tsv` names the tests of each row.

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

use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, bind, connect, getsockname, listen,
    socket,
};
use saslplug::Code;
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::Command;
use support::fake::{Event, Fake, Request, entry, good, result};
use support::faulty::{DN, client, fails, searching};
use support::reset::{Resetting, When};
use support::{CANARY, Client};

const USER: &str = "jdoe@example.com";

/// The list of servers.
fn both(first: &str, second: &Fake) -> String {
    format!("{first} {}", second.uri())
}

#[test]
fn the_end_of_a_connection_during_a_bind() {
    let fake = Fake::start(|peer| drop(peer.request()));
    let words = [
        "LDB-14",
        "closed the connection",
        "bind of the service account",
    ];
    fails(&client(&fake.uri(), false), Code::UNAVAIL, &words);
    // A new connection is no reason to ask again: each try may count against
    // the account.
    assert_eq!(fake.record.requests(), 1);
}

#[test]
fn a_kept_connection_that_ends_during_a_request_is_replaced_once() {
    let fake = Fake::start(|peer| {
        let number = peer.number;
        if number > 1 {
            return good(peer);
        }
        // The first two, one for searches and one for users, serve one login.
        // The first search is about password policies.
        let mut answered = 0;
        while let Some((id, request)) = peer.request() {
            match request {
                Request::Bind { .. } if answered == 0 => {
                    answered += 1;
                    peer.send(&result(id, 1, 0, ""));
                }
                Request::Search { .. } if (1..3).contains(&answered) => {
                    answered += 1;
                    peer.send(&entry(id, DN, &[("mail", USER.as_bytes())]));
                    peer.send(&result(id, 5, 0, ""));
                }
                _ => return,
            }
        }
    });
    let client = client(&fake.uri(), false);
    assert_eq!(client.verify(USER, "dogood"), Ok(()));
    assert_eq!(client.verify("second@example.com", "other"), Ok(()));
    assert_eq!(client.lines.errors(), [""; 0]);
    assert!(fake.record.connects() <= 4, "{:?}", fake.record.all());
}

#[test]
fn an_answer_that_breaks_off_is_asked_for_elsewhere() {
    let half = searching(|peer, id| {
        peer.send(&entry(id, "cn=evil,dc=local", &[("mail", USER.as_bytes())]));
        let _ = peer.stream.shutdown(std::net::Shutdown::Both);
    });
    let whole = Fake::start(good);
    let client = client(&both(&half.uri(), &whole), false);
    assert_eq!(client.verify(USER, "dogood"), Ok(()));
    // The half entry was forgotten: nobody bound as it.
    let evil = |event: &Event| matches!(event, Event::Bind(_, name) if name.contains("evil"));
    assert_eq!(half.record.count(evil) + whole.record.count(evil), 0);
}

#[test]
fn a_reset() {
    for when in [When::InSearch, When::AfterBind] {
        let server = Resetting::start(when);
        let uri = format!("ldap://{}/dc=users,dc=local", server.address);
        fails(&client(&uri, false), Code::UNAVAIL, &["LDB-14", "search"]);
        let whole = Fake::start(good);
        let client = client(&both(&uri, &whole), false);
        assert_eq!(client.verify(USER, "dogood"), Ok(()), "{when:?}");
        assert_eq!(server.record.connects() + whole.record.connects(), 2);
    }
}

/// A socket that listens and whose queue is full: connecting gets no answer.
struct Full(OwnedFd, Vec<OwnedFd>);

impl Full {
    fn new() -> Self {
        let tcp = |flags| socket(AddressFamily::Inet, SockType::Stream, flags, None).unwrap();
        let listener = tcp(SockFlag::empty());
        bind(listener.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, 0)).unwrap();
        listen(&listener, Backlog::new(0).unwrap()).unwrap();
        let address: SockaddrIn = getsockname(listener.as_raw_fd()).unwrap();
        let waiting = (0..4)
            .map(|_| {
                let client = tcp(SockFlag::SOCK_NONBLOCK);
                let _ = connect(client.as_raw_fd(), &address);
                client
            })
            .collect();
        Self(listener, waiting)
    }

    fn address(&self) -> SocketAddr {
        assert_eq!(self.1.len(), 4);
        let address: SockaddrIn = getsockname(self.0.as_raw_fd()).unwrap();
        SocketAddr::from((address.ip(), address.port()))
    }
}

#[test]
fn connecting_gets_no_answer() {
    let full = Full::new();
    let uri = format!("ldap://{}/dc=users,dc=local", full.address());
    let words = ["LDB-12", "within 1 s to connect", "ldapdb_connect_timeout"];
    fails(&client(&uri, false), Code::UNAVAIL, &words);
    let fake = Fake::start(good);
    let patient = client(&both(&uri, &fake), false);
    assert_eq!(patient.verify(USER, "dogood"), Ok(()));
}

#[test]
fn the_first_address_of_a_name_is_dead() {
    // localhost is 127.0.0.1 and then ::1.
    let listener = TcpListener::bind("[::1]:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (stream, from) = listener.accept().unwrap();
        drop(stream);
        from
    });
    let client = client(&format!("ldap://localhost:{port}/dc=users,dc=local"), false);
    fails(&client, Code::UNAVAIL, &["LDB-14", "the connection"]);
    assert!(server.join().unwrap().is_ipv6());
}

#[test]
fn a_referral_in_answer_to_a_users_bind() {
    let elsewhere = Fake::start(good);
    let fake = Fake::start(|peer| {
        while let Some((id, request)) = peer.request() {
            match request {
                Request::Bind { name, .. } if name == DN => peer.send(&result(id, 1, 10, "")),
                Request::Bind { .. } => peer.send(&result(id, 1, 0, "")),
                Request::Search { .. } => {
                    peer.send(&entry(id, DN, &[("mail", USER.as_bytes())]));
                    peer.send(&result(id, 5, 0, ""));
                }
                _ => return,
            }
        }
    });
    fails(&client(&fake.uri(), false), Code::UNAVAIL, &["10 referral"]);
    assert_eq!(elsewhere.record.connects(), 0);
}

#[test]
fn a_wrong_password_is_asked_of_one_server() {
    let (first, second) = (Fake::start(good), Fake::start(good));
    let client = client(&both(&first.uri(), &second), false);
    assert_eq!(client.verify(USER, "wrong"), Err(Code::BADAUTH));
    assert_eq!(second.record.connects(), 0);
}

#[test]
fn busy_is_asked_elsewhere() {
    for code in [3, 11, 51, 52, 80] {
        let busy = searching(move |peer, id| peer.send(&result(id, 5, code, "later")));
        let idle = Fake::start(good);
        let client = client(&both(&busy.uri(), &idle), false);
        assert_eq!(client.verify(USER, "dogood"), Ok(()), "{code}");
        let lines = client.lines.all().concat();
        assert!(
            lines.contains("LDB-15") && lines.contains("later"),
            "{lines}"
        );
    }
}

#[test]
fn odd_logins_and_passwords_send_nothing() {
    let fake = Fake::start(good);
    let client = client(&fake.uri(), false);
    let long = "x".repeat(2000);
    let odd: [&[u8]; 7] = [
        b"",
        b"  ",
        b"a\0b",
        b"a\nb",
        b"\xff\xfe",
        b"\x7f",
        long.as_bytes(),
    ];
    for user in odd {
        assert_eq!(client.verify(user, "dogood"), Err(Code::NOUSER), "{user:?}");
    }
    for password in ["", "\0", "\0\0\0", "do\0good"] {
        assert_eq!(
            client.verify(USER, password),
            Err(Code::BADAUTH),
            "{password:?}"
        );
    }
    assert_eq!(fake.record.all(), []);
    for line in client.lines.all() {
        assert!(
            !line.contains(char::is_control) && line.len() < 500,
            "{line}"
        );
    }
}

#[test]
fn values_of_any_bytes_and_of_many() {
    let binary = [0_u8, 1, 2, 0xff, 0xfe, b'x'];
    let fake = searching(move |peer, id| {
        peer.send(&entry(
            id,
            DN,
            &[("mail", USER.as_bytes()), ("photo", &binary)],
        ));
        peer.send(&result(id, 5, 0, ""));
    });
    let client = client(&fake.uri(), false);
    let found = client.lookup(USER, &["photo", "absent"]).unwrap();
    assert_eq!(found, [vec![binary.to_vec()], vec![]]);
}

#[test]
fn several_passwords() {
    let fake = searching(|peer, id| {
        let all: Vec<String> = (0..20).map(|number| format!("word-{number}")).collect();
        let all: Vec<&[u8]> = all.iter().map(|word| word.as_bytes()).collect();
        peer.send(&support::many::entry(id, DN, "userPassword", &all));
        peer.send(&result(id, 5, 0, ""));
    });
    let uri = fake.uri();
    let client = Client::new(&[
        ("ldapdb_uri", &uri),
        ("ldapdb_filter", "(mail=%u)"),
        ("ldapdb_bind_dn", "cn=cyrus"),
        ("ldapdb_bind_pw", CANARY),
        ("ldapdb_verify", "value"),
    ]);
    for (word, verdict) in [
        ("word-0", Ok(())),
        ("word-15", Ok(())),
        ("word-16", Err(Code::BADAUTH)),
        ("word", Err(Code::BADAUTH)),
    ] {
        assert_eq!(client.verify(USER, word), verdict, "{word}");
    }
}

#[test]
fn ten_thousand_values() {
    let with = |length: usize| {
        searching(move |peer, id| {
            let value = vec![b'v'; length];
            let all = vec![&value[..]; 10_000];
            peer.send(&support::many::entry(id, DN, "mail", &all));
            peer.send(&result(id, 5, 0, ""));
        })
    };
    let large = with(120);
    let words = ["LDB-14", "larger than 1 MiB"];
    fails(&client(&large.uri(), false), Code::UNAVAIL, &words);
    let small = with(9);
    let found = client(&small.uri(), false).lookup(USER, &["mail"]).unwrap();
    assert_eq!(found[0].len(), 10_000);
}

/// What a process of its own, with few descriptors, is told: the server.
const CHILD: &str = "DIRECTORY_TEST_SERVER";

#[test]
fn no_descriptor_is_left_and_a_large_one_is_used() {
    if let Ok(uri) = std::env::var(CHILD) {
        return with_few_descriptors(&uri);
    }
    let fake = Fake::start(good);
    let name = "no_descriptor_is_left_and_a_large_one_is_used";
    let output = Command::new("prlimit")
        .arg("--nofile=2000")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, fake.uri())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    assert!(text.contains("1 passed"), "{text}");
    assert_eq!(fake.record.connects(), 4);
}

fn with_few_descriptors(uri: &str) {
    let open = || File::open("/dev/null");
    let mut held: Vec<File> = Vec::new();
    while held.last().is_none_or(|file| file.as_raw_fd() < 1100) {
        held.push(open().unwrap());
    }
    // Beyond what select() could wait for.
    assert_eq!(client(uri, false).verify(USER, "dogood"), Ok(()));
    while let Ok(file) = open() {
        held.push(file);
    }
    let late = client(uri, false);
    assert_eq!(late.verify(USER, "dogood"), Err(Code::UNAVAIL));
    let errors = late.lines.errors();
    assert!(errors[0].contains("Too many open files"), "{errors:?}");
    held.clear();
    assert_eq!(late.verify(USER, "dogood"), Ok(()));
}

#[test]
fn no_clock_that_can_be_set_is_asked() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(!text.contains("SystemTime"), "{}", path.display());
                seen += usize::from(text.contains("Instant"));
            }
        }
    }
    assert!(seen > 3, "{seen}");
}

/// Each row of the list has tests, and they exist.
#[test]
fn each_row_has_its_tests() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let list = std::fs::read_to_string(top.join("crates/directory/tests/faults.tsv")).unwrap();
    let mut numbers = Vec::new();
    for row in list.lines().skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        assert_eq!(cells.len(), 3, "{row}");
        numbers.extend(cells[0].parse::<usize>());
        let tests: Vec<&str> = cells[2].split(' ').collect();
        assert!(!cells[2].is_empty(), "{row}");
        for test in tests {
            let (file, name) = test.split_once("::").unwrap_or_else(|| panic!("{row}"));
            let source = std::fs::read_to_string(top.join(format!("{file}.rs")))
                .unwrap_or_else(|error| panic!("{file}: {error}"));
            let marked = format!("#[test]\nfn {name}()");
            let inner = format!("#[test]\n    fn {name}()");
            let there = source.contains(&marked) || source.contains(&inner);
            assert!(there, "{test} of the row {row}");
        }
    }
    let all: Vec<usize> = (1..=50).collect();
    assert_eq!(numbers, all);
}
