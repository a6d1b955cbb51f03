// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command-line tools: names, options, exit codes and the output that
//! scripts read are those of Cyrus SASL's (docs/tools.md has what is new).
//!
//! The programs are three lines each; a module here is one of them.

mod check;
mod ffi;
mod input;
mod library;
mod list;
mod passwd;
mod peer;
mod usage;
mod viewer;

pub use check::run as saslcheck;
pub use list::run as sasldblistusers2;
pub use passwd::run as saslpasswd2;
pub use peer::run as testsaslauthd;
pub use usage::{TOOLS, Tool, completions, manual};
pub use viewer::run as pluginviewer;
