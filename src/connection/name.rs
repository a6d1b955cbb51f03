// SPDX-License-Identifier: MIT OR Apache-2.0
//! Canonical names as a connection keeps them.
#![forbid(unsafe_code)]

use core::ffi::CStr;
use saslplug::{Code, Error, Result};
use std::ffi::CString;
use std::rc::Rc;

/// A canonical name: shared, as one name often stands for both identities, and
/// never moved, as C holds on to its address.
pub(crate) type Name = Rc<CStr>;

/// Longest user name that is accepted, bytes (`CANON_BUF_SIZE`).
pub(crate) const NAME_MAX: usize = NAME_ROOM as usize;
/// The same as C passes it.
pub(crate) const NAME_ROOM: u32 = 1024;

/// Whether a name is short enough.
///
/// # Errors
/// `BUFOVER` above [`NAME_MAX`] bytes.
pub(crate) fn bounded(name: &[u8]) -> Result<()> {
    if name.len() > NAME_MAX {
        let text = "user name longer than 1024 bytes";
        return Err(Error::new(Code::BUFOVER, text));
    }
    Ok(())
}

/// A name for C, in one allocation; `None` with a NUL inside.
pub(super) fn shared(name: &[u8]) -> Option<Name> {
    let mut room = [0; 32];
    if name.len() < room.len() {
        room.get_mut(..name.len())?.copy_from_slice(name);
        let text = CStr::from_bytes_until_nul(&room).ok()?;
        return (text.count_bytes() == name.len()).then(|| Rc::from(text));
    }
    CString::new(name).ok().map(Rc::from)
}
