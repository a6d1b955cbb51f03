// SPDX-License-Identifier: MIT OR Apache-2.0
//! The exports of `sasl.h`, by section of the header, and the callback lists of
//! the two inits, which C keeps and may change only after done.

pub(crate) mod client;
pub(crate) mod common;
pub(crate) mod layer;
pub(crate) mod password;
pub(crate) mod property;
pub(crate) mod server;
pub(crate) mod setup;

use crate::ffi::application::CApplication;
use crate::ffi::{memory, utils};
use crate::library::{self, Left, Side};
use core::ptr;
use saslplug::Code;
use saslplug::raw::sasl_callback_t;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Clone, Copy)]
struct Lists {
    server: Option<CApplication>,
    client: Option<CApplication>,
    latest: Option<CApplication>,
}

static LISTS: Mutex<Lists> = Mutex::new(Lists {
    server: None,
    client: None,
    latest: None,
});

fn lists<T>(work: impl FnOnce(&mut Lists) -> T) -> T {
    work(&mut LISTS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The callbacks of the latest init.
pub(crate) fn global_callbacks() -> Option<CApplication> {
    lists(|lists| lists.latest)
}

/// The callbacks of a connection of `side` with its own list `own`.
pub(crate) fn callbacks(side: Side, own: *const sasl_callback_t) -> CApplication {
    let global = lists(|lists| {
        if side == Side::Server {
            lists.server
        } else {
            lists.client
        }
    });
    match global {
        Some(known) if own.is_null() => known,
        Some(known) => CApplication::of(own, known.global),
        None => CApplication::of(own, ptr::null()),
    }
}

/// What every init does first: shows the global utils, takes the callbacks.
pub(crate) fn begin(side: Side, list: *const sasl_callback_t) -> CApplication {
    let app = CApplication::of(ptr::null(), list);
    memory::fix_allocator();
    utils::publish();
    lists(|lists| {
        lists.latest = Some(app);
        match side {
            Side::Server => lists.server = Some(app),
            Side::Client => lists.client = Some(app),
        }
    });
    library::current().set_program(side, Arc::new(app));
    app
}

/// Takes the callbacks of an init back that failed or is done.
pub(crate) fn end(side: Side) {
    lists(|lists| match side {
        Side::Server => {
            lists.server = None;
            lists.latest = lists.client;
        }
        Side::Client => {
            lists.client = None;
            lists.latest = lists.server;
        }
    });
}

/// Undoes [`begin`] after an init that failed.
pub(crate) fn abandon(side: Side) {
    end(side);
    // The program may free the list now: nothing may look into it again.
    library::current().forget_program(side);
    if !library::is_any_active() {
        utils::withdraw();
    }
}

/// One user of a side less.
pub(crate) fn leave(side: Side) -> Code {
    let _turn = library::turn();
    match library::leave(side) {
        Left::Nothing => Code::NOTINIT,
        Left::InUse => Code::CONTINUE,
        Left::Down { last } => {
            end(side);
            if last {
                utils::withdraw();
                setup::forget_paths();
            }
            Code::OK
        }
    }
}
