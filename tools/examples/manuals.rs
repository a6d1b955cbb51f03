// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes the manual pages and the shell completions of all tools into a
//! folder: `cargo run -p tools --example manuals FOLDER`.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs, io};

fn write(folder: &PathBuf) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for tool in tools::TOOLS {
        fs::write(
            folder.join(format!("{}.8", tool.name)),
            tools::manual(tool)?,
        )?;
        for (file, text) in tools::completions(tool)? {
            fs::write(folder.join(file), text)?;
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    match env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .map(|folder| write(&folder))
    {
        Some(Ok(())) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
