// SPDX-License-Identifier: MIT OR Apache-2.0
//! RFC vectors, and both sides against messages made by hand.
#![forbid(unsafe_code)]

use super::*;
use crate::PromptKind;
use crate::testing::{FakeClient, FakeServer};

const CHALLENGE: &str = "<1896.697170952@postoffice.reston.mci.net>";

#[test]
fn rfc_2195_vector() {
    let host = FakeClient::user("tim", "tanstaaftanstaaf");
    let mut exchange = ClientMech::begin(&MECHANISM, &host).unwrap();
    assert!(matches!(
        exchange.step(&host, None),
        Ok(ClientStep::Response(None))
    ));
    let step = exchange.step(&host, Some(CHALLENGE.as_bytes()));
    let Ok(ClientStep::Done(done)) = step else {
        panic!("not done")
    };
    assert_eq!(
        done.final_data.unwrap(),
        b"tim b913a602c7eda7a495b4e6e7334d3890"
    );
    assert_eq!(
        host.calls(),
        ["ask AuthName", "ask Pass", "identify tim Both"]
    );
}

/// RFC 2202: a key longer than a block, and messages around block borders.
#[test]
fn long_keys_and_messages() {
    let message = b"Test Using Larger Than Block-Size Key - Hash Key First";
    let digest = sign(&Keyed::new(&[0xaa; 80]), message);
    assert_eq!(digest.as_slice(), b"6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd");
    let message = b"Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data";
    let digest = sign(&Keyed::new(&[0xaa; 80]), message);
    assert_eq!(digest.as_slice(), b"6f630fad67cda0ee1fb1f562db3aa53e");
}

/// What `hmac_md5_precalc` of the stock library makes of the password.
fn stored() -> Vec<u8> {
    let hex = "5211b25404b61f715e033eca6b1115701b4e6dd0a4cafc260118b6b0a3402313";
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|two| u8::from_str_radix(core::str::from_utf8(two).unwrap(), 16).unwrap())
        .collect()
}

fn server() -> FakeServer {
    FakeServer::new(&[("tim", "tanstaaftanstaaf"), ("empty", "")])
        .with_property("old", STORED, &[&stored()])
        .with_property("short", STORED, &[b"x"])
        .with_property("none", c"*other", &[b"x"])
}

fn login(host: &FakeServer, response: impl FnOnce(&[u8]) -> Vec<u8>) -> Result<Step> {
    let mut exchange = ServerMech::begin(&MECHANISM, host)?;
    let Ok(Step::Challenge(challenge)) = exchange.step(host, None) else {
        panic!("none")
    };
    host.calls();
    exchange.step(host, Some(&response(&challenge)))
}

type Response = Box<dyn FnOnce(&[u8]) -> Vec<u8>>;

fn signed(name: &str, password: &str) -> impl FnOnce(&[u8]) -> Vec<u8> {
    move |challenge| {
        [
            name.as_bytes(),
            b" ",
            sign(&Keyed::new(password.as_bytes()), challenge).as_slice(),
        ]
        .concat()
    }
}

#[test]
fn both_kinds_of_secret() {
    let host = server();
    assert!(matches!(
        login(&host, signed("tim", "tanstaaftanstaaf")),
        Ok(Step::Done(_))
    ));
    assert_eq!(
        host.calls(),
        [
            "request *userPassword *cmusaslsecretCRAM-MD5",
            "identify tim Both Required",
            "erase"
        ]
    );
    assert!(login(&host, signed("old", "tanstaaftanstaaf")).is_ok());
    assert!(login(&host, signed("old", "wrong")).is_err());
}

#[test]
fn failures_have_the_codes_and_texts_that_programs_know() {
    let refusal = |response: Response| {
        let error = login(&server(), response).err().expect("refused");
        (error.code(), error.reason().to_owned())
    };
    let raw = |bytes: &'static [u8]| Box::new(move |_: &[u8]| bytes.to_vec());
    let text = |code, text: &str| (code, text.to_owned());
    let wrong = text(Code::BADAUTH, "incorrect digest response");
    assert_eq!(refusal(Box::new(signed("tim", "wrong"))), wrong);
    assert_eq!(refusal(raw(b"tim abc")), wrong);
    assert_eq!(
        refusal(Box::new(|challenge| {
            let mut response = signed("tim", "tanstaaftanstaaf")(challenge);
            response.push(b'0');
            response
        })),
        wrong
    );
    assert_eq!(
        refusal(Box::new(|challenge| {
            signed("tim", "tanstaaftanstaaf")(challenge).to_ascii_uppercase()
        }))
        .0,
        Code::NOUSER
    );
    assert_eq!(refusal(Box::new(signed("who", "x"))).0, Code::NOUSER);
    assert_eq!(refusal(Box::new(signed("tim bob", "x"))).0, Code::NOUSER);
    assert_eq!(
        refusal(Box::new(signed("none", "x"))),
        text(Code::NOUSER, "no secret in database")
    );
    assert_eq!(
        refusal(Box::new(signed("empty", ""))),
        text(Code::FAIL, "empty secret")
    );
    assert_eq!(refusal(Box::new(signed("short", "x"))).0, Code::BADAUTH);
    let name = text(Code::BADPROT, "need authentication name");
    for bytes in [&b""[..], b"tim", b" abc"] {
        assert_eq!(refusal(raw(bytes)), name);
    }
    assert_eq!(
        refusal(Box::new(signed("tim\0x", "tanstaaftanstaaf"))).0,
        Code::BADPROT
    );
    let long = text(Code::BADPROT, "CRAM-MD5 input longer than 1024 bytes");
    assert_eq!(refusal(raw(&[b'a'; 1025])), long);
}

#[test]
fn challenges_are_one_of_a_kind() {
    let host = server();
    let challenge = || match ServerMech::begin(&MECHANISM, &host)
        .unwrap()
        .step(&host, None)
    {
        Ok(Step::Challenge(challenge)) => String::from_utf8(challenge).unwrap(),
        _ => panic!("no challenge"),
    };
    let (one, two) = (challenge(), challenge());
    assert_ne!(one, two);
    assert!(one.starts_with('<') && one.ends_with(".1000000@host.example.com>"));
    let initial = ServerMech::begin(&MECHANISM, &host)
        .unwrap()
        .step(&host, Some(b""));
    assert_eq!(initial.err().unwrap().code(), Code::BADPROT);
}

#[test]
fn the_client_signs_nothing_empty_and_nothing_huge() {
    let host = FakeClient::user("tim", "x");
    for challenge in [&b""[..], &[b'a'; 1025]] {
        let mut exchange = ClientMech::begin(&MECHANISM, &host).unwrap();
        assert_eq!(
            exchange.step(&host, Some(challenge)).err().unwrap().code(),
            Code::BADPROT
        );
    }
    let host = FakeClient::interactive(&[PromptKind::AuthName, PromptKind::Pass]);
    let mut exchange = ClientMech::begin(&MECHANISM, &host).unwrap();
    let step = exchange.step(&host, Some(CHALLENGE.as_bytes()));
    assert!(matches!(step, Ok(ClientStep::Interact(prompts)) if prompts.len() == 2));
}
