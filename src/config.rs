// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keeps the options of `<application>.conf`. The crate `options` finds and
//! reads the file.
#![forbid(unsafe_code)]

pub(crate) use options::file::{Config, Reading, find, read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// The options of this process: what `sasl_server_init` or `sasl_config_init`
/// read last. One table for both, as on stock.
static OPTIONS: RwLock<Option<Arc<Config>>> = RwLock::new(None);
/// Whether there are any: most options are asked for and not set.
static ANY: AtomicBool = AtomicBool::new(false);

/// The options of this process, if a file was read.
pub(crate) fn options() -> Option<Arc<Config>> {
    if !ANY.load(Ordering::Acquire) {
        return None;
    }
    OPTIONS
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

/// Replaces the options of this process; `None` forgets them.
pub(crate) fn set_options(config: Option<Arc<Config>>) {
    let old = {
        let mut options = OPTIONS.write().unwrap_or_else(PoisonError::into_inner);
        ANY.store(config.is_some(), Ordering::Release);
        core::mem::replace(&mut *options, config)
    };
    drop(old);
}
