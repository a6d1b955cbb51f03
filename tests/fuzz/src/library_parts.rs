// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the library itself reads: Base64, its configuration file, formats of log
//! lines, the replies of daemons, bearer tokens.

use crate::script::Script;
use sasl2::fuzz as door;

/// What is decoded is encoded as it was, into a buffer of any size.
pub(crate) fn base64(data: &[u8]) {
    let script = &mut Script::new(data);
    let room = script.below(1024);
    door::base64(script.rest(), room);
}

/// `<application>.conf`.
pub(crate) fn configuration(data: &[u8]) {
    door::configuration(data);
}

/// Formats with few arguments and large numbers.
pub(crate) fn format(data: &[u8]) {
    door::format(data);
}

/// saslauthd's reply and authdaemond's.
pub(crate) fn saslauthd(data: &[u8]) {
    if door::saslauthd_agrees(data) {
        assert!(data.starts_with(b"OK"));
        assert!(data.get(2).is_none_or(|byte| b"\0 \t\r\n".contains(byte)));
    }
    if door::authdaemond_agrees(data) {
        let mut lines = data.split(|byte| *byte == b'\n');
        assert!(lines.any(|line| line == b"."));
    }
}

/// A token that nobody signed.
pub(crate) fn token(data: &[u8]) {
    assert!(!door::token_agrees(data), "a token that nobody signed");
}
