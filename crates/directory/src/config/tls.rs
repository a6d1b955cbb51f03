// SPDX-License-Identifier: MIT OR Apache-2.0
//! What protects the way to the servers: TLS, and where a password may go
//! without it.
#![forbid(unsafe_code)]

use super::options::Reader;
use crate::faults::Fault;
use crate::uri::{Endpoint, Uri};

/// Where a password may go without TLS (`ldapdb_cleartext`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cleartext {
    Never,
    Local,
    Yes,
}

/// Whether StartTLS is asked for (`ldapdb_starttls`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum StartTls {
    No,
    /// A server that refuses it is used without.
    Try,
    Demand,
}

/// `ldapdb_tls_*`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct TlsOptions {
    pub(crate) start: StartTls,
    pub(crate) ca_file: Option<String>,
    pub(crate) ca_dir: Option<String>,
    /// Certificate and key of this client.
    pub(crate) identity: Option<(String, String)>,
    pub(crate) check_peer: bool,
    /// The name that the certificate must have; `None`: the host of the URI.
    pub(crate) name: Option<String>,
}

impl TlsOptions {
    /// Which issuers are trusted, for the log.
    #[cfg(feature = "tls")]
    pub(crate) fn trusted(&self) -> String {
        match (&self.ca_file, &self.ca_dir) {
            (Some(file), Some(dir)) => format!("trusted: {file} and the folder {dir}"),
            (Some(file), None) => format!("CA file used: {file}"),
            (None, Some(dir)) => format!("CA folder used: {dir}"),
            (None, None) => "the system's store of CAs was used".to_owned(),
        }
    }
}

pub(super) fn cleartext(options: &Reader<'_>) -> Result<Cleartext, Fault> {
    let words = [
        ("never", Cleartext::Never),
        ("local", Cleartext::Local),
        ("yes", Cleartext::Yes),
    ];
    let choice = options.choice("ldapdb_cleartext", &words)?;
    Ok(choice.unwrap_or(Cleartext::Local))
}

/// What the options say; what they say in vain goes into `warnings`.
pub(super) fn tls(
    options: &Reader<'_>,
    servers: &[Uri],
    warnings: &mut Vec<Fault>,
) -> Result<TlsOptions, Fault> {
    let words = [
        ("no", StartTls::No),
        ("off", StartTls::No),
        ("false", StartTls::No),
        ("0", StartTls::No),
        ("try", StartTls::Try),
        ("demand", StartTls::Demand),
    ];
    let start = options.choice("ldapdb_starttls", &words)?;
    let start = start.unwrap_or(StartTls::No);
    let plain_tcp = |uri: &Uri| !matches!(uri.endpoint, Endpoint::Unix(_)) && !uri.is_ldaps();
    if start != StartTls::No && !servers.iter().any(plain_tcp) {
        let why = "no server of ldapdb_uri is an ldap:// one";
        warnings.push(Fault::no_effect("ldapdb_starttls", why));
    }
    let check_peer = options.switch("ldapdb_tls_check_peer", true)?;
    if !check_peer {
        warnings.push(Fault::unchecked());
    }
    let (cert, key) = (
        options.text("ldapdb_tls_cert"),
        options.text("ldapdb_tls_key"),
    );
    let identity = match (cert, key) {
        (Some(cert), key) => {
            let key = key.unwrap_or_else(|| cert.clone());
            Some((cert, key))
        }
        (None, None) => None,
        (None, Some(_)) => {
            let why = "a key needs its certificate: set ldapdb_tls_cert";
            return Err(Fault::bad_option("ldapdb_tls_key", why));
        }
    };
    let tls = TlsOptions {
        start,
        ca_file: options.text("ldapdb_tls_cacert_file"),
        ca_dir: options.text("ldapdb_tls_cacert_dir"),
        identity,
        check_peer,
        name: options.text("ldapdb_tls_name"),
    };
    if cfg!(not(feature = "tls")) && (start != StartTls::No || servers.iter().any(Uri::is_ldaps)) {
        let instead = "This build has no TLS; use ldapi:// or a tunnel.";
        return Err(Fault::unavailable("ldapdb_uri", "TLS", instead));
    }
    Ok(tls)
}
