// SPDX-License-Identifier: MIT OR Apache-2.0
//! The server of OTP. It locks the user's chain before it challenges, and
//! stores the next state before it tells success: no answer counts twice, not
//! even at two servers at once. An exchange that fails or is given up unlocks.
#![forbid(unsafe_code)]

use super::record::{self, Record, WANTED};
use super::response::Response;
use crate::{Done, Lookup, ServerExchange, ServerHost, Step};
use saslplug::{Code, Error, Identity, Result};
use subtle::ConstantTimeEq;

/// How long a client may take to answer, in seconds.
const PATIENCE: u64 = 5 * 60;

enum Server {
    Start,
    Challenged(Challenged),
    Over,
}

/// A chain that this exchange has locked.
struct Challenged {
    /// The name as the client gave it.
    name: Vec<u8>,
    /// The name in the store.
    user: Vec<u8>,
    record: Record,
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
                *self = Self::Challenged(next);
                Ok(Step::Challenge(challenge.into_bytes()))
            }
            Self::Challenged(challenged) => {
                challenged.verify(host, response)?;
                Ok(Step::Done(Done::default()))
            }
            Self::Over => Err(Error::new(Code::FAIL, "this OTP exchange is over")),
        }
    }

    fn abandon(&mut self, host: &dyn ServerHost) {
        if let Self::Challenged(challenged) = core::mem::replace(self, Self::Over) {
            challenged.unlock(host);
        }
    }
}

fn challenge(host: &dyn ServerHost, response: &[u8]) -> Result<(String, Challenged)> {
    let mut parts = response.split(|&byte| byte == 0);
    let authzid = parts.next().unwrap_or_default();
    let authid = parts.next().ok_or(Error::new(
        Code::BADPROT,
        "Can only find OTP authzid (no authid)",
    ))?;
    if parts.next().is_some() {
        return Err(Error::new(
            Code::BADPROT,
            "Got more data than we were expecting in the OTP plugin\n",
        ));
    }
    let acted = if authzid.is_empty() { authid } else { authzid };
    host.request(&[WANTED])?;
    host.identify(authid, Identity::Authid, Lookup::Required)?;
    let record = record::find(host);
    host.identify(acted, Identity::Authzid, Lookup::Required)?;
    let mut record = record?;
    if record.sequence <= 1 {
        return Err(Error::new(Code::EXPIRED, "OTP has expired (sequence <= 1)"));
    }
    let now = host.unix_time();
    if record.locked_until > now {
        return Err(Error::new(
            Code::TRYAGAIN,
            "simultaneous OTP authentications not permitted",
        ));
    }
    record.locked_until = now.saturating_add(PATIENCE);
    let user = host.authid().unwrap_or_default();
    record::store(host, &user, Some(&record))?;
    let challenge = format!(
        "otp-{} {} {} ext",
        record.algorithm.name(),
        record.sequence - 1,
        record.seed
    );
    let name = authid.to_vec();
    Ok((challenge, Challenged { name, user, record }))
}

impl Challenged {
    fn verify(self, host: &dyn ServerHost, response: &[u8]) -> Result<()> {
        self.still_locked(host)?;
        let Some(response) = Response::read(response) else {
            return self.refuse(host, "this is no OTP response");
        };
        let reached = self.record.algorithm.next(&response.value);
        if !bool::from(reached.ct_eq(&self.record.value)) {
            return self.refuse(host, "incorrect OTP response");
        }
        let (next, outcome) = match response.new {
            Some(Ok(new)) if new.seed != self.record.seed => (new, Ok(())),
            None => (self.used(response.value), Ok(())),
            Some(new) => {
                let same = Error::new(Code::BADAUTH, "a new OTP chain needs a new seed");
                (self.used(response.value), Err(new.err().unwrap_or(same)))
            }
        };
        record::store(host, &self.user, Some(&next))?;
        outcome
    }

    fn used(&self, value: super::hash::Value) -> Record {
        Record {
            sequence: self.record.sequence.saturating_sub(1),
            value,
            locked_until: 0,
            ..self.record.clone()
        }
    }

    /// Another server may have taken the same answer since: look again.
    fn still_locked(&self, host: &dyn ServerHost) -> Result<()> {
        host.request(&[WANTED])?;
        host.identify(&self.name, Identity::Authid, Lookup::Required)?;
        if record::find(host)? == self.record {
            return Ok(());
        }
        Err(Error::new(
            Code::TRYAGAIN,
            "the OTP secret was changed during this login",
        ))
    }

    fn refuse(&self, host: &dyn ServerHost, reason: &'static str) -> Result<()> {
        self.unlock(host);
        Err(Error::new(Code::BADAUTH, reason))
    }

    /// A lock that cannot be taken away ends by itself.
    fn unlock(&self, host: &dyn ServerHost) {
        let record = Record {
            locked_until: 0,
            ..self.record.clone()
        };
        let _ = record::store(host, &self.user, Some(&record));
    }
}
