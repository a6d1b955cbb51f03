// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the copy is worked on and how it becomes the file: by a rename, or,
//! where a rename would change more than the content (no right to make files
//! in the folder, a hard link, a mount point, an owner that we cannot give
//! away), page by page.
#![forbid(unsafe_code)]

use super::refused;
use crate::ffi;
use saslplug::{Code, Error, Result};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::process;

/// Pages are compared in pieces of this size.
const PIECE: usize = 4096;

/// The two ways.
enum How {
    Rename,
    InPlace,
}

/// See the module.
pub(super) struct Place<'a> {
    path: &'a Path,
    original: &'a File,
    how: How,
    folder: PathBuf,
}

/// A copy, removed when dropped unless it was renamed: then its name may be the
/// next writer's already.
pub(super) struct Copy {
    path: PathBuf,
    folder: Option<PathBuf>,
    renamed: bool,
}

impl Copy {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if self.renamed {
            return;
        }
        // Nothing can be told from a drop; the next writer removes it.
        let _ = fs::remove_file(&self.path);
        if let Some(folder) = &self.folder {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// The copy beside the original. Who has the lock owns the name: what is there
/// already was left by a writer that was killed.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.new"))
}

fn make(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// A new file gets what Debian gives it: 0660, group `sasl`.
pub(super) fn settle_owner(path: &Path, file: &File) -> Result<()> {
    let failed = |error: io::Error| refused("its owner and mode cannot be set", &error);
    let group = ffi::group(c"sasl").filter(|_| ffi::is_root());
    let mode = match group {
        Some(group) => {
            fchown(file, None, Some(group)).map_err(failed)?;
            0o660
        }
        None => 0o660 & !ffi::umask(),
    };
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(failed)
}

impl<'a> Place<'a> {
    /// Chooses the way.
    pub(super) fn of(path: &'a Path, original: &'a File) -> Result<Self> {
        let failed = |error: io::Error| refused("cannot be opened", &error);
        // Whoever may not write the file must not replace it either.
        OpenOptions::new()
            .write(true)
            .open(path)
            .map_err(|error| refused("cannot be written", &error))?;
        let metadata = original.metadata().map_err(failed)?;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).to_path_buf();
        let copy = beside(path);
        // Left by a writer that was killed.
        let _ = fs::remove_file(&copy);
        let probe = make(&copy).and_then(|file| {
            fchown(&file, Some(metadata.uid()), Some(metadata.gid()))?;
            fs::remove_file(&copy)
        });
        let how = match probe {
            Ok(()) if metadata.nlink() == 1 => How::Rename,
            _ => How::InPlace,
        };
        Ok(Self {
            path,
            original,
            how,
            folder,
        })
    }

    /// Writes a copy of the content for Berkeley DB to work on.
    pub(super) fn copy(&self, base: &[u8]) -> Result<Copy> {
        let failed = |error: io::Error| refused("a copy cannot be made", &error);
        let copy = match self.how {
            How::Rename => Copy {
                path: beside(self.path),
                folder: None,
                renamed: false,
            },
            How::InPlace => {
                let folder = private_folder().map_err(failed)?;
                Copy {
                    path: folder.join("sasldb2"),
                    folder: Some(folder),
                    renamed: false,
                }
            }
        };
        if !base.is_empty() {
            make(&copy.path)
                .and_then(|mut file| file.write_all(base))
                .map_err(failed)?;
        }
        Ok(copy)
    }

    /// Makes the copy the file; `true`: under a new inode.
    pub(super) fn put(&self, copy: &mut Copy, base: &[u8]) -> Result<bool> {
        let failed = |error: io::Error| refused("cannot be replaced", &error);
        let file = File::open(&copy.path).map_err(failed)?;
        if let How::InPlace = self.how {
            return self.write_pages(&file, base).map(|()| false);
        }
        let metadata = self.original.metadata().map_err(failed)?;
        if base.is_empty() && metadata.mode() & 0o7777 == 0o600 {
            settle_owner(&copy.path, &file)?;
        } else {
            fchown(&file, Some(metadata.uid()), Some(metadata.gid())).map_err(failed)?;
            file.set_permissions(Permissions::from_mode(metadata.mode() & 0o7777))
                .map_err(failed)?;
        }
        file.sync_all().map_err(failed)?;
        match fs::rename(&copy.path, self.path) {
            // A mount point.
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                return self.write_pages(&file, base).map(|()| false);
            }
            outcome => outcome.map_err(failed)?,
        }
        copy.renamed = true;
        // The name must be on the disk too; a folder that cannot be opened is
        // no reason to call the change failed.
        if let Ok(folder) = File::open(&self.folder) {
            let _ = folder.sync_all();
        }
        Ok(true)
    }

    /// Writes what differs: new pages first, the first page last.
    fn write_pages(&self, copy: &File, base: &[u8]) -> Result<()> {
        let failed = |error: io::Error| refused("cannot be written", &error);
        let length = usize::try_from(copy.metadata().map_err(failed)?.len()).unwrap_or_default();
        let mut image = vec![0; length];
        copy.read_exact_at(&mut image, 0).map_err(failed)?;
        if length < base.len() {
            return Err(Error::new(Code::FAIL, "the copy is shorter than the file"));
        }
        let target = OpenOptions::new()
            .write(true)
            .open(self.path)
            .map_err(failed)?;
        let pages: Vec<(usize, &[u8])> = image.chunks(PIECE).enumerate().collect();
        for (number, page) in pages.iter().rev() {
            let start = number.saturating_mul(PIECE);
            let before = base.get(start..start.saturating_add(page.len()));
            if before != Some(*page) {
                let offset = u64::try_from(start).unwrap_or_default();
                target.write_all_at(page, offset).map_err(failed)?;
            }
        }
        target.sync_all().map_err(failed)
    }
}

/// A folder that only we can enter.
fn private_folder() -> io::Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt;
    for number in 0..1000u32 {
        let folder = std::env::temp_dir().join(format!("sasldb-{}-{number}", process::id()));
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            outcome => return outcome.map(|()| folder),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
