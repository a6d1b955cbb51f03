// SPDX-License-Identifier: MIT OR Apache-2.0
//! Good configurations, walked to their end.

use super::{PASSWORD, Story, USER, World, eight};

#[test]
fn a_login_on_foot() {
    let story = Story::new();
    let said = story.check(&[]);
    said.ends(
        0,
        &[
            "offered: PLAIN LOGIN",
            "bind as: cn=cyrus,ou=machines,dc=users,dc=local",
            "bound as \"cn=cyrus,ou=machines,dc=users,dc=local\"",
            "it is probably OpenLDAP",
            "entry \"cn=johndoe,ou=superheros,dc=users,dc=local\"",
            "readable: objectClass cn sn mail",
            "userPassword is not readable: a bind verifies",
            "canonical name \"jdoe@example.com\"",
            "the password is right",
            "jdoe@example.com is let in",
        ],
    );
    assert!(
        !said.out.contains("FAIL") && said.err.is_empty(),
        "{}",
        said.err
    );
    // It walked by itself, then the library did: the user was bound twice.
    let log = story.slapd.log();
    let binds = log.matches("BIND dn=\"cn=johndoe,ou=superheros,dc=users,dc=local\" method=128");
    assert_eq!(binds.count(), 2, "{log}");
}

#[test]
fn the_options_of_cyrus_imap() {
    let story = Story::new();
    let uri = story.uri();
    let file = story.world.file("imapd.conf", "sasl_", &eight(&uri));
    let said = story.world.run(&["-c", &file, "-u", USER, "-W"], PASSWORD);
    said.ends(0, &["service imap, options behind sasl_", "is let in"]);
    // The name of the file is no matter.
    let file = story.world.file("other.conf", "sasl_", &eight(&uri));
    let said = story
        .world
        .run(&["-c", &file, "-s", "imap", "-u", USER], "");
    said.ends(
        0,
        &["service imap, options behind sasl_", "entry \"cn=johndoe"],
    );
    assert!(
        !said.out.contains("Login through the library"),
        "{}",
        said.out
    );
}

#[test]
fn the_same_as_json() {
    let story = Story::new();
    let uri = story.uri();
    let file = story.world.file("smtpd.conf", "", &eight(&uri));
    let said = story
        .world
        .run(&["--json", "-c", &file, "-u", USER, "-W"], PASSWORD);
    let all = said.json();
    assert_eq!((said.code, all["exit"].as_i64()), (0, Some(0)));
    assert!(all["failed"].is_null());
    let mut phases: Vec<&str> = Vec::new();
    for item in all["items"].as_array().unwrap() {
        let phase = item["phase"].as_str().unwrap();
        if phases.last() != Some(&phase) {
            phases.push(phase);
        }
        if ["connect", "bind", "search", "verify", "login"].contains(&phase) {
            assert!(item["ms"].is_number(), "{item}");
        }
    }
    let wanted = [
        "file",
        "library",
        "mechanisms",
        "options",
        "resolve",
        "connect",
        "tls",
        "bind",
        "search",
        "canonical",
        "verify",
        "login",
    ];
    assert_eq!(phases, wanted);
}

#[test]
fn a_canonical_name_that_is_no_login_is_warned_of() {
    let story = Story::new();
    let changes = [("ldapdb_filter", "(mail=%u)"), ("ldapdb_canon_attr", "cn")];
    let said = story.check(&changes);
    said.ends(
        0,
        &[
            "canonical name \"johndoe\"",
            "warn  the canonical name \"johndoe\" is not found as a login: LDB-30",
            "Let ldapdb_filter match ldapdb_canon_attr too.",
        ],
    );
}

#[test]
fn files_are_found_and_arguments_checked() {
    let world = World::new();
    let said = world.run(&["-c", "/no/such/file.conf"], "");
    said.ends(2, &["/no/such/file.conf: there is no such file"]);
    let file = world
        .scratch
        .file("broken.conf", "mech_list PLAIN\n")
        .unwrap();
    let said = world.run(&["-c", &file.display().to_string()], "");
    said.ends(2, &["broken.conf line 1: ", "write \"option: value\""]);
    let file = world.file("smtpd.conf", "", &[("mech_list", "PLAIN")]);
    let said = world.run(&["-c", &file, "-W"], "");
    assert!(
        said.code == 1 && said.err.contains("-u <USER>"),
        "{}",
        said.err
    );
    let said = world.run(&["--wrong"], "");
    assert_eq!(said.code, 1);
    let said = world.run(&["--example", "nothing"], "");
    assert!(
        said.code == 1 && said.err.contains("openldap, openldap2"),
        "{}",
        said.err
    );
    let said = world.run(&["--example", "glauth", "-p", "sasl_"], "");
    said.ends(0, &["\nsasl_ldapdb_bind_dn: cn=cyrus,ou=machines\n"]);
}
