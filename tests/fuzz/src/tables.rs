// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table of targets: a name, and what is done with the fuzzer's bytes.

use crate::exchange::{client, server};
use crate::{calls, directory_parts, layers, library_parts, stores};

type Target = fn(&[u8]);

/// A mechanism's two targets; SCRAM's hash comes with the bytes.
macro_rules! mechanism {
    ($server:literal, $client:literal, $names:expr) => {
        [
            ($server, (|data| server(&$names, data)) as Target),
            ($client, (|data| client(&$names, data)) as Target),
        ]
    };
}

static MECHANISMS: [[(&str, Target); 2]; 11] = [
    mechanism!("anonymous_server", "anonymous_client", ["ANONYMOUS"]),
    mechanism!("cram_md5_server", "cram_md5_client", ["CRAM-MD5"]),
    mechanism!("digest_md5_server", "digest_md5_client", ["DIGEST-MD5"]),
    mechanism!("external_server", "external_client", ["EXTERNAL"]),
    mechanism!("login_server", "login_client", ["LOGIN"]),
    mechanism!("ntlm_server", "ntlm_client", ["NTLM"]),
    mechanism!("oauthbearer_server", "oauthbearer_client", ["OAUTHBEARER"]),
    mechanism!("otp_server", "otp_client", ["OTP"]),
    mechanism!("plain_server", "plain_client", ["PLAIN"]),
    mechanism!(
        "scram_server",
        "scram_client",
        [
            "SCRAM-SHA-256",
            "SCRAM-SHA-1",
            "SCRAM-SHA-512",
            "SCRAM-SHA-224",
            "SCRAM-SHA-384"
        ]
    ),
    mechanism!("xoauth2_server", "xoauth2_client", ["XOAUTH2"]),
];

static OTHERS: [(&str, Target); 19] = [
    ("calls", calls::any_order),
    ("base64", library_parts::base64),
    ("configuration", library_parts::configuration),
    ("format", library_parts::format),
    ("saslauthd", library_parts::saslauthd),
    ("token", library_parts::token),
    ("digest_md5_layer", layers::digest_md5),
    ("packets", layers::packets),
    ("gs2_header", layers::gs2_header),
    ("gssapi_terms", layers::gssapi_terms),
    ("ldap_message", directory_parts::message),
    ("ldap_uri", directory_parts::uri),
    ("ldap_dn", directory_parts::dn),
    ("ldap_filter", directory_parts::filter),
    ("ldap_template", directory_parts::template),
    ("ldap_conf", directory_parts::ldap_conf),
    ("ldapdb_options", directory_parts::options),
    ("sasldb", stores::sasldb),
    ("stored_password", stores::stored_password),
];

fn all() -> impl Iterator<Item = &'static (&'static str, Target)> {
    MECHANISMS.iter().flatten().chain(&OTHERS)
}

/// Every target's name.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    all().map(|(name, _)| *name)
}

/// The target of this name.
pub(crate) fn find(wanted: &str) -> Option<Target> {
    let found = all().find(|(name, _)| *name == wanted);
    found.map(|(_, target)| *target)
}
