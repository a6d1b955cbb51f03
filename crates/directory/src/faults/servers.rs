// SPDX-License-Identifier: MIT OR Apache-2.0
//! LDB-10 to 16: servers that are down, silent or odd.
#![forbid(unsafe_code)]

use super::{Fault, Shown, Words, shown};
use crate::protocol::Outcome;
use saslplug::{Code, Level};
use std::time::Duration;

impl Fault {
    pub(super) fn server(number: u8, server: &str, text: String) -> Self {
        Self::new(number, Level::Err, Code::UNAVAIL, server, text)
    }

    pub(crate) fn unresolved(server: &str, host: &str, why: &str) -> Self {
        Self::server(
            10,
            server,
            format!("cannot resolve \"{}\": {}.", Shown(host), Shown(why)),
        )
        .or_next()
    }

    pub(crate) fn unreachable(server: &str, address: &str, why: &str, default_port: bool) -> Self {
        let hint = if default_port {
            " No port in the URI, so 389 was used; glauth's default is 3893, lldap's 3890."
        } else {
            ""
        };
        let text = format!(
            "cannot connect to {address} ({server}): {}.{hint}",
            Shown(why)
        );
        Self::server(11, server, text).or_next()
    }

    /// Whether nobody listens there.
    pub(crate) fn is_unreachable(&self) -> bool {
        self.number == 11
    }

    pub(crate) fn timed_out(server: &str, seconds: u64, what: &str) -> Self {
        let option = if what.starts_with("connect") {
            "ldapdb_connect_timeout"
        } else {
            "ldapdb_timeout"
        };
        Self::server(
            12,
            server,
            format!(
                "no answer from {server} within {seconds} s to {what} ({option}, ldapdb_max_wait)."
            ),
        )
        .or_next()
    }

    pub(crate) fn out_of_time(seconds: u64) -> Self {
        let text = format!("no server answered within {seconds} s (ldapdb_max_wait).");
        Self::server(12, "", text)
    }

    pub(crate) fn broken(server: &str, what: &str, why: &str) -> Self {
        let text = format!("server {server}: {} in answer to {what}.", Shown(why));
        Self::server(14, server, text).or_next()
    }

    pub(crate) fn answered(server: &str, outcome: &Outcome, what: &str) -> Self {
        let text = format!("server {server}: result {} to {what}.", shown(outcome));
        let fault = Self::server(14, server, text);
        if matches!(outcome.code, 3 | 11 | 51 | 52 | 80) {
            fault.or_next()
        } else {
            fault
        }
    }

    pub(crate) fn skipped(server: &str, pause: Duration, why: &Self) -> Self {
        let text = format!(
            "server {server} skipped for {} s after: {}",
            pause.as_secs(),
            why.text
        );
        Self::new(15, Level::Note, Code::UNAVAIL, server, text)
    }

    pub(crate) fn back(server: &str) -> Self {
        let text = format!("server {server} answers again.");
        Self::new(15, Level::Note, Code::OK, server, text)
    }

    pub(crate) fn clear_text(server: &str, address: &str) -> Self {
        Self::server(
            16,
            server,
            format!(
                "not sending a password to {address} ({server}) without TLS. Use ldaps:// or \
                 ldapdb_starttls: demand; to allow it: ldapdb_cleartext: yes."
            ),
        )
    }

    pub(crate) fn tls(server: &str, address: &str, why: &str) -> Self {
        let text = format!("TLS with {address} ({server}): {}.", Words(why));
        Self::server(13, server, text).or_next()
    }

    pub(crate) fn no_starttls(server: &str, outcome: &Outcome, goes_on: bool) -> Self {
        let result = shown(outcome);
        if goes_on {
            let text = format!(
                "{server} refused StartTLS ({result}); going on without (ldapdb_starttls: try)."
            );
            return Self::new(13, Level::Note, Code::UNAVAIL, server, text);
        }
        let text = format!(
            "{server} refused StartTLS ({result}): use ldaps://, or give that server a certificate."
        );
        Self::server(13, server, text).or_next()
    }

    pub(crate) fn unchecked() -> Self {
        let text = "ldapdb_tls_check_peer: no, so anybody on the way can pretend to be the server \
                    and read the passwords."
            .to_owned();
        Self::new(13, Level::Warn, Code::UNAVAIL, "", text)
    }
}
