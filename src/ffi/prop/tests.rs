// SPDX-License-Identifier: MIT OR Apache-2.0
//! What C sees of a property context: codes, arrays, NULL.
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each call passes what the line above made"
)]

use super::*;

const NO: *const c_char = ptr::null();

/// The context as a C program would print it.
fn shown(context: *mut propctx) -> String {
    let mut at = unsafe { prop_get(context) };
    let mut out = String::new();
    loop {
        let line = unsafe { at.read() };
        let Some(name) = (unsafe { arg::text(line.name) }) else {
            return out;
        };
        let values = unsafe { arg::texts(line.values) };
        let values = values.map(|values| {
            values
                .map(|text| text.to_str().unwrap())
                .collect::<Vec<_>>()
        });
        out += &format!(
            "{}={values:?}/{}/{} ",
            name.to_str().unwrap(),
            line.nvalues,
            line.valsize
        );
        at = unsafe { at.add(1) };
    }
}

fn context(names: &[*const c_char]) -> *mut propctx {
    let context = unsafe { prop_new(0) };
    let mut names = names.to_vec();
    names.push(NO);
    assert_eq!(unsafe { prop_request(context, names.as_mut_ptr()) }, OK);
    context
}

#[test]
fn a_whole_life() {
    let (a, b) = (c"a".as_ptr(), c"b".as_ptr());
    let mut context = context(&[a, b, a]);
    let array = unsafe { prop_get(context) };
    assert_eq!(shown(context), "a=None/0/0 b=None/0/0 ");
    unsafe {
        assert_eq!(prop_set(context, a, c"x".as_ptr(), -1), OK);
        assert_eq!(prop_set(context, NO, c"yyy".as_ptr(), 0), OK);
        assert_eq!(prop_set(context, a, c"zzz".as_ptr(), 1), OK);
        assert_eq!(prop_set(context, b, NO, 5), OK);
        assert_eq!(prop_set(context, c"q".as_ptr(), a, 0), BADPARAM);
        assert_eq!(prop_set(context, NO, a, 0), BADPARAM);
        assert_eq!(prop_get(context), array);
    }
    assert_eq!(
        shown(context),
        "a=Some([\"x\", \"yyy\", \"z\"])/3/5 b=Some([])/0/0 "
    );
    let mut values = [a, b, NO];
    let mut none = [NO];
    unsafe {
        assert_eq!(prop_setvals(context, b, values.as_mut_ptr()), OK);
        assert_eq!(prop_setvals(context, NO, values.as_mut_ptr()), OK);
        assert_eq!(prop_setvals(context, b, none.as_mut_ptr()), OK);
        assert_eq!(prop_setvals(context, b, ptr::null_mut()), OK);
        assert_eq!(
            prop_setvals(context, c"q".as_ptr(), values.as_mut_ptr()),
            BADPARAM
        );
        prop_erase(context, a);
    }
    assert_eq!(
        shown(context),
        "a=None/0/0 b=Some([\"a\", \"b\", \"a\", \"b\"])/4/4 "
    );
    let mut copy = ptr::null_mut();
    unsafe {
        assert_eq!(prop_dup(context, &mut copy), OK);
        prop_clear(context, 1);
    }
    assert_eq!(shown(context), "");
    assert_eq!(
        shown(copy),
        "a=None/0/0 b=Some([\"a\", \"b\", \"a\", \"b\"])/4/4 "
    );
    unsafe {
        prop_dispose(&mut copy);
        prop_dispose(&mut context);
        prop_dispose(&mut context);
    }
    assert!(context.is_null() && copy.is_null());
}

#[test]
fn own_pointers_as_arguments() {
    let mut context = context(&[c"a".as_ptr(), c"b".as_ptr()]);
    unsafe {
        prop_set(context, c"a".as_ptr(), c"value".as_ptr(), 0);
        let line = prop_get(context).read();
        for _ in 0..100 {
            assert_eq!(prop_set(context, c"b".as_ptr(), line.values.read(), 0), OK);
            assert_eq!(prop_setvals(context, line.name, line.values), OK);
        }
        let mut names = [line.name, NO];
        assert_eq!(prop_request(context, names.as_mut_ptr()), OK);
        assert_eq!(shown(context), "a=None/0/0 b=None/0/0 ");
        prop_dispose(&mut context);
    }
}

#[test]
fn names_are_looked_up() {
    let mut context = context(&[c"a".as_ptr(), c"b".as_ptr()]);
    let mut names = [c"b".as_ptr(), c"nope".as_ptr(), c"a".as_ptr(), NO];
    let mut found = [PropCtx::NOTHING; 4];
    found[3].nvalues = 77;
    found[1].nvalues = 77;
    unsafe {
        assert_eq!(
            prop_getnames(context, names.as_mut_ptr(), found.as_mut_ptr()),
            2
        );
        assert_eq!(arg::text(found[0].name), Some(c"b"));
        assert_eq!(arg::text(found[2].name), Some(c"a"));
        prop_dispose(&mut context);
    }
    assert!(found[1].name.is_null() && found[1].nvalues == 0);
    assert_eq!(found[3].nvalues, 77);
}

#[test]
fn format_says_how_much_is_missing() {
    let mut context = context(&[c"ab".as_ptr(), c"cd".as_ptr()]);
    let mut out = [b'#'; 32];
    let mut format = |separator: &CStr, len: c_int, max: c_uint| {
        let mut used = 99;
        let to = out.as_mut_ptr().cast();
        let code = unsafe { prop_format(context, separator.as_ptr(), len, to, max, &mut used) };
        (code, used, out)
    };
    assert_eq!(format(c", ", -1, 0), (7, 99, [b'#'; 32]));
    assert_eq!(format(c", ", -1, 6), (1, 99, [b'#'; 32]));
    let (code, used, out) = format(c", ", -1, 7);
    assert_eq!((code, used, &out[..8]), (OK, 6, &b"ab, cd\0#"[..]));
    let (code, used, out) = format(c", ", 1, 32);
    assert_eq!((code, used, &out[..6]), (OK, 5, &b"ab,cd\0"[..]));
    let (code, used, out) = format(c", ", 0, 32);
    assert_eq!((code, used, &out[..5]), (OK, 4, &b"abcd\0"[..]));
    unsafe { prop_clear(context, 1) };
    assert_eq!(format(c",", 1, 1).0, OK);
    unsafe { prop_dispose(&mut context) };
}

#[test]
fn null_is_answered() {
    let mut context = context(&[c"a".as_ptr()]);
    let mut names = [c"a".as_ptr(), NO];
    let (names, none) = (names.as_mut_ptr(), ptr::null_mut::<propctx>());
    let mut found = PropCtx::NOTHING;
    let mut out = [0 as c_char; 8];
    let mut copy = none;
    unsafe {
        assert_eq!(prop_request(none, names), BADPARAM);
        assert_eq!(prop_request(context, ptr::null_mut()), BADPARAM);
        assert!(prop_get(none).is_null());
        assert_eq!(prop_getnames(none, names, &mut found), BADPARAM);
        assert_eq!(
            prop_getnames(context, ptr::null_mut(), &mut found),
            BADPARAM
        );
        assert_eq!(prop_getnames(context, names, ptr::null_mut()), BADPARAM);
        prop_clear(none, 1);
        prop_erase(none, c"a".as_ptr());
        prop_erase(context, NO);
        prop_dispose(ptr::null_mut());
        assert_eq!(prop_dup(none, &mut copy), BADPARAM);
        assert_eq!(prop_dup(context, ptr::null_mut()), BADPARAM);
        assert_eq!(prop_set(none, c"a".as_ptr(), NO, 0), BADPARAM);
        assert_eq!(prop_setvals(none, c"a".as_ptr(), names), BADPARAM);
        assert_eq!(
            prop_format(none, NO, 0, out.as_mut_ptr(), 8, ptr::null_mut()),
            BADPARAM
        );
        assert_eq!(
            prop_format(context, NO, 0, ptr::null_mut(), 8, ptr::null_mut()),
            BADPARAM
        );
        assert_eq!(
            prop_format(context, NO, 3, out.as_mut_ptr(), 8, ptr::null_mut()),
            OK
        );
        prop_dispose(&mut context);
    }
}
