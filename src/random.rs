// SPDX-License-Identifier: MIT OR Apache-2.0
//! Randomness: always the operating system's, never a pool of this process.
//!
//! A pool would have to notice a fork; a system call does not. What an
//! application seeds or churns in cannot make the bytes weaker, because it is
//! not used (docs/decisions/random.md).
#![forbid(unsafe_code)]

use saslplug::{Code, Error, Result};

/// Fills `out` with bytes nobody can predict.
///
/// # Errors
/// `FAIL` when the system gives none; `out` is then all zero and must not be
/// used.
pub(crate) fn fill(out: &mut [u8]) -> Result<()> {
    getrandom::fill(out).map_err(|error| {
        out.fill(0);
        Error::with(
            Code::FAIL,
            format!(
                "the system gives no random bytes ({error}), check getrandom(2) and /dev/urandom"
            ),
        )
    })
}

/// A number nobody can predict.
///
/// # Errors
/// As [`fill`].
pub(crate) fn number() -> Result<u64> {
    let mut bytes = [0; 8];
    fill(&mut bytes)?;
    Ok(u64::from_ne_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_number_twice() {
        let numbers: HashSet<u64> = (0..10_000).map(|_| number().unwrap()).collect();
        assert_eq!(numbers.len(), 10_000);
    }

    #[test]
    fn every_byte_is_filled() {
        let mut seen = [false; 1000];
        for _ in 0..8 {
            let mut bytes = [0; 1000];
            fill(&mut bytes).unwrap();
            seen.iter_mut()
                .zip(bytes)
                .for_each(|(seen, byte)| *seen |= byte != 0);
        }
        assert!(seen.iter().all(|seen| *seen));
    }
}
