// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compiles the shim that writes Berkeley DB files: only the C compiler knows
//! the layout of the structure `DB`. The library itself is opened at run time,
//! by the first write.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/berkeley.c");
    cc::Build::new()
        .file("src/berkeley.c")
        .warnings(true)
        .compile("sasldbberkeley");
}
