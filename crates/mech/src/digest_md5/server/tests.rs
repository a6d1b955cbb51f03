// SPDX-License-Identifier: MIT OR Apache-2.0
//! The server against responses made by hand.
#![forbid(unsafe_code)]

use super::super::keys::{Charset, Session, secret};
use super::super::message::Message;
use super::*;
use crate::ServerMech;
use crate::testing::FakeServer;

fn quote(value: &[u8]) -> Vec<u8> {
    let mut message = Message::new();
    message.quoted("", value);
    message.finish().split_off(1)
}

fn server() -> FakeServer {
    FakeServer::new(&[
        ("tim", "tanstaaftanstaaf"),
        ("admin", "secret"),
        ("empty", ""),
        ("josé", "päss"),
    ])
}

fn start(host: &FakeServer) -> (Box<dyn ServerExchange>, String) {
    let mut exchange = ServerMech::begin(&MECHANISM, host).unwrap();
    let Ok(Step::Challenge(challenge)) = exchange.step(host, None) else {
        panic!("no challenge")
    };
    let challenge = String::from_utf8(challenge).unwrap();
    let nonce = challenge.split('"').nth(1).unwrap().to_owned();
    (exchange, nonce)
}

/// A response that a client might send; tests change what they are about.
#[derive(Clone)]
struct Client {
    username: &'static str,
    realm: &'static str,
    hashed_realm: Option<&'static str>,
    password: &'static str,
    charset: Charset,
    count: u32,
    qop: &'static str,
    uri: &'static str,
    authzid: Option<&'static str>,
}

const TIM: Client = Client {
    username: "tim",
    realm: "host.example.com",
    hashed_realm: None,
    password: "tanstaaftanstaaf",
    charset: Charset::Latin1,
    count: 1,
    qop: "auth",
    uri: "imap/host.example.com",
    authzid: None,
};

impl Client {
    fn parts(&self, nonce: &str) -> Vec<String> {
        let realm = self.hashed_realm.unwrap_or(self.realm);
        let secret = secret(
            self.charset,
            self.username.as_bytes(),
            realm.as_bytes(),
            self.password.as_bytes(),
        );
        let session = Session {
            nonce: nonce.as_bytes(),
            cnonce: b"abcd",
            count: self.count,
            qop: self.qop,
            uri: self.uri.as_bytes(),
            authzid: self.authzid.map(str::as_bytes),
            http: None,
        };
        let response = session.response(&session.key(&secret));
        let quoted = |text: &str| String::from_utf8(quote(text.as_bytes())).unwrap();
        let mut parts = vec![
            format!("username={}", quoted(self.username)),
            format!("realm={}", quoted(self.realm)),
            format!("nonce={}", quoted(nonce)),
            "cnonce=\"abcd\"".to_owned(),
            format!("nc={:08x}", self.count),
            format!("qop={}", self.qop),
            format!("digest-uri={}", quoted(self.uri)),
            format!("response={}", String::from_utf8_lossy(response.as_slice())),
        ];
        parts.extend(
            self.authzid
                .map(|authzid| format!("authzid={}", quoted(authzid))),
        );
        parts
    }

    fn message(&self, nonce: &str) -> Vec<u8> {
        self.parts(nonce).join(",").into_bytes()
    }
}

/// Logs in; the parts may be changed on the way.
fn login(
    host: &FakeServer,
    client: &Client,
    change: impl FnOnce(&mut Vec<String>),
) -> Result<Done> {
    let (mut exchange, nonce) = start(host);
    let mut parts = client.parts(&nonce);
    change(&mut parts);
    host.calls();
    match exchange.step(host, Some(parts.join(",").as_bytes()))? {
        Step::Done(done) => Ok(done),
        Step::Challenge(_) => panic!("another challenge"),
    }
}

fn refusal(client: &Client, change: impl FnOnce(&mut Vec<String>)) -> (Code, String) {
    let error = login(&server(), client, change).err().expect("refused");
    (error.code(), error.reason().to_owned())
}

fn without(name: &'static str) -> impl FnOnce(&mut Vec<String>) {
    move |parts| parts.retain(|part| !part.starts_with(&format!("{name}=")))
}

fn with(part: &'static str) -> impl FnOnce(&mut Vec<String>) {
    move |parts| parts.push(part.to_owned())
}

const WRONG: &str = "client response doesn't match what we generated (tried bogus)";

#[test]
fn the_challenge() {
    let shown = |host: &FakeServer| {
        let mut exchange = ServerMech::begin(&MECHANISM, host).unwrap();
        let Ok(Step::Challenge(text)) = exchange.step(host, Some(b"ignored")) else {
            panic!("none")
        };
        String::from_utf8(text)
            .unwrap()
            .split_once("\",")
            .unwrap()
            .1
            .to_owned()
    };
    let mut host = server();
    assert_eq!(
        shown(&host),
        "realm=\"host.example.com\",qop=\"auth,auth-int,auth-conf\",\
         cipher=\"rc4-40,rc4-56,rc4,des,3des\",maxbuf=65536,charset=utf-8,algorithm=md5-sess"
    );
    host.limits.max_ssf = 55;
    host.realm = Some("a\"b\\c".to_owned());
    assert!(shown(&host).starts_with(
        "realm=\"a\\\"b\\\\c\",qop=\"auth,auth-int,auth-conf\",cipher=\"rc4-40,des\","
    ));
    host.limits.max_ssf = 256;
    host.limits.min_ssf = 56;
    assert!(shown(&host).contains(",qop=\"auth-conf\",cipher=\"rc4-56,rc4,3des\",maxbuf"));
    host.limits.external_ssf = 56;
    host.limits.max_ssf = 57;
    assert!(shown(&host).contains(",qop=\"auth,auth-int\",maxbuf"));
    host.limits.min_ssf = 0;
    host.limits.max_buffer = 0;
    assert!(shown(&host).ends_with(",qop=\"auth\",charset=utf-8,algorithm=md5-sess"));
    host.limits.max_buffer = u32::MAX;
    assert!(shown(&host).contains(",maxbuf=16777215,"));
    host.realm = Some(String::new());
    let error = ServerMech::begin(&MECHANISM, &host)
        .unwrap()
        .step(&host, None)
        .err()
        .unwrap();
    assert_eq!(
        (error.code(), error.reason()),
        (Code::BADPARAM, "user_realm is an empty string!")
    );
}

#[test]
fn the_order_of_calls() {
    let host = server();
    let done = login(&host, &TIM, |_| {}).unwrap();
    assert_eq!(done.final_data.unwrap().len(), "rspauth=".len() + 32);
    assert!(done.layer.is_none());
    let request = "request *userPassword *cmusaslsecretDIGEST-MD5";
    assert_eq!(
        host.calls(),
        [request, "identify tim Both Required", "erase"]
    );

    let proxy = Client {
        username: "admin",
        password: "secret",
        authzid: Some("tim"),
        ..TIM
    };
    login(&host, &proxy, |_| {}).unwrap();
    assert_eq!(
        host.calls(),
        [
            request,
            "identify admin Authid Required",
            "identify tim Authzid Required",
            "erase"
        ]
    );
    assert!(
        login(
            &host,
            &Client {
                authzid: Some("tim"),
                ..TIM
            },
            |_| {}
        )
        .is_ok()
    );
    assert_eq!(host.calls()[1], "identify tim Both Required");
}

#[test]
fn realms() {
    let name = |host: &FakeServer, client: &Client| {
        let _ = login(host, client, |_| {});
        let calls = host.calls();
        calls
            .into_iter()
            .find(|call| call.starts_with("identify"))
            .unwrap()
    };
    let mut host = server();
    assert_eq!(
        name(
            &host,
            &Client {
                realm: "other",
                ..TIM
            }
        ),
        "identify tim@other Both Required"
    );
    assert_eq!(
        name(
            &host,
            &Client {
                username: "tim@S",
                ..TIM
            }
        ),
        "identify tim@S Both Required"
    );
    host.realm = Some("R".to_owned());
    assert_eq!(
        name(&host, &Client { realm: "R", ..TIM }),
        "identify tim Both Required"
    );
    assert_eq!(
        name(&host, &TIM),
        "identify tim@host.example.com Both Required"
    );

    let host = server();
    assert!(
        login(
            &host,
            &Client {
                hashed_realm: Some(""),
                ..TIM
            },
            without("realm")
        )
        .is_ok()
    );
    let calls = host.calls();
    assert_eq!(
        calls[0],
        "log Debug The client didn't send a realm, assuming empty string."
    );
    assert_eq!(
        calls[1],
        "log Debug The client tries to override server provided realm"
    );
    assert_eq!(calls[3], "identify tim Both Required");
}

#[test]
fn failures_have_the_codes_and_texts_that_programs_know() {
    let same = |_: &mut Vec<String>| {};
    let bad = |text: &str| (Code::BADAUTH, text.to_owned());
    assert_eq!(
        refusal(
            &Client {
                password: "wrong",
                ..TIM
            },
            same
        ),
        bad(WRONG)
    );
    let text = "unable to canonify user and get auxprops";
    assert_eq!(
        refusal(
            &Client {
                username: "who",
                ..TIM
            },
            same
        ),
        (Code::NOUSER, text.to_owned())
    );
    let text = "unable to canonify authorization ID";
    let client = Client {
        authzid: Some("who"),
        ..TIM
    };
    assert_eq!(refusal(&client, same), (Code::NOUSER, text.to_owned()));
    assert_eq!(
        refusal(
            &Client {
                username: "empty",
                ..TIM
            },
            same
        ),
        (Code::FAIL, "empty secret".to_owned())
    );
    assert_eq!(
        refusal(&Client { count: 2, ..TIM }, same),
        bad("incorrect nonce-count")
    );
    assert_eq!(
        refusal(&Client { count: 0, ..TIM }, same),
        bad("required parameters missing: noncecount")
    );
    let text = "bad digest-uri: doesn't match service";
    for uri in ["smtp/host.example.com", "imap", "", "/imap"] {
        assert_eq!(refusal(&Client { uri, ..TIM }, same), bad(text));
    }
    assert!(
        login(
            &server(),
            &Client {
                uri: "IMAP/alias",
                ..TIM
            },
            same
        )
        .is_ok()
    );
    let names = ["username", "nonce", "cnonce", "response"];
    for name in names {
        assert_eq!(
            refusal(&TIM, without(name)),
            bad(&format!("required parameters missing: {name}"))
        );
    }
    assert_eq!(
        refusal(&TIM, without("digest-uri")),
        bad("required parameters missing: digesturi")
    );
    assert_eq!(
        refusal(&TIM, without("nc")),
        bad("required parameters missing: noncecount")
    );
    assert!(login(&server(), &TIM, without("qop")).is_ok());
}

#[test]
fn odd_directives() {
    let bad = |text: &str| (Code::BADAUTH, text.to_owned());
    let fail = |text: &str| (Code::FAIL, text.to_owned());
    assert_eq!(refusal(&TIM, with("foo")), bad("Parse error"));
    assert_eq!(
        refusal(&TIM, with("maxbuf=16")),
        bad("maxbuf parameter too small")
    );
    assert_eq!(
        refusal(&TIM, with("maxbuf=16777216")),
        bad("maxbuf parameter too big")
    );
    for value in ["maxbuf=-1", "maxbuf=4294967296", "maxbuf=abc", "maxbuf="] {
        assert_eq!(refusal(&TIM, with(value)), bad("invalid maxbuf parameter"));
    }
    assert_eq!(
        refusal(&TIM, with("charset=latin1")),
        fail("client doesn't support UTF-8")
    );
    assert_eq!(
        refusal(&TIM, with("nc=zz")),
        bad("error converting hex to int")
    );
    assert_eq!(
        refusal(&TIM, with("nonce=\"x\"")),
        bad("nonce changed: authentication aborted")
    );
    for name in ["username", "realm", "cnonce", "qop", "response"] {
        let twice = move |parts: &mut Vec<String>| parts.push(format!("{name}=x"));
        assert_eq!(
            refusal(&TIM, twice),
            fail(&format!("duplicate {name}: authentication aborted"))
        );
    }
    let host = server();
    assert!(login(&host, &TIM, with("foo=\"a\\\"\x1b\"")).is_err());
    assert!(login(&host, &TIM, with("foo=\"a\\\"b\"")).is_ok());
    assert_eq!(
        host.calls()[0],
        "log Debug DIGEST-MD5 unrecognized pair foo/a\\\"b: ignoring"
    );
    let host = server();
    let (mut exchange, _) = start(&host);
    let error = exchange.step(&host, None).err().unwrap();
    assert_eq!(error.reason(), "input expected in DIGEST-MD5, step 2");
    let (mut exchange, _) = start(&host);
    assert_eq!(
        exchange
            .step(&host, Some(&[b','; 4097]))
            .err()
            .unwrap()
            .code(),
        Code::BADPROT
    );
}

#[test]
fn only_what_was_offered() {
    let offered = |max_ssf, qop, cipher: &'static str| {
        let mut host = server();
        host.limits.max_ssf = max_ssf;
        login(&host, &Client { qop, ..TIM }, with(cipher))
    };
    let text = |result: Result<Done>| result.err().unwrap().reason().to_owned();
    let ssf = |result: Result<Done>| result.unwrap().layer.unwrap().ssf;
    let qop = "protocol violation: client requested invalid qop";
    assert_eq!(text(offered(256, "foo", "x=y")), qop);
    assert_eq!(text(offered(256, "auth-conf", "x=y")), qop);
    assert_eq!(text(offered(0, "auth-int", "x=y")), qop);
    assert_eq!(
        text(offered(256, "auth-conf", "cipher=foo")),
        "client requested invalid cipher"
    );
    assert_eq!(
        text(offered(56, "auth-conf", "cipher=rc4")),
        "client requested invalid cipher"
    );
    assert_eq!(ssf(offered(1, "auth-int", "x=y")), 1);
    for (name, strength) in [
        ("rc4", 128),
        ("3des", 112),
        ("rc4-56", 56),
        ("des", 55),
        ("rc4-40", 40),
    ] {
        let cipher: &'static str = format!("cipher={name}").leak();
        assert_eq!(ssf(offered(256, "auth-conf", cipher)), strength);
    }
}

#[test]
fn the_largest_packet() {
    let room = |qop, part| {
        login(&server(), &Client { qop, ..TIM }, with(part))
            .unwrap()
            .layer
            .unwrap()
            .max_outbuf
    };
    assert_eq!(room("auth-int", "x=y"), 65516);
    assert_eq!(room("auth-int", "maxbuf=8192"), 8172);
    assert_eq!(room("auth-int", "maxbuf=17"), 1);
    assert_eq!(room("auth-conf", "cipher=rc4,maxbuf=8192"), 8163);
}

#[test]
fn stored_secrets() {
    let key = secret(Charset::Latin1, b"hash", b"host.example.com", b"pw");
    let host = FakeServer::new(&[])
        .with_property("hash", STORED, &[key.as_slice()])
        .with_property("short", STORED, &[b"x"])
        .with_property("none", c"*other", &[b"x"]);
    let client = Client {
        username: "hash",
        password: "pw",
        ..TIM
    };
    assert!(login(&host, &client, |_| {}).is_ok());
    let wrong = Client {
        password: "px",
        ..client.clone()
    };
    let reason = login(&host, &wrong, |_| {}).err().unwrap();
    assert_eq!(
        reason.reason(),
        "client response doesn't match what we generated"
    );
    let short = Client {
        username: "short",
        ..client.clone()
    };
    assert_eq!(
        login(&host, &short, |_| {}).err().unwrap().code(),
        Code::BADAUTH
    );
    let none = Client {
        username: "none",
        ..client
    };
    let error = login(&host, &none, |_| {}).err().unwrap();
    assert_eq!(
        (error.code(), error.reason()),
        (Code::NOUSER, "no secret in database")
    );
}

#[test]
fn both_charsets_are_right() {
    for charset in [Charset::Latin1, Charset::Utf8] {
        let client = Client {
            username: "josé",
            password: "päss",
            charset,
            ..TIM
        };
        assert!(login(&server(), &client, |_| {}).is_ok());
        assert!(
            login(
                &server(),
                &Client {
                    password: "pass",
                    ..client
                },
                |_| {}
            )
            .is_err()
        );
    }
}

#[test]
fn a_login_can_be_renewed_where_that_is_allowed() {
    let mut host = server();
    host.options
        .insert("DIGEST-MD5/reauth_timeout".to_owned(), "10".to_owned());
    let (mut exchange, nonce) = start(&host);
    assert!(matches!(
        exchange.step(&host, Some(&TIM.message(&nonce))),
        Ok(Step::Done(_))
    ));
    let again = |count: u32, password| {
        host.calls();
        let mut exchange = ServerMech::begin(&MECHANISM, &host).unwrap();
        let message = Client {
            count,
            password,
            ..TIM
        }
        .message(&nonce);
        let step = exchange.step(&host, Some(&message)).unwrap();
        match step {
            Step::Done(_) => "done",
            Step::Challenge(text) if text.windows(12).any(|part| part == b",stale=true,") => {
                "stale"
            }
            Step::Challenge(_) => "challenge",
        }
    };
    assert_eq!(again(2, TIM.password), "done");
    assert_eq!(again(3, "wrong"), "challenge");
    assert_eq!(host.calls().last().unwrap(), &format!("log Fail {WRONG}"));
    assert_eq!(again(3, TIM.password), "done");
    assert_eq!(again(3, TIM.password), "stale");
    assert_eq!(
        host.calls().last().unwrap(),
        "log Fail incorrect nonce-count"
    );
    assert_eq!(again(4, TIM.password), "stale");
    assert_eq!(
        host.calls().last().unwrap(),
        "log Fail no cached server nonce"
    );
}
