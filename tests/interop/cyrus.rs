// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cyrus IMAP and its client imtest, which both use libsasl2, in the clear and
//! inside TLS, where SCRAM binds to the channel.

use crate::table::{self, Cell, failed};
use lab::account::Account;
use lab::certificate::Certificate;
use lab::cyrus::{Cyrus, Service};
use lab::imtest::{self, Outcome};
use lab::library::Library;
use lab::loaded::Loaded;
use lab::placed::{Placed, Way};
use lab::scratch::{Scratch, set_mode};
use lab::{port, sasldb};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

const USER: (&str, &str) = ("jdoe", "dogood");
const WRONG: &str = "canary-77";

/// "p=tls-unique," in base64, up to where the next byte matters.
const BOUND: &str = "cD10bHMtdW5pcXVlL";

/// A login: imtest's options.
#[derive(Clone, Copy)]
struct Login {
    name: &'static str,
    options: &'static [&'static str],
    ssf: Option<u32>,
    tls: bool,
    says: &'static str,
}

const fn clear(name: &'static str, options: &'static [&'static str]) -> Login {
    Login {
        name,
        options,
        ssf: None,
        tls: false,
        says: "",
    }
}

const fn layer(name: &'static str, options: &'static [&'static str], ssf: u32) -> Login {
    Login {
        ssf: Some(ssf),
        ..clear(name, options)
    }
}

const fn inside(name: &'static str, options: &'static [&'static str]) -> Login {
    Login {
        tls: true,
        ..clear(name, options)
    }
}

const fn bound(name: &'static str, options: &'static [&'static str]) -> Login {
    Login {
        says: BOUND,
        ..inside(name, options)
    }
}

/// Logins in the clear.
const CLEAR: [Login; 12] = [
    clear("login", &["-m", "login"]),
    clear("PLAIN", &["-m", "PLAIN"]),
    clear("LOGIN", &["-m", "LOGIN"]),
    clear("CRAM-MD5", &["-m", "CRAM-MD5"]),
    layer("DIGEST-MD5 auth", &["-m", "DIGEST-MD5", "-l", "0"], 0),
    layer("DIGEST-MD5 auth-int", &["-m", "DIGEST-MD5", "-l", "1"], 1),
    layer(
        "DIGEST-MD5 auth-conf",
        &["-m", "DIGEST-MD5", "-l", "128"],
        128,
    ),
    clear("SCRAM-SHA-1", &["-m", "SCRAM-SHA-1"]),
    clear("SCRAM-SHA-224", &["-m", "SCRAM-SHA-224"]),
    clear("SCRAM-SHA-256", &["-m", "SCRAM-SHA-256"]),
    clear("SCRAM-SHA-384", &["-m", "SCRAM-SHA-384"]),
    clear("SCRAM-SHA-512", &["-m", "SCRAM-SHA-512"]),
];

/// Logins inside TLS.
const INSIDE: [Login; 7] = [
    inside("TLS: PLAIN", &["-s", "-m", "PLAIN"]),
    inside("TLS: SCRAM-SHA-256", &["-s", "-m", "SCRAM-SHA-256"]),
    bound("TLS: SCRAM-SHA-1-PLUS", &["-s", "-m", "SCRAM-SHA-1-PLUS"]),
    bound(
        "TLS: SCRAM-SHA-224-PLUS",
        &["-s", "-m", "SCRAM-SHA-224-PLUS"],
    ),
    bound(
        "TLS: SCRAM-SHA-256-PLUS",
        &["-s", "-m", "SCRAM-SHA-256-PLUS"],
    ),
    bound(
        "TLS: SCRAM-SHA-384-PLUS",
        &["-s", "-m", "SCRAM-SHA-384-PLUS"],
    ),
    bound(
        "TLS: SCRAM-SHA-512-PLUS",
        &["-s", "-m", "SCRAM-SHA-512-PLUS"],
    ),
];

/// A server, on its library.
struct Server {
    cyrus: Cyrus,
    inside_tls: SocketAddr,
    _scratch: Scratch,
}

fn add_plugins(placed: &Placed) -> io::Result<()> {
    placed.add_plugin(sasldb::PLUGIN)?;
    match placed.which() {
        Library::Ours => Ok(()),
        Library::Stock => placed.add_shared_secret(),
    }
}

impl Server {
    fn new(library: Library, tls: &str) -> io::Result<Self> {
        let scratch = Scratch::new()?;
        let placed = Placed::new(library, &scratch)?;
        add_plugins(&placed)?;
        let owner = Account::named("cyrus")?;
        let users = sasldb::create(&scratch, "imap.example.com", &[USER], owner)?;
        let certificate = Certificate::new(&scratch, "imap.example.com")?;
        // The server's user reads it.
        set_mode(&certificate.key, 0o644)?;
        let lines = format!(
            "sasl_pwcheck_method: auxprop\nsasl_auxprop_plugin: sasldb\nsasl_sasldb_path: {}\n\
             sasl_mech_list: PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-224 \
             SCRAM-SHA-256 SCRAM-SHA-384 SCRAM-SHA-512\n\
             tls_server_cert: {}\ntls_server_key: {}\ntls_versions: {tls}\n",
            users.display(),
            certificate.file.display(),
            certificate.key.display()
        );
        let way = Way::LibraryPath;
        let inside_tls = port::free()?;
        let further = [("imaps", "imapd -s", inside_tls)];
        let cyrus = Cyrus::start_with(&scratch, &placed, way, Service::Fresh, &lines, &further)?;
        Ok(Self {
            cyrus,
            inside_tls,
            _scratch: scratch,
        })
    }
}

/// A server and imtest, each on a library.
struct Pair {
    tls: &'static str,
    server: Arc<Server>,
    client: Placed,
    scratch: Scratch,
}

impl Pair {
    fn all(tls: &'static str) -> io::Result<Vec<(String, Self)>> {
        let mut all = Vec::new();
        for library in [Library::Ours, Library::Stock] {
            let server = Arc::new(Server::new(library, tls)?);
            for client in [Library::Ours, Library::Stock] {
                let scratch = Scratch::new()?;
                let pair = Self {
                    tls,
                    server: Arc::clone(&server),
                    client: Placed::new(client, &scratch)?,
                    scratch,
                };
                add_plugins(&pair.client)?;
                all.push((format!("{library} <- {client}"), pair));
            }
        }
        Ok(all)
    }

    /// imtest, with the proof of what it ran on.
    fn run(&self, login: &Login, password: &str) -> io::Result<Outcome> {
        let loaded = Loaded::new(&self.scratch)?;
        let mut words = self.client.environment(Way::LibraryPath).to_vec();
        words.extend(loaded.environment());
        let cyrus = &self.server.cyrus;
        let address = match login.tls {
            true => self.server.inside_tls,
            false => cyrus.address(),
        };
        let outcome = imtest::run_with(address, login.options, USER.0, password, &words)?;
        loaded.require_only(self.client.library())?;
        Ok(outcome)
    }
}

fn try_login(login: &Login, pair: &Pair) -> Cell {
    let log = || pair.server.cyrus.syslog().lines().join("\n");
    let right = pair.run(login, USER.1)?;
    let layer = login.ssf.is_none() || right.layer() == login.ssf;
    // What follows the login goes through the layer.
    let done = right.authenticated && right.said.contains("OK Completed");
    let tls = format!(
        "TLS connection established: {} ",
        pair.tls.replace("tls1_", "TLSv1.")
    );
    let secured = right.said.contains(&tls) == login.tls;
    if !done || !layer || !secured || !right.said.contains(login.says) {
        return failed(format!("{}\n{}", right.said, log()));
    }
    let wrong = pair.run(login, WRONG)?;
    if wrong.authenticated || log().contains(WRONG) {
        return failed(format!("wrong password: {}\n{}", wrong.said, log()));
    }
    Ok(login
        .ssf
        .map_or_else(|| "ok".to_owned(), |ssf| format!("ok, layer {ssf}")))
}

fn logs_in(tls: &'static str, logins: &[Login]) {
    let columns = Pair::all(tls).unwrap();
    let named = |login: &Login| (login.name.to_owned(), *login);
    let rows: Vec<_> = logins.iter().map(named).collect();
    let title = format!("Cyrus IMAP ({tls}): imapd <- imtest");
    table::fill(&title, &columns, &rows, try_login);
}

#[test]
fn in_the_clear() {
    logs_in("tls1_2", &CLEAR);
}

#[test]
fn inside_tls_1_2() {
    logs_in("tls1_2", &INSIDE);
}

#[test]
fn inside_tls_1_3() {
    logs_in("tls1_3", &INSIDE);
}
