// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cyrus IMAP's imapd: users in a file, and users in a directory.

mod ldapdb;
mod outages;
mod proxied;
mod sasldb;
