// SPDX-License-Identifier: MIT OR Apache-2.0
//! The library as it would be installed: built for release and laid out below
//! `target/stage`, so that tests run what users will run.
//!
//! Several test processes may do this at once. Each file is written under
//! another name and then renamed, and only when its content changed, so nobody
//! sees half a file and a running program keeps its inode.

#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::OnceLock;
use std::{env, fs, io};

/// Where everything was laid out.
#[derive(Debug)]
pub struct Stage {
    root: PathBuf,
}

impl Stage {
    /// The folder of `libsasl2.so.2`, for `LD_LIBRARY_PATH` and `-L`.
    pub fn lib(&self) -> PathBuf {
        self.root.join("lib")
    }

    /// The library file itself.
    pub fn library(&self) -> PathBuf {
        self.lib().join("libsasl2.so.2")
    }

    /// The folder of our plugins, for `SASL_PATH`.
    pub fn plugins(&self) -> PathBuf {
        self.lib().join("sasl2")
    }

    /// The folder that holds `sasl/sasl.h`, for `-I`.
    pub fn include(&self) -> PathBuf {
        self.root.join("include")
    }
}

/// The top folder of the sources.
pub fn sources() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// Cargo's folder for built files.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| sources().join("target"), PathBuf::from)
}

/// Builds and lays out the library, once in a process; the error is the
/// build's output.
pub fn stage() -> io::Result<&'static Stage> {
    static STAGE: OnceLock<Result<Stage, String>> = OnceLock::new();
    STAGE
        .get_or_init(|| {
            build()
                .and_then(|()| lay_out())
                .map_err(|error| error.to_string())
        })
        .as_ref()
        .map_err(|error| io::Error::other(error.clone()))
}

fn build() -> io::Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--release", "--workspace", "--exclude", "lab"])
        .current_dir(sources())
        .stdin(Stdio::null())
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "the release build failed ({}):\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    )))
}

fn lay_out() -> io::Result<Stage> {
    let release = target().join("release");
    let stage = Stage {
        root: target().join("stage"),
    };
    let lib = stage.lib();
    let plugins = stage.plugins();
    let headers = stage.include().join("sasl");
    fs::create_dir_all(&plugins)?;
    fs::create_dir_all(&headers)?;

    put(
        &stage.library(),
        &fs::read(release.join("libsasl2.so"))?,
        0o755,
    )?;
    link("libsasl2.so.2", &lib.join("libsasl2.so"))?;
    let mut expected = Vec::new();
    for plugin in plugin_names()? {
        let file = format!("lib{plugin}.so");
        put(&plugins.join(&file), &fs::read(release.join(&file))?, 0o755)?;
        expected.push(file);
    }
    remove_all_but(&plugins, &expected)?;
    for entry in fs::read_dir(sources().join("include/sasl"))? {
        let entry = entry?;
        put(
            &headers.join(entry.file_name()),
            &fs::read(entry.path())?,
            0o644,
        )?;
    }
    let template = fs::read_to_string(sources().join("include/libsasl2.pc.in"))?;
    let text = template
        .replace("@prefix@", &stage.root.display().to_string())
        .replace("@libdir@", "${prefix}/lib")
        .replace("@includedir@", "${prefix}/include");
    put(&lib.join("pkgconfig/libsasl2.pc"), text.as_bytes(), 0o644)?;
    Ok(stage)
}

/// The packages below `plugins/`: each makes one shared library.
fn plugin_names() -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(sources().join("plugins"))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").exists() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn put(file: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if fs::read(file).is_ok_and(|present| present == content) {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let fresh = beside(file);
    fs::write(&fresh, content)?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(mode))?;
    fs::rename(&fresh, file)
}

fn link(to: &str, name: &Path) -> io::Result<()> {
    if fs::read_link(name).is_ok_and(|present| present == Path::new(to)) {
        return Ok(());
    }
    let fresh = beside(name);
    symlink(to, &fresh)?;
    fs::rename(&fresh, name)
}

/// A hidden name in the same folder that only this process uses.
fn beside(file: &Path) -> PathBuf {
    let name = file.file_name().and_then(OsStr::to_str).unwrap_or("file");
    file.with_file_name(format!(".{name}.{}", process::id()))
}

fn remove_all_but(folder: &Path, expected: &[String]) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && !expected.contains(&name) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_did_not_change_keeps_its_inode() {
        use std::os::unix::fs::MetadataExt;
        let folder = env::temp_dir().join(format!("oxisasl-stage-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("file");
        put(&file, b"one", 0o644).unwrap();
        let first = fs::metadata(&file).unwrap().ino();
        put(&file, b"one", 0o644).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().ino(), first);
        put(&file, b"two", 0o644).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        link("file", &folder.join("link")).unwrap();
        link("file", &folder.join("link")).unwrap();
        assert_eq!(fs::read(folder.join("link")).unwrap(), b"two");
        fs::remove_dir_all(&folder).unwrap();
    }
}
