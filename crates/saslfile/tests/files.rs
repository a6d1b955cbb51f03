// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files of both kinds: round trips, long values, damage of every sort.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use saslfile::{Change, Database, Key, Kind, LONGEST_VALUE, Options, check};
use saslplug::{Code, Secret};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("saslfile-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn database(&self) -> Database {
        let options = Options::new(self.0.join("sasldb2"));
        Database::new(Options {
            map_size: 32 << 20,
            ..options
        })
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.0.join("sasldb2")).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn set(user: &str, property: &str, value: &[u8]) -> Change {
    let key = Key {
        user: user.as_bytes(),
        realm: b"lab.test",
        property: property.as_bytes(),
    };
    Change::new(key, Some(Secret::from(value))).unwrap()
}

fn gone(user: &str, property: &str) -> Change {
    let key = Key {
        user: user.as_bytes(),
        realm: b"lab.test",
        property: property.as_bytes(),
    };
    Change::new(key, None).unwrap()
}

fn get(database: &Database, user: &str) -> Option<Vec<u8>> {
    let found = database
        .lookup(user.as_bytes(), b"lab.test", &[b"userPassword"])
        .unwrap();
    found.map(|values| values[0].as_ref().unwrap().as_bytes().to_vec())
}

fn filled(kind: Kind) -> (Folder, BTreeMap<String, Vec<u8>>) {
    let folder = Folder::new();
    let mut wanted = BTreeMap::new();
    for number in 0..3000usize {
        let size = if number % 100 == 0 {
            LONGEST_VALUE
        } else {
            number % 50
        };
        let value: Vec<u8> = (0..size)
            .map(|at| u8::try_from((at + number) % 251).unwrap())
            .collect();
        wanted.insert(format!("user{number}"), value);
    }
    let changes: Vec<_> = wanted
        .iter()
        .map(|(user, value)| set(user, "userPassword", value))
        .collect();
    folder.database().create(kind, &changes).unwrap();
    (folder, wanted)
}

fn goes_both_ways(kind: Kind) {
    let (folder, mut wanted) = filled(kind);
    let database = folder.database();
    assert_eq!(database.kind().unwrap(), Some(kind));
    let removed: Vec<_> = wanted
        .keys()
        .filter(|user| user.ends_with('7'))
        .cloned()
        .collect();
    let changes: Vec<_> = removed
        .iter()
        .map(|user| gone(user, "userPassword"))
        .collect();
    database.change(&changes).unwrap();
    for user in &removed {
        wanted.remove(user);
        assert_eq!(get(&database, user), None);
    }
    for (user, value) in &wanted {
        assert_eq!(get(&database, user).as_ref(), Some(value), "{user}");
    }
    let mut all = BTreeMap::new();
    database
        .each(&mut |key, value| {
            let user = String::from_utf8(key.user.to_vec()).unwrap();
            all.insert(user, value.as_bytes().to_vec());
        })
        .unwrap();
    assert_eq!(all, wanted);
    // Another handle sees a change at once; so does this one.
    folder
        .database()
        .change(&[set("user1", "userPassword", b"new")])
        .unwrap();
    assert_eq!(get(&database, "user1").unwrap(), b"new");
    // A file that another one takes the place of.
    let other = filled(if kind == Kind::Lmdb {
        Kind::Berkeley
    } else {
        Kind::Lmdb
    })
    .0;
    fs::rename(other.0.join("sasldb2"), folder.0.join("sasldb2")).unwrap();
    assert_eq!(get(&database, "user1").unwrap().len(), 1);
    assert_ne!(database.kind().unwrap(), Some(kind));
}

#[test]
fn berkeley_goes_both_ways() {
    goes_both_ways(Kind::Berkeley);
}

#[test]
fn lmdb_goes_both_ways() {
    goes_both_ways(Kind::Lmdb);
}

#[test]
fn properties_are_told_apart() {
    let folder = Folder::new();
    let database = folder.database();
    database
        .change(&[
            set("al", "authPassword", b"SCRAM"),
            set("bo", "userPassword", b""),
        ])
        .unwrap();
    let names: [&[u8]; 2] = [b"userPassword", b"authPassword"];
    let al = database
        .lookup(b"al", b"lab.test", &names)
        .unwrap()
        .unwrap();
    assert_eq!(al, [None, Some(Secret::from(&b"SCRAM"[..]))]);
    // A user without a password exists only by a property that is asked for.
    assert_eq!(
        database.lookup(b"al", b"lab.test", &[b"mail"]).unwrap(),
        None
    );
    assert_eq!(
        database.lookup(b"bo", b"lab.test", &[b"mail"]).unwrap(),
        Some(vec![None])
    );
    assert_eq!(get(&database, "bo").unwrap(), b"");
    assert_eq!(database.lookup(b"al", b"other", &names).unwrap(), None);
}

#[test]
fn a_change_that_changes_nothing_writes_nothing() {
    let folder = Folder::new();
    let database = folder.database();
    database.change(&[set("al", "userPassword", b"x")]).unwrap();
    let before = fs::metadata(folder.0.join("sasldb2")).unwrap();
    database
        .change(&[set("al", "userPassword", b"x"), gone("bo", "userPassword")])
        .unwrap();
    let after = fs::metadata(folder.0.join("sasldb2")).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
    let long = Key {
        user: b"al",
        realm: b"r",
        property: b"p",
    };
    let value = Secret::new(vec![0; LONGEST_VALUE + 1]);
    assert_eq!(
        Change::new(long, Some(value)).unwrap_err().code(),
        Code::BUFOVER
    );
}

/// Cut at every page, and within pages.
#[test]
fn a_file_that_ends_too_early_is_damaged() {
    for kind in [Kind::Berkeley, Kind::Lmdb] {
        let (folder, wanted) = filled(kind);
        let bytes = folder.bytes();
        assert_eq!(check(&bytes).unwrap(), wanted.len());
        for end in (1..bytes.len()).step_by(1024) {
            if check(&bytes[..end]).is_ok() {
                // LMDB files may have unused pages at their end.
                assert_eq!(check(&bytes[..end]).unwrap(), wanted.len(), "{kind} {end}");
            }
        }
        assert!(check(&bytes[..4096 * 4]).is_err());
    }
}

/// Flipped bits never make the reader panic, hang or write.
#[test]
fn flipped_bits_do_no_harm() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % below
    };
    for kind in [Kind::Berkeley, Kind::Lmdb] {
        let folder = Folder::new();
        let changes: Vec<_> = (0..60)
            .map(|n| set(&format!("u{n}"), "userPassword", &[7; 100]))
            .collect();
        folder.database().create(kind, &changes).unwrap();
        let whole = folder.bytes();
        // Every bit of the first page's head, then bits anywhere.
        let heads = (0..512).flat_map(|at| (0..8).map(move |bit| (at, bit)));
        let anywhere: Vec<_> = (0..4000).map(|_| (next(whole.len()), next(8))).collect();
        let mut refused = 0;
        for (at, bit) in heads.chain(anywhere) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            refused += u32::from(check(&bytes).is_err());
        }
        assert!(refused > 100, "{kind}: {refused}");
    }
}

#[test]
fn a_damaged_file_is_not_written() {
    for kind in [Kind::Berkeley, Kind::Lmdb] {
        let (folder, _) = filled(kind);
        let path = folder.0.join("sasldb2");
        let mut bytes = folder.bytes();
        let half = bytes.len() / 2;
        bytes[half..].fill(0xaa);
        fs::write(&path, &bytes).unwrap();
        let error = folder
            .database()
            .change(&[set("new", "userPassword", b"x")])
            .unwrap_err();
        assert!(error.reason().contains("damaged"), "{error}");
        assert!(error.reason().contains("sasldb2"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}

#[test]
fn an_lmdb_file_that_is_full_says_so() {
    let folder = Folder::new();
    let small = Options {
        map_size: 1 << 16,
        ..Options::new(folder.0.join("sasldb2"))
    };
    let database = Database::new(small);
    let changes: Vec<_> = (0..200)
        .map(|n| set(&format!("u{n}"), "userPassword", &[7; 1000]))
        .collect();
    database.create(Kind::Lmdb, &changes[..5]).unwrap();
    let error = database.change(&changes).unwrap_err();
    assert!(error.reason().contains("sasldb_mapsize"), "{error}");
    assert_eq!(get(&database, "u1").unwrap().len(), 1000);
    assert_eq!(get(&database, "u100"), None);
}
