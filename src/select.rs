// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which mechanism is stronger and which is permitted: pure functions over
//! [`MechInfo`] and [`Limits`] (docs/behaviour.md, "Selection").
#![forbid(unsafe_code)]

use core::cmp::Reverse;
use core::ffi::CStr;
use mech::{Features, Limits, MechInfo, Security};
use saslplug::{Code, Error, Result};

/// Flag of `*_new`: the mechanism must carry an authzid.
pub(crate) const NEED_PROXY: u32 = 8;
/// Flag of `*_new`: the mechanism must work inside HTTP.
pub(crate) const NEED_HTTP: u32 = 0x10;
/// Flag of `*_new`: the protocol carries data with the success.
pub(crate) const SUCCESS_DATA: u32 = 4;

/// Sort key: the strongest mechanism first, ties in the table's order.
pub(crate) fn strength(info: &MechInfo) -> impl Ord + use<> {
    let has = |flag| info.security.contains(flag);
    Reverse((
        has(Security::NOANONYMOUS),
        has(Security::NOPLAINTEXT),
        has(Security::MUTUAL_AUTH),
        has(Security::NOACTIVE),
        has(Security::NODICTIONARY),
        has(Security::FORWARD_SECRECY),
        info.features.contains(Features::CHANNEL_BINDING),
        info.max_ssf,
        info.security.hash_strength(),
    ))
}

/// The layer that the mechanism itself must provide, given the one outside.
pub(crate) fn missing_ssf(limits: &Limits) -> u32 {
    limits.min_ssf.saturating_sub(limits.external_ssf)
}

/// Whether `info` satisfies the connection.
///
/// # Errors
/// `TOOWEAK`, `ENCRYPT` (clear-text passwords are not allowed here), `NOMECH`.
pub(crate) fn permitted(info: &MechInfo, limits: &Limits, flags: u32) -> Result<()> {
    let name = &info.name;
    if info.max_ssf < missing_ssf(limits) {
        return Err(Error::with(
            Code::TOOWEAK,
            format!("mech {name} is too weak"),
        ));
    }
    if flags & NEED_PROXY != 0 && !info.features.contains(Features::ALLOWS_PROXY) {
        return Err(Error::with(
            Code::NOMECH,
            format!("{name} carries no authorization identity"),
        ));
    }
    if flags & NEED_HTTP != 0 && !info.features.contains(Features::SUPPORTS_HTTP) {
        return Err(Error::with(
            Code::NOMECH,
            format!("{name} does not work inside HTTP"),
        ));
    }
    let missing = demanded(limits).difference(info.security);
    if missing.is_empty() {
        return Ok(());
    }
    let code = if missing.contains(Security::NOPLAINTEXT) {
        Code::ENCRYPT
    } else {
        Code::NOMECH
    };
    Err(Error::with(
        code,
        format!("security flags do not match required: {name} lacks {missing:?}"),
    ))
}

/// The guarantees that the mechanism must give. An outer layer that is strong
/// enough makes clear-text passwords acceptable.
fn demanded(limits: &Limits) -> Security {
    let all = limits.security.intersection(Security::all());
    if limits.min_ssf <= limits.external_ssf && limits.external_ssf > 1 {
        all.difference(Security::NOPLAINTEXT)
    } else {
        all
    }
}

/// `SCRAM-SHA-1-PLUS` → (`SCRAM-SHA-1`, true).
pub(crate) fn split_plus(name: &str) -> (&str, bool) {
    match name
        .len()
        .checked_sub(5)
        .and_then(|at| name.split_at_checked(at))
    {
        Some((base, end)) if end.eq_ignore_ascii_case("-PLUS") => (base, true),
        _ => (name, false),
    }
}

/// The names in the option `mech_list` or `client_mech_list`, without -PLUS;
/// blanks and commas separate.
pub(crate) fn mech_list(option: &CStr) -> Vec<String> {
    let text = option.to_string_lossy();
    let separates = |letter: char| letter == ',' || letter.is_ascii_whitespace();
    let names = text.split(separates).filter(|name| !name.is_empty());
    names.map(|name| split_plus(name).0.to_owned()).collect()
}

/// The spellings of an option that is off.
pub(crate) fn is_false(text: &[u8]) -> bool {
    matches!(text.first(), Some(b'0' | b'n' | b'N' | b'f' | b'F'))
        || text.eq_ignore_ascii_case(b"off")
}

/// The names in a mechanism list: anything that cannot be in a name separates.
pub(crate) fn names(list: &str) -> impl Iterator<Item = &str> {
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let mut rest = list;
    core::iter::from_fn(move || {
        // All of these bytes are ASCII, so no character is cut.
        let start = rest.bytes().position(in_name)?;
        let tail = rest.get(start..)?;
        let end = tail.bytes().position(|byte| !in_name(byte));
        let (name, after) = tail.split_at_checked(end.unwrap_or(tail.len()))?;
        rest = after;
        Some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: MechInfo = MechInfo::new(
        "PLAIN",
        0,
        Security::NOANONYMOUS.union(Security::PASS_CREDENTIALS),
        Features::WANT_CLIENT_FIRST.union(Features::ALLOWS_PROXY),
    );

    fn limits(min_ssf: u32, external_ssf: u32, security: Security) -> Limits {
        Limits {
            min_ssf,
            max_ssf: 256,
            max_buffer: 65536,
            security,
            external_ssf,
        }
    }

    #[test]
    fn clear_text_needs_an_outer_layer() {
        let demand = Security::NOPLAINTEXT;
        let refused = permitted(&PLAIN, &limits(0, 0, demand), 0).expect_err("clear");
        assert_eq!(refused.code(), Code::ENCRYPT);
        let refused = permitted(&PLAIN, &limits(0, 1, demand), 0).expect_err("integrity only");
        assert_eq!(refused.code(), Code::ENCRYPT);
        assert_eq!(permitted(&PLAIN, &limits(0, 128, demand), 0), Ok(()));
        let refused = permitted(&PLAIN, &limits(200, 128, demand), 0).expect_err("72 bits missing");
        assert_eq!(refused.code(), Code::TOOWEAK);
    }

    #[test]
    fn other_guarantees_give_no_mechanism() {
        let refused =
            permitted(&PLAIN, &limits(0, 256, Security::NOACTIVE), 0).expect_err("active");
        assert_eq!(refused.code(), Code::NOMECH);
        assert_eq!(
            permitted(&PLAIN, &limits(0, 0, Security::empty()), NEED_PROXY),
            Ok(())
        );
        assert!(permitted(&PLAIN, &limits(0, 0, Security::empty()), NEED_HTTP).is_err());
    }

    #[test]
    fn blanks_and_commas_separate() {
        let all = ["PLAIN", "LOGIN", "SCRAM-SHA-1", "X"];
        assert_eq!(mech_list(c" PLAIN,LOGIN ,, SCRAM-SHA-1-PLUS\tX,"), all);
        assert!(mech_list(c" , ").is_empty());
    }

    #[test]
    fn off_has_several_spellings() {
        for text in [&b"no"[..], b"0", b"false", b"off", b"OFF", b"No"] {
            assert!(is_false(text));
        }
        for text in [&b""[..], b"yes", b"1", b"on", b"true", b"o"] {
            assert!(!is_false(text));
        }
    }

    #[test]
    fn plus_is_split_without_case() {
        assert_eq!(split_plus("SCRAM-SHA-1-plus"), ("SCRAM-SHA-1", true));
        assert_eq!(split_plus("-PLUS"), ("", true));
        assert_eq!(split_plus("PLUS"), ("PLUS", false));
        assert_eq!(split_plus("é-PLUS"), ("é", true));
    }

    #[test]
    fn lists_are_split_at_anything_else() {
        let all: Vec<_> = names("PLAIN, (LOGIN)\tSCRAM-SHA-1  X_Y").collect();
        assert_eq!(all, ["PLAIN", "LOGIN", "SCRAM-SHA-1", "X_Y"]);
    }
}
