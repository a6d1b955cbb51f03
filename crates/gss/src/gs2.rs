// SPDX-License-Identifier: MIT OR Apache-2.0
//! The GS2 family (RFC 5801): one header with channel binding and the name to
//! act as, then tokens. Kerberos itself signs the header, as its channel
//! bindings. There is no security layer.
#![forbid(unsafe_code)]

mod client;
#[cfg(fuzzing)]
#[path = "../../../tests/fuzz/doors/gs2.rs"]
pub mod fuzz;
mod header;
mod server;
mod token;

use crate::ffi::Kind;
use crate::gssapi::SECURITY;
use mech::{Features, MechInfo};

pub use client::{Client, IAKERB_CLIENT, KRB5_CLIENT};
pub use server::{IAKERB_SERVER, KRB5_SERVER, Server};

/// The file that brings them.
const SOURCE: &str = "gs2";

const fn info(kind: Kind, side: Features) -> MechInfo {
    let name = match kind {
        Kind::Iakerb => "GS2-IAKERB",
        Kind::Krb5 | Kind::Spnego => "GS2-KRB5",
    };
    let features = Features::WANT_CLIENT_FIRST
        .union(Features::GSS_FRAMING)
        .union(Features::CHANNEL_BINDING)
        .union(side);
    MechInfo::new(name, 0, SECURITY, features)
}
