// SPDX-License-Identifier: MIT OR Apache-2.0
//! C plugins as our traits: one file a kind, and the loader.

pub(crate) mod auxprop;
pub(crate) mod canonuser;
pub(crate) mod loader;
pub(crate) mod verify;
