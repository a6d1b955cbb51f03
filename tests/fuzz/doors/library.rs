// SPDX-License-Identifier: MIT OR Apache-2.0
//! Doors for the fuzz targets, compiled into the library.

use crate::config::Config;
use crate::encoding::{Decoded, decode64, encode64, encoded_len};
use crate::format::{FormatArgs, LIMIT, Nouser};
use crate::layer::Layer;
use crate::{checkpass, token};
use core::ffi::{c_int, c_long, c_longlong};
use mech::Negotiated;
use saslplug::Secret;
use std::path::Path;
use std::sync::LazyLock;

/// Decodes into `room` bytes; what was understood encodes to what was read.
pub fn base64(text: &[u8], room: usize) {
    let mut bytes = vec![0xAA; room];
    let Ok(Decoded::Whole(length) | Decoded::Leftover(length)) = decode64(text, &mut bytes) else {
        return;
    };
    let bytes = &bytes[..length];
    let needed = usize::try_from(encoded_len(length as u64)).expect("a length");
    let mut again = vec![0; needed + 1];
    assert_eq!(encode64(bytes, &mut again).expect("room"), needed);
    let mut back = vec![0; length + 1];
    assert!(matches!(decode64(&again[..needed], &mut back), Ok(Decoded::Whole(l)) if l == length));
    assert_eq!(&back[..length], bytes);
    assert!(encode64(bytes, &mut again[..needed]).is_err());
}

/// A configuration file: refused with its line, or every option can be asked for.
pub fn configuration(text: &[u8]) {
    if let Err(error) = Config::parse(Path::new("fuzz.conf"), text) {
        assert!(error.reason().contains(" line "), "{error}");
    }
}

struct Numbers(usize);

macro_rules! numbers {
    ($($name:ident: $kind:ty,)*) => {
        impl FormatArgs for Numbers {
            $(fn $name(&mut self) -> $kind { self.next() as $kind })*
            fn text(&mut self, limit: usize) -> Option<Vec<u8>> {
                let length = self.next() as usize % 100;
                (length > 0).then(|| vec![b'x'; length.min(limit)])
            }
        }
    };
}

numbers! {
    int: c_int, long: c_long, long_long: c_longlong, size: isize, max: i64,
    double: f64, long_double: f64, pointer: usize,
}

impl Numbers {
    fn next(&mut self) -> i64 {
        const ODD: [i64; 8] = [
            0,
            -1,
            1,
            100_000,
            i64::MAX,
            i64::MIN,
            0x7fff_ffff,
            -0x8000_0000,
        ];
        self.0 += 1;
        ODD[self.0 % ODD.len()]
    }
}

/// Any format, with odd numbers: never longer than it may be.
pub fn format(text: &[u8]) {
    let start = text.len();
    let shown = crate::format::format(text, &mut Numbers(start), Nouser::Shown);
    assert!(shown.len() <= LIMIT);
}

/// Whether this reply of saslauthd means yes.
pub fn saslauthd_agrees(reply: &[u8]) -> bool {
    checkpass::is_yes(reply)
}

/// Whether this reply of authdaemond means yes.
pub fn authdaemond_agrees(reply: &[u8]) -> bool {
    checkpass::verdict(reply) == Some(true)
}

/// A key of RFC 8037 appendix A.2 (Ed25519) and one of RFC 7517 appendix A.1.
const KEYS: &str = r#"{"keys":[
{"kty":"OKP","crv":"Ed25519","kid":"e","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
{"kty":"EC","crv":"P-256","kid":"p","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
"y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;

/// Whether a token is good for somebody.
pub fn token_agrees(text: &[u8]) -> bool {
    static KEY_SET: LazyLock<jsonwebtoken::jwk::JwkSet> =
        LazyLock::new(|| serde_json::from_str(KEYS).expect("keys"));
    let policy = token::Policy::from(|_| Some("60".to_owned())).expect("a policy");
    token::judge(&policy, &KEY_SET, &Secret::from(text)).is_ok()
}

/// One end of a connection with a layer.
#[derive(Default)]
pub struct Packets(Layer);

impl Packets {
    /// With the layer that was agreed on.
    pub fn new(negotiated: Negotiated) -> Self {
        let packets = Self::default();
        packets.0.install(negotiated);
        packets
    }

    /// Packets for the peer.
    pub fn encode(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.0.encode(plain).ok()
    }

    /// The peer's words; `None` once something is wrong.
    pub fn decode(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.0.decode(bytes, 65_536).ok()
    }
}
