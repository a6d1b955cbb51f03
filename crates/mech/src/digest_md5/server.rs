// SPDX-License-Identifier: MIT OR Apache-2.0
//! The server's side of RFC 2831: challenge, response, `rspauth`; with
//! `reauth_timeout` also the short form, a response to a nonce used before.
//! Order of calls, codes and texts: docs/mechanisms.md.
#![forbid(unsafe_code)]

use super::keys::{Charset, Key, Session, secret};
use super::layer::{Cipher, Side};
use super::message::Message;
use super::reauth::Use;
use super::response::Response;
use super::{DEFAULT_MAXBUF, MECHANISM, Qop, Wanted, fresh_nonce};
use crate::hex::hex_number;
use crate::{Done, HttpRequest, Lookup, ServerExchange, ServerHost, Step};
use core::ffi::CStr;
use saslplug::{Code, Error, Identity, Level, Result};
use std::borrow::Cow;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const PASSWORD: &CStr = c"*userPassword";
const STORED: &CStr = c"*cmusaslsecretDIGEST-MD5";

/// Starts an exchange.
pub(super) fn begin(host: &dyn ServerHost) -> Result<Box<dyn ServerExchange>> {
    let realm = host.realm().unwrap_or_else(|| host.server_fqdn());
    let minutes = host.option("DIGEST-MD5", "reauth_timeout");
    let minutes = minutes
        .and_then(|minutes| minutes.trim().parse().ok())
        .unwrap_or(0u32);
    let wanted = Wanted::of(host.limits());
    Ok(Box::new(Server {
        state: State::Start,
        realm,
        wanted,
        reauth_seconds: u64::from(minutes) * 60,
    }))
}

struct Server {
    state: State,
    realm: String,
    wanted: Wanted,
    reauth_seconds: u64,
}

enum State {
    Start,
    Challenged { nonce: String },
    Over,
}

impl ServerExchange for Server {
    fn step(&mut self, host: &dyn ServerHost, response: Option<&[u8]>) -> Result<Step> {
        match core::mem::replace(&mut self.state, State::Over) {
            State::Start => self.start(host, response),
            State::Challenged { nonce } => {
                let done = self.verify(host, response, Some(&nonce));
                done.map(Step::Done).map_err(|refusal| refusal.error)
            }
            State::Over => Err(Error::new(Code::FAIL, "this DIGEST-MD5 exchange is over")),
        }
    }
}

/// Why a response does not count, and whether a fresh nonce would help.
struct Refusal {
    error: Error,
    stale: bool,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self {
            error,
            stale: false,
        }
    }
}

impl Server {
    fn start(&mut self, host: &dyn ServerHost, response: Option<&[u8]>) -> Result<Step> {
        let mut stale = false;
        if self.reauth_seconds > 0 && response.is_some() {
            match self.verify(host, response, None) {
                Ok(done) => return Ok(Step::Done(done)),
                Err(refusal) => {
                    if !refusal.error.reason().is_empty() {
                        host.log(Level::Fail, format_args!("{}", refusal.error.reason()));
                    }
                    stale = refusal.stale;
                }
            }
        }
        self.challenge(host, stale)
    }

    fn challenge(&mut self, host: &dyn ServerHost, stale: bool) -> Result<Step> {
        if self.realm.is_empty() {
            return Err(Error::new(Code::BADPARAM, "user_realm is an empty string!"));
        }
        let nonce = fresh_nonce(|bytes| host.fill_random(bytes))?;
        let ciphers: Vec<_> = self.wanted.ciphers().map(Cipher::name).collect();
        let mut qops = Vec::new();
        qops.extend(self.wanted.allows(Qop::Auth).then_some("auth"));
        qops.extend(self.wanted.allows(Qop::Integrity).then_some("auth-int"));
        qops.extend((!ciphers.is_empty()).then_some("auth-conf"));
        if qops.is_empty() {
            return Err(Error::new(
                Code::TOOWEAK,
                "no security layer of DIGEST-MD5 is permitted",
            ));
        }
        let mut challenge = Message::new();
        challenge.quoted("nonce", &nonce);
        challenge.quoted("realm", &self.realm);
        challenge.quoted("qop", qops.join(","));
        if !ciphers.is_empty() {
            challenge.quoted("cipher", ciphers.join(","));
        }
        if stale {
            challenge.bare("stale", "true");
        }
        if let Some(buffer) = self.wanted.buffer {
            challenge.bare("maxbuf", buffer.to_string());
        }
        challenge.bare("charset", "utf-8");
        challenge.bare("algorithm", "md5-sess");
        self.state = State::Challenged { nonce };
        Ok(Step::Challenge(challenge.finish()))
    }

    /// Checks a response: to `nonce`, or to a nonce of an earlier login.
    fn verify(
        &self,
        host: &dyn ServerHost,
        response: Option<&[u8]>,
        nonce: Option<&str>,
    ) -> core::result::Result<Done, Refusal> {
        let http = host.http_request()?;
        let http = http.as_ref();
        let response = Response::parse(host, response.unwrap_or_default(), nonce, http)?;
        let realm = self.realm_of(host, &response);
        let identified = self.identify(host, &response, realm);
        let found = identified.and_then(|()| secrets(host, &response, realm));
        host.erase(&[PASSWORD, STORED]);
        let secrets = found.map_err(|error| refuse(&response, realm, http, error))?;
        let qop = self.permitted(host, &response)?;
        let session = Session {
            nonce: &response.nonce,
            cnonce: &response.cnonce,
            count: response.count,
            qop: qop.name(),
            uri: &response.uri,
            authzid: response.authzid.as_deref(),
            http,
        };
        let key = matching(&session, &secrets, &response.response)?;
        self.count(host, &response, realm, nonce.is_some())?;
        // The client's limit is for a packet with the length before it.
        let room = response.maxbuf.unwrap_or(DEFAULT_MAXBUF).saturating_sub(4);
        Ok(Done {
            final_data: Some(proof(&session, &key)),
            layer: qop.layer(&key, Side::Server, room),
            ..Done::default()
        })
    }

    fn realm_of<'a>(&self, host: &dyn ServerHost, response: &'a Response<'_>) -> &'a [u8] {
        let realm = response.realm.as_deref().unwrap_or_else(|| {
            host.log(
                Level::Debug,
                format_args!("The client didn't send a realm, assuming empty string."),
            );
            &[]
        });
        if realm != self.realm.as_bytes() {
            host.log(
                Level::Debug,
                format_args!("The client tries to override server provided realm"),
            );
        }
        realm
    }

    fn identify(&self, host: &dyn ServerHost, response: &Response<'_>, realm: &[u8]) -> Result<()> {
        host.request(&[PASSWORD, STORED])?;
        let own_realm = realm.is_empty() || realm == self.realm.as_bytes();
        let name = if own_realm {
            Cow::Borrowed(&*response.username)
        } else {
            Cow::Owned([&response.username, b"@".as_slice(), realm].concat())
        };
        let authzid = response.authzid.as_deref().unwrap_or_default();
        let one_name = authzid.is_empty() || *authzid == *response.username;
        let identity = if one_name {
            Identity::Both
        } else {
            Identity::Authid
        };
        host.identify(&name, identity, Lookup::Required)
            .map_err(|error| {
                Error::new(error.code(), "unable to canonify user and get auxprops")
            })?;
        if !one_name {
            host.identify(authzid, Identity::Authzid, Lookup::Required)
                .map_err(|error| Error::new(error.code(), "unable to canonify authorization ID"))?;
        }
        Ok(())
    }

    /// The protection that the client chose, if it was offered.
    fn permitted(&self, host: &dyn ServerHost, response: &Response<'_>) -> Result<Qop> {
        let qop = match (
            response.qop.as_deref().unwrap_or(b"auth"),
            response.cipher.as_deref(),
        ) {
            (b"auth", _) => Some(Qop::Auth),
            (b"auth-int", _) => Some(Qop::Integrity),
            (b"auth-conf", Some(name)) => {
                let known = self
                    .wanted
                    .ciphers()
                    .find(|cipher| cipher.name().as_bytes() == name);
                let Some(cipher) = known else {
                    let text = "protocol violation: client requested invalid cipher";
                    host.log(Level::Warn, format_args!("{text}"));
                    return Err(Error::new(Code::FAIL, "client requested invalid cipher"));
                };
                Some(Qop::Confidential(cipher))
            }
            _ => None,
        };
        qop.filter(|&qop| self.wanted.allows(qop)).ok_or_else(|| {
            Error::new(
                Code::FAIL,
                "protocol violation: client requested invalid qop",
            )
        })
    }

    /// A nonce counts once, or once more where logins may be renewed.
    fn count(
        &self,
        host: &dyn ServerHost,
        response: &Response<'_>,
        realm: &[u8],
        fresh: bool,
    ) -> core::result::Result<(), Refusal> {
        let login = Use {
            nonce: &response.nonce,
            username: &response.username,
            realm,
            count: response.count,
        };
        let refuse = |reason| Refusal {
            error: Error::new(Code::BADAUTH, reason),
            stale: !fresh,
        };
        if !fresh {
            return MECHANISM
                .sessions
                .advance(login, host.unix_time())
                .map_err(refuse);
        }
        if response.count != 1 {
            return Err(refuse("incorrect nonce-count"));
        }
        if self.reauth_seconds > 0 {
            MECHANISM
                .sessions
                .open(login, host.unix_time(), self.reauth_seconds);
        }
        Ok(())
    }
}

/// The secrets under which the response may be right, the proper one first.
enum Secrets {
    Password(Key, Option<Key>),
    Stored(Key),
}

fn secrets(host: &dyn ServerHost, response: &Response<'_>, realm: &[u8]) -> Result<Secrets> {
    if let Some(password) = host.property(PASSWORD).first() {
        if password.is_empty() {
            return Err(Error::new(Code::FAIL, "empty secret"));
        }
        let password = password.as_bytes();
        let form = |charset| secret(charset, &response.username, realm, password);
        // Of plain ASCII there is one form only.
        let ascii = response.username.is_ascii() && realm.is_ascii() && password.is_ascii();
        let second = (!ascii).then(|| form(Charset::Utf8));
        return Ok(Secrets::Password(form(Charset::Latin1), second));
    }
    let stored = host.property(STORED);
    let Some(stored) = stored.first() else {
        return Err(Error::new(Code::NOUSER, "no secret in database"));
    };
    let key: [u8; 16] = stored.as_bytes().try_into().map_err(|_| {
        Error::new(
            Code::BADAUTH,
            "cmusaslsecretDIGEST-MD5 in the database is not 16 bytes long",
        )
    })?;
    Ok(Secrets::Stored(Zeroizing::new(key)))
}

/// The last message: the server knows the secret too.
fn proof(session: &Session<'_>, key: &Key) -> Vec<u8> {
    let mut message = Message::new();
    let rspauth = session.rspauth(key);
    if session.http.is_some() {
        message.quoted("rspauth", rspauth.as_slice());
        message.quoted("cnonce", session.cnonce);
        message.bare("nc", hex_number(session.count));
        message.quoted("qop", session.qop);
    } else {
        message.bare("rspauth", rspauth.as_slice());
    }
    message.finish()
}

/// The same work for who does not exist, or the time would tell.
fn refuse(
    response: &Response<'_>,
    realm: &[u8],
    http: Option<&HttpRequest>,
    error: Error,
) -> Error {
    let name = &response.username;
    let decoy = secret(Charset::Latin1, name, realm, b"nobody's password");
    let session = Session {
        nonce: &response.nonce,
        cnonce: &response.cnonce,
        count: response.count,
        qop: "auth",
        uri: &response.uri,
        authzid: response.authzid.as_deref(),
        http,
    };
    let outcome = matching(
        &session,
        &Secrets::Password(decoy, None),
        &response.response,
    );
    // Nobody's password is right by chance only, and does not count.
    core::hint::black_box(outcome.is_ok());
    error
}

/// H(A1) for the secret that explains `response`.
fn matching(session: &Session<'_>, secrets: &Secrets, response: &[u8]) -> Result<Key> {
    let (first, second, reason) = match secrets {
        Secrets::Password(first, second) => (
            first,
            second.as_ref(),
            "client response doesn't match what we generated (tried bogus)",
        ),
        Secrets::Stored(key) => (key, None, "client response doesn't match what we generated"),
    };
    let mut found = None;
    for secret in core::iter::once(first).chain(second) {
        let key = session.key(secret);
        let right = session.response(&key).ct_eq(response);
        if bool::from(right) && found.is_none() {
            found = Some(key);
        }
    }
    found.ok_or_else(|| Error::new(Code::BADAUTH, reason))
}

#[cfg(test)]
mod tests;
