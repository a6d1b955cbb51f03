// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is asked of the operating system through libc: the system log, the
//! host's name, the process's identity. Safe functions over small unsafe calls.

use core::ffi::{CStr, c_int};
use saslplug::Level;
use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

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
    // SAFETY: these calls have no pointers and cannot fail.
    let (uid, euid, gid, egid, secure) = unsafe {
        (
            libc::getuid(),
            libc::geteuid(),
            libc::getgid(),
            libc::getegid(),
            libc::getauxval(libc::AT_SECURE), // file capabilities too
        )
    };
    uid != euid || gid != egid || secure != 0
}

/// Connects to a Unix socket; waits no longer than `patience` for a server whose
/// queue is full.
///
/// # Errors
/// The system's; `WouldBlock` when the time is up.
pub(crate) fn connect_unix(path: &Path, patience: Duration) -> io::Result<UnixStream> {
    // SAFETY: all-zero is a valid sockaddr_un.
    let mut address: libc::sockaddr_un = unsafe { core::mem::zeroed() };
    address.sun_family = libc::AF_UNIX.try_into().unwrap_or_default();
    let bytes = path.as_os_str().as_bytes();
    if bytes.is_empty() || bytes.contains(&0) || bytes.len() >= address.sun_path.len() {
        let text = "a socket's path has 1 to 107 bytes and no NUL";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    for (place, byte) in address.sun_path.iter_mut().zip(bytes) {
        *place = core::ffi::c_char::from_ne_bytes([*byte]);
    }
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC;
    // SAFETY: no pointers; the result is checked.
    let socket = unsafe { libc::socket(libc::AF_UNIX, kind, 0) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just opened, and nobody else has it.
    let stream = UnixStream::from(unsafe { OwnedFd::from_raw_fd(socket) });
    stream.set_write_timeout(Some(patience))?; // bounds connect as well
    let size = libc::socklen_t::try_from(size_of::<libc::sockaddr_un>()).unwrap_or_default();
    // SAFETY: the address has the size that is passed.
    let rc = unsafe { libc::connect(socket, (&raw const address).cast(), size) };
    if rc != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(stream)
}

/// Sends all of `bytes`; a peer that has gone is an error and never SIGPIPE,
/// which would end the program.
///
/// # Errors
/// The system's.
pub(crate) fn send_all(socket: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        // SAFETY: the socket is open, and the buffer has the length passed.
        let sent = unsafe {
            libc::send(
                socket.as_raw_fd(),
                bytes.as_ptr().cast(),
                bytes.len(),
                libc::MSG_NOSIGNAL,
            )
        };
        match usize::try_from(sent) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(sent) => bytes = bytes.get(sent..).unwrap_or_default(),
            Err(_) => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    }
    Ok(())
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
    fn a_full_queue_does_not_hold_a_login_up() {
        let path = std::env::temp_dir().join(format!("sasl2-queue-{}", std::process::id()));
        let listener = std::os::unix::net::UnixListener::bind(&path).expect("listens");
        // SAFETY: an open socket; the shortest queue that there is.
        unsafe { libc::listen(listener.as_raw_fd(), 0) };
        let mut waiting = Vec::new();
        let error = (0..10).find_map(|_| {
            connect_unix(&path, Duration::from_millis(50))
                .map(|stream| waiting.push(stream))
                .err()
        });
        std::fs::remove_file(&path).expect("removed");
        assert!(!waiting.is_empty());
        let error = error.expect("the queue is full");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        let long = Path::new("/").join("x".repeat(200));
        let error = connect_unix(&long, Duration::from_secs(1)).expect_err("too long");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn a_peer_that_has_gone_is_an_error_and_no_signal() {
        use std::os::fd::AsFd;
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().expect("sockets");
        send_all(ours.as_fd(), b"heard").expect("sent");
        drop(theirs);
        // SAFETY: SIGPIPE as a C program has it; the test would die of it.
        let before = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        let result = send_all(ours.as_fd(), b"lost");
        // SAFETY: as it was.
        unsafe { libc::signal(libc::SIGPIPE, before) };
        assert_eq!(
            result.expect_err("nobody there").kind(),
            io::ErrorKind::BrokenPipe
        );
    }

    #[test]
    fn error_texts_are_the_c_librarys() {
        assert_eq!(error_text(libc::ENOENT), "No such file or directory");
    }

    #[test]
    fn the_host_has_a_name() {
        assert!(host_name().is_some_and(|name| !name.is_empty()));
    }
}
