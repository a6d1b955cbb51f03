// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mistakes, each with the phase where the way ends and the line that says so.

use super::{CANARY, PASSWORD, Story, USER, World};
use lab::library::Library;
use std::net::TcpListener;

#[test]
fn of_the_options() {
    let story = Story::new();
    let uri = story.uri();
    let lost = uri.replace("users,dc", "users%44dc");
    for (changes, words) in [
        (&[("ldapdb_uri", "")][..], "LDB-01 ldapdb_uri is not set"),
        (
            &[("ldapdb_fliter", "(uid=%u)")],
            "LDB-02 option \"ldapdb_fliter\" is not known, did you mean ldapdb_filter?",
        ),
        (
            &[("ldapdb_uri", "ldap://a,b")],
            "LDB-03 \"b\" in ldapdb_uri",
        ),
        (
            &[("ldapdb_uri", lost.as_str())],
            "LDB-04 suspicious base DN",
        ),
        (
            &[
                ("ldapdb_bind_dn", ""),
                ("ldapdb_id", "cn=cyrus,ou=machines"),
            ],
            "LDB-06 ldapdb_id",
        ),
        (&[("ldapdb_pool", "many")], "LDB-09 "),
        (&[("pwcheck_method", "pam")], "saslauthd -a pam"),
        (&[("sql_select", "SELECT 1")], "sql_select has no effect"),
        (&[("log_level", "high")], "is not a number"),
    ] {
        story.check(changes).ends(3, &[words, "FAIL  "]);
    }
}

#[test]
fn of_the_way() {
    let story = Story::new();
    let address = story.slapd.address().to_string();
    let dead = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let at = |what: &str| story.uri().replace(&address, what);
    let [closed, nowhere] = [at(&dead.to_string()), at("no-such-host.invalid")];
    let tls = story.uri().replace("ldap:", "ldaps:");
    let far = at("192.0.2.1");
    for (uri, code, words) in [
        (
            &nowhere,
            6,
            "LDB-10 cannot resolve \"no-such-host.invalid\"",
        ),
        (&closed, 7, "LDB-11 cannot connect to"),
        (&far, 7, "LDB-16 not sending a password to 192.0.2.1:389"),
        (&tls, 8, "LDB-13 TLS with"),
    ] {
        story.check(&[("ldapdb_uri", uri)]).ends(code, &[words]);
    }
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = at(&silent.local_addr().unwrap().to_string());
    let changes = [("ldapdb_uri", uri.as_str()), ("ldapdb_timeout", "1")];
    story
        .check(&changes)
        .ends(9, &["LDB-12 no answer from", "ldapdb_timeout"]);
}

#[test]
fn of_account_and_user() {
    let story = Story::new();
    let search = |filter| [("ldapdb_filter", filter)];
    story
        .check(&[("ldapdb_bind_pw", "wrong-one")])
        .ends(9, &["LDB-20 ", "refused the SERVICE account"]);
    story
        .check(&[("ldapdb_pw_file", "/no/such/file"), ("ldapdb_bind_pw", "")])
        .ends(9, &["LDB-07 ldapdb_pw_file", "No such file"]);
    let nobody = [("ldapdb_bind_dn", ""), ("ldapdb_bind_pw", "")];
    story
        .check(&nobody)
        .ends(10, &["searches are anonymous", "LDB-37 "]);
    story
        .check_as(&[], "nobody@example.com", PASSWORD)
        .ends(10, &["LDB-30 no entry for \"nobody@example.com\""]);
    story
        .check(&search("(cn=nobody)"))
        .ends(3, &["has no variable"]);
    let shared = lab::slapd::SHARED_MAIL;
    story.check_as(&[], shared, PASSWORD).ends(10, &["LDB-33 "]);
    story
        .check(&[("ldapdb_search_base", "ou=nowhere")])
        .ends(10, &["LDB-31 "]);
    story
        .check(&[("ldapdb_canon_attr", "mobile")])
        .ends(11, &["LDB-36 "]);
    story
        .check_as(&[], USER, "wrong-one")
        .ends(12, &["LDB-50 ", "49 invalidCredentials", "is not let in"]);
    story
        .check_as(&[], USER, "")
        .ends(12, &["LDB-50 empty password"]);
}

#[test]
fn a_server_that_is_up_again_is_walked_to_the_end() {
    let mut story = Story::new();
    story.slapd.stop().unwrap();
    story.check(&[]).ends(7, &["Connection refused"]);
    story.slapd.start_again().unwrap();
    story.check(&[]).ends(0, &["is let in"]);
}

#[test]
fn of_mechanisms() {
    let story = Story::new();
    let said = story.check(&[("mech_list", "GURKE")]);
    said.ends(
        5,
        &[
            "none is offered",
            "mech_list names GURKE, which is neither built in",
        ],
    );
    let said = story.check(&[("mech_list", "PLAIN LOGIN OAUTHBEARER")]);
    said.ends(
        0,
        &[
            "in mech_list, but not offered: OAUTHBEARER: ",
            "option oauth_",
        ],
    );
    let said = story.check(&[
        ("mech_list", "PLAIN SCRAM-SHA-256"),
        ("ldapdb_verify", "bind"),
    ]);
    said.ends(
        0,
        &[
            "in mech_list, but not offered: SCRAM-SHA-256: ",
            "ldapdb shows no password",
        ],
    );
    // The trap of the story: offered, chosen by the client, and hopeless.
    let said = story.check(&[("mech_list", "PLAIN DIGEST-MD5")]);
    said.ends(0, &["offered, but cannot work: DIGEST-MD5: LDB-41 entry "]);
    let said = story.check(&[]);
    said.ends(0, &["mech_list leaves out", "DIGEST-MD5"]);
    assert!(!said.out.contains("cannot work"), "{}", said.out);
}

#[test]
fn of_plugins() {
    let world = World::new();
    let uri = "ldap://127.0.0.1:1/dc=users,dc=local";
    let said = world.check(
        &[
            ("auxprop_plugin", "sql"),
            ("sql_select", "SELECT 1 WHERE '%u'"),
        ],
        USER,
        PASSWORD,
    );
    said.ends(
        4,
        &["store sql: there is no libsql.so", "libsasl2-modules-sql"],
    );
    // The original plugin would ignore what makes the login work.
    let original = Library::Stock.plugins().unwrap().join("libldapdb.so");
    let ours = world.placed.plugins().join("libldapdb.so");
    std::fs::remove_file(&ours).unwrap();
    lab::scratch::copy(&original, &ours).unwrap();
    let lines = [
        ("auxprop_plugin", "ldapdb"),
        ("mech_list", "PLAIN"),
        ("ldapdb_uri", uri),
        ("ldapdb_bind_dn", "cn=cyrus"),
        ("ldapdb_bind_pw", CANARY),
    ];
    let said = world.check(&lines, USER, PASSWORD);
    said.ends(
        4,
        &["is the original ldapdb, which ignores ldapdb_bind_dn ldapdb_bind_pw"],
    );
}

#[test]
fn a_file_with_a_password_that_all_may_read() {
    let story = Story::new();
    let text = format!("ldapdb_uri: {}\nldapdb_bind_pw: {CANARY}\n", story.uri());
    let file = story.world.scratch.file("open.conf", &text).unwrap();
    let said = story.world.run(&["-c", &file.display().to_string()], "");
    assert!(
        said.out.contains("everybody may read it (mode 644)"),
        "{}",
        said.out
    );
}
