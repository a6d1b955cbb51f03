// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers as C's printf writes them: sign, prefix, zeros, digits.
#![forbid(unsafe_code)]

use super::Directive;

/// `%d %u %o %x %X` and the address of `%p`.
pub(super) fn integer(
    out: &mut Vec<u8>,
    directive: &Directive,
    negative: bool,
    value: u64,
    base: u64,
    upper: bool,
) {
    let mut digits = match (base, upper) {
        (8, _) => format!("{value:o}"),
        (16, false) => format!("{value:x}"),
        (16, true) => format!("{value:X}"),
        _ => value.to_string(),
    };
    if value == 0 && directive.precision == Some(0) {
        digits.clear();
    }
    let missing = directive
        .precision
        .unwrap_or(0)
        .saturating_sub(digits.len());
    digits.insert_str(0, &"0".repeat(missing));
    if base == 8 && directive.alternate && !digits.starts_with('0') {
        digits.insert(0, '0');
    }
    let mut sign = sign(directive, negative).to_owned();
    if base == 16 && directive.alternate && value != 0 {
        sign.push_str(if upper { "0X" } else { "0x" });
    }
    let zeros = directive.zero && directive.precision.is_none();
    join(out, directive, &sign, &digits, zeros);
}

/// `%f %e %g %a` and their capitals.
pub(super) fn real(out: &mut Vec<u8>, directive: &Directive, value: f64, kind: u8) {
    let size = value.abs();
    let sign = sign(directive, value.is_sign_negative());
    let precision = directive.precision;
    let mut digits = if !value.is_finite() {
        (if value.is_nan() { "nan" } else { "inf" }).to_owned()
    } else {
        match kind.to_ascii_lowercase() {
            b'f' => fixed(size, precision.unwrap_or(6), directive.alternate),
            b'e' => scientific(size, precision.unwrap_or(6), directive.alternate),
            b'g' => shortest(size, precision.unwrap_or(6).max(1), directive.alternate),
            _ => hexadecimal(size, precision, directive.alternate),
        }
    };
    let mut sign = sign.to_owned();
    if value.is_finite() && kind.eq_ignore_ascii_case(&b'a') {
        sign.push_str("0x");
    }
    if kind.is_ascii_uppercase() {
        digits.make_ascii_uppercase();
        sign.make_ascii_uppercase();
    }
    join(
        out,
        directive,
        &sign,
        &digits,
        directive.zero && value.is_finite(),
    );
}

const fn sign(directive: &Directive, negative: bool) -> &'static str {
    match (negative, directive.plus, directive.space) {
        (true, ..) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        _ => "",
    }
}

/// Puts sign and digits into the field, zeros between them if wanted.
fn join(out: &mut Vec<u8>, directive: &Directive, sign: &str, digits: &str, zeros: bool) {
    let zeros = if zeros && !directive.left {
        directive.width.saturating_sub(sign.len() + digits.len())
    } else {
        0
    };
    directive.pad(out, [sign, &"0".repeat(zeros), digits].concat().as_bytes());
}

fn fixed(size: f64, precision: usize, point: bool) -> String {
    let dot = if point && precision == 0 { "." } else { "" };
    format!("{size:.precision$}{dot}")
}

/// The digits and the power of ten of `size`, rounded to `precision` places.
fn split(size: f64, precision: usize) -> (String, i32) {
    let text = format!("{size:.precision$e}");
    match text.split_once('e') {
        Some((digits, power)) => (digits.to_owned(), power.parse().unwrap_or(0)),
        None => (text, 0),
    }
}

fn scientific(size: f64, precision: usize, point: bool) -> String {
    let (digits, power) = split(size, precision);
    let dot = if point && precision == 0 { "." } else { "" };
    let sign = if power < 0 { '-' } else { '+' };
    format!("{digits}{dot}e{sign}{:02}", power.abs())
}

/// `%g`: `precision` significant digits, the shorter of the two forms.
fn shortest(size: f64, precision: usize, point: bool) -> String {
    let (_, power) = split(size, precision - 1);
    let places = i32::try_from(precision).unwrap_or(i32::MAX);
    if power < -4 || power >= places {
        let text = scientific(size, precision - 1, point);
        if point {
            return text;
        }
        return match text.split_once('e') {
            Some((digits, power)) => format!("{}e{power}", strip(digits)),
            None => text,
        };
    }
    let decimals = usize::try_from(places.saturating_sub(1).saturating_sub(power)).unwrap_or(0);
    let text = fixed(size, decimals, point);
    if point { text } else { strip(&text).to_owned() }
}

/// Drops zeros at the end of a fraction.
fn strip(digits: &str) -> &str {
    if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.')
    } else {
        digits
    }
}

/// `%a` without its `0x`: one digit, the fraction in base 16, a power of two.
fn hexadecimal(size: f64, precision: Option<usize>, point: bool) -> String {
    const PLACES: usize = 13;
    let bits = size.to_bits();
    let mut fraction = bits & 0xf_ffff_ffff_ffff;
    let stored = i64::try_from(bits >> 52).unwrap_or(0);
    let mut lead = u64::from(stored != 0);
    let power = match (stored, fraction) {
        (0, 0) => 0,
        (0, _) => -1022,
        _ => stored - 1023,
    };
    let places = precision.unwrap_or(PLACES);
    if places < PLACES {
        // Round half to even, which may carry into the first digit.
        let drop = (PLACES - places) * 4;
        let whole = (lead << 52) | fraction;
        let (kept, lost, half) = (whole >> drop, whole & ((1 << drop) - 1), 1 << (drop - 1));
        let up = lost > half || (lost == half && kept & 1 == 1);
        let whole = (kept + u64::from(up)) << drop;
        (lead, fraction) = (whole >> 52, whole & 0xf_ffff_ffff_ffff);
    }
    let mut digits = format!("{fraction:013x}");
    match precision {
        None => digits = digits.trim_end_matches('0').to_owned(),
        Some(places) if places <= PLACES => digits.truncate(places),
        Some(places) => digits.push_str(&"0".repeat(places - PLACES)),
    }
    let dot = if point || !digits.is_empty() { "." } else { "" };
    format!("{lead}{dot}{digits}p{power:+}")
}
