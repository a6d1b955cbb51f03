// SPDX-License-Identifier: MIT OR Apache-2.0
//! System accounts that servers run as.

#![forbid(unsafe_code)]

use std::os::unix::fs::MetadataExt;
use std::{fs, io};

/// The numbers of a system account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// User number.
    pub uid: u32,
    /// Number of the primary group.
    pub gid: u32,
}

impl Account {
    /// Looks an account up in `/etc/passwd`.
    pub fn named(name: &str) -> io::Result<Self> {
        parse(&fs::read_to_string("/etc/passwd")?, name).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotFound,
                format!("no account {name}: sh tests/packages.sh installs what makes it"),
            )
        })
    }
}

/// An error unless this process is root: the servers need ports, mounts and
/// users of their own.
pub fn require_root() -> io::Result<()> {
    if fs::metadata("/proc/self")?.uid() == 0 {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        "root is needed: Cyrus IMAP changes to its own user, and gets a private /dev/log",
    ))
}

fn parse(passwd: &str, name: &str) -> Option<Account> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then_some(())?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Account { uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_right_line() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\ncyrus:x:105:8::/nonexistent:/bin/false\n";
        assert_eq!(parse(passwd, "cyrus"), Some(Account { uid: 105, gid: 8 }));
        assert_eq!(parse(passwd, "cyr"), None);
    }
}
