// SPDX-License-Identifier: MIT OR Apache-2.0
//! The password policy control (draft-behera-ldap-password-policy): what a
//! server says about a password besides right or wrong.
#![forbid(unsafe_code)]

use super::{MAX_DEPTH, check, integer};
use lber::common::TagClass;
use lber::structure::StructureTag;

/// The control's name, in requests and answers.
pub(crate) const POLICY: &str = "1.3.6.1.4.1.42.2.27.8.5.1";

/// What a server can say besides the result of a bind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Policy {
    /// The password is right, for so many seconds more.
    Expires(u64),
    /// The password has expired, but counts so many times more.
    Grace(u64),
    Expired,
    Locked,
    /// The password is right, but must be changed first.
    MustChange,
}

/// What the controls of an answer say; the graver thing if there are two.
pub(super) fn policy(controls: StructureTag) -> Option<Policy> {
    for control in controls.expect_constructed()? {
        let mut parts = control.expect_constructed()?.into_iter();
        if parts.next()?.expect_primitive()? != POLICY.as_bytes() {
            continue;
        }
        // The criticality may stand between name and value.
        let value = parts.find(|part| part.id == 4)?.expect_primitive()?;
        return value_of(&value);
    }
    None
}

fn value_of(bytes: &[u8]) -> Option<Policy> {
    check(bytes, MAX_DEPTH).ok()?;
    let (_, value) = lber::parse::parse_tag(bytes).ok()?;
    let (mut warning, mut error) = (None, None);
    for part in value.expect_constructed()? {
        match (part.class, part.id) {
            (TagClass::Context, 0) => {
                let choice = part.expect_constructed()?.into_iter().next()?;
                let kind = choice.id;
                let count = u64::try_from(integer(choice)?).ok()?;
                warning = Some(match kind {
                    0 => Policy::Expires(count),
                    _ => Policy::Grace(count),
                });
            }
            (TagClass::Context, 1) => {
                error = match integer(part)? {
                    0 => Some(Policy::Expired),
                    1 => Some(Policy::Locked),
                    2 => Some(Policy::MustChange),
                    // The others answer a change of a password.
                    _ => None,
                };
            }
            _ => {}
        }
    }
    error.or(warning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_as_servers_send_them() {
        for (bytes, policy) in [
            (&[0x30, 0][..], None),
            (&[0x30, 3, 0x81, 1, 0], Some(Policy::Expired)),
            (&[0x30, 3, 0x81, 1, 1], Some(Policy::Locked)),
            (&[0x30, 3, 0x81, 1, 2], Some(Policy::MustChange)),
            (&[0x30, 3, 0x81, 1, 8], None),
            (&[0x30, 5, 0xa0, 3, 0x81, 1, 3], Some(Policy::Grace(3))),
            (
                &[0x30, 6, 0xa0, 4, 0x80, 2, 1, 0],
                Some(Policy::Expires(256)),
            ),
            (
                &[0x30, 8, 0xa0, 3, 0x81, 1, 3, 0x81, 1, 2],
                Some(Policy::MustChange),
            ),
            (&[0x30, 5, 0xa0, 3, 0x81, 1], None),
            (&[0x30, 5, 0xa0, 3, 0x81, 1, 0xff], None),
            (&[], None),
        ] {
            assert_eq!(value_of(bytes), policy, "{bytes:x?}");
        }
    }
}
