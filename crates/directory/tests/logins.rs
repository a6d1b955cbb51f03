// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whole logins against a scripted server: who is asked what, how often, on
//! which connection.

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

use saslplug::Code;
use support::fake::{Event, Fake, good};
use support::{CANARY, Client};

const NONE: Vec<Vec<u8>> = Vec::new();

fn client(fake: &Fake, more: &[(&str, &str)]) -> Client {
    let uri = fake.uri();
    // The first of two equal names counts.
    let mut options = more.to_vec();
    options.extend_from_slice(&[
        ("ldapdb_uri", uri.as_str()),
        ("ldapdb_bind_dn", "cn=cyrus,ou=machines"),
        ("ldapdb_bind_pw", CANARY),
        ("ldapdb_filter", "(mail=%u)"),
        ("ldapdb_canon_attr", "mail"),
        ("ldapdb_max_wait", "5"),
    ]);
    Client::new(&options)
}

/// What the library asks during a PLAIN login with every part in use.
fn login(client: &Client, user: &str, password: &str) -> Result<(), Code> {
    let name = client.canonical(user)?;
    assert_eq!(client.canonical(&name)?, name);
    let found = client.lookup(&name, &["userPassword", "cmusaslsecretPLAIN"])?;
    assert_eq!(found, [NONE, NONE]);
    client.verify(&name, password)
}

#[test]
fn the_story_ends() {
    let fake = Fake::start(good);
    let client = client(&fake, &[]);
    assert_eq!(login(&client, "jdoe@example.com", "dogood"), Ok(()));
    assert_eq!(
        login(&client, "jdoe@example.com", "wrong"),
        Err(Code::BADAUTH)
    );
    assert_eq!(
        login(&client, "nobody@example.com", "dogood"),
        Err(Code::NOUSER)
    );
    assert_eq!(client.lines.errors(), [""; 0]);
    let binds: Vec<Event> = fake.record.all();
    assert_eq!(
        binds[..6],
        [
            Event::Connect(0),
            Event::Bind(0, "cn=cyrus,ou=machines,dc=users,dc=local".to_owned()),
            // Once: are there password policies?
            Event::Search(0),
            Event::Search(0),
            Event::Search(0),
            Event::Connect(1),
        ]
    );
}

#[test]
fn a_warm_login_is_two_requests() {
    let fake = Fake::start(good);
    let client = client(&fake, &[]);
    // Another user: nothing of the second login is remembered.
    login(&client, "second@example.com", "other").unwrap();
    fake.record.clear();
    assert_eq!(login(&client, "jdoe@example.com", "dogood"), Ok(()));
    assert_eq!(
        (fake.record.requests(), fake.record.connects()),
        (2, 0),
        "{:?}",
        fake.record.all()
    );
}

#[test]
fn connections_keep_their_roles() {
    let fake = Fake::start(good);
    let client = client(&fake, &[]);
    for _ in 0..3 {
        assert_eq!(
            client.verify("jdoe@example.com", "wrong"),
            Err(Code::BADAUTH)
        );
        assert_eq!(client.verify("second@example.com", "other"), Ok(()));
        assert_eq!(
            client.verify("jdoe@example.com", "other"),
            Err(Code::BADAUTH)
        );
        assert_eq!(client.verify("jdoe@example.com", "dogood"), Ok(()));
    }
    assert_eq!(fake.record.connects(), 2);
    for event in fake.record.all() {
        match event {
            Event::Search(connection) => assert_eq!(connection, 0),
            Event::Bind(connection, name) => assert_eq!(connection == 0, name.contains("machines")),
            _ => {}
        }
    }
}

#[test]
fn the_end_is_polite() {
    let fake = Fake::start(good);
    let client = client(&fake, &[]);
    assert_eq!(client.verify("jdoe@example.com", "dogood"), Ok(()));
    drop(client);
    let said = || fake.record.count(|event| matches!(event, Event::Unbind(_)));
    for _ in 0..100 {
        if said() == 2 {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("{:?}", fake.record.all());
}

#[test]
fn an_empty_password_is_not_sent() {
    let fake = Fake::start(good);
    let client = client(&fake, &[]);
    assert_eq!(client.verify("jdoe@example.com", ""), Err(Code::BADAUTH));
    assert_eq!(client.verify("jdoe@example.com", "\0"), Err(Code::BADAUTH));
    assert_eq!(
        client.verify("jdoe@example.com", "dogood\0x"),
        Err(Code::BADAUTH)
    );
    assert_eq!(fake.record.all(), []);
}

#[test]
fn nothing_to_fetch_is_not_asked() {
    let fake = Fake::start(good);
    assert_eq!(
        client(&fake, &[]).lookup("jdoe@example.com", &[]),
        Ok(vec![])
    );
    assert_eq!(fake.record.all(), []);
}

#[test]
fn a_server_that_knows_wildcards_finds_nobody() {
    let fake = Fake::start(good);
    let client = client(&fake, &[]);
    for user in ["*", "jdoe*", "jdoe@example.com*", "a)(uid=*", "\\"] {
        assert_eq!(client.verify(user, "dogood"), Err(Code::NOUSER), "{user}");
    }
    let lines = client.lines.all();
    assert!(
        lines.iter().any(|line| line.contains("LDB-34")),
        "{lines:?}"
    );
    assert_eq!(client.verify("jdoe@example.com", "dogood"), Ok(()));
}

#[test]
fn a_template_is_one_request() {
    let fake = Fake::start(good);
    let uri = fake.uri();
    let template = "cn=%U,ou=superheros,ou=users";
    let client = Client::new(&[("ldapdb_uri", &uri), ("ldapdb_user_dn", template)]);
    assert_eq!(client.verify("johndoe@example.com", "dogood"), Ok(()));
    assert_eq!(client.verify("johndoe", "wrong"), Err(Code::BADAUTH));
    assert_eq!((fake.record.requests(), fake.record.connects()), (2, 1));
    assert_eq!(client.verify("x,ou=evil", "dogood"), Err(Code::BADAUTH));
    let escaped = "cn=x\\,ou\\=evil,ou=superheros,ou=users,dc=users,dc=local".to_owned();
    assert_eq!(fake.record.all().last(), Some(&Event::Bind(0, escaped)));
}

#[test]
fn a_canonical_name_that_the_filter_does_not_match() {
    let fake = Fake::start(good);
    let client = client(
        &fake,
        &[("ldapdb_filter", "(uid=%u)"), ("ldapdb_canon_attr", "cn")],
    );
    let name = client.canonical("jdoe").unwrap();
    assert_eq!(name, "johndoe");
    assert_eq!(client.canonical(&name), Ok(name.clone()));
    assert_eq!(client.verify(&name, "dogood"), Ok(()));
}

#[test]
fn closed_connections_are_replaced_without_a_word() {
    let fake = Fake::start(good);
    let client = client(&fake, &[]);
    assert_eq!(client.verify("jdoe@example.com", "dogood"), Ok(()));
    for _ in 0..2 {
        fake.close_all();
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert_eq!(client.verify("second@example.com", "other"), Ok(()));
        assert_eq!(client.verify("jdoe@example.com", "dogood"), Ok(()));
    }
    assert_eq!(client.lines.errors(), [""; 0]);
}

#[test]
fn shared_secrets_of_a_directory_that_shows_none() {
    let fake = Fake::start(good);
    let client = client(&fake, &[]);
    let asked = ["userPassword", "cmusaslsecretDIGEST-MD5"];
    assert_eq!(
        client.lookup("jdoe@example.com", &asked),
        Ok(vec![NONE, NONE])
    );
    let errors = client.lines.errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("LDB-41") && errors[0].contains("mech_list: PLAIN LOGIN"));
}

#[test]
fn a_refused_service_account_is_not_asked_again_at_once() {
    let fake = Fake::start(good);
    let uri = fake.uri();
    let client = Client::new(&[
        ("ldapdb_uri", &uri),
        ("ldapdb_bind_dn", "cn=cyrus,ou=machines"),
        ("ldapdb_bind_pw", "not-the-one"),
    ]);
    for _ in 0..3 {
        assert_eq!(client.verify("jdoe", "dogood"), Err(Code::UNAVAIL));
    }
    assert_eq!(fake.record.requests(), 1);
    let errors = client.lines.errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].contains("LDB-20") && errors[0].contains("SERVICE account"),
        "{errors:?}"
    );
}

#[test]
fn the_next_server_is_asked() {
    let fake = Fake::start(good);
    let dead = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let uri = format!("ldap://{dead}/dc=users,dc=local {}", fake.uri());
    let client = Client::new(&[
        ("ldapdb_uri", &uri),
        ("ldapdb_bind_dn", "cn=cyrus,ou=machines"),
        ("ldapdb_bind_pw", CANARY),
        ("ldapdb_filter", "(mail=%u)"),
    ]);
    assert_eq!(client.verify("jdoe@example.com", "dogood"), Ok(()));
    assert_eq!(client.verify("jdoe@example.com", "dogood"), Ok(()));
    let lines = client.lines.all();
    assert_eq!(
        lines.iter().filter(|line| line.contains("LDB-11")).count(),
        1,
        "{lines:?}"
    );
    assert!(
        lines.iter().any(|line| line.contains("LDB-15")),
        "{lines:?}"
    );
}

#[test]
fn threads_do_not_wait_for_each_other() {
    let fake = Fake::start(good);
    let client = client(&fake, &[]);
    std::thread::scope(|scope| {
        for number in 0..8 {
            let client = &client;
            scope.spawn(move || {
                for round in 0..20 {
                    let (user, password) = match (number + round) % 3 {
                        0 => ("jdoe@example.com", "dogood"),
                        1 => ("second@example.com", "other"),
                        _ => ("jdoe@example.com", "other"),
                    };
                    let right = (number + round) % 3 != 2;
                    assert_eq!(client.verify(user, password).is_ok(), right);
                }
            });
        }
    });
    assert_eq!(client.lines.errors(), [""; 0]);
    // Searches never run on a connection that a user bound.
    let events = fake.record.all();
    for event in &events {
        if let Event::Search(number) = event {
            let binds = events
                .iter()
                .filter(|e| matches!(e, Event::Bind(n, _) if n == number));
            assert_eq!(binds.count(), 1, "{events:?}");
        }
    }
}

#[test]
fn a_silent_server_costs_one_login_its_time_out() {
    use std::time::{Duration, Instant};
    let silent = Fake::start(|peer| while peer.request().is_some() {});
    let fake = Fake::start(good);
    let uri = format!("{} {}", silent.uri(), fake.uri());
    let client = Client::new(&[
        ("ldapdb_uri", &uri),
        ("ldapdb_bind_dn", "cn=cyrus,ou=machines"),
        ("ldapdb_bind_pw", CANARY),
        ("ldapdb_filter", "(mail=%u)"),
        ("ldapdb_timeout", "1"),
    ]);
    for limit in [2500, 900, 900] {
        let start = Instant::now();
        assert_eq!(client.verify("jdoe@example.com", "dogood"), Ok(()));
        assert!(
            start.elapsed() < Duration::from_millis(limit),
            "{:?}",
            start.elapsed()
        );
    }
    let lines = client.lines.all();
    assert_eq!(
        lines.iter().filter(|line| line.contains("LDB-12")).count(),
        1,
        "{lines:?}"
    );
}

#[test]
fn a_server_that_comes_back_is_used_again() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    let up = Arc::new(AtomicBool::new(false));
    let flag = up.clone();
    let fake = Fake::start(move |peer| {
        if flag.load(Ordering::SeqCst) {
            good(peer);
        }
    });
    let client = client(&fake, &[]);
    for _ in 0..3 {
        assert_eq!(
            client.verify("jdoe@example.com", "dogood"),
            Err(Code::UNAVAIL)
        );
    }
    assert_eq!(client.lines.errors().len(), 1);
    up.store(true, Ordering::SeqCst);
    assert_eq!(client.verify("jdoe@example.com", "dogood"), Ok(()));
    assert!(
        client
            .lines
            .all()
            .iter()
            .any(|line| line.contains("answers again"))
    );
}
