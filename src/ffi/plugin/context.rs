// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a C mechanism keeps for one exchange: its context and its
//! `sasl_out_params_t`. Shared by the exchange and the security layer that may
//! come out of it; the plugin's `mech_dispose` runs when the last of them goes.

use crate::ffi::arg;
use crate::ffi::plugin::auxprop::outcome;
use core::any::Any;
use core::cell::{Cell, UnsafeCell};
use core::ffi::{c_char, c_int, c_uint, c_void};
use core::ptr;
use mech::{Binding, Disposition, Negotiated, SecurityLayer, Ssf};
use saslplug::raw::*;
use saslplug::{Code, Error, Result};
use std::rc::Rc;
use std::sync::Arc;

/// What a plugin does while nothing else happens.
#[derive(Clone, Copy)]
pub(crate) enum Idle {
    /// `sasl_server_plug_t.idle`.
    Server(unsafe extern "C" fn(*mut c_void, *mut c_void, *mut sasl_server_params_t) -> c_int),
    /// `sasl_client_plug_t.idle`.
    Client(unsafe extern "C" fn(*mut c_void, *mut c_void, *mut sasl_client_params_t) -> c_int),
}

type Dispose = unsafe extern "C" fn(*mut c_void, *const sasl_utils_t);

/// A plugin's context and results.
pub(crate) struct Context {
    context: *mut c_void,
    oparams: Box<UnsafeCell<sasl_out_params_t>>,
    dispose: Option<Dispose>,
    utils: *const sasl_utils_t,
    idle: Cell<Option<(Idle, *mut c_void)>>,
    _plugin: Arc<dyn Any + Send + Sync>,
}

impl Context {
    /// Takes `context` over. `plugin` keeps the code mapped; `utils` belong to
    /// the connection, which outlives its exchanges.
    pub(crate) fn new(
        context: *mut c_void,
        dispose: Option<Dispose>,
        utils: *const sasl_utils_t,
        plugin: Arc<dyn Any + Send + Sync>,
    ) -> Rc<Self> {
        let oparams = Box::new(UnsafeCell::new(NO_RESULTS));
        Rc::new(Self {
            context,
            oparams,
            dispose,
            utils,
            idle: Cell::new(None),
            _plugin: plugin,
        })
    }

    /// Remembers the plugin's idle function and its global context.
    pub(crate) fn set_idle(&self, idle: Option<Idle>, glob: *mut c_void) {
        self.idle.set(idle.map(|idle| (idle, glob)));
    }

    /// The same.
    pub(crate) fn idle(&self) -> Option<(Idle, *mut c_void)> {
        self.idle.get()
    }

    /// The plugin's context; may be NULL.
    pub(crate) fn as_ptr(&self) -> *mut c_void {
        self.context
    }

    /// Where the plugin writes its results.
    pub(crate) fn results(&self) -> *mut sasl_out_params_t {
        self.oparams.get()
    }

    /// A copy of the results.
    pub(crate) fn read(&self) -> sasl_out_params_t {
        // SAFETY: the plugin writes only while it is called, and this is not
        // called from inside it with a reference alive.
        unsafe { *self.oparams.get() }
    }

    /// What the plugin says about channel binding.
    pub(crate) fn binding(&self) -> Binding {
        let results = self.read();
        // SAFETY: saslplug.h: NULL or a string that lives as the context does.
        let name = unsafe { arg::text(results.cbindingname) };
        Binding {
            name: name.map(|name| name.to_string_lossy().into_owned()),
            disposition: match results.cbindingdisp {
                0 => Disposition::None,
                1 => Disposition::Want,
                _ => Disposition::Used,
            },
        }
    }

    /// The security layer that the plugin agreed on, if any. Its packets have
    /// room for `max_buffer` bytes unless it says otherwise.
    ///
    /// # Errors
    /// `FAIL` for half a layer.
    pub(crate) fn layer(self: &Rc<Self>, max_buffer: c_uint) -> Result<Option<Negotiated>> {
        let results = self.read();
        let (encode, decode) = match (results.encode, results.decode) {
            (Some(encode), Some(decode)) => (encode, decode),
            (None, None) => return Ok(None),
            _ => {
                let text = "the mechanism plugin gave encode or decode, but not both";
                return Err(Error::new(Code::FAIL, text));
            }
        };
        let layer = CLayer {
            context: Rc::clone(self),
            encode,
            decode,
        };
        Ok(Some(Negotiated {
            ssf: results.mech_ssf as Ssf,
            max_outbuf: match results.maxoutbuf {
                0 => max_buffer,
                given => given,
            },
            layer: Box::new(layer),
        }))
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        if let Some(dispose) = self.dispose {
            // SAFETY: saslplug.h: once for each context; the plugin is mapped
            // and the connection's utils live until after this.
            unsafe { dispose(self.context, self.utils) }
        }
    }
}

const NO_RESULTS: sasl_out_params_t = sasl_out_params_t {
    doneflag: 0,
    user: ptr::null(),
    authid: ptr::null(),
    ulen: 0,
    alen: 0,
    maxoutbuf: 0,
    mech_ssf: 0,
    encode_context: ptr::null_mut(),
    encode: None,
    decode_context: ptr::null_mut(),
    decode: None,
    client_creds: ptr::null_mut(),
    gss_peer_name: ptr::null(),
    gss_local_name: ptr::null(),
    cbindingname: ptr::null(),
    spare_fptr1: None,
    spare_fptr2: None,
    cbindingdisp: 0,
    spare_int2: 0,
    spare_int3: 0,
    spare_int4: 0,
    param_version: 0,
};

/// A security layer in a C plugin. It makes and reads the packets' lengths
/// itself, and is called with the mechanism's context, as stock does.
struct CLayer {
    context: Rc<Context>,
    encode: sasl_encode_fn,
    decode: sasl_decode_fn,
}

/// A layer works or fails: what is neither is a failure.
fn worked(code: c_int) -> Result<()> {
    if code > Code::OK.0 {
        let text = format!("the plugin's security layer answered {code}");
        return Err(Error::with(Code::FAIL, text));
    }
    outcome(code)
}

impl SecurityLayer for CLayer {
    fn frames_itself(&self) -> bool {
        true
    }

    fn wrap(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let piece = libc::iovec {
            iov_base: plain.as_ptr().cast_mut().cast(),
            iov_len: plain.len(),
        };
        let (mut data, mut len): (*const c_char, c_uint) = (ptr::null(), 0);
        // SAFETY: saslplug.h: the piece covers `plain`, the results are ours.
        let code = unsafe { (self.encode)(self.context.as_ptr(), &piece, 1, &mut data, &mut len) };
        worked(code)?;
        // SAFETY: saslplug.h: on OK the plugin's buffer has `len` bytes.
        out.extend_from_slice(unsafe { arg::bytes(data, len) }.unwrap_or_default());
        Ok(())
    }

    fn unwrap(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let size = c_uint::try_from(packet.len()).map_err(|_| Error::bare(Code::BUFOVER))?;
        let (mut data, mut len): (*const c_char, c_uint) = (ptr::null(), 0);
        // SAFETY: saslplug.h: the input covers `packet`, the results are ours.
        let code = unsafe {
            (self.decode)(
                self.context.as_ptr(),
                packet.as_ptr().cast(),
                size,
                &mut data,
                &mut len,
            )
        };
        worked(code)?;
        // SAFETY: saslplug.h: on OK the plugin's buffer has `len` bytes.
        out.extend_from_slice(unsafe { arg::bytes(data, len) }.unwrap_or_default());
        Ok(())
    }
}
