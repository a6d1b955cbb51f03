// SPDX-License-Identifier: MIT OR Apache-2.0
//! crypt(3) of libxcrypt, for `{CRYPT}` values: the one C function that this
//! plugin calls itself. `crypt_rn` takes its memory from the caller, so threads
//! do not meet.
#![allow(unsafe_code, reason = "a plugin's own ffi.rs")]

use core::ffi::{CStr, c_char, c_int, c_void};
use saslplug::Secret;
use std::ffi::CString;
use zeroize::{Zeroize, Zeroizing};

/// `sizeof(struct crypt_data)` of libxcrypt's crypt.h, which promises never to
/// change it.
const ROOM: usize = 32_768;

#[link(name = "crypt")]
unsafe extern "C" {
    fn crypt_rn(
        phrase: *const c_char,
        setting: *const c_char,
        data: *mut c_void,
        size: c_int,
    ) -> *mut c_char;
}

/// The hash of `password` with the settings of `stored`; `None`: the system does
/// not know them.
pub(crate) fn crypt(password: &Secret, stored: &str) -> Option<Secret> {
    let setting = CString::new(stored).ok()?;
    if password.as_bytes().contains(&0) {
        return None;
    }
    let mut phrase = Zeroizing::new(Vec::with_capacity(password.len().checked_add(1)?));
    phrase.extend_from_slice(password.as_bytes());
    phrase.push(0);
    // Words, for their alignment: the structure holds integers.
    let mut data = vec![0_u64; ROOM / 8];
    let size = c_int::try_from(ROOM).ok()?;
    // SAFETY: ours: both texts end in NUL and outlive the call, `data` has
    // `size` writable bytes, zeroed and aligned as crypt(3) asks.
    let hash = unsafe {
        crypt_rn(
            phrase.as_ptr().cast(),
            setting.as_ptr(),
            data.as_mut_ptr().cast(),
            size,
        )
    };
    let found = (!hash.is_null()).then(|| {
        // SAFETY: crypt(3) returns NULL or a NUL-terminated text in `data`.
        Secret::from(unsafe { CStr::from_ptr(hash) }.to_bytes())
    });
    data.zeroize();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use hash::Verdict;

    /// Made by crypt(3) of Debian 12, through perl.
    const MADE: [&str; 5] = [
        "{CRYPT}$1$saltsalt$P.X7Y9nlkDpMUEIgePBL21",
        "{CRYPT}$5$saltsaltsalt$rKkIvaVA8kRH0agGa6bpn2VEOAgJMleRjgp.ZEV87o9",
        "{CRYPT}$6$saltsaltsalt$yWGanNXnjQ5eMCl6sKmdNPAMPH.evNmbWvYhG00WyrkBZsAnhA7jYkezouTkfws3vYOKKmiTpLCzT5GY0gY0/.",
        "{CRYPT}$2b$05$abcdefghijklmnopqrstuuRzbdK8pk138n8VmvZgZilwYQ.XMGvoy",
        "{CRYPT}$y$j9T$F5Jx5fExrKuPp53xLKQ..1$xYcOEZqTTSrAascVqtd/SFx9.MvZGu35RTH0IXoIuK.",
    ];

    #[test]
    fn the_systems_hashes() {
        for stored in MADE {
            let check = |password: &str| {
                let (stored, password) = (stored.as_bytes(), password.as_bytes());
                hash::verify(&stored.into(), &password.into(), Some(crypt))
            };
            assert_eq!(check("dogood ü"), Verdict::Right, "{stored}");
            assert_eq!(check("dogood"), Verdict::Wrong, "{stored}");
            assert_eq!(check(""), Verdict::Wrong, "{stored}");
        }
    }

    #[test]
    fn what_the_system_does_not_know() {
        for stored in [
            "{CRYPT}$99$salt$x",
            "{CRYPT}$",
            "{CRYPT}abJnggxhB/yWI",
            "{CRYPT}*",
        ] {
            let verdict = hash::verify(&stored.as_bytes().into(), &b"x"[..].into(), Some(crypt));
            assert_eq!(verdict, Verdict::Unknown, "{stored}");
        }
        assert!(crypt(&Secret::from(&b"a\0b"[..]), "$1$saltsalt").is_none());
        assert!(crypt(&Secret::from(&b"a"[..]), "$1$salt\0salt").is_none());
    }
}
