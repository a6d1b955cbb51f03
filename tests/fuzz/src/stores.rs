// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stored passwords: the password files, and hashes.

use crate::script::Script;
use saslplug::Secret;

/// A password file's image, Berkeley DB or LMDB, altered.
pub(crate) fn sasldb(data: &[u8]) {
    const IMAGES: [&[u8]; 2] = [
        include_bytes!("../seeds/images/berkeley.db"),
        include_bytes!("../seeds/images/lmdb.db"),
    ];
    let script = &mut Script::new(data);
    let mut image = match script.byte() {
        kind @ 0..=1 => IMAGES[usize::from(kind)].to_vec(),
        _ => script.rest().to_vec(),
    };
    while !script.is_over() {
        let at = script.below(image.len().min(65_536));
        let part = script.chunk();
        let end = image.len().min(at + part.len());
        image.splice(at..end, part.iter().copied());
    }
    let _ = saslfile::check(&image);
}

/// Whether the stored value itself asks for work that takes seconds, as it may.
fn is_costly(stored: &[u8]) -> bool {
    let mut words = stored.split(|byte| !byte.is_ascii_digit());
    words.any(|digits| digits.len() > 3) || stored.to_ascii_uppercase().starts_with(b"{PBKDF2_")
}

/// `{SCHEME}hash` as a directory holds it, and a password.
pub(crate) fn stored_password(data: &[u8]) {
    let script = &mut Script::new(data);
    let stored = script.chunk();
    if is_costly(stored) {
        return;
    }
    let stored = Secret::from(stored);
    let password = Secret::from(script.rest());
    let _ = hash::verify(&stored, &password, None);
}
