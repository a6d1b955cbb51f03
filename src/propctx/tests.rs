// SPDX-License-Identifier: MIT OR Apache-2.0
//! The facts of docs/behaviour.md about prop.h, measured on stock.

use super::*;
use std::ffi::CString;

fn context(names: &[&CStr]) -> PropCtx {
    let context = PropCtx::new(0);
    context.request(names.iter().copied());
    context
}

fn shown(context: &PropCtx, name: &CStr) -> (bool, u32, u32) {
    let property = context.property(name).unwrap();
    (
        !property.values.is_null(),
        property.nvalues,
        property.valsize,
    )
}

fn values(context: &PropCtx, name: &CStr) -> Vec<Vec<u8>> {
    context
        .values(name)
        .iter()
        .map(|value| value.as_bytes().to_vec())
        .collect()
}

#[test]
fn names_stay_in_order_and_unique() {
    let context = context(&[c"b", c"a", c"b"]);
    context.request([c"c", c"a"]);
    let names: Vec<CString> = context.names();
    assert_eq!(names, [c"b".to_owned(), c"a".to_owned(), c"c".to_owned()]);
    assert_eq!(context.format(b", "), b"b, a, c");
    assert_eq!(context.format(b""), b"bac");
    assert!(context.property(c"B").is_none());
}

#[test]
fn request_clears_values_even_without_a_new_name() {
    let context = context(&[c"a"]);
    context.set_bytes(c"a", b"x").unwrap();
    context.request([]);
    assert_eq!(shown(&context, c"a"), (true, 1, 1));
    context.request([c"a"]);
    assert_eq!(shown(&context, c"a"), (false, 0, 0));
    assert_eq!(
        context.set(None, Some(b"w")).unwrap_err().code(),
        Code::BADPARAM
    );
}

#[test]
fn set_appends_and_counts() {
    let context = context(&[c"a", c"b"]);
    assert_eq!(shown(&context, c"a"), (false, 0, 0));
    context.set(Some(c"a"), Some(b"x")).unwrap();
    context.set(None, Some(b"yy")).unwrap();
    context.set(Some(c"a"), Some(b"")).unwrap();
    assert_eq!(
        values(&context, c"a"),
        [b"x".to_vec(), b"yy".to_vec(), b"".to_vec()]
    );
    assert_eq!(shown(&context, c"a"), (true, 3, 3));
    assert_eq!(shown(&context, c"b"), (false, 0, 0));
}

#[test]
fn no_value_makes_an_empty_list_once() {
    let context = context(&[c"a"]);
    context.set(Some(c"a"), None).unwrap();
    assert_eq!(shown(&context, c"a"), (true, 0, 0));
    context.set(None, Some(b"v")).unwrap();
    context.set(Some(c"a"), None).unwrap();
    assert_eq!(shown(&context, c"a"), (true, 1, 1));
    context.request([c"b"]);
    context.set_bytes(c"a", b"1").unwrap();
    context.set_bytes(c"b", b"2").unwrap();
    context.set(Some(c"a"), None).unwrap();
    context.set(None, Some(b"3")).unwrap();
    assert_eq!(values(&context, c"a"), [b"1".to_vec(), b"3".to_vec()]);
    assert_eq!(values(&context, c"b"), [b"2".to_vec()]);
}

#[test]
fn an_unknown_name_ends_the_run() {
    let context = context(&[c"a"]);
    context.set_bytes(c"a", b"x").unwrap();
    assert_eq!(
        context.set_bytes(c"q", b"v").unwrap_err().code(),
        Code::BADPARAM
    );
    assert_eq!(
        context.set(None, Some(b"w")).unwrap_err().code(),
        Code::BADPARAM
    );
    assert_eq!(values(&context, c"a"), [b"x".to_vec()]);
}

#[test]
fn set_values_takes_all_or_makes_an_empty_list() {
    let context = context(&[c"a", c"b"]);
    context.set_values(Some(c"a"), [&b"1"[..], b"2"]).unwrap();
    context.set_values(None, [&b"3"[..]]).unwrap();
    context.set_values(Some(c"b"), []).unwrap();
    assert_eq!(shown(&context, c"a"), (true, 3, 3));
    assert_eq!(shown(&context, c"b"), (true, 0, 0));
    assert!(context.set_values(Some(c"z"), [&b"3"[..]]).is_err());
}

#[test]
fn the_array_survives_set_and_shows_it() {
    let context = context(&[c"a"]);
    let before = context.array();
    for _ in 0..1000 {
        context.set_bytes(c"a", b"0123456789").unwrap();
    }
    assert_eq!(context.array(), before);
    let first = context.property(c"a").unwrap();
    assert_eq!((first.nvalues, first.valsize), (1000, 10_000));
}

#[test]
fn any_bytes_and_a_duplicate_of_its_own() {
    let context = context(&[c"a", c"b", c"c"]);
    context.set_bytes(c"c", b"x\0y").unwrap();
    context.set_bytes(c"a", b"1").unwrap();
    context.set_bytes(c"c", b"\0").unwrap();
    context.set(Some(c"b"), None).unwrap();
    let copy = PropCtx::new(0);
    copy.copy_from(&context);
    context.clear(true);
    assert_eq!(copy.format(b","), b"a,b,c");
    assert_eq!(values(&copy, c"c"), [b"x\0y".to_vec(), b"\0".to_vec()]);
    assert_eq!(shown(&copy, c"b"), (true, 0, 0));
    assert_eq!(shown(&copy, c"c"), (true, 2, 4));
    // The copy does not continue the original's run.
    assert!(copy.set(None, Some(b"z")).is_err());
    let empty = PropCtx::new(0);
    empty.copy_from(&PropCtx::new(0));
    assert!(empty.names().is_empty());
}

#[test]
fn erase_wipes_one_property_and_keeps_the_run() {
    let context = context(&[c"a", c"b"]);
    context.set_bytes(c"a", b"keep").unwrap();
    context.set_bytes(c"b", b"secret").unwrap();
    context.erase(c"b");
    context.erase(c"unknown");
    assert_eq!(shown(&context, c"b"), (false, 0, 0));
    let inner = context.inner.borrow();
    assert_eq!(inner.bytes.get(inner.values.as_slice()[0].bytes), b"keep");
    assert!(!inner.bytes.holds(b"secret"));
    drop(inner);
    context.set(None, Some(b"new")).unwrap();
    assert_eq!(values(&context, c"b"), [b"new".to_vec()]);
    assert_eq!(shown(&context, c"b"), (true, 1, 3));
}

#[test]
fn clear_with_and_without_names() {
    let context = context(&[c"a"]);
    context.set_bytes(c"a", b"x").unwrap();
    context.clear(false);
    assert_eq!(shown(&context, c"a"), (false, 0, 0));
    assert!(context.set(None, Some(b"w")).is_err());
    context.clear(true);
    assert!(context.property(c"a").is_none());
    context.request([c"z"]);
    assert_eq!(context.format(b","), b"z");
}

#[test]
fn clearing_again_and_again_costs_no_memory() {
    let context = context(&[c"a"]);
    for _ in 0..10_000 {
        context.set_bytes(c"a", b"0123456789").unwrap();
        context.clear(false);
    }
    let inner = context.inner.borrow();
    assert!(inner.bytes.size() <= 256 && inner.lists.size() <= 16);
}

#[test]
fn values_are_wiped_before_their_room_is_free() {
    let context = context(&[c"a"]);
    let long = [b'x'; 5000];
    for value in [&b"0123456789"[..], &long, b"0123456789"] {
        context.set_bytes(c"a", value).unwrap();
    }
    let mut inner = context.inner.borrow_mut();
    assert!(inner.bytes.holds(b"0123456789"));
    let span = inner.values.as_slice()[2].bytes;
    inner.bytes.wipe(span);
    assert_eq!(inner.bytes.get(span), [0; 10]);
    assert_eq!(inner.bytes.get(inner.values.as_slice()[1].bytes), long);
}

#[test]
fn many_names_and_long_values() {
    let names: Vec<CString> = (0..500)
        .map(|n| CString::new(format!("n{n}")).unwrap())
        .collect();
    let context = PropCtx::new(0);
    context.request(names.iter().map(CString::as_c_str));
    let long = vec![b'x'; 100_000];
    for name in &names {
        context.set_bytes(name, name.to_bytes()).unwrap();
    }
    context.set_bytes(&names[7], &long).unwrap();
    for name in &names {
        assert_eq!(values(&context, name)[0], name.to_bytes());
    }
    assert_eq!(values(&context, &names[7])[1], long);
}
