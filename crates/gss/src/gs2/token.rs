// SPDX-License-Identifier: MIT OR Apache-2.0
//! The frame of an initial token (RFC 2743 section 3.1), which GS2 leaves out
//! of its first message: `[APPLICATION 0] { mechanism, inner token }`.
#![forbid(unsafe_code)]

use saslplug::{Code, Error, Result};

/// The inner token, if `token` has the frame of this mechanism.
pub(super) fn unframed<'a>(token: &'a [u8], mechanism: &[u8]) -> Option<&'a [u8]> {
    let (tag, rest) = token.split_first()?;
    let (length, body) = length(rest)?;
    let body = (*tag == 0x60 && length == body.len()).then_some(body)?;
    let (tag, rest) = body.split_first()?;
    let (length, rest) = self::length(rest)?;
    let (oid, inner) = rest.split_at_checked(length)?;
    (*tag == 0x06 && oid == mechanism).then_some(inner)
}

/// A DER length and what follows it.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if *first < 0x80 {
        return Some((usize::from(*first), rest));
    }
    let count = usize::from(*first & 0x7f);
    if count == 0 || count > 4 {
        return None;
    }
    let (digits, rest) = rest.split_at_checked(count)?;
    let length = digits
        .iter()
        .fold(0usize, |sum, digit| (sum << 8) | usize::from(*digit));
    Some((length, rest))
}

/// `inner` in the frame of this mechanism.
///
/// # Errors
/// `BADPROT` for a token longer than any frame can tell.
pub(super) fn framed(inner: &[u8], mechanism: &[u8]) -> Result<Vec<u8>> {
    let mut body = vec![0x06];
    put_length(&mut body, mechanism.len())?;
    body.extend_from_slice(mechanism);
    body.extend_from_slice(inner);
    let mut token = vec![0x60];
    put_length(&mut token, body.len())?;
    token.append(&mut body);
    Ok(token)
}

fn put_length(out: &mut Vec<u8>, length: usize) -> Result<()> {
    let too_long = Error::new(Code::BADPROT, "the client's token is too long");
    let length = u32::try_from(length).map_err(|_| too_long)?;
    let digits = length.to_be_bytes();
    match digits {
        [0, 0, 0, short @ ..0x80] => out.push(short),
        [0, 0, 0, a] => out.extend_from_slice(&[0x81, a]),
        [0, 0, a, b] => out.extend_from_slice(&[0x82, a, b]),
        [0, a, b, c] => out.extend_from_slice(&[0x83, a, b, c]),
        [a, b, c, d] => out.extend_from_slice(&[0x84, a, b, c, d]),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OID: &[u8] = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";

    #[test]
    fn a_frame_comes_off_as_it_went_on() {
        for size in [0, 1, 100, 116, 117, 200, 245, 300, 65_530, 70_000] {
            let inner = vec![7; size];
            let token = framed(&inner, OID).unwrap();
            assert_eq!(unframed(&token, OID), Some(&inner[..]), "{size}");
            assert_eq!(unframed(&token, b"\x2b\x06"), None);
            for cut in 0..token.len().min(40) {
                assert_eq!(unframed(&token[..cut], OID), None);
            }
        }
    }

    #[test]
    fn a_length_beyond_the_end_is_no_frame() {
        for token in [
            &b"\x60\x84\xff\xff\xff\xff\x06\x01\x2a"[..],
            b"\x60\x05\x06\xff\x2a",
            b"\x60\x80\x06\x01\x2a",
            b"\x60\x85\0\0\0\0\0",
            b"\x61\x03\x06\x01\x2a",
        ] {
            assert_eq!(unframed(token, b"\x2a"), None, "{token:?}");
        }
    }
}
