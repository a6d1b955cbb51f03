// SPDX-License-Identifier: MIT OR Apache-2.0
//! Plugins: what was added by the program, and what lies in the plugin folders.
//! A file is opened only when something needs it.
//!
//! The lock is short: it is never held while a plugin's code runs. A file that
//! one thread is opening makes others wait for that file, not for the lock;
//! a plugin that asks for itself while it is being opened finds nothing.
#![forbid(unsafe_code)]

mod files;

use crate::ffi::plugin::loader::{self, Mapped, Providers};
use core::ffi::CStr;
use files::{File, Kind, Progress};
use mech::{ClientMech, ServerMech};
use saslplug::{Auxprop, CanonUser, Verify};
use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Everything that plugins bring.
#[derive(Default)]
pub(crate) struct Registry {
    state: Mutex<State>,
    opened: Condvar,
    generation: AtomicU64,
}

#[derive(Default)]
struct State {
    auxprops: Vec<Arc<dyn Auxprop>>,
    canonusers: Vec<(CString, Arc<dyn CanonUser>)>,
    verifiers: Vec<Arc<dyn Verify>>,
    server_mechs: Vec<Arc<dyn ServerMech>>,
    client_mechs: Vec<Arc<dyn ClientMech>>,
    files: Option<Vec<File>>,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that changes when a plugin joins or leaves: what was looked up
    /// under another is to be looked up again.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    fn changed(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Adds a property store that the program brought along.
    pub(crate) fn add_auxprop(&self, provider: Arc<dyn Auxprop>) {
        self.lock().auxprops.push(provider);
        self.changed();
    }

    /// Adds a canonicaliser that the program brought along.
    pub(crate) fn add_canonuser(&self, stem: CString, provider: Arc<dyn CanonUser>) {
        self.lock().canonusers.push((stem, provider));
        self.changed();
    }

    /// Adds server mechanisms that the program brought along.
    pub(crate) fn add_server_mechs(&self, mechs: Vec<Arc<dyn ServerMech>>) {
        self.lock().server_mechs.extend(mechs);
        self.changed();
    }

    /// Adds client mechanisms that the program brought along.
    pub(crate) fn add_client_mechs(&self, mechs: Vec<Arc<dyn ClientMech>>) {
        self.lock().client_mechs.extend(mechs);
        self.changed();
    }

    /// Forgets what belongs to the server side, as its end does; files may be
    /// opened for it again.
    pub(crate) fn forget_server(&self) {
        self.changed();
        let forgotten = {
            let mut state = self.lock();
            for file in state.files.iter_mut().flatten() {
                file.set(Kind::Providers, Progress::Closed);
                file.set(Kind::ServerMechs, Progress::Closed);
            }
            (
                core::mem::take(&mut state.server_mechs),
                core::mem::take(&mut state.verifiers),
                core::mem::take(&mut state.auxprops),
            )
        };
        let (mechs, verifiers, auxprops) = forgotten;
        // Runs the plugins' own clean-up, without the lock, newest first.
        drop(mechs);
        drop(verifiers);
        auxprops.into_iter().rev().for_each(drop);
    }

    /// Forgets the canonicalisers, as the last done does.
    pub(crate) fn forget_canonusers(&self) {
        let forgotten = core::mem::take(&mut self.lock().canonusers);
        forgotten.into_iter().rev().for_each(drop);
    }

    /// Forgets what belongs to the client side.
    pub(crate) fn forget_client(&self) {
        self.changed();
        let forgotten = {
            let mut state = self.lock();
            for file in state.files.iter_mut().flatten() {
                file.set(Kind::ClientMechs, Progress::Closed);
            }
            core::mem::take(&mut state.client_mechs)
        };
        drop(forgotten);
    }

    /// The property stores named in `auxprop_plugin` in that order, or all of
    /// them, the newest first. A name that nothing answers to is reported to
    /// `missing`.
    pub(crate) fn auxprops(
        &self,
        folders: &[PathBuf],
        names: Option<&str>,
        mut missing: impl FnMut(&str),
    ) -> Vec<Arc<dyn Auxprop>> {
        let Some(names) = names else {
            self.open(folders, Kind::Providers, |_| true, || false);
            return self.lock().auxprops.iter().rev().cloned().collect();
        };
        let mut found = Vec::new();
        for name in names.split_ascii_whitespace() {
            let named = self.named_auxprops(folders, name);
            if named.is_empty() {
                missing(name);
            }
            found.extend(named);
        }
        found
    }

    /// All property stores of a name: a program may add one twice.
    fn named_auxprops(&self, folders: &[PathBuf], name: &str) -> Vec<Arc<dyn Auxprop>> {
        let find = || -> Vec<Arc<dyn Auxprop>> {
            let state = self.lock();
            let known = state.auxprops.iter().rev();
            known
                .filter(|known| same_name(known.name(), name))
                .cloned()
                .collect()
        };
        let found = self.search(
            folders,
            |file| same_name(file, name),
            || Some(find()).filter(|found| !found.is_empty()),
        );
        found.unwrap_or_default()
    }

    /// Whether any plugin brought a verifier along.
    pub(crate) fn has_verifiers(&self) -> bool {
        !self.lock().verifiers.is_empty()
    }

    /// Whether one of the stores of `auxprop_plugin` (all where there is none) is
    /// sure to show secrets, as far as names tell: of a program's own store, of a
    /// well-known one, and where no file could hold anything else.
    pub(crate) fn surely_shows(&self, folders: &[PathBuf], names: Option<&str>) -> bool {
        self.scan(folders);
        let state = self.lock();
        let verifies = |known: &Arc<dyn Auxprop>| {
            let name = known.name();
            state.verifiers.iter().any(|one| one.name() == name)
        };
        let mut open = state.auxprops.iter().filter(|known| !verifies(known));
        let Some(names) = names else {
            let files = state.files.iter().flatten();
            let files = files.filter(|file| Kind::Providers.may_be_in(&file.stem));
            let mut stems = files.map(|file| files::shows(&file.stem)).peekable();
            return open.next().is_some() || stems.peek().is_none() || stems.any(|shows| shows);
        };
        let open: Vec<_> = open.map(|known| known.name()).collect();
        let is_there = |stem: &CStr, name: &str| {
            let mut files = state.files.iter().flatten();
            let mut known = state.auxprops.iter();
            files.any(|file| file.stem.as_c_str() == stem)
                || known.any(|known| same_name(known.name(), name))
        };
        // A store that is nowhere is no reason to open every file for it.
        names.split_ascii_whitespace().any(|name| {
            CString::new(name).is_ok_and(|stem| files::shows(&stem) || !is_there(&stem, name))
                || open.iter().any(|known| same_name(known, name))
        })
    }

    /// The canonicaliser that `canon_user_plugin` names: its own name, or its
    /// file's.
    pub(crate) fn canonuser(&self, folders: &[PathBuf], name: &CStr) -> Option<Arc<dyn CanonUser>> {
        let find = || {
            let state = self.lock();
            let fits = |(stem, known): &&(CString, Arc<dyn CanonUser>)| {
                known.name() == name || stem.as_c_str() == name
            };
            state
                .canonusers
                .iter()
                .find(fits)
                .map(|(_, known)| Arc::clone(known))
        };
        self.search(folders, |file| file == name, find)
    }

    /// Finds a provider among what is open, else in the file of its name, else
    /// in any file.
    fn search<T>(
        &self,
        folders: &[PathBuf],
        likely: impl Fn(&CStr) -> bool,
        find: impl Fn() -> Option<T>,
    ) -> Option<T> {
        find()
            .or_else(|| {
                self.open(folders, Kind::Providers, likely, || find().is_some());
                find()
            })
            .or_else(|| {
                self.open(folders, Kind::Providers, |_| true, || find().is_some());
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

    /// The server mechanisms of plugins, after opening every file that may
    /// bring one. `skip` tells the files that are not needed by their stem.
    pub(crate) fn server_mechs(
        &self,
        folders: &[PathBuf],
        skip: impl Fn(&CStr) -> bool,
    ) -> Vec<Arc<dyn ServerMech>> {
        self.open(folders, Kind::ServerMechs, |file| !skip(file), || false);
        self.lock().server_mechs.clone()
    }

    /// The client mechanisms of plugins, likewise.
    pub(crate) fn client_mechs(
        &self,
        folders: &[PathBuf],
        skip: impl Fn(&CStr) -> bool,
    ) -> Vec<Arc<dyn ClientMech>> {
        self.open(folders, Kind::ClientMechs, |file| !skip(file), || false);
        self.lock().client_mechs.clone()
    }

    /// Opens the files that `wanted` picks by their stem, one after the other,
    /// until `enough`.
    fn open(
        &self,
        folders: &[PathBuf],
        kind: Kind,
        wanted: impl Fn(&CStr) -> bool,
        enough: impl Fn() -> bool,
    ) {
        self.scan(folders);
        let wanted = |stem: &CStr| kind.may_be_in(stem) && wanted(stem);
        while !enough() {
            let Some((path, stem, mapped)) = self.claim(kind, &wanted) else {
                return;
            };
            let mapped = mapped.or_else(|| loader::map(&path));
            if let Some(mapped) = &mapped {
                self.call_entries(kind, mapped, &path, &stem);
            }
            self.publish(kind, &path, mapped);
        }
    }

    /// Lists the folders, once.
    fn scan(&self, folders: &[PathBuf]) {
        if self.lock().files.is_some() {
            return;
        }
        let files = files::list(folders);
        self.lock().files.get_or_insert(files);
    }

    /// Takes the next closed file that is wanted; waits while another thread
    /// opens one of them.
    fn claim(
        &self,
        kind: Kind,
        wanted: &impl Fn(&CStr) -> bool,
    ) -> Option<(PathBuf, CString, Option<Mapped>)> {
        let me = thread::current().id();
        let mut state = self.lock();
        loop {
            let mut files = state
                .files
                .iter_mut()
                .flatten()
                .filter(|file| wanted(&file.stem));
            if let Some(file) = files.find(|file| file.get(kind) == Progress::Closed) {
                file.set(kind, Progress::Opening(me));
                return Some((file.path.clone(), file.stem.clone(), file.mapped.clone()));
            }
            let others = state.files.iter().flatten().any(|file| {
                wanted(&file.stem)
                    && matches!(file.get(kind), Progress::Opening(thread) if thread != me)
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

    /// Runs the plugin's entries of one kind, without the lock.
    fn call_entries(&self, kind: Kind, mapped: &Mapped, path: &Path, stem: &CStr) {
        match kind {
            Kind::Providers => {
                let Providers {
                    auxprop,
                    canonuser,
                    verify,
                } = loader::providers(mapped, path, stem);
                let mut state = self.lock();
                state.auxprops.extend(auxprop);
                state.verifiers.extend(verify);
                if !state
                    .canonusers
                    .iter()
                    .any(|(known, _)| known.as_c_str() == stem)
                {
                    state
                        .canonusers
                        .extend(canonuser.map(|provider| (stem.to_owned(), provider)));
                }
            }
            Kind::ServerMechs => {
                let mechs = loader::server_mechs(mapped, path, stem);
                self.lock().server_mechs.extend(mechs);
            }
            Kind::ClientMechs => {
                let mechs = loader::client_mechs(mapped, path, stem);
                self.lock().client_mechs.extend(mechs);
            }
        }
    }

    fn publish(&self, kind: Kind, path: &Path, mapped: Option<Mapped>) {
        let mut state = self.lock();
        for file in state
            .files
            .iter_mut()
            .flatten()
            .filter(|file| file.path == path)
        {
            file.set(kind, Progress::Open);
            file.mapped.clone_from(&mapped);
        }
        self.changed();
        self.opened.notify_all();
    }
}

/// Names of property stores are compared without case, as stock does.
fn same_name(known: &CStr, wanted: &str) -> bool {
    known.to_bytes().eq_ignore_ascii_case(wanted.as_bytes())
}
