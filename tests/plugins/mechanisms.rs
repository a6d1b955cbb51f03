// SPDX-License-Identifier: MIT OR Apache-2.0
//! The distribution's mechanism plugins inside our library: real exchanges with
//! the built-in mechanism of that name switched off (`plugin_mechs`), both
//! sides, right and wrong password, layers that carry data.

use crate::place::{Place, RIGHT, WRONG};
use lab::library::Library;
use lab::{packages, scratch};
use std::path::Path;

/// The distribution's sasldb beside the plugin.
fn with_sasldb(library: Library, plugin: &Path, mechanisms: &str) -> Place {
    let mut place = Place::new(library, plugin);
    place.placed.add_plugin("libsasldb.so").unwrap();
    place.options = format!(
        "auxprop_plugin=sasldb\nsasldb_path={}\nplugin_mechs={mechanisms}",
        place.scratch.join("sasldb2").display()
    );
    place
}

/// The installed plugin of the mechanisms.
pub(crate) fn installed(file: &str, mechanisms: &str) -> Place {
    let plugin = Library::Stock.plugins().unwrap().join(file);
    with_sasldb(Library::Ours, &plugin, mechanisms)
}

const STORE: &str = "SETPASS=secret";

#[test]
fn plain_login_crammd5_ntlm() {
    for (file, mechanism) in [
        ("libplain.so", "PLAIN"),
        ("liblogin.so", "LOGIN"),
        ("libcrammd5.so", "CRAM-MD5"),
        ("libntlm.so", "NTLM"),
    ] {
        let place = installed(file, mechanism);
        place.succeeds(mechanism, "bob@lab.test", 0, &[STORE]);
        place.fails(mechanism, &[]);
    }
}

/// Without the option the built-in one is used, and the file is not opened.
#[test]
fn a_built_in_mechanism_wins() {
    let place = installed("libplain.so", "");
    let (lines, log) = place.exchange("PLAIN", RIGHT, &[STORE]);
    assert_eq!(lines, ["ok bob@lab.test ssf 0"], "{log}");
}

#[test]
fn anonymous() {
    let place = installed("libanonymous.so", "ANONYMOUS");
    place.succeeds("ANONYMOUS", "anonymous@lab.test", 0, &[]);
}

#[test]
fn scram() {
    let names = "SCRAM-SHA-1 SCRAM-SHA-224 SCRAM-SHA-256 SCRAM-SHA-384 SCRAM-SHA-512";
    let place = installed("libscram.so", names);
    for mechanism in names.split(' ') {
        place.succeeds(mechanism, "bob@lab.test", 0, &[STORE]);
        place.fails(mechanism, &[]);
    }
}

#[test]
fn digestmd5_and_its_layers() {
    let place = installed("libdigestmd5.so", "DIGEST-MD5");
    place.succeeds("DIGEST-MD5", "bob@lab.test", 0, &[STORE]);
    place.succeeds("DIGEST-MD5", "bob@lab.test", 1, &["MINSSF=1", "MAXSSF=1"]);
    place.succeeds("DIGEST-MD5", "bob@lab.test", 128, &["MINSSF=128"]);
    place.fails("DIGEST-MD5", &[]);
}

/// OTP keeps a secret of its own, which `sasl_setpass` makes it store.
#[test]
fn otp() {
    let plugin = packages::plugin("libsasl2-modules-otp", "libotp.so").unwrap();
    let place = with_sasldb(Library::Ours, &plugin, "OTP");
    let (_, log) = place.exchange("OTP", RIGHT, &[STORE]);
    assert!(log.contains("OTP: set secret for bob"), "{log}");
    for _ in 0..3 {
        place.succeeds("OTP", "bob@lab.test", 0, &[]);
    }
    place.fails("OTP", &[]);
}

/// What our SCRAM stores when a password is set is what stock's reads, and the
/// other way round.
#[test]
fn scram_keys_serve_both_libraries() {
    let options = "\nscram_secret_generate=yes";
    let plugin = Library::Stock.plugins().unwrap().join("libscram.so");
    let mut ours = with_sasldb(Library::Ours, &plugin, "");
    let mut stock = with_sasldb(Library::Stock, &plugin, "");
    for place in [&mut ours, &mut stock] {
        place.options.push_str(options);
        let (_, log) = place.exchange("SCRAM-SHA-1", RIGHT, &[STORE, "NOPLAIN=1"]);
        assert!(log.contains("SCRAM-SHA-1: set secret for bob"), "{log}");
    }
    for (writer, reader) in [(&ours, &stock), (&stock, &ours)] {
        let file = writer.scratch.join("sasldb2");
        scratch::copy(&file, &reader.scratch.join("sasldb2")).unwrap();
        // The password itself is not there: only the keys are.
        let bytes = std::fs::read(&file).unwrap();
        let holds = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
        assert!(holds(b"SCRAM-SHA-1$4096:") && !holds(b"userPassword"));
        let (lines, log) = reader.exchange("SCRAM-SHA-1", RIGHT, &[]);
        assert!(lines[0].starts_with("ok bob@lab.test"), "{lines:?}\n{log}");
        let (lines, log) = reader.exchange("SCRAM-SHA-1", WRONG, &[]);
        assert!(lines[0].starts_with("no -13"), "{lines:?}\n{log}");
    }
}
