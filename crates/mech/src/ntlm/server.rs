// SPDX-License-Identifier: MIT OR Apache-2.0
//! The server of NTLM: challenges, then compares the response with what the
//! password in the store gives. The response that is there decides the version:
//! a wrong NTLM response is not made good by a right LM response.
#![forbid(unsafe_code)]

use super::message::{self, Authenticate, Challenge, NTLM, OEM, REQUEST_TARGET, UNICODE};
use super::message::{TARGET_TYPE_SERVER, text, units, upper, widen};
use super::response::{Hash, Key, SHORT};
use crate::{Done, Lookup, ServerExchange, ServerHost, Step};
use core::ffi::CStr;
use saslplug::{Code, Error, Identity, Result, Secret};
use subtle::ConstantTimeEq;

const PASSWORD: &CStr = c"*userPassword";

enum Server {
    Start,
    Challenged { nonce: [u8; 8], flags: u32 },
    Over,
}

/// Starts an exchange.
pub(super) fn begin() -> Box<dyn ServerExchange> {
    Box::new(Server::Start)
}

impl ServerExchange for Server {
    fn step(&mut self, host: &dyn ServerHost, response: Option<&[u8]>) -> Result<Step> {
        let response = response.unwrap_or_default();
        match core::mem::replace(self, Self::Over) {
            Self::Start => {
                let (challenge, next) = challenge(host, response)?;
                *self = next;
                Ok(Step::Challenge(challenge))
            }
            Self::Challenged { nonce, flags } => {
                let message = Authenticate::read(response).ok_or(Error::new(
                    Code::BADPROT,
                    "client didn't issue valid NTLM response",
                ))?;
                verify(host, &nonce, flags, &message)?;
                Ok(Step::Done(Done::default()))
            }
            Self::Over => Err(Error::new(Code::FAIL, "this NTLM exchange is over")),
        }
    }
}

fn challenge(host: &dyn ServerHost, response: &[u8]) -> Result<(Vec<u8>, Server)> {
    let asked = message::read_negotiate(response).ok_or(Error::new(
        Code::BADPROT,
        "client didn't issue valid NTLM request",
    ))?;
    if host
        .option("NTLM", "ntlm_server")
        .is_some_and(|name| !name.is_empty())
    {
        return Err(Error::new(
            Code::UNAVAIL,
            "option ntlm_server is set, but asking another server over SMB is not supported: \
             remove the option, or NTLM from mech_list",
        ));
    }
    let mut flags = asked & (REQUEST_TARGET | NTLM);
    flags |= if asked & UNICODE != 0 {
        UNICODE
    } else {
        asked & OEM
    };
    let mut target = Vec::new();
    if asked & REQUEST_TARGET != 0 {
        flags |= TARGET_TYPE_SERVER;
        target = text(&upper(&widen(host.server_fqdn().as_bytes())), flags);
    }
    let mut nonce = [0; 8];
    host.fill_random(&mut nonce)?;
    let challenge = Challenge {
        target: &target,
        flags,
        nonce,
        info: &[],
    };
    let too_long = Error::new(Code::FAIL, "the server's name is too long for NTLM");
    let challenge = challenge.write().ok_or(too_long)?;
    Ok((challenge, Server::Challenged { nonce, flags }))
}

fn verify(
    host: &dyn ServerHost,
    nonce: &[u8; 8],
    flags: u32,
    message: &Authenticate<'_>,
) -> Result<()> {
    let usable = message.nt.len() >= SHORT || message.lm.len() == SHORT;
    if message.user.is_empty() || !usable {
        return Err(Error::new(
            Code::BADPROT,
            "client issued incorrect/nonexistent responses",
        ));
    }
    let malformed = Error::new(Code::BADPROT, "NTLM account or domain is no UTF-16 text");
    let (user, domain) = units(message.user, flags)
        .zip(units(message.domain, flags))
        .ok_or_else(|| malformed.clone())?;
    let name = account(message.user, &user, flags).ok_or(malformed)?;
    host.request(&[PASSWORD])?;
    let identified = host.identify(&name, Identity::Both, Lookup::Required);
    let found = identified.and_then(|()| password(host));
    host.erase(&[PASSWORD]);
    // The same work for who does not exist, or the time would tell.
    let (password, refusal) = match found {
        Ok(password) => (password, None),
        Err(error) => (Secret::from(&b"nobody's password"[..]), Some(error)),
    };
    let mine = Expected {
        nonce,
        user: &user,
        domain: &domain,
        password: password.as_bytes(),
    };
    let outcome = match message.nt.len() {
        ..SHORT => mine.lm(message.lm),
        SHORT => mine.nt(message.nt),
        _ => mine.version_2(message.nt),
    };
    refusal.map_or(outcome, Err)
}

/// The name to look up. A NUL would end it early in a store.
fn account(bytes: &[u8], units: &[u16], flags: u32) -> Option<Vec<u8>> {
    let name = if flags & UNICODE == 0 {
        bytes.to_vec()
    } else {
        String::from_utf16(units).ok()?.into_bytes()
    };
    (!name.contains(&0)).then_some(name)
}

fn password(host: &dyn ServerHost) -> Result<Secret> {
    let found = host.property(PASSWORD).into_iter().next();
    let password = found.ok_or(Error::new(Code::NOUSER, "no secret in database"))?;
    if password.is_empty() {
        return Err(Error::new(Code::FAIL, "empty secret"));
    }
    Ok(password)
}

/// What the right responses are made of.
struct Expected<'a> {
    nonce: &'a [u8; 8],
    user: &'a [u16],
    domain: &'a [u16],
    password: &'a [u8],
}

impl Expected<'_> {
    /// Both readings of a password beyond ASCII.
    fn hashes(&self) -> [Hash; 2] {
        [Hash::nt(self.password), Hash::nt_bytewise(self.password)]
    }

    /// The specification takes the domain as it is sent, some clients in upper
    /// case.
    fn keys(&self) -> impl Iterator<Item = Key> {
        let domains = [self.domain.to_vec(), upper(self.domain)];
        self.hashes().into_iter().flat_map(move |hash| {
            let keys = domains
                .clone()
                .map(|domain| hash.version_2(self.user, &domain));
            keys.into_iter()
        })
    }

    fn nt(&self, response: &[u8]) -> Result<()> {
        let right = self.hashes().map(|hash| hash.respond(self.nonce).to_vec());
        among(right, response, "incorrect NTLM response")
    }

    fn version_2(&self, response: &[u8]) -> Result<()> {
        let data = response.get(16..).unwrap_or_default();
        let right = self.keys().map(|key| key.respond(self.nonce, data));
        among(right, response, "incorrect NTLMv2 response")
    }

    fn lm(&self, response: &[u8]) -> Result<()> {
        let version_1 = Hash::lm(self.password).respond(self.nonce).to_vec();
        let data = response.get(16..).unwrap_or_default();
        let version_2 = self.keys().map(|key| key.respond(self.nonce, data));
        let right = version_2.chain([version_1]);
        among(right, response, "incorrect LMv1/v2 response")
    }
}

fn among(
    right: impl IntoIterator<Item = Vec<u8>>,
    response: &[u8],
    otherwise: &'static str,
) -> Result<()> {
    let mut found = subtle::Choice::from(0);
    for one in right {
        found |= one.ct_eq(response);
    }
    if found.into() {
        return Ok(());
    }
    Err(Error::new(Code::BADAUTH, otherwise))
}
