// SPDX-License-Identifier: MIT OR Apache-2.0
//! What must work: every mechanism, every pair, every layer.

use crate::party::{Case, OURS, Outcome, Place, Plugins, sample, talk};
use lab::library::Library;
use std::fs;

const PLACES: [Place; 4] = [
    (Library::Stock, Plugins::Ours),
    OURS,
    (Library::Stock, Plugins::Debian),
    (Library::Ours, Plugins::Debian),
];

fn agreed(outcome: &Outcome, ssf: u32, what: &str) {
    assert!(outcome.both_ok(), "{what}: {outcome:#?}");
    assert_eq!(outcome.server.ssf(), Some(ssf), "{what}: {outcome:#?}");
    assert_eq!(outcome.client.ssf(), Some(ssf), "{what}: {outcome:#?}");
    let user = outcome.server.property("user");
    assert!(
        user == "alice" || user == "alice@lab.test",
        "{what}: {user}"
    );
    for side in [&outcome.server, &outcome.client] {
        if let Some(data) = &side.data {
            assert_eq!(data.as_ref(), Ok(&sample(2000)), "{what}");
        }
    }
}

/// All pairs in which something at least is ours.
fn pairs(test: impl Fn(Place, Place, &str)) {
    for server in PLACES {
        for client in PLACES {
            if [server, client] != [(Library::Stock, Plugins::Debian); 2] {
                test(server, client, &format!("{server:?} <- {client:?}"));
            }
        }
    }
}

/// Which library and which plugin worked, by the programs' memory maps.
#[test]
fn each_place_is_what_it_says() {
    for place in PLACES {
        for (mech, plugin) in [("GSSAPI", "libgssapiv2"), ("GS2-KRB5", "libgs2")] {
            let outcome = talk(&Case {
                server: place,
                client: place,
                mech,
                ..Case::default()
            });
            agreed(&outcome, if mech == "GSSAPI" { 256 } else { 0 }, mech);
            let folder = if place.1 == Plugins::Ours {
                "ours"
            } else {
                "debian"
            };
            let library = place.0.file().unwrap();
            for side in [&outcome.server, &outcome.client] {
                let mapped = side.property(plugin);
                let expected = format!("/{folder}/{plugin}.so");
                assert!(mapped.ends_with(&expected), "{place:?} {mech}: {mapped}");
                let mapped = fs::canonicalize(side.property("libsasl2")).unwrap();
                assert_eq!(mapped, library, "{place:?}");
            }
        }
    }
}

#[test]
fn gssapi_agrees_on_every_layer() {
    pairs(|server, client, what| {
        for (max, ssf) in [("max=0", 0), ("max=55", 1), ("max=256", 256)] {
            let case = Case {
                server,
                client,
                server_words: &["data=2000"],
                client_words: &["data=2000", max],
                ..Case::default()
            };
            let outcome = talk(&case);
            agreed(&outcome, ssf, &format!("{what} {max}"));
            let data = [&outcome.server.data, &outcome.client.data];
            assert!(
                data.iter().all(|data| data.is_some()),
                "{what}: {outcome:#?}"
            );
        }
    });
}

#[test]
fn spnego_takes_the_layer_from_the_context() {
    pairs(|server, client, what| {
        // Debian's client cannot ask for integrity alone.
        let middle = if client.1 == Plugins::Ours { 1 } else { 256 };
        for (max, ssf) in [("max=0", 0), ("max=1", middle), ("max=256", 256)] {
            let case = Case {
                server,
                client,
                mech: "GSS-SPNEGO",
                server_words: &["data=2000"],
                client_words: &["data=2000", max],
                ..Case::default()
            };
            agreed(&talk(&case), ssf, &format!("{what} {max}"));
        }
    });
}

#[test]
fn gs2_works_with_a_ticket_and_with_a_password() {
    pairs(|server, client, what| {
        for (mech, words) in [
            ("GS2-KRB5", &["authid=alice"][..]),
            ("GS2-KRB5", &["authid=alice", "authzid=alice"]),
            ("GS2-IAKERB", &["authid=alice", "pass=secret"]),
            ("GS2-KRB5-PLUS", &["authid=alice", "cb=tls-unique:abc"]),
        ] {
            let binding: &[&str] = if mech.ends_with("-PLUS") {
                &["cb=tls-unique:abc"]
            } else {
                &[]
            };
            let case = Case {
                server,
                client,
                mech,
                server_words: binding,
                client_words: words,
                ..Case::default()
            };
            agreed(&talk(&case), 0, &format!("{what} {mech} {words:?}"));
        }
    });
    for mech in ["GS2-KRB5", "GS2-IAKERB"] {
        let case = Case {
            mech,
            client_words: &["authid=alice", "pass=secret"],
            cache: "none",
            ..Case::default()
        };
        agreed(&talk(&case), 0, &format!("{mech} without a ticket"));
    }
}

#[test]
fn limits_of_both_sides_decide_the_layer() {
    for (server, client, ssf) in [
        (&["max=128"][..], &[][..], Some(1)),
        (&["max=0"], &[], Some(0)),
        (&["buf=0"], &[], Some(0)),
        (&[], &["buf=0"], Some(0)),
        (&["min=2"], &["min=56"], Some(256)),
        (&[], &["ext=56", "min=1"], Some(1)),
        (&["min=256"], &["max=1"], None),
        (&[], &["min=2", "max=55"], None),
    ] {
        for place in PLACES.iter().take(2) {
            let case = Case {
                server: *place,
                client: *place,
                server_words: server,
                client_words: client,
                ..Case::default()
            };
            let outcome = talk(&case);
            let both = outcome.both_ok().then(|| outcome.server.ssf()).flatten();
            assert_eq!(both, ssf, "{server:?} {client:?}: {outcome:#?}");
            if ssf.is_none() {
                assert_ne!(outcome.server.code, Some(0), "{outcome:#?}");
            }
        }
    }
}

#[test]
fn the_peers_buffer_bounds_the_packets() {
    let case = Case {
        client_words: &["buf=1000", "data=2000"],
        server_words: &["data=2000"],
        ..Case::default()
    };
    let outcome = talk(&case);
    agreed(&outcome, 256, "small buffer");
    let size: u32 = outcome.server.property("maxoutbuf").parse().unwrap();
    assert!((900..1000).contains(&size), "{outcome:#?}");
}

#[test]
fn names_credentials_and_the_name_to_act_as_arrive() {
    let case = Case {
        server_words: &["policy=1"],
        client_words: &["authzid=bob", "secflags=0x20"],
        ..Case::default()
    };
    for place in PLACES.iter().take(2) {
        let outcome = talk(&Case {
            server: *place,
            client: *place,
            ..case
        });
        assert!(outcome.both_ok(), "{outcome:#?}");
        let server = |name| outcome.server.property(name);
        assert!(server("policy").starts_with("bob"), "{outcome:#?}");
        assert!(server("user").starts_with("bob"), "{outcome:#?}");
        assert!(server("authid").starts_with("alice"), "{outcome:#?}");
        for name in ["delegated", "peer", "local"] {
            assert_eq!(server(name), "there", "{name}: {outcome:#?}");
        }
        assert_eq!(outcome.client.property("peer"), "there");
        assert_eq!(outcome.client.property("authid"), "alice@LAB.TEST");
    }
    // Nothing is handed over unless asked for.
    let outcome = talk(&Case::default());
    assert_eq!(outcome.server.property("delegated"), "code -6");
}

#[test]
fn the_mechanisms_are_listed_in_stocks_order() {
    for place in PLACES {
        let outcome = talk(&Case {
            server: place,
            ..Case::default()
        });
        let list = outcome.server.property("list");
        // Ours has mechanisms of other families built in.
        let ours = |name: &&str| name.starts_with("GS");
        let mut kerberos: Vec<&str> = list.split(' ').filter(ours).collect();
        if place.0 == Library::Ours {
            // These two are equally strong, and which comes first is the
            // library's to say; stock takes the one that was added last.
            kerberos.sort_by_key(|name| *name != "GSS-SPNEGO");
        }
        let stock = ["GSS-SPNEGO", "GSSAPI", "GS2-KRB5", "GS2-IAKERB"];
        assert_eq!(kerberos, stock, "{place:?}: {outcome:#?}");
    }
}
