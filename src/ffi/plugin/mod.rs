// SPDX-License-Identifier: MIT OR Apache-2.0
//! C plugins as our traits: one file a kind, and the loader.

pub(crate) mod auxprop;
pub(crate) mod canonuser;
pub(crate) mod client_mech;
pub(crate) mod context;
pub(crate) mod loader;
mod plugs;
pub(crate) mod server_mech;
pub(crate) mod verify;
