// SPDX-License-Identifier: MIT OR Apache-2.0
//! Password policies of a slapd (ppolicy), groups, and users' binds by SASL.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helpers"
)]
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test's helpers"
)]

mod support;

use directory::Phase;
use saslplug::Code;
use support::overlays::{self, person};
use support::slapd::{Slapd, entries};
use support::{CANARY, Client};

fn client(slapd: &Slapd, more: &[(&str, &str)]) -> Client {
    let uri = slapd.uri();
    let options = [
        ("ldapdb_uri", uri.as_str()),
        ("ldapdb_bind_dn", "cn=cyrus,ou=machines"),
        ("ldapdb_bind_pw", CANARY),
        ("ldapdb_filter", "(mail=%u)"),
    ];
    Client::new(&[&options, more].concat())
}

/// A slapd with policies and one person of each kind.
fn with_policies(name: &str) -> Slapd {
    let people = [
        person("fresh", 1, ""),
        person("soon", 95, ""),
        person("late", 200, ""),
        person("reset", 1, "pwdReset: TRUE\n"),
        person("locked", 1, "pwdAccountLockedTime: 000001010000Z\n"),
    ];
    let all = [&entries(), "\n", overlays::POLICY, &people.join("\n")].concat();
    Slapd::with(name, &all, overlays::policies)
}

#[track_caller]
fn login(client: &Client, name: &str, verdict: Result<(), Code>, says: &str) {
    let seen = client.lines.all().len();
    let user = format!("{name}@example.com");
    let lines = || client.lines.all().split_off(seen);
    assert_eq!(client.verify(&user, "dogood"), verdict, "{:#?}", lines());
    let told = |line: &String| line.contains(says) && line.contains("password policy");
    let told = lines().iter().any(told);
    assert_eq!(told, !says.is_empty(), "{name}: {:#?}", lines());
}

#[test]
fn what_a_policy_says_is_told() {
    let slapd = with_policies("policy");
    for more in [&[][..], &[("ldapdb_ppolicy", "yes")]] {
        let client = client(&slapd, more);
        login(&client, "fresh", Ok(()), "");
        login(&client, "soon", Ok(()), "LDB-56");
        login(
            &client,
            "reset",
            Err(Code::EXPIRED),
            "must be changed first",
        );
        login(&client, "locked", Err(Code::PWLOCK), "LDB-55");
        let wrong = client.verify("fresh@example.com", "wrong");
        assert_eq!(wrong, Err(Code::BADAUTH));
    }
    let client = client(&slapd, &[]);
    login(&client, "late", Ok(()), "has expired; 1 more logins");
    login(&client, "late", Ok(()), "has expired; 0 more logins");
    login(&client, "late", Err(Code::EXPIRED), "LDB-50");
    assert_eq!(client.lines.errors(), [""; 0]);
}

#[test]
fn without_the_control_only_the_result_counts() {
    let slapd = with_policies("policy-no");
    let client = client(&slapd, &[("ldapdb_ppolicy", "no")]);
    login(&client, "soon", Ok(()), "");
    login(&client, "reset", Ok(()), "");
    login(&client, "locked", Err(Code::BADAUTH), "");
    assert_eq!(slapd.lines("base=\"\" scope=0"), 0, "{}", slapd.log());
}

#[test]
fn the_root_dse_is_read_once() {
    let slapd = with_policies("policy-once");
    let client = client(&slapd, &[("ldapdb_pool", "0")]);
    for _ in 0..3 {
        login(&client, "soon", Ok(()), "LDB-56");
    }
    assert_eq!(slapd.lines("base=\"\" scope=0"), 1, "{}", slapd.log());
}

const STAFF: &str = "
dn: cn=staff,dc=users,dc=local
objectClass: groupOfUniqueNames
cn: staff
uniqueMember: cn=johndoe,ou=people,dc=users,dc=local

dn: cn=imap,dc=users,dc=local
objectClass: groupOfNames
cn: imap
member: cn=Müller\\2C Anna,ou=people,dc=users,dc=local
";

#[test]
fn only_members_are_found() {
    let slapd = Slapd::with("group", &(entries() + STAFF), overlays::provider);
    let (jdoe, anna) = (
        ("jdoe@example.com", "dogood"),
        ("anna@example.com", "geheim ü"),
    );
    let staff = client(&slapd, &[("ldapdb_group_dn", "cn=staff")]);
    let by_service = [
        ("ldapdb_group_dn", "cn=%s"),
        ("ldapdb_group_attr", "member"),
    ];
    let imap = client(&slapd, &by_service);
    for (client, member, other) in [(&staff, jdoe, anna), (&imap, anna, jdoe)] {
        assert_eq!(
            client.verify(member.0, member.1),
            Ok(()),
            "{:#?}",
            client.lines.all()
        );
        assert_eq!(client.lookup(member.0, &["mail"]).map(|_| ()), Ok(()));
        // Neither a password nor a property of somebody else.
        assert_eq!(client.verify(other.0, other.1), Err(Code::NOUSER));
        assert_eq!(client.lookup(other.0, &["mail"]), Err(Code::NOUSER));
        assert!(
            client
                .lines
                .all()
                .iter()
                .any(|line| line.contains("no member of"))
        );
        assert_eq!(client.lines.errors(), [""; 0]);
    }
    let steps = staff.walk(jdoe.0, jdoe.1);
    let found = steps.iter().find(|step| step.phase == Phase::Search);
    let found = found.unwrap().outcome.as_ref().unwrap();
    assert!(found.iter().any(|line| line == "a member of \"cn=staff\""));
    let steps = staff.walk(anna.0, anna.1);
    let last = steps.last().unwrap();
    let fault = last.outcome.as_ref().unwrap_err();
    assert_eq!((last.phase, fault.number()), (Phase::Search, 30));
    let lost = client(&slapd, &[("ldapdb_group_dn", "cn=nothing")]);
    assert_eq!(lost.verify(jdoe.0, jdoe.1), Err(Code::UNAVAIL));
    assert!(
        lost.lines.errors()[0].contains("LDB-31 group"),
        "{:?}",
        lost.lines.errors()
    );
}

#[test]
fn users_bind_by_sasl() {
    let slapd = Slapd::proxying("user-mech");
    let uri = slapd.uri();
    for mech in ["SCRAM-SHA-256", "DIGEST-MD5", "PLAIN"] {
        let options = [
            ("ldapdb_uri", uri.as_str()),
            ("ldapdb_bind_dn", "cn=cyrus,ou=machines"),
            ("ldapdb_bind_pw", CANARY),
            ("ldapdb_filter", "(uid=%u)"),
            ("ldapdb_canon_attr", "uid"),
            ("ldapdb_verify", "bind"),
            ("ldapdb_user_mech", mech),
        ];
        let client = Client::new(&options);
        for _ in 0..2 {
            let verdict = client.verify("jdoe", "dogood");
            assert_eq!(verdict, Ok(()), "{mech}: {:#?}", client.lines.all());
            assert_eq!(client.verify("jdoe", "wrong"), Err(Code::BADAUTH), "{mech}");
        }
        assert_eq!(client.verify("dn:cn=johndoe", "dogood"), Err(Code::NOUSER));
        assert_eq!(client.lines.errors(), [""; 0]);
        assert!(
            slapd.lines(&format!("mech={mech} ")) >= 2,
            "{}",
            slapd.log()
        );
    }
}
