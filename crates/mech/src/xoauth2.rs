// SPDX-License-Identifier: MIT OR Apache-2.0
//! XOAUTH2: the form of a bearer token that large mail services take. As
//! OAUTHBEARER, its successor, without a GS2 header; always with a user.
#![forbid(unsafe_code)]

use crate::bearer::{Bearer, Form, Presented, Refusal, credentials, fields, object};
use saslplug::{Code, Error, Result, Secret};

/// The mechanism, both sides.
pub(crate) static MECHANISM: Bearer = Bearer::new(Form {
    name: "XOAUTH2",
    read,
    write,
    failure,
    dummy: b"",
});

fn read(message: &[u8]) -> Result<Presented<'_>> {
    let malformed = |what| Error::new(Code::BADPROT, what);
    let fields = fields(message).ok_or(malformed("XOAUTH2 fields that do not parse"))?;
    let [(b"user", user), (b"auth", credential)] = fields.as_slice() else {
        return Err(malformed("XOAUTH2 with other fields than user and auth"));
    };
    if user.is_empty() || core::str::from_utf8(user).is_err() {
        return Err(malformed("XOAUTH2 without a user"));
    }
    let token = credentials(credential)
        .ok_or(malformed("XOAUTH2 with something else than a bearer token"))?;
    Ok(Presented {
        user: Some(user.to_vec()),
        token,
    })
}

fn write(user: &[u8], _: Option<&str>, token: &Secret) -> Result<Vec<u8>> {
    if user.iter().any(|byte| matches!(byte, 0 | 1)) {
        return Err(Error::new(
            Code::BADPARAM,
            "XOAUTH2 cannot carry a name with control characters",
        ));
    }
    // The exact size first: growing would leave copies of the token behind.
    let mut message = Vec::with_capacity(user.len() + token.len() + 24);
    message.extend(b"user=");
    message.extend_from_slice(user);
    message.extend(b"\x01auth=Bearer ");
    message.extend_from_slice(token.as_bytes());
    message.extend(b"\x01\x01");
    Ok(message)
}

fn failure(refusal: Refusal, scope: Option<&str>, _: Option<&str>) -> String {
    let status = match refusal {
        Refusal::Request => "400",
        Refusal::Token => "401",
    };
    object(&[
        ("status", Some(status)),
        ("schemes", Some("bearer")),
        ("scope", scope),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] = b"user=someuser@example.com\x01auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\x01\x01";

    #[test]
    fn the_example_of_the_service() {
        let text = "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRx\
                    bVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==";
        assert_eq!(crate::base64::encode(MESSAGE), text);
        let presented = read(MESSAGE).unwrap();
        assert_eq!(presented.user.unwrap(), b"someuser@example.com");
        let token = Secret::from(presented.token);
        let written = write(b"someuser@example.com", Some("h"), &token).unwrap();
        assert_eq!(written, MESSAGE);
        assert_eq!(
            failure(Refusal::Token, Some("https://mail.example.com/"), None),
            r#"{"status":"401","schemes":"bearer","scope":"https://mail.example.com/"}"#
        );
    }

    #[test]
    fn broken_messages() {
        for end in 0..MESSAGE.len() {
            assert!(read(&MESSAGE[..end]).is_err(), "{end}");
        }
        for message in [
            &b"user=\x01auth=Bearer t\x01\x01"[..],
            b"auth=Bearer t\x01user=tim\x01\x01",
            b"user=tim\x01user=admin\x01auth=Bearer t\x01\x01",
            b"user=tim\x01auth=Bearer t\x01more=x\x01\x01",
            b"user=t\0m\x01auth=Bearer t\x01\x01",
            b"user=\xff\x01auth=Bearer t\x01\x01",
            b"user=tim\x01auth=Basic t\x01\x01",
            b"user=tim\x01auth=\x01\x01",
        ] {
            assert!(read(message).is_err(), "{}", message.escape_ascii());
        }
        let token = Secret::from(&b"t"[..]);
        assert!(write(b"tim\x01auth=x", None, &token).is_err());
    }
}
