// SPDX-License-Identifier: MIT OR Apache-2.0
//! The mechanisms: state machines that neither read nor write nor look at a
//! clock (RFC 4422 section 3). One file a mechanism, both sides and their unit
//! tests in it, and one line in each of the two tables below.
//!
//! Used by the library and by plugins that must be SASL clients themselves.
#![forbid(unsafe_code)]

mod client;
mod info;
mod server;

pub use client::{Answer, ClientExchange, ClientHost, ClientMech, ClientStep, Prompt, PromptKind};
pub use info::{Binding, ChannelBinding, Disposition, Done, Features, Limits, MechInfo};
pub use info::{Negotiated, Security, SecurityLayer, Ssf};
pub use server::{Lookup, ServerExchange, ServerHost, ServerMech, Step};

/// The built-in server mechanisms.
pub static SERVER: &[&dyn ServerMech] = &[];

/// The built-in client mechanisms.
pub static CLIENT: &[&dyn ClientMech] = &[];
