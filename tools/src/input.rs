// SPDX-License-Identifier: MIT OR Apache-2.0
//! Passwords: from the terminal, unseen and twice, or from standard input.
#![forbid(unsafe_code)]

use crate::ffi;
use saslplug::Secret;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::AsRawFd;
use zeroize::Zeroizing;

/// Bytes of a password at most, as in Cyrus's tools.
const LONGEST: usize = 2048;

/// Where a password comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Standard input: one read, the newline at its end is none of it.
    Pipe,
    /// A prompt on the terminal, if standard input is one.
    Ask {
        /// Ask again and compare.
        twice: bool,
    },
}

/// Why there is no password.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The two did not match.
    Differ,
    Unreadable(io::Error),
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

/// Reads a password.
pub(crate) fn password(way: Way) -> Result<Secret, Problem> {
    match way {
        Way::Ask { twice } if io::stdin().is_terminal() => asked(twice),
        _ => Ok(piped(&mut io::stdin().lock())?),
    }
}

/// Up to the end of the input, or a read that ends with a newline.
fn piped(input: &mut dyn Read) -> io::Result<Secret> {
    let mut all = Zeroizing::new(vec![0; LONGEST]);
    let mut length = 0;
    while let Some(room) = all.get_mut(length..).filter(|room| !room.is_empty()) {
        match input.read(room) {
            Ok(0) => break,
            Ok(count) => length = length.saturating_add(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        if length.checked_sub(1).and_then(|last| all.get(last)) == Some(&b'\n') {
            break;
        }
    }
    let read = all.get(..length).unwrap_or_default();
    Ok(Secret::from(read.strip_suffix(b"\n").unwrap_or(read)))
}

fn asked(twice: bool) -> Result<Secret, Problem> {
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    let first = ask(&mut terminal, "Password: ")?;
    if twice && ask(&mut terminal, "Again (for verification): ")? != first {
        return Err(Problem::Differ);
    }
    Ok(first)
}

fn ask(terminal: &mut File, prompt: &str) -> io::Result<Secret> {
    terminal.write_all(prompt.as_bytes())?;
    let mut input = terminal.try_clone()?;
    ffi::unechoed(terminal.as_raw_fd(), || piped(&mut input))
        .unwrap_or_else(|| Err(io::Error::other("the terminal's echo cannot be turned off")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut bytes: &[u8]) -> Vec<u8> {
        piped(&mut bytes).unwrap().as_bytes().to_vec()
    }

    #[test]
    fn one_newline_goes() {
        assert_eq!(read(b"pw\n"), b"pw");
        assert_eq!(read(b"pw"), b"pw");
        assert_eq!(read(b"pw\n\n"), b"pw\n");
        assert_eq!(read(b"one\ntwo"), b"one\ntwo");
        assert_eq!(read(b""), b"");
        assert_eq!(read(&[b'x'; 5000]).len(), LONGEST);
    }
}
