// SPDX-License-Identifier: MIT OR Apache-2.0
//! Our clients against our servers, over both tables: who gets in, who does
//! not, and what a man in the middle can change without being noticed. Every
//! random number comes from a fixed seed, so every run is the same run.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the whole file is a test"
)]

use mech::{Answer, ChannelBinding, ClientHost, Disposition, HttpRequest, Limits, Lookup, Prompt};
use mech::{CLIENT, ClientExchange, ClientMech, ClientStep, Done, Features, SERVER, Security};
use mech::{PromptKind, ServerHost, ServerMech, Step};
use saslplug::{Code, Secret};

#[path = "../src/testing.rs"]
mod testing;

use testing::{FakeClient, FakeServer, Random};

/// A message on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum From {
    Client,
    Server,
}

/// What became of an exchange.
struct Outcome {
    client: Result<Done, Code>,
    server: Result<Done, Code>,
    messages: Vec<(From, Vec<u8>)>,
}

impl Outcome {
    fn both(&self) -> bool {
        self.client.is_ok() && self.server.is_ok()
    }
}

fn pair(name: &str) -> (&'static dyn ServerMech, &'static dyn ClientMech) {
    let server = SERVER
        .iter()
        .find(|mech| mech.info().name == name)
        .expect("a server");
    let client = CLIENT
        .iter()
        .find(|mech| mech.info().name == name)
        .expect("a client");
    (*server, *client)
}

fn names() -> impl Iterator<Item = &'static str> {
    SERVER.iter().map(|mech| mech.info().name.as_ref())
}

/// Runs one exchange as the core would; `change` is the man in the middle.
fn run(
    name: &str,
    server: &FakeServer,
    client: &FakeClient,
    mut change: impl FnMut(usize, Vec<u8>) -> Vec<u8>,
) -> Outcome {
    let mut messages = Vec::new();
    let mut wire = |from, message: Vec<u8>| {
        let message = change(messages.len(), message);
        messages.push((from, message.clone()));
        message
    };
    let (client_result, server_result) = play(name, server, client, &mut wire);
    Outcome {
        client: client_result,
        server: server_result,
        messages,
    }
}

type Results = (Result<Done, Code>, Result<Done, Code>);

fn play(
    name: &str,
    server: &FakeServer,
    client: &FakeClient,
    wire: &mut dyn FnMut(From, Vec<u8>) -> Vec<u8>,
) -> Results {
    const OPEN: Code = Code::CONTINUE;
    let (server_mech, client_mech) = pair(name);
    let mut client_exchange = match client_mech.begin(client) {
        Ok(exchange) => exchange,
        Err(error) => return (Err(error.code()), Err(OPEN)),
    };
    let mut server_exchange = match server_mech.begin(server) {
        Ok(exchange) => exchange,
        Err(error) => return (Err(OPEN), Err(error.code())),
    };
    let features = server_mech.info().features;
    let mut client_done = None;
    let mut challenge: Option<Vec<u8>> = None;
    for round in 0..8 {
        let response = match client_turn(client_exchange.as_mut(), client, challenge.as_deref()) {
            Err(code) => return (Err(code), Err(OPEN)),
            Ok((response, done)) => {
                client_done = done.or(client_done);
                response
            }
        };
        let response = response.map(|response| wire(From::Client, response));
        if round == 0 && response.is_none() && features.contains(Features::WANT_CLIENT_FIRST) {
            challenge = Some(Vec::new());
            continue;
        }
        match server_exchange.step(server, response.as_deref()) {
            Err(error) => return (client_done.ok_or(OPEN), Err(error.code())),
            Ok(Step::Challenge(bytes)) if client_done.is_some() => {
                wire(From::Server, bytes);
                return (client_done.ok_or(OPEN), Err(OPEN));
            }
            Ok(Step::Challenge(bytes)) => challenge = Some(wire(From::Server, bytes)),
            Ok(Step::Done(done)) => {
                let last = done
                    .final_data
                    .clone()
                    .map(|bytes| wire(From::Server, bytes));
                let client_result = finish(client_exchange.as_mut(), client, client_done, last);
                return (client_result, Ok(done));
            }
        }
    }
    panic!("{name} does not come to an end")
}

type Turn = (Option<Vec<u8>>, Option<Done>);

fn client_turn(
    exchange: &mut dyn ClientExchange,
    host: &FakeClient,
    challenge: Option<&[u8]>,
) -> Result<Turn, Code> {
    match exchange.step(host, challenge) {
        Ok(ClientStep::Response(response)) => Ok((response, None)),
        Ok(ClientStep::Done(done)) => Ok((done.final_data.clone(), Some(done))),
        Ok(ClientStep::Interact(_)) => Err(Code::INTERACT),
        Err(error) => Err(error.code()),
    }
}

/// The server is content; is the client?
fn finish(
    exchange: &mut dyn ClientExchange,
    host: &FakeClient,
    done: Option<Done>,
    last: Option<Vec<u8>>,
) -> Result<Done, Code> {
    match (done, last) {
        (Some(done), None) => Ok(done),
        (Some(_), Some(_)) => Err(Code::BADPROT),
        (None, last) => {
            let (_, done) = client_turn(exchange, host, Some(&last.unwrap_or_default()))?;
            done.ok_or(Code::CONTINUE)
        }
    }
}

const PASSWORD: &str = "tanstaaftanstaaf";

fn server() -> FakeServer {
    let users = [("tim", PASSWORD), ("admin", "secret"), ("anonymous", "")];
    let mut host = FakeServer::new(&users);
    host.external = Some(b"tim".to_vec());
    // The value 499 of each password's chain.
    for (user, chain) in [
        ("tim", &b"md5\t0499\tke1234\te34ced299112c756\t0"[..]),
        ("admin", b"md5\t0499\tke1234\t141b6977388347df\t0"),
    ] {
        host = host.with_property(user, c"*cmusaslsecretOTP", &[chain]);
    }
    host
}

fn client(name: &str, password: &str) -> FakeClient {
    let mut host = FakeClient::user(name, password);
    host.external = Some(b"tim".to_vec());
    host
}

fn untouched(_: usize, message: Vec<u8>) -> Vec<u8> {
    message
}

/// Mechanisms that ask for no password.
fn is_open(name: &str) -> bool {
    ["ANONYMOUS", "EXTERNAL"].contains(&name)
}

/// Mechanisms whose password is a token, and the token says whose it is.
fn is_bearer(name: &str) -> bool {
    ["OAUTHBEARER", "XOAUTH2"].contains(&name)
}

fn is_mutual(name: &str) -> bool {
    pair(name).0.info().security.contains(Security::MUTUAL_AUTH)
}

#[test]
fn the_right_password_gets_in() {
    for name in names() {
        let (server, client) = (server(), client("tim", PASSWORD));
        let outcome = run(name, &server, &client, untouched);
        assert!(outcome.both(), "{name}: {:?}", outcome.messages);
        let who = if name == "ANONYMOUS" {
            b"anonymous".to_vec()
        } else {
            b"tim".to_vec()
        };
        assert_eq!(server.authid().as_ref(), Some(&who), "{name}");
        assert_eq!(server.authzid().as_ref(), Some(&who), "{name}");
        assert_eq!(client.authid(), server.authid(), "{name}");
        talk(outcome.client.unwrap(), outcome.server.unwrap());
    }
}

/// Both ends of the layer, where there is one, understand each other.
fn talk(client: Done, server: Done) {
    let (Some(mut client), Some(mut server)) = (client.layer, server.layer) else {
        return;
    };
    assert_eq!(client.ssf, server.ssf);
    for text in [&b"hello"[..], b"", &[b'x'; 1000]] {
        let (mut packet, mut back) = (Vec::new(), Vec::new());
        client.layer.wrap(text, &mut packet).unwrap();
        server.layer.unwrap(&packet, &mut back).unwrap();
        assert_eq!(back, text);
        packet.clear();
        back.clear();
        server.layer.wrap(text, &mut packet).unwrap();
        client.layer.unwrap(&packet, &mut back).unwrap();
        assert_eq!(back, text);
    }
}

#[test]
fn every_layer_talks() {
    for (max, expected) in [
        (0, None),
        (1, Some(1)),
        (40, Some(40)),
        (55, Some(55)),
        (56, Some(56)),
        (127, Some(112)),
        (256, Some(128)),
    ] {
        let (server, mut client) = (server(), client("tim", PASSWORD));
        client.limits.max_ssf = max;
        let outcome = run("DIGEST-MD5", &server, &client, untouched);
        let (client, server) = (outcome.client.unwrap(), outcome.server.unwrap());
        assert_eq!(server.layer.as_ref().map(|layer| layer.ssf), expected);
        talk(client, server);
    }
}

#[test]
fn nobody_else_gets_in() {
    for name in names().filter(|name| !is_open(name)) {
        for (user, password) in [
            ("tim", "wrong"),
            ("tim", ""),
            ("tim", "tanstaaftanstaa"),
            ("who", PASSWORD),
            ("admin", PASSWORD),
        ] {
            let server = server();
            let outcome = run(name, &server, &client(user, password), untouched);
            if is_bearer(name) && user == "admin" {
                // Whose token it is says the verifier; the core asks whether he
                // may act as the other.
                assert_eq!(server.authid().unwrap(), b"tim");
                assert_eq!(server.authzid().unwrap(), b"admin");
                continue;
            }
            assert!(outcome.server.is_err(), "{name} {user} {password}");
            assert!(
                !(is_mutual(name) && outcome.client.is_ok()),
                "{name} {user} {password}"
            );
        }
    }
}

/// Who does not exist goes the way of who does, as far as the wire can tell.
#[test]
fn a_stranger_takes_the_steps_of_a_user() {
    // OTP has to look up what it challenges with.
    let shared = |name: &&str| mech::needs_secret(name) && *name != "OTP";
    for name in names().filter(shared) {
        let steps = |user: &str| {
            let server = server();
            let outcome = run(name, &server, &client(user, "wrong"), untouched);
            assert!(outcome.server.is_err(), "{name} {user}");
            let sizes = outcome.messages.iter();
            let sizes: Vec<_> = sizes.map(|(from, text)| (*from, text.len())).collect();
            let asked = server.calls().into_iter();
            let asked: Vec<_> = asked.map(|call| call.replace(user, "U")).collect();
            (sizes, asked)
        };
        assert_eq!(steps("tim"), steps("who"), "{name}");
    }
}

#[test]
fn a_server_without_the_password_is_not_believed() {
    for name in names().filter(|name| is_mutual(name)) {
        let impostor = FakeServer::new(&[("tim", "guess")]);
        let outcome = run(name, &impostor, &client("tim", PASSWORD), untouched);
        assert!(outcome.client.is_err(), "{name}");
    }
}

#[test]
fn one_acts_as_another() {
    for name in names().filter(|name| {
        pair(name)
            .0
            .info()
            .features
            .contains(Features::ALLOWS_PROXY)
    }) {
        let (mut server, mut client) = (server(), client("admin", "secret"));
        server.external = Some(b"admin".to_vec());
        client.external = Some(b"admin".to_vec());
        client.answer(
            PromptKind::User,
            Ok(Answer::Given(Secret::from(&b"tim"[..]))),
        );
        let outcome = run(name, &server, &client, untouched);
        assert!(outcome.both(), "{name}");
        assert_eq!(server.authid().unwrap(), b"admin", "{name}");
        assert_eq!(server.authzid().unwrap(), b"tim", "{name}");
        client.answer(
            PromptKind::User,
            Ok(Answer::Given(Secret::from(&b"who"[..]))),
        );
        assert!(
            run(name, &server, &client, untouched).server.is_err(),
            "{name}"
        );
    }
}

#[test]
fn bound_channels() {
    for name in names().filter(|name| name.starts_with("SCRAM")) {
        let bind = |data: &[u8]| ChannelBinding {
            name: "tls-exporter".to_owned(),
            data: data.to_vec(),
            critical: true,
        };
        let (mut server, mut client) = (server(), client("tim", PASSWORD));
        client.binding = Some(bind(b"here"));
        client.disposition = Disposition::Used;
        server.bindings = vec![bind(b"here")];
        let outcome = run(name, &server, &client, untouched);
        let binding = outcome.server.unwrap().binding;
        assert_eq!(binding.name.as_deref(), Some("tls-exporter"));
        assert_eq!(binding, outcome.client.unwrap().binding);
        server.bindings = vec![bind(b"else")];
        assert!(
            run(name, &server, &client, untouched).server.is_err(),
            "{name}"
        );
    }
}

/// Inside HTTP the request is signed too, with `auth-int` its body.
#[test]
fn inside_http_the_request_counts() {
    let request = |method: &str, uri: &str, entity: &str| {
        Some(HttpRequest {
            method: method.as_bytes().to_vec(),
            uri: uri.as_bytes().to_vec(),
            entity: entity.as_bytes().to_vec(),
        })
    };
    for (max_ssf, body_counts) in [(0, false), (1, true), (256, true)] {
        let gets_in = |seen: Option<HttpRequest>| {
            let (mut server, mut client) = (server(), client("tim", PASSWORD));
            (server.limits.max_ssf, client.limits.max_ssf) = (max_ssf, max_ssf);
            client.http = request("PUT", "/a?b=c", "body");
            server.http = seen;
            run("DIGEST-MD5", &server, &client, untouched).both()
        };
        assert!(gets_in(request("PUT", "/a?b=c", "body")));
        assert!(!gets_in(request("GET", "/a?b=c", "body")));
        assert!(!gets_in(request("PUT", "/a?b=d", "body")));
        assert_eq!(gets_in(request("PUT", "/a?b=c", "Body")), !body_counts);
        assert!(!gets_in(None));
    }
}

/// Whether a change of this message must be noticed by one of the two.
fn is_authenticated(name: &str, from: From) -> bool {
    match name {
        "ANONYMOUS" | "EXTERNAL" | "DIGEST-MD5" | "NTLM" | "OTP" | "OAUTHBEARER" | "XOAUTH2" => {
            false
        }
        "PLAIN" | "LOGIN" => from == From::Client,
        _ => true,
    }
}

/// What must hold whatever happened on the way.
fn check(name: &str, server: &FakeServer, outcome: &Outcome, altered: (From, usize), what: &str) {
    if outcome.server.is_ok() {
        let who = if name == "ANONYMOUS" {
            b"anonymous".to_vec()
        } else {
            b"tim".to_vec()
        };
        assert_eq!(server.authid(), Some(who), "{name} {what}");
    }
    let noticed = !outcome.both();
    assert!(
        noticed || !is_authenticated(name, altered.0),
        "{name} {what} {:?}",
        outcome.messages
    );
}

/// One exchange in which message `index` is what `change` makes of it.
fn altered(name: &str, index: usize, change: impl Fn(Vec<u8>) -> Vec<u8>, what: &str) {
    let (server, client) = (server(), client("tim", PASSWORD));
    let mut from = None;
    let outcome = run(name, &server, &client, |at, message| {
        if at == index {
            change(message)
        } else {
            message
        }
    });
    if let Some((sender, _)) = outcome.messages.get(index) {
        from = Some(*sender);
    }
    check(
        name,
        &server,
        &outcome,
        (from.expect("the message was sent"), index),
        what,
    );
}

/// SCRAM derives a key in each exchange, OTP walks a chain: of four members of
/// the one, and of the other, a few positions do.
fn stride(name: &str) -> usize {
    if name == "OTP" || name.starts_with("SCRAM") && name != "SCRAM-SHA-256" {
        13
    } else {
        1
    }
}

#[test]
fn cuts_are_noticed() {
    for name in names() {
        let whole = run(name, &server(), &client("tim", PASSWORD), untouched).messages;
        for (index, (_, message)) in whole.iter().enumerate() {
            for end in (0..message.len()).step_by(stride(name)) {
                let cut = |message: Vec<u8>| message[..end].to_vec();
                altered(name, index, cut, &format!("message {index} cut at {end}"));
            }
        }
    }
}

#[test]
fn flipped_bits_are_noticed() {
    for name in names() {
        let whole = run(name, &server(), &client("tim", PASSWORD), untouched).messages;
        for (index, (_, message)) in whole.iter().enumerate() {
            for at in (0..message.len()).step_by(stride(name)) {
                let bits = if name.starts_with("SCRAM") {
                    at % 8..at % 8 + 1
                } else {
                    0..8
                };
                for bit in bits {
                    let flip = |mut message: Vec<u8>| {
                        message[at] ^= 1 << bit;
                        message
                    };
                    altered(
                        name,
                        index,
                        flip,
                        &format!("message {index} byte {at} bit {bit}"),
                    );
                }
            }
        }
    }
}

#[test]
fn what_digest_md5_signs_cannot_change() {
    let whole = run("DIGEST-MD5", &server(), &client("tim", PASSWORD), untouched).messages;
    let response = String::from_utf8(whole[1].1.clone()).unwrap();
    for directive in [
        "username=",
        "realm=",
        "nonce=",
        "cnonce=",
        "nc=",
        "qop=",
        "digest-uri=",
        "response=",
    ] {
        let start = response.find(directive).unwrap() + directive.len();
        let length = response[start..]
            .find(',')
            .unwrap_or(response.len() - start);
        for at in start..start + length {
            for bit in 0..8 {
                let (server, client) = (server(), client("tim", PASSWORD));
                let outcome = run("DIGEST-MD5", &server, &client, |index, mut message| {
                    if index == 1 {
                        message[at] ^= 1 << bit;
                    }
                    message
                });
                assert!(!outcome.both(), "{directive} at {at}, bit {bit}");
            }
        }
    }
    let proof = &whole[2].1;
    for at in "rspauth=".len()..proof.len() {
        let outcome = run(
            "DIGEST-MD5",
            &server(),
            &client("tim", PASSWORD),
            |index, mut message| {
                if index == 2 {
                    message[at] ^= 1;
                }
                message
            },
        );
        assert!(outcome.client.is_err());
    }
}

/// One of the things that a fuzzer does to a message.
fn mutate(random: &Random, mut message: Vec<u8>) -> Vec<u8> {
    const WORDS: [&[u8]; 16] = [
        b"",
        b"\0",
        b",",
        b"=",
        b"\"",
        b"\\",
        b",,",
        b"m=x,",
        b"e=x",
        b"v=",
        b"n,,n=tim,r=",
        b"99999999999",
        b"nc=00000000",
        b"maxbuf=",
        b"\xff\xfe",
        b"tim",
    ];
    for _ in 0..=random.below(3) {
        let at = random.below(message.len() + 1);
        match random.below(6) {
            0 if at < message.len() => message[at] ^= 1 << random.below(8),
            1 => message.truncate(at),
            2 if at < message.len() => drop(message.remove(at)),
            3 => message.insert(at, u8::try_from(random.below(256)).unwrap()),
            4 => {
                let word = WORDS[random.below(WORDS.len())];
                message.splice(at..at, word.iter().copied());
            }
            _ => {
                let piece = message[at..].to_vec();
                message.extend(piece);
            }
        }
    }
    message
}

fn rounds(name: &str) -> usize {
    match name {
        // Each exchange derives a key.
        "OTP" => 300,
        name if name.starts_with("SCRAM") => 150,
        _ => 3000,
    }
}

#[test]
fn random_changes_let_nobody_in_and_break_nothing() {
    for (seed, name) in (1u64..).zip(names()) {
        let random = Random::new(seed);
        for round in 0..rounds(name) {
            let target = random.below(4);
            let (server, client) = (server(), client("tim", "wrong"));
            let outcome = run(name, &server, &client, |index, message| {
                if index == target {
                    mutate(&random, message)
                } else {
                    message
                }
            });
            assert!(
                is_open(name) || outcome.server.is_err(),
                "{name} {round} {:?}",
                outcome.messages
            );
            let believed = is_mutual(name) && outcome.client.is_ok();
            assert!(!believed, "{name} {round} {:?}", outcome.messages);
        }
    }
}

#[test]
fn random_changes_make_nobody_somebody_else() {
    for (seed, name) in (101u64..).zip(names()) {
        let random = Random::new(seed);
        for round in 0..rounds(name) {
            let (server, client) = (server(), client("tim", PASSWORD));
            let outcome = run(name, &server, &client, |_, message| {
                if random.below(2) == 0 {
                    mutate(&random, message)
                } else {
                    message
                }
            });
            if outcome.server.is_ok() {
                let who = if name == "ANONYMOUS" {
                    b"anonymous".to_vec()
                } else {
                    b"tim".to_vec()
                };
                assert_eq!(server.authid(), Some(who), "{name} {round}");
            }
        }
    }
}

#[test]
fn the_other_side_s_messages_and_noise_break_nothing() {
    for (seed, name) in (201u64..).zip(names()) {
        let random = Random::new(seed);
        let messages = run(name, &server(), &client("tim", PASSWORD), untouched).messages;
        for _ in 0..rounds(name) / 3 {
            let (server, client) = (server(), client("tim", PASSWORD));
            let (server_mech, client_mech) = pair(name);
            let mut server_exchange = server_mech.begin(&server).unwrap();
            let mut client_exchange = client_mech.begin(&client).unwrap();
            for _ in 0..4 {
                let message = match random.below(4) {
                    0 => None,
                    1 => Some(vec![b'a'; [0, 1, 1024, 1025, 65537][random.below(5)]]),
                    _ => Some(messages[random.below(messages.len())].1.clone()),
                };
                let _ = server_exchange.step(&server, message.as_deref());
                let _ = client_exchange.step(&client, message.as_deref());
            }
        }
    }
}
