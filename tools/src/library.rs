// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the tools share: the version's text, a failure's text and exit code.
#![forbid(unsafe_code)]

use crate::ffi;
use saslplug::{Code, Level};
use std::io::{self, Write};
use std::process::ExitCode;

/// Writes a line to the standard error; who closed it does not want it.
pub(crate) fn complain(tool: &str, text: &str) {
    let _ = writeln!(io::stderr(), "{tool}: {text}");
}

/// Writes a line to the standard output.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// The answer to `-v`.
pub(crate) fn version() -> ExitCode {
    let (name, version) = ffi::version();
    let _ = writeln!(
        io::stderr(),
        "\nBuilt against SASL API version 2.1.28\nLibSasl version {version} by \"{name}\""
    );
    ExitCode::SUCCESS
}

/// What the library logged, as far as it is worth telling.
pub(crate) fn reasons(tool: &str, most: Level) {
    for (_, text) in ffi::said()
        .into_iter()
        .filter(|(level, _)| *level <= most as i32 && *level > 0)
    {
        complain(tool, &text);
    }
}

/// The text of a code, the reasons, and the exit code that scripts know.
pub(crate) fn fail(tool: &str, code: Code) -> ExitCode {
    complain(tool, &ffi::text(code));
    reasons(tool, Level::Warn);
    ExitCode::from(u8::try_from(code.0.unsigned_abs()).unwrap_or(1))
}
