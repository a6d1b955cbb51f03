// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program `saslcheck`: see `tools::saslcheck`.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    tools::saslcheck(std::env::args_os())
}
