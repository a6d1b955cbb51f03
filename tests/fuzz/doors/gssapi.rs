// SPDX-License-Identifier: MIT OR Apache-2.0
//! A door for the fuzz targets, compiled into `gss`.

use crate::protection::{Layers, Terms, chosen};

/// Four bytes are read as they are written, and only what was offered is chosen.
pub fn terms(message: &[u8]) {
    let Ok((terms, rest)) = Terms::parse(message) else {
        return assert!(message.len() < 4);
    };
    if terms.layers.protect() {
        assert_eq!(message.strip_suffix(rest), Some(&terms.bytes()[..]));
    }
    let offered = Layers(rest.first().copied().unwrap_or_default());
    if chosen(offered, terms.layers).is_ok() {
        assert!(terms.layers.strongest(offered).is_some());
    }
}
