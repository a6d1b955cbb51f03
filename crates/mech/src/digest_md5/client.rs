// SPDX-License-Identifier: MIT OR Apache-2.0
//! The client's side of RFC 2831. Takes the strongest protection that both
//! sides allow, and believes the server only after its `rspauth`. It never
//! renews an earlier login: that saves one trip with the few servers that
//! permit it and costs one with all others.
#![forbid(unsafe_code)]

use super::keys::{Charset, Key, Session, secret};
use super::layer::{Cipher, Side};
use super::message::{Directive, Message, Value, once, parse_number};
use super::{DEFAULT_MAXBUF, MAXBUF, Qop, Wanted, fresh_nonce, no_request, parse};
use crate::credentials::{self, Gathered, Question, gather};
use crate::printable::Printable;
use crate::{ClientExchange, ClientHost, ClientStep, Done, Negotiated, Prompt, PromptKind};
use saslplug::{Code, Error, Identity, Level, Result, Secret};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Starts an exchange.
pub(super) fn begin(host: &dyn ClientHost) -> Result<Box<dyn ClientExchange>> {
    let server = host.server_fqdn().ok_or_else(|| {
        Error::new(
            Code::FAIL,
            "DIGEST-MD5 needs the server's name (serverFQDN)",
        )
    })?;
    Ok(Box::new(Client {
        server,
        state: State::Start,
    }))
}

struct Client {
    server: String,
    state: State,
}

enum State {
    Start,
    WaitsForChallenge,
    WaitsForProof {
        rspauth: Zeroizing<[u8; 32]>,
        layer: Option<Negotiated>,
    },
    Over,
}

impl ClientExchange for Client {
    fn step(&mut self, host: &dyn ClientHost, challenge: Option<&[u8]>) -> Result<ClientStep> {
        match core::mem::replace(&mut self.state, State::Over) {
            State::Start if challenge.is_none() => {
                self.state = State::WaitsForChallenge;
                Ok(ClientStep::Response(None))
            }
            State::Start | State::WaitsForChallenge => {
                self.respond(host, challenge.unwrap_or_default())
            }
            State::WaitsForProof { rspauth, layer } => {
                believe(host, challenge.unwrap_or_default(), &rspauth)?;
                Ok(ClientStep::Done(Done {
                    layer,
                    ..Done::default()
                }))
            }
            State::Over => Err(Error::new(Code::FAIL, "this DIGEST-MD5 exchange is over")),
        }
    }
}

/// Who logs in.
struct Login {
    authid: Vec<u8>,
    authzid: Option<Vec<u8>>,
    realm: Vec<u8>,
    password: Secret,
}

impl Client {
    fn respond(&mut self, host: &dyn ClientHost, input: &[u8]) -> Result<ClientStep> {
        let challenge = Challenge::parse(host, input)?;
        let wanted = Wanted::of(host.limits());
        let qop = choose(host, &challenge, wanted)?;
        let login = match self.ask(host, &challenge)? {
            Gathered::Complete(answers) => identify(host, answers)?,
            Gathered::Missing(prompts) => {
                self.state = State::WaitsForChallenge;
                return Ok(ClientStep::Interact(prompts));
            }
        };
        let cnonce = fresh_nonce(|bytes| host.fill_random(bytes))?;
        let http = host.http_request().map_err(no_request)?;
        let uri = match &http {
            Some(http) => http.uri.clone(),
            None => format!("{}/{}", host.service(), self.server).into_bytes(),
        };
        let session = Session {
            nonce: &challenge.nonce,
            cnonce: cnonce.as_bytes(),
            count: 1,
            qop: qop.name(),
            uri: &uri,
            authzid: login.authzid.as_deref(),
            http: http.as_ref(),
        };
        let key = session.key(&login.secret());
        self.state = State::WaitsForProof {
            rspauth: session.rspauth(&key),
            layer: qop.layer(
                &key,
                Side::Client,
                challenge.maxbuf.unwrap_or(DEFAULT_MAXBUF),
            ),
        };
        Ok(ClientStep::Response(Some(compose(
            &login, &session, qop, wanted, &key,
        ))))
    }

    /// Name, authzid, password, realm. One realm is no question.
    fn ask(&self, host: &dyn ClientHost, challenge: &Challenge<'_>) -> Result<Gathered<4>> {
        let names = [
            Question::required(&credentials::AUTHID),
            Question::optional(&credentials::AUTHZID),
            Question::required(&credentials::PASSWORD),
        ];
        match challenge.realms.as_slice() {
            [_, _, ..] => {
                let [authid, authzid, password] = names;
                let prompt = realm_prompt(&challenge.realms, &self.server);
                let realm = Question::preference(&prompt);
                gather(host, [authid, authzid, password, realm])
            }
            few => {
                let realm = few.first().map_or(self.server.as_bytes(), |realm| realm);
                Ok(match gather(host, names)? {
                    Gathered::Missing(prompts) => Gathered::Missing(prompts),
                    Gathered::Complete([authid, authzid, password]) => {
                        Gathered::Complete([authid, authzid, password, Secret::from(realm)])
                    }
                })
            }
        }
    }
}

fn realm_prompt(realms: &[Value<'_>], proposal: &str) -> Prompt {
    let choices: Vec<_> = realms
        .iter()
        .map(|realm| String::from_utf8_lossy(realm).into_owned())
        .collect();
    let list: Vec<_> = choices.iter().map(|realm| format!("{{{realm}}}")).collect();
    Prompt {
        challenge: Some(format!("Available realms: {}.", list.join(", ")).into()),
        default: Some(proposal.to_owned().into()),
        choices,
        ..Prompt::new(PromptKind::Realm, "Please enter your realm")
    }
}

fn identify(host: &dyn ClientHost, answers: [Secret; 4]) -> Result<Login> {
    let [authid, authzid, password, realm] = answers;
    let one_name = authzid.is_empty() || authzid == authid;
    if one_name {
        host.identify(authid.as_bytes(), Identity::Both)?;
    } else {
        host.identify(authid.as_bytes(), Identity::Authid)?;
        host.identify(authzid.as_bytes(), Identity::Authzid)?;
    }
    Ok(Login {
        authid: host.authid().unwrap_or_default(),
        authzid: host.authzid().filter(|_| !one_name),
        realm: realm.as_bytes().to_vec(),
        password,
    })
}

impl Login {
    fn secret(&self) -> Key {
        secret(
            Charset::Latin1,
            &self.authid,
            &self.realm,
            self.password.as_bytes(),
        )
    }
}

fn compose(login: &Login, session: &Session<'_>, qop: Qop, wanted: Wanted, key: &Key) -> Vec<u8> {
    let mut response = Message::new();
    response.quoted("username", &login.authid);
    response.quoted("realm", &login.realm);
    if let Some(authzid) = &login.authzid {
        response.quoted("authzid", authzid);
    }
    response.quoted("nonce", session.nonce);
    response.quoted("cnonce", session.cnonce);
    response.bare("nc", "00000001");
    response.bare("qop", qop.name());
    if let Qop::Confidential(cipher) = qop {
        response.bare("cipher", cipher.name());
    }
    if let Some(buffer) = wanted.buffer {
        response.bare("maxbuf", buffer.to_string());
    }
    if session.http.is_some() {
        response.quoted("uri", session.uri);
        response.bare("algorithm", "md5-sess");
    } else {
        response.quoted("digest-uri", session.uri);
    }
    response.bare("response", session.response(key).as_slice());
    response.finish()
}

/// Whether the server knows the password.
fn believe(host: &dyn ClientHost, input: &[u8], rspauth: &[u8; 32]) -> Result<()> {
    let mut claimed = None;
    for Directive { name, value } in parse(input, "DIGEST-MD5 Received Garbage")? {
        match &*name {
            "rspauth" => once(&mut claimed, &name, value)?,
            "cnonce" | "nc" | "qop" => {} // inside HTTP; the proof covers them
            _ => ignore(host, &name, &value),
        }
    }
    let claimed = claimed
        .ok_or_else(|| Error::new(Code::FAIL, "DIGEST-MD5: the server did not send rspauth"))?;
    if bool::from(rspauth.as_slice().ct_eq(&claimed)) {
        return Ok(());
    }
    Err(Error::new(
        Code::BADSERV,
        "DIGEST-MD5: This server wants us to believe that he knows shared secret",
    ))
}

fn ignore(host: &dyn ClientHost, name: &str, value: &[u8]) {
    let value = Printable(value);
    host.log(
        Level::Debug,
        format_args!("DIGEST-MD5 unrecognized pair {name}/{value}: ignoring"),
    );
}

/// The strongest protection that both sides allow.
fn choose(host: &dyn ClientHost, challenge: &Challenge<'_>, wanted: Wanted) -> Result<Qop> {
    if !(challenge.auth || challenge.integrity || challenge.confidential) {
        let text = "Server doesn't support any known qop level";
        return Err(Error::new(Code::BADAUTH, text));
    }
    if challenge.confidential && wanted.max > 1 {
        let offered = wanted
            .ciphers()
            .filter(|cipher| challenge.ciphers.contains(cipher));
        if let Some(cipher) = offered.max_by_key(|cipher| cipher.ssf()) {
            return Ok(Qop::Confidential(cipher));
        }
        host.log(Level::Fail, format_args!("No good privacy layers"));
    }
    if challenge.integrity && wanted.allows(Qop::Integrity) {
        return Ok(Qop::Integrity);
    }
    if wanted.min > 0 {
        return Err(Error::new(Code::TOOWEAK, "Can't find an acceptable layer"));
    }
    if challenge.auth {
        return Ok(Qop::Auth);
    }
    Err(Error::new(
        Code::FAIL,
        "Server doesn't support \"no layer\"",
    ))
}

/// A digest-challenge.
#[derive(Default)]
struct Challenge<'a> {
    nonce: Value<'a>,
    realms: Vec<Value<'a>>,
    auth: bool,
    integrity: bool,
    confidential: bool,
    ciphers: Vec<Cipher>,
    maxbuf: Option<u32>,
}

impl<'a> Challenge<'a> {
    fn parse(host: &dyn ClientHost, input: &'a [u8]) -> Result<Self> {
        if input.is_empty() {
            return Err(Error::new(Code::FAIL, "no server challenge"));
        }
        let mut challenge = Self::default();
        let (mut nonce, mut qop, mut cipher) = (None, None, None);
        let (mut charset, mut algorithm) = (None, None);
        for Directive { name, value } in parse(input, "Parse error")? {
            match &*name {
                "realm" => challenge.realms.push(value),
                "nonce" => once(&mut nonce, &name, value)?,
                "qop" => once(&mut qop, &name, value)?,
                "cipher" => once(&mut cipher, &name, value)?,
                "charset" => once(&mut charset, &name, value)?,
                "maxbuf" => challenge.take_maxbuf(&value)?,
                "algorithm" if algorithm.is_some() => {
                    return Err(fail("Must see 'algorithm' only once"));
                }
                "algorithm" => algorithm = Some(value),
                "opaque" => {}
                _ => ignore(host, &name, &value),
            }
        }
        if charset.is_some_and(|charset| !charset.eq_ignore_ascii_case(b"utf-8")) {
            return Err(Error::new(Code::BADAUTH, "Charset must be UTF-8"));
        }
        match algorithm {
            None => return Err(fail("Must see 'algorithm' once. Didn't see at all")),
            Some(name) if name.eq_ignore_ascii_case(b"md5-sess") => {}
            Some(_) => return Err(fail("'algorithm' isn't 'md5-sess'")),
        }
        let nonce = nonce.filter(|nonce| !nonce.is_empty());
        challenge.nonce = nonce.ok_or_else(|| fail("Don't have nonce."))?;
        challenge.take_qop(host, qop.as_deref().unwrap_or(b"auth"));
        challenge.take_ciphers(host, cipher.as_deref().unwrap_or_default());
        Ok(challenge)
    }

    fn take_maxbuf(&mut self, value: &[u8]) -> Result<()> {
        let text = "Invalid maxbuf parameter received from server";
        let refuse = |what: String| Err(Error::with(Code::BADAUTH, format!("{text} ({what})")));
        if self.maxbuf.is_some() {
            let text = "At least two maxbuf directives found. Authentication aborted";
            return Err(Error::new(Code::BADAUTH, text));
        }
        self.maxbuf = match parse_number(value) {
            None => return refuse(Printable(value).to_string()),
            Some(size) if size < *MAXBUF.start() => return refuse(format!("too small: {size}")),
            Some(size) if size > *MAXBUF.end() => return refuse(format!("too big: {size}")),
            size => size,
        };
        Ok(())
    }

    fn take_qop(&mut self, host: &dyn ClientHost, list: &[u8]) {
        for name in list_items(list) {
            let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
            match name {
                _ if is(b"auth") => self.auth = true,
                _ if is(b"auth-int") => self.integrity = true,
                _ if is(b"auth-conf") => self.confidential = true,
                other => unknown(host, "layer", other),
            }
        }
    }

    fn take_ciphers(&mut self, host: &dyn ClientHost, list: &[u8]) {
        for name in list_items(list) {
            let known = |cipher: &Cipher| name.eq_ignore_ascii_case(cipher.name().as_bytes());
            match Cipher::ALL.into_iter().find(known) {
                Some(cipher) => self.ciphers.push(cipher),
                None => unknown(host, "cipher", name),
            }
        }
    }
}

fn fail(reason: &'static str) -> Error {
    Error::new(Code::FAIL, reason)
}

fn list_items(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&byte| byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|item| !item.is_empty())
}

fn unknown(host: &dyn ClientHost, what: &str, name: &[u8]) {
    let name = Printable(name);
    host.log(
        Level::Debug,
        format_args!("Server supports unknown {what}: {name}"),
    );
}

#[cfg(test)]
mod tests;
