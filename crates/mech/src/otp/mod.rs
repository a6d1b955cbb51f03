// SPDX-License-Identifier: MIT OR Apache-2.0
//! OTP (RFC 2444, RFC 2289, RFC 2243): each login uses up one of a chain of
//! passwords; who listens learns nothing for the next login. The server keeps
//! the last password used and must be able to store. Offered only where the
//! option `mech_list` names it: most users have no chain.
#![forbid(unsafe_code)]

mod client;
mod hash;
mod record;
mod response;
mod server;
mod words;

use crate::{Change, ClientExchange, ClientHost, ClientMech, Features, MechInfo, Security};
use crate::{ServerExchange, ServerHost, ServerMech};
use hash::Algorithm;
use record::Record;
use saslplug::{Code, Error, Result, Secret};

/// The mechanism, both sides.
pub(crate) struct Otp;

/// Its line in both tables.
pub(crate) static MECHANISM: Otp = Otp;

static INFO: MechInfo = MechInfo::new(
    "OTP",
    0,
    Security::NOPLAINTEXT
        .union(Security::NOANONYMOUS)
        .union(Security::FORWARD_SECRECY),
    Features::WANT_CLIENT_FIRST.union(Features::ALLOWS_PROXY),
);

/// Where a new chain begins.
const FIRST_SEQUENCE: u16 = 499;

impl ServerMech for Otp {
    fn info(&self) -> &MechInfo {
        &INFO
    }

    fn begin(&self, _: &dyn ServerHost) -> Result<Box<dyn ServerExchange>> {
        Ok(server::begin())
    }

    fn available(&self, host: &dyn ServerHost) -> Result<()> {
        if !host.lists("OTP") {
            return Err(Error::new(
                Code::NOMECH,
                "OTP is offered only where the option mech_list names it",
            ));
        }
        host.can_store()
    }

    fn set_password(&self, host: &dyn ServerHost, change: &Change<'_>) -> Option<Result<()>> {
        let user = change.user.to_bytes();
        host.lists("OTP")
            .then(|| start_chain(host, user, change.password))
    }

    fn sets_passwords(&self) -> bool {
        true
    }
}

impl ClientMech for Otp {
    fn info(&self) -> &MechInfo {
        &INFO
    }

    fn begin(&self, _: &dyn ClientHost) -> Result<Box<dyn ClientExchange>> {
        Ok(client::begin())
    }
}

/// A new chain from a pass phrase, or none any more.
fn start_chain(host: &dyn ServerHost, user: &[u8], password: Option<&Secret>) -> Result<()> {
    let Some(password) = password else {
        return record::store(host, user, None);
    };
    let option = host.option("OTP", "otp_mda");
    let name = option.as_deref().unwrap_or("md5");
    let algorithm = Algorithm::named(name).ok_or_else(|| {
        Error::with(
            Code::CONFIGERR,
            format!("option otp_mda: {name} is none of md4 md5 sha1"),
        )
    })?;
    let mut random = [0; 8];
    host.fill_random(&mut random)?;
    let seed = seed(&host.server_fqdn(), random);
    let value = algorithm.value(&seed, password.as_bytes(), FIRST_SEQUENCE);
    let record = Record {
        algorithm,
        sequence: FIRST_SEQUENCE,
        seed,
        value,
        locked_until: 0,
    };
    record::store(host, user, Some(&record))
}

/// A seed as stock makes them: two letters of the server's name, four digits.
fn seed(server: &str, random: [u8; 8]) -> String {
    let letters = server.chars().filter(char::is_ascii_alphanumeric);
    let mut seed: String = letters.chain("ot".chars()).take(2).collect();
    seed.make_ascii_lowercase();
    let digits = u64::from_le_bytes(random) % 10_000;
    seed.push_str(&format!("{digits:04}"));
    seed
}

#[cfg(test)]
mod tests;
