// SPDX-License-Identifier: MIT OR Apache-2.0
//! Both sides of NTLM against messages made by hand, as seen on stock.
#![forbid(unsafe_code)]

use super::MECHANISM;
use super::message::{Authenticate, Challenge, little, widen};
use super::response::{Hash, data};
use crate::testing::{FakeClient, FakeServer, Random};
use crate::{ClientMech, ClientStep, PromptKind, ServerExchange, ServerHost, ServerMech, Step};
use saslplug::{Code, Error, Result};

const NONCE: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

fn utf16(text: &str) -> Vec<u8> {
    little(&widen(text.as_bytes()))
}

fn negotiate(flags: u32) -> Vec<u8> {
    let mut message = b"NTLMSSP\0\x01\0\0\0".to_vec();
    message.extend(flags.to_le_bytes());
    message
}

fn host() -> FakeServer {
    FakeServer::new(&[("bob", "secret"), ("empty", ""), ("zoë", "pä")])
}

/// A server that has sent its challenge, and the challenge's nonce.
fn challenged(host: &FakeServer, flags: u32) -> (Box<dyn ServerExchange>, Vec<u8>, [u8; 8]) {
    let mut exchange = ServerMech::begin(&MECHANISM, host).unwrap();
    let Ok(Step::Challenge(challenge)) = exchange.step(host, Some(&negotiate(flags))) else {
        panic!("no challenge")
    };
    let nonce = *challenge[24..].first_chunk().unwrap();
    (exchange, challenge, nonce)
}

type Responses = (Vec<u8>, Vec<u8>);
type Maker<'a> = &'a dyn Fn(&[u8; 8]) -> Responses;

fn login(
    host: &FakeServer,
    user: &str,
    domain: &str,
    make: impl Fn(&[u8; 8]) -> Responses,
) -> Result<Step> {
    host.reset();
    let (mut exchange, _, nonce) = challenged(host, 0x207);
    let (lm, nt) = make(&nonce);
    let message = Authenticate {
        lm: &lm,
        nt: &nt,
        domain: &utf16(domain),
        user: &utf16(user),
    };
    exchange.step(host, Some(&message.write(0x205).unwrap()))
}

fn refusal(outcome: Result<Step>) -> (Code, String) {
    let error: Error = outcome.err().expect("refused");
    (error.code(), error.reason().to_owned())
}

fn nt(password: &str, nonce: &[u8; 8]) -> Vec<u8> {
    Hash::nt(password.as_bytes()).respond(nonce).to_vec()
}

fn lm(password: &str, nonce: &[u8; 8]) -> Vec<u8> {
    Hash::lm(password.as_bytes()).respond(nonce).to_vec()
}

fn version_2(domain: &str, nonce: &[u8; 8], own: &[u8]) -> Vec<u8> {
    let key = Hash::nt(b"secret").version_2(&widen(b"bob"), &widen(domain.as_bytes()));
    key.respond(nonce, own)
}

#[test]
fn the_challenge_is_what_stock_sends() {
    let host = host();
    let target = utf16("HOST.EXAMPLE.COM");
    let (_, challenge, nonce) = challenged(&host, 0x207);
    let mut expected = b"NTLMSSP\0\x02\0\0\0\x20\0\x20\0\x30\0\0\0\x05\x02\x02\0".to_vec();
    expected.extend(nonce);
    expected.extend([0; 16]);
    expected.extend(target);
    assert_eq!(challenge, expected);
    for (asked, told, target) in [
        (0, 0, 0),
        (2, 2, 0),
        (3, 1, 0),
        (6, 0x20006, 16),
        (0x203, 0x201, 0),
        (0xffff_ffff, 0x20205, 32),
    ] {
        let (_, challenge, _) = challenged(&host, asked);
        assert_eq!(challenge[20..24], u32::to_le_bytes(told), "{asked:x}");
        assert_eq!(challenge.len(), 48 + target, "{asked:x}");
    }
}

#[test]
fn every_version_gets_in() {
    let host = host();
    let blob = data([0; 8], *b"abcdefgh", &[]);
    let makers: [Maker<'_>; 6] = [
        &|nonce| (Vec::new(), nt("secret", nonce)),
        &|nonce| (lm("secret", nonce), Vec::new()),
        &|nonce| (vec![0; 24], nt("secret", nonce)),
        &|nonce| (Vec::new(), version_2("Dom", nonce, &blob)),
        &|nonce| (Vec::new(), version_2("DOM", nonce, &blob)),
        &|nonce| (version_2("Dom", nonce, b"abcdefgh"), Vec::new()),
    ];
    for (index, make) in makers.into_iter().enumerate() {
        host.calls();
        assert!(login(&host, "bob", "Dom", make).is_ok(), "{index}");
        assert_eq!(
            host.calls(),
            [
                "request *userPassword",
                "identify bob Both Required",
                "erase"
            ]
        );
    }
}

#[test]
fn a_right_lm_response_does_not_make_a_wrong_ntlm_response_good() {
    let host = host();
    let wrong = |text: &str| (Code::BADAUTH, text.to_owned());
    let outcome = login(&host, "bob", "D", |nonce| {
        (lm("secret", nonce), vec![1; 24])
    });
    assert_eq!(refusal(outcome), wrong("incorrect NTLM response"));
    let outcome = login(&host, "bob", "D", |nonce| {
        (lm("secret", nonce), vec![1; 48])
    });
    assert_eq!(refusal(outcome), wrong("incorrect NTLMv2 response"));
    let outcome = login(&host, "bob", "D", |nonce| (nt("secret", nonce), Vec::new()));
    assert_eq!(refusal(outcome), wrong("incorrect LMv1/v2 response"));
    let outcome = login(&host, "bob", "D", |nonce| {
        (lm("wrong", nonce), nt("wrong", nonce))
    });
    assert_eq!(refusal(outcome).0, Code::BADAUTH);
}

#[test]
fn who_is_refused_and_how() {
    let host = host();
    let right = |nonce: &[u8; 8]| (Vec::new(), nt("secret", nonce));
    assert_eq!(refusal(login(&host, "nobody", "D", right)).0, Code::NOUSER);
    assert_eq!(refusal(login(&host, "empty", "D", right)).0, Code::FAIL);
    assert_eq!(refusal(login(&host, "b\0", "D", right)).0, Code::BADPROT);
    // Stock keeps seven bits of each letter and takes these for "bob".
    for name in ["\u{6262}\u{626f}\u{6262}", "\u{e2}\u{ef}\u{e2}"] {
        assert_eq!(refusal(login(&host, name, "D", right)).0, Code::NOUSER);
    }
    let none = (
        Code::BADPROT,
        "client issued incorrect/nonexistent responses".to_owned(),
    );
    assert_eq!(refusal(login(&host, "", "D", right)), none);
    let short = |nonce: &[u8; 8]| (Vec::new(), nt("secret", nonce)[..23].to_vec());
    assert_eq!(refusal(login(&host, "bob", "D", short)), none);
    assert_eq!(
        refusal(login(&host, "bob", "D", |_| Responses::default())),
        none
    );
}

#[test]
fn both_readings_of_letters_beyond_ascii() {
    let host = host();
    let exact = |nonce: &[u8; 8]| (Vec::new(), nt("pä", nonce));
    assert!(login(&host, "zoë", "D", exact).is_ok());
    let bytewise = |nonce: &[u8; 8]| {
        let hash = Hash::nt_bytewise("pä".as_bytes());
        (Vec::new(), hash.respond(nonce).to_vec())
    };
    assert!(login(&host, "zoë", "D", bytewise).is_ok());
    assert_eq!(host.authid().unwrap(), "zoë".as_bytes());
}

#[test]
fn text_in_the_host_s_code_page() {
    let host = host();
    let (mut exchange, _, nonce) = challenged(&host, 0x206);
    let message = Authenticate {
        lm: &[],
        nt: &nt("secret", &nonce),
        domain: b"D",
        user: b"bob",
    };
    let message = message.write(0x206).unwrap();
    assert!(exchange.step(&host, Some(&message)).is_ok());
}

#[test]
fn another_server_is_not_asked() {
    let mut host = host();
    let option = ("NTLM/ntlm_server".to_owned(), "other.example".to_owned());
    host.options.extend([option]);
    let mut exchange = ServerMech::begin(&MECHANISM, &host).unwrap();
    let (code, reason) = refusal(exchange.step(&host, Some(&negotiate(0x207))));
    assert_eq!(code, Code::UNAVAIL);
    assert!(reason.contains("ntlm_server"), "{reason}");
}

#[test]
fn malformed_requests() {
    let host = host();
    let mut whole = negotiate(0x207);
    let refused = |message: Option<&[u8]>| {
        let mut exchange = ServerMech::begin(&MECHANISM, &host).unwrap();
        refusal(exchange.step(&host, message)).0
    };
    assert_eq!(refused(None), Code::BADPROT);
    for end in 0..whole.len() {
        assert_eq!(refused(Some(&whole[..end])), Code::BADPROT, "{end}");
    }
    whole[8] = 3;
    assert_eq!(refused(Some(&whole)), Code::BADPROT);
}

#[test]
fn malformed_answers() {
    let host = host();
    let refused = |message: &[u8]| {
        host.reset();
        let (mut exchange, _, _) = challenged(&host, 0x207);
        refusal(exchange.step(&host, Some(message))).0
    };
    let whole = Authenticate {
        lm: &[7; 24],
        nt: &[8; 60],
        domain: &utf16("DOM"),
        user: &utf16("bob"),
    };
    let whole = whole.write(0x205).unwrap();
    assert_eq!(refused(&whole), Code::BADAUTH);
    for end in 0..whole.len() {
        assert_eq!(refused(&whole[..end]), Code::BADPROT, "{end}");
    }
    // Each length, and each offset, out of the message.
    for at in [12, 20, 28, 36] {
        for (place, bytes) in [
            (at, vec![0xff, 0xff]),
            (at + 4, vec![0xff; 4]),
            (
                at + 4,
                u32::try_from(whole.len()).unwrap().to_le_bytes().to_vec(),
            ),
        ] {
            let mut message = whole.clone();
            message.splice(place..place + bytes.len(), bytes);
            assert_eq!(refused(&message), Code::BADPROT, "{place}");
        }
    }
    let mut odd = whole.clone();
    odd[36] = 5;
    assert_eq!(refused(&odd), Code::BADPROT);
    let mut lone = whole.clone();
    let user = usize::from(whole[40]);
    lone[user + 1] = 0xd8;
    assert_eq!(refused(&lone), Code::BADPROT);
}

fn challenge(flags: u32, target: &[u8], info: &[u8]) -> Vec<u8> {
    let challenge = Challenge {
        target,
        flags,
        nonce: NONCE,
        info: &[],
    };
    let mut message = challenge.write().unwrap();
    if flags & 0x0080_0000 != 0 {
        let offset = u32::try_from(message.len()).unwrap();
        let length = u16::try_from(info.len()).unwrap().to_le_bytes();
        let head = [&length[..], &length, &offset.to_le_bytes()].concat();
        message.splice(40..48, head);
        message.extend(info);
    }
    message
}

fn respond(host: &FakeClient, challenge: Option<&[u8]>) -> Result<ClientStep> {
    let mut exchange = ClientMech::begin(&MECHANISM, host)?;
    let Ok(ClientStep::Response(Some(first))) = exchange.step(host, None) else {
        panic!("no first message")
    };
    assert_eq!(
        first,
        b"NTLMSSP\0\x01\0\0\0\x07\x02\0\0\0\0\0\0\x20\0\0\0\0\0\0\0\x20\0\0\0"
    );
    exchange.step(host, challenge)
}

fn message(host: &FakeClient, challenge: &[u8]) -> Vec<u8> {
    match respond(host, Some(challenge)) {
        Ok(ClientStep::Done(done)) => done.final_data.unwrap(),
        Ok(_) => panic!("not done"),
        Err(error) => panic!("{error}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_client_answers_as_stock() {
    let host = FakeClient::user(" bob ", "secret");
    let answer = message(&host, &challenge(0x20205, &utf16("dom"), &[]));
    let parts = Authenticate::read(&answer).unwrap();
    assert!(parts.lm.is_empty());
    assert_eq!(
        hex(parts.nt),
        "37934a4d2e1dea11b0ecb872904f75811772d24c3ff13f24"
    );
    assert_eq!(
        (parts.domain, parts.user),
        (&utf16("DOM")[..], &utf16("bob")[..])
    );
    assert_eq!(answer[60..64], 0x205u32.to_le_bytes());
    assert_eq!(
        host.calls(),
        ["ask AuthName", "ask Pass", "identify  bob  Both"]
    );
    // Without NTLM in the flags only the LM response.
    let answer = message(&host, &challenge(0x20006, b"T\0\0", &[]));
    let parts = Authenticate::read(&answer).unwrap();
    assert_eq!(
        hex(parts.lm),
        "4889a4d86953ed55aa64effd686964b6a47d5310694655d1"
    );
    assert!(parts.nt.is_empty());
    assert_eq!((parts.domain, parts.user), (&b"T"[..], &b"bob"[..]));
}

#[test]
fn the_client_answers_with_version_2() {
    let mut host = FakeClient::user("bob", "secret");
    host.options
        .extend([("NTLM/ntlm_v2".to_owned(), "yes".to_owned())]);
    let key = Hash::nt(b"secret").version_2(&widen(b"bob"), &widen(b"DOM"));
    let answer = message(&host, &challenge(0x20205, &utf16("dom"), &[]));
    let parts = Authenticate::read(&answer).unwrap();
    assert_eq!((parts.lm.len(), parts.nt.len()), (24, 0));
    assert_eq!(parts.lm, key.respond(&NONCE, &parts.lm[16..]));
    let info = [&[7, 0, 8, 0][..], &[9; 8], &[0; 4]].concat();
    let answer = message(&host, &challenge(0x0082_0205, &utf16("dom"), &info));
    let parts = Authenticate::read(&answer).unwrap();
    assert_eq!(parts.lm, [0; 24]);
    assert_eq!(parts.nt, key.respond(&NONCE, &parts.nt[16..]));
    assert_eq!(parts.nt[24..32], [9; 8]);
    assert_eq!(parts.nt[44..44 + info.len()], info);
}

#[test]
fn malformed_challenges() {
    let host = FakeClient::user("bob", "secret");
    let refused = |challenge: Option<&[u8]>| {
        let error = respond(&host, challenge).err().expect("refused");
        assert_eq!(host.calls(), [""; 0], "asked for a broken challenge");
        error.code()
    };
    let info = [&[1, 0, 2, 0, 65, 0][..], &[7, 0, 8, 0], &[9; 8], &[0; 4]].concat();
    let whole = challenge(0x0082_0205, &utf16("dom"), &info);
    assert_eq!(refused(None), Code::BADPROT);
    for end in 0..whole.len() {
        assert_eq!(refused(Some(&whole[..end])), Code::BADPROT, "{end}");
    }
    // Attributes that run beyond the end, end too early or never.
    for info in [
        &b"\x01\0\xff\xff"[..],
        b"\x01\0\x02\0AB",
        b"\x07\0\x04\0ABCD\0\0\0\0",
        b"\0",
        b"\x01",
    ] {
        let message = challenge(0x0080_0205, b"", info);
        assert_eq!(refused(Some(&message)), Code::BADPROT, "{info:?}");
    }
    for place in [12, 16, 40, 44] {
        let mut message = whole.clone();
        message[place + 1] = 0xff;
        assert_eq!(refused(Some(&message)), Code::BADPROT, "{place}");
    }
}

#[test]
fn the_client_shows_one_list_of_prompts() {
    let host = FakeClient::interactive(&[PromptKind::AuthName, PromptKind::Pass]);
    let Ok(ClientStep::Interact(prompts)) = respond(&host, Some(&challenge(0x205, b"", &[])))
    else {
        panic!("no prompts")
    };
    let kinds: Vec<_> = prompts.iter().map(|prompt| prompt.kind).collect();
    assert_eq!(kinds, [PromptKind::AuthName, PromptKind::Pass]);
}

#[test]
fn noise_lets_nobody_in() {
    let random = Random::new(7);
    let host = host();
    let answer = Authenticate {
        lm: &[7; 24],
        nt: &[8; 60],
        domain: &utf16("DOM"),
        user: &utf16("bob"),
    };
    let answer = answer.write(0x205).unwrap();
    let info = [&[7, 0, 8, 0][..], &[9; 8], &[0; 4]].concat();
    let challenge = challenge(0x0082_0205, &utf16("dom"), &info);
    let client = FakeClient::user("bob", "secret");
    for _ in 0..20_000 {
        let (mut answer, mut challenge) = (answer.clone(), challenge.clone());
        for _ in 0..=random.below(4) {
            let at = random.below(64);
            answer[at] = random.next().to_le_bytes()[0];
            let at = random.below(challenge.len());
            challenge[at] = random.next().to_le_bytes()[0];
        }
        host.reset();
        let (mut exchange, _, _) = challenged(&host, 0x207);
        assert!(exchange.step(&host, Some(&answer)).is_err());
        // The client may well answer: there is nothing that it could verify.
        let _ = respond(&client, Some(&challenge));
    }
}
