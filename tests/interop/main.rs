// SPDX-License-Identifier: MIT OR Apache-2.0
//! This library with others at the other end of the line, in both roles: stock
//! libsasl2, GNU SASL, Cyrus IMAP and its client, OpenLDAP and its client. One
//! file a partner; each prints a table of what was tried. Kerberos has tests of
//! its own in `plugins/gssapiv2/tests/interop`.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may end with a panic, in its helpers too"
)]

mod case;
mod cyrus;
mod gsasl;
mod openldap;
mod pair;
mod stock;
mod table;
