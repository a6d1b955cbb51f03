// SPDX-License-Identifier: MIT OR Apache-2.0
//! SCRAM (RFC 5802, RFC 7677): both sides prove that they know the password,
//! neither learns it, and the store may hold keys instead of it. One family,
//! five hashes, each with channel binding (-PLUS).
#![forbid(unsafe_code)]

mod cache;
mod client;
mod keys;
mod message;
mod server;

use crate::{Change, ServerExchange, ServerHost, ServerMech};
use crate::{ClientExchange, ClientHost, ClientMech, Features, MechInfo, Security};
use cache::Memory;
use keys::Hash;
use saslplug::{Result, Secret};

/// One member of the family, both sides.
pub(crate) struct Scram {
    info: MechInfo,
    hash: Hash,
    memory: Memory,
}

impl Scram {
    const fn new(name: &'static str, hash: Hash) -> Self {
        let security = Security::NOPLAINTEXT
            .union(Security::NOACTIVE)
            .union(Security::NOANONYMOUS)
            .union(Security::MUTUAL_AUTH)
            .with_hash_bits(hash.bits());
        let features = Features::ALLOWS_PROXY
            .union(Features::CHANNEL_BINDING)
            .union(Features::SUPPORTS_HTTP);
        Self {
            info: MechInfo::new(name, 0, security, features),
            hash,
            memory: Memory::new(),
        }
    }

    /// An exchange may outlive every borrow, and the family lives for ever.
    const fn of(hash: Hash) -> &'static Self {
        match hash {
            Hash::Sha1 => &SHA_1,
            Hash::Sha224 => &SHA_224,
            Hash::Sha256 => &SHA_256,
            Hash::Sha384 => &SHA_384,
            Hash::Sha512 => &SHA_512,
        }
    }

    fn name(&self) -> &str {
        &self.info.name
    }

    /// Keeps keys for a password (RFC 5803), or removes them. A store that
    /// holds one value of a property keeps those of the mechanism asked last.
    fn store_keys(&self, host: &dyn ServerHost, change: &Change<'_>) -> Result<()> {
        let mut values = Vec::new();
        if let Some(password) = change.password {
            let mut salt = [0; 16];
            host.fill_random(&mut salt)?;
            let count = server::iterations(self.name(), host);
            let text = keys::text(self.hash, self.name(), password.as_bytes(), &salt, count);
            values.push(Secret::from(text.as_bytes()));
        }
        host.store(change.user, &[(c"authPassword", &values)])
    }
}

/// What a store keeps instead of the password, for the mechanism `name`
/// (`SCRAM-SHA-256`); `None`: no such mechanism, or too many iterations.
pub fn stored_keys(name: &str, password: &[u8], salt: &[u8], iterations: u32) -> Option<Secret> {
    let family = [&SHA_1, &SHA_224, &SHA_256, &SHA_384, &SHA_512];
    let scram = family.into_iter().find(|scram| scram.name() == name)?;
    if !(1..=MOST).contains(&iterations) {
        return None;
    }
    let text = keys::text(scram.hash, name, password, salt, iterations);
    Some(Secret::from(text.as_bytes()))
}

pub(crate) static SHA_1: Scram = Scram::new("SCRAM-SHA-1", Hash::Sha1);
pub(crate) static SHA_224: Scram = Scram::new("SCRAM-SHA-224", Hash::Sha224);
pub(crate) static SHA_256: Scram = Scram::new("SCRAM-SHA-256", Hash::Sha256);
pub(crate) static SHA_384: Scram = Scram::new("SCRAM-SHA-384", Hash::Sha384);
pub(crate) static SHA_512: Scram = Scram::new("SCRAM-SHA-512", Hash::Sha512);

/// Fewer iterations than this protect no password (RFC 5802 section 5.1).
const FEWEST: u32 = 4096;
/// More than this would only keep the processor busy.
const MOST: u32 = 5_000_000;
/// The largest message of a client that a server looks at.
const LONGEST_RESPONSE: usize = 2048;
/// The largest message of a server that a client looks at.
const LONGEST_CHALLENGE: usize = 65536;

/// Forgets the keys that servers of this process keep of recent logins.
pub fn forget_keys() {
    for mech in [&SHA_1, &SHA_224, &SHA_256, &SHA_384, &SHA_512] {
        mech.memory.forget();
    }
}

impl ServerMech for Scram {
    fn info(&self) -> &MechInfo {
        &self.info
    }

    fn begin(&self, _: &dyn ServerHost) -> Result<Box<dyn ServerExchange>> {
        Ok(server::begin(Self::of(self.hash)))
    }

    fn sets_passwords(&self) -> bool {
        true
    }

    fn set_password(&self, host: &dyn ServerHost, change: &Change<'_>) -> Option<Result<()>> {
        let wanted = host.option(self.name(), "scram_secret_generate")?;
        let on = wanted.eq_ignore_ascii_case("on")
            || matches!(
                wanted.bytes().next(),
                Some(b'1' | b'y' | b'Y' | b't' | b'T')
            );
        on.then(|| self.store_keys(host, change))
    }
}

impl ClientMech for Scram {
    fn info(&self) -> &MechInfo {
        &self.info
    }

    fn begin(&self, _: &dyn ClientHost) -> Result<Box<dyn ClientExchange>> {
        Ok(client::begin(Self::of(self.hash)))
    }
}
