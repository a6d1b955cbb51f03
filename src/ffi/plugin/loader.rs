// SPDX-License-Identifier: MIT OR Apache-2.0
//! Opens plugin files: asks `SASL_CB_VERIFYFILE`, maps the file, calls its
//! entries. A file that is none, or that fails, is reported with its path and
//! passed over. Mapped as long as anything of it is in use.

use crate::ffi::arg;
use crate::ffi::plugin::auxprop::CAuxprop;
use crate::ffi::plugin::canonuser::CCanonUser;
use crate::ffi::plugin::verify::CVerify;
use crate::ffi::plugin::{client_mech, server_mech};
use crate::library;
use core::ffi::{CStr, c_void};
use core::ptr::NonNull;
use mech::{ClientMech, ServerMech};
use saslplug::raw::*;
use saslplug::{Auxprop, CanonUser, Code, Error, Level, Result, Verify};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

/// A mapped file.
pub(crate) struct Loaded(NonNull<c_void>);

// SAFETY: a dlopen handle may be used and closed by any thread.
unsafe impl Send for Loaded {}
// SAFETY: as above.
unsafe impl Sync for Loaded {}

impl Loaded {
    fn open(path: &CStr) -> Result<Self> {
        // SAFETY: `path` is a string. The file's constructors run: it was
        // verified by the program, or lies in a folder of the administrator's.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
        NonNull::new(handle).map(Self).ok_or_else(|| {
            // SAFETY: dlerror gives NULL or a string that lives until the next
            // dl call of this thread.
            let why = unsafe { arg::text(libc::dlerror()) }.unwrap_or(c"no reason given");
            let (path, why) = (path.to_string_lossy(), why.to_string_lossy());
            Error::with(Code::FAIL, format!("unable to dlopen {path}: {why}"))
        })
    }

    fn symbol(&self, name: &CStr) -> Option<NonNull<c_void>> {
        // SAFETY: the handle is open, the name a string.
        NonNull::new(unsafe { libc::dlsym(self.0.as_ptr(), name.as_ptr()) })
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        // SAFETY: opened once, closed once; nothing of the file is in use: each
        // adapter holds a reference until after its clean-up.
        unsafe { libc::dlclose(self.0.as_ptr()) };
    }
}

/// A mapped file that others share.
pub(crate) type Mapped = Arc<Loaded>;

/// The providers that a file offers.
#[derive(Default)]
pub(crate) struct Providers {
    /// `sasl_auxprop_plug_init`.
    pub(crate) auxprop: Option<Arc<dyn Auxprop>>,
    /// `sasl_canonuser_init`.
    pub(crate) canonuser: Option<Arc<dyn CanonUser>>,
    /// `sasl_auxprop_verify_plug_init`.
    pub(crate) verify: Option<Arc<dyn Verify>>,
}

/// Maps a file, once the program agreed. What goes wrong is logged.
pub(crate) fn map(path: &Path) -> Option<Mapped> {
    match try_map(path) {
        Ok(mapped) => Some(Arc::new(mapped)),
        Err(error) => {
            library::current().log(Level::Err, format_args!("{}", error.reason()));
            None
        }
    }
}

fn try_map(path: &Path) -> Result<Loaded> {
    let c_path = CString::new(path.as_os_str().as_bytes())
        .map_err(|_| Error::new(Code::BADPARAM, "plugin path with a NUL inside"))?;
    if !path.is_file() {
        // Sockets, fifos and folders that are called lib*.so are never opened.
        let text = format!(
            "{}: not a file; remove it from the plugin folder",
            path.display()
        );
        return Err(Error::with(Code::FAIL, text));
    }
    if let Some(program) = library::current().program() {
        let verdict = program.verify_file(&c_path, SASL_VRFY_PLUGIN);
        if verdict != Code::OK {
            let path = path.display();
            let text = format!("{path}: refused by the program (SASL_CB_VERIFYFILE: {verdict:?})");
            return Err(Error::with(Code::FAIL, text));
        }
    }
    Loaded::open(&c_path)
}

/// Reports an entry that failed; the others of the file are tried all the same.
fn kept<T>(result: Result<T>, path: &Path, entry: &str) -> Option<T> {
    result
        .inspect_err(|error| {
            let why = if error.reason().is_empty() {
                error.code().text()
            } else {
                error.reason()
            };
            let path = path.display();
            let level = match error.code() {
                Code::NOMECH => Level::Debug, // it does not want to be used here
                _ => Level::Err,
            };
            library::current().log(
                level,
                format_args!("plugin {path}: {entry} failed: {why} ({:?})", error.code()),
            );
        })
        .ok()
}

/// Calls the server mechanisms' entry, if the file has it.
pub(crate) fn server_mechs(library: &Mapped, path: &Path, stem: &CStr) -> Vec<Arc<dyn ServerMech>> {
    let Some(entry) = library.symbol(c"sasl_server_plug_init") else {
        return Vec::new();
    };
    // SAFETY: saslplug.h gives the symbol this type.
    let entry: sasl_server_plug_init_t = unsafe { core::mem::transmute(entry) };
    // SAFETY: the plugin's file stays mapped as long as the reference is held.
    let mechs = unsafe { server_mech::init(entry, stem, Some(Arc::clone(library))) };
    let mechs = kept(mechs, path, "sasl_server_plug_init").unwrap_or_default();
    mechs.into_iter().map(|mech| Arc::new(mech) as _).collect()
}

/// Calls the client mechanisms' entry, if the file has it.
pub(crate) fn client_mechs(library: &Mapped, path: &Path, stem: &CStr) -> Vec<Arc<dyn ClientMech>> {
    let Some(entry) = library.symbol(c"sasl_client_plug_init") else {
        return Vec::new();
    };
    // SAFETY: saslplug.h gives the symbol this type.
    let entry: sasl_client_plug_init_t = unsafe { core::mem::transmute(entry) };
    // SAFETY: the plugin's file stays mapped as long as the reference is held.
    let mechs = unsafe { client_mech::init(entry, stem, Some(Arc::clone(library))) };
    let mechs = kept(mechs, path, "sasl_client_plug_init").unwrap_or_default();
    mechs.into_iter().map(|mech| Arc::new(mech) as _).collect()
}

/// Calls the providers' entries that the file has.
pub(crate) fn providers(library: &Mapped, path: &Path, stem: &CStr) -> Providers {
    let held = || Some(Arc::clone(library));
    let mut opened = Providers::default();
    if let Some(entry) = library.symbol(c"sasl_auxprop_plug_init") {
        // SAFETY: saslplug.h gives the symbol this type.
        let entry: sasl_auxprop_init_t = unsafe { core::mem::transmute(entry) };
        // SAFETY: the plugin's file stays mapped as long as `held` is.
        let auxprop = unsafe { CAuxprop::init(entry, stem, held()) };
        if let Some(auxprop) = kept(auxprop, path, "sasl_auxprop_plug_init") {
            opened.verify = verifier(library, &auxprop, path);
            opened.auxprop = Some(Arc::new(auxprop));
        }
    }
    if let Some(entry) = library.symbol(c"sasl_canonuser_init") {
        // SAFETY: saslplug.h gives the symbol this type.
        let entry: sasl_canonuser_init_t = unsafe { core::mem::transmute(entry) };
        // SAFETY: as above.
        let canonuser = unsafe { CCanonUser::init(entry, stem, held()) };
        opened.canonuser = kept(canonuser, path, "sasl_canonuser_init").map(|it| Arc::new(it) as _);
    }
    opened
}

fn verifier(library: &Arc<Loaded>, auxprop: &CAuxprop, path: &Path) -> Option<Arc<dyn Verify>> {
    if !auxprop.can_verify() {
        return None;
    }
    let entry = library.symbol(c"sasl_auxprop_verify_plug_init")?;
    // SAFETY: our saslplug.h gives the symbol this type, and the plugin said by
    // its feature bit that it means it.
    let entry: sasl_auxprop_verify_init_t = unsafe { core::mem::transmute(entry) };
    // SAFETY: as for the auxprop entry.
    let verify = unsafe { CVerify::init(entry, auxprop.name(), Some(Arc::clone(library))) };
    kept(verify, path, "sasl_auxprop_verify_plug_init").map(|it| Arc::new(it) as _)
}

/// The folder `sasl2` beside the file of this library, wherever it was loaded
/// from. Where that name is a link, the file it leads to counts: a package may
/// keep library and plugins in a folder of their own.
pub(crate) fn folder_beside_library() -> Option<std::path::PathBuf> {
    // SAFETY: all-zero is a valid Dl_info.
    let mut info: libc::Dl_info = unsafe { core::mem::zeroed() };
    // SAFETY: the address is one of this library's own functions.
    let found = unsafe { libc::dladdr(folder_beside_library as *const c_void, &mut info) };
    // SAFETY: dladdr succeeded: the name is NULL or the loaded object's path.
    let path = unsafe { arg::text(info.dli_fname) }.filter(|_| found != 0)?;
    let path = Path::new(std::ffi::OsStr::from_bytes(path.to_bytes()));
    let folder = path.parent().filter(|_| path.is_absolute())?;
    let file = std::fs::read_link(path).map_or_else(|_| path.to_path_buf(), |to| folder.join(to));
    file.parent().map(|folder| folder.join("sasl2"))
}
