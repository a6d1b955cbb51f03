// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a connection's TLS is like, in words for an administrator.
#![forbid(unsafe_code)]

use super::{Stream, alternative_names, name};
use openssl::x509::X509Ref;

impl Stream {
    /// Version and cipher, then the certificates, the server's first.
    pub(crate) fn about(&self) -> Vec<String> {
        let ssl = self.0.ssl();
        let cipher = ssl.current_cipher().map_or("no cipher", |c| c.name());
        let mut lines = vec![format!("{}, {cipher}", ssl.version_str())];
        if let Some(certificate) = ssl.peer_certificate() {
            let names = alternative_names(&certificate);
            lines.push(format!("the certificate is for {names}"));
        }
        let chain = ssl.peer_cert_chain();
        lines.extend(chain.into_iter().flatten().map(line));
        lines
    }
}

fn line(certificate: &X509Ref) -> String {
    format!(
        "certificate of {}, by {}, until {}",
        name(certificate.subject_name()),
        name(certificate.issuer_name()),
        certificate.not_after()
    )
}
