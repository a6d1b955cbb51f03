// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the server keeps of a user's chain: `cmusaslsecretOTP`, one line of
//! five fields with tabs between, as stock and `saslpasswd2` write it.
#![forbid(unsafe_code)]

use super::hash::{Algorithm, Value};
use crate::ServerHost;
use core::ffi::CStr;
use saslplug::{Code, Error, Result, Secret};
use std::ffi::CString;

/// The property as it is looked up.
pub(super) const WANTED: &CStr = c"*cmusaslsecretOTP";
/// The property as it is stored.
const STORED: &CStr = c"cmusaslsecretOTP";

/// The highest sequence number: four digits.
pub(super) const HIGHEST: u16 = 9999;

/// The state of a chain.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Its hash.
    pub(super) algorithm: Algorithm,
    /// The number of the value that was used last.
    pub(super) sequence: u16,
    /// Its seed.
    pub(super) seed: String,
    /// The value that was used last.
    pub(super) value: Value,
    /// Until when another login is under way, in seconds since 1970; 0 = none.
    pub(super) locked_until: u64,
}

impl Record {
    /// `None` for a line that is broken.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        let line = core::str::from_utf8(line).ok()?.trim_end_matches('\0');
        let mut fields = line.split('\t');
        let record = Self {
            algorithm: Algorithm::named(fields.next()?)?,
            sequence: number(fields.next()?).filter(|&sequence| sequence <= HIGHEST)?,
            seed: seed(fields.next()?)?,
            value: hex(fields.next()?)?,
            locked_until: number(fields.next()?)?,
        };
        fields.next().is_none().then_some(record)
    }

    fn write(&self) -> String {
        format!(
            "{}\t{:04}\t{}\t{:016x}\t{:020}",
            self.algorithm.name(),
            self.sequence,
            self.seed,
            u64::from_be_bytes(self.value),
            self.locked_until
        )
    }
}

/// Stores the state of a chain; `None` removes it.
pub(super) fn store(host: &dyn ServerHost, user: &[u8], record: Option<&Record>) -> Result<()> {
    let values: Vec<Secret> = record
        .map(|record| Secret::new(record.write().into_bytes()))
        .into_iter()
        .collect();
    let user = CString::new(user)
        .map_err(|_| Error::new(Code::BADPARAM, "a user name with a NUL inside"))?;
    host.store(&user, &[(STORED, &values)])
}

/// Reads the state of the chain of the user who was looked up.
///
/// # Errors
/// `NOUSER` without one, `FAIL` for a broken one.
pub(super) fn find(host: &dyn ServerHost) -> Result<Record> {
    let found = host.property(WANTED);
    host.erase(&[WANTED]);
    let line = found
        .first()
        .ok_or(Error::new(Code::NOUSER, "no OTP secret in database"))?;
    Record::read(line.as_bytes()).ok_or(Error::new(
        Code::FAIL,
        "the cmusaslsecretOTP in the database is broken: set the user's password again",
    ))
}

/// A number of digits only.
pub(super) fn number<T: core::str::FromStr>(text: &str) -> Option<T> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// A seed: one to sixteen letters and digits, the case does not count (RFC 2289
/// section 6.0).
pub(super) fn seed(text: &str) -> Option<String> {
    let letters = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    ((1..=16).contains(&text.len()) && letters).then(|| text.to_ascii_lowercase())
}

/// Sixteen hexadecimal digits, blanks between them or not.
pub(super) fn hex(text: &str) -> Option<Value> {
    let mut value = 0u64;
    let mut count = 0;
    for letter in text.chars().filter(|letter| !letter.is_ascii_whitespace()) {
        value = (value << 4) | u64::from(letter.to_digit(16)?);
        count += 1;
        if count > 16 {
            return None;
        }
    }
    (count == 16).then(|| value.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "md5\t0499\tvm6418\t4b9be8eb6aed6721\t00000000001795299244";

    #[test]
    fn a_line_of_stock_comes_back() {
        let record = Record::read(LINE.as_bytes()).unwrap();
        assert_eq!(record.sequence, 499);
        assert_eq!(record.seed, "vm6418");
        assert_eq!(record.locked_until, 1_795_299_244);
        assert_eq!(record.write(), LINE);
    }

    #[test]
    fn broken_lines() {
        for end in 0..LINE.len() - 20 {
            assert!(Record::read(&LINE.as_bytes()[..end]).is_none(), "{end}");
        }
        for line in [
            "md6\t0499\tvm6418\t4b9be8eb6aed6721\t0",
            "md5\t10000\tvm6418\t4b9be8eb6aed6721\t0",
            "md5\t+499\tvm6418\t4b9be8eb6aed6721\t0",
            "md5\t0499\tvm-6418\t4b9be8eb6aed6721\t0",
            "md5\t0499\tvm641801234567890\t4b9be8eb6aed6721\t0",
            "md5\t0499\t\t4b9be8eb6aed6721\t0",
            "md5\t0499\tvm6418\t4b9be8eb6aed672g\t0",
            "md5\t0499\tvm6418\t4b9be8eb6aed6721\t-1",
            "md5\t0499\tvm6418\t4b9be8eb6aed6721\t99999999999999999999",
            "md5\t0499\tvm6418\t4b9be8eb6aed6721\t0\t",
        ] {
            assert!(Record::read(line.as_bytes()).is_none(), "{line}");
        }
    }
}
