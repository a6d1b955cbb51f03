// SPDX-License-Identifier: MIT OR Apache-2.0
//! `make stage`: builds the library and its plugins for release, lays them out
//! as an installation would, and says where.

#![forbid(unsafe_code)]

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let stage = lab::stage::stage()?;
    writeln!(io::stdout(), "{}", stage.lib().display())
}
