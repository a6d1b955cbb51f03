// SPDX-License-Identifier: MIT OR Apache-2.0
//! The client's side of RFC 5802. It refuses counts too small to protect the
//! password and too large to be meant well, and believes the server only after
//! its signature.
#![forbid(unsafe_code)]

use super::keys::{Key, prepared};
use super::message::{ServerFirst, escape, malformed, parse_server_final};
use super::{FEWEST, MOST, Scram};
use crate::credentials::{self, Gathered, Question, gather};
use crate::{Binding, ClientExchange, ClientHost, ClientStep, Disposition, Done, base64};
use saslplug::{Code, Error, Identity, Level, Result, Secret};
use subtle::ConstantTimeEq;

/// Starts an exchange.
pub(super) fn begin(mech: &'static Scram) -> Box<dyn ClientExchange> {
    Box::new(Client {
        mech,
        state: State::Start,
    })
}

struct Client {
    mech: &'static Scram,
    state: State,
}

enum State {
    Start,
    WaitsForSalt(Box<First>),
    WaitsForSignature { expected: Key, binding: Binding },
    Over,
}

/// What is known after the first message.
struct First {
    password: Secret,
    nonce: String,
    /// GS2 header and channel binding data.
    bound: Vec<u8>,
    bare: Vec<u8>,
    binding: Binding,
}

impl ClientExchange for Client {
    fn step(&mut self, host: &dyn ClientHost, challenge: Option<&[u8]>) -> Result<ClientStep> {
        let challenge = challenge.unwrap_or_default();
        match core::mem::replace(&mut self.state, State::Over) {
            State::Start if challenge.is_empty() => self.first(host),
            State::Start => Err(malformed(
                self.mech.name(),
                "no server input expected yet in {}",
            )),
            State::WaitsForSalt(first) => self.prove(host, &first, challenge),
            State::WaitsForSignature { expected, binding } => {
                let signature = parse_server_final(self.mech.name(), challenge)?;
                if bool::from(expected.as_slice().ct_eq(&signature)) {
                    return Ok(ClientStep::Done(Done {
                        binding,
                        ..Done::default()
                    }));
                }
                if signature.len() < expected.len() {
                    let text = "Invalid server proof (truncated) in {} input";
                    return Err(malformed(self.mech.name(), text));
                }
                Err(Error::new(Code::BADAUTH, "ServerSignature mismatch"))
            }
            State::Over => Err(Error::new(Code::FAIL, "this SCRAM exchange is over")),
        }
    }
}

impl Client {
    fn first(&mut self, host: &dyn ClientHost) -> Result<ClientStep> {
        let questions = [
            Question::required(&credentials::AUTHID),
            Question::optional(&credentials::AUTHZID),
            Question::required(&credentials::PASSWORD),
        ];
        let [authid, authzid, password] = match gather(host, questions)? {
            Gathered::Complete(answers) => answers,
            Gathered::Missing(prompts) => {
                self.state = State::Start;
                return Ok(ClientStep::Interact(prompts));
            }
        };
        let authzid = identify(host, &authid, &authzid)?;
        let authid = escape(&host.authid().unwrap_or_default());
        let (flag, data, binding) = channel_binding(host)?;
        let authzid = authzid.map(|name| [b"a=", escape(&name).as_slice()].concat());
        let authzid = authzid.unwrap_or_default();
        let header = [flag.as_bytes(), b",", &authzid, b","].concat();
        let mut random = [0; 24];
        host.fill_random(&mut random)?;
        let nonce = base64::encode(&random);
        let bare = [b"n=", authid.as_slice(), b",r=", nonce.as_bytes()].concat();
        let message = [header.as_slice(), &bare].concat();
        if message.contains(&0) {
            return Err(Error::new(
                Code::BADPARAM,
                "SCRAM cannot carry a name with a NUL inside",
            ));
        }
        let bound = [header.as_slice(), &data].concat();
        let first = First {
            password,
            nonce,
            bound,
            bare,
            binding,
        };
        self.state = State::WaitsForSalt(Box::new(first));
        Ok(ClientStep::Response(Some(message)))
    }

    fn prove(
        &mut self,
        host: &dyn ClientHost,
        first: &First,
        challenge: &[u8],
    ) -> Result<ClientStep> {
        let (hash, mech) = (self.mech.hash, self.mech.name());
        let fewest = fewest(mech, host);
        let server = ServerFirst::parse(mech, challenge, first.nonce.as_bytes(), fewest)?;
        let password = prepared(first.password.as_bytes());
        let salted = hash.salted(&password, &server.salt, server.iterations);
        let bound = base64::encode(&first.bound);
        let without_proof = [b"c=", bound.as_bytes(), b",r=", &server.nonce].concat();
        let message: [&[u8]; 5] = [&first.bare, b",", challenge, b",", &without_proof];
        let proof = base64::encode(&hash.proof(&salted, &message));
        self.state = State::WaitsForSignature {
            expected: hash.expected(&salted, &message),
            binding: first.binding.clone(),
        };
        let response = [without_proof.as_slice(), b",p=", proof.as_bytes()].concat();
        Ok(ClientStep::Response(Some(response)))
    }
}

/// The smallest count that is taken of a server; what is no count means the
/// usual one.
fn fewest(mech: &str, host: &dyn ClientHost) -> u32 {
    let option = "scram_min_iterations";
    let Some(text) = host.option(mech, option) else {
        return FEWEST;
    };
    let count = text.trim().parse().ok();
    count
        .filter(|count| (1..=MOST).contains(count))
        .unwrap_or_else(|| {
            host.log(
                Level::Warn,
                format_args!(
                    "{option} \"{}\" is not between 1 and {MOST}: {FEWEST} is used",
                    text.escape_debug()
                ),
            );
            FEWEST
        })
}

/// Stores the names; the canonical authzid if there is one.
fn identify(host: &dyn ClientHost, authid: &Secret, authzid: &Secret) -> Result<Option<Vec<u8>>> {
    if authzid.is_empty() {
        host.identify(authid.as_bytes(), Identity::Both)?;
        return Ok(None);
    }
    host.identify(authid.as_bytes(), Identity::Authid)?;
    host.identify(authzid.as_bytes(), Identity::Authzid)?;
    Ok(host.authzid())
}

/// The GS2 flag, the data to sign, and what the core wants to know.
fn channel_binding(host: &dyn ClientHost) -> Result<(String, Vec<u8>, Binding)> {
    let (own, disposition) = host.channel_binding();
    let unbound = |flag: &str| {
        Ok((
            flag.to_owned(),
            Vec::new(),
            Binding {
                name: None,
                disposition,
            },
        ))
    };
    match (disposition, own) {
        (Disposition::None, _) => unbound("n"),
        (Disposition::Want, _) => unbound("y"),
        (Disposition::Used, Some(own)) => {
            let known = |letter: char| letter.is_ascii_alphanumeric() || ".-".contains(letter);
            if own.name.is_empty() || !own.name.chars().all(known) {
                return Err(Error::new(
                    Code::BADPARAM,
                    "channel binding type without a valid name",
                ));
            }
            let binding = Binding {
                name: Some(own.name.clone()),
                disposition,
            };
            Ok((format!("p={}", own.name), own.data, binding))
        }
        (Disposition::Used, None) => Err(Error::new(
            Code::BADBINDING,
            "channel binding is to be used, but there is none",
        )),
    }
}

#[cfg(test)]
mod tests;
