// SPDX-License-Identifier: MIT OR Apache-2.0
//! A server and a client on a library each, with plugins and users of their own.

use crate::case::ODD;
use lab::account::Account;
use lab::library::Library;
use lab::party::{self, Edit, Outcome};
use lab::program::{Headers, Program};
use lab::scratch::{self, Scratch};
use lab::stage::sources;
use lab::{packages, sasldb};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Mechanism plugins of the distribution; the library of this project has all
/// of them built in.
const MECHANISMS: [&str; 7] = [
    "anonymous",
    "crammd5",
    "digestmd5",
    "login",
    "ntlm",
    "plain",
    "scram",
];

/// Users of [`REALM`], each with a password.
pub(crate) const USERS: [(&str, &str); 5] = [
    ("alice", "secret"),
    ("bob", "other"),
    ("otto", "chain of words"),
    ("jürgen", "größer"),
    ODD,
];

const REALM: &str = "lab.test";

/// One library, ready to run programs.
pub(crate) struct Side {
    pub(crate) library: Library,
    plugins: PathBuf,
    users: PathBuf,
    _scratch: Scratch,
}

impl Side {
    /// The library with its own plugins: for stock the distribution's.
    pub(crate) fn new(library: Library) -> io::Result<Self> {
        let scratch = Scratch::new()?;
        let plugins = scratch.folder("sasl2")?;
        let own = library.plugins()?;
        let mut files = vec![own.join(sasldb::PLUGIN)];
        if library == Library::Stock {
            files.extend(MECHANISMS.map(|name| own.join(format!("lib{name}.so"))));
            files.push(packages::plugin("libsasl2-modules-otp", "libotp.so")?);
        }
        for file in files {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let name = name.split(".so").next().unwrap_or_default();
            scratch::copy(&file, &plugins.join(format!("{name}.so")))?;
        }
        let users = sasldb::create(&scratch, REALM, &USERS, Account::named("root")?)?;
        Ok(Self {
            library,
            plugins,
            users,
            _scratch: scratch,
        })
    }

    /// Adds a plugin.
    pub(crate) fn add(&self, plugin: &Path) -> io::Result<()> {
        let name = plugin.file_name().unwrap_or_default();
        scratch::copy(plugin, &self.plugins.join(name))
    }

    /// `party.c` on this library.
    pub(crate) fn program(&self, role: &str, words: &[String]) -> io::Result<Command> {
        static PROGRAM: OnceLock<Program> = OnceLock::new();
        let program = PROGRAM.get_or_init(|| compile("party.c", "sasl2"));
        let mut command = call(program, role, words);
        if role == "server" {
            command.args([
                format!("realm={REALM}"),
                format!("opt:sasldb_path={}", self.users.display()),
                "opt:auxprop_plugin=sasldb".to_owned(),
                "opt:pwcheck_method=auxprop".to_owned(),
            ]);
        }
        command.env("SASL_PATH", &self.plugins);
        command.env("SASL_CONF_PATH", "/nonexistent");
        self.library.select(&mut command)?;
        Ok(command)
    }
}

/// A program of `tests/c/interop`.
pub(crate) fn compile(file: &str, library: &str) -> Program {
    let source = sources().join("tests/c/interop").join(file);
    Program::compile_against(&source, Headers::Stock, library).unwrap()
}

/// A call of one of them, bounded in time.
pub(crate) fn call(program: &Program, role: &str, words: &[String]) -> Command {
    let mut command = Command::new("timeout");
    command.args(["-s", "KILL", "60"]).arg(program.path());
    command.arg(format!("role={role}")).args(words);
    command
}

/// A server and a client.
pub(crate) struct Pair {
    pub(crate) server: Side,
    pub(crate) client: Side,
}

impl Pair {
    /// All pairs, each with its name.
    pub(crate) fn all() -> io::Result<Vec<(String, Self)>> {
        let both = [Library::Ours, Library::Stock];
        let named = |(server, client)| {
            let pair = Self {
                server: Side::new(server)?,
                client: Side::new(client)?,
            };
            Ok((format!("{server} <- {client}"), pair))
        };
        let pairs = both
            .into_iter()
            .flat_map(|one| both.map(|other| (one, other)));
        pairs.map(named).collect()
    }

    /// Whether a side runs on this library.
    pub(crate) fn has(&self, library: Library) -> bool {
        [&self.server, &self.client]
            .iter()
            .any(|side| side.library == library)
    }

    /// An exchange, with the proof of what both ran on.
    pub(crate) fn talk(&self, words: &[Vec<String>; 2], edit: Edit<'_>) -> io::Result<Outcome> {
        let server = self.server.program("server", &words[0])?;
        let client = self.client.program("client", &words[1])?;
        let outcome = party::converse(server, client, edit, &party::faithful)?;
        let sides = [
            (&self.server, &outcome.server),
            (&self.client, &outcome.client),
        ];
        for (side, said) in sides {
            // A side that the other one left had not come to tell.
            if said.code.is_some() {
                side.library.require_in(&said.maps())?;
            }
        }
        Ok(outcome)
    }
}
