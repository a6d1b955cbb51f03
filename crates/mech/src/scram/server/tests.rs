// SPDX-License-Identifier: MIT OR Apache-2.0
//! The server against messages made by hand.
#![forbid(unsafe_code)]

use super::super::keys::work;
use super::super::{SHA_1, SHA_256, Scram};
use super::*;
use crate::testing::FakeServer;
use crate::{ChannelBinding, ServerMech};

const STORED_PW: &[u8] =
    b"SCRAM-SHA-1$5000:c2FsdHNhbHQ=$QInEM/eiN9ZPldZ4oeZvmeERds0=:casdwxa4xAGZHivzNlLU5LNhmhg=";

fn server() -> FakeServer {
    FakeServer::new(&[
        ("tim", "tanstaaftanstaaf"),
        ("admin", "secret"),
        ("empty", ""),
        ("odd", "\u{2168}"),
    ])
    .with_property("keys", STORED, &[b"garbage", STORED_PW])
    .with_property("broken", STORED, &[b"garbage"])
    .with_property("none", c"*other", &[b"x"])
}

struct Client {
    first: &'static str,
    password: &'static str,
    data: &'static [u8],
}

const TIM: Client = Client {
    first: "n,,n=tim,r=abcd",
    password: "tanstaaftanstaaf",
    data: b"",
};

/// The server's first message, its parts, and the exchange.
fn begin(
    mech: &'static Scram,
    host: &FakeServer,
    first: &str,
) -> (Box<dyn ServerExchange>, String) {
    let mut exchange = ServerMech::begin(mech, host).unwrap();
    match exchange.step(host, Some(first.as_bytes())) {
        Ok(Step::Challenge(challenge)) => (exchange, String::from_utf8(challenge).unwrap()),
        Ok(Step::Done(_)) => panic!("too early"),
        Err(error) => panic!("{error}"),
    }
}

/// client-final-message for what the server said.
fn last(mech: &'static Scram, client: &Client, challenge: &str) -> String {
    let parts: Vec<_> = challenge.split(',').map(|part| &part[2..]).collect();
    let salt = base64::decode(parts[1].as_bytes()).unwrap();
    let salted = mech
        .hash
        .salted(client.password.as_bytes(), &salt, parts[2].parse().unwrap());
    let header_end = client.first.match_indices(',').nth(1).unwrap().0 + 1;
    let (header, bare) = client.first.split_at(header_end);
    let bound = base64::encode(&[header.as_bytes(), client.data].concat());
    let without_proof = format!("c={bound},r={}", parts[0]);
    let message = format!("{bare},{challenge},{without_proof}");
    let proof = mech.hash.proof(&salted, &[message.as_bytes()]);
    format!("{without_proof},p={}", base64::encode(&proof))
}

fn login(mech: &'static Scram, host: &FakeServer, client: &Client) -> Result<Done> {
    let (mut exchange, challenge) = begin(mech, host, client.first);
    match exchange.step(host, Some(last(mech, client, &challenge).as_bytes()))? {
        Step::Done(done) => Ok(done),
        Step::Challenge(_) => panic!("another challenge"),
    }
}

#[test]
fn the_order_of_calls() {
    let host = server();
    let done = login(&SHA_1, &host, &TIM).unwrap();
    assert!(done.final_data.unwrap().starts_with(b"v="));
    assert_eq!(done.binding, Binding::default());
    let request = "request *userPassword *authPassword";
    assert_eq!(
        host.calls(),
        [request, "identify tim Both Required", "erase"]
    );

    let client = Client {
        first: "n,a=tim,n=admin,r=abcd",
        password: "secret",
        ..TIM
    };
    login(&SHA_256, &host, &client).unwrap();
    let (authid, authzid) = (
        "identify admin Authid Required",
        "identify tim Authzid Required",
    );
    assert_eq!(host.calls(), [request, authid, authzid, "erase"]);

    login(
        &SHA_1,
        &host,
        &Client {
            first: "n,a=tim,n=tim,r=abcd",
            ..TIM
        },
    )
    .unwrap();
    let (authid, authzid) = (
        "identify tim Authid Required",
        "identify tim Authzid Required",
    );
    assert_eq!(host.calls(), [request, authid, authzid, "erase"]);
}

#[test]
fn without_an_initial_response() {
    let host = server();
    for none in [None, Some(&b""[..])] {
        let mut exchange = ServerMech::begin(&SHA_1, &host).unwrap();
        let step = exchange.step(&host, none);
        assert!(matches!(step, Ok(Step::Challenge(challenge)) if challenge.is_empty()));
        let error = exchange.step(&host, none).err().unwrap();
        assert_eq!(
            (error.code(), error.reason()),
            (Code::BADPROT, "SCRAM-SHA-1 input expected")
        );
        assert!(exchange.step(&host, Some(TIM.first.as_bytes())).is_err());
    }
}

/// Blocks that the server hashes for a wrong password.
fn cost(mech: &'static Scram, host: &FakeServer, name: &str) -> usize {
    let client = Client {
        first: format!("n,,n={name},r=abcd").leak(),
        password: "wrong",
        data: b"",
    };
    work::take();
    let (mut exchange, challenge) = begin(mech, host, client.first);
    let first = work::take();
    let message = last(mech, &client, &challenge);
    work::take();
    assert!(exchange.step(host, Some(message.as_bytes())).is_err());
    first + work::take()
}

fn median(mut costs: Vec<usize>) -> usize {
    costs.sort_unstable();
    costs[costs.len() / 2]
}

#[test]
fn a_stranger_costs_what_a_user_costs() {
    let known: Vec<_> = (0..15).map(|number| format!("cost{number}")).collect();
    let unknown: Vec<_> = (0..15).map(|number| format!("gone{number}")).collect();
    let users: Vec<_> = known.iter().map(|name| (name.as_str(), "secret")).collect();
    let host = FakeServer::new(&users);
    let costs = |names: &[String]| {
        let each = names.iter().map(|name| cost(&SHA_256, &host, name));
        median(each.collect())
    };
    // Keys are derived at the first visit and remembered for the second.
    for (visit, least, most) in [("first", 8192, 9000), ("second", 1, 100)] {
        let (user, stranger) = (costs(&known), costs(&unknown));
        assert!((least..most).contains(&user), "{visit} {user}");
        let apart = user.abs_diff(stranger);
        assert!(apart * 20 < user, "{visit} {user} {stranger}");
    }
}

#[test]
fn a_stranger_sees_what_a_user_sees() {
    let host = server();
    let salt = |name: &str| {
        let challenge = begin(&SHA_1, &host, &format!("n,,n={name},r=abcd")).1;
        challenge
            .split(',')
            .skip(1)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(salt("tim"), salt("tim"));
    assert_eq!(salt("who"), salt("who"));
    assert_ne!(salt("who"), salt("why"));
    assert_eq!(salt("who")[0].len(), salt("tim")[0].len());
    assert_eq!(salt("who")[1], salt("tim")[1]);
    for (name, code, text) in [
        (
            "who",
            Code::NOUSER,
            "unable to canonify user and get auxprops",
        ),
        ("none", Code::NOUSER, "no secret in database"),
        ("empty", Code::NOVERIFY, "empty secret"),
        (
            "broken",
            Code::NOVERIFY,
            "No valid SCRAM-SHA-1 secret found",
        ),
    ] {
        let first: &'static str = format!("n,,n={name},r=abcd").leak();
        let error = login(
            &SHA_1,
            &host,
            &Client {
                first,
                password: "x",
                ..TIM
            },
        )
        .err()
        .unwrap();
        assert_eq!((error.code(), error.reason()), (code, text));
    }
    let client = Client {
        first: "n,a=who,n=admin,r=abcd",
        password: "secret",
        ..TIM
    };
    let error = login(&SHA_1, &host, &client).err().unwrap();
    assert_eq!(
        (error.code(), error.reason()),
        (Code::NOUSER, "unable to canonify authorization ID")
    );
    let mut exchange = ServerMech::begin(&SHA_1, &host).unwrap();
    let long = format!("n,,n={},r=abcd", "a".repeat(1025));
    assert_eq!(
        exchange
            .step(&host, Some(long.as_bytes()))
            .err()
            .unwrap()
            .code(),
        Code::BUFOVER
    );
}

#[test]
fn a_wrong_password_and_what_the_client_is_told() {
    let host = server();
    for client in [
        Client {
            password: "wrong",
            ..TIM
        },
        Client {
            first: "n,,n=who,r=abcd",
            ..TIM
        },
    ] {
        let (mut exchange, challenge) = begin(&SHA_1, &host, client.first);
        let response = last(&SHA_1, &client, &challenge);
        assert!(exchange.step(&host, Some(response.as_bytes())).is_err());
        assert_eq!(exchange.farewell(), Some(&b"e=invalid-proof"[..]));
        assert!(exchange.step(&host, Some(response.as_bytes())).is_err());
        assert_eq!(exchange.farewell(), None);
    }
    let error = login(
        &SHA_1,
        &host,
        &Client {
            password: "wrong",
            ..TIM
        },
    )
    .err()
    .unwrap();
    assert_eq!(
        (error.code(), error.reason()),
        (Code::BADAUTH, "StoredKey mismatch")
    );
}

#[test]
fn stored_keys() {
    let host = server();
    let client = Client {
        first: "n,,n=keys,r=abcd",
        password: "pw",
        data: b"",
    };
    assert!(
        begin(&SHA_1, &host, client.first)
            .1
            .ends_with(",s=c2FsdHNhbHQ=,i=5000")
    );
    assert!(login(&SHA_1, &host, &client).is_ok());
    assert!(
        login(
            &SHA_1,
            &host,
            &Client {
                password: "px",
                ..client
            }
        )
        .is_err()
    );
}

#[test]
fn both_forms_of_a_password() {
    let host = server();
    for password in ["IX", "\u{2168}"] {
        let client = Client {
            first: "n,,n=odd,r=abcd",
            password,
            data: b"",
        };
        assert!(login(&SHA_1, &host, &client).is_ok());
    }
}

#[test]
fn the_iteration_counter() {
    let mut host = server();
    for (text, count, warned) in [
        ("10000", 10000, 0),
        ("4096", 4096, 0),
        ("0", 4096, 1),
        ("-1", 4096, 1),
        ("x", 4096, 1),
        ("100", 4096, 1),
        ("999999999999", 5_000_000, 1),
    ] {
        host.options.insert(
            "SCRAM-SHA-1/scram_iteration_counter".to_owned(),
            text.to_owned(),
        );
        host.calls();
        assert!(
            begin(&SHA_1, &host, TIM.first)
                .1
                .ends_with(&format!(",i={count}")),
            "{text}"
        );
        let calls = host.calls();
        assert_eq!(
            calls
                .iter()
                .filter(|call| call.starts_with("log Warn"))
                .count(),
            warned
        );
    }
}

fn bound(name: &str) -> FakeServer {
    let mut host = server();
    let bind = |name: &str, data: &[u8]| ChannelBinding {
        name: name.to_owned(),
        data: data.to_vec(),
        critical: false,
    };
    host.bindings = vec![bind(name, b"DATA"), bind("tls-server-end-point", b"CERT")];
    host
}

#[test]
fn channel_binding() {
    let host = bound("tls-exporter");
    let used = |name: &str| Binding {
        name: Some(name.to_owned()),
        disposition: Disposition::Used,
    };
    let client = Client {
        first: "p=tls-exporter,,n=tim,r=abcd",
        data: b"DATA",
        ..TIM
    };
    assert_eq!(
        login(&SHA_1, &host, &client).unwrap().binding,
        used("tls-exporter")
    );
    let client = Client {
        first: "p=tls-server-end-point,,n=tim,r=abcd",
        data: b"CERT",
        ..TIM
    };
    assert_eq!(
        login(&SHA_1, &host, &client).unwrap().binding,
        used("tls-server-end-point")
    );
    let client = Client {
        first: "y,,n=tim,r=abcd",
        ..TIM
    };
    let want = Binding {
        name: None,
        disposition: Disposition::Want,
    };
    assert_eq!(login(&SHA_1, &host, &client).unwrap().binding, want);
    assert_eq!(
        login(&SHA_1, &host, &TIM).unwrap().binding,
        Binding::default()
    );
}

#[test]
fn wrong_channel_binding() {
    let refusal = |host: &FakeServer, first, data| {
        let error = login(&SHA_1, host, &Client { first, data, ..TIM })
            .err()
            .unwrap();
        assert_eq!(error.code(), Code::BADPROT);
        error.reason().to_owned()
    };
    let (with, without) = (bound("tls-unique"), server());
    let first = "p=tls-unique,,n=tim,r=abcd";
    assert_eq!(
        refusal(&with, first, b""),
        "Channel bindings data expected in SCRAM-SHA-1"
    );
    assert_eq!(
        refusal(&with, first, b"DATX"),
        "Channel bindings mismatch in SCRAM-SHA-1"
    );
    let text = "Unsupported channel bindings length received in SCRAM-SHA-1. Expected length: 4, received: 3";
    assert_eq!(refusal(&with, first, b"DAT"), text);
    let text = "Unsupported channel bindings type received in SCRAM-SHA-1. Expected: tls-unique, received: tls-exporter";
    assert_eq!(
        refusal(&with, "p=tls-exporter,,n=tim,r=abcd", b"DATA"),
        text
    );
    let text = "Server does not support channel binding type received in SCRAM-SHA-1. Received: tls-unique";
    assert_eq!(refusal(&without, first, b"DATA"), text);
    let text = "Channel bindings prefix doesn't match the one received in the GS2 header of SCRAM-SHA-1. Expected \"n,,\"";
    assert_eq!(refusal(&with, "n,,n=tim,r=abcd", b"DATA"), text);
}

#[test]
fn nonce_and_proof() {
    let host = server();
    let altered = |change: fn(String) -> String| {
        let (mut exchange, challenge) = begin(&SHA_1, &host, TIM.first);
        let response = change(last(&SHA_1, &TIM, &challenge));
        exchange
            .step(&host, Some(response.as_bytes()))
            .err()
            .unwrap()
            .reason()
            .to_owned()
    };
    assert_eq!(
        altered(|text| text.replace("r=abcd", "r=abce")),
        "Nonce mismatch SCRAM-SHA-1 input"
    );
    let length = "Invalid client proof length in SCRAM-SHA-1 input";
    assert_eq!(
        altered(|text| text + "AAAA"),
        "Invalid base64 encoding of the client proof in SCRAM-SHA-1 input"
    );
    assert_eq!(
        altered(|text| text.split(",p=").next().unwrap().to_owned() + ",p=AAAA"),
        length
    );
    assert_eq!(
        altered(|text| text.replace(",p=", ",x=y,p=")),
        "StoredKey mismatch"
    );
}
