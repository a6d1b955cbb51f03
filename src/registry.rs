// SPDX-License-Identifier: MIT OR Apache-2.0
//! Providers: what was added by the program, and what lies in the plugin
//! folders. A file is opened only when something needs it.
//!
//! The lock is short: it is never held while a plugin's code runs. A file that
//! one thread is opening makes others wait for that file, not for the lock;
//! a plugin that asks for itself while it is being opened finds nothing.
#![forbid(unsafe_code)]

use crate::ffi::plugin::loader::{self, Opened};
use core::ffi::CStr;
use saslplug::{Auxprop, CanonUser, Verify};
use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

/// What the files of well-known packages hold, so that a mechanism's file is
/// not opened in search of a property store. Names as in the plugin folder,
/// without `lib` and `.so`.
const MECHANISM_FILES: &[&str] = &[
    "anonymous",
    "crammd5",
    "digestmd5",
    "gs2",
    "gssapiv2",
    "kerberos4",
    "login",
    "ntlm",
    "otp",
    "passdss",
    "plain",
    "scram",
    "srp",
];

/// Everything that can be asked for names, passwords and properties.
#[derive(Default)]
pub(crate) struct Registry {
    state: Mutex<State>,
    opened: Condvar,
}

#[derive(Default)]
struct State {
    auxprops: Vec<Arc<dyn Auxprop>>,
    canonusers: Vec<(CString, Arc<dyn CanonUser>)>,
    verifiers: Vec<Arc<dyn Verify>>,
    files: Option<Vec<File>>,
}

struct File {
    path: PathBuf,
    stem: CString,
    progress: Progress,
}

#[derive(Clone, Copy, PartialEq)]
enum Progress {
    Closed,
    Opening(ThreadId),
    Open,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a property store that the program brought along.
    pub(crate) fn add_auxprop(&self, provider: Arc<dyn Auxprop>) {
        self.lock().auxprops.push(provider);
    }

    /// Adds a canonicaliser that the program brought along.
    pub(crate) fn add_canonuser(&self, stem: CString, provider: Arc<dyn CanonUser>) {
        self.lock().canonusers.push((stem, provider));
    }

    /// Forgets property stores, as the end of the server side does; their files
    /// may be opened again.
    pub(crate) fn forget_auxprops(&self) {
        let forgotten = {
            let mut state = self.lock();
            for file in state.files.iter_mut().flatten() {
                file.progress = Progress::Closed;
            }
            (
                core::mem::take(&mut state.auxprops),
                core::mem::take(&mut state.verifiers),
            )
        };
        drop(forgotten); // runs the plugins' own clean-up, without the lock
    }

    /// The property stores named in `auxprop_plugin` in that order, or all of
    /// them. A name that nothing answers to is reported to `missing`.
    pub(crate) fn auxprops(
        &self,
        folders: &[PathBuf],
        names: Option<&str>,
        mut missing: impl FnMut(&str),
    ) -> Vec<Arc<dyn Auxprop>> {
        let Some(names) = names else {
            self.open(folders, |_| true, || false);
            return self.lock().auxprops.clone();
        };
        let mut found = Vec::new();
        for name in names.split_ascii_whitespace() {
            match self.auxprop(folders, name) {
                Some(provider) => found.push(provider),
                None => missing(name),
            }
        }
        found
    }

    fn auxprop(&self, folders: &[PathBuf], name: &str) -> Option<Arc<dyn Auxprop>> {
        let find = || {
            let state = self.lock();
            state
                .auxprops
                .iter()
                .find(|known| same_name(known.name(), name))
                .cloned()
        };
        find()
            .or_else(|| {
                self.open(folders, |file| same_name(file, name), || find().is_some());
                find()
            })
            .or_else(|| {
                self.open(folders, |_| true, || find().is_some());
                find()
            })
    }

    /// The canonicaliser that `canon_user_plugin` names: its own name, or its
    /// file's.
    pub(crate) fn canonuser(&self, folders: &[PathBuf], name: &CStr) -> Option<Arc<dyn CanonUser>> {
        let find = || {
            let state = self.lock();
            let known = state.canonusers.iter();
            known
                .filter(|(stem, known)| known.name() == name || stem.as_c_str() == name)
                .map(|(_, known)| Arc::clone(known))
                .next()
        };
        find()
            .or_else(|| {
                self.open(folders, |file| file == name, || find().is_some());
                find()
            })
            .or_else(|| {
                self.open(folders, |_| true, || find().is_some());
                find()
            })
    }

    /// The verifier that belongs to the property store `name`, which must be
    /// open.
    pub(crate) fn verifier(&self, name: &CStr) -> Option<Arc<dyn Verify>> {
        let state = self.lock();
        state
            .verifiers
            .iter()
            .find(|known| known.name() == name)
            .cloned()
    }

    /// Names of the property stores that are in use.
    pub(crate) fn auxprop_providers(&self, folders: &[PathBuf]) -> Vec<Arc<dyn Auxprop>> {
        self.auxprops(folders, None, |_| ())
    }

    /// Opens the files that `wanted` picks by their stem, one after the other,
    /// until `enough`.
    fn open(&self, folders: &[PathBuf], wanted: impl Fn(&CStr) -> bool, enough: impl Fn() -> bool) {
        self.scan(folders);
        while !enough() {
            let Some((path, stem)) = self.claim(&wanted) else {
                return;
            };
            let opened = loader::open(&path, &stem);
            self.publish(&path, stem, opened);
        }
    }

    /// Lists the folders, once.
    fn scan(&self, folders: &[PathBuf]) {
        if self.lock().files.is_some() {
            return;
        }
        let files = list(folders);
        self.lock().files.get_or_insert(files);
    }

    /// Takes the next closed file that is wanted; waits while another thread
    /// opens one of them.
    fn claim(&self, wanted: &impl Fn(&CStr) -> bool) -> Option<(PathBuf, CString)> {
        let me = thread::current().id();
        let mut state = self.lock();
        loop {
            let mut files = state
                .files
                .iter_mut()
                .flatten()
                .filter(|file| wanted(&file.stem));
            if let Some(file) = files.find(|file| file.progress == Progress::Closed) {
                file.progress = Progress::Opening(me);
                return Some((file.path.clone(), file.stem.clone()));
            }
            let others = state.files.iter().flatten().any(|file| {
                wanted(&file.stem)
                    && matches!(file.progress, Progress::Opening(thread) if thread != me)
            });
            if !others {
                return None;
            }
            state = self
                .opened
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn publish(&self, path: &Path, stem: CString, opened: Opened) {
        let mut state = self.lock();
        state.auxprops.extend(opened.auxprop);
        state.verifiers.extend(opened.verify);
        if !state.canonusers.iter().any(|(known, _)| *known == stem) {
            state
                .canonusers
                .extend(opened.canonuser.map(|provider| (stem, provider)));
        }
        for file in state
            .files
            .iter_mut()
            .flatten()
            .filter(|file| file.path == path)
        {
            file.progress = Progress::Open;
        }
        self.opened.notify_all();
    }
}

/// Names of property stores are compared without case, as stock does.
fn same_name(known: &CStr, wanted: &str) -> bool {
    known.to_bytes().eq_ignore_ascii_case(wanted.as_bytes())
}

/// The files that may hold providers: `lib*.so`, folder by folder, by name. The
/// first of a stem wins. A folder that cannot be read counts as empty.
fn list(folders: &[PathBuf]) -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(folder) else {
            continue;
        };
        let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
        names.sort();
        for name in names {
            let Some(stem) = name.to_str().and_then(stem_of) else {
                continue;
            };
            if files.iter().any(|file| file.stem == stem) {
                continue;
            }
            let path = folder.join(&name);
            files.push(File {
                path,
                stem,
                progress: Progress::Closed,
            });
        }
    }
    files
}

/// `libldapdb.so` → `ldapdb`; `None` for what is no plugin's file, and for
/// files that hold mechanisms only.
fn stem_of(name: &str) -> Option<CString> {
    if name.len() < 4 || !name.ends_with(".so") {
        return None;
    }
    let stem = name.get(3..)?.split('.').next()?;
    if stem.is_empty() || MECHANISM_FILES.contains(&stem) {
        return None;
    }
    CString::new(stem).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_are_the_file_name_without_three_letters() {
        assert_eq!(stem_of("libldapdb.so").as_deref(), Some(c"ldapdb"));
        assert_eq!(stem_of("libldapdb.so.2"), None);
        assert_eq!(stem_of("lib.so"), None);
        assert_eq!(stem_of("libplain.so"), None);
        assert_eq!(stem_of(".so"), None);
    }

    #[test]
    fn the_first_folder_wins_and_a_missing_one_is_empty() {
        let root = std::env::temp_dir().join(format!("sasl2-registry-{}", std::process::id()));
        let (first, second) = (root.join("a"), root.join("b"));
        for folder in [&first, &second] {
            std::fs::create_dir_all(folder).expect("folder");
            std::fs::write(folder.join("libone.so"), "").expect("file");
        }
        std::fs::write(second.join("libtwo.so"), "").expect("file");
        let files = list(&[first.clone(), root.join("missing"), second.clone()]);
        let paths: Vec<_> = files.iter().map(|file| file.path.clone()).collect();
        assert_eq!(paths, [first.join("libone.so"), second.join("libtwo.so")]);
        std::fs::remove_dir_all(root).expect("removed");
    }
}
