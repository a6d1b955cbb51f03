// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stores and daemons beside LDAP: is the file, socket or server there, may
//! it be used, and what to do if not.
#![forbid(unsafe_code)]

use super::Task;
use super::file::Source;
use super::report::{Item, Phase, Report};
use crate::usage::system_text;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(3);
const SASLAUTHD: &str = "/var/run/saslauthd/mux";

pub(super) fn check(task: &Task, report: &mut Report) {
    let source = &task.source;
    let methods = source.methods();
    let [file, database] = ["sasldb", "sql"].map(|store| source.asks(store));
    let [saslauthd, courier] = ["saslauthd", "authdaemond"].map(|word| methods.contains(&word));
    if ![file, database, saslauthd, courier].contains(&true) {
        return;
    }
    report.begin("Other stores");
    if saslauthd {
        let path = socket_path(source.get("saslauthd_path"));
        socket("saslauthd", &path, SASLAUTHD_REMEDY, report);
    }
    if courier {
        let path = PathBuf::from(source.get("authdaemond_path").unwrap_or("/dev/null"));
        socket(
            "authdaemond",
            &path,
            "start it, or correct authdaemond_path",
            report,
        );
    }
    if file {
        sasldb(task, report);
    }
    if database {
        sql(source, report);
    }
}

const SASLAUTHD_REMEDY: &str = "start it (systemctl start saslauthd), or correct saslauthd_path; \
     a server in a chroot needs its socket inside";

/// The option names the socket or its folder.
fn socket_path(option: Option<&str>) -> PathBuf {
    let path = PathBuf::from(option.unwrap_or(SASLAUTHD));
    match path.is_dir() {
        true => path.join("mux"),
        false => path,
    }
}

/// Name and number of who runs this.
pub(super) fn user() -> (String, u32) {
    let number = fs::metadata("/proc/self").map_or(u32::MAX, |about| about.uid());
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut names = passwd.lines().filter_map(|line| {
        let mut parts = line.split(':');
        let name = parts.next()?;
        (parts.nth(1)?.parse::<u32>().ok()? == number).then(|| name.to_owned())
    });
    (names.next().unwrap_or_else(|| number.to_string()), number)
}

fn owned_by(path: &Path) -> String {
    match fs::metadata(path) {
        Ok(about) => format!(
            "mode {:03o}, user {}, group {}",
            about.mode() & 0o7777,
            about.uid(),
            about.gid()
        ),
        Err(_) => "it cannot be seen".to_owned(),
    }
}

fn socket(what: &str, path: &Path, remedy: &str, report: &mut Report) {
    let start = Instant::now();
    let item = match UnixStream::connect(path) {
        Ok(_) => Item::good(format!("{what} answers at {}", path.display())),
        Err(error) => Item::bad(format!(
            "{what} at {}: {}: {}",
            path.display(),
            system_text(&error),
            socket_remedy(&error, path, remedy)
        )),
    };
    report.add(Phase::Store, item.took(start.elapsed()));
}

fn socket_remedy(error: &io::Error, path: &Path, remedy: &str) -> String {
    let is_socket = fs::metadata(path).is_ok_and(|about| about.file_type().is_socket());
    match error.kind() {
        ErrorKind::PermissionDenied => format!(
            "{} may not reach it: add it to the group sasl (adduser {} sasl) and start the server \
             again",
            user().0,
            user().0
        ),
        ErrorKind::ConnectionRefused if !is_socket => {
            format!("this is no socket: {remedy}")
        }
        _ => remedy.to_owned(),
    }
}

fn sasldb(task: &Task, report: &mut Report) {
    let path = task.source.options.get("sasldb", "sasldb_path");
    let path = path.unwrap_or(saslfile::DEFAULT_PATH);
    let start = Instant::now();
    let outcome = values_of(path, task.user.as_deref());
    let time = start.elapsed();
    let item = match (&outcome, fs::metadata(path)) {
        (_, Err(error)) if error.kind() == ErrorKind::NotFound => Item::bad(format!(
            "sasldb {path}: there is no such file: saslpasswd2 -c -f {path} USER makes it, or \
             correct sasldb_path"
        )),
        (Err(error), _) => Item::bad(format!(
            "sasldb: {} ({}, run by {}): let the server's user read it (group sasl)",
            error.reason(),
            owned_by(Path::new(path)),
            user().0
        )),
        (Ok((all, own)), _) => Item::good(format!("sasldb {path}: {all} values")).with(own.clone()),
    };
    report.add(Phase::Store, item.took(time));
    if let (Some(user), Ok((_, own))) = (&task.user, &outcome) {
        let text = format!("sasldb {path}: no user {user} in it, in any realm (sasldblistusers2)");
        let others = task.source.words("auxprop_plugin").len() > 1;
        match (own.is_empty(), others) {
            (true, true) => report.add(Phase::Store, Item::note(text)),
            (true, false) => report.add(Phase::Store, Item::bad(text)),
            (false, _) => {}
        }
    }
}

/// How many values a file has, and which of them are the user's.
fn values_of(path: &str, user: Option<&str>) -> saslplug::Result<(usize, Vec<String>)> {
    let wanted = user.map(|user| user.split('@').next().unwrap_or(user));
    let (mut all, mut own) = (0_usize, Vec::new());
    saslfile::Database::new(saslfile::Options::new(path)).each(&mut |key, _| {
        all = all.saturating_add(1);
        if wanted.is_some_and(|user| user.as_bytes() == key.user) {
            let [user, realm, property] =
                [key.user, key.realm, key.property].map(String::from_utf8_lossy);
            own.push(format!("{user}@{realm}: {property}"));
        }
    })?;
    Ok((all, own))
}

fn sql(source: &Source, report: &mut Report) {
    let get = |name: &str| source.options.get("SQL", name).unwrap_or_default().trim();
    if get("sql_select").is_empty() && get("sql_statement").is_empty() {
        let text =
            "sql_select is not set: SELECT password FROM users WHERE name = '%u' AND realm = '%r'";
        report.add(Phase::Options, Item::bad(text));
    }
    let engine = match get("sql_engine") {
        "" => "mysql",
        engine => engine,
    };
    if engine.starts_with("sqlite") {
        return sqlite(get("sql_database"), report);
    }
    let (port, local) = match engine {
        "pgsql" => (5432, "/var/run/postgresql/.s.PGSQL.5432"),
        _ => (3306, "/run/mysqld/mysqld.sock"),
    };
    let hosts: Vec<&str> = get("sql_hostnames")
        .split(',')
        .map(str::trim)
        .filter(|host| !host.is_empty())
        .collect();
    if hosts.is_empty() {
        let remedy = "start the database, or name it in sql_hostnames";
        return socket(engine, Path::new(local), remedy, report);
    }
    for host in hosts {
        server(engine, host, port, report);
    }
}

fn sqlite(path: &str, report: &mut Report) {
    let item = match File::open(path) {
        _ if path.is_empty() => Item::bad("sql_database is not set: the path of the SQLite file"),
        Ok(_) => Item::good(format!(
            "SQLite file {path} ({})",
            owned_by(Path::new(path))
        )),
        Err(error) => Item::bad(format!(
            "SQLite file {path}: {}: correct sql_database, or let {} read it ({})",
            system_text(&error),
            user().0,
            owned_by(Path::new(path))
        )),
    };
    report.add(Phase::Store, item);
}

/// A server that others than this tool will log in to.
fn server(engine: &str, host: &str, port: u16, report: &mut Report) {
    let start = Instant::now();
    let name = host.to_owned();
    let target = match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => (
            name.trim_matches(['[', ']']).to_owned(),
            port.parse().unwrap_or(0),
        ),
        _ => (host.trim_matches(['[', ']']).to_owned(), port),
    };
    let connected = target.to_socket_addrs().and_then(|addresses| {
        let mut last = io::Error::other("the name has no address");
        for address in addresses {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(_) => return Ok(address),
                Err(error) => last = error,
            }
        }
        Err(last)
    });
    let item = match connected {
        Ok(address) => Item::good(format!(
            "{engine} server {name}: somebody listens at {address}"
        )),
        Err(error) => Item::bad(format!(
            "{engine} server {name} (port {}): {}: is it up? Correct sql_hostnames",
            target.1,
            system_text(&error)
        )),
    };
    report.add(Phase::Store, item.took(start.elapsed()));
}
