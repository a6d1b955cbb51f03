// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which libsasl2 a live process really uses, by inode.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::{fs, io};

/// An error unless every libsasl2 that process `id` maps is `file`.
pub fn require_only(id: u32, file: &Path) -> io::Result<()> {
    let wanted = fs::metadata(file)?.ino();
    let maps = fs::read_to_string(format!("/proc/{id}/maps"))?;
    let mapped = libraries(&maps);
    if !mapped.is_empty() && mapped.iter().all(|(inode, _)| *inode == wanted) {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "process {id} should map only {} (inode {wanted}) as libsasl2, but maps {mapped:?}",
        file.display()
    )))
}

/// The files called `libsasl2*` in a text like `/proc/PID/maps`.
pub(crate) fn libraries(maps: &str) -> BTreeSet<(u64, String)> {
    maps.lines()
        .filter_map(|line| {
            let mut fields = line.split_whitespace();
            let inode = fields.nth(4)?.parse().ok()?;
            let path = fields.next()?;
            let name = path.rsplit('/').next()?;
            name.starts_with("libsasl2")
                .then(|| (inode, path.to_owned()))
        })
        .collect()
}

/// The running children of `parent` whose program is called `name`.
pub fn children(parent: u32, name: &str) -> io::Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(id) = entry.file_name().to_str().and_then(|id| id.parse().ok()) else {
            continue;
        };
        // A process may end while we look.
        let Ok(status) = fs::read_to_string(entry.path().join("status")) else {
            continue;
        };
        let field = |key: &str| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(key).map(str::trim))
        };
        if field("PPid:") == Some(&parent.to_string()) && field("Name:") == Some(name) {
            found.push(id);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_is_listed_once() {
        let maps = "\
7f-8f r--p 00000000 08:01 77 /lib/x86_64-linux-gnu/libsasl2.so.2.0.25\n\
8f-9f r-xp 00001000 08:01 77 /lib/x86_64-linux-gnu/libsasl2.so.2.0.25\n\
9f-af r-xp 00001000 08:01 78 /lib/x86_64-linux-gnu/libc.so.6\n\
af-bf rw-p 00000000 00:00 0\n";
        let found: Vec<_> = libraries(maps).into_iter().collect();
        assert_eq!(
            found,
            [(77, "/lib/x86_64-linux-gnu/libsasl2.so.2.0.25".to_owned())]
        );
    }

    #[test]
    fn a_process_without_the_library_is_refused() {
        let file = std::env::current_exe().unwrap();
        assert!(require_only(std::process::id(), &file).is_err());
    }
}
