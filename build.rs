// SPDX-License-Identifier: MIT OR Apache-2.0
//! Gives the cdylib its identity: SONAME `libsasl2.so.2`, the version node
//! `SASL2` from `include/libsasl2.map`, and the C shim for variadic functions.
//!
//! rustc passes an anonymous version script of its own. rust-lld and ld.lld
//! accept two scripts; GNU ld does not, so a small wrapper named by `-B`
//! drops rustc's (docs/decisions/symbol-versions.md).

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

const WRAPPER: &str = r#"#!/bin/sh
# Drops every version script but ours, then runs the real linker.
name=${0##*/}
self=$(dirname "$0")
for arg do
  shift
  case $arg in
    --version-script=*libsasl2.map) set -- "$@" "$arg" ;;
    --version-script=*) ;;
    *) set -- "$@" "$arg" ;;
  esac
done
PATH=$(printf %s "$PATH" | tr ':' '\n' | grep -vxF "$self" | tr '\n' ':')
exec "$name" "$@"
"#;

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=include/libsasl2.map");
    println!("cargo:rerun-if-changed=src/ffi/variadic.c");
    cc::Build::new()
        .file("src/ffi/variadic.c")
        .warnings(true)
        .compile("sasl2variadic");

    let map = Path::new(&var("CARGO_MANIFEST_DIR")?).join("include/libsasl2.map");
    let out = PathBuf::from(var("OUT_DIR")?);
    link_arg("-Wl,-soname,libsasl2.so.2");
    link_arg(&format!("-Wl,--version-script={}", map.display()));
    link_arg("-Wl,-z,nodelete");
    link_arg("-Wl,-z,now");
    link_arg(&format!("-B{}", write_wrapper(&out)?.display()));
    name_the_file(&out)
}

fn var(name: &str) -> io::Result<String> {
    env::var(name).map_err(|error| io::Error::other(format!("{name}: {error}")))
}

fn link_arg(arg: &str) {
    println!("cargo:rustc-cdylib-link-arg={arg}");
}

fn write_wrapper(out: &Path) -> io::Result<PathBuf> {
    let folder = out.join("ldwrap");
    fs::create_dir_all(&folder)?;
    for name in ["ld", "ld.bfd", "ld.gold", "ld.mold"] {
        let file = folder.join(name);
        fs::write(&file, WRAPPER)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
    }
    Ok(folder)
}

/// Cargo calls the file `libsasl2.so`; programs look for `libsasl2.so.2`.
fn name_the_file(out: &Path) -> io::Result<()> {
    let Some(profile) = out.ancestors().nth(3) else {
        return Ok(());
    };
    let link = profile.join("libsasl2.so.2");
    if link.symlink_metadata().is_ok() {
        fs::remove_file(&link)?;
    }
    symlink("libsasl2.so", link)
}
