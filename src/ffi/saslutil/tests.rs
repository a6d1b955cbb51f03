// SPDX-License-Identifier: MIT OR Apache-2.0
//! What C sees: codes, outputs, NULL and overlapping buffers.
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each call passes what the line above made"
)]

use super::*;
use std::ffi::CString;
use std::fs;
use std::sync::Mutex;

const NO: *const c_char = ptr::null();
const NO_OUT: *mut c_char = ptr::null_mut();

fn encode(input: &[u8], out: &mut [u8]) -> (c_int, c_uint) {
    let (len, max) = (
        input.len().try_into().unwrap(),
        out.len().try_into().unwrap(),
    );
    let mut used = 777;
    let (from, to) = (input.as_ptr().cast(), out.as_mut_ptr().cast());
    (
        unsafe { sasl_encode64(from, len, to, max, &mut used) },
        used,
    )
}

fn decode(input: &[u8], out: &mut [u8]) -> (c_int, c_uint) {
    let (len, max) = (
        input.len().try_into().unwrap(),
        out.len().try_into().unwrap(),
    );
    let mut used = 777;
    let (from, to) = (input.as_ptr().cast(), out.as_mut_ptr().cast());
    (
        unsafe { sasl_decode64(from, len, to, max, &mut used) },
        used,
    )
}

#[test]
fn codes_and_lengths_as_on_stock() {
    let mut out = [b'#'; 16];
    assert_eq!(encode(b"abc", &mut out[..4]), (BUFOVER, 4));
    assert_eq!(encode(b"abc", &mut out[..5]), (OK, 4));
    assert_eq!(&out[..6], b"YWJj\0#");
    assert_eq!(encode(b"", &mut out[..0]), (BUFOVER, 0));
    assert_eq!(decode(b"YWJj", &mut out[..3]), (BUFOVER, 777));
    assert_eq!(decode(b"YWJj", &mut out[..4]), (OK, 3));
    assert_eq!(&out[..5], b"abc\0\0");
    assert_eq!(decode(b"YWJjZ", &mut out), (CONTINUE, 3));
    assert_eq!(decode(b"YWJjZA==\r\n", &mut out), (BADPROT, 4));
    assert_eq!(decode(b"YW!j", &mut out), (BADPROT, 777));
    assert_eq!(decode(b"\rYWJj", &mut out), (FAIL, 777));
    assert_eq!(decode(b"", &mut out), (OK, 0));
}

#[test]
fn lengths_no_buffer_can_have_are_refused_unread() {
    let mut out = [0_u8; 16];
    let (from, to) = (c"abc".as_ptr(), out.as_mut_ptr().cast());
    for len in [0xc000_0000, u32::MAX, 1 << 31, i32::MAX.unsigned_abs(), 13] {
        let mut used = 0;
        assert_eq!(
            unsafe { sasl_encode64(from, len, to, 16, &mut used) },
            BUFOVER
        );
        let expected = encoding::encoded_len(len.into()).min(u32::MAX.into());
        assert_eq!(u64::from(used), expected);
    }
}

#[test]
fn input_and_output_may_share_memory() {
    let mut memory = [0_u8; 128];
    for shift in 0..40_usize {
        memory[..32].copy_from_slice(b"YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4");
        let base = memory.as_mut_ptr().cast::<c_char>();
        let mut used = 0;
        let code = unsafe { sasl_decode64(base, 32, base.add(shift), 80, &mut used) };
        assert_eq!((code, used), (OK, 24));
        assert_eq!(&memory[shift..shift + 25], b"abcdefghijklmnopqrstuvwx\0");
        memory[..24].copy_from_slice(b"abcdefghijklmnopqrstuvwx");
        let base = memory.as_mut_ptr().cast::<c_char>();
        let code = unsafe { sasl_encode64(base, 24, base.add(shift), 80, &mut used) };
        assert_eq!((code, used), (OK, 32));
        assert_eq!(
            &memory[shift..shift + 33],
            b"YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4\0"
        );
    }
}

#[test]
fn null_is_answered() {
    let mut out = [0 as c_char; 64];
    let (to, mut used) = (out.as_mut_ptr(), 5);
    unsafe {
        assert_eq!(sasl_encode64(NO, 0, to, 16, ptr::null_mut()), OK);
        assert_eq!(sasl_encode64(NO, 3, to, 16, &mut used), BADPARAM);
        assert_eq!(
            sasl_encode64(c"abc".as_ptr(), 3, NO_OUT, 16, &mut used),
            BADPARAM
        );
        assert_eq!(
            sasl_encode64(c"abc".as_ptr(), 3, NO_OUT, 0, &mut used),
            BUFOVER
        );
        assert_eq!(sasl_encode64(NO, 0, NO_OUT, 0, ptr::null_mut()), BUFOVER);
        assert_eq!(sasl_decode64(NO, 0, to, 16, ptr::null_mut()), OK);
        assert_eq!(sasl_decode64(NO, 4, to, 16, &mut used), BADPARAM);
        assert_eq!(
            sasl_decode64(c"YWJj".as_ptr(), 4, NO_OUT, 16, &mut used),
            FAIL
        );
        assert_eq!(sasl_mkchal(ptr::null_mut(), NO_OUT, 100, 1), 0);
        assert_eq!(sasl_mkchal(ptr::null_mut(), to, 43, 0), 0);
        assert_eq!(sasl_utf8verify(NO, 0), OK);
        assert_eq!(sasl_utf8verify(NO, 3), BADPARAM);
        assert_eq!(sasl_randcreate(ptr::null_mut()), BADPARAM);
        sasl_randfree(ptr::null_mut());
        sasl_randseed(ptr::null_mut(), NO, 3);
        sasl_churn(ptr::null_mut(), NO, 3);
        sasl_rand(ptr::null_mut(), NO_OUT, 3);
        sasl_erasebuffer(NO_OUT, 3);
        assert!(sasl_strlower(NO_OUT).is_null());
        assert_eq!(sasl_config_getstring(NO, c"def".as_ptr()), c"def".as_ptr());
    }
}

#[test]
fn challenges_differ_and_end() {
    let mut out = [b'#'; 64];
    let mut seen = std::collections::HashSet::new();
    for _ in 0..100 {
        let len = unsafe { sasl_mkchal(ptr::null_mut(), out.as_mut_ptr().cast(), 44, 0) };
        let text = CStr::from_bytes_until_nul(&out)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        assert_eq!(text.len(), usize::try_from(len).unwrap());
        assert!(
            text.starts_with('<') && text.ends_with('>') && text.contains('.'),
            "{text}"
        );
        assert!(seen.insert(text));
    }
}

#[test]
fn a_seed_makes_nothing_predictable() {
    let draw = || {
        let mut pool = ptr::null_mut();
        let mut bytes = [0_u8; 16];
        unsafe {
            assert_eq!(sasl_randcreate(&mut pool), OK);
            sasl_randseed(pool, c"abc".as_ptr(), 3);
            sasl_rand(pool, bytes.as_mut_ptr().cast(), 16);
            sasl_randfree(&mut pool);
        }
        bytes
    };
    assert_ne!(draw(), draw());
}

#[test]
fn erase_and_lower() {
    let mut secret = *b"secret!";
    unsafe { sasl_erasebuffer(secret.as_mut_ptr().cast(), 6) };
    assert_eq!(&secret, b"\0\0\0\0\0\0!");
    let mut text = *b"ABC\xc3\x84xyzZ\0QQ";
    let at = text.as_mut_ptr().cast();
    assert_eq!(unsafe { sasl_strlower(at) }, at);
    assert_eq!(&text, b"abc\xc3\x84xyzz\0QQ");
}

/// The options are one table a process: the tests that change it take turns.
static TURN: Mutex<()> = Mutex::new(());

#[test]
fn options_are_read_replaced_and_forgotten() {
    let _turn = TURN.lock().unwrap();
    let folder = std::env::temp_dir().join(format!("options-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let init = |text: &str| {
        let file = folder.join("a.conf");
        fs::write(&file, text).unwrap();
        let file = CString::new(file.as_os_str().as_encoded_bytes()).unwrap();
        unsafe { sasl_config_init(file.as_ptr()) }
    };
    let get = |key: &CStr| unsafe {
        CStr::from_ptr(sasl_config_getstring(key.as_ptr(), c"def".as_ptr()))
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(init("One: 1\n: empty\n"), OK);
    assert_eq!(
        (get(c"one"), get(c"One"), get(c"")),
        ("1".into(), "def".into(), "empty".into())
    );
    assert_eq!(init("two: 2\n"), OK);
    assert_eq!((get(c"one"), get(c"two")), ("def".into(), "2".into()));
    assert_eq!(init("two 2\n"), Code::CONFIGERR.0);
    let said = errors::tests::said();
    assert!(
        said.len() == 1 && said[0].contains("a.conf line 1: a blank before"),
        "{said:?}"
    );
    assert_eq!(get(c"two"), "def");
    assert_eq!(init("two: 2\n"), OK);
    sasl_config_done();
    assert_eq!(get(c"two"), "def");
    unsafe {
        assert_eq!(sasl_config_init(NO), CONTINUE);
        assert_eq!(sasl_config_init(c"/nonexistent".as_ptr()), CONTINUE);
        assert_eq!(sasl_config_init(c"/tmp".as_ptr()), CONTINUE);
    }
    assert_eq!(
        errors::tests::said(),
        ["1 /tmp: a folder, put a plain file in its place"]
    );
    sasl_config_done();
    fs::remove_dir_all(&folder).unwrap();
}
