// SPDX-License-Identifier: MIT OR Apache-2.0
//! CRAM-MD5 (RFC 2195): the client signs a challenge with its password, HMAC-MD5.
//! The server stays unproven. Needs the password, or the state of the HMAC after
//! it took the password (`cmusaslsecretCRAM-MD5`). For old peers.
#![forbid(unsafe_code)]

use crate::credentials::{self, Gathered, Question, gather};
use crate::hex::hex;
use crate::{ClientExchange, ClientHost, ClientMech, ClientStep, Done, Features, Lookup, MechInfo};
use crate::{Security, ServerExchange, ServerHost, ServerMech, Step};
use core::ffi::CStr;
use core::fmt::Write;
use md5::block_api::compress;
use md5::{Digest, Md5};
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
                let mut random = [0; 16];
                host.fill_random(&mut random)?;
                let challenge = challenge(&random, host.unix_time(), &host.server_fqdn());
                self.challenge = Some(challenge.clone());
                Ok(Step::Challenge(challenge.into_bytes()))
            }
        }
    }
}

/// Numbers that nobody can predict, the time and the server, as RFC 822 names
/// a message.
fn challenge(random: &[u8; 16], time: u64, server: &str) -> String {
    let mut text = String::with_capacity(server.len() + 66);
    text.push('<');
    // Writing to a String cannot fail.
    for half in random.chunks_exact(8) {
        let number = half.try_into().map_or(0, u64::from_ne_bytes);
        let _ = write!(text, "{number}");
    }
    let _ = write!(text, ".{time}@{server}>");
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
    host.identify(name, Identity::Both, Lookup::Required)?;
    let state = secret(host);
    host.erase(&[PASSWORD, STORED]);
    let expected = state?.sign(challenge.as_bytes());
    let digest = digest.get(1..).unwrap_or_default();
    if bool::from(expected.as_slice().ct_eq(digest)) {
        return Ok(Step::Done(Done::default()));
    }
    Err(Error::new(Code::BADAUTH, "incorrect digest response"))
}

fn secret(host: &dyn ServerHost) -> Result<State> {
    if let Some(password) = host.property(PASSWORD).first() {
        if password.is_empty() {
            return Err(Error::new(Code::FAIL, "empty secret"));
        }
        return Ok(State::new(password.as_bytes()));
    }
    let stored = host.property(STORED);
    let Some(stored) = stored.first() else {
        return Err(Error::new(Code::NOUSER, "no secret in database"));
    };
    State::stored(stored.as_bytes()).ok_or_else(|| {
        Error::new(
            Code::BADAUTH,
            "cmusaslsecretCRAM-MD5 in the database is not 32 bytes long",
        )
    })
}

/// HMAC-MD5 (RFC 2104) after its two key blocks, as `hmac_md5_precalc` makes it:
/// that is what old databases hold, so the crate `hmac` does not do.
struct State {
    inner: Zeroizing<[u32; 4]>,
    outer: Zeroizing<[u32; 4]>,
}

const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

impl State {
    fn new(password: &[u8]) -> Self {
        let short = Zeroizing::new(<[u8; 16]>::from(Md5::digest(password)));
        let key = if password.len() > 64 {
            short.as_slice()
        } else {
            password
        };
        let keyed = |pad: u8| {
            let mut block = Zeroizing::new([pad; 64]);
            for (slot, byte) in block.iter_mut().zip(key) {
                *slot ^= byte;
            }
            let mut state = Zeroizing::new(START);
            compress(&mut state, &[*block]);
            state
        };
        Self {
            inner: keyed(0x36),
            outer: keyed(0x5c),
        }
    }

    /// Eight words, the inner state first, each with its high byte first.
    fn stored(bytes: &[u8]) -> Option<Self> {
        let (inner, outer) = bytes.split_at_checked(16)?;
        let words = |bytes: &[u8]| -> Option<Zeroizing<[u32; 4]>> {
            let mut words = Zeroizing::new([0; 4]);
            for (word, bytes) in words.iter_mut().zip(bytes.chunks(4)) {
                *word = u32::from_be_bytes(bytes.try_into().ok()?);
            }
            (bytes.len() == 16).then_some(words)
        };
        Some(Self {
            inner: words(inner)?,
            outer: words(outer)?,
        })
    }

    /// The digest of `message`, as it is sent.
    fn sign(&self, message: &[u8]) -> Zeroizing<[u8; 32]> {
        let inner = finish(&self.inner, message);
        hex(&finish(&self.outer, &inner))
    }
}

/// The rest of an MD5 (RFC 1321) whose first block is in `state`.
fn finish(state: &[u32; 4], message: &[u8]) -> [u8; 16] {
    let mut state = Zeroizing::new(*state);
    let bits = ((message.len() as u64).wrapping_add(64)).wrapping_mul(8);
    let blocks = message.chunks_exact(64);
    // What is left over, the mark behind it, and the length at the end of a
    // block: one block, or two where the length has no room in the first.
    let rest = blocks.remainder();
    let mut tail = [0; 128];
    for (slot, byte) in tail.iter_mut().zip(rest.iter().chain(&[0x80])) {
        *slot = *byte;
    }
    let size = if rest.len() < 56 { 64 } else { 128 };
    let tail = tail.get_mut(..size).unwrap_or_default();
    for (slot, byte) in tail.iter_mut().rev().zip(bits.to_be_bytes()) {
        *slot = byte;
    }
    for block in blocks.chain(tail.chunks_exact(64)) {
        if let Ok(block) = block.try_into() {
            compress(&mut state, &[block]);
        }
    }
    let mut digest = [0; 16];
    for (bytes, word) in digest.chunks_mut(4).zip(state.iter()) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    digest
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
        let digest = State::new(password.as_bytes()).sign(challenge);
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
