// SPDX-License-Identifier: MIT OR Apache-2.0
//! A realm, its users and services, and how two programs (`party.c`) meet in it.

use lab::account::Account;
use lab::kdc::{self, Kdc};
use lab::library::Library;
pub(crate) use lab::party::{Edit, Outcome, faithful, sample};
use lab::program::{Headers, Program};
use lab::scratch::{self, Scratch};
use lab::{party, sasldb, stage};
use std::cell::RefCell;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, Weak};

/// Whose Kerberos plugins a program loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plugins {
    Ours,
    Debian,
}

/// A library and its plugins.
pub(crate) type Place = (Library, Plugins);

/// The KDC, the services, the users and the program, for all tests.
pub(crate) struct World {
    pub(crate) kdc: Kdc,
    pub(crate) keytab: PathBuf,
    pub(crate) other_keytab: PathBuf,
    program: Program,
    folders: [PathBuf; 2],
    sasldb: PathBuf,
    _scratch: Scratch,
}

static WORLD: Mutex<Weak<World>> = Mutex::new(Weak::new());

thread_local! {
    /// Each test runs in a thread of its own: the world stays as long as one
    /// of them needs it, and is then stopped and removed.
    static HELD: RefCell<Option<Arc<World>>> = const { RefCell::new(None) };
}

pub(crate) fn world() -> Arc<World> {
    let mut shared = WORLD.lock().unwrap();
    let world = shared.upgrade().unwrap_or_else(|| Arc::new(World::new()));
    *shared = Arc::downgrade(&world);
    HELD.with_borrow_mut(|held| *held = Some(Arc::clone(&world)));
    world
}

impl World {
    fn new() -> Self {
        let scratch = Scratch::new().unwrap();
        let kdc = Kdc::start(&scratch).unwrap();
        kdc.add_user("alice", "secret").unwrap();
        let keytab = kdc.add_service("imap", "keytab").unwrap();
        let other_keytab = kdc.add_service("ldap", "other").unwrap();
        kdc.log_in("alice", "secret", "alice", &["-f"]).unwrap();
        let ours = Library::Ours.plugins().unwrap();
        let debian = kdc::stock_plugins().unwrap();
        let folders = [("ours", &ours), ("debian", &debian)].map(|(name, from)| {
            let folder = scratch.folder(name).unwrap();
            for file in ["libgssapiv2.so", "libgs2.so"] {
                scratch::copy(&from.join(file), &folder.join(file)).unwrap();
            }
            let store = Library::Stock.plugins().unwrap().join(sasldb::PLUGIN);
            scratch::copy(&store, &folder.join(sasldb::PLUGIN)).unwrap();
            folder
        });
        let source = stage::sources().join("tests/c/interop/party.c");
        let program = Program::compile(&source, Headers::Stock).unwrap();
        let owner = Account::named("root").unwrap();
        let sasldb = sasldb::create(&scratch, "lab.test", &[("alice", "secret")], owner).unwrap();
        Self {
            kdc,
            keytab,
            other_keytab,
            program,
            folders,
            sasldb,
            _scratch: scratch,
        }
    }

    fn command(&self, place: Place, role: &str, cache: &str, words: &[String]) -> Command {
        let mut command = Command::new("timeout");
        command.arg("30").arg(self.program.path());
        command.arg(format!("role={role}")).args(words);
        command.envs(self.kdc.environment(cache));
        let [ours, debian] = &self.folders;
        let folder = if place.1 == Plugins::Ours {
            ours
        } else {
            debian
        };
        command.env("SASL_PATH", folder);
        place.0.select(&mut command).unwrap();
        command
    }
}

/// How one exchange is set up. Words are those of `party.c`.
pub(crate) struct Case<'a> {
    pub(crate) server: Place,
    pub(crate) client: Place,
    pub(crate) mech: &'a str,
    pub(crate) server_words: &'a [&'a str],
    pub(crate) client_words: &'a [&'a str],
    pub(crate) cache: &'a str,
}

pub(crate) const OURS: Place = (Library::Ours, Plugins::Ours);

impl Default for Case<'_> {
    fn default() -> Self {
        Self {
            server: OURS,
            client: OURS,
            mech: "GSSAPI",
            server_words: &[],
            client_words: &[],
            cache: "alice",
        }
    }
}

/// Runs an exchange to its end.
pub(crate) fn talk(case: &Case<'_>) -> Outcome {
    talk_through(case, &faithful, &faithful)
}

/// Runs an exchange whose messages go through `edit`, and whose protected data
/// (0 the server's, 1 the client's) through `spoil`.
pub(crate) fn talk_through(case: &Case<'_>, edit: Edit<'_>, spoil: Edit<'_>) -> Outcome {
    let world = world();
    let mut server_words = vec![format!("opt:sasldb_path={}", world.sasldb.display())];
    let keytab = format!("opt:keytab={}", world.keytab.display());
    let has_keytab = |word: &&str| word.starts_with("opt:keytab=");
    server_words.extend((!case.server_words.iter().any(has_keytab)).then_some(keytab));
    server_words.extend(case.server_words.iter().map(|&word| word.to_owned()));
    server_words.push("realm=lab.test".to_owned());
    let mut client_words: Vec<String> = case.client_words.iter().map(|&w| w.to_owned()).collect();
    for words in [&mut server_words, &mut client_words] {
        words.push(format!("mech={}", case.mech));
    }
    let server = world.command(case.server, "server", "nobody", &server_words);
    let client = world.command(case.client, "client", case.cache, &client_words);
    let outcome = party::converse(server, client, edit, spoil).unwrap();
    // A side that the other one left had not come to that.
    for (place, said) in [
        (case.server, &outcome.server),
        (case.client, &outcome.client),
    ] {
        if said.code.is_some() {
            place.0.require_in(&said.maps()).unwrap();
        }
    }
    outcome
}
