// SPDX-License-Identifier: MIT OR Apache-2.0
//! CRAM-MD5 (RFC 2195): the client signs a challenge with its password, HMAC-MD5.
//! The server stays unproven. Needs the password, or the state of the HMAC after
//! it took the password (`cmusaslsecretCRAM-MD5`). For old peers.
#![forbid(unsafe_code)]

use crate::credentials::{self, Gathered, Question, gather};
use crate::hex::hex;
use crate::hmac_md5::Keyed;
use crate::{ClientExchange, ClientHost, ClientMech, ClientStep, Done, Features, Lookup, MechInfo};
use crate::{Security, ServerExchange, ServerHost, ServerMech, Step};
use core::ffi::CStr;
use core::fmt::Write;
use saslplug::{Code, Error, Identity, Result};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The mechanism, both sides.
pub(crate) struct CramMd5;

/// Its line in both tables.
pub(crate) static MECHANISM: CramMd5 = CramMd5;

static INFO: MechInfo = MechInfo::new(
    "CRAM-MD5",
    0,
    Security::NOPLAINTEXT.union(Security::NOANONYMOUS),
    Features::SERVER_FIRST,
);

const PASSWORD: &CStr = c"*userPassword";
const STORED: &CStr = c"*cmusaslsecretCRAM-MD5";
const LONGEST: usize = 1024;
const TOO_LONG: Error = Error::new(Code::BADPROT, "CRAM-MD5 input longer than 1024 bytes");

impl ServerMech for CramMd5 {
    fn info(&self) -> &MechInfo {
        &INFO
    }

    fn begin(&self, _: &dyn ServerHost) -> Result<Box<dyn ServerExchange>> {
        Ok(Box::new(Server { challenge: None }))
    }
}

struct Server {
    challenge: Option<String>,
}

impl ServerExchange for Server {
    fn step(&mut self, host: &dyn ServerHost, response: Option<&[u8]>) -> Result<Step> {
        match self.challenge.take() {
            Some(challenge) => verify(host, &challenge, response.unwrap_or_default()),
            None if response.is_some() => Err(Error::new(
                Code::BADPROT,
                "CRAM-MD5 does not accept initial data",
            )),
            None => {
                let mut random = [0; 8];
                host.fill_random(&mut random)?;
                let random = u64::from_ne_bytes(random);
                let challenge = challenge(random, host.unix_time(), &host.server_fqdn());
                self.challenge = Some(challenge.clone());
                Ok(Step::Challenge(challenge.into_bytes()))
            }
        }
    }
}

/// A number that nobody can predict, the time and the server, as RFC 822 names a
/// message. Short: with most names it is one block for the hash.
fn challenge(random: u64, time: u64, server: &str) -> String {
    let mut text = String::with_capacity(server.len() + 44);
    // Writing to a String cannot fail.
    let _ = write!(text, "<{random}.{time}@");
    text.push_str(server);
    text.push('>');
    text
}

fn verify(host: &dyn ServerHost, challenge: &str, response: &[u8]) -> Result<Step> {
    if response.len() > LONGEST {
        return Err(TOO_LONG);
    }
    let space = response
        .iter()
        .rposition(|&byte| byte == b' ')
        .unwrap_or_default();
    let (name, digest) = response.split_at(space);
    if name.is_empty() {
        return Err(Error::new(Code::BADPROT, "need authentication name"));
    }
    if name.contains(&0) {
        return Err(Error::new(
            Code::BADPROT,
            "NUL byte inside the name of CRAM-MD5",
        ));
    }
    host.request(&[PASSWORD, STORED])?;
    let identified = host.identify(name, Identity::Both, Lookup::Required);
    let found = identified.and_then(|()| secret(host));
    host.erase(&[PASSWORD, STORED]);
    // The same work for who does not exist, or the time would tell.
    let (key, refusal) = match found {
        Ok(key) => (key, None),
        Err(error) => (Keyed::new(b"nobody's password"), Some(error)),
    };
    let expected = sign(&key, challenge.as_bytes());
    let digest = digest.get(1..).unwrap_or_default();
    let right = bool::from(expected.as_slice().ct_eq(digest));
    match refusal {
        Some(refusal) => Err(refusal),
        None if right => Ok(Step::Done(Done::default())),
        None => Err(Error::new(Code::BADAUTH, "incorrect digest response")),
    }
}

fn secret(host: &dyn ServerHost) -> Result<Keyed> {
    if let Some(password) = host.property(PASSWORD).first() {
        if password.is_empty() {
            return Err(Error::new(Code::FAIL, "empty secret"));
        }
        return Ok(Keyed::new(password.as_bytes()));
    }
    let stored = host.property(STORED);
    let Some(stored) = stored.first() else {
        return Err(Error::new(Code::NOUSER, "no secret in database"));
    };
    Keyed::stored(stored.as_bytes()).ok_or_else(|| {
        Error::new(
            Code::BADAUTH,
            "cmusaslsecretCRAM-MD5 in the database is not 32 bytes long",
        )
    })
}

/// The digest of `message`, as it is sent.
fn sign(key: &Keyed, message: &[u8]) -> Zeroizing<[u8; 32]> {
    hex(&key.tag(message))
}

impl ClientMech for CramMd5 {
    fn info(&self) -> &MechInfo {
        &INFO
    }

    fn begin(&self, _: &dyn ClientHost) -> Result<Box<dyn ClientExchange>> {
        Ok(Box::new(Client { started: false }))
    }
}

struct Client {
    started: bool,
}

impl ClientExchange for Client {
    fn step(&mut self, host: &dyn ClientHost, challenge: Option<&[u8]>) -> Result<ClientStep> {
        let first = !core::mem::replace(&mut self.started, true);
        let Some(challenge) = challenge else {
            if first {
                return Ok(ClientStep::Response(None));
            }
            return Err(Error::new(
                Code::BADPROT,
                "the server sent no CRAM-MD5 challenge",
            ));
        };
        if challenge.len() > LONGEST {
            return Err(TOO_LONG);
        }
        if challenge.is_empty() {
            // What we would sign could be used again by anybody who saw it.
            return Err(Error::new(
                Code::BADPROT,
                "the server sent an empty CRAM-MD5 challenge",
            ));
        }
        let questions = [
            Question::required(&credentials::AUTHID),
            Question::required(&credentials::PASSWORD),
        ];
        let [name, password] = match gather(host, questions)? {
            Gathered::Complete(answers) => answers,
            Gathered::Missing(prompts) => return Ok(ClientStep::Interact(prompts)),
        };
        host.identify(name.as_bytes(), Identity::Both)?;
        let digest = sign(&Keyed::new(password.as_bytes()), challenge);
        let name = host.authid().unwrap_or_default();
        let response = [name.as_slice(), b" ", digest.as_slice()].concat();
        Ok(ClientStep::Done(Done {
            final_data: Some(response),
            ..Done::default()
        }))
    }
}

#[cfg(test)]
mod tests;
