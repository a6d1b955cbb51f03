// SPDX-License-Identifier: MIT OR Apache-2.0
//! Certificates made for one test.

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::extension::{BasicConstraints, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509NameBuilder};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A certificate and its key.
pub(crate) struct Certificate {
    pub(crate) certificate: X509,
    pub(crate) key: PKey<Private>,
}

/// Who signs.
pub(crate) struct Authority(Certificate);

fn new_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

/// A certificate without a signature, valid from `from` to `until` (days from now).
fn builder(name: &str, key: &PKey<Private>, from: i64, until: i64) -> X509Builder {
    static SERIAL: AtomicU32 = AtomicU32::new(1);
    let day = |days: i64| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = i64::try_from(now.as_secs()).unwrap();
        Asn1Time::from_unix(now + days * 86_400 - 3600).unwrap()
    };
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    let serial = BigNum::from_u32(SERIAL.fetch_add(1, Ordering::Relaxed)).unwrap();
    let serial: Asn1Integer = serial.to_asn1_integer().unwrap();
    builder.set_serial_number(&serial).unwrap();
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_nid(Nid::COMMONNAME, name).unwrap();
    builder.set_subject_name(&subject.build()).unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_not_before(&day(from)).unwrap();
    builder.set_not_after(&day(until)).unwrap();
    builder
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = new_key();
        let mut builder = builder(name, &key, 0, 10);
        let subject = {
            let mut subject = X509NameBuilder::new().unwrap();
            subject.append_entry_by_nid(Nid::COMMONNAME, name).unwrap();
            subject.build()
        };
        builder.set_issuer_name(&subject).unwrap();
        let authority = BasicConstraints::new().critical().ca().build().unwrap();
        builder.append_extension(authority).unwrap();
        let usage = KeyUsage::new().key_cert_sign().build().unwrap();
        builder.append_extension(usage).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Self(Certificate {
            certificate: builder.build(),
            key,
        })
    }

    /// A certificate for `names` (`DNS:…`, `IP:…`, `CN:…`), valid from `from`
    /// to `until` (days from now).
    pub(crate) fn issue(&self, names: &[&str], from: i64, until: i64) -> Certificate {
        let key = new_key();
        let common = names.iter().find_map(|name| name.strip_prefix("CN:"));
        let mut builder = builder(common.unwrap_or("somebody"), &key, from, until);
        let issuer = self.0.certificate.subject_name();
        builder.set_issuer_name(issuer).unwrap();
        let mut others = SubjectAlternativeName::new();
        let mut any = false;
        for name in names {
            if let Some(name) = name.strip_prefix("DNS:") {
                any = true;
                others.dns(name);
            } else if let Some(address) = name.strip_prefix("IP:") {
                any = true;
                others.ip(address);
            }
        }
        if any {
            let context = builder.x509v3_context(Some(&self.0.certificate), None);
            let names = others.build(&context).unwrap();
            builder.append_extension(names).unwrap();
        }
        builder.sign(&self.0.key, MessageDigest::sha256()).unwrap();
        Certificate {
            certificate: builder.build(),
            key,
        }
    }

    /// Writes `ca.pem` into `folder`.
    pub(crate) fn save(&self, folder: &Path) {
        let pem = self.0.certificate.to_pem().unwrap();
        fs::write(folder.join("ca.pem"), pem).unwrap();
    }
}

impl Certificate {
    /// Writes `name.pem` and `name.key` into `folder`.
    pub(crate) fn save(&self, folder: &Path, name: &str) {
        let pem = self.certificate.to_pem().unwrap();
        fs::write(folder.join(format!("{name}.pem")), pem).unwrap();
        let key = self.key.private_key_to_pem_pkcs8().unwrap();
        fs::write(folder.join(format!("{name}.key")), key).unwrap();
    }

    /// What a server needs for its side.
    pub(crate) fn acceptor(&self) -> SslAcceptor {
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
        acceptor.set_certificate(&self.certificate).unwrap();
        acceptor.set_private_key(&self.key).unwrap();
        acceptor.build()
    }
}
