// SPDX-License-Identifier: MIT OR Apache-2.0
//! What must not work, and says why.

use crate::party::{Case, Outcome, talk, world};
use std::thread;
use std::time::Duration;

fn refused(outcome: &Outcome) {
    assert_ne!(outcome.server.code, Some(0), "{outcome:#?}");
    assert_ne!(outcome.client.code, Some(0), "{outcome:#?}");
}

#[test]
fn without_a_ticket_the_client_says_so() {
    for mech in ["GSSAPI", "GSS-SPNEGO", "GS2-KRB5"] {
        let case = Case {
            mech,
            cache: "none",
            ..Case::default()
        };
        let outcome = talk(&case);
        refused(&outcome);
        assert_eq!(outcome.client.code, Some(-1), "{outcome:#?}");
        let detail = &outcome.client.detail;
        assert!(detail.contains("GSSAPI Error: "), "{mech}: {detail}");
        assert!(
            detail.to_lowercase().contains("credentials"),
            "{mech}: {detail}"
        );
    }
}

#[test]
fn an_expired_ticket_is_refused() {
    let world = world();
    world
        .kdc
        .log_in("alice", "secret", "expired", &["-l", "1s"])
        .unwrap();
    thread::sleep(Duration::from_secs(2));
    let case = Case {
        cache: "expired",
        ..Case::default()
    };
    let outcome = talk(&case);
    refused(&outcome);
    assert!(outcome.client.detail.contains("expired"), "{outcome:#?}");
}

#[test]
fn a_service_that_nobody_knows_is_refused() {
    for words in [
        &["host=nosuch.lab.test"][..],
        &["service=smtp"],
        &["host=srv.other.test"],
    ] {
        let case = Case {
            client_words: words,
            ..Case::default()
        };
        let outcome = talk(&case);
        refused(&outcome);
        assert!(
            outcome.client.detail.contains("GSSAPI Error: "),
            "{outcome:#?}"
        );
    }
}

#[test]
fn the_server_needs_the_key_of_its_own_service() {
    let other = format!("opt:keytab={}", world().other_keytab.display());
    for mech in ["GSSAPI", "GSS-SPNEGO", "GS2-KRB5"] {
        let case = Case {
            mech,
            server_words: &[&other],
            ..Case::default()
        };
        let outcome = talk(&case);
        refused(&outcome);
        assert!(
            outcome.server.detail.contains("GSSAPI Error: "),
            "{outcome:#?}"
        );
    }
    // A ticket for another service, which that service's key opens.
    let case = Case {
        server_words: &[&other],
        client_words: &["service=ldap"],
        ..Case::default()
    };
    refused(&talk(&case));
}

#[test]
fn a_keytab_that_is_missing_takes_the_mechanisms_away() {
    let case = Case {
        server_words: &["opt:keytab=/nonexistent/keytab"],
        ..Case::default()
    };
    let outcome = talk(&case);
    refused(&outcome);
    assert_eq!(outcome.server.code, Some(-4), "{outcome:#?}");
    assert!(
        !outcome.server.property("list").contains("GSS"),
        "{outcome:#?}"
    );
}

#[test]
fn a_wrong_password_fetches_no_ticket() {
    for mech in ["GS2-KRB5", "GS2-IAKERB"] {
        let case = Case {
            mech,
            client_words: &["authid=alice", "pass=wrong"],
            cache: "none",
            ..Case::default()
        };
        refused(&talk(&case));
    }
}

#[test]
fn another_users_name_needs_leave() {
    let case = Case {
        client_words: &["authzid=bob"],
        ..Case::default()
    };
    let outcome = talk(&case);
    assert_eq!(outcome.server.code, Some(-13), "{outcome:#?}");
}

#[test]
fn channel_bindings_that_differ_are_refused() {
    let differing: [(&str, &[&str], &[&str]); 5] = [
        ("GSSAPI", &["cb=tls-unique:abc"], &["cb=tls-unique:abd"]),
        ("GSS-SPNEGO", &["cb=tls-unique:abc"], &["cb=tls-unique:abd"]),
        ("GSSAPI", &["cb=tls-unique:abc", "critical=1"], &[]),
        (
            "GS2-KRB5-PLUS",
            &["cb=tls-unique:abc"],
            &["cb=tls-unique:abd"],
        ),
        (
            "GS2-KRB5-PLUS",
            &["cb=tls-unique:abc"],
            &["cb=tls-exporter:abc"],
        ),
    ];
    for (mech, server_words, client_words) in differing {
        let case = Case {
            mech,
            server_words,
            client_words,
            ..Case::default()
        };
        let outcome = talk(&case);
        assert_ne!(outcome.server.code, Some(0), "{mech}: {outcome:#?}");
    }
    let same: [(&[&str], &[&str]); 3] = [
        (&["cb=tls-unique:abc"], &["cb=tls-unique:abc"]),
        (&["cb=tls-unique:abc"], &[]),
        (&[], &["cb=tls-unique:abc"]),
    ];
    for (server_words, client_words) in same {
        let case = Case {
            server_words,
            client_words,
            ..Case::default()
        };
        let outcome = talk(&case);
        assert!(outcome.both_ok(), "{outcome:#?}");
    }
}
