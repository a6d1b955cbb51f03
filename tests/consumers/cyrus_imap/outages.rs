// SPDX-License-Identifier: MIT OR Apache-2.0
//! What goes wrong around a right configuration: the directory goes away and
//! comes back under a running imapd, one of two servers is down, one accepts
//! connections and says nothing, the service password is wrong.

use lab::cyrus::Service;
use lab::imap::Method;
use lab::library::Library;
use lab::placed::Way;
use lab::port;
use lab::story::Story;
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(5);

fn story(service: Service) -> Story {
    Story::open(Library::Ours, Way::Preload, service).unwrap()
}

fn logs(story: &Story) -> String {
    story.cyrus().syslog().lines().join("\n")
}

#[test]
fn a_running_imapd_survives_the_directorys_restart() {
    let mut story = story(Service::Pool(1));
    assert!(story.log_in(Method::Plain).unwrap().ok, "{}", logs(&story));

    story.slapd_mut().stop().unwrap();
    let mark = story.cyrus().syslog().mark();
    for method in Method::ALL {
        let down = story.log_in(method).unwrap();
        assert!(!down.ok, "{method:?}: {down:?}");
    }
    let line = story
        .cyrus()
        .syslog()
        .wait_for(mark, "LDB-11", LIMIT)
        .unwrap();
    assert!(line.contains("Connection refused"), "{line}");
    // A directory that is down is not a wrong password.
    let refusals = story.cyrus().syslog().since(mark).join("\n");
    assert!(refusals.contains("SASL(-24)"), "{refusals}");

    story.slapd_mut().start_again().unwrap();
    for method in Method::ALL {
        let up = story.log_in(method).unwrap();
        assert!(up.ok, "{method:?}: {up:?}\n{}", logs(&story));
        assert!(!story.log_in_wrong(method).unwrap().ok);
    }
    assert_eq!(story.cyrus().imapds().unwrap().len(), 1);
}

#[test]
fn the_second_server_answers_for_the_first() {
    let story = story(Service::Fresh);
    let dead = port::free().unwrap();
    let live = story.slapd().address();
    let mut lines = story.right().clone();
    let base = "dc=users,dc=local";
    lines.set(
        "ldapdb_uri",
        &format!("ldap://{dead}/{base} ldap://{live}/{base}"),
    );
    story.cyrus().configure(&lines.text()).unwrap();
    for method in Method::ALL {
        let right = story.log_in(method).unwrap();
        assert!(right.ok, "{method:?}: {right:?}\n{}", logs(&story));
        assert!(!story.log_in_wrong(method).unwrap().ok);
    }
}

#[test]
fn a_silent_server_does_not_block_a_login_for_ever() {
    let story = story(Service::Fresh);
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = silent.local_addr().unwrap();
    let mut lines = story.right().clone();
    lines.set("ldapdb_uri", &format!("ldap://{address}/dc=users,dc=local"));
    lines.set("ldapdb_timeout", "1");
    lines.set("ldapdb_max_wait", "2");
    story.cyrus().configure(&lines.text()).unwrap();
    let mark = story.cyrus().syslog().mark();
    let asked = Instant::now();
    assert!(!story.log_in(Method::Plain).unwrap().ok);
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "{:?}",
        asked.elapsed()
    );
    let line = story
        .cyrus()
        .syslog()
        .wait_for(mark, "LDB-12", LIMIT)
        .unwrap();
    assert!(line.contains(&address.to_string()), "{line}");
}

#[test]
fn a_wrong_service_password_is_not_the_users_fault() {
    let story = story(Service::Fresh);
    let mut lines = story.right().clone();
    lines.set("ldapdb_bind_pw", "mistyped");
    story.cyrus().configure(&lines.text()).unwrap();
    let mark = story.cyrus().syslog().mark();
    assert!(!story.log_in(Method::Plain).unwrap().ok);
    let line = story
        .cyrus()
        .syslog()
        .wait_for(mark, "LDB-20", LIMIT)
        .unwrap();
    assert!(
        line.contains("cn=cyrus,ou=machines,dc=users,dc=local"),
        "{line}"
    );
    let refusal = story
        .cyrus()
        .syslog()
        .wait_for(mark, "badlogin", LIMIT)
        .unwrap();
    assert!(refusal.contains("SASL(-24)"), "{refusal}");
}
