// SPDX-License-Identifier: MIT OR Apache-2.0
//! The client of NTLM: announces itself and answers the challenge. Option
//! `ntlm_v2: yes` makes it answer with version 2, which a listener guesses less
//! fast; then NTLMv2 where the server tells its clock, and LMv2 else.
#![forbid(unsafe_code)]

use super::message::{self, Authenticate, Challenge, KNOWN, NTLM};
use super::message::{text, timestamp, units, upper, widen};
use super::response::{self, Hash, Key, SHORT};
use crate::credentials::{self, Gathered, Question, gather};
use crate::{ClientExchange, ClientHost, ClientStep, Done};
use saslplug::{Code, Error, Identity, Result};

struct Client {
    announced: bool,
}

/// Starts an exchange.
pub(super) fn begin() -> Box<dyn ClientExchange> {
    Box::new(Client { announced: false })
}

impl ClientExchange for Client {
    fn step(&mut self, host: &dyn ClientHost, challenge: Option<&[u8]>) -> Result<ClientStep> {
        if !core::mem::replace(&mut self.announced, true) {
            return Ok(ClientStep::Response(Some(message::negotiate())));
        }
        let invalid = || Error::new(Code::BADPROT, "server didn't issue valid NTLM challenge");
        let challenge = Challenge::read(challenge.unwrap_or_default()).ok_or_else(invalid)?;
        let time = timestamp(challenge.info).map_err(|()| invalid())?;
        let flags = challenge.flags & KNOWN;
        let domain = units(challenge.target, flags).ok_or_else(invalid)?;
        let domain = upper(domain.split(|&unit| unit == 0).next().unwrap_or_default());
        let questions = [
            Question::required(&credentials::AUTHID),
            Question::required(&credentials::PASSWORD),
        ];
        let [authid, password] = match gather(host, questions)? {
            Gathered::Complete(answers) => answers,
            Gathered::Missing(prompts) => return Ok(ClientStep::Interact(prompts)),
        };
        host.identify(authid.as_bytes(), Identity::Both)?;
        let name = host.authid().unwrap_or_default();
        let (lm, nt) = if version_2(host) {
            let key = Hash::nt_bytewise(password.as_bytes()).version_2(&widen(&name), &domain);
            respond_2(host, &key, &challenge, time)?
        } else if flags & NTLM != 0 {
            let hash = Hash::nt_bytewise(password.as_bytes());
            (Vec::new(), hash.respond(&challenge.nonce).to_vec())
        } else {
            let hash = Hash::lm(password.as_bytes());
            (hash.respond(&challenge.nonce).to_vec(), Vec::new())
        };
        let message = Authenticate {
            lm: &lm,
            nt: &nt,
            domain: &text(&domain, flags),
            user: &text(&widen(&name), flags),
        };
        let final_data = message.write(flags).ok_or(TOO_LONG)?;
        Ok(ClientStep::Done(Done {
            final_data: Some(final_data),
            ..Done::default()
        }))
    }
}

const TOO_LONG: Error = Error::new(Code::BADPARAM, "a name is too long for an NTLM message");

fn version_2(host: &dyn ClientHost) -> bool {
    let option = host.option("NTLM", "ntlm_v2").unwrap_or_default();
    matches!(option.as_bytes().first(), Some(b'1' | b'y' | b't')) || option == "on"
}

/// The LM and the NTLM response of version 2. NTLMv2 tells the time, and the
/// only clock here is the server's.
fn respond_2(
    host: &dyn ClientHost,
    key: &Key,
    challenge: &Challenge<'_>,
    time: Option<[u8; 8]>,
) -> Result<(Vec<u8>, Vec<u8>)> {
    let mut own = [0; 8];
    host.fill_random(&mut own)?;
    let Some(time) = time else {
        return Ok((key.respond(&challenge.nonce, &own), Vec::new()));
    };
    let data = response::data(time, own, challenge.info);
    Ok((vec![0; SHORT], key.respond(&challenge.nonce, &data)))
}
