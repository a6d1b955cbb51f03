// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is asked of the operating system through libc: the system log, the
//! host's name, the process's identity. Safe functions over small unsafe calls.

use core::ffi::{CStr, c_int};
use saslplug::Level;
use std::ffi::CString;

/// Writes one line to the system log as facility AUTH, without `openlog`: the
/// program's ident, options and mask stay in force.
pub(crate) fn syslog(level: i32, message: &CStr) {
    const ERR: i32 = Level::Err as i32;
    const FAIL: i32 = Level::Fail as i32;
    const WARN: i32 = Level::Warn as i32;
    const NOTE: i32 = Level::Note as i32;
    let priority = match level {
        ..ERR => return,
        ERR => libc::LOG_ERR,
        WARN => libc::LOG_WARNING,
        FAIL | NOTE => libc::LOG_NOTICE,
        _ => libc::LOG_DEBUG,
    };
    // SAFETY: the format takes exactly one string, which is NUL-terminated.
    unsafe { libc::syslog(libc::LOG_AUTH | priority, c"%s".as_ptr(), message.as_ptr()) }
}

/// `gethostname`, without asking DNS.
pub(crate) fn host_name() -> Option<CString> {
    let mut buffer = [0u8; 256];
    // SAFETY: the buffer has the length that is passed.
    let rc = unsafe { libc::gethostname(buffer.as_mut_ptr().cast(), buffer.len()) };
    if rc != 0 {
        return None;
    }
    Some(CStr::from_bytes_until_nul(&buffer).ok()?.to_owned())
}

/// The canonical name of `host` by the resolver (`AI_CANONNAME`), if it has one.
pub(crate) fn canonical_host_name(host: &CStr) -> Option<CString> {
    // SAFETY: all-zero is a valid addrinfo.
    let mut hints: libc::addrinfo = unsafe { core::mem::zeroed() };
    hints.ai_flags = libc::AI_CANONNAME;
    hints.ai_socktype = libc::SOCK_STREAM;
    let mut found = core::ptr::null_mut();
    // SAFETY: `host` is NUL-terminated, the out-pointer is ours.
    let rc = unsafe { libc::getaddrinfo(host.as_ptr(), core::ptr::null(), &hints, &mut found) };
    if rc != 0 || found.is_null() {
        return None;
    }
    // SAFETY: getaddrinfo succeeded: `found` is a list; ai_canonname is NULL or
    // a string that lives as long as the list.
    unsafe {
        let name = (*found).ai_canonname;
        let name = (!name.is_null()).then(|| CStr::from_ptr(name).to_owned());
        libc::freeaddrinfo(found);
        name
    }
}

/// Whether the process runs with somebody else's rights (set-uid or set-gid):
/// its environment then belongs to a stranger.
pub(crate) fn runs_privileged() -> bool {
    // SAFETY: these calls have no arguments and cannot fail.
    let (uid, euid, gid, egid) = unsafe {
        (
            libc::getuid(),
            libc::geteuid(),
            libc::getgid(),
            libc::getegid(),
        )
    };
    uid != euid || gid != egid
}

/// The text of an error number.
pub(crate) fn error_text(errno: c_int) -> String {
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    match text.rfind(" (os error") {
        Some(end) => text.get(..end).unwrap_or(&text).to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_texts_are_the_c_librarys() {
        assert_eq!(error_text(libc::ENOENT), "No such file or directory");
    }

    #[test]
    fn the_host_has_a_name() {
        assert!(host_name().is_some_and(|name| !name.is_empty()));
    }
}
