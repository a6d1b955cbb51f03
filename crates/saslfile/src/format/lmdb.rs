// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads the main database of an LMDB file (data version 1, 64 bit, this
//! machine's byte order).
//!
//! No lock and no reader slot is taken: LMDB never changes a page of its newest
//! snapshot, so what was read is true if the newest snapshot is still the same
//! afterwards; if not, it is read again.
#![forbid(unsafe_code)]

use super::{damaged, unreadable};
use crate::bytes::{Bytes, Order, Source};
use core::cmp::Ordering;
use saslplug::{Code, Error, Result, Secret};

pub(crate) const MAGIC: u32 = 0xBEEF_C0DE;

const NATIVE: Order = if cfg!(target_endian = "big") {
    Order::Big
} else {
    Order::Little
};
const HEADER: usize = 16;
const BRANCH: u16 = 0x01;
const LEAF: u16 = 0x02;
const OVERFLOW: u16 = 0x04;
const BIG: u16 = 0x01;
/// The root of an empty tree.
const NO_PAGE: u64 = u64::MAX;
const DEEPEST: u32 = 32;
const LARGEST: usize = 16 << 20;
const TRIES: u32 = 64;

/// What does not change while the file lives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    page_size: usize,
}

/// The newest state of the tree.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Snapshot {
    transaction: u64,
    root: u64,
    last_page: u64,
}

impl Geometry {
    /// Reads the first page's head.
    pub(crate) fn parse(head: &[u8]) -> Result<Self> {
        if NATIVE.u32(head, HEADER.saturating_add(4)) != Some(1) {
            let why = "an LMDB file of a version that cannot be read";
            return Err(Error::new(Code::FAIL, why));
        }
        let page_size = NATIVE
            .u32(head, HEADER.saturating_add(24))
            .unwrap_or_default();
        let page_size = usize::try_from(page_size).unwrap_or_default();
        if !page_size.is_power_of_two() || !(512..=65536).contains(&page_size) {
            return Err(damaged(format_args!("page size {page_size}")));
        }
        Ok(Self { page_size })
    }

    fn read(self, source: &(impl Source + ?Sized), number: u64, length: usize) -> Result<Bytes> {
        let mut bytes = Bytes::zeroed(length);
        let size = u64::try_from(self.page_size).unwrap_or_default();
        let offset = number
            .checked_mul(size)
            .ok_or_else(|| damaged("a page number"))?;
        source
            .read(&mut bytes, offset)
            .map_err(|error| unreadable(format_args!("page {number}"), &error))?;
        Ok(bytes)
    }

    fn snapshot(self, source: &(impl Source + ?Sized)) -> Result<Snapshot> {
        let mut newest: Option<Snapshot> = None;
        for number in 0..2 {
            let page = self.read(source, number, HEADER.saturating_add(136))?;
            let field = |at| {
                NATIVE
                    .u64(&page, HEADER.saturating_add(at))
                    .unwrap_or_default()
            };
            if NATIVE.u32(&page, HEADER) != Some(MAGIC) {
                return Err(damaged(format_args!("page {number} has no mark")));
            }
            let found = Snapshot {
                transaction: field(128),
                root: field(112),
                last_page: field(120),
            };
            if newest.is_none_or(|newest| found.transaction > newest.transaction) {
                newest = Some(found);
            }
        }
        newest.ok_or_else(|| damaged("no state"))
    }

    /// Runs `read` until the file did not change meanwhile.
    fn stable<T>(
        self,
        source: &(impl Source + ?Sized),
        mut read: impl FnMut(&Snapshot) -> Result<T>,
    ) -> Result<T> {
        let mut before = self.snapshot(source)?;
        for _ in 0..TRIES {
            let outcome = read(&before);
            let after = self.snapshot(source)?;
            if after == before {
                return outcome;
            }
            before = after;
        }
        Err(Error::new(
            Code::TRYAGAIN,
            "the file is being written all the time",
        ))
    }

    /// The value of `key`.
    pub(crate) fn get(self, source: &(impl Source + ?Sized), key: &[u8]) -> Result<Option<Secret>> {
        self.stable(source, |snapshot| {
            let mut number = snapshot.root;
            for _ in 0..DEEPEST {
                let Some(page) = self.page(source, snapshot, number)? else {
                    return Ok(None);
                };
                match page.child(key)? {
                    Some(child) => number = child,
                    None => return page.find(self, source, snapshot, key),
                }
            }
            Err(damaged("the tree is too deep"))
        })
    }

    /// Shows every record.
    pub(crate) fn walk(
        self,
        source: &(impl Source + ?Sized),
        each: &mut dyn FnMut(&[u8], Secret),
    ) -> Result<()> {
        let records = self.stable(source, |snapshot| {
            let (mut all, mut budget) = (Vec::new(), snapshot.last_page);
            self.descend(source, snapshot, snapshot.root, 0, &mut budget, &mut all)?;
            Ok(all)
        })?;
        for (key, value) in records {
            each(&key, value);
        }
        Ok(())
    }

    fn descend(
        self,
        source: &(impl Source + ?Sized),
        snapshot: &Snapshot,
        number: u64,
        depth: u32,
        budget: &mut u64,
        all: &mut Vec<(Vec<u8>, Secret)>,
    ) -> Result<()> {
        let Some(page) = self.page(source, snapshot, number)? else {
            return Ok(());
        };
        *budget = budget
            .checked_sub(1)
            .ok_or_else(|| damaged("the tree has a loop"))?;
        if depth > DEEPEST {
            return Err(damaged("the tree is too deep"));
        }
        for index in 0..page.count {
            let node = page.node(index)?;
            if page.flags & BRANCH != 0 {
                let depth = depth.saturating_add(1);
                self.descend(source, snapshot, node.child, depth, budget, all)?;
            } else {
                all.push((
                    node.key.to_vec(),
                    page.value(self, source, snapshot, &node)?,
                ));
            }
        }
        Ok(())
    }

    fn page(
        self,
        source: &(impl Source + ?Sized),
        at: &Snapshot,
        number: u64,
    ) -> Result<Option<Page>> {
        if number == NO_PAGE {
            return Ok(None);
        }
        let wrong = |what: &str| damaged(format_args!("page {number}: {what}"));
        if number > at.last_page || number < 2 {
            return Err(wrong("not within the file"));
        }
        let bytes = self.read(source, number, self.page_size)?;
        let flags = NATIVE.u16(&bytes, 10).unwrap_or_default();
        let kind = flags & (BRANCH | LEAF | OVERFLOW);
        if NATIVE.u64(&bytes, 0) != Some(number) || (kind != BRANCH && kind != LEAF) {
            return Err(wrong("not a page of records"));
        }
        let lower = usize::from(NATIVE.u16(&bytes, 12).unwrap_or_default());
        let count = lower.checked_sub(HEADER).ok_or_else(|| wrong("no list"))? / 2;
        Ok(Some(Page {
            bytes,
            number,
            flags,
            count,
        }))
    }
}

struct Page {
    bytes: Bytes,
    number: u64,
    flags: u16,
    count: usize,
}

struct Node<'a> {
    key: &'a [u8],
    /// Everything after the key.
    rest: &'a [u8],
    size: usize,
    child: u64,
    flags: u16,
}

impl Page {
    fn node(&self, index: usize) -> Result<Node<'_>> {
        self.try_node(index).ok_or_else(|| {
            damaged(format_args!(
                "page {}: record {index} is out of place",
                self.number
            ))
        })
    }

    fn try_node(&self, index: usize) -> Option<Node<'_>> {
        let at = index.checked_mul(2)?.checked_add(HEADER)?;
        let at = usize::from(NATIVE.u16(&self.bytes, at)?);
        let node = self.bytes.get(at..)?;
        let (low, high) = (NATIVE.u16(node, 0)?, NATIVE.u16(node, 2)?);
        let (flags, key_size) = (NATIVE.u16(node, 4)?, usize::from(NATIVE.u16(node, 6)?));
        let size = u32::from(low) | u32::from(high) << 16;
        let (key, rest) = node.get(8..)?.split_at_checked(key_size)?;
        let child = u64::from(size) | u64::from(flags) << 32;
        Some(Node {
            key,
            rest,
            size: usize::try_from(size).ok()?,
            child,
            flags,
        })
    }

    /// In a branch: where `key` would be. The first child has no key.
    fn child(&self, key: &[u8]) -> Result<Option<u64>> {
        if self.flags & BRANCH == 0 {
            return Ok(None);
        }
        let mut child = self.node(0)?.child;
        for index in 1..self.count {
            let node = self.node(index)?;
            if node.key.cmp(key) == Ordering::Greater {
                break;
            }
            child = node.child;
        }
        Ok(Some(child))
    }

    fn find(
        &self,
        geometry: Geometry,
        source: &(impl Source + ?Sized),
        snapshot: &Snapshot,
        key: &[u8],
    ) -> Result<Option<Secret>> {
        for index in 0..self.count {
            let node = self.node(index)?;
            if node.key == key {
                return self.value(geometry, source, snapshot, &node).map(Some);
            }
        }
        Ok(None)
    }

    fn value(
        &self,
        geometry: Geometry,
        source: &(impl Source + ?Sized),
        snapshot: &Snapshot,
        node: &Node<'_>,
    ) -> Result<Secret> {
        let wrong = |what: &str| damaged(format_args!("page {}: {what}", self.number));
        if node.flags & !BIG != 0 || node.size > LARGEST {
            return Err(wrong("a record of an unknown kind"));
        }
        if node.flags & BIG == 0 {
            return node
                .rest
                .get(..node.size)
                .map(Secret::from)
                .ok_or_else(|| wrong("a short record"));
        }
        let number = NATIVE
            .u64(node.rest, 0)
            .filter(|page| (2..=snapshot.last_page).contains(page));
        let number = number.ok_or_else(|| wrong("a long record that is nowhere"))?;
        let bytes = geometry.read(source, number, HEADER.saturating_add(node.size))?;
        if NATIVE.u16(&bytes, 10).unwrap_or_default() & OVERFLOW == 0 {
            return Err(wrong("a long record that is nowhere"));
        }
        Ok(Secret::from(bytes.get(HEADER..).unwrap_or_default()))
    }
}
