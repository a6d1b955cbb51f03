// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program that runs with somebody else's rights does not let its caller's
//! environment choose plugins or configuration files.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a test fails by panicking, and says what it skipped"
)]

use lab::account::Account;
use lab::library::Library;
use lab::placed::Placed;
use lab::process;
use lab::scratch::Scratch;
use lab::stage::sources;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

fn compile(words: &[&str], to: &Path) {
    let mut command = Command::new("cc");
    command.args(["-Wall", "-Werror", "-I"]);
    command.arg(sources().join("include"));
    command.arg(sources().join("tests/c/plugins/secure.c"));
    process::run(command.args(words).arg("-o").arg(to)).unwrap();
}

fn run(program: &Path, scratch: &Scratch, library: &Path) -> String {
    let mut command = Command::new("timeout");
    command.arg("60").arg(program).arg("libsecured.so");
    command
        .arg(library)
        .env_remove("LD_LIBRARY_PATH")
        .env("SASL_PATH", scratch.join("plugins"))
        .env("SASL_CONF_PATH", scratch.join("conf"));
    let output = process::run(&mut command).unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_environment_of_another_user_is_not_heard() {
    let Ok(nobody) = Account::named("nobody") else {
        eprintln!("skipped: there is no user nobody");
        return;
    };
    for library in [Library::Stock, Library::Ours] {
        let scratch = Scratch::new().unwrap();
        let placed = Placed::new(library, &scratch).unwrap();
        let plugins = scratch.folder("plugins").unwrap();
        compile(
            &["-shared", "-fPIC", "-DPLUGIN"],
            &plugins.join("libsecured.so"),
        );
        if library == Library::Stock {
            fs::copy(
                placed.plugins().join("libplain.so"),
                plugins.join("libplain.so"),
            )
            .unwrap();
        }
        scratch.folder("conf").unwrap();
        scratch.file("conf/secure.conf", "found: seen\n").unwrap();
        let folder = placed.library().parent().unwrap().display().to_string();
        let program = scratch.join("program");
        // A set-user-id program takes no library from the environment either.
        compile(&["-lsasl2", &format!("-Wl,-rpath,{folder}")], &program);
        let said = run(&program, &scratch, placed.library());
        assert_eq!(
            said, "ids equal, file seen, plugin loaded, library right\n",
            "{library}"
        );
        if chown(&program, Some(nobody.uid), Some(nobody.gid)).is_err() {
            eprintln!("skipped: only root can make a program of another user's");
            return;
        }
        fs::set_permissions(&program, Permissions::from_mode(0o4755)).unwrap();
        let said = run(&program, &scratch, placed.library());
        assert_eq!(
            said, "ids differ, file unseen, plugin unseen, library right\n",
            "{library}"
        );
    }
}
