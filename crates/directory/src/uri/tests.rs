// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests of `ldapdb_uri`: each row of the table in the manual.

use super::*;

fn list(text: &str) -> (Vec<(String, Option<String>)>, Vec<u8>) {
    let (uris, warnings) = parse_list(text).unwrap_or_else(|fault| panic!("{fault}"));
    let uris = uris
        .into_iter()
        .map(|uri| (uri.label(), uri.base))
        .collect();
    (uris, warnings.iter().map(Fault::number).collect())
}

fn one(label: &str, base: &str) -> (String, Option<String>) {
    (
        label.to_owned(),
        (!base.is_empty()).then(|| base.to_owned()),
    )
}

#[test]
fn a_comma_in_the_dn_separates_nothing() {
    let wanted = (vec![one("ldap://glauth", "dc=users,dc=local")], vec![]);
    assert_eq!(list("ldap://glauth/dc=users,dc=local"), wanted);
    assert_eq!(list("ldap://glauth/dc=users%2cdc=local"), wanted);
    assert_eq!(list("<URL:LDAP://glauth/dc=users,dc=local>"), wanted);
}

#[test]
fn the_old_lists() {
    let wanted = (vec![one("ldap://a", ""), one("ldap://b", "")], vec![]);
    for text in [
        "ldap://a,ldap://b",
        "ldap://a, ldap://b",
        "ldap://a ldap://b",
        "ldap://a , ldap://b,",
    ] {
        assert_eq!(list(text), wanted, "{text}");
    }
}

#[test]
fn two_servers_with_bases() {
    let wanted = vec![one("ldap://a", "dc=x,dc=y"), one("ldaps://b", "dc=x,dc=y")];
    assert_eq!(
        list("ldap://a/dc=x,dc=y,ldaps://b/dc=x,dc=y"),
        (wanted, vec![])
    );
}

#[test]
fn a_name_alone_is_no_url() {
    let fault = parse_list("ldap://a,b").unwrap_err();
    assert_eq!(fault.number(), 3);
    assert!(
        fault
            .to_string()
            .contains("\"b\" in ldapdb_uri is not an LDAP URL"),
        "{fault}"
    );
    assert!(
        fault.to_string().contains("write \"ldap://a ldap://b\""),
        "{fault}"
    );
    for text in [
        "glauth",
        "http://x",
        "ldap://a b",
        "ldap://a:0",
        "ldap://a:70000",
        "ldap://a:x",
    ] {
        assert_eq!(parse_list(text).unwrap_err().number(), 3, "{text}");
    }
    for text in [
        "ldap://a/dc",
        "ldap://a/dc=%zz",
        "ldap://a/dc=%00",
        "ldap://a/dc=x??tree",
    ] {
        assert_eq!(parse_list(text).unwrap_err().number(), 3, "{text}");
    }
    assert_eq!(parse_list(" , ").unwrap_err().number(), 1);
}

#[test]
fn percent_44_is_the_letter_d() {
    let (uris, warnings) = parse_list("ldap://glauth/dc=users%44dc=local").unwrap();
    assert_eq!(uris[0].base.as_deref(), Some("dc=usersDdc=local"));
    assert_eq!(warnings[0].number(), 4);
    let text = warnings[0].to_string();
    assert!(
        text.contains("%44 is the letter D") && text.contains("%2c"),
        "{text}"
    );
}

#[test]
fn no_host_is_localhost() {
    assert_eq!(
        list("ldap:///dc=x"),
        (vec![one("ldap://localhost", "dc=x")], vec![])
    );
}

#[test]
fn a_slash_at_the_end_goes() {
    let wanted = (vec![one("ldap://glauth", "dc=users,dc=local")], vec![5]);
    assert_eq!(list("ldap://glauth/dc=users,dc=local/"), wanted);
    assert_eq!(
        list("ldap://glauth/"),
        (vec![one("ldap://glauth", "")], vec![])
    );
}

#[test]
fn ports_and_addresses() {
    assert_eq!(list("ldap://[::1]:3890").0, [one("ldap://[::1]:3890", "")]);
    let (uris, _) = parse_list("ldaps://x ldap://y:10389 ldapi://%2ftmp%2fs").unwrap();
    let port = |uri: &Uri| match uri.endpoint {
        Endpoint::Tcp { port, .. } => Some(port),
        Endpoint::Unix(_) | Endpoint::Service(_) => None,
    };
    assert_eq!(
        uris.iter().map(port).collect::<Vec<_>>(),
        [Some(636), Some(10389), None]
    );
    assert_eq!(uris[2].endpoint, Endpoint::Unix("/tmp/s".into()));
}

#[test]
fn scope_and_filter() {
    let (uris, _) = parse_list("ldap://h/dc=x?cn,mail?one?(mail=%25u)").unwrap();
    assert_eq!(uris[0].scope, Some(Scope::One));
    assert_eq!(uris[0].filter.as_deref(), Some("(mail=%u)"));
}

#[test]
fn no_text_makes_it_panic() {
    let letters: Vec<char> = "ldap://s%2cz,;=?[]<>: dc\u{e9}\\\"".chars().collect();
    let mut state = 1_u32;
    for round in 0..50_000 {
        let mut text = if round % 2 == 0 {
            "ldap://".to_owned()
        } else {
            String::new()
        };
        for _ in 0..round % 24 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text.push(letters[(state >> 16) as usize % letters.len()]);
        }
        let _ = parse_list(&text);
    }
}

#[test]
fn services_have_a_domain() {
    let endpoint = |text: &str| parse_list(text).map(|(uris, _)| uris[0].endpoint.clone());
    let service = |domain: &str| Ok(Endpoint::Service(domain.to_owned()));
    for (text, domain) in [
        ("ldap+srv://example.com/dc=x", "example.com"),
        ("LDAPS+SRV://example.com.", "example.com"),
        ("ldaps+srv:///ou=people,dc=example,dc=com", "example.com"),
    ] {
        assert_eq!(endpoint(text), service(domain), "{text}");
    }
    for text in [
        "ldap+srv://a:389",
        "ldap+srv://[::1]",
        "ldap+srv:///o=x",
        "ldap+srv://a b",
    ] {
        assert!(endpoint(text).is_err(), "{text}");
    }
}
