// SPDX-License-Identifier: MIT OR Apache-2.0
//! OAUTHBEARER (RFC 7628): a bearer token after a GS2 header (RFC 5801). There
//! is no channel binding with it.
#![forbid(unsafe_code)]

use crate::bearer::{Bearer, Form, Presented, Refusal, credentials, fields, object};
use saslplug::{Code, Error, Result, Secret};

/// The mechanism, both sides.
pub(crate) static MECHANISM: Bearer = Bearer::new(Form {
    name: "OAUTHBEARER",
    read,
    write,
    failure,
    dummy: b"\x01",
});

fn read(message: &[u8]) -> Result<Presented<'_>> {
    let malformed = |what| Error::new(Code::BADPROT, what);
    let start = message
        .iter()
        .position(|&byte| byte == 1)
        .ok_or(malformed("OAUTHBEARER without fields"))?;
    let (header, rest) = message.split_at(start);
    let user = user(header)?;
    let empty = rest == b"\x01";
    let fields = if empty {
        Vec::new()
    } else {
        let fields = rest.get(1..).and_then(fields);
        fields.ok_or(malformed("OAUTHBEARER fields that do not parse"))?
    };
    let mut seen: Vec<&[u8]> = Vec::new();
    let mut token: &[u8] = &[];
    for (name, value) in fields {
        if seen.contains(&name) || !name.iter().all(u8::is_ascii_alphabetic) {
            return Err(malformed("an OAUTHBEARER field twice, or with a bad name"));
        }
        seen.push(name);
        if name == b"auth" && !value.is_empty() {
            token = credentials(value).ok_or(malformed(
                "OAUTHBEARER with something else than a bearer token",
            ))?;
        }
    }
    Ok(Presented { user, token })
}

/// The user of a GS2 header: `n,a=USER,`; `y` does as well.
fn user(header: &[u8]) -> Result<Option<Vec<u8>>> {
    let malformed = |what| Error::new(Code::BADPROT, what);
    let mut parts = header.split(|&byte| byte == b',');
    match parts.next() {
        Some(b"n" | b"y") => {}
        Some([b'p', ..]) => {
            return Err(malformed("OAUTHBEARER has no channel binding"));
        }
        _ => return Err(malformed("OAUTHBEARER without a GS2 header")),
    }
    let (Some(user), Some(b""), None) = (parts.next(), parts.next(), parts.next()) else {
        return Err(malformed("OAUTHBEARER with a broken GS2 header"));
    };
    if user.is_empty() {
        return Ok(None);
    }
    let name = user
        .strip_prefix(b"a=")
        .and_then(unescaped)
        .ok_or(malformed(
            "OAUTHBEARER with a broken authorization identity",
        ))?;
    Ok(Some(name))
}

/// A `saslname` (RFC 5801 section 4): `=2C` and `=3D` stand for `,` and `=`.
fn unescaped(name: &[u8]) -> Option<Vec<u8>> {
    let mut rest = name;
    let mut plain = Vec::with_capacity(name.len());
    while let Some((&byte, more)) = rest.split_first() {
        rest = more;
        plain.push(match byte {
            0 => return None,
            b'=' => {
                let (code, more) = more.split_at_checked(2)?;
                rest = more;
                match code {
                    b"2C" => b',',
                    b"3D" => b'=',
                    _ => return None,
                }
            }
            byte => byte,
        });
    }
    (!plain.is_empty() && core::str::from_utf8(&plain).is_ok()).then_some(plain)
}

fn write(user: &[u8], host: Option<&str>, token: &Secret) -> Result<Vec<u8>> {
    let mut message = b"n,".to_vec();
    if !user.is_empty() {
        message.extend(b"a=");
        for &byte in user {
            match byte {
                0 | 1 => {
                    return Err(Error::new(
                        Code::BADPARAM,
                        "OAUTHBEARER cannot carry a name with control characters",
                    ));
                }
                b',' => message.extend(b"=2C"),
                b'=' => message.extend(b"=3D"),
                _ => message.push(byte),
            }
        }
    }
    message.extend(b",\x01");
    if let Some(host) = host {
        message.extend([b"host=", host.as_bytes(), b"\x01"].concat());
    }
    // The exact size first: growing would leave copies of the token behind.
    message.reserve_exact(token.len() + 16);
    message.extend(b"auth=Bearer ");
    message.extend_from_slice(token.as_bytes());
    message.extend(b"\x01\x01");
    Ok(message)
}

fn failure(refusal: Refusal, scope: Option<&str>, configuration: Option<&str>) -> String {
    let status = match refusal {
        Refusal::Request => "invalid_request",
        Refusal::Token => "invalid_token",
    };
    object(&[
        ("status", Some(status)),
        ("scope", scope),
        ("openid-configuration", configuration),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";

    /// RFC 7628 section 4.1.
    fn example() -> Vec<u8> {
        format!(
            "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01\
             auth=Bearer {TOKEN}\x01\x01"
        )
        .into_bytes()
    }

    #[test]
    fn the_example_of_the_rfc() {
        let text = "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9\
                    MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZ\
                    Mjl0Q2c9PQEB";
        assert_eq!(crate::base64::encode(&example()), text);
        let message = example();
        let presented = read(&message).unwrap();
        assert_eq!(presented.user.unwrap(), b"user@example.com");
        assert_eq!(presented.token, TOKEN.as_bytes());
        // Ours says the same without the port, which it does not know.
        let token = Secret::from(TOKEN.as_bytes());
        let ours = write(b"user@example.com", Some("server.example.com"), &token).unwrap();
        let text = String::from_utf8(example()).unwrap();
        assert_eq!(ours, text.replace("port=143\x01", "").as_bytes());
    }

    #[test]
    fn the_failure_of_the_rfc() {
        let configuration = "https://example.com/.well-known/openid-configuration";
        assert_eq!(
            failure(Refusal::Token, Some("example_scope"), Some(configuration)),
            "{\"status\":\"invalid_token\",\"scope\":\"example_scope\",\
             \"openid-configuration\":\
             \"https://example.com/.well-known/openid-configuration\"}"
        );
        assert_eq!(
            failure(Refusal::Request, Some("a\"b\\\n"), None),
            r#"{"status":"invalid_request","scope":"a\"b\\\u000a"}"#
        );
    }

    #[test]
    fn names_are_escaped_and_back() {
        let token = Secret::from(&b"t"[..]);
        for name in ["a,b=c", "=", "zoë", "=2C"] {
            let message = write(name.as_bytes(), None, &token).unwrap();
            assert_eq!(read(&message).unwrap().user.unwrap(), name.as_bytes());
        }
        assert!(write(b"a\0", None, &token).is_err());
        assert!(write(b"a\x01auth=x", None, &token).is_err());
        let message = write(b"", None, &token).unwrap();
        assert_eq!(message, b"n,,\x01auth=Bearer t\x01\x01");
        assert_eq!(read(&message).unwrap().user, None);
    }

    #[test]
    fn a_question_without_a_token() {
        for message in [
            &b"n,,\x01"[..],
            b"n,,\x01auth=\x01\x01",
            b"n,,\x01host=h\x01\x01",
        ] {
            assert!(read(message).unwrap().token.is_empty());
        }
    }

    #[test]
    fn broken_messages() {
        let whole = example();
        let header = "n,a=user@example.com,\x01".len();
        for end in (0..whole.len()).filter(|&end| end != header) {
            assert!(read(&whole[..end]).is_err(), "{end}");
        }
        for message in [
            &b"\x01auth=Bearer t\x01\x01"[..],
            b"n\x01auth=Bearer t\x01\x01",
            b"n,\x01auth=Bearer t\x01\x01",
            b"n,,,\x01auth=Bearer t\x01\x01",
            b"x,,\x01auth=Bearer t\x01\x01",
            b"p=tls-unique,,\x01auth=Bearer t\x01\x01",
            b"n,tim,\x01auth=Bearer t\x01\x01",
            b"n,a=,\x01auth=Bearer t\x01\x01",
            b"n,a=a=2,\x01auth=Bearer t\x01\x01",
            b"n,a=a=2c,\x01auth=Bearer t\x01\x01",
            b"n,a=a\0b,\x01auth=Bearer t\x01\x01",
            b"n,a=\xff,\x01auth=Bearer t\x01\x01",
            b"n,,\x01auth=Bearer t\x01auth=Bearer u\x01\x01",
            b"n,,\x01auth=Basic dGltOng=\x01\x01",
            b"n,,\x01auth=Bearer\x01\x01",
            b"n,,\x01auth=Bearer \x01\x01",
            b"n,,\x01auth=Bearer a b\x01\x01",
            b"n,,\x01auth=Bearer a\0b\x01\x01",
            b"n,,\x01auth=Bearer ==\x01\x01",
            b"n,,\x01auth=Bearer t\x01",
            b"n,,\x01auth=Bearer t\x01\x01\x01",
            b"n,,\x01=Bearer t\x01\x01",
            b"n,,\x01auth\x01\x01",
            b"n,,\x01au-th=x\x01\x01",
            b"n,,\x01host=\x02\x01\x01",
        ] {
            assert!(read(message).is_err(), "{}", message.escape_ascii());
        }
    }
}
