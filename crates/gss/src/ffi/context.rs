// SPDX-License-Identifier: MIT OR Apache-2.0
//! Security contexts (`gss_ctx_id_t`): tokens to and fro, then protected
//! messages.
#![allow(unsafe_code, reason = "the C binding of GSS-API")]

use super::types::{BindingsDesc, CONTINUE_NEEDED, Major, SASL_SSF, failed, gss_ctx_id_t};
use super::{Buffer, Credentials, Kind, Library, NOTHING, Name, fault, lent};
use core::ptr;
use saslplug::{Code, Error, Result};

/// `GSS_C_*_FLAG` of RFC 2744.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Flags(pub(crate) u32);

impl Flags {
    /// Credentials are handed over.
    pub(crate) const DELEGATE: Self = Self(1);
    /// The acceptor proves itself too.
    pub(crate) const MUTUAL: Self = Self(2);
    /// Replayed messages are told.
    pub(crate) const REPLAY: Self = Self(4);
    /// Reordered messages are told.
    pub(crate) const SEQUENCE: Self = Self(8);
    /// Messages can be encrypted.
    pub(crate) const CONFIDENTIAL: Self = Self(16);
    /// Messages can be signed.
    pub(crate) const INTEGRITY: Self = Self(32);
    /// Nobody in particular.
    pub(crate) const ANONYMOUS: Self = Self(64);
    /// Both sides had the same channel bindings.
    pub(crate) const CHANNEL_BOUND: Self = Self(2048);

    /// Both sets.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are there.
    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What a context is tied to beside its own messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bindings(pub(crate) Vec<u8>);

impl Bindings {
    fn desc(&self) -> BindingsDesc {
        BindingsDesc {
            initiator_addrtype: 0,
            initiator_address: NOTHING,
            acceptor_addrtype: 0,
            acceptor_address: NOTHING,
            application_data: lent(&self.0),
        }
    }
}

/// What a token brought.
#[derive(Debug)]
pub(crate) struct Flow {
    /// For the peer; may be empty.
    pub(crate) token: Vec<u8>,
    /// Whether the context is complete.
    pub(crate) complete: bool,
}

/// What an acceptor learns with the last token.
pub(crate) struct Accepted {
    /// What came of the token.
    pub(crate) flow: Flow,
    /// What the client handed over.
    pub(crate) delegated: Credentials,
    /// Who the client is, with the last token.
    pub(crate) client: Name,
}

/// A message that was taken out of its protection.
pub(crate) struct Sealed {
    /// The message.
    pub(crate) plain: Vec<u8>,
    /// Whether it was encrypted.
    pub(crate) confidential: bool,
}

/// A context, complete or not.
pub(crate) struct Context {
    library: &'static Library,
    raw: gss_ctx_id_t,
    kind: Kind,
    flags: Flags,
}

impl Context {
    /// One without any token yet.
    pub(crate) fn new(library: &'static Library, kind: Kind) -> Self {
        Self {
            library,
            raw: ptr::null_mut(),
            kind,
            flags: Flags::default(),
        }
    }

    /// What the context does, once it is complete.
    pub(crate) fn flags(&self) -> Flags {
        self.flags
    }

    fn fault(&self, code: Code, major: Major, minor: u32) -> Error {
        fault(self.library, code, major, minor, self.kind)
    }

    /// Takes the acceptor's token (none at the start) and answers.
    ///
    /// # Errors
    /// `FAIL` with the library's words, `BADPROT` for a token that is none.
    pub(crate) fn initiate(
        &mut self,
        credentials: Option<&Credentials>,
        target: &Name,
        wanted: Flags,
        bindings: Option<&Bindings>,
        token: Option<&[u8]>,
    ) -> Result<Flow> {
        let bindings = bindings.map(Bindings::desc);
        let input = token.map(lent);
        let (mut out, mut minor) = (Buffer::new(self.library), 0);
        // SAFETY: RFC 2744: all that is lent lives for the call; the context
        // is NULL or our own.
        let major = unsafe {
            (self.library.gss_init_sec_context)(
                &mut minor,
                credentials.map_or(ptr::null_mut(), |credentials| credentials.raw),
                &mut self.raw,
                target.raw,
                self.kind.oid(),
                wanted.0,
                0,
                bindings.as_ref().map_or(ptr::null(), ptr::from_ref),
                input.as_ref().map_or(ptr::null(), ptr::from_ref),
                ptr::null_mut(),
                &mut out.desc,
                &mut self.flags.0,
                ptr::null_mut(),
            )
        };
        if failed(major) {
            return Err(self.fault(refusal(major, Code::FAIL), major, minor));
        }
        Ok(Flow {
            token: out.bytes().to_vec(),
            complete: major & CONTINUE_NEEDED == 0,
        })
    }

    /// Takes the initiator's token and answers.
    ///
    /// # Errors
    /// `BADAUTH` with the library's words, `BADPROT` for a token that is none,
    /// `BADBINDING`.
    pub(crate) fn accept(
        &mut self,
        credentials: Option<&Credentials>,
        bindings: Option<&Bindings>,
        token: &[u8],
    ) -> Result<Accepted> {
        let bindings = bindings.map(Bindings::desc);
        let (mut out, mut minor) = (Buffer::new(self.library), 0);
        let mut delegated = Credentials::empty(self.library);
        let mut client = Name::empty(self.library);
        // SAFETY: RFC 2744: as above.
        let major = unsafe {
            (self.library.gss_accept_sec_context)(
                &mut minor,
                &mut self.raw,
                credentials.map_or(ptr::null_mut(), |credentials| credentials.raw),
                &lent(token),
                bindings.as_ref().map_or(ptr::null(), ptr::from_ref),
                &mut client.raw,
                ptr::null_mut(),
                &mut out.desc,
                &mut self.flags.0,
                ptr::null_mut(),
                &mut delegated.raw,
            )
        };
        if failed(major) {
            return Err(self.fault(refusal(major, Code::BADAUTH), major, minor));
        }
        Ok(Accepted {
            flow: Flow {
                token: out.bytes().to_vec(),
                complete: major & CONTINUE_NEEDED == 0,
            },
            delegated,
            client,
        })
    }

    /// Who started the context, and who accepted it.
    ///
    /// # Errors
    /// `FAIL` with the library's words.
    pub(crate) fn names(&self) -> Result<(Name, Name)> {
        let mut initiator = Name::empty(self.library);
        let mut acceptor = Name::empty(self.library);
        let mut minor = 0;
        // SAFETY: RFC 2744: our own context; nobody wants the other results.
        let major = unsafe {
            (self.library.gss_inquire_context)(
                &mut minor,
                self.raw,
                &mut initiator.raw,
                &mut acceptor.raw,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        if failed(major) {
            return Err(self.fault(Code::FAIL, major, minor));
        }
        Ok((initiator, acceptor))
    }

    /// The strength of its encryption, if the library tells.
    pub(crate) fn strength(&self) -> Option<u32> {
        let (mut minor, mut set) = (0, ptr::null_mut());
        // SAFETY: MIT's gssapi_ext.h: our own context; the set is tested, read
        // and released before anything else happens.
        unsafe {
            let ask = self.library.gss_inquire_sec_context_by_oid;
            if failed(ask(&mut minor, self.raw, &SASL_SSF, &mut set)) || set.is_null() {
                return None;
            }
            let first = ((*set).count > 0).then(|| *(*set).elements);
            let strength = first
                .filter(|first| first.length == 4)
                .map(|first| u32::from_be_bytes(*first.value.cast::<[u8; 4]>()));
            (self.library.gss_release_buffer_set)(&mut minor, &mut set);
            strength
        }
    }

    /// Protects a message.
    ///
    /// # Errors
    /// `FAIL` with the library's words, also when it did not encrypt.
    pub(crate) fn wrap(&self, plain: &[u8], confidential: bool) -> Result<Vec<u8>> {
        let (mut out, mut minor, mut encrypted) = (Buffer::new(self.library), 0, 0);
        // SAFETY: RFC 2744: our own context; the message lives for the call.
        let major = unsafe {
            (self.library.gss_wrap)(
                &mut minor,
                self.raw,
                i32::from(confidential),
                0,
                &lent(plain),
                &mut encrypted,
                &mut out.desc,
            )
        };
        if major != 0 {
            return Err(self.fault(Code::FAIL, major, minor));
        }
        if confidential && encrypted == 0 {
            return Err(Error::new(Code::FAIL, "GSS-API did not encrypt"));
        }
        Ok(out.bytes().to_vec())
    }

    /// Takes a message out of its protection.
    ///
    /// # Errors
    /// `BADMAC` with the library's words: also for replayed, skipped and
    /// reordered messages, which it reports beside the data.
    pub(crate) fn unwrap(&self, message: &[u8]) -> Result<Sealed> {
        let (mut out, mut minor, mut encrypted) = (Buffer::new(self.library), 0, 0);
        // SAFETY: RFC 2744: as above.
        let major = unsafe {
            (self.library.gss_unwrap)(
                &mut minor,
                self.raw,
                &lent(message),
                &mut out.desc,
                &mut encrypted,
                ptr::null_mut(),
            )
        };
        if major != 0 {
            return Err(self.fault(Code::BADMAC, major, minor));
        }
        Ok(Sealed {
            plain: out.bytes().to_vec(),
            confidential: encrypted != 0,
        })
    }

    /// The longest message whose protected form has at most `size` bytes.
    ///
    /// # Errors
    /// `FAIL` with the library's words.
    pub(crate) fn longest(&self, size: u32, confidential: bool) -> Result<u32> {
        let (mut minor, mut longest) = (0, 0);
        // SAFETY: RFC 2744: our own context, our results.
        let major = unsafe {
            (self.library.gss_wrap_size_limit)(
                &mut minor,
                self.raw,
                i32::from(confidential),
                0,
                size,
                &mut longest,
            )
        };
        if failed(major) {
            return Err(self.fault(Code::FAIL, major, minor));
        }
        Ok(longest)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        if !self.raw.is_null() {
            let mut minor = 0;
            // SAFETY: our own context, deleted once.
            unsafe {
                (self.library.gss_delete_sec_context)(&mut minor, &mut self.raw, ptr::null_mut());
            }
        }
    }
}

/// `GSS_S_BAD_BINDINGS`.
const BAD_BINDINGS: Major = 4 << 16;
/// `GSS_S_DEFECTIVE_TOKEN`.
const DEFECTIVE_TOKEN: Major = 9 << 16;

/// The code for a failure, where it is not the usual one.
fn refusal(major: Major, usual: Code) -> Code {
    match major & 0x00ff_0000 {
        BAD_BINDINGS => Code::BADBINDING,
        DEFECTIVE_TOKEN => Code::BADPROT,
        _ => usual,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_get_the_code_that_fits() {
        assert_eq!(refusal(4 << 16, Code::FAIL), Code::BADBINDING);
        assert_eq!(refusal(9 << 16 | 1, Code::BADAUTH), Code::BADPROT);
        assert_eq!(refusal(13 << 16, Code::BADAUTH), Code::BADAUTH);
    }
}
