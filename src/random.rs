// SPDX-License-Identifier: MIT OR Apache-2.0
//! Randomness: always the operating system's.
//!
//! A system call costs more than the rest of a nonce, so bytes are taken in
//! advance, a few at a time, into memory that a fork empties. What an
//! application seeds or churns in cannot make the bytes weaker, because it is
//! not used (docs/decisions/random.md).
#![forbid(unsafe_code)]

use crate::ffi::forks::{Page, SIZE};
use saslplug::{Code, Error, Result};
use std::sync::Mutex;
use zeroize::Zeroize;

/// How many bytes are taken at once: as many as the kernel gives without a
/// break.
const BLOCK: usize = 256;

/// Longer wishes go to the kernel.
const SHORT: usize = 64;

/// Bytes in stock.
enum Stock {
    Untried,
    /// The kernel has no memory that a fork empties: no stock.
    Never,
    Here(Page),
}

static STOCK: Mutex<Stock> = Mutex::new(Stock::Untried);

/// Fills `out` with bytes nobody can predict.
///
/// # Errors
/// `FAIL` when the system gives none; `out` is then all zero and must not be
/// used.
pub(crate) fn fill(out: &mut [u8]) -> Result<()> {
    if out.len() > SHORT {
        return from_system(out);
    }
    // Held by another thread, or by one that a fork left behind: no waiting.
    let Ok(mut stock) = STOCK.try_lock() else {
        return from_system(out);
    };
    if matches!(*stock, Stock::Untried) {
        *stock = Page::new().map_or(Stock::Never, Stock::Here);
    }
    match &mut *stock {
        Stock::Here(page) => take(page.bytes(), out),
        _ => from_system(out),
    }
}

/// Takes bytes out of the page, and leaves zeros. Its last byte counts what is
/// left in units of the smallest nonce; in a child it is zero.
fn take(page: &mut [u8; SIZE], out: &mut [u8]) -> Result<()> {
    let (bytes, [.., left]) = page.split_at_mut(BLOCK) else {
        return from_system(out);
    };
    let wanted = out.len().next_multiple_of(UNIT);
    let mut rest = usize::from(*left).saturating_mul(UNIT);
    if rest < wanted {
        *left = 0; // whatever happens, nothing old is given
        out.fill(0);
        from_system(bytes)?;
        rest = BLOCK;
    }
    let start = rest.saturating_sub(wanted);
    *left = u8::try_from(start / UNIT).unwrap_or_default();
    let piece = bytes.get_mut(start..rest).unwrap_or_default();
    for (slot, byte) in out.iter_mut().zip(piece.iter()) {
        *slot = *byte;
    }
    piece.zeroize();
    Ok(())
}

/// Stock is counted in pieces of so many bytes.
const UNIT: usize = 8;

fn from_system(out: &mut [u8]) -> Result<()> {
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
    fn what_was_given_is_gone_and_nothing_is_given_twice() {
        let mut page = Page::new().expect("a page");
        let mut seen = HashSet::new();
        for length in (1..=SHORT).cycle().take(2000) {
            let mut bytes = vec![0; length];
            take(page.bytes(), &mut bytes).unwrap();
            let left = usize::from(page.bytes()[SIZE - 1]) * UNIT;
            let (stock, given) = page.bytes()[..BLOCK].split_at(left);
            assert!(given.iter().all(|byte| *byte == 0));
            assert!(bytes.len() < 8 || !stock.windows(bytes.len()).any(|part| part == bytes));
            assert!(length < 8 || seen.insert(bytes));
        }
    }

    #[test]
    fn an_emptied_page_is_filled_first() {
        let mut page = Page::new().expect("a page");
        take(page.bytes(), &mut [0; 8]).unwrap();
        page.bytes().fill(0); // as a child finds it
        let mut bytes = [0; 32];
        take(page.bytes(), &mut bytes).unwrap();
        assert_ne!(bytes, [0; 32]);
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
