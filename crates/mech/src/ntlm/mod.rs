// SPDX-License-Identifier: MIT OR Apache-2.0
//! NTLM (MS-NLMP): the client answers a challenge of eight bytes with a hash of
//! its password; LM, NTLM and version 2 responses. Obsolete and weak, for old
//! peers only. The server needs `userPassword` in clear. No other server is
//! asked over SMB.
#![forbid(unsafe_code)]

mod client;
mod message;
mod response;
mod server;

use crate::{ClientExchange, ClientHost, ClientMech, Features, MechInfo, Security};
use crate::{ServerExchange, ServerHost, ServerMech};
use saslplug::Result;

/// The mechanism, both sides.
pub(crate) struct Ntlm;

/// Its line in both tables.
pub(crate) static MECHANISM: Ntlm = Ntlm;

static INFO: MechInfo = MechInfo::new(
    "NTLM",
    0,
    Security::NOPLAINTEXT.union(Security::NOANONYMOUS),
    Features::WANT_CLIENT_FIRST.union(Features::SUPPORTS_HTTP),
);

impl ServerMech for Ntlm {
    fn info(&self) -> &MechInfo {
        &INFO
    }

    fn begin(&self, _: &dyn ServerHost) -> Result<Box<dyn ServerExchange>> {
        Ok(server::begin())
    }
}

impl ClientMech for Ntlm {
    fn info(&self) -> &MechInfo {
        &INFO
    }

    fn begin(&self, _: &dyn ClientHost) -> Result<Box<dyn ClientExchange>> {
        Ok(client::begin())
    }
}

#[cfg(test)]
mod tests;
