// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scratch servers for the tests and the demo.

#![forbid(unsafe_code)]

pub mod account;
pub mod base64;
pub mod certificate;
pub mod consumer;
pub mod cyrus;
pub mod database;
pub mod directories;
pub mod imap;
pub mod imtest;
pub mod kdc;
pub mod library;
pub mod line;
pub mod loaded;
pub mod maps;
pub mod memcached;
pub mod openssl;
pub mod packages;
pub mod party;
pub mod placed;
pub mod port;
pub mod private;
pub mod process;
pub mod program;
pub mod sample;
pub mod saslauthd;
pub mod sasldb;
pub mod scratch;
pub mod slapd;
pub mod smtp;
pub mod smtp_peer;
pub mod stage;
pub mod story;
pub mod symbols;
pub mod syslog;
pub mod tree;
