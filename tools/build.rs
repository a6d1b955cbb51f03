// SPDX-License-Identifier: MIT OR Apache-2.0
//! Links the tools against `libsasl2.so.2` at version SASL2, whichever library
//! that is when they run. The linker is shown a stand-in with the names that we
//! call: neither the library of this workspace (cargo cannot order a package
//! after a cdylib) nor a system's development files are needed
//! (docs/decisions/tools.md).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// What `src/ffi.rs` declares.
const FUNCTIONS: &[&str] = &[
    "auxprop_plugin_info",
    "prop_dispose",
    "prop_new",
    "prop_request",
    "prop_set",
    "sasl_auxprop_store",
    "sasl_checkpass",
    "sasl_client_init",
    "sasl_client_new",
    "sasl_client_plugin_info",
    "sasl_dispose",
    "sasl_done",
    "sasl_errdetail",
    "sasl_errstring",
    "sasl_listmech",
    "sasl_server_init",
    "sasl_server_new",
    "sasl_server_plugin_info",
    "sasl_server_start",
    "sasl_setpass",
    "sasl_setprop",
    "sasl_version_info",
];

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("no OUT_DIR"))?;
    let folder = PathBuf::from(out).join("stand-in");
    fs::create_dir_all(&folder)?;
    let bodies: String = FUNCTIONS
        .iter()
        .map(|name| format!("void {name}(void) {{}}\n"))
        .collect();
    fs::write(folder.join("sasl2.c"), bodies)?;
    fs::write(folder.join("sasl2.map"), "SASL2 { global: *; };\n")?;
    compile(&folder)?;
    println!("cargo:rustc-link-search=native={}", folder.display());
    println!("cargo:rustc-link-lib=dylib=sasl2");
    Ok(())
}

fn compile(folder: &Path) -> io::Result<()> {
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let status = Command::new(compiler)
        .current_dir(folder)
        .args(["-shared", "-fPIC", "-o", "libsasl2.so", "sasl2.c"])
        .args([
            "-Wl,-soname,libsasl2.so.2",
            "-Wl,--version-script=sasl2.map",
        ])
        .status()?;
    match status.success() {
        true => Ok(()),
        false => Err(io::Error::other(
            "the C compiler could not make the stand-in",
        )),
    }
}
