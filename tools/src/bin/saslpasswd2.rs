// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program `saslpasswd2`: see `tools::saslpasswd2`.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    tools::saslpasswd2(std::env::args_os())
}
