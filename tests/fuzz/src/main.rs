// SPDX-License-Identifier: MIT OR Apache-2.0
//! All fuzz targets in one program; `FUZZ_TARGET` names the one to run, without
//! it their names are printed. `run.sh` builds and drives it.
#![no_main]

mod calls;
mod directory_parts;
mod exchange;
mod ffi;
mod layers;
mod library_parts;
mod script;
mod stores;
mod tables;

#[path = "../../../crates/mech/src/testing.rs"]
mod testing;

// What the shared test hosts are written against.
use mech::{Answer, ChannelBinding, ClientHost, Disposition, Limits, Lookup, Prompt, PromptKind};
use mech::{Security, ServerHost};
use std::sync::OnceLock;

static CHOSEN: OnceLock<fn(&[u8])> = OnceLock::new();

/// Looks the target up before the first run.
#[allow(
    clippy::disallowed_methods,
    reason = "libFuzzer has the main function: there is nothing to return to"
)]
fn choose() {
    let wanted = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let Some(target) = tables::find(&wanted) else {
        for name in tables::names() {
            println!("{name}");
        }
        std::process::exit(if wanted.is_empty() { 0 } else { 2 });
    };
    let _ = CHOSEN.set(target);
}

libfuzzer_sys::fuzz_target!(init: choose(), |data: &[u8]| {
    if let Some(target) = CHOSEN.get() {
        target(data);
    }
});
