// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C shim for variadic functions, as in the library's own build script.

fn main() {
    const SHIM: &str = "../../../src/ffi/variadic.c";
    println!("cargo:rerun-if-changed={SHIM}");
    cc::Build::new().file(SHIM).compile("sasl2variadic");
}
