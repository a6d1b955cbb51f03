// SPDX-License-Identifier: MIT OR Apache-2.0
//! The client against challenges made by hand.
#![forbid(unsafe_code)]

use super::super::MECHANISM;
use super::*;
use crate::testing::FakeClient;
use crate::{Answer, ClientMech};

const ONE: &str = "nonce=\"N\",realm=\"R\",qop=\"auth\",algorithm=md5-sess";
const TWO: &str = "nonce=\"N\",realm=\"R\",realm=\"S\",qop=\"auth\",algorithm=md5-sess";

fn respond(host: &FakeClient, challenge: &str) -> (Box<dyn ClientExchange>, Result<ClientStep>) {
    let mut exchange = ClientMech::begin(&MECHANISM, host).unwrap();
    assert!(matches!(
        exchange.step(host, None),
        Ok(ClientStep::Response(None))
    ));
    let step = exchange.step(host, Some(challenge.as_bytes()));
    (exchange, step)
}

fn text(step: Result<ClientStep>) -> String {
    match step {
        Ok(ClientStep::Response(Some(bytes))) => String::from_utf8(bytes).unwrap(),
        Ok(_) => panic!("no response"),
        Err(error) => panic!("{error}"),
    }
}

/// The response without what is random.
fn shown(host: &FakeClient, challenge: &str) -> String {
    let text = text(respond(host, challenge).1);
    let (before, rest) = text.split_once(",cnonce=\"").unwrap();
    let (_, after) = rest.split_once('"').unwrap();
    let (after, response) = after.split_once(",response=").unwrap();
    assert_eq!(response.len(), 32);
    format!("{before}{after}")
}

fn tim() -> FakeClient {
    FakeClient::user("tim", "pw")
}

#[test]
fn the_response() {
    let tail = "digest-uri=\"imap/host.example.com\"";
    let head = "username=\"tim\",realm=\"R\",nonce=\"N\",nc=00000001";
    assert_eq!(
        shown(&tim(), ONE),
        format!("{head},qop=auth,maxbuf=65536,{tail}")
    );
    let all = "nonce=\"N\",realm=\"R\",qop=\"auth,auth-int,auth-conf\",cipher=\"rc4-40,des,3des\",algorithm=md5-sess";
    assert_eq!(
        shown(&tim(), all),
        format!("{head},qop=auth-conf,cipher=3des,maxbuf=65536,{tail}")
    );
    let host = tim();
    host.answer(
        PromptKind::User,
        Ok(Answer::Given(Secret::from(&b"a\"b"[..]))),
    );
    assert!(shown(&host, ONE).starts_with("username=\"tim\",realm=\"R\",authzid=\"a\\\"b\",nonce"));
    let calls = [
        "ask AuthName",
        "ask User",
        "ask Pass",
        "identify tim Authid",
    ];
    let all = host.calls();
    assert_eq!(all[..4], calls);
    assert_eq!(all[4], "identify a\\\"b Authzid");
}

#[test]
fn the_strongest_layer_within_limits() {
    let chosen = |min, max, buffer, qop: &str, cipher: &str| {
        let mut host = tim();
        (
            host.limits.min_ssf,
            host.limits.max_ssf,
            host.limits.max_buffer,
        ) = (min, max, buffer);
        let challenge = format!("nonce=N,qop=\"{qop}\",cipher=\"{cipher}\",algorithm=MD5-sess");
        match respond(&host, &challenge).1 {
            Err(error) => error.reason().to_owned(),
            step => {
                let text = text(step);
                let (_, rest) = text.split_once(",qop=").unwrap();
                rest.split(",digest-uri").next().unwrap().to_owned()
            }
        }
    };
    let all = "auth,auth-int,auth-conf";
    let ciphers = "rc4-40,rc4-56,rc4,des,3des";
    assert_eq!(
        chosen(0, 256, 65536, all, ciphers),
        "auth-conf,cipher=rc4,maxbuf=65536"
    );
    assert_eq!(
        chosen(0, 127, 65536, all, ciphers),
        "auth-conf,cipher=3des,maxbuf=65536"
    );
    assert_eq!(
        chosen(0, 40, 65536, all, ciphers),
        "auth-conf,cipher=rc4-40,maxbuf=65536"
    );
    assert_eq!(chosen(0, 1, 65536, all, ciphers), "auth-int,maxbuf=65536");
    assert_eq!(chosen(0, 0, 65536, all, ciphers), "auth,maxbuf=65536");
    assert_eq!(chosen(0, 256, 0, all, ciphers), "auth");
    assert_eq!(chosen(0, 256, u32::MAX, "auth", ""), "auth,maxbuf=16777215");
    assert_eq!(
        chosen(0, 256, 65536, " auth , auth-int ", ""),
        "auth-int,maxbuf=65536"
    );
    assert_eq!(
        chosen(0, 256, 65536, "auth,auth-conf", "foo"),
        "auth,maxbuf=65536"
    );
    assert_eq!(
        chosen(2, 256, 65536, "auth,auth-int", ""),
        "Can't find an acceptable layer"
    );
    assert_eq!(
        chosen(0, 256, 65536, "auth-conf", "foo"),
        "Server doesn't support \"no layer\""
    );
    assert_eq!(
        chosen(0, 256, 65536, "x", ""),
        "Server doesn't support any known qop level"
    );
}

#[test]
fn realms() {
    let realm = |host: &FakeClient, challenge: &str| {
        let text = shown(host, challenge);
        text.split("realm=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned()
    };
    let host = tim();
    assert_eq!(realm(&host, ONE), "R");
    assert_eq!(
        realm(&host, &ONE.replace("realm=\"R\",", "")),
        "host.example.com"
    );
    assert!(!host.calls().contains(&"ask Realm".to_owned()));
    for answer in [
        Ok(Answer::Nobody),
        Ok(Answer::Null),
        Err(Error::bare(Code::FAIL)),
    ] {
        host.answer(PromptKind::Realm, answer);
        assert_eq!(realm(&host, TWO), "host.example.com");
    }
    host.answer(
        PromptKind::Realm,
        Ok(Answer::Given(Secret::from(&b"S"[..]))),
    );
    assert_eq!(realm(&host, TWO), "S");
}

#[test]
fn one_list_of_prompts_and_the_same_challenge_again() {
    let all = [
        PromptKind::User,
        PromptKind::AuthName,
        PromptKind::Pass,
        PromptKind::Realm,
    ];
    let host = FakeClient::interactive(&all);
    let (mut exchange, step) = respond(&host, TWO);
    let Ok(ClientStep::Interact(prompts)) = step else {
        panic!("no prompts")
    };
    assert_eq!(
        prompts.iter().map(|prompt| prompt.kind).collect::<Vec<_>>(),
        all
    );
    assert_eq!(
        prompts[3].challenge.as_deref(),
        Some("Available realms: {R}, {S}.")
    );
    assert_eq!(prompts[3].default.as_deref(), Some("host.example.com"));
    for (kind, answer) in all.into_iter().zip(["", "tim", "pw", "S"]) {
        host.answer(kind, Ok(Answer::Given(Secret::from(answer.as_bytes()))));
    }
    assert!(
        text(exchange.step(&host, Some(TWO.as_bytes())))
            .starts_with("username=\"tim\",realm=\"S\",")
    );
}

#[test]
fn malformed_challenges() {
    let refusal = |challenge: &str| {
        let error = respond(&tim(), challenge).1.err().expect("refused");
        (error.code(), error.reason().to_owned())
    };
    let with = |part: &str| format!("{ONE},{part}");
    let text = |code, text: &str| (code, text.to_owned());
    assert_eq!(refusal(""), text(Code::FAIL, "no server challenge"));
    assert_eq!(refusal(&with("foo")), text(Code::BADAUTH, "Parse error"));
    assert_eq!(
        refusal("qop=auth,algorithm=md5-sess"),
        text(Code::FAIL, "Don't have nonce.")
    );
    let none = "Must see 'algorithm' once. Didn't see at all";
    assert_eq!(refusal("nonce=\"N\""), text(Code::FAIL, none));
    assert_eq!(
        refusal(&with("algorithm=md5-sess")),
        text(Code::FAIL, "Must see 'algorithm' only once")
    );
    assert_eq!(
        refusal("nonce=N,algorithm=md5"),
        text(Code::FAIL, "'algorithm' isn't 'md5-sess'")
    );
    assert_eq!(
        refusal(&with("charset=latin1")),
        text(Code::BADAUTH, "Charset must be UTF-8")
    );
    for (value, what) in [
        ("0", "too small: 0"),
        ("16777216", "too big: 16777216"),
        ("x", "x"),
    ] {
        let expected = format!("Invalid maxbuf parameter received from server ({what})");
        assert_eq!(
            refusal(&with(&format!("maxbuf={value}"))),
            (Code::BADAUTH, expected)
        );
    }
    let twice = "At least two maxbuf directives found. Authentication aborted";
    assert_eq!(
        refusal(&with("maxbuf=100,maxbuf=100")),
        text(Code::BADAUTH, twice)
    );
    assert_eq!(refusal(&with("nonce=M")).0, Code::FAIL);
}

#[test]
fn the_server_must_prove_itself() {
    let proof = |change: fn(&str) -> String| {
        let host = tim();
        let (mut exchange, step) = respond(&host, ONE);
        let response = text(step);
        let cnonce = response
            .split("cnonce=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        let secret = secret(Charset::Latin1, b"tim", b"R", b"pw");
        let session = Session {
            nonce: b"N",
            cnonce: cnonce.as_bytes(),
            count: 1,
            qop: "auth",
            uri: b"imap/host.example.com",
            authzid: None,
            http: None,
        };
        let rspauth = session.rspauth(&session.key(&secret));
        let challenge = change(core::str::from_utf8(rspauth.as_slice()).unwrap());
        match exchange.step(&host, Some(challenge.as_bytes())) {
            Ok(ClientStep::Done(_)) => Code::OK,
            Ok(_) => Code::CONTINUE,
            Err(error) => {
                assert!(exchange.step(&host, Some(challenge.as_bytes())).is_err());
                error.code()
            }
        }
    };
    assert_eq!(proof(|right| format!("rspauth={right}")), Code::OK);
    assert_eq!(
        proof(|right| format!("RSPAUTH=\"{right}\",foo=bar")),
        Code::OK
    );
    assert_eq!(proof(|_| format!("rspauth={:032}", 0)), Code::BADSERV);
    assert_eq!(
        proof(|right| format!("rspauth={}", &right[1..])),
        Code::BADSERV
    );
    assert_eq!(
        proof(|right| format!("rspauth={right},rspauth=0")),
        Code::FAIL
    );
    assert_eq!(proof(|_| String::new()), Code::FAIL);
    assert_eq!(proof(|_| "foo".to_owned()), Code::BADAUTH);
    assert_eq!(proof(|_| ONE.to_owned()), Code::FAIL);
}
