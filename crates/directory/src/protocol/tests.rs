// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests of the messages: known bytes, and bytes from an enemy.

use super::request::*;
use super::*;
use crate::uri::Scope;
use lber::structure::PL;

#[test]
fn a_bind_as_rfc_4511_has_it() {
    let message = bind(1, b"cn=root,dc=plabs", &Secret::from(&b"asdf"[..]), &[]);
    let mut expected = vec![0x30, 0x20, 2, 1, 1, 0x60, 0x1b, 2, 1, 3, 4, 16];
    expected.extend_from_slice(b"cn=root,dc=plabs");
    expected.extend_from_slice(&[0x80, 4]);
    expected.extend_from_slice(b"asdf");
    assert_eq!(*message, expected);
    let long = bind(300, b"cn=x", &Secret::from(vec![b'p'; 1000]), &[]);
    let (id, tag) = (lber::parse::parse_tag(&long).unwrap().1, 0x82);
    assert_eq!(long[1], tag);
    assert_eq!(
        integer(id.expect_constructed().unwrap().remove(0)),
        Some(300)
    );
    assert!(long.capacity() <= 4 + 1000 + 64);
}

#[test]
fn integers() {
    for (value, bytes) in [
        (0, vec![2, 1, 0]),
        (127, vec![2, 1, 127]),
        (128, vec![2, 2, 0, 128]),
        (32_767, vec![2, 2, 127, 255]),
        (32_768, vec![2, 3, 0, 128, 0]),
        (i32::MAX, vec![2, 4, 127, 255, 255, 255]),
    ] {
        let mut out = Vec::new();
        put_integer(&mut out, value);
        assert_eq!(out, bytes, "{value}");
        assert_eq!(
            integer(lber::parse::parse_tag(&out).unwrap().1),
            Some(i64::from(value))
        );
    }
}

#[test]
fn a_search_asks_for_two_entries_at_most() {
    let search = Search {
        base: "dc=x",
        scope: Scope::Sub,
        filter: tag(TagClass::Context, 7, PL::P(b"cn".to_vec())),
        attributes: &["mail".to_owned()],
        seconds: 8,
        proxied: None,
    };
    let mut expected = vec![0x30, 38, 2, 1, 2, 0x63, 33, 4, 4];
    expected.extend_from_slice(b"dc=x");
    expected.extend_from_slice(&[10, 1, 2, 10, 1, 0, 2, 1, 2, 2, 1, 8, 1, 1, 0, 0x87, 2]);
    expected.extend_from_slice(b"cn");
    expected.extend_from_slice(&[0x30, 6, 4, 4]);
    expected.extend_from_slice(b"mail");
    assert_eq!(search.encode(2), expected);
}

#[test]
fn frames() {
    assert_eq!(frame(&[]), Ok(None));
    assert_eq!(frame(&[0x30]), Ok(None));
    assert_eq!(frame(&[0x30, 0x84, 0, 0]), Ok(None));
    assert_eq!(frame(&[0x30, 5, 1]), Ok(Some(7)));
    assert_eq!(frame(&[0x30, 0x84, 0, 0, 0, 5]), Ok(Some(11)));
    assert!(frame(&[0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]).is_err());
    assert!(frame(&[0x30, 0x80]).is_err());
    assert!(frame(&[0x30, 0x88, 0, 0, 0, 0, 0, 0, 0, 1]).is_err());
    assert!(frame(b"HTTP/1.1 400").is_err());
    assert!(frame(&[0x16, 3, 1]).unwrap_err().contains("TLS"));
}

#[test]
fn answers() {
    let (id, answer) = decode(&[0x30, 12, 2, 1, 1, 0x61, 7, 10, 1, 49, 4, 0, 4, 0]).unwrap();
    assert_eq!(id, 1);
    assert!(matches!(
        answer,
        Answer::Bind(Outcome { code: 49, .. }, None, None)
    ));
    let mut referral = vec![
        0x30, 22, 2, 1, 1, 0x65, 17, 10, 1, 10, 4, 0, 4, 0, 0xa3, 8, 4, 6,
    ];
    referral.extend_from_slice(b"ldap:/");
    match decode(&referral).unwrap().1 {
        Answer::Done(outcome) => assert_eq!(outcome.referral.as_deref(), Some("ldap:/")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn deep_nesting_is_refused_before_parsing() {
    let mut bytes = Vec::new();
    for _ in 0..20_000 {
        let mut outer = Vec::new();
        put(&mut outer, 0x30, &bytes);
        bytes = outer;
        if bytes.len() > 60_000 {
            break;
        }
    }
    assert!(decode(&bytes).unwrap_err().contains("nested"));
}

#[test]
fn garbage_is_refused_without_a_panic() {
    // A small generator: the same bytes in every run.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        u8::try_from(state & 0xff).unwrap()
    };
    let good = [0x30, 12, 2, 1, 1, 0x61, 7, 10, 1, 49, 4, 0, 4, 0];
    for round in 0..200_000 {
        let mut bytes = good.to_vec();
        if round % 2 == 0 {
            bytes = (0..usize::from(next() % 64)).map(|_| next()).collect();
        } else {
            for _ in 0..=next() % 3 {
                let at = usize::from(next()) % bytes.len();
                bytes[at] = next();
            }
        }
        let _ = frame(&bytes);
        let _ = decode(&bytes);
    }
    for end in 0..good.len() {
        assert!(decode(&good[..end]).is_err());
    }
}
