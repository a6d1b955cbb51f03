// SPDX-License-Identifier: MIT OR Apache-2.0
//! Real programs with the library under test: Cyrus IMAP, memcached and the
//! distribution's tools and sample programs, each on stock (which proves the
//! recipe) and on ours. Start, drive, stop; the servers come from `tests/lab`.
//! More of OpenLDAP is in `tests/interop`.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may end with a panic, in its helpers too"
)]

/// Two tests of a program, one on each library: a module of this name.
macro_rules! on_both {
    ($name:ident, $consumer:expr, $test:expr) => {
        mod $name {
            use super::*;

            fn prove(which: Library) {
                let test: fn(Library, &std::path::Path) = $test;
                $consumer.prove(which, |root| test(which, root)).unwrap();
            }

            #[test]
            fn stock() {
                prove(Library::Stock);
            }

            #[test]
            fn ours() {
                prove(Library::Ours);
            }
        }
    };
}

mod cyrus_family;
mod cyrus_imap;
mod directories;
mod exim;
mod kafka;
mod languages;
mod libvirt;
mod lighttpd;
mod mail_clients;
mod memcached;
mod openldap;
mod passwords;
mod pluginviewer;
mod postfix;
mod qemu;
mod sample;
mod saslauthd;
mod sendmail;
mod site;
mod squid;
mod subversion;
