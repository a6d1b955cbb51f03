// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory that a forked child finds empty, whoever forked it and how: the kernel
//! sees to it (`MADV_WIPEONFORK`, Linux 4.14). It stays out of core dumps too.

use core::ptr::{self, NonNull};

/// Bytes of a [`Page`].
pub(crate) const SIZE: usize = 4096;

/// A page of memory, all zero at first and again in every child. Never given
/// back: it lives as long as the process.
pub(crate) struct Page(NonNull<[u8; SIZE]>);

// SAFETY: the page belongs to this value alone, like a box.
unsafe impl Send for Page {}

impl Page {
    /// A fresh page; `None` where the kernel cannot empty it in children.
    pub(crate) fn new() -> Option<Self> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping where the kernel likes it.
        let page = unsafe { libc::mmap(ptr::null_mut(), SIZE, access, kind, -1, 0) };
        if page == libc::MAP_FAILED {
            return None;
        }
        // SAFETY: the whole of our own mapping.
        let wiped = unsafe { libc::madvise(page, SIZE, libc::MADV_WIPEONFORK) } == 0;
        if !wiped {
            // SAFETY: as above; nobody else knows it.
            unsafe { libc::munmap(page, SIZE) };
            return None;
        }
        // SAFETY: as above. A kernel that cannot do this keeps it as it is.
        unsafe { libc::madvise(page, SIZE, libc::MADV_DONTDUMP) };
        NonNull::new(page.cast()).map(Self)
    }

    /// What is in it.
    pub(crate) fn bytes(&mut self) -> &mut [u8; SIZE] {
        // SAFETY: mapped for ever, initialised by the kernel, ours alone.
        unsafe { self.0.as_mut() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::fd::{FromRawFd, OwnedFd};

    /// What `work` makes of a buffer in a forked child.
    fn in_child(work: impl Fn(&mut [u8; 32])) -> [u8; 32] {
        let mut ends = [0; 2];
        // SAFETY: room for two descriptors.
        assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0);
        // SAFETY: just opened.
        let [reading, writing] = ends.map(|end| unsafe { OwnedFd::from_raw_fd(end) });
        // SAFETY: the child calls nothing that waits for other threads.
        let child = unsafe { libc::fork() };
        assert!(child >= 0);
        if child == 0 {
            let mut bytes = [0; 32];
            work(&mut bytes);
            // SAFETY: the pipe's end is open; the child ends at once.
            unsafe {
                libc::write(ends[1], bytes.as_ptr().cast(), bytes.len());
                libc::_exit(0);
            }
        }
        drop(writing);
        let mut bytes = [0; 32];
        std::fs::File::from(reading)
            .read_exact(&mut bytes)
            .expect("the child's bytes");
        // SAFETY: our own child.
        assert_eq!(unsafe { libc::waitpid(child, ptr::null_mut(), 0) }, child);
        bytes
    }

    #[test]
    fn a_child_finds_the_page_empty() {
        let mut page = Page::new().expect("a page");
        page.bytes().fill(7);
        let address = page.bytes().as_ptr() as usize;
        let seen = in_child(|out| {
            // SAFETY: the child has the mapping at the same place.
            let page = unsafe { &*(address as *const [u8; SIZE]) };
            out.copy_from_slice(&page[..32]);
        });
        assert_eq!(seen, [0; 32]);
        assert!(page.bytes().iter().all(|byte| *byte == 7));
    }

    #[test]
    fn a_child_has_random_bytes_of_its_own() {
        let bytes = |out: &mut [u8; 32]| crate::random::fill(out).expect("random bytes");
        for _ in 0..4 {
            let mut first = [0; 32];
            bytes(&mut first); // the parent has bytes in stock
            let child = in_child(bytes);
            let mut second = [0; 32];
            bytes(&mut second);
            assert!(child != [0; 32] && child != first && child != second);
        }
    }
}
