// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tokens signed with keys whose private halves are gone; what they say is in
//! their names in `vectors.json`. They hold until 2100.
#![forbid(unsafe_code)]

use super::{Policy, judge, read_keys};
use jsonwebtoken::jwk::JwkSet;
use saslplug::{Code, Secret};
use serde_json::Value;
use std::ffi::CStr;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors.json")).expect("JSON")
}

fn keys() -> JwkSet {
    serde_json::from_value(vectors()).expect("keys")
}

fn option(name: &CStr) -> Option<String> {
    let value = match name.to_str() {
        Ok("oauth_jwks") => "/nonexistent/keys.json",
        Ok("oauth_issuer") => "https://id.example",
        Ok("oauth_audience") => "pop imap",
        _ => return None,
    };
    Some(value.to_owned())
}

fn policy() -> Policy {
    Policy::from(option).expect("a policy")
}

fn outcome(policy: &Policy, token: &str) -> Result<String, Code> {
    judge(policy, &keys(), &Secret::from(token.as_bytes())).map_err(|error| error.code())
}

fn good(name: &str) -> String {
    vectors()["good"][name]
        .as_str()
        .expect("a token")
        .to_owned()
}

#[test]
fn good_tokens_name_the_user() {
    for (name, token) in vectors()["good"].as_object().expect("tokens") {
        let token = token.as_str().expect("a token");
        assert_eq!(outcome(&policy(), token).as_deref(), Ok("tim"), "{name}");
        let email = Policy {
            claim: "email".to_owned(),
            ..policy()
        };
        assert_eq!(outcome(&email, token).as_deref(), Ok("tim@example.com"));
    }
}

#[test]
fn bad_tokens_do_not() {
    for (name, vector) in vectors()["bad"].as_object().expect("tokens") {
        let expected = match vector[0].as_str() {
            Some("EXPIRED") => Code::EXPIRED,
            _ => Code::BADAUTH,
        };
        let token = vector[1].as_str().expect("a token");
        assert_eq!(outcome(&policy(), token), Err(expected), "{name}");
    }
}

#[test]
fn cut_and_altered_tokens() {
    let token = good("ES256");
    for end in 0..token.len() {
        let cut = token.get(..end).expect("ASCII");
        assert_eq!(outcome(&policy(), cut), Err(Code::BADAUTH), "{end}");
    }
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        // The last letter has bits that say nothing; they must be zero.
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(bytes).expect("ASCII");
        assert_eq!(outcome(&policy(), &altered), Err(Code::BADAUTH), "{at}");
    }
    let (head, _) = token.rsplit_once('.').expect("a signature");
    let (_, other) = token.split_once('.').expect("a head");
    for token in ["", ".", "..", "a.b.c", "....", head, other] {
        assert_eq!(outcome(&policy(), token), Err(Code::BADAUTH), "{token}");
    }
}

#[test]
fn one_key_needs_no_name() {
    let mut keys = keys();
    keys.keys.truncate(1);
    let token = vectors()["bad"]["WITHOUT_KID"][1].clone();
    let token = Secret::from(token.as_str().expect("a token").as_bytes());
    assert_eq!(judge(&policy(), &keys, &token).as_deref(), Ok("tim"));
}

#[test]
fn every_option_is_needed() {
    for missing in [c"oauth_jwks", c"oauth_issuer", c"oauth_audience"] {
        let error = Policy::from(|name| option(name).filter(|_| name != missing)).err();
        let error = error.expect("a complaint");
        assert_eq!(error.code(), Code::NOMECH);
        assert!(error.reason().contains(missing.to_str().expect("ASCII")));
        let blank = |name: &CStr| {
            let value = option(name)?;
            Some(if name == missing {
                " ".to_owned()
            } else {
                value
            })
        };
        assert!(Policy::from(blank).is_err());
    }
    for leeway in ["soon", "-1", "", "86401", "18446744073709551615"] {
        let broken = |name: &CStr| {
            if name == c"oauth_leeway" {
                return Some(leeway.to_owned());
            }
            option(name)
        };
        let error = Policy::from(broken).err().expect("a complaint");
        assert_eq!(error.code(), Code::CONFIGERR, "{leeway}");
    }
}

#[test]
fn files_of_keys() {
    let error = read_keys("/nonexistent/keys.json").expect_err("no file");
    assert_eq!(error.code(), Code::CONFIGERR);
    assert!(error.reason().contains("/nonexistent/keys.json"));
    let error = read_keys("/dev/zero").expect_err("no end");
    assert!(error.reason().contains("larger than 1 MiB"));
    assert_eq!(
        read_keys("/dev/null").expect_err("empty").code(),
        Code::CONFIGERR
    );
}
