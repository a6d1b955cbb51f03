// SPDX-License-Identifier: MIT OR Apache-2.0
//! sasl.h, "set-up": allocator, mutexes, paths, versions. The folders of
//! plugins and of configuration files are decided here.

use crate::ffi::memory::{self, Allocator, Mutexes};
use crate::ffi::{arg, edge, os, plugin::loader};
use crate::library::Program;
use core::ffi::{CStr, c_char, c_int};
use saslplug::raw::*;
use saslplug::{Code, Result};
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

const CONFIG_FOLDERS: &str = "/etc/sasl2:/etc/sasl:/usr/lib/x86_64-linux-gnu/sasl2:/usr/lib/sasl2";
const PLUGIN_FOLDER: &str = "/usr/lib/x86_64-linux-gnu/sasl2";

/// What `sasl_set_path` set; forgotten at the last done.
struct Paths {
    plugin: Option<CString>,
    config: Option<CString>,
}

static PATHS: Mutex<Paths> = Mutex::new(Paths {
    plugin: None,
    config: None,
});

fn paths<T>(work: impl FnOnce(&mut Paths) -> T) -> T {
    work(&mut PATHS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The last done forgets the paths; defaults are in force again.
pub(crate) fn forget_paths() {
    paths(|paths| {
        *paths = Paths {
            plugin: None,
            config: None,
        }
    });
}

/// A folder list of the environment, unless the process runs with somebody
/// else's rights (CVE-2004-0884).
fn environment(name: &str) -> Option<CString> {
    if os::runs_privileged() {
        return None;
    }
    CString::new(std::env::var_os(name)?.as_bytes()).ok()
}

/// The folders of plugins in a list, which ends at an equals sign.
fn plugin_list(list: &CStr) -> Vec<PathBuf> {
    let bytes = list.to_bytes();
    folders(bytes.split(|byte| *byte == b'=').next().unwrap_or_default())
}

fn folders(list: &[u8]) -> Vec<PathBuf> {
    list.split(|byte| *byte == b':')
        .filter(|folder| !folder.is_empty())
        .map(|folder| PathBuf::from(OsStr::from_bytes(folder)))
        .collect()
}

/// The folders of plugins: the program's callback, `sasl_set_path`,
/// `SASL_PATH`, else `sasl2` beside this library's file and then the system's.
///
/// # Errors
/// The callback's.
pub(crate) fn plugin_folders(program: &Program) -> Result<Vec<PathBuf>> {
    if let Some(path) = program.plugin_path() {
        return path.map(|path| plugin_list(&path));
    }
    Ok(default_folders())
}

/// The folders of plugins that no callback chose.
fn default_folders() -> Vec<PathBuf> {
    if let Some(path) = paths(|paths| paths.plugin.clone()).or_else(|| environment("SASL_PATH")) {
        return plugin_list(&path);
    }
    let mut all: Vec<PathBuf> = loader::folder_beside_library().into_iter().collect();
    let system = PathBuf::from(PLUGIN_FOLDER);
    if !all.contains(&system) {
        all.push(system);
    }
    all
}

/// The same as one text, for plugins that ask (`SASL_CB_GETPATH`).
pub(crate) fn default_plugin_path() -> CString {
    let all = default_folders();
    let texts: Vec<&[u8]> = all
        .iter()
        .map(|folder| folder.as_os_str().as_bytes())
        .collect();
    CString::new(texts.join(&b':')).unwrap_or_default()
}

/// The folders of configuration files that no callback chose, as one text.
pub(crate) fn default_config_path() -> CString {
    paths(|paths| paths.config.clone())
        .or_else(|| environment("SASL_CONF_PATH"))
        .unwrap_or_else(|| CString::new(CONFIG_FOLDERS).unwrap_or_default())
}

/// The folders of configuration files, likewise.
///
/// # Errors
/// The callback's.
pub(crate) fn config_folders(program: &Program) -> Result<Vec<PathBuf>> {
    if let Some(path) = program.config_path() {
        return path.map(|path| folders(path.to_bytes()));
    }
    Ok(folders(default_config_path().to_bytes()))
}

/// Sets the folders of plugins or of configuration files.
///
/// # Safety
/// - `path`: NULL or a string
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_set_path(path_type: c_int, path: *mut c_char) -> c_int {
    // SAFETY: sasl.h: see above.
    let path = unsafe { arg::text(path) };
    edge::guard(Code::FAIL.0, || {
        let Some(path) = path else {
            return Code::FAIL.0;
        };
        let path = Some(path.to_owned());
        match path_type {
            SASL_PATH_TYPE_PLUGIN => paths(|paths| paths.plugin = path),
            SASL_PATH_TYPE_CONFIG => paths(|paths| paths.config = path),
            _ => return Code::FAIL.0,
        }
        Code::OK.0
    })
}

/// Sets the allocator that plugins use; the first call counts.
///
/// # Safety
/// The functions behave as the C library's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_set_alloc(
    malloc: sasl_malloc_t,
    calloc: sasl_calloc_t,
    realloc: sasl_realloc_t,
    free: sasl_free_t,
) {
    edge::guard((), || {
        if malloc.is_none() || calloc.is_none() || realloc.is_none() || free.is_none() {
            let text = "sasl_set_alloc with a NULL function: ignored as a whole";
            crate::library::current().log(saslplug::Level::Err, format_args!("{text}"));
            return;
        }
        memory::set_allocator(Allocator {
            malloc,
            calloc,
            realloc,
            free,
        });
    });
}

/// Sets the mutexes that plugins use; ignored once an init has succeeded.
///
/// # Safety
/// The functions behave as sasl.h says.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_set_mutex(
    alloc: sasl_mutex_alloc_t,
    lock: sasl_mutex_lock_t,
    unlock: sasl_mutex_unlock_t,
    free: sasl_mutex_free_t,
) {
    edge::guard((), || {
        if crate::library::is_any_active() {
            return;
        }
        if alloc.is_none() || lock.is_none() || unlock.is_none() || free.is_none() {
            let text = "sasl_set_mutex with a NULL function: ignored as a whole";
            crate::library::current().log(saslplug::Level::Err, format_args!("{text}"));
            return;
        }
        memory::set_mutexes(Mutexes {
            alloc,
            lock,
            unlock,
            free,
        });
    });
}

const IMPLEMENTATION: &CStr = c"Cyrus SASL";
const VERSION: &CStr = c"2.1.28";

/// The implementation's name and version: what programs compare is stock's.
///
/// # Safety
/// Both pointers are NULL or writable.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_version(
    implementation: *mut *const c_char,
    version: *mut c_int,
) {
    // SAFETY: sasl.h: see above.
    let (implementation, version) =
        unsafe { (arg::Out::new(implementation), arg::Out::new(version)) };
    implementation.set(IMPLEMENTATION.as_ptr());
    version.set(0x0201_001c);
}

/// The same in parts.
///
/// # Safety
/// Every pointer is NULL or writable.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sasl_version_info(
    implementation: *mut *const c_char,
    version: *mut *const c_char,
    major: *mut c_int,
    minor: *mut c_int,
    step: *mut c_int,
    patch: *mut c_int,
) {
    // SAFETY: sasl.h: see above.
    unsafe {
        arg::Out::new(implementation).set(IMPLEMENTATION.as_ptr());
        arg::Out::new(version).set(VERSION.as_ptr());
        arg::Out::new(major).set(2);
        arg::Out::new(minor).set(1);
        arg::Out::new(step).set(28);
        arg::Out::new(patch).set(0);
    }
}

symver!(
    sasl_set_path,
    sasl_set_alloc,
    sasl_set_mutex,
    sasl_version,
    sasl_version_info
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_end_at_an_equals_sign() {
        let list = |text: &CStr| plugin_list(text);
        assert_eq!(list(c"/a:/b"), [PathBuf::from("/a"), PathBuf::from("/b")]);
        assert_eq!(list(c"/a=/b:/c"), [PathBuf::from("/a")]);
        assert!(list(c"::").is_empty());
    }
}
