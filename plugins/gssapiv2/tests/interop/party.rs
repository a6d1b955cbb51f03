// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two programs (`party.c`) and the messages between them.

use lab::account::Account;
use lab::kdc::{self, Kdc};
use lab::library::Library;
use lab::scratch::{self, Scratch};
use lab::{process, sasldb, stage};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
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
    program: PathBuf,
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
        let program = scratch.join("party");
        let source = stage::sources().join("plugins/gssapiv2/tests/party.c");
        let mut compile = Command::new("gcc");
        compile
            .args(["-Wall", "-Werror", "-o"])
            .arg(&program)
            .arg(source);
        process::run(compile.arg("-lsasl2")).unwrap();
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
        command.arg("30").arg(&self.program);
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

/// What a side said.
#[derive(Debug, Default, Clone)]
pub(crate) struct Said {
    /// The code of the end; `None` when the other side ended it.
    pub(crate) code: Option<i32>,
    pub(crate) detail: String,
    pub(crate) properties: BTreeMap<String, String>,
    /// What it read of the other's protected data, or the code.
    pub(crate) data: Option<Result<String, i32>>,
}

impl Said {
    pub(crate) fn property(&self, name: &str) -> &str {
        self.properties.get(name).map_or("", String::as_str)
    }

    pub(crate) fn ssf(&self) -> Option<u32> {
        if self.code != Some(0) {
            return None;
        }
        self.property("ssf").parse().ok()
    }
}

/// What both said, and the messages.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) server: Said,
    pub(crate) client: Said,
    pub(crate) messages: Vec<String>,
}

impl Outcome {
    pub(crate) fn both_ok(&self) -> bool {
        self.server.code == Some(0) && self.client.code == Some(0)
    }
}

struct Party {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    said: Said,
}

impl Party {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            child,
            lines,
            said: Said::default(),
        }
    }

    fn tell(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        // A side that has ended does not listen any more.
        let _ = writeln!(stdin, "{line}");
    }

    /// The next message, protected data or end; properties are kept.
    fn hear(&mut self) -> Option<String> {
        loop {
            let line = self.lines.next()?.unwrap();
            match line.split_once(' ').unwrap_or((&line, "")) {
                ("P", rest) => {
                    let (name, value) = rest.split_once(' ').unwrap_or((rest, ""));
                    let map = &mut self.said.properties;
                    map.insert(name.to_owned(), value.to_owned());
                }
                ("E", rest) => {
                    let (code, detail) = rest.split_once(' ').unwrap_or((rest, ""));
                    let code = code.parse().unwrap();
                    if self.said.code.is_none() {
                        self.said.code = Some(code);
                        detail.clone_into(&mut self.said.detail);
                    }
                    return Some(format!("E {code}"));
                }
                _ => return Some(line),
            }
        }
    }

    /// Ends the program; it must not have crashed.
    fn end(mut self) -> Said {
        self.tell("Q");
        let status = self.child.wait().unwrap();
        assert!(status.code().is_some_and(|code| code < 124), "{status}");
        self.said
    }
}

/// Edits a message on its way: its number, and its line.
pub(crate) type Edit<'a> = &'a dyn Fn(usize, String) -> String;

pub(crate) fn faithful(_: usize, line: String) -> String {
    line
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
    let start = |place, role, cache, words: &[String]| {
        Party::start(world.command(place, role, cache, words))
    };
    let mut parties = [
        start(case.server, "server", "nobody", &server_words),
        start(case.client, "client", case.cache, &client_words),
    ];
    let mut outcome = Outcome::default();
    let mut turn = 1;
    let both_ended = |parties: &[Party; 2]| parties.iter().all(|party| party.said.code.is_some());
    while !both_ended(&parties) {
        let Some(line) = parties[turn].hear() else {
            break;
        };
        let failed = parties[turn].said.code.is_some_and(|code| code != 0);
        if failed {
            break;
        }
        if !line.starts_with('E') {
            let line = edit(outcome.messages.len(), line);
            parties[1 - turn].tell(&line);
            outcome.messages.push(line);
        }
        turn = 1 - turn;
    }
    let ok = parties.iter().all(|party| party.said.code == Some(0));
    if ok
        && case
            .client_words
            .iter()
            .any(|word| word.starts_with("data="))
    {
        exchange(&mut parties, spoil);
    }
    let [server, client] = parties;
    outcome.server = server.end();
    outcome.client = client.end();
    outcome
}

/// Each side's protected data goes to the other.
fn exchange(parties: &mut [Party; 2], spoil: Edit<'_>) {
    let sent: Vec<_> = parties.iter_mut().map(Party::hear).collect();
    for (number, line) in sent.into_iter().enumerate() {
        let Some(line) = line.filter(|line| line.starts_with('L')) else {
            continue;
        };
        let receiver = &mut parties[1 - number];
        for line in spoil(number, line).lines() {
            receiver.tell(line);
            let heard = receiver.hear();
            receiver.said.data = heard.map(|heard| match heard.split_once(' ') {
                Some(("E", code)) => Err(code.parse().unwrap()),
                Some((_, data)) => Ok(data.to_owned()),
                None => Ok(String::new()),
            });
        }
    }
}
