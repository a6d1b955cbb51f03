// SPDX-License-Identifier: MIT OR Apache-2.0
//! The allocator and the mutexes that plugins use: the C library's and none,
//! unless the program brought its own (`sasl_set_alloc`, `sasl_set_mutex`).
//! This library's own memory is Rust's.

use core::ffi::{c_int, c_void};
use saslplug::raw::*;
use std::sync::{PoisonError, RwLock};

/// The four allocation functions.
#[derive(Clone, Copy)]
pub(crate) struct Allocator {
    /// `malloc`.
    pub(crate) malloc: sasl_malloc_t,
    /// `calloc`.
    pub(crate) calloc: sasl_calloc_t,
    /// `realloc`.
    pub(crate) realloc: sasl_realloc_t,
    /// `free`.
    pub(crate) free: sasl_free_t,
}

/// The four mutex functions.
#[derive(Clone, Copy)]
pub(crate) struct Mutexes {
    /// Makes one.
    pub(crate) alloc: sasl_mutex_alloc_t,
    /// 0 = locked.
    pub(crate) lock: sasl_mutex_lock_t,
    /// 0 = unlocked.
    pub(crate) unlock: sasl_mutex_unlock_t,
    /// Frees one.
    pub(crate) free: sasl_mutex_free_t,
}

struct Chosen {
    allocator: Allocator,
    fixed: bool,
    mutexes: Mutexes,
}

static CHOSEN: RwLock<Chosen> = RwLock::new(Chosen {
    allocator: Allocator {
        malloc: Some(libc::malloc),
        calloc: Some(libc::calloc),
        realloc: Some(libc::realloc),
        free: Some(libc::free),
    },
    fixed: false,
    mutexes: Mutexes {
        alloc: Some(no_mutex),
        lock: Some(no_lock),
        unlock: Some(no_lock),
        free: Some(no_free),
    },
});

// Stock's default: distinct connections need no mutex, and a plugin that keeps
// shared state brings its own.
unsafe extern "C" fn no_mutex() -> *mut c_void {
    core::ptr::without_provenance_mut(1)
}
unsafe extern "C" fn no_lock(_: *mut c_void) -> c_int {
    0
}
unsafe extern "C" fn no_free(_: *mut c_void) {}

/// The functions in force.
pub(crate) fn chosen() -> (Allocator, Mutexes) {
    let chosen = CHOSEN.read().unwrap_or_else(PoisonError::into_inner);
    (chosen.allocator, chosen.mutexes)
}

/// `sasl_set_alloc`: the first call counts, and none after an init.
pub(crate) fn set_allocator(allocator: Allocator) {
    let mut chosen = CHOSEN.write().unwrap_or_else(PoisonError::into_inner);
    if !chosen.fixed {
        chosen.allocator = allocator;
        chosen.fixed = true;
    }
}

/// An init happened: the allocator stays what it is.
pub(crate) fn fix_allocator() {
    CHOSEN.write().unwrap_or_else(PoisonError::into_inner).fixed = true;
}

/// `sasl_set_mutex`.
pub(crate) fn set_mutexes(mutexes: Mutexes) {
    CHOSEN
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .mutexes = mutexes;
}
