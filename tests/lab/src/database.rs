// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scratch database servers: PostgreSQL and MariaDB on loopback, each with its
//! data in the scratch folder and under its own account.

#![forbid(unsafe_code)]

use crate::account::Account;
use crate::certificate::Certificate;
use crate::port;
use crate::process::{self, Process, in_session};
use crate::scratch::{self, Scratch};
use std::fs;
use std::io;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(40);

/// The engines that are servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// PostgreSQL.
    Postgres,
    /// MariaDB.
    Mariadb,
}

impl Kind {
    /// Whether the server is installed. Where the environment holds `LAB_ALL`
    /// it has to be: then this says yes and a start fails.
    pub fn is_installed(self) -> bool {
        let found = match self {
            Self::Postgres => postgres_program("initdb").is_ok_and(|program| program.exists()),
            Self::Mariadb => Path::new(MARIADBD).exists(),
        };
        found || std::env::var_os("LAB_ALL").is_some()
    }
}

const MARIADBD: &str = "/usr/sbin/mariadbd";

/// The role that the servers make: its name and password.
pub const ROLE: (&str, &str) = ("mailer", "open sesame");

/// A running server with an empty database `mail`.
#[derive(Debug)]
pub struct Server {
    kind: Kind,
    process: Process,
    folder: PathBuf,
    port: u16,
}

/// A command under an account.
fn as_user(account: &str, program: &Path) -> io::Result<Command> {
    let owner = Account::named(account)?;
    let mut command = in_session("setpriv");
    command.args([
        "--reuid",
        &owner.uid.to_string(),
        "--regid",
        &owner.gid.to_string(),
    ]);
    command.arg("--clear-groups").arg(program);
    Ok(command)
}

fn postgres_program(name: &str) -> io::Result<PathBuf> {
    let mut versions: Vec<_> = fs::read_dir("/usr/lib/postgresql")?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    versions.sort();
    let newest = versions
        .pop()
        .ok_or_else(|| io::Error::other("no PostgreSQL"))?;
    Ok(newest.join("bin").join(name))
}

impl Server {
    /// Starts one.
    pub fn start(scratch: &Scratch, kind: Kind) -> io::Result<Self> {
        Self::start_with(scratch, kind, None)
    }

    /// Starts one that takes nothing but TLS over the network, with this
    /// certificate.
    pub fn start_with(
        scratch: &Scratch,
        kind: Kind,
        certificate: Option<&Certificate>,
    ) -> io::Result<Self> {
        let port = port::free()?.port();
        let (name, account) = match kind {
            Kind::Postgres => ("postgres", "postgres"),
            Kind::Mariadb => ("mariadb", "mysql"),
        };
        let folder = scratch.folder_of(name, Account::named(account)?)?;
        let mut command = match kind {
            Kind::Postgres => postgres(&folder, port)?,
            Kind::Mariadb => mariadb(&folder, port)?,
        };
        if let Some(certificate) = certificate {
            demand_tls(kind, &folder, certificate, &mut command)?;
        }
        let log = scratch.join(&format!("{name}.log"));
        let mut process = Process::start(name, &mut command, &log)?;
        process.wait_ready(LIMIT, || {
            Ok(admin(kind, &folder, port)?
                .args(probe(kind))
                .output()?
                .status
                .success())
        })?;
        let server = Self {
            kind,
            process,
            folder,
            port,
        };
        let (role, password) = ROLE;
        server.run(&match kind {
            Kind::Postgres => format!("CREATE ROLE {role} LOGIN PASSWORD '{password}'"),
            Kind::Mariadb => format!("CREATE USER {role}@'127.0.0.1' IDENTIFIED BY '{password}'"),
        })?;
        server.run("CREATE DATABASE mail")?;
        Ok(server)
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs a statement as the administrator; what it gave, a line a row.
    pub fn run(&self, statement: &str) -> io::Result<String> {
        let mut command = admin(self.kind, &self.folder, self.port)?;
        match self.kind {
            Kind::Postgres => command.args(["-v", "ON_ERROR_STOP=1", "-Atc", statement]),
            Kind::Mariadb => command.args(["-N", "-e", statement]),
        };
        let database = !statement.starts_with("CREATE ROLE")
            && !statement.starts_with("CREATE USER")
            && !statement.starts_with("CREATE DATABASE");
        if database {
            command.arg("mail");
        }
        Ok(String::from_utf8_lossy(&process::run(&mut command)?.stdout).into_owned())
    }

    /// Every question so far, a line each, with what the server writes around it:
    /// statements, and what MariaDB was told to prepare.
    pub fn statements(&self) -> io::Result<Vec<String>> {
        let (text, marks): (_, &[&str]) = match self.kind {
            Kind::Postgres => (self.process.output(), &[" statement: ", " execute "]),
            Kind::Mariadb => {
                let text = fs::read(self.folder.join("statements"))?;
                let text = String::from_utf8_lossy(&text).into_owned();
                (text, &[" Query\t", " Prepare\t", " Execute\t"])
            }
        };
        let lines = text.lines().map(str::to_owned);
        Ok(lines
            .filter(|line| marks.iter().any(|mark| line.contains(mark)))
            .collect())
    }

    /// Stops it, as a crash or an upgrade would.
    pub fn stop(mut self) -> io::Result<()> {
        self.process.stop()
    }
}

/// Over the network only with TLS.
fn demand_tls(
    kind: Kind,
    folder: &Path,
    certificate: &Certificate,
    command: &mut Command,
) -> io::Result<()> {
    let account = match kind {
        Kind::Postgres => "postgres",
        Kind::Mariadb => "mysql",
    };
    let owner = Account::named(account)?;
    let (file, key) = (folder.join("server.pem"), folder.join("server.key"));
    for (from, to) in [(&certificate.file, &file), (&certificate.key, &key)] {
        fs::copy(from, to)?;
        scratch::set_mode(to, 0o600)?;
        chown(to, Some(owner.uid), Some(owner.gid))?;
    }
    let (file, key) = (file.display(), key.display());
    match kind {
        Kind::Postgres => {
            let rules = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n";
            fs::write(folder.join("data/pg_hba.conf"), rules)?;
            command.args(["-c", "ssl=on", "-c", &format!("ssl_cert_file={file}")]);
            command.args(["-c", &format!("ssl_key_file={key}")]);
        }
        Kind::Mariadb => {
            command.args([format!("--ssl-cert={file}"), format!("--ssl-key={key}")]);
            command.arg("--require-secure-transport=ON");
        }
    }
    Ok(())
}

fn probe(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Postgres => &["-Atc", "SELECT 1"],
        Kind::Mariadb => &["-N", "-e", "SELECT 1"],
    }
}

/// The administrator's client.
fn admin(kind: Kind, folder: &Path, port: u16) -> io::Result<Command> {
    let mut command;
    match kind {
        Kind::Postgres => {
            command = as_user("postgres", &postgres_program("psql")?)?;
            command
                .arg("-h")
                .arg(folder)
                .args(["-p", &port.to_string(), "-U", "postgres"]);
        }
        Kind::Mariadb => {
            command = Command::new("mariadb");
            command
                .args(["--no-defaults", "-u", "root", "-S"])
                .arg(folder.join("socket"));
        }
    }
    command.env("LANG", "C.UTF-8").current_dir("/");
    Ok(command)
}

fn postgres(folder: &Path, port: u16) -> io::Result<Command> {
    let data = folder.join("data");
    let mut make = as_user("postgres", &postgres_program("initdb")?)?;
    make.arg("-D").arg(&data).args([
        "-U",
        "postgres",
        "--auth-local=trust",
        "--auth-host=scram-sha-256",
    ]);
    make.args(["-E", "UTF8", "--locale=C.UTF-8", "-N"])
        .current_dir("/");
    process::run(&mut make)?;
    let mut command = as_user("postgres", &postgres_program("postgres")?)?;
    command
        .arg("-D")
        .arg(&data)
        .arg("-k")
        .arg(folder)
        .args(["-p", &port.to_string()]);
    command.args([
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        "fsync=off",
        "-c",
        "log_statement=all",
    ]);
    command.current_dir("/");
    Ok(command)
}

fn mariadb(folder: &Path, port: u16) -> io::Result<Command> {
    let data = format!("--datadir={}", folder.join("data").display());
    let mut make = as_user("mysql", Path::new("mariadb-install-db"))?;
    make.args([
        "--no-defaults",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        &data,
    ]);
    process::run(make.current_dir("/"))?;
    let mut command = as_user("mysql", Path::new(MARIADBD))?;
    command.args([
        "--no-defaults",
        &data,
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
    ]);
    command
        .arg(format!("--port={port}"))
        .arg(format!("--socket={}", folder.join("socket").display()));
    command.arg(format!("--pid-file={}", folder.join("pid").display()));
    command.args([
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-buffer-pool-size=16M",
    ]);
    command.arg("--general-log").arg(format!(
        "--general-log-file={}",
        folder.join("statements").display()
    ));
    command.args([
        "--character-set-server=utf8mb4",
        "--collation-server=utf8mb4_bin",
    ]);
    command.current_dir("/");
    Ok(command)
}
