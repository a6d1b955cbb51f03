// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cyrus IMAP's imapd.

mod sasldb;
