// SPDX-License-Identifier: MIT OR Apache-2.0
//! GSS-API (RFC 2743, C binding RFC 2744) as safe types. The only rooms of
//! this crate that call C: each object owns one C object and releases it.

mod context;
mod credentials;
mod library;
mod name;
mod types;

pub(crate) use context::{Bindings, Context, Flags, Flow};
pub(crate) use credentials::Credentials;
pub(crate) use library::{Library, library};
pub(crate) use name::Name;

use core::ptr;
use saslplug::{Code, Error, Result};
use types::{BufferDesc, GSS_CODE, MECH_CODE, Major, OidDesc};

/// A GSS-API mechanism that this crate uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Kerberos 5 (RFC 4121).
    Krb5,
    /// Negotiation (RFC 4178).
    Spnego,
    /// Kerberos whose tickets come through the server.
    Iakerb,
}

impl Kind {
    fn oid(self) -> &'static OidDesc {
        match self {
            Self::Krb5 => &types::KRB5,
            Self::Spnego => &types::SPNEGO,
            Self::Iakerb => &types::IAKERB,
        }
    }

    /// The mechanism's identifier as a token's header has it.
    pub(crate) fn der(self) -> &'static [u8] {
        let oid = self.oid();
        // SAFETY: the constants point to static bytes of that length.
        unsafe { core::slice::from_raw_parts(oid.elements.cast(), oid.length as usize) }
    }
}

/// The library, or `NOMECH` without a word: nothing is wrong with a machine
/// that knows no Kerberos.
pub(crate) fn required() -> Result<&'static Library> {
    library().ok_or(Error::bare(Code::NOMECH))
}

/// A buffer that the library reads.
fn lent(bytes: &[u8]) -> BufferDesc {
    BufferDesc {
        length: bytes.len(),
        value: bytes.as_ptr().cast_mut().cast(),
    }
}

const NOTHING: BufferDesc = BufferDesc {
    length: 0,
    value: ptr::null_mut(),
};

/// A buffer that the library made.
struct Buffer {
    library: &'static Library,
    desc: BufferDesc,
}

impl Buffer {
    fn new(library: &'static Library) -> Self {
        let desc = NOTHING;
        Self { library, desc }
    }

    fn bytes(&self) -> &[u8] {
        if self.desc.value.is_null() {
            return &[];
        }
        // SAFETY: RFC 2744: the library's buffer covers `length` bytes.
        unsafe { core::slice::from_raw_parts(self.desc.value.cast(), self.desc.length) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut minor = 0;
        // SAFETY: a buffer of the library, or an empty one; once.
        unsafe { (self.library.gss_release_buffer)(&mut minor, &mut self.desc) };
    }
}

/// What went wrong, in the words of the library: `GSSAPI Error: major (minor)`.
fn fault(library: &'static Library, code: Code, major: Major, minor: u32, kind: Kind) -> Error {
    let text = status(library, major, GSS_CODE, kind);
    let mut reason = format!("GSSAPI Error: {text}");
    let detail = status(library, minor, MECH_CODE, kind);
    if !detail.is_empty() && minor != 0 {
        reason.push_str(&format!(" ({detail})"));
    }
    Error::with(code, reason)
}

/// The texts of one status, of which there may be several.
fn status(library: &'static Library, value: u32, which: i32, kind: Kind) -> String {
    let mut all = String::new();
    let mut more = 0;
    for _ in 0..8 {
        let (mut text, mut minor) = (Buffer::new(library), 0);
        // SAFETY: RFC 2744: our out-pointers; `more` is 0 at first, and then
        // what the call before left there.
        let major = unsafe {
            (library.gss_display_status)(
                &mut minor,
                value,
                which,
                kind.oid(),
                &mut more,
                &mut text.desc,
            )
        };
        if types::failed(major) {
            break;
        }
        if !all.is_empty() {
            all.push_str(". ");
        }
        all.push_str(&String::from_utf8_lossy(text.bytes()));
        if more == 0 {
            break;
        }
    }
    all
}
