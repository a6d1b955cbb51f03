// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which security layers a side may use (RFC 4752 section 3.3), and the four
//! bytes that offer and choose one. Pure functions.
#![forbid(unsafe_code)]

use crate::ffi::Flags;
use mech::{Limits, Ssf};
use saslplug::{Code, Error, Result};

/// The longest packet that the four bytes can tell.
const LONGEST: u32 = 0x00ff_ffff;

/// A security layer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Protection {
    /// None.
    None,
    /// Messages are signed.
    Integrity,
    /// Messages are encrypted.
    Confidentiality,
}

impl Protection {
    const ALL: [Self; 3] = [Self::Confidentiality, Self::Integrity, Self::None];

    /// Its bit in the four bytes.
    const fn bit(self) -> u8 {
        match self {
            Self::None => 1,
            Self::Integrity => 2,
            Self::Confidentiality => 4,
        }
    }

    /// Its strength, where encryption has `strength`.
    pub(crate) const fn ssf(self, strength: Ssf) -> Ssf {
        match self {
            Self::None => 0,
            Self::Integrity => 1,
            Self::Confidentiality => strength,
        }
    }
}

/// A set of layers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Layers(pub(crate) u8);

impl Layers {
    /// What the application permits and the context can do.
    pub(crate) fn permitted(limits: &Limits, flags: Flags, strength: Ssf) -> Self {
        let least = limits.min_ssf.saturating_sub(limits.external_ssf);
        let most = limits.max_ssf.saturating_sub(limits.external_ssf);
        let allowed = |protection: &Protection| {
            let ssf = protection.ssf(strength);
            let able = match protection {
                Protection::None => true,
                Protection::Integrity => flags.has(Flags::INTEGRITY) && limits.max_buffer > 0,
                Protection::Confidentiality => {
                    flags.has(Flags::CONFIDENTIAL) && limits.max_buffer > 0
                }
            };
            able && (least..=most.max(least)).contains(&ssf) && ssf <= most
        };
        let all = Protection::ALL.into_iter().filter(allowed);
        Self(all.fold(0, |set, protection| set | protection.bit()))
    }

    /// The strongest that both sets have.
    pub(crate) fn strongest(self, other: Self) -> Option<Protection> {
        let both = self.0 & other.0;
        Protection::ALL
            .into_iter()
            .find(|protection| both & protection.bit() != 0)
    }

    /// Whether there is anything but no layer.
    pub(crate) fn protect(self) -> bool {
        self.0 & !Protection::None.bit() != 0
    }

    fn contains(self, protection: Protection) -> bool {
        self.0 & protection.bit() != 0
    }
}

/// The longest packet that this side takes.
pub(crate) fn longest_packet(limits: &Limits) -> u32 {
    limits.max_buffer.min(LONGEST)
}

/// Layers and packet length as the four bytes say them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Terms {
    /// What is offered, or what is chosen.
    pub(crate) layers: Layers,
    /// The longest packet that the speaker takes.
    pub(crate) longest: u32,
}

impl Terms {
    /// The four bytes. Without any layer the length is 0.
    pub(crate) fn bytes(self) -> [u8; 4] {
        let longest = if self.layers.protect() {
            self.longest.min(LONGEST)
        } else {
            0
        };
        let [_, a, b, c] = longest.to_be_bytes();
        [self.layers.0, a, b, c]
    }

    /// The terms in front of `message`, and what follows them.
    ///
    /// # Errors
    /// `BADPROT` for a shorter message.
    pub(crate) fn parse(message: &[u8]) -> Result<(Self, &[u8])> {
        let (&[layers, a, b, c], rest) = message
            .split_first_chunk::<4>()
            .ok_or(Error::new(Code::BADPROT, "token too short"))?;
        let terms = Self {
            layers: Layers(layers),
            longest: u32::from_be_bytes([0, a, b, c]),
        };
        Ok((terms, rest))
    }
}

/// The layer that the client chose: one that was offered. Clients that talk to
/// Active Directory name integrity beside confidentiality.
///
/// # Errors
/// `BADPROT` for one that was not offered.
pub(crate) fn chosen(offered: Layers, choice: Layers) -> Result<Protection> {
    let integrity = Protection::Integrity.bit();
    let protection = match choice.0 {
        1 => Protection::None,
        2 => Protection::Integrity,
        4 => Protection::Confidentiality,
        6 if offered.0 & integrity != 0 => Protection::Confidentiality,
        _ => {
            return Err(Error::new(
                Code::BADPROT,
                "protocol violation: client requested invalid layer",
            ));
        }
    };
    if offered.contains(protection) {
        return Ok(protection);
    }
    Err(Error::new(
        Code::BADPROT,
        "protocol violation: client requested invalid layer",
    ))
}

/// The choice as the client writes it.
pub(crate) fn choice(protection: Protection, offered: Layers, both: bool) -> Layers {
    let beside = match protection {
        Protection::Confidentiality if both && offered.contains(Protection::Integrity) => {
            Protection::Integrity.bit()
        }
        _ => 0,
    };
    Layers(protection.bit() | beside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mech::Security;

    const ABLE: Flags = Flags::INTEGRITY.and(Flags::CONFIDENTIAL);

    fn permitted(min_ssf: u32, max_ssf: u32, external_ssf: u32, max_buffer: u32) -> u8 {
        let limits = Limits {
            min_ssf,
            max_ssf,
            max_buffer,
            security: Security::empty(),
            external_ssf,
        };
        Layers::permitted(&limits, ABLE, 256).0
    }

    #[test]
    fn the_applications_limits_are_kept() {
        assert_eq!(permitted(0, 256, 0, 65536), 7);
        assert_eq!(permitted(0, 0, 0, 65536), 1);
        assert_eq!(permitted(0, 255, 0, 65536), 3);
        assert_eq!(permitted(1, 1, 0, 65536), 2);
        assert_eq!(permitted(2, 256, 0, 65536), 4);
        assert_eq!(permitted(2, 55, 0, 65536), 0);
        assert_eq!(permitted(257, 300, 0, 65536), 0);
        assert_eq!(permitted(0, 256, 0, 0), 1);
        assert_eq!(permitted(56, 256, 56, 65536), 3);
        assert_eq!(permitted(56, 0, 128, 65536), 1);
    }

    #[test]
    fn a_context_without_encryption_gets_none() {
        let limits = Limits {
            min_ssf: 0,
            max_ssf: 256,
            max_buffer: 65536,
            security: Security::empty(),
            external_ssf: 0,
        };
        assert_eq!(Layers::permitted(&limits, Flags::INTEGRITY, 256).0, 3);
        assert_eq!(Layers::permitted(&limits, Flags::default(), 256).0, 1);
    }

    #[test]
    fn the_four_bytes_are_those_of_the_rfc() {
        let terms = Terms {
            layers: Layers(7),
            longest: 0x01ff_ffff,
        };
        assert_eq!(terms.bytes(), [7, 0xff, 0xff, 0xff]);
        let none = Terms {
            layers: Layers(1),
            longest: 65536,
        };
        assert_eq!(none.bytes(), [1, 0, 0, 0]);
        let (parsed, rest) = Terms::parse(b"\x04\x01\x00\x00bob").unwrap();
        assert_eq!((parsed.layers, parsed.longest), (Layers(4), 65536));
        assert_eq!(rest, b"bob");
        for short in [&b""[..], b"\x01", b"\x01\0\0"] {
            assert_eq!(Terms::parse(short).unwrap_err().code(), Code::BADPROT);
        }
    }

    #[test]
    fn only_what_was_offered_can_be_chosen() {
        assert_eq!(
            chosen(Layers(7), Layers(4)).unwrap(),
            Protection::Confidentiality
        );
        assert_eq!(
            chosen(Layers(7), Layers(6)).unwrap(),
            Protection::Confidentiality
        );
        assert_eq!(chosen(Layers(3), Layers(2)).unwrap(), Protection::Integrity);
        for (offered, choice) in [
            (3, 4),
            (4, 1),
            (4, 6),
            (7, 0),
            (7, 3),
            (7, 7),
            (7, 8),
            (1, 2),
        ] {
            let error = chosen(Layers(offered), Layers(choice)).unwrap_err();
            assert_eq!(error.code(), Code::BADPROT, "{offered} {choice}");
        }
    }

    #[test]
    fn the_strongest_common_layer_wins() {
        assert_eq!(Layers(7).strongest(Layers(3)), Some(Protection::Integrity));
        assert_eq!(Layers(4).strongest(Layers(3)), None);
        assert_eq!(
            choice(Protection::Confidentiality, Layers(7), true),
            Layers(6)
        );
        assert_eq!(
            choice(Protection::Confidentiality, Layers(4), true),
            Layers(4)
        );
        assert_eq!(
            choice(Protection::Confidentiality, Layers(7), false),
            Layers(4)
        );
    }
}
