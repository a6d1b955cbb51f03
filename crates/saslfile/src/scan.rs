// SPDX-License-Identifier: MIT OR Apache-2.0
//! All records of a file, and with them the proof that it is whole.
#![forbid(unsafe_code)]

use crate::bytes::Source;
use crate::format::Format;
use saslplug::{Result, Secret};
use std::collections::BTreeMap;

/// The records of an image.
pub(crate) type Records = BTreeMap<Vec<u8>, Secret>;

/// Shows every record of an image in memory.
pub(crate) fn records(image: &[u8], each: &mut dyn FnMut(&[u8], Secret)) -> Result<()> {
    let length = u64::try_from(image.len()).unwrap_or(u64::MAX);
    walk(image, &Format::of(image, length)?, each)
}

/// Shows every record of a file.
pub(crate) fn walk(
    source: &(impl Source + ?Sized),
    format: &Format,
    each: &mut dyn FnMut(&[u8], Secret),
) -> Result<()> {
    match format {
        Format::Empty => Ok(()),
        Format::Berkeley(meta) => meta.walk(source, each),
        Format::Lmdb(geometry) => geometry.walk(source, each),
    }
}

/// The records of an image, in order.
pub(crate) fn collect(image: &[u8]) -> Result<Records> {
    let mut all = Records::new();
    records(image, &mut |key, value| {
        all.insert(key.to_vec(), value);
    })?;
    Ok(all)
}
