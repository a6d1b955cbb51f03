// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests of the filters: no login changes a filter.

use super::*;
use saslplug::Secret;

fn login(user: &str) -> Login<'_> {
    Login {
        user,
        ..Login::default()
    }
}

fn entry(attributes: &[(&str, &str)]) -> Entry {
    Entry {
        dn: "cn=x".to_owned(),
        attributes: attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), vec![Secret::from(value.as_bytes())]))
            .collect(),
    }
}

#[test]
fn text_and_structure_agree() {
    for text in [
        "(mail=x)",
        "(&(objectCategory=person)(|(mail=x)(uid=x)))",
        "(!(uid=x))",
        "(cn=*)",
        "(cn=a*b*c)",
        "(cn=*b*)",
        "(a>=1)",
        "(a<=1)",
        "(a~=1)",
        "(userAccountControl:1.2.840.113556.1.4.803:=2)",
        "(ou:dn:=x)",
        "(:dn:2.4.6.8:=x)",
        "(cn=\\2a\\28\\29\\5c\\00)",
    ] {
        let filter = Filter::parse(text).unwrap();
        assert_eq!(filter.text(&login("nobody")), text);
        assert_eq!(
            Filter::parse(&filter.text(&login("nobody"))).unwrap(),
            filter,
            "{text}"
        );
    }
}

#[test]
fn a_login_never_changes_the_structure() {
    let filter = Filter::parse("(&(objectClass=person)(|(uid=%u)(mail=a*%U)))").unwrap();
    for user in [
        "*",
        "jdoe*",
        "a)(uid=*",
        "\\",
        "\\2a",
        "x,ou=evil",
        "%u",
        "é",
        "(",
        "#x",
    ] {
        let expected = constructed(
            0,
            vec![
                constructed(
                    3,
                    vec![octets(b"objectClass".to_vec()), octets(b"person".to_vec())],
                ),
                constructed(
                    1,
                    vec![
                        constructed(
                            3,
                            vec![octets(b"uid".to_vec()), octets(user.as_bytes().to_vec())],
                        ),
                        constructed(
                            4,
                            vec![
                                octets(b"mail".to_vec()),
                                sequence(vec![
                                    context(0, b"a".to_vec()),
                                    context(2, user.as_bytes().to_vec()),
                                ]),
                            ],
                        ),
                    ],
                ),
            ],
        );
        assert_eq!(filter.encode(&login(user)).unwrap(), expected, "{user}");
    }
}

#[test]
fn every_byte_is_escaped_reversibly() {
    for byte in 0..=255_u8 {
        for value in [vec![byte], vec![b'a', byte, b'b'], vec![byte, byte]] {
            let text = format!("(cn={})", FilterValue::escape(&value).as_str());
            if value.contains(&b'%') {
                continue; // text for the log is no template
            }
            let filter = Filter::parse(&text).unwrap_or_else(|why| panic!("{text}: {why}"));
            let expected = constructed(3, vec![octets(b"cn".to_vec()), octets(value)]);
            assert_eq!(filter.encode(&login("x")).unwrap(), expected, "{text}");
        }
    }
}

#[test]
fn a_variable_without_value_sends_nothing() {
    let filter = Filter::parse("(&(uid=%U)(domain=%d))").unwrap();
    assert!(filter.encode(&login("jdoe")).is_none());
    assert!(filter.encode(&login("jdoe@a.b")).is_some());
}

#[test]
fn mistakes_are_refused() {
    for text in [
        "",
        "(",
        "()",
        "(a)",
        "(a=b",
        "(a=b))",
        "(&)",
        "(!(a=b)",
        "(a b=c)",
        "(a=\\2)",
        "(a=\\zz)",
        "(a=%x)",
        "(=x)",
        "(a=b(c)",
        "(&(a=b)c)",
        "(:=x)",
    ] {
        assert!(Filter::parse(text).is_err(), "{text}");
    }
    let deep = format!("{}(a=b){}", "(!".repeat(40), ")".repeat(40));
    assert!(Filter::parse(&deep).unwrap_err().contains("deep"));
    assert_eq!(Filter::parse("mail=%u"), Filter::parse("(mail=%u)"));
}

#[test]
fn an_entry_must_show_the_login() {
    let holds = |filter: &str, user: &str, shown: &[(&str, &str)]| {
        Filter::parse(filter)
            .unwrap()
            .holds(&login(user), &entry(shown))
    };
    assert_eq!(holds("(mail=%u)", "J@X", &[("MAIL", "j@x")]), Some(true));
    assert_eq!(
        holds("(mail=%u)", "jdoe*", &[("mail", "jdoe")]),
        Some(false)
    );
    assert_eq!(holds("(mail=%u)", "jdoe*", &[("uid", "jdoe")]), None);
    let either = "(|(uid=%u)(mail=%u))";
    assert_eq!(holds(either, "a*", &[("uid", "a*")]), Some(true));
    assert_eq!(
        holds(either, "a*", &[("uid", "a"), ("mail", "b")]),
        Some(false)
    );
    // A part that does not speak of the login proves nothing.
    let both = "(&(objectClass=person)(uid=%u))";
    assert_eq!(holds(both, "a*", &[("objectClass", "person")]), None);
    assert_eq!(
        holds(both, "a*", &[("objectClass", "person"), ("uid", "b")]),
        Some(false)
    );
}

#[test]
fn no_text_makes_it_panic() {
    let letters: Vec<char> = "(&|!)a=*\\2%u:<>~\u{e9} ".chars().collect();
    let mut state = 1_u32;
    for round in 0..50_000 {
        let mut text = if round % 2 == 0 {
            "(".to_owned()
        } else {
            String::new()
        };
        for _ in 0..round % 24 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text.push(letters[(state >> 16) as usize % letters.len()]);
        }
        if let Ok(filter) = Filter::parse(&text) {
            let _ = filter.text(&login("x"));
            let _ = filter.encode(&login("x"));
        }
    }
}
