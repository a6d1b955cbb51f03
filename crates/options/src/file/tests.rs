// SPDX-License-Identifier: MIT OR Apache-2.0
//! What stock accepts and refuses (measured), and the reasons that it lacks.

use super::*;
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

fn parse(text: &[u8]) -> Result<Config> {
    Config::parse(Path::new("/etc/app.conf"), text)
}

fn value(text: &[u8], key: &CStr) -> String {
    let config = parse(text).unwrap();
    config.get(key).map_or("(none)".to_owned(), |value| {
        value.to_str().unwrap().to_owned()
    })
}

fn reason(text: &[u8]) -> String {
    let error = parse(text).err().unwrap();
    assert_eq!(error.code(), Code::CONFIGERR);
    error.reason().to_owned()
}

/// A folder of its own that is gone at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("conf-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn sub(&self, name: &str) -> PathBuf {
        let folder = self.0.join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn what_stock_accepts() {
    for text in [
        &b"a: b"[..],
        b"a:b\n",
        b"  a: b\n",
        b"a: b\r\n",
        b"a: b\x0c\n",
        b"\x0c a: b \t\n",
        b"A:b",
    ] {
        assert_eq!(value(text, c"a"), "b", "{text:?}");
    }
    assert_eq!(value(b"\r\n\t\n  # c\n#c\na: b # c\n", c"a"), "b # c");
    assert_eq!(value(b"A-b_1: c\n", c"a-b_1"), "c");
    assert_eq!(value(b": x\n", c""), "x");
    assert_eq!(value(b"a:b:c\n", c"a"), "b:c");
    assert_eq!(value(b"a: \"q\"\n", c"a"), "\"q\"");
    assert_eq!(value(b"a: b\rc: d\n", c"a"), "b\rc: d");
    assert_eq!(value(b"", c"a"), "(none)");
}

#[test]
fn the_first_of_equal_keys_counts_and_case_is_the_readers() {
    let text = b"Key_One: Value  \nkey_one: second\n";
    assert_eq!(value(text, c"key_one"), "Value");
    assert_eq!(value(text, c"KEY_ONE"), "(none)");
}

#[test]
fn faults_name_file_line_and_remedy() {
    for (text, expected) in [
        (
            &b"a\n"[..],
            "/etc/app.conf line 1: no colon, write \"option: value\"",
        ),
        (
            b"\na : b\n",
            "/etc/app.conf line 2: a blank before the colon or no colon, write \"option: value\"",
        ),
        (
            b"a=b",
            "/etc/app.conf line 1: '=' instead of a colon, write \"option: value\"",
        ),
        (
            b"a:\n",
            "/etc/app.conf line 1: no value after the colon, give one or remove the line",
        ),
        (
            b"a:  \r\n",
            "/etc/app.conf line 1: no value after the colon, give one or remove the line",
        ),
        (
            b":\n",
            "/etc/app.conf line 1: no value after the colon, give one or remove the line",
        ),
        (
            b"x: y\na.b: c",
            "/etc/app.conf line 2: an option's name is made of letters, digits, '_' and '-', correct the name",
        ),
        (
            b"\xef\xbb\xbfa: b\n",
            "/etc/app.conf line 1: a byte order mark, save the file as plain text without one",
        ),
        (
            b"a: b\0c\n",
            "/etc/app.conf line 1: a NUL byte, save the file as plain text and not as UTF-16",
        ),
    ] {
        assert_eq!(reason(text), expected);
    }
}

#[test]
fn a_fault_shows_no_value() {
    assert!(!reason(b"ldapdb_pw = s3cret").contains("s3cret"));
}

#[test]
fn long_lines() {
    let long = |len: usize| [b"a: ".to_vec(), vec![b'x'; len - 3]].concat();
    assert_eq!(value(&long(LINE), c"a").len(), LINE - 3);
    assert!(reason(&long(LINE + 1)).ends_with("longer than 4095 bytes, shorten the value"));
    assert!(reason(&long(1 << 20)).contains("line 1: longer"));
    let blanks = [b"a: b".to_vec(), vec![b' '; 5000], b"\nb: c".to_vec()].concat();
    assert_eq!(value(&blanks, c"b"), "c");
    let comment = [b"#".to_vec(), vec![b'x'; 1 << 20], b"\nb: c".to_vec()].concat();
    assert_eq!(value(&comment, c"b"), "c");
}

#[test]
fn the_first_folder_with_a_file_wins() {
    let scratch = Scratch::new();
    let (one, two, three) = (scratch.sub("1"), scratch.sub("2"), scratch.sub("3"));
    fs::write(two.join("app.conf"), "k: two").unwrap();
    fs::write(three.join("app.conf"), "k: three").unwrap();
    let folders = [one.as_path(), &two, &three];
    let mut asked = 0;
    let search = find(folders, c"app", |_| {
        asked += 1;
        Code::OK
    })
    .unwrap();
    assert_eq!(asked, 2);
    let config = search.config.unwrap();
    assert_eq!(config.get(c"k"), Some(c"two"));
    assert!(search.passed_over.is_empty());
    let search = find(folders, c"app", |file| {
        if file.starts_with(&two) {
            Code::FAIL
        } else {
            Code::OK
        }
    })
    .unwrap();
    assert_eq!(search.config.unwrap().get(c"k"), Some(c"three"));
    let search = find(folders, c"app", |_| Code::BADPARAM).unwrap();
    assert!(search.config.is_none());
    assert_eq!(search.verdict, Code::BADPARAM);
    let search = find(folders, c"none", |_| Code::OK).unwrap();
    assert!(search.config.is_none() && search.passed_over.is_empty());
}

#[test]
fn folders_and_fifos_are_passed_over_and_said() {
    let scratch = Scratch::new();
    let (one, two, three) = (scratch.sub("1"), scratch.sub("2"), scratch.sub("3"));
    fs::create_dir(one.join("app.conf")).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(two.join("app.conf"))
            .status()
            .unwrap()
            .success()
    );
    std::os::unix::fs::symlink("app.conf", three.join("app.conf")).unwrap();
    let search = find([one.as_path(), &two, &three], c"app", |_| Code::OK).unwrap();
    assert!(search.config.is_none());
    let [folder, fifo, link] = search.passed_over.as_slice() else {
        panic!("three were passed over")
    };
    assert!(
        folder.ends_with("1/app.conf: a folder, put a plain file in its place"),
        "{folder}"
    );
    assert!(fifo.contains("2/app.conf: a fifo"), "{fifo}");
    assert!(
        link.contains("3/app.conf: ") && link.contains("(os error 40)"),
        "{link}"
    );
}

#[test]
fn a_fault_in_the_file_ends_the_search() {
    let scratch = Scratch::new();
    let (one, two) = (scratch.sub("1"), scratch.sub("2"));
    fs::write(one.join("app.conf"), "one: first\nbad line\n").unwrap();
    fs::write(two.join("app.conf"), "one: two\n").unwrap();
    let error = find([one.as_path(), &two], c"app", |_| Code::OK)
        .err()
        .unwrap();
    assert!(
        error.reason().contains("1/app.conf line 2: a blank before"),
        "{error}"
    );
}

#[test]
fn devices_that_end_are_files() {
    assert!(matches!(read(Path::new("/dev/null")), Ok(Reading::Read(_))));
    assert!(matches!(
        read(Path::new("/dev/zero")),
        Ok(Reading::Unreadable(_))
    ));
    assert!(matches!(
        read(Path::new("/nonexistent")),
        Ok(Reading::Missing)
    ));
    assert!(matches!(
        read(Path::new("/etc/passwd/x")),
        Ok(Reading::Missing)
    ));
}
