// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program `sasldblistusers2`: see `tools::sasldblistusers2`.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    tools::sasldblistusers2(std::env::args_os())
}
