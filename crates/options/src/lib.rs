// SPDX-License-Identifier: MIT OR Apache-2.0
//! The options of libsasl2 and its plugins: which there are ([`table`]), the
//! files that they stand in ([`file`], [`imapd`]), and what is wrong with those
//! that are set ([`lint`]).
#![forbid(unsafe_code)]

pub mod file;
pub mod imapd;
pub mod lint;
pub mod table;
