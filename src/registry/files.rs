// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files in the plugin folders: which there are, what the well-known ones
//! hold, and how far each was opened.
#![forbid(unsafe_code)]

use crate::ffi::plugin::loader::Mapped;
use core::ffi::CStr;
use std::ffi::CString;
use std::path::PathBuf;
use std::thread::ThreadId;

/// What a file can be opened for. Each has its own entries, called once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Property stores, canonicalisers, verifiers.
    Providers,
    /// Server mechanisms.
    ServerMechs,
    /// Client mechanisms.
    ClientMechs,
}

/// Files of well-known packages that hold mechanisms only.
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

/// Files of well-known packages that hold providers only.
const PROVIDER_FILES: &[&str] = &["ldapdb", "sasldb", "sql"];

/// Stores of well-known packages that show what they hold. They come without a
/// verifier of their own.
const SHOWING_STORES: &[&str] = &["sasldb", "sql"];

/// Whether a store, or the file of one, is known to show secrets.
pub(super) fn shows(name: &CStr) -> bool {
    let name = name.to_bytes();
    SHOWING_STORES
        .iter()
        .any(|known| known.as_bytes().eq_ignore_ascii_case(name))
}

impl Kind {
    /// Whether a file of that stem may hold this kind, as far as its name tells.
    pub(super) fn may_be_in(self, stem: &CStr) -> bool {
        let others = match self {
            Kind::Providers => MECHANISM_FILES,
            Kind::ServerMechs | Kind::ClientMechs => PROVIDER_FILES,
        };
        !stem.to_str().is_ok_and(|stem| others.contains(&stem))
    }
}

/// How far a file was opened for a kind.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Progress {
    /// Not yet.
    Closed,
    /// By this thread, now.
    Opening(ThreadId),
    /// Its entries were called, or it has none.
    Open,
}

/// A file that may be a plugin.
pub(super) struct File {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its name without `lib` and `.so`.
    pub(super) stem: CString,
    /// The mapped file, once something needed it.
    pub(super) mapped: Option<Mapped>,
    progress: [Progress; 3],
}

impl File {
    /// How far it was opened for `kind`.
    pub(super) fn get(&self, kind: Kind) -> Progress {
        let [providers, server, client] = self.progress;
        match kind {
            Kind::Providers => providers,
            Kind::ServerMechs => server,
            Kind::ClientMechs => client,
        }
    }

    /// Notes how far it was opened.
    pub(super) fn set(&mut self, kind: Kind, progress: Progress) {
        let [providers, server, client] = &mut self.progress;
        *match kind {
            Kind::Providers => providers,
            Kind::ServerMechs => server,
            Kind::ClientMechs => client,
        } = progress;
    }
}

/// The files that may be plugins: `lib*.so`, folder by folder, by name. The
/// first of a stem wins. A folder that cannot be read counts as empty.
pub(super) fn list(folders: &[PathBuf]) -> Vec<File> {
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
                mapped: None,
                progress: [Progress::Closed; 3],
            });
        }
    }
    files
}

/// `libldapdb.so` → `ldapdb`; `None` for what is no plugin's file.
fn stem_of(name: &str) -> Option<CString> {
    if name.len() < 4 || !name.ends_with(".so") {
        return None;
    }
    let stem = name.get(3..)?.split('.').next()?;
    if stem.is_empty() {
        None
    } else {
        CString::new(stem).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_are_the_file_name_without_three_letters() {
        assert_eq!(stem_of("libldapdb.so").as_deref(), Some(c"ldapdb"));
        assert_eq!(stem_of("libldapdb.so.2"), None);
        assert_eq!(stem_of("lib.so"), None);
        assert_eq!(stem_of(".so"), None);
    }

    #[test]
    fn well_known_files_are_not_opened_in_vain() {
        assert!(!Kind::Providers.may_be_in(c"plain"));
        assert!(Kind::Providers.may_be_in(c"ldapdb"));
        assert!(!Kind::ServerMechs.may_be_in(c"ldapdb"));
        for kind in [Kind::Providers, Kind::ServerMechs, Kind::ClientMechs] {
            assert!(kind.may_be_in(c"unheard_of"));
        }
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
