// SPDX-License-Identifier: MIT OR Apache-2.0
//! What most programs get: a scratch folder, one of the two libraries with its
//! sasldb plugin, and alice in a password file.

use lab::account::Account;
use lab::library::Library;
use lab::loaded::Loaded;
use lab::packages;
use lab::placed::{Placed, Way};
use lab::sasldb;
use lab::scratch::{Scratch, set_mode};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

/// The user's realm.
pub(crate) const REALM: &str = "lab.test";
/// The user's name without a realm.
pub(crate) const USER: &str = "alice";
/// Her password.
pub(crate) const PASSWORD: &str = "wonder-land";
/// A password that must not be seen in a log.
pub(crate) const WRONG: &str = "canary-44";
/// For a server's start, on a loaded machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(40);

pub(crate) struct Site {
    pub(crate) scratch: Scratch,
    pub(crate) placed: Placed,
    pub(crate) loaded: Loaded,
}

impl Site {
    /// Lays it out.
    pub(crate) fn new(which: Library) -> Self {
        let scratch = Scratch::new().unwrap();
        let placed = Placed::new(which, &scratch).unwrap();
        if which == Library::Stock {
            placed.add_plugin(sasldb::PLUGIN).unwrap();
            placed.add_shared_secret().unwrap();
        } else {
            placed.add_our_plugin(sasldb::PLUGIN).unwrap();
        }
        let loaded = Loaded::new(&scratch).unwrap();
        let owner = Account::named("root").unwrap();
        let file = sasldb::create(&scratch, REALM, &[(USER, PASSWORD)], owner).unwrap();
        // Mail servers check logins without root's rights.
        set_mode(&file, 0o644).unwrap();
        Self {
            scratch,
            placed,
            loaded,
        }
    }

    /// The folder's file or folder of this name.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// Options for users in the password file.
    pub(crate) fn options(&self, mechanisms: &str) -> String {
        format!(
            "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {}\nmech_list: {mechanisms}\n",
            self.path("sasldb2").display()
        )
    }

    /// `NAME=value` words for a program whose files are below `root`.
    pub(crate) fn environment(&self, root: &Path) -> Vec<String> {
        let [mut path, plugins] = self.placed.environment(Way::LibraryPath);
        if root != Path::new("/") {
            let libraries = packages::libraries();
            let older = libraries.trim_start_matches("usr/");
            for folder in [&libraries, older, "usr/lib"] {
                path.push_str(&format!(":{}", root.join(folder).display()));
            }
        }
        let folder = format!("SASL_CONF_PATH={}", self.scratch.path().display());
        vec![path, plugins, folder]
    }

    /// The same, and the dynamic linker writes down what it loads.
    pub(crate) fn noted_environment(&self, root: &Path) -> Vec<String> {
        let mut words = self.environment(root);
        words.extend(self.loaded.environment());
        words
    }

    /// Runs a short program of `root` and proves its library.
    pub(crate) fn run(&self, root: &Path, arguments: &[&str]) -> Ran {
        let mut command = Command::new("timeout");
        command
            .args(["60", "env"])
            .args(self.noted_environment(root));
        command.arg("LC_ALL=C.UTF-8").args(arguments);
        command.current_dir(self.scratch.path());
        command.env("HOME", self.scratch.path());
        let ran = Ran::from(command.output().unwrap());
        let proof = self.loaded.require_only(self.placed.library());
        assert!(proof.is_ok(), "{proof:?} {ran:?}");
        ran
    }
}

/// What a short program did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) ok: bool,
    /// Both outputs.
    pub(crate) said: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            ok: output.status.success(),
            said: text(&output.stdout) + &text(&output.stderr),
        }
    }
}
