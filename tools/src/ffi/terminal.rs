// SPDX-License-Identifier: MIT OR Apache-2.0
//! The terminal's echo, and this machine's name.
#![allow(unsafe_code, reason = "calls of libc")]

use core::ffi::{CStr, c_int};
use std::ffi::CString;

/// Runs `body` with the terminal's echo off; `None`: no terminal.
pub(crate) fn unechoed<T>(descriptor: c_int, body: impl FnOnce() -> T) -> Option<T> {
    // SAFETY: all-zero is a valid termios; both calls work on a descriptor.
    unsafe {
        let mut settings: libc::termios = core::mem::zeroed();
        if libc::tcgetattr(descriptor, &mut settings) != 0 {
            return None;
        }
        let mut silent = settings;
        silent.c_lflag &= !libc::ECHO;
        silent.c_lflag |= libc::ECHONL;
        libc::tcsetattr(descriptor, libc::TCSAFLUSH, &silent);
        let result = body();
        libc::tcsetattr(descriptor, libc::TCSAFLUSH, &settings);
        Some(result)
    }
}

/// This machine's name.
pub(crate) fn host_name() -> Option<CString> {
    let mut buffer = [0u8; 257];
    // SAFETY: one byte is left for the NUL.
    let code = unsafe { libc::gethostname(buffer.as_mut_ptr().cast(), buffer.len() - 1) };
    CStr::from_bytes_until_nul(&buffer)
        .ok()
        .filter(|_| code == 0)
        .map(CStr::to_owned)
}
