// SPDX-License-Identifier: MIT OR Apache-2.0
//! The format language of `sasl_seterror` and `sasl_utils_t.log`: all of C's
//! printf, and two conversions of libsasl2's own.
//!
//! `%m` is strerror of the next int, a bare `%z` is sasl_errstring of the next
//! int; `z` before one of `diouxX` is printf's size modifier. What is no
//! conversion comes out as it stands. The result is bounded: widths and
//! precisions come from a stranger as much as texts do.
#![forbid(unsafe_code)]

mod number;

use core::ffi::{c_int, c_long, c_longlong};
use saslplug::{Code, Error};

/// The arguments of a variadic call, taken in order.
pub(crate) trait FormatArgs {
    /// An int (and what C promotes to it).
    fn int(&mut self) -> c_int;
    /// A long.
    fn long(&mut self) -> c_long;
    /// A long long.
    fn long_long(&mut self) -> c_longlong;
    /// A size_t or ssize_t, as the bits of one.
    fn size(&mut self) -> isize;
    /// An intmax_t.
    fn max(&mut self) -> i64;
    /// A double.
    fn double(&mut self) -> f64;
    /// A long double, as near as a double comes.
    fn long_double(&mut self) -> f64;
    /// A C string, at most `limit` bytes of it; `None` for NULL.
    fn text(&mut self, limit: usize) -> Option<Vec<u8>>;
    /// A pointer's value.
    fn pointer(&mut self) -> usize;
}

/// How `%z` shows an unknown user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Nouser {
    /// Like a wrong password (`sasl_seterror`: a peer may see it).
    Hidden,
    /// As it is (the log).
    Shown,
}

/// Longest result in bytes; below the 65 535 that std allows for a width.
pub(crate) const LIMIT: usize = 60 * 1024;

/// One conversion without its argument.
#[derive(Clone, Copy, Default)]
struct Directive {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
    length: Length,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Length {
    #[default]
    Int,
    Char,
    Short,
    Long,
    LongLong,
    Size,
    Max,
    Difference,
    LongDouble,
}

/// Formats `format` with `args`; at most [`LIMIT`] bytes.
pub(crate) fn format(format: &[u8], args: &mut dyn FormatArgs, nouser: Nouser) -> Vec<u8> {
    let mut out = Vec::with_capacity(format.len() + 64);
    let mut rest = format;
    while let Some(start) = rest.iter().position(|byte| *byte == b'%') {
        let (plain, directive) = rest.split_at(start);
        out.extend_from_slice(plain);
        let after = directive.get(1..).unwrap_or_default();
        rest = convert(&mut out, after, args, nouser).unwrap_or_else(|| {
            // No conversion: a lone % at the end vanishes, as on stock.
            if !after.is_empty() {
                out.push(b'%');
            }
            after
        });
        if out.len() >= LIMIT {
            break;
        }
    }
    if out.len() < LIMIT {
        out.extend_from_slice(rest);
    }
    out.truncate(LIMIT);
    out
}

/// One conversion; returns what follows it, `None` if it is none. Arguments
/// are taken only for `*` and the conversion itself.
fn convert<'a>(
    out: &mut Vec<u8>,
    text: &'a [u8],
    args: &mut dyn FormatArgs,
    nouser: Nouser,
) -> Option<&'a [u8]> {
    let mut at = Reader(text);
    let mut directive = Directive::default();
    directive.read_flags(&mut at);
    directive.read_width(&mut at, args);
    directive.read_precision(&mut at, args);
    directive.read_length(&mut at);
    if directive.length == Length::Size && !at.peek().is_some_and(|c| b"diouxX".contains(&c)) {
        let code = Code(args.int());
        let code = match nouser {
            Nouser::Hidden => Error::bare(code).public_code(),
            Nouser::Shown => code,
        };
        directive.pad_text(out, code.text().as_bytes());
        return Some(at.0);
    }
    match at.next()? {
        b'%' => out.push(b'%'),
        b'd' | b'i' => {
            let value = directive.signed(args);
            number::integer(out, &directive, value < 0, value.unsigned_abs(), 10, false);
        }
        b'u' => directive.unsigned(out, args, 10, false),
        b'o' => directive.unsigned(out, args, 8, false),
        b'x' => directive.unsigned(out, args, 16, false),
        b'X' => directive.unsigned(out, args, 16, true),
        kind @ (b'f' | b'F' | b'e' | b'E' | b'g' | b'G' | b'a' | b'A') => {
            let long = directive.length == Length::LongDouble;
            let value = if long {
                args.long_double()
            } else {
                args.double()
            };
            number::real(out, &directive, value, kind);
        }
        b'c' => {
            let [byte, ..] = args.int().to_le_bytes();
            directive.pad(out, &[byte]);
        }
        b's' => directive.text(out, args),
        b'p' => directive.pointer(out, args),
        b'm' => {
            let text = std::io::Error::from_raw_os_error(args.int()).to_string();
            let text = text
                .rsplit_once(" (os error")
                .map_or(text.as_str(), |(text, _)| text);
            directive.pad_text(out, text.as_bytes());
        }
        // Writing through an argument of a format is a hole, not a feature.
        b'n' => drop(args.pointer()),
        _ => return None,
    }
    Some(at.0)
}

/// Walks over the bytes of a directive.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.next();
        }
        found
    }

    fn number(&mut self) -> usize {
        let mut value = 0_usize;
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            value = value
                .saturating_mul(10)
                .saturating_add(usize::from(digit - b'0'));
            self.next();
        }
        value.min(LIMIT)
    }
}

impl Directive {
    fn read_flags(&mut self, at: &mut Reader<'_>) {
        while let Some(flag) = at.peek() {
            match flag {
                b'-' => self.left = true,
                b'+' => self.plus = true,
                b' ' => self.space = true,
                b'#' => self.alternate = true,
                b'0' => self.zero = true,
                b'\'' => {}
                _ => return,
            }
            at.next();
        }
    }

    fn read_width(&mut self, at: &mut Reader<'_>, args: &mut dyn FormatArgs) {
        if !at.take(b'*') {
            self.width = at.number();
            return;
        }
        let width = args.int();
        self.left |= width < 0;
        self.width = usize::try_from(width.unsigned_abs())
            .unwrap_or(LIMIT)
            .min(LIMIT);
    }

    fn read_precision(&mut self, at: &mut Reader<'_>, args: &mut dyn FormatArgs) {
        if !at.take(b'.') {
            return;
        }
        self.precision = if at.take(b'*') {
            // A negative precision counts as none.
            usize::try_from(args.int())
                .ok()
                .map(|precision| precision.min(LIMIT))
        } else {
            Some(at.number())
        };
    }

    fn read_length(&mut self, at: &mut Reader<'_>) {
        let length = match at.peek() {
            Some(b'h') => Length::Short,
            Some(b'l') => Length::Long,
            Some(b'q') => Length::LongLong,
            Some(b'z') => Length::Size,
            Some(b'j') => Length::Max,
            Some(b't') => Length::Difference,
            Some(b'L') => Length::LongDouble,
            _ => return,
        };
        at.next();
        self.length = match length {
            Length::Short if at.take(b'h') => Length::Char,
            Length::Long if at.take(b'l') => Length::LongLong,
            length => length,
        };
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "C converts to the narrower type"
    )]
    fn signed(&self, args: &mut dyn FormatArgs) -> i64 {
        match self.length {
            Length::Int => i64::from(args.int()),
            Length::Char => i64::from(args.int() as i8),
            Length::Short => i64::from(args.int() as i16),
            #[allow(clippy::useless_conversion, reason = "long is 32 bits elsewhere")]
            Length::Long => i64::from(args.long()),
            Length::LongLong | Length::LongDouble => args.long_long(),
            Length::Size | Length::Difference => args.size() as i64,
            Length::Max => args.max(),
        }
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::useless_conversion,
        reason = "C converts to the unsigned type of the same size; long is 32 bits elsewhere"
    )]
    fn unsigned(&self, out: &mut Vec<u8>, args: &mut dyn FormatArgs, base: u64, upper: bool) {
        let value = match self.length {
            Length::Int => u64::from(args.int() as u32),
            Length::Char => u64::from(args.int() as u8),
            Length::Short => u64::from(args.int() as u16),
            Length::Long => u64::from(args.long() as core::ffi::c_ulong),
            Length::Size | Length::Difference => args.size() as usize as u64,
            Length::LongLong | Length::LongDouble => args.long_long() as u64,
            Length::Max => args.max() as u64,
        };
        let unsigned = Self {
            plus: false,
            space: false,
            ..*self
        };
        number::integer(out, &unsigned, false, value, base, upper);
    }

    fn text(&self, out: &mut Vec<u8>, args: &mut dyn FormatArgs) {
        if self.length == Length::Long {
            // Wide characters: nobody logs them, and their bytes are no text.
            let null = args.pointer() == 0;
            return self.pad_text(out, if null { b"(null)" } else { b"(wide text)" });
        }
        let limit = self.precision.unwrap_or(LIMIT);
        match args.text(limit) {
            Some(text) => self.pad(out, &text),
            None => self.pad_text(out, b"(null)"),
        }
    }

    fn pointer(&self, out: &mut Vec<u8>, args: &mut dyn FormatArgs) {
        match args.pointer() {
            0 => self.pad_text(out, b"(nil)"),
            value => {
                let hex = Self {
                    alternate: true,
                    ..*self
                };
                number::integer(out, &hex, false, value as u64, 16, false);
            }
        }
    }

    /// A text of our own, cut at the precision.
    fn pad_text(&self, out: &mut Vec<u8>, text: &[u8]) {
        let limit = self.precision.unwrap_or(text.len()).min(text.len());
        self.pad(out, text.get(..limit).unwrap_or_default());
    }

    /// Fills up with blanks to the width.
    fn pad(&self, out: &mut Vec<u8>, text: &[u8]) {
        let blanks = self.width.saturating_sub(text.len());
        let end = out.len() + blanks;
        if !self.left {
            out.resize(end, b' ');
        }
        out.extend_from_slice(text);
        if self.left {
            out.resize(end + text.len(), b' ');
        }
    }
}

#[cfg(test)]
mod tests;
