// SPDX-License-Identifier: MIT OR Apache-2.0
//! LDAP logins without SASL's C world: find the entry of a login, read
//! attributes, check a password by binding as the user.
//!
//! [`Config`] understands the `ldapdb_*` options, [`Directory`] runs the flows,
//! `faults` is the one catalogue of log lines (LDB-nn). Blocking sockets with
//! deadlines, no async runtime: hosts fork. `docs/ldapdb.md` is the manual.
#![forbid(unsafe_code)]

mod bind;
mod config;
mod connect;
mod connection;
mod deadline;
mod directory;
mod dn;
mod dns;
mod faults;
mod filter;
#[cfg(fuzzing)]
#[path = "../../../tests/fuzz/doors/directory.rs"]
pub mod fuzz;
mod group;
mod layer;
mod lookup;
mod memo;
mod open;
mod pool;
mod protocol;
mod proxy;
mod race;
mod remembered;
mod resolve;
mod sasl;
mod servers;
mod session;
mod store;
mod template;
#[cfg(feature = "tls")]
mod tls;
mod transport;
mod uri;
mod userbind;
mod verify;
mod walk;

pub use config::{Config, VerifyBy};
pub use directory::{Directory, Property};
pub use faults::{Fault, Journal, Once};
pub use template::Login;
pub use walk::{Phase, Step};
