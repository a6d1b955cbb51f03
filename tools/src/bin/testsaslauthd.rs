// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program `testsaslauthd`: see `tools::testsaslauthd`.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    tools::testsaslauthd(std::env::args_os())
}
