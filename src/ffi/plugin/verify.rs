// SPDX-License-Identifier: MIT OR Apache-2.0
//! A plugin's verifier (`sasl_auxprop_verify_plug_t`, an extension of this
//! project) as [`Verify`].

use crate::ffi::plugin::auxprop::{length, outcome, server_params};
use crate::ffi::plugin::loader::Loaded;
use crate::ffi::utils;
use core::ffi::{CStr, c_int};
use core::ptr::NonNull;
use saslplug::raw::*;
use saslplug::{Code, Error, Host, Result, Secret, Verify};
use std::ffi::CString;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A verifier in a plugin.
pub(crate) struct CVerify {
    plug: NonNull<sasl_auxprop_verify_plug_t>,
    name: CString,
    _library: Option<Arc<Loaded>>,
}

// SAFETY: saslplug.h: a plugin's structure does not change after its init, and
// the plugin answers for calls from several threads.
unsafe impl Send for CVerify {}
// SAFETY: as above.
unsafe impl Sync for CVerify {}

impl CVerify {
    /// Calls the entry and checks what it gives; `auxprop` is the name of the
    /// property store in the same file.
    ///
    /// # Errors
    /// The entry's code; `BADVERS`, `BADPROT`.
    ///
    /// # Safety
    /// As for an auxprop plugin.
    pub(crate) unsafe fn init(
        init: sasl_auxprop_verify_init_t,
        auxprop: &CStr,
        library: Option<Arc<Loaded>>,
    ) -> Result<Self> {
        let (mut version, mut plug): (c_int, *mut sasl_auxprop_verify_plug_t) =
            (0, core::ptr::null_mut());
        let newest = SASL_AUXPROP_VERIFY_PLUG_VERSION;
        // SAFETY: our caller's promise; the out-pointers are ours.
        let code = unsafe {
            init(
                utils::global(),
                newest,
                &mut version,
                &mut plug,
                auxprop.as_ptr(),
            )
        };
        outcome(code)?;
        if version != newest {
            let text = format!("verifier of another version: {version}, expected {newest}");
            return Err(Error::with(Code::BADVERS, text));
        }
        // SAFETY: the entry said OK: its structure is valid.
        match NonNull::new(plug).filter(|plug| unsafe { plug.as_ref() }.verify.is_some()) {
            Some(plug) => Ok(Self {
                plug,
                name: auxprop.to_owned(),
                _library: library,
            }),
            None => Err(Error::new(Code::BADPROT, "verifier without a function")),
        }
    }

    fn plug(&self) -> &sasl_auxprop_verify_plug_t {
        // SAFETY: valid as long as the plugin is loaded, which `_library` sees to.
        unsafe { self.plug.as_ref() }
    }
}

impl Verify for CVerify {
    fn name(&self) -> &CStr {
        &self.name
    }

    fn shows_secrets(&self, host: &dyn Host) -> bool {
        let (Some(function), Ok(params)) = (self.plug().shows_secrets, server_params(host)) else {
            return true;
        };
        // SAFETY: saslplug.h; the parameters are up to date and live.
        unsafe { function(self.plug().glob_context, params) != 0 }
    }

    fn verify(&self, host: &dyn Host, user: &[u8], password: &Secret) -> Result<()> {
        let function = self.plug().verify.ok_or(Code::FAIL)?;
        let params = server_params(host)?;
        let ulen = length(user)?;
        let passlen = length(password.as_bytes())?;
        let mut name = user.to_vec();
        name.push(0);
        let mut pass = Zeroizing::new(Vec::with_capacity(password.len().saturating_add(1)));
        pass.extend_from_slice(password.as_bytes());
        pass.push(0);
        // SAFETY: saslplug.h; name and password have the lengths that are passed.
        let code = unsafe {
            function(
                self.plug().glob_context,
                params,
                0,
                name.as_ptr().cast(),
                ulen,
                pass.as_ptr().cast(),
                passlen,
            )
        };
        outcome(code)
    }
}

impl Drop for CVerify {
    fn drop(&mut self) {
        let (free, context) = (self.plug().verify_free, self.plug().glob_context);
        if let Some(free) = free {
            // SAFETY: saslplug.h: called once, at the end.
            unsafe { free(context, utils::global()) }
        }
    }
}
