// SPDX-License-Identifier: MIT OR Apache-2.0
//! DIGEST-MD5 (RFC 2831, historic by RFC 6331): both sides prove that they know
//! the password; optional security layers. Needs the password itself or a hash
//! that is worth as much. For old peers; SCRAM is its successor.
#![forbid(unsafe_code)]

mod client;
mod keys;
mod layer;
mod message;
mod rc4;
mod reauth;
mod response;
mod server;

use crate::{ClientExchange, ClientHost, ClientMech, Features, Limits, MechInfo, Security};
use crate::{Negotiated, ServerExchange, ServerHost, ServerMech, Ssf, base64};
use keys::Key;
use layer::{Cipher, Layer, Side};
use reauth::Sessions;
use saslplug::{Code, Error, Result};

/// The mechanism, both sides.
pub(crate) struct DigestMd5 {
    sessions: Sessions,
}

/// Its line in both tables.
pub(crate) static MECHANISM: DigestMd5 = DigestMd5 {
    sessions: Sessions::new(),
};

const SECURITY: Security = Security::NOPLAINTEXT
    .union(Security::NOANONYMOUS)
    .union(Security::MUTUAL_AUTH);
const FEATURES: Features = Features::ALLOWS_PROXY.union(Features::SUPPORTS_HTTP);

static SERVER: MechInfo = MechInfo::new("DIGEST-MD5", 128, SECURITY, FEATURES);
/// The digest-uri holds the server's name.
static CLIENT: MechInfo = MechInfo::new(
    "DIGEST-MD5",
    128,
    SECURITY,
    FEATURES.union(Features::NEEDSERVERFQDN),
);

/// The largest message of either side that is looked at.
const LONGEST: usize = 4096;
/// What RFC 2831 assumes of a peer that does not say.
const DEFAULT_MAXBUF: u32 = 65536;
/// Largest and smallest buffer that can be told.
const MAXBUF: core::ops::RangeInclusive<u32> = 17..=0x00ff_ffff;

impl ServerMech for DigestMd5 {
    fn info(&self) -> &MechInfo {
        &SERVER
    }

    fn begin(&self, host: &dyn ServerHost) -> Result<Box<dyn ServerExchange>> {
        server::begin(host)
    }

    fn available(&self, host: &dyn ServerHost) -> Result<()> {
        host.http_request().map(|_| ()).map_err(no_request)
    }
}

/// Inside HTTP there must be a request.
fn no_request(error: Error) -> Error {
    let text = "DIGEST-MD5 unavailable due to lack of HTTP request";
    Error::new(error.code(), text)
}

impl ClientMech for DigestMd5 {
    fn info(&self) -> &MechInfo {
        &CLIENT
    }

    fn begin(&self, host: &dyn ClientHost) -> Result<Box<dyn ClientExchange>> {
        client::begin(host)
    }
}

/// The quality of protection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Qop {
    Auth,
    Integrity,
    Confidential(Cipher),
}

impl Qop {
    const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Integrity => "auth-int",
            Self::Confidential(_) => "auth-conf",
        }
    }

    const fn ssf(self) -> Ssf {
        match self {
            Self::Auth => 0,
            Self::Integrity => 1,
            Self::Confidential(cipher) => cipher.ssf(),
        }
    }

    /// The layer, where there is one. `room` is the largest packet that the peer
    /// takes.
    fn layer(self, session: &Key, side: Side, room: u32) -> Option<Negotiated> {
        let (cipher, overhead) = match self {
            Self::Auth => return None,
            Self::Integrity => (None, 16),
            Self::Confidential(cipher) => (Some(cipher), 25),
        };
        Some(Negotiated {
            ssf: self.ssf(),
            // A peer with no room for data still gets it, byte by byte.
            max_outbuf: room.saturating_sub(overhead).max(1),
            layer: Box::new(Layer::new(session, cipher, side)),
        })
    }
}

/// What the application wants of a layer.
#[derive(Clone, Copy)]
struct Wanted {
    min: Ssf,
    max: Ssf,
    /// The `maxbuf` to tell; none = no layers.
    buffer: Option<u32>,
}

impl Wanted {
    fn of(limits: Limits) -> Self {
        let buffer = limits.max_buffer.min(*MAXBUF.end());
        let buffer = MAXBUF.contains(&buffer).then_some(buffer);
        let inside = |ssf: Ssf| ssf.saturating_sub(limits.external_ssf);
        Self {
            min: inside(limits.min_ssf),
            max: if buffer.is_some() {
                inside(limits.max_ssf)
            } else {
                0
            },
            buffer,
        }
    }

    fn allows(self, qop: Qop) -> bool {
        (self.min..=self.max).contains(&qop.ssf())
    }

    /// The ciphers that are strong enough and not too strong.
    fn ciphers(self) -> impl Iterator<Item = Cipher> {
        Cipher::ALL
            .into_iter()
            .filter(move |&cipher| self.allows(Qop::Confidential(cipher)))
    }
}

/// 256 bits that nobody can predict, as text.
fn fresh_nonce(fill: impl FnOnce(&mut [u8]) -> Result<()>) -> Result<String> {
    let mut bytes = [0; 32];
    fill(&mut bytes)?;
    Ok(base64::encode(&bytes))
}

/// Splits a message into directives.
fn parse<'a>(input: &'a [u8], reason: &'static str) -> Result<Vec<message::Directive<'a>>> {
    if input.len() > LONGEST {
        return Err(Error::new(
            Code::BADPROT,
            "DIGEST-MD5 message too long (>4096 bytes)",
        ));
    }
    message::parse(input).ok_or_else(|| Error::new(Code::BADAUTH, reason))
}
