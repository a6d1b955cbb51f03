// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program `pluginviewer`: see `tools::pluginviewer`.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    tools::pluginviewer(std::env::args_os())
}
