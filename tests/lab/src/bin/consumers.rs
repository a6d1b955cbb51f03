// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prints the table of programs that the tests ran; `--forget` empties it.

#![forbid(unsafe_code)]

use lab::consumer;
use std::io::{self, Write};

fn main() -> io::Result<()> {
    if std::env::args().any(|argument| argument == "--forget") {
        return consumer::forget();
    }
    io::stdout().write_all(consumer::table()?.as_bytes())
}
