// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scratch servers for the tests and the demo.

#![forbid(unsafe_code)]

pub mod library;
pub mod program;
pub mod stage;
