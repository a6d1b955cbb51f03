// SPDX-License-Identifier: MIT OR Apache-2.0
//! A host may close the plugin's file: it stays mapped all the same, because
//! Rust's thread-locals must not point into nothing.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
