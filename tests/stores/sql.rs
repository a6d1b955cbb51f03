// SPDX-License-Identifier: MIT OR Apache-2.0
//! The sql plugin on real SQLite, PostgreSQL and MariaDB: logins, changes,
//! hostile names, servers that go away. `secured.rs` has TLS and counts.

use crate::accounts::{Place, Plugin};
use lab::database::{Kind, ROLE, Server};
use lab::library::Library::{self, Ours, Stock};
use lab::process;
use lab::scratch::Scratch;
use std::io::Read;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

pub(crate) const PLUGIN: &str = "libsql.so";
const TABLE: &str = "CREATE TABLE users (name VARCHAR(200) NOT NULL, realm VARCHAR(200) NOT NULL, \
                     userPassword VARCHAR(200), mail VARCHAR(200))";
/// Statements in the form that stock's manual shows.
pub(crate) const STATEMENTS: &str = "sql_select=SELECT %p FROM users WHERE name = '%u' AND realm = '%r'\n\
    sql_insert=INSERT INTO users (name, realm, %p) VALUES ('%u', '%r', '%v')\n\
    sql_update=UPDATE users SET %p = '%v' WHERE name = '%u' AND realm = '%r'";
const HOSTILE: [&str; 12] = [
    "' OR '1'='1",
    "x'; DROP TABLE users; --",
    "\\' OR 1=1 --",
    "\\",
    "al\"ice",
    "%%",
    "_",
    "a''b",
    "$1",
    "?",
    "/*",
    "\u{e4}\u{2019}\u{1f600}",
];

/// A database, whatever its engine.
pub(crate) enum Base {
    Server(Server, Kind),
    File(PathBuf),
}

impl Base {
    fn new(scratch: &Scratch, kind: Option<Kind>) -> Self {
        Self::with(match kind {
            Some(kind) => Self::Server(Server::start(scratch, kind).unwrap(), kind),
            None => Self::File(scratch.join("users.db")),
        })
    }

    /// Makes the table.
    pub(crate) fn with(base: Self) -> Self {
        base.run(TABLE);
        if let Self::Server(_, kind) = &base {
            let to = if *kind == Kind::Mariadb {
                "mailer@'127.0.0.1'"
            } else {
                "mailer"
            };
            base.run(&format!("GRANT SELECT, INSERT, UPDATE ON users TO {to}"));
        }
        base
    }

    pub(crate) fn run(&self, statement: &str) -> String {
        match self {
            Self::Server(server, _) => server.run(statement).unwrap(),
            Self::File(file) => {
                let output =
                    process::run(Command::new("sqlite3").arg(file).arg(statement)).unwrap();
                String::from_utf8(output.stdout).unwrap()
            }
        }
    }

    pub(crate) fn options(&self) -> String {
        let (role, password) = ROLE;
        let server = |engine: &str, port: u16| {
            format!(
                "sql_engine={engine}\nsql_hostnames=127.0.0.1:{port}\nsql_user={role}\n\
                 sql_passwd={password}\nsql_database=mail"
            )
        };
        let options = match self {
            Self::Server(running, Kind::Postgres) => server("pgsql", running.port()),
            Self::Server(running, Kind::Mariadb) => server("mysql", running.port()),
            Self::File(file) => format!("sql_engine=sqlite3\nsql_database={}", file.display()),
        };
        format!("auxprop_plugin=sql\nsql_timeout=5\n{options}\n{STATEMENTS}")
    }
}

pub(crate) fn place(library: Library, options: &str) -> Place {
    Place::new(library, Plugin::Ours, PLUGIN, options)
}

pub(crate) fn is_missing(kind: Kind) -> bool {
    let missing = !kind.is_installed();
    if missing {
        eprintln!("skipped: no {kind:?} server here (make check-all)");
    }
    missing
}

fn works(kind: Option<Kind>) {
    if kind.is_some_and(is_missing) {
        return;
    }
    let scratch = Scratch::new().unwrap();
    let base = Base::new(&scratch, kind);
    base.run("INSERT INTO users (name, realm, userPassword) VALUES ('empty', 'lab.test', NULL)");
    for library in [Stock, Ours] {
        let place = place(library, &base.options());
        logs_in(&place, &base, &format!("{library}"));
        hostile_names(&place, &base);
        // NULL is no password, not even an empty one.
        assert_eq!(
            place
                .run(&["check", "empty", "1", "1", ""])
                .succeeded()
                .len(),
            0
        );
        assert_eq!(place.run(&["check", "empty", "1", "1"]).failed(-20), 1);
        // What stock's plugin leaves where it should remove.
        base.run(
            "INSERT INTO users (name, realm, userPassword) VALUES ('removed', 'lab.test', 'NULL')",
        );
        assert_eq!(
            place
                .run(&["check", "removed", "1", "1", "NULL"])
                .failed(-20),
            1
        );
        base.run("DELETE FROM users WHERE name <> 'empty'");
    }
    two_rows(&base);
    a_wrong_statement(&base);
}

fn logs_in(place: &Place, base: &Base, name: &str) {
    let user = format!("{name}%d");
    assert_eq!(place.count("set", &user, 1, 20), 20);
    assert_eq!(place.count("check", &user, 1, 20), 20);
    assert_eq!(place.run(&["wrong", &user, "1", "20"]).failed(-13), 20);
    assert_eq!(place.run(&["check", &user, "21", "22"]).failed(-20), 2);
    let count = format!("SELECT count(*) FROM users WHERE name LIKE '{name}%'");
    assert_eq!(base.run(&count).trim(), "20");
    // Changed, not doubled; removed, not empty.
    assert_eq!(
        place
            .run(&["set", &user, "1", "20", "new"])
            .succeeded()
            .len(),
        20
    );
    assert_eq!(
        place
            .run(&["check", &user, "1", "20", "new"])
            .succeeded()
            .len(),
        20
    );
    assert_eq!(base.run(&count).trim(), "20");
    assert_eq!(place.count("remove", &user, 1, 5), 5);
    assert_eq!(place.run(&["check", &user, "1", "5", "new"]).failed(-20), 5);
    assert_eq!(place.count("remove", "never%d", 1, 1), 1);
}

fn hostile_names(place: &Place, base: &Base) {
    let rows = || {
        base.run("SELECT count(*) FROM users")
            .trim()
            .parse::<usize>()
            .unwrap()
    };
    let before = rows();
    for name in HOSTILE {
        for what in ["check", "exists"] {
            assert_eq!(
                place.run(&[what, name, "1", "1", "x"]).succeeded().len(),
                0,
                "{name}"
            );
        }
        assert_eq!(rows(), before, "{name}");
    }
    for name in HOSTILE {
        assert_eq!(
            place.run(&["set", name, "1", "1", name]).succeeded().len(),
            1,
            "{name}"
        );
    }
    assert_eq!(rows(), before + HOSTILE.len());
    for name in HOSTILE {
        let password = name;
        assert_eq!(
            place
                .run(&["check", name, "1", "1", password])
                .succeeded()
                .len(),
            1,
            "{name}"
        );
        assert_eq!(
            place
                .run(&["check", name, "1", "1", "x' OR '1'='1"])
                .succeeded()
                .len(),
            0
        );
        assert_eq!(
            place.run(&["remove", name, "1", "1"]).succeeded().len(),
            1,
            "{name}"
        );
    }
}

fn two_rows(base: &Base) {
    for password in ["one", "two"] {
        let row = format!("('twin', 'lab.test', '{password}')");
        base.run(&format!(
            "INSERT INTO users (name, realm, userPassword) VALUES {row}"
        ));
    }
    let said = place(Ours, &base.options()).run(&["check", "twin", "1", "1", "nobody's"]);
    assert!(said.log.contains("duplicate row"), "{}", said.log);
    assert_eq!(said.failed(-13), 1);
}

fn a_wrong_statement(base: &Base) {
    let options = base.options().replace("FROM users", "FROM nowhere");
    let said = place(Ours, &options).run(&["check", "canary", "1", "1", "canary-5"]);
    assert_eq!(said.failed(-1), 1, "{said:?}");
    assert!(said.log.contains("nowhere"), "{}", said.log);
    assert!(!said.log.contains("canary-5"), "{}", said.log);
    let options = base.options().replace("name = '%u'", "name = 'x'");
    let said = place(Ours, &options).run(&["check", "u", "1", "1"]);
    assert!(said.log.contains("no %u"), "{}", said.log);
}

#[test]
fn sqlite() {
    works(None);
}

#[test]
fn postgres() {
    works(Some(Kind::Postgres));
}

#[test]
fn mariadb() {
    works(Some(Kind::Mariadb));
}

/// Several hosts: the first that answers; none: a reason for each.
#[test]
fn servers_that_are_down_are_passed_over() {
    if is_missing(Kind::Postgres) {
        return;
    }
    let scratch = Scratch::new().unwrap();
    let base = Base::new(&scratch, Some(Kind::Postgres));
    let closed = lab::port::free().unwrap().port();
    let options = base
        .options()
        .replace("127.0.0.1:", &format!("127.0.0.1:{closed},127.0.0.1:"));
    let place = place(Ours, &options);
    assert_eq!(place.count("set", "u%d", 1, 2), 2);
    assert_eq!(place.count("check", "u%d", 1, 2), 2);
    let Base::Server(server, _) = base else {
        unreachable!()
    };
    server.stop().unwrap();
    let said = place.run(&["check", "u%d", "1", "1"]);
    assert_eq!(said.failed(-24), 1, "{said:?}");
    assert!(said.log.contains("cannot connect"), "{}", said.log);
    assert!(!said.log.contains(ROLE.1), "{}", said.log);
}

/// A peer that accepts and says nothing.
#[test]
fn a_server_that_hangs_is_given_up() {
    for engine in ["pgsql", "mysql"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let mut open = Vec::new();
            while let Ok((mut stream, _)) = listener.accept() {
                let _ = stream.set_read_timeout(Some(Duration::from_millis(10)));
                let _ = stream.read(&mut [0; 64]);
                open.push(stream);
            }
        });
        let options = format!(
            "auxprop_plugin=sql\nsql_timeout=2\nsql_engine={engine}\n\
             sql_hostnames=127.0.0.1:{port}\nsql_user=u\nsql_database=d\n{STATEMENTS}"
        );
        let place = place(Ours, &options);
        let start = Instant::now();
        let said = place.run(&["check", "u", "1", "1"]);
        assert_eq!(said.failed(-24), 1, "{engine} {said:?}");
        assert!(
            start.elapsed() < Duration::from_secs(15),
            "{engine} {:?}",
            start.elapsed()
        );
    }
}

#[test]
fn without_options_it_is_silent() {
    for library in [Stock, Ours] {
        let said = place(library, "").run(&["check", "u", "1", "1"]);
        assert!(!said.log.contains("sql"), "{}", said.log);
        let said = place(library, "auxprop_plugin=sql").run(&["check", "u", "1", "1"]);
        assert!(said.log.contains("sql_select"), "{}", said.log);
    }
}
