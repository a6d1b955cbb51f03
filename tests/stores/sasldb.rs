// SPDX-License-Identifier: MIT OR Apache-2.0
//! Password files: stock and ours on one file, also at the same time.

use crate::accounts::{Place, Plugin};
use lab::library::Library::{self, Ours, Stock};
use lab::sasldb;
use lab::scratch::{self, Scratch};
use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const PLUGIN: &str = "libsasldb.so";
const PAIRS: [(Library, Plugin); 4] = [
    (Stock, Plugin::Stock),
    (Stock, Plugin::Ours),
    (Ours, Plugin::Stock),
    (Ours, Plugin::Ours),
];

fn place(library: Library, plugin: Plugin, file: &Path) -> Place {
    let options = format!("auxprop_plugin=sasldb\nsasldb_path={}", file.display());
    Place::new(library, plugin, PLUGIN, &options)
}

fn file(scratch: &Scratch) -> PathBuf {
    scratch.join("sasldb2")
}

fn listed(file: &Path) -> HashSet<String> {
    let text = sasldb::list(&[], file).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Each of the four pairs writes, each reads everything.
#[test]
fn every_pair_reads_what_every_pair_writes() {
    let scratch = Scratch::new().unwrap();
    let file = file(&scratch);
    let places = PAIRS.map(|(library, plugin)| place(library, plugin, &file));
    for (number, place) in places.iter().enumerate() {
        assert_eq!(place.count("set", &format!("w{number}-%d"), 1, 100), 100);
    }
    for place in &places {
        for number in 0..places.len() {
            let name = format!("w{number}-%d");
            assert_eq!(place.count("check", &name, 1, 100), 100);
            assert_eq!(place.count("exists", &name, 1, 100), 100);
            let to = "100";
            assert_eq!(place.run(&["wrong", &name, "1", to]).failed(-13), 100);
        }
        assert_eq!(place.run(&["check", "unknown%d", "1", "3"]).failed(-20), 3);
        assert_eq!(place.run(&["exists", "unknown%d", "1", "3"]).failed(-20), 3);
    }
    for (number, place) in places.iter().enumerate() {
        // Each removes what another one wrote, twice: the second is no mistake.
        let name = format!("w{}-%d", (number + 1) % places.len());
        assert_eq!(place.count("remove", &name, 1, 50), 50);
        assert_eq!(place.count("remove", &name, 1, 50), 50);
    }
    let left = listed(&file);
    assert_eq!(left.len(), 200, "{left:?}");
    for place in &places {
        assert_eq!(place.run(&["check", "w2-%d", "1", "50"]).failed(-20), 50);
        assert_eq!(place.count("check", "w2-%d", 51, 100), 50);
    }
}

#[test]
fn ten_thousand_users_in_both_directions() {
    let scratch = Scratch::new().unwrap();
    let file = file(&scratch);
    let (stock, ours) = (
        place(Stock, Plugin::Stock, &file),
        place(Ours, Plugin::Ours, &file),
    );
    assert_eq!(stock.count("set", "s%d", 1, 10_000), 10_000);
    assert_eq!(ours.count("check", "s%d", 1, 10_000), 10_000);
    // Each of our changes is a file of its own, and on the disk: that takes time.
    let many = if std::env::var_os("LAB_ALL").is_some() {
        10_000
    } else {
        300
    };
    let count = usize::try_from(many).unwrap();
    let written = (1..=many).step_by(100);
    let written = written.map(|from| ours.count("set", "o%d", from, from + 99));
    assert_eq!(written.sum::<usize>(), count);
    assert_eq!(stock.count("check", "o%d", 1, many), count);
    assert_eq!(stock.count("check", "s%d", 1, 10_000), 10_000);
    assert_eq!(listed(&file).len(), 10_000 + count);
    // A new file is Debian's.
    let metadata = fs::metadata(&file).unwrap();
    assert_eq!(metadata.mode() & 0o007, 0, "{:o}", metadata.mode());
}

/// Ours adds users while both libraries let others in, with all four pairs.
#[test]
fn logins_go_on_while_users_are_added() {
    let scratch = Scratch::new().unwrap();
    let file = file(&scratch);
    let places = PAIRS.map(|(library, plugin)| place(library, plugin, &file));
    let [.., ours] = &places;
    assert_eq!(places[0].count("set", "s%d", 1, 500), 500);
    let mut writer = ours.command(&["set", "o%d", "1", "200"]).spawn().unwrap();
    let mut rounds = 0;
    while rounds < 3 || writer.try_wait().unwrap().is_none() {
        for place in &places {
            assert_eq!(place.count("check", "s%d", 1, 500), 500);
            assert_eq!(place.run(&["wrong", "s%d", "1", "20"]).failed(-13), 20);
        }
        rounds += 1;
    }
    assert!(writer.wait().unwrap().success());
    for place in &places {
        assert_eq!(place.count("check", "o%d", 1, 200), 200);
    }
}

#[test]
fn names_in_every_shape() {
    let scratch = Scratch::new().unwrap();
    let file = file(&scratch);
    let (stock, ours) = (
        place(Stock, Plugin::Stock, &file),
        place(Ours, Plugin::Ours, &file),
    );
    for name in [
        "a@b", "a@", "@b", "a@b@c", "o'brien", "\"x\"", "a%%s", "a b", "ä@ö", "a\\b", "-c",
    ] {
        for (writer, reader) in [(&ours, &stock), (&stock, &ours)] {
            let wrote = writer.run(&["set", name, "1", "1"]).succeeded().len();
            let read = reader.run(&["check", name, "1", "1"]).succeeded().len();
            assert_eq!(read, wrote, "{name}");
            assert_eq!(
                reader.run(&["wrong", name, "1", "1"]).succeeded().len(),
                0,
                "{name}"
            );
            assert_eq!(writer.count("remove", name, 1, 1), wrote, "{name}");
        }
    }
}

#[test]
fn a_new_file_belongs_to_the_group_sasl() {
    let scratch = Scratch::new().unwrap();
    let file = file(&scratch);
    assert_eq!(
        place(Ours, Plugin::Ours, &file).count("set", "u%d", 1, 1),
        1
    );
    let metadata = fs::metadata(&file).unwrap();
    let group = lab::process::run(Command::new("getent").args(["group", "sasl"])).unwrap();
    let group = String::from_utf8(group.stdout).unwrap();
    assert_eq!(group.split(':').nth(2).unwrap(), metadata.gid().to_string());
    assert_eq!(metadata.mode() & 0o7777, 0o660);
}

/// A change keeps owner, mode and a symbolic link; a hard link stays one.
#[test]
fn a_change_changes_the_content_only() {
    let scratch = Scratch::new().unwrap();
    let file = file(&scratch);
    assert_eq!(
        place(Ours, Plugin::Ours, &file).count("set", "u%d", 1, 20),
        20
    );
    scratch::set_mode(&file, 0o640).unwrap();
    std::os::unix::fs::chown(&file, Some(65534), Some(65534)).unwrap();
    let link = scratch.join("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert_eq!(
        place(Ours, Plugin::Ours, &link).count("set", "v%d", 1, 20),
        20
    );
    assert!(link.is_symlink());
    let metadata = fs::metadata(&file).unwrap();
    assert_eq!((metadata.uid(), metadata.gid()), (65534, 65534));
    assert_eq!(metadata.permissions().mode() & 0o7777, 0o640);
    let hard = scratch.join("hard");
    fs::hard_link(&file, &hard).unwrap();
    assert_eq!(
        place(Ours, Plugin::Ours, &hard).count("set", "w%d", 1, 200),
        200
    );
    assert_eq!(
        fs::metadata(&file).unwrap().ino(),
        fs::metadata(&hard).unwrap().ino()
    );
    assert_eq!(
        place(Stock, Plugin::Stock, &file).count("check", "w%d", 1, 200),
        200
    );
    let names: Vec<_> = fs::read_dir(scratch.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
}

/// One stock writer and two of ours, while all four pairs log in.
#[test]
fn writers_of_both_kinds_at_once_lose_nothing() {
    let scratch = Scratch::new().unwrap();
    let file = file(&scratch);
    let places = PAIRS.map(|(library, plugin)| place(library, plugin, &file));
    assert_eq!(places[0].count("set", "old%d", 1, 200), 200);
    let writers = [
        ("stock", &places[0], 150),
        ("first", &places[3], 150),
        ("second", &places[1], 150),
    ];
    std::thread::scope(|scope| {
        let readers: Vec<_> = places
            .iter()
            .map(|place| scope.spawn(|| place.run(&["check", "old%d", "1", "200"])))
            .collect();
        let writers: Vec<_> = writers
            .iter()
            .map(|(name, place, count)| {
                scope.spawn(move || place.count("set", &format!("{name}%d"), 1, *count))
            })
            .collect();
        for writer in writers {
            assert_eq!(writer.join().unwrap(), 150);
        }
        for reader in readers.into_iter().skip(1).step_by(2) {
            // Stock's reader may meet stock's writer; ours must not mind.
            let said = reader.join().unwrap();
            assert_eq!(said.succeeded().len(), 200, "{said:#?}");
        }
    });
    for (name, _, count) in writers {
        let said = places[3].run(&["check", &format!("{name}%d"), "1", &count.to_string()]);
        assert_eq!(said.succeeded().len(), 150, "{name}: {:#?}", said.lines);
    }
    assert_eq!(listed(&file).len(), 650);
}

/// 200 writers killed at random moments: what was acknowledged is there.
#[test]
fn killed_writers_leave_a_readable_file() {
    let scratch = Scratch::new().unwrap();
    let file = file(&scratch);
    let ours = place(Ours, Plugin::Ours, &file);
    assert_eq!(ours.count("set", "base%d", 1, 100), 100);
    let mut acknowledged = Vec::new();
    let mut pause = 0x2545_f491_4f6c_dd1d_u64;
    for round in 0..200 {
        // The program itself, without `timeout` between: the kill must hit it.
        let command = ours.command(&["set", &format!("r{round}-%d"), "1", "40"]);
        let words: Vec<_> = command.get_args().skip(4).map(ToOwned::to_owned).collect();
        let mut child = Command::new("env")
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        acknowledged.push(lines.next().unwrap().unwrap());
        pause = pause
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        std::thread::sleep(Duration::from_micros((pause >> 33) % 8_000));
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(lines.map_while(Result::ok));
    }
    let present = listed(&file);
    assert!(acknowledged.len() > 200);
    for line in &acknowledged {
        let user = line.strip_prefix("ok ").unwrap();
        assert!(
            present.contains(&format!("{user}@lab.test: userPassword")),
            "{line}"
        );
    }
    assert_eq!(
        place(Stock, Plugin::Stock, &file).count("check", "base%d", 1, 100),
        100
    );
    assert_eq!(ours.count("set", "after%d", 1, 1), 1);
    // The killed writers' copies are gone with the next change.
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1);
}

/// A program that closes all descriptors and forks.
#[test]
fn a_daemon_may_close_everything_and_fork() {
    let scratch = Scratch::new().unwrap();
    let file = file(&scratch);
    let mut ours = place(Ours, Plugin::Ours, &file);
    assert_eq!(ours.count("set", "u%d", 1, 5), 5);
    ours.set("FORK=/etc/passwd");
    assert_eq!(ours.count("check", "u%d", 1, 5), 5);
}

/// Stores until the disk is full: all that was acknowledged stays readable.
#[test]
fn a_full_disk_changes_nothing() {
    let scratch = Scratch::new().unwrap();
    let folder = scratch.folder("disk").unwrap();
    let place = place(Ours, Plugin::Ours, &folder.join("sasldb2"));
    let script = r#"
        mount -t tmpfs -o size=96k none "$DISK" || exit 1
        "$@" > "$LOGS/said" 2> "$LOGS/log"
        sasldblistusers2 -f "$DISK/sasldb2" > "$LOGS/listed"
        ls -A "$DISK" > "$LOGS/files""#;
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", script, "sh", "timeout"]);
    command.args(place.command(&["set", "u%d", "1", "1500"]).get_args());
    command.env("DISK", &folder).env("LOGS", scratch.path());
    lab::process::run(&mut command).unwrap();
    let read = |name: &str| fs::read_to_string(scratch.join(name)).unwrap();
    let (said, log) = (read("said"), read("log"));
    let stored = said.lines().filter(|line| line.starts_with("ok ")).count();
    assert!((50..1500).contains(&stored), "{stored}");
    assert_eq!(read("listed").lines().count(), stored);
    assert!(log.contains("No space left on device"), "{log}");
    assert_eq!(read("files"), "sasldb2\n");
}

#[test]
fn files_that_are_none_are_named_and_left_alone() {
    let scratch = Scratch::new().unwrap();
    let good = file(&scratch);
    assert_eq!(
        place(Ours, Plugin::Ours, &good).count("set", "u%d", 1, 400),
        400
    );
    let content = fs::read(&good).unwrap();
    let mut flipped = content.clone();
    flipped[4096 + 20] ^= 0x41;
    for (name, bytes, word) in [
        (
            "text",
            b"root:x:0:0:root:/root:/bin/sh\n".repeat(40),
            "neither Berkeley DB nor LMDB",
        ),
        ("short", content[..content.len() / 2].to_vec(), "damaged"),
        ("flipped", flipped, "damaged"),
        ("sqlite", b"SQLite format 3\0".repeat(64), "an SQLite file"),
    ] {
        let file = scratch.join(name);
        fs::write(&file, &bytes).unwrap();
        for library in [Stock, Ours] {
            let place = place(library, Plugin::Ours, &file);
            let said = place.run(&["check", "u%d", "1", "40"]);
            assert!(said.log.contains(word), "{name}: {}", said.log);
            assert!(said.log.contains(name), "{name}: {}", said.log);
            let said = place.run(&["set", "v%d", "1", "1"]);
            assert_eq!(said.failed(-1), 1, "{name}: {said:#?}");
            assert!(said.log.contains(word), "{name}: {}", said.log);
            assert_eq!(fs::read(&file).unwrap(), bytes, "{name}");
        }
    }
    let folder = scratch.folder("folder").unwrap();
    let said = place(Ours, Plugin::Ours, &folder).run(&["check", "u%d", "1", "1"]);
    assert!(said.log.contains("not a file"), "{}", said.log);
    let missing = scratch.join("nowhere/sasldb2");
    let said = place(Ours, Plugin::Ours, &missing).run(&["check", "u%d", "1", "1"]);
    assert_eq!(said.failed(-20), 1);
    assert!(said.log.contains("does not exist"), "{}", said.log);
    // A missing folder is not made.
    let said = place(Ours, Plugin::Ours, &missing).run(&["set", "u%d", "1", "1"]);
    assert_eq!(said.failed(-1), 1);
    assert!(said.log.contains("nowhere/sasldb2"), "{}", said.log);
}
