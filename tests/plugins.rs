// SPDX-License-Identifier: MIT OR Apache-2.0
//! The distribution's mechanism plugins inside our library: real exchanges with
//! the built-in mechanism of that name switched off (`plugin_mechs`), both
//! sides, right and wrong password, layers that carry data.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

use lab::library::Library;
use lab::packages;
use lab::placed::{Placed, Way};
use lab::program::{Headers, Program};
use lab::scratch::{self, Scratch};
use lab::stage::sources;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

const RIGHT: &str = "secret";
const WRONG: &str = "canary-77";
const BADAUTH: i32 = -13;

fn program() -> &'static Program {
    static PROGRAM: OnceLock<Program> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let source = sources().join("tests/c/plugins/exchange.c");
        Program::compile(&source, Headers::Stock).unwrap_or_else(|error| panic!("{error}"))
    })
}

/// A library with one mechanism plugin and the distribution's sasldb.
struct Place {
    scratch: Scratch,
    environment: Vec<String>,
    file: String,
    options: String,
}

impl Place {
    fn new(library: Library, plugin: PathBuf, mechanisms: &str) -> Self {
        let scratch = Scratch::new().unwrap();
        let placed = Placed::new(library, &scratch).unwrap();
        placed.add_plugin("libsasldb.so").unwrap();
        let name = plugin.file_name().unwrap().to_string_lossy();
        let file = format!("{}.so", name.split(".so").next().unwrap());
        scratch::copy(&plugin, &placed.plugins().join(&file)).unwrap();
        let mut environment = placed.environment(Way::LibraryPath).to_vec();
        environment.push("SASL_CONF_PATH=/nonexistent".to_owned());
        let options = format!(
            "auxprop_plugin=sasldb\nsasldb_path={}\nplugin_mechs={mechanisms}",
            scratch.join("sasldb2").display()
        );
        Self {
            scratch,
            environment,
            file,
            options,
        }
    }

    /// The installed plugin of the mechanisms.
    fn installed(file: &str, mechanisms: &str) -> Self {
        let plugin = Library::Stock.plugins().unwrap().join(file);
        Self::new(Library::Ours, plugin, mechanisms)
    }

    /// One exchange: what was printed, the log.
    fn exchange(&self, mechanism: &str, password: &str, extra: &[&str]) -> (Vec<String>, String) {
        self.run(&[mechanism, "bob", password, &self.file], extra)
    }

    /// What is listed with further options, and which stores were opened for it.
    fn list(&self, options: &str) -> (Vec<String>, String) {
        let options = format!("OPTIONS={}\n{options}", self.options);
        let stores = ["libsasldb.so", "libldapdb.so"];
        self.run(
            &["list", "bob", "x", stores[0], stores[1], &self.file],
            &[&options],
        )
    }

    fn run(&self, arguments: &[&str], extra: &[&str]) -> (Vec<String>, String) {
        let output = Command::new("timeout")
            .args(["-s", "KILL", "60", "env"])
            .args(&self.environment)
            .arg(format!("OPTIONS={}", self.options))
            .args(extra)
            .arg(program().path())
            .args(arguments)
            .stdin(Stdio::null())
            .current_dir(self.scratch.path())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let log = text(&output.stderr);
        assert!(output.status.success(), "{:?} {log}", output.status);
        let lines = text(&output.stdout).lines().map(str::to_owned).collect();
        (lines, log)
    }

    /// The exchange succeeds in the plugin's code.
    fn succeeds(&self, mechanism: &str, user: &str, ssf: u32, extra: &[&str]) {
        let (lines, log) = self.exchange(mechanism, RIGHT, extra);
        let expected = [
            format!("ok {user} ssf {ssf}"),
            format!("mapped {}", self.file),
        ];
        assert_eq!(lines, expected, "{mechanism}\n{log}");
    }

    /// The exchange fails in the plugin's code.
    fn fails(&self, mechanism: &str, extra: &[&str]) {
        let (lines, log) = self.exchange(mechanism, WRONG, extra);
        let refused = format!("no {BADAUTH} ");
        assert!(
            lines[0].starts_with(&refused),
            "{mechanism} {lines:?}\n{log}"
        );
        assert_eq!(lines[1], format!("mapped {}", self.file), "{log}");
        assert!(!log.contains(WRONG), "{log}");
    }
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
        let place = Place::installed(file, mechanism);
        place.succeeds(mechanism, "bob@lab.test", 0, &[STORE]);
        place.fails(mechanism, &[]);
    }
}

/// Without the option the built-in one is used, and the file is not opened.
#[test]
fn a_built_in_mechanism_wins() {
    let place = Place::installed("libplain.so", "");
    let (lines, log) = place.exchange("PLAIN", RIGHT, &[STORE]);
    assert_eq!(lines, ["ok bob@lab.test ssf 0"], "{log}");
}

const ALL: &str = "SCRAM-SHA-512 SCRAM-SHA-384 SCRAM-SHA-256 SCRAM-SHA-224 SCRAM-SHA-1 \
                   DIGEST-MD5 CRAM-MD5 NTLM PLAIN LOGIN ANONYMOUS";

/// sasldb shows what it holds: that is known without opening it.
#[test]
fn a_list_opens_no_store_whose_name_tells_enough() {
    let place = Place::installed("libdigestmd5.so", "");
    let (lines, log) = place.list("");
    assert_eq!(
        lines[..2],
        [format!("server {ALL}"), format!("server {ALL}")]
    );
    assert!(
        !lines.iter().any(|line| line.starts_with("mapped")),
        "{lines:?}\n{log}"
    );
}

#[test]
fn what_needs_a_secret_is_not_listed_where_none_is_shown() {
    let mut place = Place::installed("libdigestmd5.so", "");
    place.options = "auxprop_plugin=ldapdb\nldapdb_uri=ldap://127.0.0.1:1/dc=example\n\
                     ldapdb_bind_dn=cn=x\nldapdb_bind_pw=y"
        .to_owned();
    let told = "not offered: ldapdb shows no password";
    let (lines, log) = place.list("ldapdb_verify=bind");
    assert_eq!(lines[0], "server PLAIN LOGIN ANONYMOUS", "{log}");
    assert_eq!(lines[0], lines[1]);
    assert_eq!(log.matches(told).count(), 1, "{log}");
    // Where a password might be read, it is worth trying.
    let (lines, log) = place.list("ldapdb_verify=value");
    assert_eq!(lines[0], format!("server {ALL}"), "{log}");
    assert!(!log.contains(told), "{log}");
    // One store of two that shows some is enough.
    place.options = place.options.replace("=ldapdb\n", "=ldapdb sasldb\n");
    let (lines, log) = place.list("ldapdb_verify=bind");
    assert_eq!(lines[0], format!("server {ALL}"), "{log}");
}

#[test]
fn legacy_mechanisms_can_be_switched_off() {
    let place = Place::installed("libdigestmd5.so", "DIGEST-MD5");
    let (lines, log) = place.list("legacy_mechs=no");
    let scram = "SCRAM-SHA-512 SCRAM-SHA-384 SCRAM-SHA-256 SCRAM-SHA-224 SCRAM-SHA-1";
    assert_eq!(lines[0], format!("server {scram} PLAIN ANONYMOUS"), "{log}");
    let client = lines[2].split(' ');
    let client: Vec<_> = client
        .filter(|name| ["LOGIN", "NTLM", "OTP"].contains(name))
        .collect();
    assert!(lines[2].contains("PLAIN") && client.is_empty(), "{lines:?}");
    assert!(!lines[2].contains("-MD5"), "{lines:?}");
    assert_eq!(lines.len(), 3, "no file is opened: {lines:?}");
    let (lines, _) = place.list("legacy_mechs=no\nmech_list=CRAM-MD5,LOGIN");
    assert!(lines[0].contains("(legacy_mechs: no)"), "{lines:?}");
    let options = format!("OPTIONS={}\nlegacy_mechs=off", place.options);
    let (lines, _) = place.run(&["CRAM-MD5", "bob", RIGHT], &[&options]);
    assert!(lines[0].starts_with("no -4 client start"), "{lines:?}");
}

#[test]
fn anonymous() {
    let place = Place::installed("libanonymous.so", "ANONYMOUS");
    place.succeeds("ANONYMOUS", "anonymous@lab.test", 0, &[]);
}

#[test]
fn scram() {
    let names = "SCRAM-SHA-1 SCRAM-SHA-224 SCRAM-SHA-256 SCRAM-SHA-384 SCRAM-SHA-512";
    let place = Place::installed("libscram.so", names);
    for mechanism in names.split(' ') {
        place.succeeds(mechanism, "bob@lab.test", 0, &[STORE]);
        place.fails(mechanism, &[]);
    }
}

#[test]
fn digestmd5_and_its_layers() {
    let place = Place::installed("libdigestmd5.so", "DIGEST-MD5");
    place.succeeds("DIGEST-MD5", "bob@lab.test", 0, &[STORE]);
    place.succeeds("DIGEST-MD5", "bob@lab.test", 1, &["MINSSF=1", "MAXSSF=1"]);
    place.succeeds("DIGEST-MD5", "bob@lab.test", 128, &["MINSSF=128"]);
    place.fails("DIGEST-MD5", &[]);
}

/// OTP keeps a secret of its own, which `sasl_setpass` makes it store.
#[test]
fn otp() {
    let plugin = packages::plugin("libsasl2-modules-otp", "libotp.so").unwrap();
    let place = Place::new(Library::Ours, plugin, "OTP");
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
    let mut ours = Place::new(Library::Ours, plugin.clone(), "");
    let mut stock = Place::new(Library::Stock, plugin, "");
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
