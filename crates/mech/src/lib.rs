// SPDX-License-Identifier: MIT OR Apache-2.0
//! The mechanisms: state machines that neither read nor write nor look at a
//! clock (RFC 4422 section 3). One file a mechanism, both sides and their unit
//! tests in it, and one line in each of the two tables below.
//!
//! Used by the library and by plugins that must be SASL clients themselves.
#![forbid(unsafe_code)]

mod anonymous;
pub mod base64;
mod bearer;
mod client;
mod cram_md5;
mod credentials;
mod digest_md5;
mod external;
mod hex;
mod hmac_md5;
mod info;
mod login;
mod ntlm;
mod oauthbearer;
mod otp;
mod plain;
mod prepare;
mod printable;
mod scram;
mod server;
mod status;
#[cfg(test)]
mod testing;
mod xoauth2;

pub use client::{Answer, ClientExchange, ClientHost, ClientMech, ClientStep, Prompt, PromptKind};
pub use info::MechInfo;
pub use info::{Binding, ChannelBinding, Disposition, Done, Features, HttpRequest, Limits};
pub use info::{Negotiated, Security, SecurityLayer, Ssf};
pub use scram::{forget_keys, stored_keys};
pub use server::{Change, Lookup, ServerExchange, ServerHost, ServerMech, Step};
pub use status::{Status, needs_secret};

/// The plugin file in which stock has a mechanism; its name where it has none.
pub fn stock_plugin(mechanism: &str) -> &str {
    match mechanism {
        "ANONYMOUS" => "anonymous",
        "CRAM-MD5" => "crammd5",
        "DIGEST-MD5" => "digestmd5",
        "LOGIN" => "login",
        "NTLM" => "ntlm",
        "OTP" => "otp",
        "PLAIN" => "plain",
        name if name.starts_with("SCRAM-") => "scram",
        name => name,
    }
}

/// The built-in server mechanisms, the strongest first.
pub static SERVER: &[&dyn ServerMech] = &[
    &scram::SHA_512,
    &scram::SHA_384,
    &scram::SHA_256,
    &scram::SHA_224,
    &scram::SHA_1,
    &digest_md5::MECHANISM,
    &external::MECHANISM,
    &otp::MECHANISM,
    &cram_md5::MECHANISM,
    &ntlm::MECHANISM,
    &plain::MECHANISM,
    &login::MECHANISM,
    &oauthbearer::MECHANISM,
    &xoauth2::MECHANISM,
    &anonymous::MECHANISM,
];

/// The built-in client mechanisms, the strongest first.
pub static CLIENT: &[&dyn ClientMech] = &[
    &scram::SHA_512,
    &scram::SHA_384,
    &scram::SHA_256,
    &scram::SHA_224,
    &scram::SHA_1,
    &digest_md5::MECHANISM,
    &external::MECHANISM,
    &otp::MECHANISM,
    &cram_md5::MECHANISM,
    &ntlm::MECHANISM,
    &plain::MECHANISM,
    &login::MECHANISM,
    &oauthbearer::MECHANISM,
    &xoauth2::MECHANISM,
    &anonymous::MECHANISM,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    /// Files that are no mechanism.
    const OTHERS: [&str; 13] = [
        "base64",
        "bearer",
        "client",
        "credentials",
        "hex",
        "hmac_md5",
        "info",
        "lib",
        "prepare",
        "printable",
        "server",
        "status",
        "testing",
    ];

    /// The modules that the table `name` mentions.
    fn mentioned(name: &str) -> BTreeSet<String> {
        let source = include_str!("lib.rs");
        let (_, table) = source
            .split_once(&format!("pub static {name}: "))
            .expect("a table");
        let (table, _) = table.split_once("];").expect("its end");
        let entries = table
            .lines()
            .filter_map(|line| line.trim().strip_prefix('&'));
        let modules = entries.filter_map(|entry| entry.split_once("::"));
        modules.map(|(module, _)| module.to_owned()).collect()
    }

    #[test]
    fn every_mechanism_has_a_line_in_both_tables() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let files = std::fs::read_dir(folder).expect("the source folder");
        let mut found = BTreeSet::new();
        for file in files {
            let path = file.expect("an entry").path();
            let stem = path
                .file_stem()
                .and_then(|stem| stem.to_str())
                .expect("a name");
            found.insert(stem.to_owned());
        }
        for other in OTHERS {
            assert!(found.remove(other), "{other} is gone: take it off the list");
        }
        assert_eq!(mentioned("SERVER"), found);
        assert_eq!(mentioned("CLIENT"), found);
    }

    #[test]
    fn names_are_unique() {
        let server: BTreeSet<_> = super::SERVER.iter().map(|mech| &mech.info().name).collect();
        let client: BTreeSet<_> = super::CLIENT.iter().map(|mech| &mech.info().name).collect();
        assert_eq!(server.len(), super::SERVER.len());
        assert_eq!(server, client);
    }
}
