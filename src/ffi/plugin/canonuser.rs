// SPDX-License-Identifier: MIT OR Apache-2.0
//! A C canonicaliser (`sasl_canonuser_plug_t`) as [`CanonUser`].

use crate::connection::{NAME_MAX, NAME_ROOM};
use crate::ffi::conn::Conn;
use crate::ffi::plugin::auxprop::{length, outcome, server_params};
use crate::ffi::plugin::loader::Loaded;
use crate::ffi::utils;
use core::ffi::{CStr, c_int, c_uint};
use core::ptr::NonNull;
use saslplug::raw::*;
use saslplug::{CanonUser, Code, Error, Host, Identity, Result};
use std::borrow::Cow;
use std::sync::Arc;

/// A canonicaliser in C.
pub(crate) struct CCanonUser {
    plug: NonNull<sasl_canonuser_plug_t>,
    _library: Option<Arc<Loaded>>,
}

// SAFETY: saslplug.h: a plugin's structure does not change after its init, and
// the plugin answers for calls from several threads.
unsafe impl Send for CCanonUser {}
// SAFETY: as above.
unsafe impl Sync for CCanonUser {}

impl CCanonUser {
    /// Calls a plugin's entry and checks what it gives.
    ///
    /// # Errors
    /// The entry's code; `BADPROT` for a structure without functions.
    ///
    /// # Safety
    /// As for an auxprop plugin.
    pub(crate) unsafe fn init(
        init: sasl_canonuser_init_t,
        name: &CStr,
        library: Option<Arc<Loaded>>,
    ) -> Result<Self> {
        let (mut version, mut plug): (c_int, *mut sasl_canonuser_plug_t) =
            (0, core::ptr::null_mut());
        // SAFETY: our caller's promise; the out-pointers are ours.
        let code = unsafe {
            init(
                utils::global(),
                SASL_CANONUSER_PLUG_VERSION,
                &mut version,
                &mut plug,
                name.as_ptr(),
            )
        };
        outcome(code)?;
        let has_function = |plug: &NonNull<sasl_canonuser_plug_t>| {
            // SAFETY: the entry said OK: its structure is valid.
            let plug = unsafe { plug.as_ref() };
            plug.canon_user_server.is_some() || plug.canon_user_client.is_some()
        };
        match NonNull::new(plug).filter(has_function) {
            Some(plug) => Ok(Self {
                plug,
                _library: library,
            }),
            None => {
                let name = name.to_string_lossy();
                let text =
                    format!("canon_user plugin {name} has neither a server nor a client function");
                Err(Error::with(Code::BADPROT, text))
            }
        }
    }

    fn plug(&self) -> &sasl_canonuser_plug_t {
        // SAFETY: valid as long as the plugin is loaded, which `_library` sees to.
        unsafe { self.plug.as_ref() }
    }
}

fn missing(side: &str) -> Error {
    Error::with(
        Code::NOMECH,
        format!("this canon_user plugin has no {side} function"),
    )
}

/// The bits of the identity, with what the connection knows beyond them.
fn flags(host: &dyn Host, identity: Identity) -> c_uint {
    // SAFETY: a handle is NULL or the live connection that runs this call.
    let conn = unsafe { Conn::borrow(host.handle().0.cast()) };
    let more = conn.map_or(0, |conn| conn.connection().canon_flags.get());
    let both = crate::identity::flags(Identity::Both);
    crate::identity::flags(identity) | (more & !both)
}

/// Name, flags and room for the result, as both functions want them.
fn call(
    host: &dyn Host,
    user: &[u8],
    identity: Identity,
    function: impl FnOnce(*const i8, c_uint, c_uint, *mut i8, c_uint, *mut c_uint) -> c_int,
) -> Result<Vec<u8>> {
    let len = length(user)?;
    let mut input = user.to_vec();
    input.push(0);
    let mut out = vec![0u8; NAME_MAX.saturating_add(1)];
    let mut out_len: c_uint = 0;
    let code = function(
        input.as_ptr().cast(),
        len,
        flags(host, identity),
        out.as_mut_ptr().cast(),
        NAME_ROOM,
        &mut out_len,
    );
    outcome(code)?;
    match usize::try_from(out_len) {
        Ok(len) if len <= NAME_MAX => {
            out.truncate(len);
            Ok(out)
        }
        _ => Err(Error::new(
            Code::BUFOVER,
            "the canon_user plugin made a name over 1024 bytes",
        )),
    }
}

impl CanonUser for CCanonUser {
    fn name(&self) -> &CStr {
        // SAFETY: saslplug.h: NULL or a string, valid as the structure is.
        unsafe { crate::ffi::arg::text(self.plug().name) }.unwrap_or_default()
    }

    fn server<'a>(
        &self,
        host: &dyn Host,
        user: &'a [u8],
        identity: Identity,
    ) -> Result<Cow<'a, [u8]>> {
        let function = self
            .plug()
            .canon_user_server
            .ok_or_else(|| missing("server"))?;
        let params = server_params(host)?;
        let context = self.plug().glob_context;
        call(
            host,
            user,
            identity,
            |name, len, flags, out, max, out_len| {
                // SAFETY: saslplug.h; the buffers have the lengths that are passed.
                unsafe {
                    function(
                        context,
                        params,
                        name.cast(),
                        len,
                        flags,
                        out.cast(),
                        max,
                        out_len,
                    )
                }
            },
        )
        .map(Cow::Owned)
    }

    fn client<'a>(
        &self,
        host: &dyn Host,
        user: &'a [u8],
        identity: Identity,
    ) -> Result<Cow<'a, [u8]>> {
        let function = self
            .plug()
            .canon_user_client
            .ok_or_else(|| missing("client"))?;
        let params = crate::ffi::params::client(host)?;
        let context = self.plug().glob_context;
        call(
            host,
            user,
            identity,
            |name, len, flags, out, max, out_len| {
                // SAFETY: as above.
                unsafe {
                    function(
                        context,
                        params,
                        name.cast(),
                        len,
                        flags,
                        out.cast(),
                        max,
                        out_len,
                    )
                }
            },
        )
        .map(Cow::Owned)
    }
}

impl Drop for CCanonUser {
    fn drop(&mut self) {
        let (free, context) = (self.plug().canon_user_free, self.plug().glob_context);
        if let Some(free) = free {
            // SAFETY: saslplug.h: called once, at the end.
            unsafe { free(context, utils::global()) }
        }
    }
}
