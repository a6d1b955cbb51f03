// SPDX-License-Identifier: MIT OR Apache-2.0
//! The examples that need no server of their own let a user in as they are: a
//! slapd has the names that stand in them; only host and file are replaced.

use super::{CANARY, PASSWORD, USER, World};
use lab::slapd::{Slapd, database};
use std::path::Path;

/// Suffix, service account, folder and name of the user.
const PLACES: [[&str; 4]; 4] = [
    [
        "dc=users,dc=local",
        "cn=cyrus,ou=machines",
        "ou=heros",
        "cn=jdoe",
    ],
    [
        "dc=ldap,dc=goauthentik,dc=io",
        "cn=mail,ou=users",
        "ou=users",
        "cn=jdoe",
    ],
    [
        "o=ORG,dc=jumpcloud,dc=com",
        "uid=mail,ou=Users",
        "ou=Users",
        "uid=jdoe",
    ],
    // Three examples share it.
    [
        "dc=example,dc=com",
        "cn=mail,ou=services",
        "ou=people",
        "uid=jdoe",
    ],
];

fn configuration(folder: &Path) -> String {
    let shown = folder.display();
    let mut text = format!(
        "\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {shown}/slapd.pid
argsfile {shown}/slapd.args
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
authz-policy to
authz-regexp \"^gidNumber=[0-9]+[+]uidNumber=[0-9]+,cn=peercred,cn=external,cn=auth$\" \
\"cn=mail,ou=services,dc=example,dc=com\"
authz-regexp \"^uid=([^,]+@[^,]+),(.+,)?cn=auth$\" \
\"ldap:///ou=people,dc=example,dc=com??sub?(mail=$1)\"
access to dn.base=\"\" by * read
access to attrs=userPassword by self read by anonymous auth by * none
access to attrs=authzTo by * auth
access to * by users read by anonymous auth
"
    );
    for (index, [suffix, ..]) in PLACES.iter().enumerate() {
        text.push_str(&format!(
            "\ndatabase mdb\nsuffix \"{suffix}\"\ndirectory {shown}/{}\nmaxsize 16777216\ndbnosync\n",
            database(index)
        ));
    }
    text
}

/// An entry with any attributes.
fn entry(dn: &str, more: &[(&str, &str)]) -> String {
    let (kind, rest) = dn.split_once('=').unwrap();
    let value = rest.split(',').next().unwrap();
    let mut text = format!(
        "dn: {dn}\nobjectClass: applicationProcess\nobjectClass: extensibleObject\ncn: {value}\n"
    );
    if kind != "cn" {
        text.push_str(&format!("{kind}: {value}\n"));
    }
    for (name, value) in more {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push('\n');
    text
}

/// The names above `dn`, the highest first, without what is there already.
fn entries([suffix, account, folder, user]: [&str; 4], own: &[(&str, &[(&str, &str)])]) -> String {
    let account = format!("{account},{suffix}");
    let user = format!("{user},{folder},{suffix}");
    let login = [("mail", USER), ("userPassword", PASSWORD)];
    let proxy = "ldap:///ou=people,dc=example,dc=com??sub?(mail=*)";
    let service = [("userPassword", CANARY), ("authzTo", proxy)];
    let mut wanted: Vec<(String, &[(&str, &str)])> = vec![(account, &service), (user, &login)];
    wanted.extend(
        own.iter()
            .map(|(dn, more)| (format!("{dn},{suffix}"), *more)),
    );
    let mut text = entry(suffix, &[]);
    let mut there = vec![suffix.to_owned()];
    for (dn, more) in wanted {
        let above: Vec<usize> = dn.match_indices(',').map(|(at, _)| at + 1).rev().collect();
        for start in above {
            let parent = dn[start..].to_owned();
            if parent.len() > suffix.len() && !there.contains(&parent) {
                text.push_str(&entry(&parent, &[]));
                there.push(parent);
            }
        }
        text.push_str(&entry(&dn, more));
    }
    text
}

fn directory(world: &World) -> Slapd {
    let group = [
        ("mail", "jane@example.com"),
        ("userPassword", PASSWORD),
        (
            "memberOf",
            "cn=mail,cn=groups,cn=accounts,dc=example,dc=com",
        ),
    ];
    let outside = [("mail", "jim@example.com"), ("userPassword", PASSWORD)];
    let service = [("userPassword", CANARY)];
    let shared: [(&str, &[(&str, &str)]); 4] = [
        ("uid=mail,cn=sysaccounts,cn=etc", &service),
        ("uid=readonly,ou=people", &service),
        ("uid=jane,cn=users,cn=accounts", &group),
        ("uid=jim,cn=users,cn=accounts", &outside),
    ];
    let data: Vec<String> = PLACES
        .iter()
        .map(|place| {
            entries(
                *place,
                if place[0] == "dc=example,dc=com" {
                    &shared
                } else {
                    &[]
                },
            )
        })
        .collect();
    let databases: Vec<(&str, &str)> = PLACES
        .iter()
        .zip(&data)
        .map(|(place, data)| (place[0], data.as_str()))
        .collect();
    Slapd::serve(&world.scratch, &[], configuration, &databases).unwrap()
}

/// The example, with this server and this password file.
fn adapted(world: &World, slapd: &Slapd, name: &str) -> String {
    let text = world.run(&["--example", name], "").out;
    let password = world.scratch.file("ldap.password", CANARY).unwrap();
    lab::scratch::set_mode(&password, 0o600).unwrap();
    let socket = slapd.socket().display().to_string().replace('/', "%2f");
    let lines: Vec<String> = text
        .lines()
        .map(|line| match line.split_once(": ") {
            Some(("ldapdb_pw_file", _)) => format!("ldapdb_pw_file: {}", password.display()),
            Some(("ldapdb_uri", "ldapi:///")) => format!("ldapdb_uri: ldapi://{socket}/"),
            Some(("ldapdb_uri", list)) => {
                let here = |uri: &str| {
                    let (_, rest) = uri.split_once("://").unwrap();
                    let tail = rest.split_once('/').map_or("", |(_, tail)| tail);
                    format!("ldap://{}/{tail}", slapd.address())
                };
                let uris: Vec<String> = list.split(' ').map(here).collect();
                format!("ldapdb_uri: {}", uris.join(" "))
            }
            _ => line.to_owned(),
        })
        .collect();
    let file = world.scratch.file("smtpd.conf", &lines.join("\n")).unwrap();
    file.display().to_string()
}

#[test]
fn they_let_a_user_in() {
    let world = World::new();
    let slapd = directory(&world);
    for (name, user) in [
        ("openldap", USER),
        ("openldap2", USER),
        ("lldap", USER),
        ("authentik", USER),
        ("jumpcloud", USER),
        ("glauth", USER),
        ("freeipa", "jane@example.com"),
    ] {
        let file = adapted(&world, &slapd, name);
        let said = world.run(&["-c", &file, "-u", user, "-W"], PASSWORD);
        said.ends(0, &["is let in", "the password is right"]);
        let said = world.run(&["-c", &file, "-u", user, "-W"], "wrong-one");
        said.ends(12, &["LDB-50"]);
    }
    let file = adapted(&world, &slapd, "freeipa");
    let said = world.run(&["-c", &file, "-u", "jim@example.com", "-W"], PASSWORD);
    said.ends(10, &["LDB-30", "ldapdb_require"]);
}
