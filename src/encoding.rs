// SPDX-License-Identifier: MIT OR Apache-2.0
//! Base64 (RFC 4648 section 4) with libsasl2's contract, UTF-8 (RFC 3629) and
//! the challenge text of CRAM-MD5 and APOP.
//!
//! The contract of stock libsasl2 is measured (docs/behaviour.md): buffers must
//! hold the result and a NUL, characters left over after the last group of four
//! are not looked at but reported, a leading CR means a cancelled exchange.
#![forbid(unsafe_code)]

use base64_simd::{Out, STANDARD, STANDARD_NO_PAD};
use core::fmt::Write;
use saslplug::{Code, Error, Result};

/// Length of the Base64 form of `len` bytes, without the NUL.
pub(crate) const fn encoded_len(len: u64) -> u64 {
    len.div_ceil(3) * 4
}

/// Writes the Base64 form of `input` and a NUL; returns its length without it.
///
/// # Errors
/// `BUFOVER` when `out` cannot hold both.
pub(crate) fn encode64(input: &[u8], out: &mut [u8]) -> Result<usize> {
    const SMALL: Error = Error::new(
        Code::BUFOVER,
        "the output buffer is too small for the Base64 form",
    );
    let len = STANDARD.encoded_length(input.len());
    let (text, rest) = out.split_at_mut_checked(len).ok_or(SMALL)?;
    *rest.first_mut().ok_or(SMALL)? = 0;
    let _ = STANDARD.encode(input, Out::from_slice(text));
    Ok(len)
}

/// What `decode64` found, with the number of bytes it wrote.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Decoded {
    /// All of the input.
    Whole(usize),
    /// One to three characters after the last group of four were ignored.
    Leftover(usize),
    /// One to three characters follow a padded group.
    AfterPadding(usize),
}

/// Decodes groups of four and puts a NUL behind the result.
///
/// # Errors
/// `BADPROT` for a character or padding that cannot be, `BUFOVER` when `out`
/// cannot hold the result and its NUL (whichever comes first), `FAIL` when the
/// input begins with CR.
pub(crate) fn decode64(input: &[u8], out: &mut [u8]) -> Result<Decoded> {
    if input.first() == Some(&b'\r') {
        return Err(Error::new(
            Code::FAIL,
            "the Base64 text begins with a line end",
        ));
    }
    let rest = input.len() % 4;
    let groups = input.get(..input.len() - rest).unwrap_or_default();
    let (len, padded) = decode_groups(groups, out)?;
    if let Some(end) = out.get_mut(len) {
        *end = 0;
    }
    Ok(match (rest, padded) {
        (0, _) => Decoded::Whole(len),
        (_, false) => Decoded::Leftover(len),
        (_, true) => Decoded::AfterPadding(len),
    })
}

/// Full groups: all but the last at once, the last (which may be padded) alone.
/// Whatever is unusual goes the slow way, which finds the first fault.
fn decode_groups(groups: &[u8], out: &mut [u8]) -> Result<(usize, bool)> {
    let body = groups.len().saturating_sub(4);
    let len = body / 4 * 3;
    let (Some(text), Some(target)) = (groups.get(..body), out.get_mut(..len)) else {
        return decode_slowly(groups, out, 0);
    };
    // From 16 characters on the set-up of the fast way pays.
    if body < 16
        || STANDARD_NO_PAD
            .decode(text, Out::from_slice(target))
            .is_err()
    {
        return decode_slowly(groups, out, 0);
    }
    if out.len() <= len {
        return Err(SMALL_TO_DECODE);
    }
    decode_slowly(groups.get(body..).unwrap_or_default(), out, len)
}

const SMALL_TO_DECODE: Error = Error::new(
    Code::BUFOVER,
    "the output buffer is too small for the decoded bytes",
);

/// Group by group, starting at `out[len]`.
fn decode_slowly(groups: &[u8], out: &mut [u8], mut len: usize) -> Result<(usize, bool)> {
    const WRONG: Error = Error::new(Code::BADPROT, "not Base64");
    let mut padded = false;
    for group in groups.chunks_exact(4) {
        let &[a, b, c, d] = group else {
            return Err(WRONG);
        };
        if padded {
            return Err(WRONG);
        }
        let (a, b) = (sextet(a).ok_or(WRONG)?, sextet(b).ok_or(WRONG)?);
        let (count, c, d) = match (sextet(c), sextet(d)) {
            (Some(c), Some(d)) => (3, c, d),
            (Some(c), None) if d == b'=' => (2, c, 0),
            (None, None) if c == b'=' && d == b'=' => (1, 0, 0),
            _ => return Err(WRONG),
        };
        let bits = (u32::from(a) << 18) | (u32::from(b) << 12) | (u32::from(c) << 6) | u32::from(d);
        let [_, bytes @ ..] = bits.to_be_bytes();
        // One byte more is needed for the NUL.
        if out.len() <= len + count {
            return Err(SMALL_TO_DECODE);
        }
        for (target, byte) in out.iter_mut().skip(len).zip(bytes).take(count) {
            *target = byte;
        }
        len += count;
        padded = count < 3;
    }
    Ok((len, padded))
}

const fn sextet(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'a'..=b'z' => Some(character - b'a' + 26),
        b'0'..=b'9' => Some(character - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// Whether `text` is UTF-8 as RFC 3629 has it: no overlong forms, no
/// surrogates, nothing above U+10FFFF. NUL bytes are fine.
pub(crate) fn is_utf8(text: &[u8]) -> bool {
    simdutf8::basic::from_utf8(text).is_ok()
}

/// Room that `sasl_mkchal` asks for, without the host.
const CHALLENGE_ROOM: usize = 44;

/// Bytes that a buffer for a challenge must have, as libsasl2 counts them.
pub(crate) const fn challenge_room(host: Option<&str>) -> usize {
    match host {
        Some(host) => CHALLENGE_ROOM + host.len() + 1,
        None => CHALLENGE_ROOM,
    }
}

/// `<random.seconds@host>` or `<random.seconds>` (RFC 1939's APOP banner).
pub(crate) fn challenge(random: u64, seconds: u64, host: Option<&str>) -> String {
    let mut text = String::with_capacity(challenge_room(host));
    // Writing to a String cannot fail.
    let _ = match host {
        Some(host) => write!(text, "<{random}.{seconds}@{host}>"),
        None => write!(text, "<{random}.{seconds}>"),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str, room: usize) -> std::result::Result<(Decoded, Vec<u8>), Code> {
        let mut out = vec![b'#'; room];
        let decoded = decode64(text.as_bytes(), &mut out).map_err(|error| error.code())?;
        let (Decoded::Whole(len) | Decoded::Leftover(len) | Decoded::AfterPadding(len)) = decoded;
        if len < room {
            assert_eq!(out[len], 0);
        }
        out.truncate(len);
        Ok((decoded, out))
    }

    #[test]
    fn encode_needs_room_for_the_nul() {
        for (input, text) in [("", ""), ("a", "YQ=="), ("ab", "YWI="), ("abc", "YWJj")] {
            let mut out = vec![b'#'; text.len() + 1];
            assert_eq!(encode64(input.as_bytes(), &mut out).unwrap(), text.len());
            assert_eq!(out, [text.as_bytes(), b"\0"].concat());
            let mut out = vec![b'#'; text.len()];
            assert_eq!(
                encode64(input.as_bytes(), &mut out).unwrap_err().code(),
                Code::BUFOVER
            );
            assert!(out.iter().all(|byte| *byte == b'#'));
            assert_eq!(encoded_len(input.len() as u64), text.len() as u64);
        }
        assert_eq!(encoded_len(u64::from(u32::MAX)), 5_726_623_060);
    }

    #[test]
    fn whole_groups() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("YWJj", b"abc"),
            ("YWJjZA==", b"abcd"),
            ("YWJjZGU=", b"abcde"),
            ("YQ==", b"a"),
            ("YR==", b"a"),
            ("YWK=", b"ab"),
        ] {
            assert_eq!(
                decode(text, 60),
                Ok((Decoded::Whole(bytes.len()), bytes.to_vec()))
            );
        }
    }

    #[test]
    fn leftovers_are_not_looked_at() {
        for (text, len) in [
            ("Y", 0),
            ("YW", 0),
            ("YWI", 0),
            ("YW=", 0),
            ("=", 0),
            ("\n", 0),
            ("!", 0),
            ("YWJjZ", 3),
            ("YWJj=", 3),
            ("YWJj\r\n", 3),
            ("YWJjYW!", 3),
        ] {
            assert_eq!(
                decode(text, 60).map(|found| found.0),
                Ok(Decoded::Leftover(len)),
                "{text:?}"
            );
        }
        for text in ["YWJjZA==\r\n", "YWJjZA==Z"] {
            assert_eq!(
                decode(text, 60).map(|found| found.0),
                Ok(Decoded::AfterPadding(4))
            );
        }
    }

    #[test]
    fn faults() {
        for text in [
            "YWJj====",
            "YW==YWJj",
            "Y===",
            "====",
            "YW=x",
            "Y=Jj",
            "YWI=YW==",
            "YW\r\nJj",
            "YW!j",
            "YW J",
            "YWJ\u{80}",
            "YWJjYWI!",
            "YWJjZA=\r",
            "YWJjZA=Z",
            "Y\0Jj",
            "YW-_",
        ] {
            assert_eq!(decode(text, 60), Err(Code::BADPROT), "{text:?}");
        }
        assert_eq!(decode("\rYWJj", 60), Err(Code::FAIL));
        assert_eq!(decode("\r", 60), Err(Code::FAIL));
    }

    #[test]
    fn decode_needs_room_for_the_nul() {
        for (text, len) in [
            ("YWJj", 3),
            ("YWJjZA==", 4),
            ("YWJjZGU=", 5),
            ("YWJjYWJj", 6),
        ] {
            for room in 0..=len {
                assert_eq!(decode(text, room), Err(Code::BUFOVER), "{text} {room}");
            }
            assert!(decode(text, len + 1).is_ok());
        }
        assert_eq!(decode("", 0), Ok((Decoded::Whole(0), Vec::new())));
        assert_eq!(decode("YW", 0), Ok((Decoded::Leftover(0), Vec::new())));
        // The first fault counts.
        assert_eq!(decode("YW!!", 1), Err(Code::BADPROT));
        assert_eq!(decode("YWJjYW!!", 4), Err(Code::BADPROT));
        assert_eq!(decode("YWJjYW!!", 3), Err(Code::BUFOVER));
    }

    #[test]
    fn long_texts_go_the_fast_way_and_agree() {
        for len in 0..400_usize {
            let bytes: Vec<u8> = (0..len)
                .map(|n| n.to_le_bytes()[0].wrapping_mul(37))
                .collect();
            let mut text = vec![0; len.div_ceil(3) * 4 + 1];
            let used = encode64(&bytes, &mut text).unwrap();
            let mut slow = vec![b'#'; len + 1];
            assert_eq!(decode_slowly(&text[..used], &mut slow, 0).unwrap().0, len);
            let mut out = vec![b'#'; len + 1];
            assert_eq!(
                decode64(&text[..used], &mut out).unwrap(),
                Decoded::Whole(len)
            );
            assert_eq!(out[..len], bytes[..]);
            assert_eq!(slow[..len], bytes[..]);
            if used > 0 {
                let error = decode64(&text[..used], &mut out[..len]).unwrap_err();
                assert_eq!(error.code(), Code::BUFOVER);
                for broken in [0, used / 2] {
                    let mut text = text.clone();
                    text[broken] = b'*';
                    let error = decode64(&text[..used], &mut out).unwrap_err();
                    assert_eq!(error.code(), Code::BADPROT);
                }
            }
        }
    }

    #[test]
    fn utf8_is_strict() {
        for good in [
            &b"abc"[..],
            b"",
            b"a\0b",
            "é€😀".as_bytes(),
            "\u{10ffff}".as_bytes(),
        ] {
            assert!(is_utf8(good));
        }
        for bad in [
            &b"\xff"[..],
            b"\x80",
            b"\xc3",
            b"\xc3(",
            b"\xe2\x82",
            b"\xc0\x80",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            b"\xfc\x84\x80\x80\x80\x80",
            b"a\0\xff",
        ] {
            assert!(!is_utf8(bad));
        }
    }

    #[test]
    fn a_challenge_fits_its_room() {
        assert_eq!(challenge(5, 7, None), "<5.7>");
        assert_eq!(challenge(5, 7, Some("h.example")), "<5.7@h.example>");
        assert!(challenge(u64::MAX, u64::from(u32::MAX), None).len() < challenge_room(None));
        assert_eq!(challenge_room(Some("host.example")), 57);
    }
}
