// SPDX-License-Identifier: MIT OR Apache-2.0
//! OpenLDAP: slapd adds an auxprop plugin of its own before it initialises the
//! library; ldapwhoami negotiates security layers. Each side on stock and ours.

use crate::table::{self, Cell, failed};
use lab::kdc::{self, Kdc};
use lab::library::Library;
use lab::loaded::Loaded;
use lab::maps;
use lab::placed::{Placed, SHARED_SECRET, Way};
use lab::scratch::{self, Scratch};
use lab::slapd::{Kind, Slapd};
use lab::story::{SERVICE_PASSWORD, USER};
use std::io;
use std::process::{Command, Output};

const WRONG: &str = "canary-55";
const JOHN: &str = "dn:cn=johndoe,ou=superheros,dc=users,dc=local";
const GSSAPI: &str = "libgssapiv2.so";

/// A bind: a mechanism, what is asked of the layer, and the layer.
#[derive(Clone, Copy)]
struct Bind {
    mech: &'static str,
    limits: &'static str,
    ssf: u32,
}

const fn bind(mech: &'static str, limits: &'static str, ssf: u32) -> Bind {
    Bind { mech, limits, ssf }
}

/// A slapd and the environment of its clients.
struct Pair {
    slapd: Slapd,
    there: Placed,
    client: Vec<String>,
    scratches: [Scratch; 2],
}

impl Pair {
    /// `more` holds words for the server; `prepare` adds plugins.
    fn new(
        (server, client): (Library, Library),
        more: &[String],
        prepare: impl Fn(&Placed) -> io::Result<()>,
    ) -> io::Result<Self> {
        let scratches = [Scratch::new()?, Scratch::new()?];
        let here = Placed::new(server, &scratches[0])?;
        let there = Placed::new(client, &scratches[1])?;
        prepare(&here)?;
        prepare(&there)?;
        let environment = [&here.environment(Way::LibraryPath), more].concat();
        let kind = Kind::Proxying;
        let slapd = Slapd::start_with(&scratches[0], &environment, kind, SERVICE_PASSWORD, &[])?;
        maps::require_only(slapd.id(), here.library())?;
        Ok(Self {
            slapd,
            client: there.environment(Way::LibraryPath).to_vec(),
            there,
            scratches,
        })
    }

    /// All pairs, each with its name.
    fn all(
        more: &[String],
        prepare: impl Fn(&Placed) -> io::Result<()>,
    ) -> io::Result<Vec<(String, Self)>> {
        let both = [Library::Ours, Library::Stock];
        let pairs = both
            .into_iter()
            .flat_map(|one| both.map(|other| (one, other)));
        let named = |(server, client)| {
            let pair = Self::new((server, client), more, &prepare)?;
            Ok((format!("{server} <- {client}"), pair))
        };
        pairs.map(named).collect()
    }

    /// ldapwhoami, with the proof of what it ran on.
    fn who_am_i(&self, bind: Bind, words: &[&str], more: &[String]) -> io::Result<Output> {
        let loaded = Loaded::new(&self.scratches[1])?;
        let mut command = Command::new("timeout");
        command.args(["60", "env"]).args(&self.client);
        command.args(loaded.environment()).args(more);
        let port = self.slapd.address().port();
        command.args(["ldapwhoami", "-H", &format!("ldap://localhost:{port}")]);
        command
            .args(["-Y", bind.mech, "-O", bind.limits])
            .args(words);
        let output = command.output()?;
        loaded.require_only(self.there.library())?;
        Ok(output)
    }

    /// Whether a bind came to this name, with this layer.
    fn accepted(&self, bind: Bind, name: &str, output: &Output) -> Cell {
        let said = String::from_utf8_lossy(&output.stdout);
        let told = String::from_utf8_lossy(&output.stderr);
        let layer = format!("SASL SSF: {}\n", bind.ssf);
        if said.trim() == name && told.contains(&layer) {
            return Ok(format!("ok, layer {}", bind.ssf));
        }
        failed(format!("{output:?}\n{}", self.slapd.log()))
    }
}

fn with_password(bind: &Bind, pair: &Pair) -> Cell {
    let with = |password| ["-U", USER.0, "-w", password];
    let right = pair.who_am_i(*bind, &with(USER.1), &[])?;
    let word = pair.accepted(*bind, JOHN, &right)?;
    let wrong = pair.who_am_i(*bind, &with(WRONG), &[])?;
    // 49, invalid credentials.
    if wrong.status.code() != Some(49) || pair.slapd.log().contains(WRONG) {
        return failed(format!("wrong password: {wrong:?}\n{}", pair.slapd.log()));
    }
    Ok(word)
}

/// The client asks for a layer that the mechanism does not have.
fn too_weak(bind: &Bind, pair: &Pair) -> Cell {
    let output = pair.who_am_i(*bind, &["-U", USER.0, "-w", USER.1], &[])?;
    match output.status.success() {
        false => Ok("refused".to_owned()),
        true => failed(format!("{output:?}")),
    }
}

#[test]
fn binds_with_passwords() {
    let columns = Pair::all(&[], Placed::add_shared_secret).unwrap();
    let mut binds = vec![bind("PLAIN", "none", 0)];
    binds.extend(SHARED_SECRET.map(|mech| match mech {
        "DIGEST-MD5" => bind(mech, "minssf=128", 128),
        _ => bind(mech, "none", 0),
    }));
    let layers = [
        bind("DIGEST-MD5", "maxssf=0", 0),
        bind("DIGEST-MD5", "minssf=1,maxssf=1", 1),
        bind("DIGEST-MD5", "minssf=128,maxssf=128", 128),
    ];
    binds.extend(layers);
    let named = |bind: &Bind| (format!("{} {}", bind.mech, bind.limits), *bind);
    let rows: Vec<_> = binds.iter().map(named).collect();
    table::fill("slapd <- ldapwhoami", &columns, &rows, with_password);
    let rows = [(
        "CRAM-MD5 minssf=56".to_owned(),
        bind("CRAM-MD5", "minssf=56", 0),
    )];
    table::fill(
        "slapd <- ldapwhoami, no such layer",
        &columns,
        &rows,
        too_weak,
    );
}

/// The Kerberos plugin of the library's own side.
fn add_kerberos(placed: &Placed) -> io::Result<()> {
    match placed.which() {
        Library::Ours => placed.add_our_plugin(GSSAPI),
        Library::Stock => {
            let from = kdc::stock_plugins()?.join(GSSAPI);
            scratch::copy(&from, &placed.plugins().join(GSSAPI))
        }
    }
}

#[test]
fn binds_with_tickets() {
    let scratch = Scratch::new().unwrap();
    let kdc = Kdc::start(&scratch).unwrap();
    kdc.add_user("alice", "secret").unwrap();
    let keytab = kdc.add_service_on("localhost", "ldap", "keytab").unwrap();
    kdc.log_in("alice", "secret", "alice", &[]).unwrap();
    let words = |cache: &str| -> Vec<String> {
        let all = kdc.environment(cache).into_iter();
        all.map(|(name, value)| format!("{name}={value}")).collect()
    };
    let mut server = words("nobody");
    server.push(format!("KRB5_KTNAME=FILE:{}", keytab.display()));
    let columns = Pair::all(&server, add_kerberos).unwrap();
    let binds = [
        bind("GSSAPI", "maxssf=0", 0),
        bind("GSSAPI", "minssf=1,maxssf=1", 1),
        bind("GSSAPI", "minssf=56", 256),
        bind("GSS-SPNEGO", "minssf=56", 256),
    ];
    let named = |bind: &Bind| (format!("{} {}", bind.mech, bind.limits), *bind);
    let rows: Vec<_> = binds.iter().map(named).collect();
    table::fill(
        "slapd <- ldapwhoami, Kerberos",
        &columns,
        &rows,
        |bind: &Bind, pair: &Pair| {
            // -N: the name as it is typed, not as the resolver has it.
            let right = pair.who_am_i(*bind, &["-N"], &words("alice"))?;
            let alice = format!("dn:uid=alice,cn={},cn=auth", bind.mech.to_lowercase());
            let word = pair.accepted(*bind, &alice, &right)?;
            let without = pair.who_am_i(*bind, &["-N"], &words("nobody"))?;
            match without.status.success() {
                false => Ok(word),
                true => failed(format!("without a ticket: {without:?}")),
            }
        },
    );
}
