// SPDX-License-Identifier: MIT OR Apache-2.0
//! `make bench`: PLAIN logins a second at memcached, whose answer costs little
//! besides libsasl2, with the distribution's library and with ours. Rounds
//! alternate, and the best of each counts: the rest is the machine's noise.

#![forbid(unsafe_code)]

use lab::account::Account;
use lab::library::Library;
use lab::memcached::{Memcached, SUCCESS};
use lab::placed::{Placed, Way};
use lab::sasldb;
use lab::scratch::Scratch;
use std::io::{self, Write};
use std::time::Instant;

const ROUNDS: usize = 11;
const LOGINS: u32 = 1500;
const MESSAGE: &[u8] = b"\0alice@lab.test\0wonder land";

fn main() -> io::Result<()> {
    let (stock, ours) = (&Scratch::new()?, &Scratch::new()?);
    let servers = [start(Library::Stock, stock)?, start(Library::Ours, ours)?];
    let mut best = [0.0_f64; 2];
    for _ in 0..ROUNDS {
        for (server, best) in servers.iter().zip(&mut best) {
            *best = best.max(round(server)?);
        }
    }
    let [stock, ours] = best;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "memcached, PLAIN against sasldb, {LOGINS} logins a round, best of {ROUNDS}:"
    )?;
    writeln!(out, "  stock  {stock:>8.0} logins/s")?;
    writeln!(
        out,
        "  ours   {ours:>8.0} logins/s   {:.2} of stock",
        ours / stock
    )
}

fn start(which: Library, scratch: &Scratch) -> io::Result<Memcached> {
    let placed = Placed::new(which, scratch)?;
    placed.add_plugin(sasldb::PLUGIN)?;
    let users = [("alice", "wonder land")];
    let file = sasldb::create(scratch, "lab.test", &users, Account::named("root")?)?;
    let lines = format!(
        "auxprop_plugin: sasldb\nsasldb_path: {}\nmech_list: PLAIN\n",
        file.display()
    );
    Memcached::start(scratch, &placed.environment(Way::LibraryPath), &lines)
}

/// Logins a second, each on a connection of its own.
fn round(server: &Memcached) -> io::Result<f64> {
    let start = Instant::now();
    for _ in 0..LOGINS {
        let answer = server.connect()?.authenticate("PLAIN", MESSAGE)?;
        if answer.status != SUCCESS {
            return Err(io::Error::other(format!("a login was refused: {answer:?}")));
        }
    }
    Ok(f64::from(LOGINS) / start.elapsed().as_secs_f64())
}
