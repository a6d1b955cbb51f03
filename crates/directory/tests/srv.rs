// SPDX-License-Identifier: MIT OR Apache-2.0
//! Servers that SRV records name (`ldap+srv://domain`): their order, their
//! failures, and answers that are not believed.

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

#[path = "support/dns.rs"]
mod dns;
mod support;

use directory::{Fault, Phase};
use dns::{Dns, Says};
use saslplug::Code;
use simple_dns::RCODE;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use support::fake::{Fake, good};
use support::{CANARY, Client};

const USER: (&str, &str) = ("jdoe@example.com", "dogood");

/// A client whose servers come from records of "localhost".
fn client(name_servers: &[SocketAddr], more: &[(&str, &str)]) -> Client {
    let options = [
        ("ldapdb_uri", "ldap+srv://localhost/dc=users,dc=local"),
        ("ldapdb_bind_dn", "cn=cyrus,ou=machines"),
        ("ldapdb_bind_pw", CANARY),
        ("ldapdb_filter", "(mail=%u)"),
    ];
    let mut client = Client::new(&[more, &options].concat());
    client.directory = client.directory.with_name_servers(name_servers.to_vec());
    client
}

fn port(fake: &Fake) -> u16 {
    fake.address.port()
}

/// A port where nobody listens.
fn closed() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[track_caller]
fn logs_in(client: &Client) {
    let verdict = client.verify(USER.0, USER.1);
    assert_eq!(verdict, Ok(()), "{:#?}", client.lines.all());
}

#[track_caller]
fn fails(client: &Client, words: &[&str]) {
    assert_eq!(client.verify(USER.0, USER.1), Err(Code::UNAVAIL));
    let errors = client.lines.errors();
    let all = |line: &String| words.iter().all(|word| line.contains(word));
    assert!(errors.iter().any(all), "{errors:#?}");
}

#[test]
fn priorities_are_followed_and_records_remembered() {
    let (first, second) = (Fake::start(good), Fake::start(good));
    let records = vec![
        (7, 0, port(&second), "localhost"),
        (3, 0, closed(), "localhost."),
        (5, 0, port(&first), "LOCALHOST"),
    ];
    let dns = Dns::start(Says::Records(records));
    let client = client(&[dns.address], &[]);
    for _ in 0..3 {
        logs_in(&client);
    }
    assert_eq!((dns.asked(), second.record.connects()), (1, 0));
    assert_eq!(dns.names(), ["_ldap._tcp.localhost"]);
    assert!(first.record.connects() > 0);
    // The one that refused is left alone like any other.
    let lines = client.lines.all();
    let skipped = lines.iter().filter(|line| line.contains("LDB-15"));
    assert_eq!(skipped.count(), 1, "{lines:#?}");
}

#[test]
fn ldaps_asks_for_its_own_records() {
    let dns = Dns::start(Says::Records(vec![(0, 0, closed(), "localhost")]));
    let uri = [("ldapdb_uri", "ldaps+srv:///dc=localhost")];
    fails(
        &client(&[dns.address], &uri),
        &["LDB-11", "ldaps://localhost:"],
    );
    assert_eq!(dns.names(), ["_ldaps._tcp.localhost"]);
}

#[test]
fn the_other_servers_of_the_list_remain() {
    let fake = Fake::start(good);
    let dns = Dns::start(Says::Code(RCODE::ServerFailure));
    let list = format!("ldap+srv://localhost/dc=x {}", fake.uri());
    let client = client(&[dns.address], &[("ldapdb_uri", &list)]);
    logs_in(&client);
    assert!(client.lines.errors()[0].contains("LDB-10"));
}

#[test]
fn a_long_answer_comes_by_tcp() {
    let fake = Fake::start(good);
    let dns = Dns::start(Says::Long(vec![(0, 0, port(&fake), "localhost")]));
    logs_in(&client(&[dns.address], &[]));
    assert_eq!(dns.asked(), 1);
}

#[test]
fn answers_to_other_questions_are_not_believed() {
    let fake = Fake::start(good);
    let dns = Dns::start(Says::Forged(vec![(0, 0, port(&fake), "localhost")]));
    let client = client(&[dns.address], &[]);
    logs_in(&client);
    assert_eq!(client.lines.errors(), [""; 0]);
}

#[test]
fn a_silent_name_server_is_not_waited_for_long() {
    let fake = Fake::start(good);
    let silent = Dns::start(Says::Nothing);
    let dns = Dns::start(Says::Records(vec![(0, 0, port(&fake), "localhost")]));
    logs_in(&client(&[silent.address, dns.address], &[]));
    assert_eq!((silent.asked(), dns.asked()), (1, 1));
    let wait = [("ldapdb_max_wait", "1")];
    fails(
        &client(&[silent.address], &wait),
        &["LDB-10", "no answer in time"],
    );
}

#[test]
fn no_service_and_foreign_servers_are_said() {
    for (says, why) in [
        (Says::Code(RCODE::NameError), "no such service"),
        (Says::Records(Vec::new()), "no such service"),
        (Says::Records(vec![(0, 0, 389, ".")]), "no such service"),
        (Says::Code(RCODE::Refused), "it says Refused"),
        (
            Says::Records(vec![(0, 0, 389, "evil.example")]),
            "evil.example is not below localhost",
        ),
    ] {
        let dns = Dns::start(says);
        fails(
            &client(&[dns.address], &[]),
            &["LDB-10 cannot resolve \"_ldap._tcp.localhost\"", why],
        );
    }
}

#[test]
fn without_new_records_the_old_ones_hold() {
    let fake = Fake::start(good);
    let dns = Dns::start(Says::Brief(vec![(0, 0, port(&fake), "localhost")]));
    let client = client(&[dns.address], &[]);
    logs_in(&client);
    *dns.says.lock().unwrap() = Says::Nothing;
    let start = Instant::now();
    while dns.asked() < 2 {
        assert!(start.elapsed() < Duration::from_secs(60));
        logs_in(&client);
        std::thread::sleep(Duration::from_millis(100));
    }
    logs_in(&client);
    assert!(client.lines.errors()[0].contains("LDB-10"));
}

#[test]
fn a_walk_goes_to_each_server() {
    let fake = Fake::start(good);
    let records = vec![
        (3, 0, closed(), "localhost"),
        (5, 0, port(&fake), "localhost"),
    ];
    let dns = Dns::start(Says::Records(records));
    let walking = client(&[dns.address], &[]);
    let steps = walking.walk(USER.0, USER.1);
    let first = steps.first().unwrap();
    assert_eq!(
        (first.phase, first.place.as_str()),
        (Phase::Resolve, "ldap+srv://localhost")
    );
    assert_eq!(first.outcome.as_ref().unwrap().len(), 2);
    let refused = steps.iter().filter_map(|step| step.outcome.as_ref().err());
    // The first server, at both addresses.
    assert!(refused.map(Fault::number).eq([11, 11]), "{steps:#?}");
    let last = steps.last().unwrap();
    assert_eq!((last.phase, last.outcome.is_ok()), (Phase::Verify, true));

    let dns = Dns::start(Says::Code(RCODE::NameError));
    let steps = client(&[dns.address], &[]).walk(USER.0, USER.1);
    let fault = steps.first().unwrap().outcome.as_ref().unwrap_err();
    assert_eq!((steps.len(), fault.number()), (1, 10));
}
