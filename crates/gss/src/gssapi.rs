// SPDX-License-Identifier: MIT OR Apache-2.0
//! GSSAPI (RFC 4752): Kerberos tokens until the context stands, then one offer
//! of security layers and one choice with the name to act as.
#![forbid(unsafe_code)]

mod client;
mod server;

use mech::{Features, MechInfo, Security};

pub(crate) use client::bindings as client_bindings;
pub use client::{CLIENT, Client};
pub use server::{SERVER, Server};
pub(crate) use server::{bindings, bound};

/// What Kerberos guarantees.
pub(crate) const SECURITY: Security = Security::NOPLAINTEXT
    .union(Security::NOACTIVE)
    .union(Security::NOANONYMOUS)
    .union(Security::MUTUAL_AUTH)
    .union(Security::PASS_CREDENTIALS);

/// What both sides of both mechanisms of this plugin do.
pub(crate) const SHARED: Features = Features::WANT_CLIENT_FIRST
    .union(Features::ALLOWS_PROXY)
    .union(Features::CHANNEL_BINDING);

/// The file that brings them.
pub(crate) const SOURCE: &str = "gssapiv2";

const fn info(side: Features) -> MechInfo {
    MechInfo::new("GSSAPI", 256, SECURITY, SHARED.union(side))
}
