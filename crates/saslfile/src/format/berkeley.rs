// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads Berkeley DB hash files, versions 8 to 10, of either byte order. Every
//! number is checked before it is used; a chain of pages that does not end is
//! damage, not a loop.
#![forbid(unsafe_code)]

use super::{damaged, unreadable};
use crate::bytes::{Bytes, Order, Source};
use saslplug::{Code, Error, Result, Secret};

const MAGIC: u32 = 0x0006_1561;
/// The hash of a fixed text, kept in the file to tell the hash function.
const FNV_MARK: u32 = 0x5e68_8dd1;

/// Kinds of pages.
const INVALID: u8 = 0;
const UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const SORTED: u8 = 13;
/// Where a page's list of items begins.
const HEADER: usize = 26;

/// Kinds of items.
const INLINE: u8 = 1;
const OFF_PAGE: u8 = 3;

/// A value of this size cannot be one of sasldb.
const LARGEST: u32 = 16 << 20;

/// The byte order of a hash file; `None`: something else.
pub(crate) fn order(head: &[u8]) -> Option<Order> {
    [Order::Little, Order::Big]
        .into_iter()
        .find(|order| order.u32(head, 12) == Some(MAGIC))
}

/// What the first page says.
#[derive(Debug)]
pub(crate) struct Meta {
    order: Order,
    page_size: u32,
    last_page: u32,
    max_bucket: u32,
    high_mask: u32,
    low_mask: u32,
    /// Whether the hash function is the one we know.
    known_hash: bool,
    spares: [u32; 32],
}

/// A page that holds records.
struct Page {
    bytes: Bytes,
    number: u32,
    entries: u16,
    next: u32,
}

impl Meta {
    /// Reads the first page's head.
    pub(crate) fn parse(head: &[u8], order: Order) -> Result<Self> {
        let field = |at| {
            order
                .u32(head, at)
                .ok_or_else(|| damaged("the first page is short"))
        };
        let version = field(16)?;
        if !(8..=10).contains(&version) {
            return Err(Error::with(
                Code::FAIL,
                format!(
                    "Berkeley DB hash version {version}: only 8 to 10 can be read; upgrade it with db5.3_upgrade"
                ),
            ));
        }
        let page_size = field(20)?;
        if !page_size.is_power_of_two() || !(512..=65536).contains(&page_size) {
            return Err(damaged(format_args!("page size {page_size}")));
        }
        // Encryption, and checksums, which move the items.
        if head.get(24) != Some(&0) || head.get(26) != Some(&0) {
            let why = "the file is encrypted, partitioned or has checksums, as no sasldb has";
            return Err(Error::new(Code::FAIL, why));
        }
        if head.get(25) != Some(&8) {
            return Err(damaged("the first page is not a hash file's"));
        }
        let mut spares = [0; 32];
        for (spare, at) in spares.iter_mut().zip((96..).step_by(4)) {
            *spare = field(at)?;
        }
        let meta = Self {
            order,
            page_size,
            last_page: field(32)?,
            max_bucket: field(72)?,
            high_mask: field(76)?,
            low_mask: field(80)?,
            known_hash: field(92)? == FNV_MARK,
            spares,
        };
        let masks_fit = meta.high_mask >= meta.max_bucket
            && meta.low_mask == meta.high_mask >> 1
            && meta.high_mask.wrapping_add(1) & meta.high_mask == 0;
        if meta.max_bucket > meta.last_page || !masks_fit {
            return Err(damaged("the first page contradicts itself"));
        }
        Ok(meta)
    }

    fn bucket_page(&self, bucket: u32) -> Option<u32> {
        // Buckets come in groups that double; each group is in one piece.
        let group = match bucket {
            0 => 0,
            _ => bucket.checked_ilog2()?.checked_add(1)?,
        };
        let spare = self.spares.get(usize::try_from(group).ok()?)?;
        bucket
            .checked_add(*spare)
            .filter(|page| *page <= self.last_page)
    }

    fn bucket_of(&self, key: &[u8]) -> u32 {
        let hash = fnv(key);
        match hash & self.high_mask {
            bucket if bucket > self.max_bucket => hash & self.low_mask,
            bucket => bucket,
        }
    }

    /// The value of `key`.
    pub(crate) fn get(
        &self,
        source: &(impl Source + ?Sized),
        key: &[u8],
    ) -> Result<Option<Secret>> {
        let mut found = None;
        if self.known_hash {
            let bucket = self.bucket_of(key);
            self.bucket(source, bucket, &mut |page| {
                found = self.find(source, page, key)?;
                Ok(found.is_none())
            })?;
            return Ok(found);
        }
        for bucket in 0..=self.max_bucket {
            self.bucket(source, bucket, &mut |page| {
                found = self.find(source, page, key)?;
                Ok(found.is_none())
            })?;
            if found.is_some() {
                break;
            }
        }
        Ok(found)
    }

    /// Shows every record.
    pub(crate) fn walk(
        &self,
        source: &(impl Source + ?Sized),
        each: &mut dyn FnMut(&[u8], Secret),
    ) -> Result<()> {
        for bucket in 0..=self.max_bucket {
            self.bucket(source, bucket, &mut |page| {
                for pair in 0..page.entries / 2 {
                    let key = self.item(source, page, pair.saturating_mul(2))?;
                    if self.known_hash && self.bucket_of(key.as_bytes()) != bucket {
                        return Err(damaged(format_args!(
                            "page {}: a record of another bucket",
                            page.number
                        )));
                    }
                    let value =
                        self.item(source, page, pair.saturating_mul(2).saturating_add(1))?;
                    each(key.as_bytes(), value);
                }
                Ok(true)
            })?;
        }
        Ok(())
    }

    /// Shows the pages of a bucket until `more` says no.
    fn bucket(
        &self,
        source: &(impl Source + ?Sized),
        bucket: u32,
        more: &mut dyn FnMut(&Page) -> Result<bool>,
    ) -> Result<()> {
        let first = self.bucket_page(bucket);
        let mut next = first.ok_or_else(|| damaged(format_args!("bucket {bucket} has no page")))?;
        for _ in 0..=self.last_page {
            let page = self.page(source, next)?;
            next = page.next;
            if !more(&page)? || next == 0 {
                return Ok(());
            }
        }
        Err(damaged(format_args!("bucket {bucket} never ends")))
    }

    fn read(&self, source: &(impl Source + ?Sized), number: u32) -> Result<Bytes> {
        if number > self.last_page {
            return Err(damaged(format_args!(
                "page {number} is beyond the last one"
            )));
        }
        let size = usize::try_from(self.page_size).unwrap_or_default();
        let mut bytes = Bytes::zeroed(size);
        let offset = u64::from(number).saturating_mul(u64::from(self.page_size));
        source
            .read(&mut bytes, offset)
            .map_err(|error| unreadable(format_args!("page {number}"), &error))?;
        Ok(bytes)
    }

    fn page(&self, source: &(impl Source + ?Sized), number: u32) -> Result<Page> {
        let bytes = self.read(source, number)?;
        let wrong = |what: &str| damaged(format_args!("page {number}: {what}"));
        let kind = bytes.get(25).copied();
        let entries = self.order.u16(&bytes, 20).unwrap_or_default();
        // A bucket that was never used is a page of zeros.
        let unused = kind == Some(INVALID) && entries == 0;
        if !unused && !matches!(kind, Some(SORTED | UNSORTED)) {
            return Err(wrong("not a page of records"));
        }
        if !unused && self.order.u32(&bytes, 8) != Some(number) {
            return Err(wrong("it says it is another page"));
        }
        if entries % 2 != 0 {
            return Err(wrong("a key without a value"));
        }
        let next = match unused {
            true => 0,
            false => self.order.u32(&bytes, 16).unwrap_or_default(),
        };
        Ok(Page {
            bytes,
            number,
            entries,
            next,
        })
    }

    /// The bytes of item `index`: items lie from the page's end downwards.
    fn raw<'a>(&self, page: &'a Page, index: u16) -> Result<&'a [u8]> {
        let start_of = |index: u16| {
            let at = usize::from(index).checked_mul(2)?.checked_add(HEADER)?;
            self.order.u16(&page.bytes, at).map(usize::from)
        };
        let end = match index.checked_sub(1) {
            None => Some(page.bytes.len()),
            Some(before) => start_of(before),
        };
        let list = usize::from(page.entries)
            .saturating_mul(2)
            .saturating_add(HEADER);
        let item = start_of(index).filter(|start| *start >= list).zip(end);
        item.and_then(|(start, end)| page.bytes.get(start..end))
            .filter(|item| !item.is_empty())
            .ok_or_else(|| {
                damaged(format_args!(
                    "page {}: item {index} is out of place",
                    page.number
                ))
            })
    }

    fn item(&self, source: &(impl Source + ?Sized), page: &Page, index: u16) -> Result<Secret> {
        match self.raw(page, index)?.split_first() {
            Some((&INLINE, bytes)) => Ok(Secret::from(bytes)),
            Some((&OFF_PAGE, rest)) => {
                let (first, total) = (self.order.u32(rest, 3), self.order.u32(rest, 7));
                let (Some(first), Some(total)) = (first, total) else {
                    return Err(damaged(format_args!(
                        "page {}: item {index} is short",
                        page.number
                    )));
                };
                self.overflow(source, first, total)
            }
            _ => Err(damaged(format_args!(
                "page {}: item {index} is of an unknown kind",
                page.number
            ))),
        }
    }

    /// A long item, on pages of its own.
    fn overflow(&self, source: &(impl Source + ?Sized), first: u32, total: u32) -> Result<Secret> {
        if total > LARGEST {
            return Err(damaged(format_args!("an item of {total} bytes")));
        }
        let total = usize::try_from(total).unwrap_or_default();
        let mut all = Bytes::with_room(total);
        let mut next = first;
        while next != 0 && all.len() < total {
            let bytes = self.read(source, next)?;
            let length = usize::from(self.order.u16(&bytes, 22).unwrap_or_default());
            let left = total.saturating_sub(all.len());
            let part = HEADER
                .checked_add(length)
                .and_then(|end| bytes.get(HEADER..end));
            match part {
                Some(part)
                    if bytes.get(25) == Some(&OVERFLOW) && (1..=left).contains(&part.len()) =>
                {
                    all.extend(part);
                }
                _ => {
                    return Err(damaged(format_args!(
                        "page {next}: not a piece of a long item"
                    )));
                }
            }
            next = self.order.u32(&bytes, 16).unwrap_or_default();
        }
        if all.len() != total {
            return Err(damaged(format_args!(
                "page {first}: a long item of the wrong length"
            )));
        }
        Ok(Secret::from(&all[..]))
    }

    fn find(
        &self,
        source: &(impl Source + ?Sized),
        page: &Page,
        key: &[u8],
    ) -> Result<Option<Secret>> {
        for pair in 0..page.entries / 2 {
            let index = pair.saturating_mul(2);
            let same = match self.raw(page, index)?.split_first() {
                Some((&INLINE, bytes)) => bytes == key,
                _ => self.item(source, page, index)?.as_bytes() == key,
            };
            if same {
                return self.item(source, page, index.saturating_add(1)).map(Some);
            }
        }
        Ok(None)
    }
}

/// The hash function of Berkeley DB: FNV-1 that starts at 0.
fn fnv(key: &[u8]) -> u32 {
    key.iter().fold(0u32, |hash, byte| {
        hash.wrapping_mul(16_777_619) ^ u32::from(*byte)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_the_hash_of_a_text() {
        assert_eq!(fnv(b"%$sniglet^&\0"), FNV_MARK);
    }
}
