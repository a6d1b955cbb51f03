// SPDX-License-Identifier: MIT OR Apache-2.0
//! A C auxprop plugin (`sasl_auxprop_plug_t`) as [`Auxprop`]. It gets the real
//! property context and writes into it.

use crate::ffi::conn::Conn;
use crate::ffi::params::ServerParams;
use crate::ffi::plugin::loader::Loaded;
use crate::ffi::{prop, utils};
use crate::propctx::PropCtx;
use core::ffi::{CStr, c_char, c_int, c_uint};
use core::ptr::NonNull;
use saslplug::raw::*;
use saslplug::{Auxprop, Code, Error, Found, Host, Identity, Query, Result, Secret};
use std::sync::Arc;

/// A property store in C.
pub(crate) struct CAuxprop {
    plug: NonNull<sasl_auxprop_plug_t>,
    _library: Option<Arc<Loaded>>,
}

// SAFETY: saslplug.h: a plugin's structure does not change after its init, and
// the plugin answers for calls from several threads.
unsafe impl Send for CAuxprop {}
// SAFETY: as above.
unsafe impl Sync for CAuxprop {}

impl CAuxprop {
    /// Calls a plugin's entry and checks what it gives. `library` keeps the
    /// plugin's file mapped.
    ///
    /// # Errors
    /// The entry's code; `BADVERS`, `BADPROT` for what it should not give.
    ///
    /// # Safety
    /// `init` satisfies saslplug.h, and its plugin stays valid as long as
    /// `library` is held.
    pub(crate) unsafe fn init(
        init: sasl_auxprop_init_t,
        name: &CStr,
        library: Option<Arc<Loaded>>,
    ) -> Result<Self> {
        let (mut version, mut plug): (c_int, *mut sasl_auxprop_plug_t) = (0, core::ptr::null_mut());
        // SAFETY: our caller's promise; the out-pointers are ours.
        let code = unsafe {
            init(
                utils::global(),
                SASL_AUXPROP_PLUG_VERSION,
                &mut version,
                &mut plug,
                name.as_ptr(),
            )
        };
        let called = name.to_string_lossy();
        if code != Code::OK.0 {
            return Err(Error::bare(Code(code)));
        }
        if version < SASL_AUXPROP_PLUG_VERSION {
            let text = format!(
                "version mismatch on auxprop plugin {called}: {version} reported, at least {SASL_AUXPROP_PLUG_VERSION} expected"
            );
            return Err(Error::with(Code::BADVERS, text));
        }
        let plug = NonNull::new(plug);
        // SAFETY: the entry said OK: its structure is valid.
        match plug.filter(|plug| unsafe { plug.as_ref() }.auxprop_lookup.is_some()) {
            Some(plug) => Ok(Self {
                plug,
                _library: library,
            }),
            None => {
                let text = format!("auxprop plugin {called} has no lookup function");
                Err(Error::with(Code::BADPROT, text))
            }
        }
    }

    fn plug(&self) -> &sasl_auxprop_plug_t {
        // SAFETY: valid as long as the plugin is loaded, which `_library` sees to.
        unsafe { self.plug.as_ref() }
    }

    /// Whether the file also has a verifier (extension).
    pub(crate) fn can_verify(&self) -> bool {
        self.plug().features & SASL_AUXPROP_FEAT_VERIFY != 0
    }
}

/// Names up to this length are copied without an allocation.
const SHORT: usize = 95;

/// A name with a NUL behind it; on the stack unless it is long.
struct Terminated {
    short: [u8; SHORT + 1],
    long: Vec<u8>,
}

impl Terminated {
    fn new(name: &[u8]) -> Self {
        let mut this = Self {
            short: [0; SHORT + 1],
            long: Vec::new(),
        };
        match this.short.get_mut(..name.len()) {
            Some(place) if name.len() <= SHORT => place.copy_from_slice(name),
            _ => this.long = [name, &[0]].concat(),
        }
        this
    }

    fn as_ptr(&self) -> *const c_char {
        let bytes = if self.long.is_empty() {
            &self.short[..]
        } else {
            &self.long
        };
        bytes.as_ptr().cast()
    }
}

/// The server parameters of the connection behind a host.
///
/// # Errors
/// `FAIL` when the host is no server connection.
pub(crate) fn server_params(host: &dyn Host) -> Result<*mut sasl_server_params_t> {
    // SAFETY: a handle is NULL or the live connection that runs this call.
    let conn = unsafe { Conn::borrow(host.handle().0.cast()) };
    let server = conn.and_then(|conn| Some((conn, conn.server()?)));
    server
        .map(|(conn, server)| ServerParams::of(conn, server))
        .ok_or(Error::new(
            Code::FAIL,
            "a C plugin was asked without a server connection",
        ))
}

/// A length for C.
pub(crate) fn length(bytes: &[u8]) -> Result<c_uint> {
    c_uint::try_from(bytes.len()).map_err(|_| Error::bare(Code::BUFOVER))
}

/// A plugin's code as a result.
pub(crate) fn outcome(code: c_int) -> Result<()> {
    if code == Code::OK.0 {
        Ok(())
    } else {
        Err(Error::bare(Code(code)))
    }
}

fn no_store() -> Error {
    Error::new(Code::CONSTRAINT_VIOLAT, "the plugin does not store").silent()
}

impl Auxprop for CAuxprop {
    fn name(&self) -> &CStr {
        // SAFETY: saslplug.h: NULL or a string, valid as the structure is.
        unsafe { crate::ffi::arg::text(self.plug().name) }.unwrap_or_default()
    }

    fn lookup(&self, host: &dyn Host, query: &Query<'_>) -> Result<Found> {
        let params = server_params(host)?;
        let mut flags = 0;
        if query.identity == Identity::Authzid {
            flags |= SASL_AUXPROP_AUTHZID;
        }
        if query.against_hash {
            flags |= SASL_AUXPROP_VERIFY_AGAINST_HASH;
        }
        let len = length(query.user)?;
        let name = Terminated::new(query.user); // plugins take it for a string
        let lookup = self.plug().auxprop_lookup.ok_or(Code::FAIL)?;
        // SAFETY: saslplug.h; the parameters are up to date and live.
        let code = unsafe { lookup(self.plug().glob_context, params, flags, name.as_ptr(), len) };
        outcome(code).map(|()| Found::default())
    }

    fn can_store(&self, host: &dyn Host) -> bool {
        self.probe_store(host).is_ok()
    }

    fn probe_store(&self, host: &dyn Host) -> Result<()> {
        let store = self.plug().auxprop_store.ok_or(no_store())?;
        // Without a connection there are no parameters, as on stock.
        let params = server_params(host).unwrap_or(core::ptr::null_mut());
        // SAFETY: saslplug.h: a NULL context asks whether storing can work.
        let code = unsafe {
            store(
                self.plug().glob_context,
                params,
                core::ptr::null_mut(),
                core::ptr::null(),
                0,
            )
        };
        outcome(code)
    }

    fn stores(&self) -> bool {
        self.plug().auxprop_store.is_some()
    }

    fn store(&self, host: &dyn Host, user: &[u8], props: &[(&CStr, &[Secret])]) -> Result<()> {
        let store = self.plug().auxprop_store.ok_or(no_store())?;
        let params = server_params(host)?;
        let context = PropCtx::new(props.len());
        context.request(props.iter().map(|(name, _)| *name));
        for (name, values) in props {
            for value in *values {
                context.set_bytes(name, value.as_bytes())?;
            }
        }
        let len = length(user)?;
        let mut name = user.to_vec();
        name.push(0);
        // SAFETY: saslplug.h; context and parameters outlive the call.
        let code = unsafe {
            store(
                self.plug().glob_context,
                params,
                prop::as_ptr(&context),
                name.as_ptr().cast(),
                len,
            )
        };
        outcome(code)
    }
}

impl Drop for CAuxprop {
    fn drop(&mut self) {
        let (free, context) = (self.plug().auxprop_free, self.plug().glob_context);
        if let Some(free) = free {
            // SAFETY: saslplug.h: called once, at the end; the file is mapped
            // until `_library` is dropped after this.
            unsafe { free(context, utils::global()) }
        }
    }
}
