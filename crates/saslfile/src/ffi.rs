// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C side of writing: Berkeley DB through the shim `berkeley.c`, LMDB
//! through heed, file locks and leases.
#![allow(unsafe_code, reason = "the edge to C libraries and system calls")]

use crate::update::Change;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr::{null, null_mut};
use heed::types::Bytes;
use heed::{EnvFlags, EnvOpenOptions};
use saslplug::{Code, Error, Result};
use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

/// The library's file.
const BERKELEY: &CStr = c"libdb-5.3.so";

/// `fcntl.h` has it, the crate libc has not.
const F_SETSIG: c_int = 10;

/// `struct change` of the shim.
#[repr(C)]
struct RawChange {
    key: *const u8,
    key_size: usize,
    value: *const u8,
    value_size: usize,
}

/// `db_create`, whose types only the shim knows.
#[repr(transparent)]
#[derive(Clone, Copy)]
struct Create(*mut c_void);

// SAFETY: a function's address.
unsafe impl Send for Create {}
// SAFETY: a function's address.
unsafe impl Sync for Create {}

unsafe extern "C" {
    fn oxi_berkeley_symbol() -> *const c_char;
    fn oxi_berkeley_version() -> c_int;
    fn oxi_berkeley_write(
        create: Create,
        path: *const c_char,
        fresh: c_int,
        changes: *const RawChange,
        count: usize,
    ) -> c_int;
}

/// Opens Berkeley DB, once in a process; it stays open.
fn berkeley() -> Result<Create> {
    static CREATE: OnceLock<core::result::Result<Create, String>> = OnceLock::new();
    let opened = CREATE.get_or_init(|| {
        // SAFETY: a constant name; the library has no unusual constructors.
        let library = unsafe { libc::dlopen(BERKELEY.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        if library.is_null() {
            // SAFETY: dlerror gives NULL or a string that lives until the next call.
            let why = unsafe {
                libc::dlerror()
                    .cast_const()
                    .as_ref()
                    .map(|text| CStr::from_ptr(text))
            };
            return Err(why.unwrap_or(BERKELEY).to_string_lossy().into_owned());
        }
        // SAFETY: the shim's constant; a handle that dlopen gave.
        let create = unsafe { libc::dlsym(library, oxi_berkeley_symbol()) };
        if create.is_null() {
            return Err(format!("{} has no db_create", BERKELEY.to_string_lossy()));
        }
        Ok(Create(create))
    });
    opened.as_ref().copied().map_err(|why| {
        Error::with(
            Code::FAIL,
            format!("Berkeley DB is needed to write: {why}; install libdb5.3"),
        )
    })
}

/// What a number of Berkeley DB means.
fn berkeley_text(code: c_int) -> String {
    match code {
        // SAFETY: no memory is involved.
        -30999..=-30800 => format!("Berkeley DB {} error {code}", unsafe {
            oxi_berkeley_version()
        }),
        code => io::Error::from_raw_os_error(code).to_string(),
    }
}

/// Applies `changes` to a Berkeley DB hash file that nobody else uses;
/// `fresh`: the file is to be made.
pub(crate) fn write_berkeley(path: &Path, fresh: bool, changes: &[Change]) -> Result<()> {
    let create = berkeley()?;
    let path = CString::new(path.as_os_str().as_bytes())
        .map_err(|_| Error::new(Code::BADPARAM, "a path with a NUL byte"))?;
    let raw: Vec<RawChange> = changes
        .iter()
        .map(|change| RawChange {
            key: change.key().as_ptr(),
            key_size: change.key().len(),
            value: change
                .value()
                .map_or(null(), |value| match value.as_bytes() {
                    // An empty value is not a missing one.
                    [] => c"".as_ptr().cast(),
                    bytes => bytes.as_ptr(),
                }),
            value_size: change.value().map_or(0, |value| value.len()),
        })
        .collect();
    // SAFETY: `create` is db_create of the version the shim was compiled for;
    // the arrays live during the call and are read only.
    let code = unsafe {
        oxi_berkeley_write(
            create,
            path.as_ptr(),
            c_int::from(fresh),
            raw.as_ptr(),
            raw.len(),
        )
    };
    match code {
        0 => Ok(()),
        code => Err(Error::with(
            Code::FAIL,
            format!("cannot be written: {}", berkeley_text(code)),
        )),
    }
}

/// Applies `changes` to an LMDB file, in one transaction. LMDB keeps other
/// writers of LMDB out.
pub(crate) fn write_lmdb(
    path: &Path,
    map_size: usize,
    readers: u32,
    changes: &[Change],
) -> Result<()> {
    let failed = |error: heed::Error| {
        let remedy = match error {
            heed::Error::Mdb(heed::MdbError::MapFull) => "; raise option sasldb_mapsize",
            _ => "",
        };
        Error::with(Code::FAIL, format!("cannot be written: {error}{remedy}"))
    };
    let mut options = EnvOpenOptions::new();
    options.map_size(map_size).max_readers(readers);
    // SAFETY: LMDB's lock file is used (no flag takes it away), and the
    // environment is closed at the end of this function.
    let environment = unsafe { options.flags(EnvFlags::NO_SUB_DIR).open(path) }.map_err(failed)?;
    let work = || -> core::result::Result<(), heed::Error> {
        let mut transaction = environment.write_txn()?;
        let database = environment.create_database::<Bytes, Bytes>(&mut transaction, None)?;
        for change in changes {
            match change.value() {
                Some(value) => database.put(&mut transaction, change.key(), value.as_bytes())?,
                None => {
                    database.delete(&mut transaction, change.key())?;
                }
            }
        }
        transaction.commit()
    };
    let outcome = work().map_err(failed);
    environment.prepare_for_closing().wait();
    outcome
}

/// Takes the lock of a file, if nobody has it. It ends with the file's handle.
pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
    // SAFETY: a descriptor of ours.
    if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } == 0 {
        return Ok(true);
    }
    match io::Error::last_os_error() {
        error if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        error => Err(error),
    }
}

/// Whether no process has the file open for writing: a read lease is given only
/// then. `None`: the system does not tell (not the owner, no leases here).
pub(crate) fn is_unwritten(file: &File) -> Option<bool> {
    let descriptor = file.as_raw_fd();
    // SAFETY: a descriptor of ours. Who breaks the lease sends SIGWINCH, which
    // does nothing, in place of SIGIO, which kills.
    let code = unsafe {
        libc::fcntl(descriptor, F_SETSIG, libc::SIGWINCH);
        libc::fcntl(descriptor, libc::F_SETLEASE, libc::F_RDLCK)
    };
    if code == 0 {
        // SAFETY: a descriptor of ours.
        unsafe { libc::fcntl(descriptor, libc::F_SETLEASE, libc::F_UNLCK) };
        return Some(true);
    }
    match io::Error::last_os_error().raw_os_error() {
        Some(libc::EAGAIN) => Some(false),
        _ => None,
    }
}

/// The number of the group `name`.
pub(crate) fn group(name: &CStr) -> Option<u32> {
    let mut buffer = vec![0 as c_char; 16 * 1024];
    let mut found: *mut libc::group = null_mut();
    // SAFETY: all-zero is a valid group; the buffer has the length given; the
    // out-pointers are ours.
    unsafe {
        let mut entry: libc::group = core::mem::zeroed();
        let code = libc::getgrnam_r(
            name.as_ptr(),
            &mut entry,
            buffer.as_mut_ptr(),
            buffer.len(),
            &mut found,
        );
        (code == 0 && !found.is_null()).then_some(entry.gr_gid)
    }
}

/// The process's file mode mask, as the kernel tells it: umask(2) can only be
/// read by changing it for all threads.
pub(crate) fn umask() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    line.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok())
        .unwrap_or(0o022)
}

/// Whether this process runs as root.
pub(crate) fn is_root() -> bool {
    // SAFETY: cannot fail.
    unsafe { libc::geteuid() == 0 }
}
