// SPDX-License-Identifier: MIT OR Apache-2.0
//! Both sides of OAUTHBEARER and XOAUTH2, and their refusals.
#![forbid(unsafe_code)]

use super::{Bearer, fields, is_token};
use crate::testing::{FakeClient, FakeServer, Random};
use crate::{ClientExchange, ClientMech, ClientStep, PromptKind, ServerExchange, ServerHost};
use crate::{ServerMech, Step, oauthbearer, xoauth2};
use saslplug::{Code, Result};

/// The fake verifier takes a user's password for a token.
fn host() -> FakeServer {
    let mut host = FakeServer::new(&[("tim", "good.token"), ("kurt", "other-token")]);
    host.options.extend([
        ("/mech_list".to_owned(), "OAUTHBEARER XOAUTH2".to_owned()),
        ("/oauth_scope".to_owned(), "mail".to_owned()),
    ]);
    host
}

const BOTH: [&Bearer; 2] = [&oauthbearer::MECHANISM, &xoauth2::MECHANISM];

fn first(client: &FakeClient, mech: &Bearer) -> Result<(Box<dyn ClientExchange>, Vec<u8>)> {
    let mut exchange = ClientMech::begin(mech, client)?;
    let ClientStep::Done(done) = exchange.step(client, None)? else {
        panic!("no token")
    };
    assert!(done.may_object);
    Ok((exchange, done.final_data.unwrap()))
}

fn server(mech: &Bearer, host: &FakeServer) -> Box<dyn ServerExchange> {
    ServerMech::begin(mech, host).unwrap()
}

#[test]
fn a_good_token_gets_in() {
    for mech in BOTH {
        let (host, client) = (host(), FakeClient::user(" tim ", "good.token"));
        let (mut exchange, message) = first(&client, mech).unwrap();
        let step = server(mech, &host).step(&host, Some(&message)).unwrap();
        assert!(matches!(step, Step::Done(done) if done.final_data.is_none()));
        assert_eq!(host.authid().unwrap(), b"tim");
        assert_eq!(
            host.calls(),
            ["check_token tim", "identify tim Both ExternallyVerified"]
        );
        // A server that says nothing more is content.
        let step = exchange.step(&client, Some(b"")).unwrap();
        assert!(matches!(step, ClientStep::Done(_)));
    }
}

#[test]
fn a_refusal_is_told_and_answered() {
    for (mech, failure, dummy) in [
        (
            &oauthbearer::MECHANISM,
            r#"{"status":"invalid_token","scope":"mail"}"#,
            &b"\x01"[..],
        ),
        (
            &xoauth2::MECHANISM,
            r#"{"status":"401","schemes":"bearer","scope":"mail"}"#,
            b"",
        ),
    ] {
        let (host, client) = (host(), FakeClient::user("tim", "bad.token"));
        let (mut exchange, message) = first(&client, mech).unwrap();
        let mut server = server(mech, &host);
        let Step::Challenge(challenge) = server.step(&host, Some(&message)).unwrap() else {
            panic!("let in")
        };
        assert_eq!(String::from_utf8_lossy(&challenge), failure);
        let Ok(ClientStep::Response(Some(answer))) = exchange.step(&client, Some(&challenge))
        else {
            panic!("no answer")
        };
        assert_eq!(answer, dummy);
        let error = server.step(&host, Some(&answer)).err().unwrap();
        assert_eq!(error.code(), Code::BADAUTH);
        assert!(host.authid().is_none());
        let error = exchange.step(&client, Some(b"")).err().unwrap();
        assert_eq!(error.code(), Code::BADAUTH);
        let error = server.step(&host, Some(&message)).err().unwrap();
        assert_eq!(error.code(), Code::FAIL);
    }
}

#[test]
fn one_acts_as_another() {
    for mech in BOTH {
        let host = host();
        let client = FakeClient::with(&[
            (PromptKind::AuthName, b"tim"),
            (PromptKind::User, b"kurt"),
            (PromptKind::Pass, b"good.token"),
        ]);
        let (_, message) = first(&client, mech).unwrap();
        server(mech, &host).step(&host, Some(&message)).unwrap();
        // Whose token it is says the verifier, never the client.
        assert_eq!(host.authid().unwrap(), b"tim");
        assert_eq!(host.authzid().unwrap(), b"kurt");
    }
}

#[test]
fn a_verifier_that_cannot_say() {
    for mech in BOTH {
        let host = host();
        host.full.set(true);
        let (_, message) = first(&FakeClient::user("tim", "good.token"), mech).unwrap();
        let error = server(mech, &host).step(&host, Some(&message)).err();
        assert_eq!(error.unwrap().code(), Code::UNAVAIL);
    }
}

#[test]
fn offered_only_where_it_can_work() {
    for mech in BOTH {
        let mut host = host();
        assert!(mech.available(&host).is_ok());
        host.options.clear();
        let error = mech.available(&host).err().unwrap();
        assert_eq!(error.code(), Code::NOMECH);
    }
}

#[test]
fn what_a_client_does_not_send() {
    for mech in BOTH {
        for password in ["a password", "", "a\x01b", "==", "a=b", "tök"] {
            let error = first(&FakeClient::user("tim", password), mech).err();
            assert_eq!(error.unwrap().code(), Code::BADPARAM, "{password}");
        }
        let kinds = [PromptKind::Pass, PromptKind::AuthName, PromptKind::User];
        let host = FakeClient::interactive(&kinds);
        let step = ClientMech::begin(mech, &host).unwrap().step(&host, None);
        assert!(matches!(step, Ok(ClientStep::Interact(prompts)) if prompts.len() == 3));
    }
}

#[test]
fn tokens_and_fields() {
    for token in ["a", "a.b-c_d~e+f/g==", "A="] {
        assert!(is_token(token.as_bytes()), "{token}");
    }
    assert_eq!(fields(b"a=b\x01c=d=e\x01\x01").unwrap().len(), 2);
    for message in [
        &b""[..],
        b"\x01\x01",
        b"a\x01\x01",
        b"a=b\x01",
        b"=b\x01\x01",
    ] {
        assert!(fields(message).is_none(), "{message:?}");
    }
}

#[test]
fn oversized_and_noisy_messages() {
    let random = Random::new(5);
    for mech in BOTH {
        let host = host();
        let huge = vec![b'a'; 65537];
        let error = server(mech, &host).step(&host, Some(&huge)).err().unwrap();
        assert_eq!(error.code(), Code::BADPROT);
        let error = server(mech, &host).step(&host, None).err().unwrap();
        assert_eq!(error.code(), Code::BADPROT);
        let (_, whole) = first(&FakeClient::user("tim", "bad.token"), mech).unwrap();
        for _ in 0..10_000 {
            let mut message = whole.clone();
            for _ in 0..=random.below(4) {
                let at = random.below(message.len());
                message[at] = random.next().to_le_bytes()[0];
            }
            host.reset();
            let step = server(mech, &host).step(&host, Some(&message));
            assert!(!matches!(step, Ok(Step::Done(_))));
        }
    }
}
