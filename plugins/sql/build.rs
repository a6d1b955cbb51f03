// SPDX-License-Identifier: MIT OR Apache-2.0
//! The plugin stays mapped once loaded: its thread-locals and its panic hook
//! must not point into nothing after a host's dlclose.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,now");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libsql.so");
}
