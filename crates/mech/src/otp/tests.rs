// SPDX-License-Identifier: MIT OR Apache-2.0
//! Both sides of OTP: codes, texts and stored lines as seen on stock.
#![forbid(unsafe_code)]

use super::MECHANISM;
use super::hash::Algorithm;
use crate::testing::{FakeClient, FakeServer, Random};
use crate::{ClientMech, ClientStep, PromptKind, ServerExchange, ServerHost, ServerMech, Step};
use saslplug::{Code, Result, Secret};

const PHRASE: &str = "this is a test";
const FIRST: &[u8] = b"bob\0bob";

fn line(algorithm: Algorithm, sequence: u16, seed: &str, locked_until: u64) -> String {
    let value = otp(algorithm, sequence, seed);
    let name = algorithm.name();
    format!("{name}\t{sequence:04}\t{seed}\t{value}\t{locked_until:020}")
}

fn otp(algorithm: Algorithm, sequence: u16, seed: &str) -> String {
    let value = algorithm.value(seed, PHRASE.as_bytes(), sequence);
    format!("{:016x}", u64::from_be_bytes(value))
}

fn host_with(line: &str) -> FakeServer {
    let mut host = FakeServer::new(&[("alice", "x")]);
    let option = ("/mech_list".to_owned(), "PLAIN otp".to_owned());
    host.options.extend([option]);
    host.with_property("bob", c"*cmusaslsecretOTP", &[line.as_bytes()])
}

fn host() -> FakeServer {
    host_with(&line(Algorithm::Md5, 499, "ke1234", 0))
}

type Started = (Box<dyn ServerExchange>, String);

fn start(host: &FakeServer, first: &[u8]) -> Result<Started> {
    host.reset();
    let mut exchange = ServerMech::begin(&MECHANISM, host)?;
    let Step::Challenge(challenge) = exchange.step(host, Some(first))? else {
        panic!("no challenge")
    };
    Ok((exchange, String::from_utf8(challenge).unwrap()))
}

fn answer(host: &FakeServer, response: &str) -> Result<Step> {
    let (mut exchange, _) = start(host, FIRST)?;
    exchange.step(host, Some(response.as_bytes()))
}

fn code(outcome: Result<Step>) -> Code {
    outcome.err().map_or(Code::OK, |error| error.code())
}

fn refusal(outcome: Result<Started>) -> (Code, String) {
    let error = outcome.err().expect("refused");
    (error.code(), error.reason().to_owned())
}

#[test]
fn the_counter_is_written_before_success_is_told() {
    let host = host();
    let (mut exchange, challenge) = start(&host, FIRST).unwrap();
    assert_eq!(challenge, "otp-md5 498 ke1234 ext");
    assert_eq!(
        host.stored(b"bob").unwrap(),
        line(Algorithm::Md5, 499, "ke1234", 1_000_300)
    );
    let before = [
        "request *cmusaslsecretOTP",
        "identify bob Authid Required",
        "erase",
        "identify bob Authzid Required",
        "store bob",
    ];
    assert_eq!(host.calls(), before);
    let response = format!("hex:{}", otp(Algorithm::Md5, 498, "ke1234"));
    assert!(exchange.step(&host, Some(response.as_bytes())).is_ok());
    assert_eq!(
        host.stored(b"bob").unwrap(),
        line(Algorithm::Md5, 498, "ke1234", 0)
    );
    assert_eq!(host.calls().last().unwrap(), "store bob");
    // The same answer again.
    assert_eq!(code(answer(&host, &response)), Code::BADAUTH);
    let next = format!("hex:{}", otp(Algorithm::Md5, 497, "ke1234"));
    assert_eq!(code(answer(&host, &next)), Code::OK);
}

#[test]
fn no_success_without_a_store() {
    let host = host();
    let (mut exchange, _) = start(&host, FIRST).unwrap();
    host.full.set(true);
    let response = format!("hex:{}", otp(Algorithm::Md5, 498, "ke1234"));
    assert_eq!(
        code(exchange.step(&host, Some(response.as_bytes()))),
        Code::UNAVAIL
    );
    assert_eq!(refusal(start(&self::host_full(), FIRST)).0, Code::UNAVAIL);
}

fn host_full() -> FakeServer {
    let host = host();
    host.full.set(true);
    host
}

#[test]
fn one_login_at_a_time() {
    let host = host();
    let (mut exchange, _) = start(&host, FIRST).unwrap();
    let busy = "simultaneous OTP authentications not permitted".to_owned();
    assert_eq!(refusal(start(&host, FIRST)), (Code::TRYAGAIN, busy));
    // Given up: the chain is free at once.
    exchange.abandon(&host);
    assert_eq!(
        host.stored(b"bob").unwrap(),
        line(Algorithm::Md5, 499, "ke1234", 0)
    );
    // Forgotten: it is free after five minutes, and the old exchange is over.
    let (mut old, _) = start(&host, FIRST).unwrap();
    host.time.set(1_000_300);
    let (mut new, _) = start(&host, FIRST).unwrap();
    let response = format!("hex:{}", otp(Algorithm::Md5, 498, "ke1234"));
    let late = old.step(&host, Some(response.as_bytes()));
    assert_eq!(code(late), Code::TRYAGAIN);
    assert!(new.step(&host, Some(response.as_bytes())).is_ok());
    assert_eq!(code(old.step(&host, Some(response.as_bytes()))), Code::FAIL);
}

#[test]
fn what_two_servers_challenged_counts_once() {
    // Both read before one of them locked.
    let host = host();
    let (mut one, _) = start(&host, FIRST).unwrap();
    let free = line(Algorithm::Md5, 499, "ke1234", 0);
    let values = [Secret::from(free.as_bytes())];
    host.store(c"bob", &[(c"cmusaslsecretOTP", &values)])
        .unwrap();
    let (mut two, _) = start(&host, FIRST).unwrap();
    let response = format!("hex:{}", otp(Algorithm::Md5, 498, "ke1234"));
    assert!(one.step(&host, Some(response.as_bytes())).is_ok());
    assert_eq!(
        code(two.step(&host, Some(response.as_bytes()))),
        Code::TRYAGAIN
    );
}

#[test]
fn forms_of_a_response() {
    let right = otp(Algorithm::Md5, 498, "ke1234");
    let spaced: Vec<_> = right
        .as_bytes()
        .chunks(4)
        .map(String::from_utf8_lossy)
        .collect();
    for response in [
        format!("hex:{right}"),
        format!("HEX: {} ", right.to_uppercase()),
        right.clone(),
        format!("hex:{}", spaced.join(" ")),
    ] {
        assert_eq!(code(answer(&host(), &response)), Code::OK, "{response}");
    }
    let previous = otp(Algorithm::Md5, 499, "ke1234");
    for response in [
        String::new(),
        "hex:".to_owned(),
        format!("hex:{}", &right[1..]),
        format!("hex:{right}0"),
        format!("hex:{right}\0"),
        format!("hex:{previous}"),
        format!("word:{right}"),
        "word:BOND FOGY DRAB NE RISE MART".to_owned(),
        format!("init-word:{right}:md5 499 ke1235:{right}"),
        format!("other:{right}"),
        "hex:".repeat(1000),
    ] {
        let host = host();
        assert_eq!(code(answer(&host, &response)), Code::BADAUTH, "{response}");
        assert_eq!(
            host.stored(b"bob").unwrap(),
            line(Algorithm::Md5, 499, "ke1234", 0)
        );
    }
    let host = host();
    let (mut exchange, _) = start(&host, FIRST).unwrap();
    assert_eq!(code(exchange.step(&host, Some(b"hex:\xff"))), Code::BADAUTH);
    let (mut exchange, _) = start(&host, FIRST).unwrap();
    assert_eq!(code(exchange.step(&host, None)), Code::BADAUTH);
}

#[test]
fn six_words() {
    // RFC 2243: the value 499 of "This is a test." and ke1234.
    let value = "5bf075d9959d036f";
    let reached = Algorithm::Md5.next(&0x5bf0_75d9_959d_036fu64.to_be_bytes());
    let reached = u64::from_be_bytes(reached);
    let chain = format!("md5\t0500\tke1234\t{reached:016x}\t0");
    for response in [
        "word:BOND FOGY DRAB NE RISE MART",
        "word: bond fogy  drab ne rise mart",
        "BOND FOGY DRAB NE RISE MART",
        "init-word:BOND FOGY DRAB NE RISE MART:md5 499 ke1235:RED HERD NOW BEAN PA BURG",
        "init-hex:5bf075d9959d036f:md5 499 ke1235:3712dcb4aa5316c1",
    ] {
        let host = host_with(&chain);
        assert_eq!(code(answer(&host, response)), Code::OK, "{response}");
        let expected = if response.starts_with("init") {
            format!("md5\t0499\tke1235\t3712dcb4aa5316c1\t{:020}", 0)
        } else {
            format!("md5\t0499\tke1234\t{value}\t{:020}", 0)
        };
        assert_eq!(host.stored(b"bob").unwrap(), expected);
    }
}

#[test]
fn new_chains() {
    let right = otp(Algorithm::Md5, 498, "ke1234");
    let value = otp(Algorithm::Sha1, 400, "new1");
    let host = host();
    let response = format!("init-hex:{right}:sha1 400 NEW1:{value}");
    assert_eq!(code(answer(&host, &response)), Code::OK);
    assert_eq!(
        host.stored(b"bob").unwrap(),
        line(Algorithm::Sha1, 400, "new1", 0)
    );
    for (parameters, value, expected) in [
        ("md9 499 ke1235", "0011223344556677", Code::BADPROT),
        ("otp-md5 499 ke1235", "0011223344556677", Code::BADPROT),
        ("md5 499", "0011223344556677", Code::BADPROT),
        ("md5 499 ke1235 more", "0011223344556677", Code::BADPROT),
        ("md5 0 ke1235", "0011223344556677", Code::BADPROT),
        ("md5 1 ke1235", "0011223344556677", Code::BADPROT),
        ("md5 10000 ke1235", "0011223344556677", Code::BADPROT),
        ("md5 -5 ke1235", "0011223344556677", Code::BADPROT),
        ("md5 499 ke\t1235", "0011223344556677", Code::BADPROT),
        ("md5 499 ke-1235", "0011223344556677", Code::BADPROT),
        (
            "md5 499 kkkkkkkkkkkkkkkkk",
            "0011223344556677",
            Code::BADPROT,
        ),
        ("md5 499 KE1234", "0011223344556677", Code::BADAUTH),
        ("md5 499 ke1235", "zz", Code::BADAUTH),
        ("md5 499 ke1235", "0011223344556677:", Code::BADPROT),
    ] {
        let host = self::host();
        let response = format!("init-hex:{right}:{parameters}:{value}");
        assert_eq!(code(answer(&host, &response)), expected, "{response}");
        // The password is used up all the same.
        assert_eq!(
            host.stored(b"bob").unwrap(),
            line(Algorithm::Md5, 498, "ke1234", 0)
        );
        // Who has no right password learns nothing about the wish.
        let wrong = response.replace(&right, "0011223344556677");
        assert_eq!(code(answer(&self::host(), &wrong)), Code::BADAUTH);
    }
}

#[test]
fn first_messages() {
    let text = |code, text: &str| (code, text.to_owned());
    for (first, expected) in [
        (
            &b""[..],
            text(Code::BADPROT, "Can only find OTP authzid (no authid)"),
        ),
        (
            b"bob",
            text(Code::BADPROT, "Can only find OTP authzid (no authid)"),
        ),
        (
            b"bob\0bob\0",
            text(
                Code::BADPROT,
                "Got more data than we were expecting in the OTP plugin\n",
            ),
        ),
        (b"bob\0", text(Code::FAIL, "All-whitespace username.")),
        (b"who\0who", text(Code::NOUSER, "")),
        (
            b"alice\0alice",
            text(Code::NOUSER, "no OTP secret in database"),
        ),
    ] {
        let host = host();
        assert_eq!(refusal(start(&host, first)), expected, "{first:?}");
        assert_eq!(host.stored(b"bob"), None);
    }
    let host = host();
    assert!(start(&host, b"\0bob").is_ok());
    assert_eq!(host.authzid().unwrap(), b"bob");
    let host = self::host();
    assert!(start(&host, b"alice\0bob").is_ok());
    assert_eq!(host.authzid().unwrap(), b"alice");
    assert!(host.stored(b"alice").is_none());
}

#[test]
fn ends_of_chains() {
    for sequence in [0, 1] {
        let host = host_with(&line(Algorithm::Md5, sequence, "ke1234", 0));
        let (code, reason) = refusal(start(&host, FIRST));
        assert_eq!(code, Code::EXPIRED);
        assert_eq!(reason, "OTP has expired (sequence <= 1)");
    }
    let host = host_with(&line(Algorithm::Md4, 9999, "ke1234", 0));
    let (_, challenge) = start(&host, FIRST).unwrap();
    assert_eq!(challenge, "otp-md4 9998 ke1234 ext");
    let host = host_with("md5\t0499\tke1234\tnonsense\t0");
    assert_eq!(refusal(start(&host, FIRST)).0, Code::FAIL);
}

#[test]
fn offered_only_where_it_can_work() {
    let mut host = host();
    assert!(MECHANISM.available(&host).is_ok());
    for list in ["PLAIN", "", "OTPX"] {
        let option = ("/mech_list".to_owned(), list.to_owned());
        host.options.extend([option]);
        assert_eq!(
            MECHANISM.available(&host).err().unwrap().code(),
            Code::NOMECH,
            "{list}"
        );
        let outcome = MECHANISM.set_password(&host, &change(None));
        assert!(outcome.is_none());
    }
}

fn change(password: Option<&Secret>) -> crate::Change<'_> {
    crate::Change {
        user: c"bob",
        password,
        old: None,
        flags: 0,
    }
}

#[test]
fn set_password_starts_a_chain() {
    let mut host = host();
    let set = |host: &FakeServer, password: Option<&str>| {
        let password = password.map(|password| Secret::from(password.as_bytes()));
        let outcome = MECHANISM.set_password(host, &change(password.as_ref()));
        outcome.expect("it keeps something")
    };
    for (option, algorithm) in [(None, Algorithm::Md5), (Some("sha1"), Algorithm::Sha1)] {
        let option = option.map(|value: &str| ("OTP/otp_mda".to_owned(), value.to_owned()));
        host.options.extend(option);
        set(&host, Some(PHRASE)).unwrap();
        let stored = host.stored(b"bob").unwrap();
        let seed = stored.split('\t').nth(2).unwrap();
        assert!(seed.starts_with("ho") && seed.len() == 6, "{seed}");
        assert_eq!(stored, line(algorithm, 499, seed, 0));
    }
    let option = ("OTP/otp_mda".to_owned(), "sha3".to_owned());
    host.options.extend([option]);
    let error = set(&host, Some(PHRASE)).unwrap_err();
    assert_eq!(error.code(), Code::CONFIGERR);
    set(&host, None).unwrap();
    assert_eq!(host.stored(b"bob"), None);
}

fn respond(host: &FakeClient, challenge: &[u8]) -> Result<String> {
    let mut exchange = ClientMech::begin(&MECHANISM, host)?;
    let ClientStep::Response(Some(_)) = exchange.step(host, None)? else {
        panic!("no first message")
    };
    match exchange.step(host, Some(challenge))? {
        ClientStep::Done(done) => Ok(String::from_utf8(done.final_data.unwrap()).unwrap()),
        _ => panic!("not done"),
    }
}

#[test]
fn the_client_answers_as_stock() {
    let host = FakeClient::user("bob", PHRASE);
    for (challenge, expected) in [
        ("otp-md5 499 ke1234 ext", "hex:c412f058258c2401"),
        ("otp-md5 490 ke1234 ext", "hex:d24a6f026efbdc9c"),
        ("otp-md5 9999 KE1234 ext,other", "hex:13daf3b36e5a35cb"),
        (" otp-md5\t499  ke1234 ext", "hex:c412f058258c2401"),
    ] {
        assert_eq!(respond(&host, challenge.as_bytes()).unwrap(), expected);
    }
    for (challenge, current, algorithm) in [
        ("otp-md5 123 ke1234 ext", "11d4c147e227c1f1", Algorithm::Md5),
        ("otp-md4 123 ke1234 ext", "ce0fb3b91f2bc32f", Algorithm::Md4),
        (
            "otp-sha1 123 ke1234 ext",
            "a678125a196f99ad",
            Algorithm::Sha1,
        ),
        ("otp-md5 1 ke1234 ext", "7d3ca19fbd0e4cca", Algorithm::Md5),
    ] {
        let answer = respond(&host, challenge.as_bytes()).unwrap();
        let parts: Vec<_> = answer.split(':').collect();
        assert_eq!((parts[0], parts[1]), ("init-hex", current));
        let seed = parts[2].rsplit(' ').next().unwrap();
        assert_eq!(parts[2], format!("{} 499 {seed}", algorithm.name()));
        assert_eq!(parts[3], otp(algorithm, 499, seed));
    }
}

#[test]
fn challenges_that_the_client_refuses() {
    let host = FakeClient::user("bob", PHRASE);
    for (challenge, expected) in [
        (&b""[..], Code::BADPROT),
        (b"otp-md5 0 ke1234 ext", Code::EXPIRED),
        (b"otp-md5 -1 ke1234 ext", Code::BADPROT),
        (b"otp-md5 10000 ke1234 ext", Code::BADPROT),
        (b"otp-md5 99999999999999999999 ke1234 ext", Code::BADPROT),
        (b"otp-md5 12x ke1234 ext", Code::BADPROT),
        (b"otp-md5 123 ke1234", Code::BADPROT),
        (b"otp-md5 123 ke1234 foo,ext2", Code::BADPROT),
        (b"otp-md5 123 k-1234 ext", Code::BADPROT),
        (b"otp-md5 123 kkkkkkkkkkkkkkkkk ext", Code::BADPROT),
        (b"otp-sha 123 ke1234 ext", Code::BADPROT),
        (b"md5 123 ke1234 ext", Code::BADPROT),
        (b"otp-md5 123 ke1234 ext\0", Code::BADPROT),
        (b"otp-md5 123 ke1234 ext\xff", Code::BADPROT),
        (&[b' '; 256], Code::BADPROT),
    ] {
        let code = respond(&host, challenge).err().map(|error| error.code());
        assert_eq!(code, Some(expected), "{}", challenge.escape_ascii());
    }
    let whole = b"otp-md5 123 ke1234 ext";
    for end in 0..whole.len() {
        assert!(respond(&host, &whole[..end]).is_err(), "{end}");
    }
}

#[test]
fn the_client_s_first_message() {
    let first = |host: &FakeClient| {
        let mut exchange = ClientMech::begin(&MECHANISM, host).unwrap();
        exchange.step(host, None)
    };
    let host = FakeClient::user(" bob ", PHRASE);
    let Ok(ClientStep::Response(message)) = first(&host) else {
        panic!("no message")
    };
    assert_eq!(message.unwrap(), b"bob\0bob");
    let asked = ["ask AuthName", "ask User", "ask Pass"];
    assert_eq!(host.calls()[..3], asked);
    let host = FakeClient::with(&[
        (PromptKind::AuthName, b"bob"),
        (PromptKind::User, b"alice"),
        (PromptKind::Pass, b"x"),
    ]);
    let Ok(ClientStep::Response(message)) = first(&host) else {
        panic!("no message")
    };
    assert_eq!(message.unwrap(), b"alice\0bob");
    let host = FakeClient::interactive(&[PromptKind::Pass, PromptKind::AuthName]);
    let Ok(ClientStep::Interact(prompts)) = first(&host) else {
        panic!("no prompts")
    };
    assert_eq!(prompts[1].text, "Please enter your secret pass-phrase");
    let host = FakeClient::user("b\0b", PHRASE);
    assert_eq!(first(&host).err().unwrap().code(), Code::BADPARAM);
}

#[test]
fn noise_lets_nobody_in() {
    let random = Random::new(11);
    let whole = format!(
        "init-hex:{}:md5 499 ke1235:{}",
        otp(Algorithm::Md5, 499, "ke1234"),
        otp(Algorithm::Md5, 499, "ke1235")
    );
    let client = FakeClient::user("bob", PHRASE);
    for _ in 0..5_000 {
        let mut message = whole.clone().into_bytes();
        let mut challenge = b"otp-md5 491 ke1234 ext".to_vec();
        for message in [&mut message, &mut challenge] {
            for _ in 0..=random.below(4) {
                let at = random.below(message.len());
                message[at] = random.next().to_le_bytes()[0];
            }
        }
        let host = host();
        let (mut exchange, _) = start(&host, FIRST).unwrap();
        assert!(exchange.step(&host, Some(&message)).is_err());
        // A damaged challenge gives an answer that does not fit, or none.
        let _ = respond(&client, &challenge);
    }
}
