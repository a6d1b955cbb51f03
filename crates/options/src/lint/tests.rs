// SPDX-License-Identifier: MIT OR Apache-2.0
//! Each mistake in a file gives one line that says what to do.

use super::*;
use crate::{file, imapd};
use std::path::Path;

fn plain(text: &str) -> Options {
    let all = file::settings(Path::new("smtpd.conf"), text.as_bytes()).unwrap();
    Options::new(all, "", "smtp")
}

fn prefixed(text: &str) -> Options {
    let all = imapd::settings(Path::new("imapd.conf"), text.as_bytes()).unwrap();
    Options::new(all, "sasl_", "imap")
}

/// The one finding.
fn only(options: &Options) -> (Weight, Option<usize>, String) {
    let findings = options.lint();
    assert_eq!(findings.len(), 1, "{findings:?}");
    let finding = findings.into_iter().next().unwrap();
    (finding.weight, finding.line, finding.text)
}

fn says(options: &Options, weight: Weight, line: usize, words: &str) {
    let (found, at, text) = only(options);
    assert!(text.contains(words), "{text}");
    assert_eq!((found, at), (weight, Some(line)), "{text}");
}

#[test]
fn a_good_file_is_clean() {
    let text = "pwcheck_method: auxprop\nauxprop_plugin: ldapdb\nmech_list: PLAIN LOGIN\n\
                ldapdb_uri: ldap://localhost/dc=x\nldapdb_bind_pw: x\n";
    assert_eq!(plain(text).lint(), []);
    let prefix = text.replace("\n", "\nsasl_");
    let imapd = format!("configdirectory: /var\nsasl_{prefix}");
    let imapd = imapd.trim_end_matches("sasl_");
    assert_eq!(prefixed(imapd).lint(), []);
}

#[test]
fn unknown_names() {
    let mistake = "ldapdb_uri: ldap://x\nldapdb_fliter: (uid=%u)\n";
    let words = "LDB-02 option \"ldapdb_fliter\" is not known, did you mean ldapdb_filter?";
    says(&plain(mistake), Weight::Mistake, 2, words);
    let words = "did you mean sasl_mech_list?";
    says(
        &prefixed("sasl_mechlist: PLAIN\n"),
        Weight::Mistake,
        1,
        words,
    );
    says(
        &plain("my_own: 1\n"),
        Weight::Warning,
        1,
        "nobody asks for it",
    );
}

#[test]
fn prefixes_in_the_wrong_file() {
    says(
        &prefixed("mech_list: PLAIN\n"),
        Weight::Mistake,
        1,
        "write sasl_mech_list",
    );
    says(
        &plain("sasl_mech_list: PLAIN\n"),
        Weight::Mistake,
        1,
        "is written mech_list in this file",
    );
    // Cyrus IMAP has hundreds of its own.
    assert_eq!(prefixed("virtdomains: yes\n").lint(), []);
}

#[test]
fn the_same_twice() {
    let text = "mech_list: PLAIN\nlog_level: 1\nmech_list: LOGIN\n";
    says(&plain(text), Weight::Mistake, 3, "line 1 counts");
    assert_eq!(plain(text).get("", "mech_list"), Some("PLAIN"));
    let text = "sasl_mech_list: PLAIN\nsasl_mech_list: LOGIN\n";
    says(&prefixed(text), Weight::Mistake, 2, "line 2 counts");
    assert_eq!(prefixed(text).get("", "mech_list"), Some("LOGIN"));
}

#[test]
fn impossible_values() {
    says(
        &plain("log_level: many\n"),
        Weight::Mistake,
        1,
        "is not a number",
    );
    says(
        &plain("auto_transition: maybe\n"),
        Weight::Mistake,
        1,
        "is not one of yes, no, noplain",
    );
    says(
        &plain("scram_secret_generate: si\n"),
        Weight::Mistake,
        1,
        "neither yes nor no",
    );
    says(
        &plain("pwcheck_method: pam\n"),
        Weight::Mistake,
        1,
        "saslauthd -a pam",
    );
    says(
        &plain("pwcheck_method: auxprops\n"),
        Weight::Mistake,
        1,
        "is not one of auxprop",
    );
    says(
        &plain("pwcheck_method: alwaystrue\n"),
        Weight::Warning,
        1,
        "everybody",
    );
    says(
        &plain("mech_list: PLAIN,LOGIN\n"),
        Weight::Warning,
        1,
        "separate by blanks",
    );
}

#[test]
fn options_that_nobody_asks_for() {
    says(
        &plain("auxprop_plugin: sasldb\nsql_select: SELECT 1\n"),
        Weight::Mistake,
        2,
        "sql_select has no effect: auxprop_plugin names sasldb, not sql",
    );
    says(
        &plain("pwcheck_method: saslauthd\nmech_list: PLAIN\nldapdb_uri: ldap://x\n"),
        Weight::Warning,
        3,
        "pwcheck_method is saslauthd",
    );
    says(
        &plain("saslauthd_path: /run/mux\n"),
        Weight::Warning,
        1,
        "does not name saslauthd",
    );
    // Canonical names come from it, or it verifies on its own.
    for line in ["canon_user_plugin: ldapdb", "pwcheck_method: ldapdb"] {
        let text = format!("auxprop_plugin: sasldb\n{line}\nldapdb_uri: ldap://x\n");
        assert_eq!(plain(&text).lint(), [], "{line}");
    }
}

#[test]
fn a_value_for_a_service_or_a_plugin_comes_first() {
    let options = prefixed(
        "sasl_mech_list: PLAIN\nimap_sasl_mech_list: LOGIN\npop3_sasl_mech_list: OTP\n\
         sasl_keytab: /a\nsasl_gssapi_keytab: /b\n",
    );
    assert_eq!(options.get("", "mech_list"), Some("LOGIN"));
    assert_eq!(options.get("GSSAPI", "keytab"), Some("/b"));
    assert_eq!(options.get("SQL", "keytab"), Some("/a"));
    assert_eq!(options.lint(), []);
}
