// SPDX-License-Identifier: MIT OR Apache-2.0
//! A directory for the benchmark: a slapd with SASL binds, proxied authorization
//! and 300 people. Prints its URI and the file of its log, and ends with its
//! standard input.

#![forbid(unsafe_code)]

use lab::scratch::Scratch;
use lab::slapd::{Kind, Person, Slapd};
use std::io::{self, Read, Write};

/// The password of everybody.
const PASSWORD: &str = "bench";

fn main() -> io::Result<()> {
    let scratch = Scratch::new()?;
    let person = |number| Person {
        name: format!("p{number}"),
        mail: format!("p{number}@example.com"),
        password: PASSWORD.to_owned(),
    };
    let people: Vec<Person> = (0..300).map(person).collect();
    let slapd = Slapd::start(&scratch, Kind::Proxying, PASSWORD, &people)?;
    let log = scratch.join("slapd").join("log");
    let mut out = io::stdout();
    writeln!(out, "ldap://{} {}", slapd.address(), log.display())?;
    out.flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
