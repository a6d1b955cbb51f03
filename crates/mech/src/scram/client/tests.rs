// SPDX-License-Identifier: MIT OR Apache-2.0
//! The client against messages made by hand.
#![forbid(unsafe_code)]

use super::super::keys::Keys;
use super::super::{SHA_1, Scram};
use super::*;
use crate::testing::FakeClient;
use crate::{ChannelBinding, ClientMech, PromptKind};

fn first(mech: &'static Scram, host: &FakeClient) -> (Box<dyn ClientExchange>, String) {
    let mut exchange = ClientMech::begin(mech, host).unwrap();
    match exchange.step(host, None) {
        Ok(ClientStep::Response(Some(message))) => (exchange, String::from_utf8(message).unwrap()),
        Ok(_) => panic!("no message"),
        Err(error) => panic!("{error}"),
    }
}

/// The first message without its nonce.
fn shown(host: &FakeClient) -> String {
    let message = first(&SHA_1, host).1;
    let (head, nonce) = message.split_once(",r=").unwrap();
    assert_eq!(nonce.len(), 32);
    head.to_owned()
}

#[test]
fn the_first_message() {
    let host = FakeClient::user(" tim", "pw");
    assert_eq!(shown(&host), "n,,n=tim");
    assert_eq!(
        host.calls(),
        ["ask AuthName", "ask User", "ask Pass", "identify  tim Both"]
    );
    let host = FakeClient::with(&[
        (PromptKind::AuthName, b"a,b=c"),
        (PromptKind::User, b"=,"),
        (PromptKind::Pass, b"pw"),
    ]);
    assert_eq!(shown(&host), "n,a==3D=2C,n=a=2Cb=3Dc");
    assert_eq!(
        host.calls()[3..],
        ["identify a,b=c Authid", "identify =, Authzid"]
    );
    let host = FakeClient::user("a\0b", "pw");
    let step = ClientMech::begin(&SHA_1, &host).unwrap().step(&host, None);
    assert_eq!(step.err().unwrap().code(), Code::BADPARAM);
}

#[test]
fn the_flags() {
    let mut host = FakeClient::user("tim", "pw");
    host.disposition = Disposition::Want;
    assert_eq!(shown(&host), "y,,n=tim");
    host.disposition = Disposition::Used;
    let step = ClientMech::begin(&SHA_1, &host).unwrap().step(&host, None);
    assert_eq!(step.err().unwrap().code(), Code::BADBINDING);
    let binding = |name: &str| {
        Some(ChannelBinding {
            name: name.to_owned(),
            data: b"DATA".to_vec(),
            critical: true,
        })
    };
    host.binding = binding("tls-exporter");
    assert_eq!(shown(&host), "p=tls-exporter,,n=tim");
    host.binding = binding("a,b");
    let step = ClientMech::begin(&SHA_1, &host).unwrap().step(&host, None);
    assert_eq!(step.err().unwrap().code(), Code::BADPARAM);
}

#[test]
fn one_list_of_prompts() {
    let all = [PromptKind::User, PromptKind::AuthName, PromptKind::Pass];
    let host = FakeClient::interactive(&all);
    let mut exchange = ClientMech::begin(&SHA_1, &host).unwrap();
    let Ok(ClientStep::Interact(prompts)) = exchange.step(&host, None) else {
        panic!("none")
    };
    assert_eq!(
        prompts.iter().map(|prompt| prompt.kind).collect::<Vec<_>>(),
        all
    );
    for kind in all {
        host.answer(kind, Ok(crate::Answer::Given(Secret::from(&b"x"[..]))));
    }
    assert!(matches!(
        exchange.step(&host, None),
        Ok(ClientStep::Response(Some(_)))
    ));
}

/// Plays the server; `last` makes its final message of the right signature.
fn play(last: fn(&str) -> String) -> Result<ClientStep> {
    let host = FakeClient::user("tim", "pw");
    let (mut exchange, message) = first(&SHA_1, &host);
    let bare = message.strip_prefix("n,,").unwrap();
    let nonce = bare.split_once(",r=").unwrap().1;
    let challenge = format!("r={nonce}SRV,s=c2FsdHNhbHQ=,i=4096,x=y");
    let Ok(ClientStep::Response(Some(response))) = exchange.step(&host, Some(challenge.as_bytes()))
    else {
        panic!("no proof")
    };
    let response = String::from_utf8(response).unwrap();
    let (without_proof, proof) = response.split_once(",p=").unwrap();
    assert_eq!(without_proof, format!("c=biws,r={nonce}SRV"));
    let message = format!("{bare},{challenge},{without_proof}");
    let keys = Keys::derive(SHA_1.hash, b"pw", b"saltsalt", 4096);
    let message: [&[u8]; 1] = [message.as_bytes()];
    assert!(keys.accept(
        SHA_1.hash,
        &base64::decode(proof.as_bytes()).unwrap(),
        &message
    ));
    let signature = base64::encode(&keys.signature(SHA_1.hash, &message));
    let step = exchange.step(&host, Some(last(&signature).as_bytes()));
    assert!(exchange.step(&host, Some(b"")).is_err());
    step
}

#[test]
fn the_server_must_prove_itself() {
    assert!(matches!(
        play(|right| format!("v={right}")),
        Ok(ClientStep::Done(_))
    ));
    assert!(matches!(
        play(|right| format!("v={right},x=y")),
        Ok(ClientStep::Done(_))
    ));
    let refusal = |last| {
        let error = play(last).err().expect("refused");
        (error.code(), error.reason().to_owned())
    };
    let text = |code, text: &str| (code, text.to_owned());
    assert_eq!(
        refusal(|_| format!("v={}", base64::encode(&[0; 20]))),
        text(Code::BADAUTH, "ServerSignature mismatch")
    );
    let truncated = "Invalid server proof (truncated) in SCRAM-SHA-1 input";
    assert_eq!(
        refusal(|_| "v=AAAA".to_owned()),
        text(Code::BADPROT, truncated)
    );
    assert_eq!(refusal(|_| "v=".to_owned()), text(Code::BADPROT, truncated));
    assert_eq!(
        refusal(|_| String::new()),
        text(Code::BADPROT, "SCRAM-SHA-1 input expected")
    );
    let error = "the SCRAM-SHA-1 server refused: invalid-proof";
    assert_eq!(
        refusal(|_| "e=invalid-proof".to_owned()),
        text(Code::BADAUTH, error)
    );
}

#[test]
fn a_challenge_before_the_first_message_is_refused() {
    let host = FakeClient::user("tim", "pw");
    let mut exchange = ClientMech::begin(&SHA_1, &host).unwrap();
    assert_eq!(
        exchange.step(&host, Some(b"x")).err().unwrap().code(),
        Code::BADPROT
    );
    let mut exchange = ClientMech::begin(&SHA_1, &host).unwrap();
    assert!(exchange.step(&host, Some(b"")).is_ok());
}

#[test]
fn the_smallest_count_can_be_chosen() {
    let outcome = |option: Option<&str>, count: u32| {
        let mut host = FakeClient::user("tim", "pw");
        let name = "SCRAM-SHA-1/scram_min_iterations".to_owned();
        if let Some(option) = option {
            host.options.insert(name, option.to_owned());
        }
        let (mut exchange, message) = first(&SHA_1, &host);
        let nonce = message.split_once(",r=").unwrap().1;
        let challenge = format!("r={nonce}x,s=c2FsdA==,i={count}");
        let outcome = exchange.step(&host, Some(challenge.as_bytes()));
        let warned = host.calls().iter().any(|call| call.contains("Warn"));
        (outcome.err().map(|error| error.code()), warned)
    };
    let refused = Some(Code::BADPROT);
    assert_eq!(outcome(None, 4095), (refused, false));
    assert_eq!(outcome(None, 4096), (None, false));
    assert_eq!(outcome(Some("1000"), 1000), (None, false));
    assert_eq!(outcome(Some("1000"), 999), (refused, false));
    assert_eq!(outcome(Some("10000"), 4096), (refused, false));
    for wrong in ["0", "many", "5000001"] {
        assert_eq!(outcome(Some(wrong), 4095), (refused, true));
        assert_eq!(outcome(Some(wrong), 4096), (None, true));
    }
}
