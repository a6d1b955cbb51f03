// SPDX-License-Identifier: MIT OR Apache-2.0
//! An entry whose attribute has many values.

/// The bytes of a value of BER.
fn wrapped(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u32::try_from(contents.len()).unwrap().to_be_bytes();
    [&[tag, 0x84], &length[..], contents].concat()
}

/// The bytes of an entry.
pub(crate) fn entry(id: u8, dn: &str, attribute: &str, values: &[&[u8]]) -> Vec<u8> {
    let values: Vec<u8> = values.iter().flat_map(|value| wrapped(4, value)).collect();
    let attribute = [wrapped(4, attribute.as_bytes()), wrapped(0x31, &values)].concat();
    let attributes = wrapped(0x30, &wrapped(0x30, &attribute));
    let operation = wrapped(0x64, &[wrapped(4, dn.as_bytes()), attributes].concat());
    wrapped(0x30, &[wrapped(2, &[id]), operation].concat())
}
