// SPDX-License-Identifier: MIT OR Apache-2.0
//! The client of OTP: makes the one-time password from the pass phrase, in
//! hexadecimal digits. Early enough it starts a new chain, so that nobody runs
//! out of passwords: stock does so from the tenth login on.
#![forbid(unsafe_code)]

use super::hash::Algorithm;
use super::record::{HIGHEST, number, seed};
use super::response::unsupported;
use super::{FIRST_SEQUENCE, seed as new_seed};
use crate::credentials::{self, Gathered, Question, gather};
use crate::{ClientExchange, ClientHost, ClientStep, Done};
use saslplug::{Code, Error, Identity, Result, Secret};

/// Below this number a new chain is asked for.
const LOW: u16 = 490;
/// The longest challenge that is looked at.
const LONGEST: usize = 255;

enum Client {
    Start,
    Named { pass_phrase: Secret },
    Over,
}

/// Starts an exchange.
pub(super) fn begin() -> Box<dyn ClientExchange> {
    Box::new(Client::Start)
}

impl ClientExchange for Client {
    fn step(&mut self, host: &dyn ClientHost, challenge: Option<&[u8]>) -> Result<ClientStep> {
        match core::mem::replace(self, Self::Over) {
            Self::Start => self.introduce(host),
            Self::Named { pass_phrase } => {
                let challenge = Challenge::read(challenge.unwrap_or_default())?;
                let answer = challenge.answer(host, &pass_phrase)?;
                Ok(ClientStep::Done(Done {
                    final_data: Some(answer.into_bytes()),
                    ..Done::default()
                }))
            }
            Self::Over => Err(Error::new(Code::FAIL, "this OTP exchange is over")),
        }
    }
}

impl Client {
    fn introduce(&mut self, host: &dyn ClientHost) -> Result<ClientStep> {
        let mut prompt = credentials::PASSWORD.clone();
        prompt.text = "Please enter your secret pass-phrase".into();
        let questions = [
            Question::required(&credentials::AUTHID),
            Question::optional(&credentials::AUTHZID),
            Question::required(&prompt),
        ];
        let [authid, authzid, pass_phrase] = match gather(host, questions)? {
            Gathered::Complete(answers) => answers,
            Gathered::Missing(prompts) => {
                *self = Self::Start;
                return Ok(ClientStep::Interact(prompts));
            }
        };
        if authzid.is_empty() {
            host.identify(authid.as_bytes(), Identity::Both)?;
        } else {
            host.identify(authzid.as_bytes(), Identity::Authzid)?;
            host.identify(authid.as_bytes(), Identity::Authid)?;
        }
        let names = [host.authzid(), host.authid()].map(Option::unwrap_or_default);
        if names.iter().any(|name| name.contains(&0)) {
            return Err(Error::new(
                Code::BADPARAM,
                "OTP cannot carry a name with a NUL byte inside",
            ));
        }
        *self = Self::Named { pass_phrase };
        Ok(ClientStep::Response(Some(names.join(&0))))
    }
}

/// What the server asks for.
struct Challenge {
    algorithm: Algorithm,
    sequence: u16,
    seed: String,
}

impl Challenge {
    fn read(challenge: &[u8]) -> Result<Self> {
        let malformed = |what| Error::new(Code::BADPROT, what);
        if challenge.len() > LONGEST {
            return Err(malformed("OTP challenge too long"));
        }
        let text = core::str::from_utf8(challenge).unwrap_or_default();
        let mut fields = text.split_ascii_whitespace();
        let name = fields
            .next()
            .and_then(|name| name.strip_prefix("otp-"))
            .ok_or(malformed("not an OTP challenge"))?;
        let algorithm = Algorithm::named(name).ok_or_else(|| unsupported(name))?;
        let sequence: u16 = fields
            .next()
            .and_then(number)
            .filter(|&sequence| sequence <= HIGHEST)
            .ok_or(malformed("an OTP sequence is a number up to 9999"))?;
        if sequence < 1 {
            return Err(Error::new(Code::EXPIRED, "OTP has expired (sequence < 1)"));
        }
        let seed = fields
            .next()
            .and_then(seed)
            .ok_or(malformed("an OTP seed is 1 to 16 letters and digits"))?;
        let extended = fields
            .next()
            .is_some_and(|list| list.split(',').any(|name| name == "ext"));
        if !extended {
            return Err(malformed("not an OTP extended challenge"));
        }
        Ok(Self {
            algorithm,
            sequence,
            seed,
        })
    }

    fn answer(&self, host: &dyn ClientHost, pass_phrase: &Secret) -> Result<String> {
        let value = |seed: &str, sequence| {
            let value = self.algorithm.value(seed, pass_phrase.as_bytes(), sequence);
            format!("{:016x}", u64::from_be_bytes(value))
        };
        let current = value(&self.seed, self.sequence);
        if self.sequence >= LOW {
            return Ok(format!("hex:{current}"));
        }
        let server = host.server_fqdn().unwrap_or_default();
        let mut random = [0; 8];
        host.fill_random(&mut random)?;
        let mut next = new_seed(&server, random);
        if next == self.seed {
            next.push('0');
        }
        let algorithm = self.algorithm.name();
        let new = value(&next, FIRST_SEQUENCE);
        Ok(format!(
            "init-hex:{current}:{algorithm} {FIRST_SEQUENCE} {next}:{new}"
        ))
    }
}
