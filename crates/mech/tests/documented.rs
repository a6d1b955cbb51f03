// SPDX-License-Identifier: MIT OR Apache-2.0
//! docs/mechanisms.md says of each mechanism what the tables say.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the whole file is a test"
)]

use mech::{CLIENT, Features, MechInfo, SERVER, Security, Status};
use std::collections::BTreeMap;

/// A row of the table, by the heads of its columns.
type Row = BTreeMap<String, String>;

fn rows() -> Vec<Row> {
    let page = include_str!("../../../docs/mechanisms.md");
    let mut lines = page
        .lines()
        .skip_while(|line| !line.starts_with("| name |"));
    let cells = |line: &str| -> Vec<String> {
        let line = line.trim_start_matches("| ").trim_end_matches(" |");
        line.split(" | ")
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let heads = cells(lines.next().expect("the table"));
    let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
    rows.map(|line| heads.iter().cloned().zip(cells(line)).collect())
        .collect()
}

/// "SCRAM-SHA-512, -384 (and -PLUS)" are two names with a -PLUS form.
fn names(cell: &str) -> (Vec<String>, bool) {
    let (names, plus) = match cell.split_once(" (and -PLUS)") {
        Some((names, _)) => (names, true),
        None => (cell, false),
    };
    let mut all: Vec<String> = Vec::new();
    for name in names.split(", ") {
        match (name.strip_prefix('-'), all.first()) {
            (Some(end), Some(first)) => {
                let stem = first.rsplit_once('-').expect("a family").0;
                all.push(format!("{stem}-{end}"));
            }
            _ => all.push(name.to_owned()),
        }
    }
    (all, plus)
}

/// The features of both sides: "X Y; client: Z" or "client: Z" or "X; server: Z".
fn features(cell: &str) -> (Features, Features) {
    let (mut server, mut client) = (Features::empty(), Features::empty());
    for part in cell.split("; ") {
        let flags = |text: &str| {
            text.split(' ').fold(Features::empty(), |all, name| {
                all | Features::from_name(name).unwrap_or_else(|| panic!("feature {name}"))
            })
        };
        if let Some(only) = part.strip_prefix("client: ") {
            client |= flags(only);
        } else if let Some(only) = part.strip_prefix("server: ") {
            server |= flags(only);
        } else {
            server |= flags(part);
            client |= flags(part);
        }
    }
    (server, client)
}

fn security(cell: &str) -> Security {
    let names = cell.trim_end_matches(", hash bits").split(' ');
    names.fold(Security::empty(), |all, name| {
        all | Security::from_name(name).unwrap_or_else(|| panic!("security {name}"))
    })
}

fn status(cell: &str) -> Status {
    match cell.trim_end_matches(", inside TLS") {
        "current" => Status::Current,
        "legacy" => Status::Legacy,
        "obsolete" => Status::Obsolete,
        other => panic!("status {other}"),
    }
}

/// The last number of "0, 1, 40–128".
fn strongest(cell: &str) -> u32 {
    let mut numbers = cell
        .split([',', '–', ' '])
        .filter(|number| !number.is_empty());
    numbers
        .next_back()
        .expect("a number")
        .parse()
        .expect("a number")
}

fn agree(row: &Row, info: &MechInfo, features: Features) {
    let name = &info.name;
    assert_eq!(strongest(&row["ssf"]), info.max_ssf, "{name}");
    assert_eq!(features, info.features, "{name}");
    let flags = Security::from_bits_truncate(info.security.bits());
    assert_eq!(security(&row["security"]), flags, "{name}");
    let hashed = row["security"].ends_with(", hash bits");
    assert_eq!(hashed, info.security.hash_strength() > 0, "{name}");
    assert_eq!(status(&row["status"]), Status::of(name), "{name}");
}

#[test]
fn the_page_and_the_tables_agree() {
    let mut documented = Vec::new();
    for row in rows() {
        let (all, plus) = names(&row["name"]);
        let (server, client) = features(&row["features"]);
        for name in &all {
            let info = SERVER.iter().map(|mech| mech.info());
            let info = info.clone().find(|info| info.name == *name);
            let info = info.unwrap_or_else(|| panic!("{name} is documented and not there"));
            agree(&row, info, server);
            assert_eq!(plus, server.contains(Features::CHANNEL_BINDING), "{name}");
            let info = CLIENT.iter().map(|mech| mech.info());
            let info = info.clone().find(|info| info.name == *name);
            agree(&row, info.expect("a client"), client);
        }
        documented.extend(all);
    }
    let there: Vec<_> = SERVER
        .iter()
        .map(|mech| mech.info().name.to_string())
        .collect();
    let (mut documented_too, mut there_too) = (documented, there);
    documented_too.sort();
    there_too.sort();
    assert_eq!(documented_too, there_too);
}
