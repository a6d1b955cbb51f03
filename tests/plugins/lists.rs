// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which mechanisms are listed, and what is opened for that.

use crate::mechanisms::installed;
use crate::place::RIGHT;

const ALL: &str = "SCRAM-SHA-512 SCRAM-SHA-384 SCRAM-SHA-256 SCRAM-SHA-224 SCRAM-SHA-1 \
                   DIGEST-MD5 CRAM-MD5 NTLM PLAIN LOGIN ANONYMOUS";

/// sasldb shows what it holds: that is known without opening it.
#[test]
fn a_list_opens_no_store_whose_name_tells_enough() {
    let place = installed("libdigestmd5.so", "");
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
    let mut place = installed("libdigestmd5.so", "");
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
    let place = installed("libdigestmd5.so", "DIGEST-MD5");
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
