// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every expected text was printed by glibc's printf or by stock libsasl2.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the tests choose numbers that fit or mean the bits"
)]

use super::*;
use std::collections::VecDeque;

#[derive(Clone)]
enum Arg {
    I(i64),
    D(f64),
    S(Option<&'static str>),
}
use Arg::{D, I, S};

struct Args(VecDeque<Arg>);

impl Args {
    fn integer(&mut self) -> i64 {
        match self.0.pop_front() {
            Some(I(value)) => value,
            _ => panic!("an integer was asked for"),
        }
    }
}

impl FormatArgs for Args {
    fn int(&mut self) -> c_int {
        self.integer() as c_int
    }
    fn long(&mut self) -> c_long {
        self.integer() as c_long
    }
    fn long_long(&mut self) -> c_longlong {
        self.integer()
    }
    fn size(&mut self) -> isize {
        self.integer() as isize
    }
    fn max(&mut self) -> i64 {
        self.integer()
    }
    fn double(&mut self) -> f64 {
        match self.0.pop_front() {
            Some(D(value)) => value,
            _ => panic!("a double was asked for"),
        }
    }
    fn long_double(&mut self) -> f64 {
        self.double()
    }
    fn text(&mut self, limit: usize) -> Option<Vec<u8>> {
        match self.0.pop_front() {
            Some(S(text)) => text.map(|text| text.bytes().take(limit).collect()),
            _ => panic!("a text was asked for"),
        }
    }
    fn pointer(&mut self) -> usize {
        self.integer() as usize
    }
}

fn show(text: &str, args: &[Arg]) -> String {
    let mut args = Args(args.iter().cloned().collect());
    let out = format(text.as_bytes(), &mut args, Nouser::Hidden);
    assert!(args.0.is_empty(), "{text}: arguments left");
    String::from_utf8(out).unwrap()
}

#[test]
fn texts() {
    assert_eq!(show("plain", &[]), "plain");
    assert_eq!(show("%s %s", &[S(Some("a")), S(None)]), "a (null)");
    assert_eq!(
        show(
            "%.3s|%10s|%-5s|",
            &[S(Some("abcdef")), S(Some("ab")), S(Some("x"))]
        ),
        "abc|        ab|x    |"
    );
    assert_eq!(
        show("%.*s%*s", &[I(2), S(Some("abc")), I(-4), S(Some("x"))]),
        "abx   "
    );
    assert_eq!(show("%c%5c%-3c|", &[I(120), I(121), I(122)]), "x    yz  |");
    assert_eq!(show("%.0s", &[S(None)]), "");
}

#[test]
fn integers() {
    assert_eq!(show("%d %i %u", &[I(-5), I(7), I(-1)]), "-5 7 4294967295");
    assert_eq!(
        show("%5d|%-5d|%05d|%+d|% d", &[I(3), I(4), I(42), I(1), I(1)]),
        "    3|4    |00042|+1| 1"
    );
    assert_eq!(
        show(
            "%x %X %#x %o %#o %#x",
            &[I(255), I(255), I(255), I(8), I(8), I(0)]
        ),
        "ff FF 0xff 10 010 0"
    );
    assert_eq!(
        show("%08.3d|%.0d|%-08d|", &[I(7), I(0), I(9)]),
        "     007||9       |"
    );
    assert_eq!(
        show("%hhd %hhu %hd %hu", &[I(300), I(-1), I(70000), I(-1)]),
        "44 255 4464 65535"
    );
    assert_eq!(
        show("%ld %lu %lx", &[I(i64::MIN), I(-1), I(-1)]),
        "-9223372036854775808 18446744073709551615 ffffffffffffffff"
    );
    assert_eq!(
        show(
            "%lld %llu %jd %td %zu %zd %zx",
            &[I(-1), I(-1), I(-2), I(-3), I(4), I(-5), I(255)]
        ),
        "-1 18446744073709551615 -2 -3 4 -5 ff"
    );
    assert_eq!(
        show("%p %p %12p|", &[I(0), I(0xdead), I(16)]),
        "(nil) 0xdead         0x10|"
    );
    assert_eq!(show("%#010x", &[I(255)]), "0x000000ff");
}

#[test]
fn reals() {
    assert_eq!(
        show("%f %.2f %.0f %#.0f", &[D(1.5), D(2.675), D(0.5), D(3.0)]),
        "1.500000 2.67 0 3."
    );
    assert_eq!(
        show("%e %.0e %E", &[D(12345.678), D(0.0), D(1e-300)]),
        "1.234568e+04 0e+00 1.000000E-300"
    );
    assert_eq!(
        show(
            "%g %g %g %g %#g",
            &[D(100000.0), D(1e6), D(0.0001), D(1.5e-5), D(1.0)]
        ),
        "100000 1e+06 0.0001 1.5e-05 1.00000"
    );
    assert_eq!(
        show("%010.3f|%-8.1f|%+g", &[D(-3.25159), D(2.25), D(2.0)]),
        "-00003.252|2.2     |+2"
    );
    assert_eq!(
        show(
            "%f %F %05f",
            &[D(f64::NAN.abs()), D(f64::NEG_INFINITY), D(f64::INFINITY)]
        ),
        "nan -INF   inf"
    );
    assert_eq!(
        show(
            "%a %a %.1a %A %a",
            &[D(1.0), D(0.1), D(1.97), D(255.5), D(0.0)]
        ),
        "0x1p+0 0x1.999999999999ap-4 0x2.0p+0 0X1.FFP+7 0x0p+0"
    );
    assert_eq!(show("%Lf", &[D(1.0)]), "1.000000");
}

#[test]
fn conversions_of_libsasl2() {
    assert_eq!(show("%m", &[I(2)]), "No such file or directory");
    assert_eq!(show("%m %d", &[I(13), I(9)]), "Permission denied 9");
    assert_eq!(show("%z", &[I(-4)]), "no mechanism available");
    assert_eq!(show("%zz", &[I(-13)]), "authentication failurez");
    assert_eq!(show("%z%d", &[I(-13), I(5)]), "authentication failure5");
    assert_eq!(show("%z d", &[I(-13)]), "authentication failure d");
    assert_eq!(
        show("%z: %s", &[I(-13), S(Some("x"))]),
        "authentication failure: x"
    );
    assert_eq!(show("%z", &[I(-20)]), "authentication failure");
    let mut args = Args([I(-20)].into());
    assert_eq!(format(b"%z", &mut args, Nouser::Shown), b"user not found");
}

#[test]
fn what_is_no_conversion() {
    assert_eq!(show("100%", &[]), "100");
    assert_eq!(show("%", &[]), "");
    assert_eq!(show("5%% of", &[]), "5% of");
    assert_eq!(show("%k %y", &[]), "%k %y");
    assert_eq!(show("[%n]", &[I(8)]), "[]");
}

#[test]
fn the_result_is_bounded() {
    assert_eq!(show("%99999999999999999999d", &[I(1)]).len(), LIMIT);
    assert_eq!(show("%*d%d", &[I(i64::from(i32::MAX)), I(1)]).len(), LIMIT);
    assert_eq!(show("%.2147483647d", &[I(1)]).len(), LIMIT);
    assert_eq!(show("%.99999f", &[D(1.0)]).len(), LIMIT);
    assert_eq!(show(&"y".repeat(LIMIT * 2), &[]).len(), LIMIT);
}
