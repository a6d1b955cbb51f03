// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scratch servers for the tests and the demo.
