// SPDX-License-Identifier: MIT OR Apache-2.0
//! Our tools against the distribution's: the same exit codes, the same output
//! where scripts read it, on both libraries.

use crate::accounts::{Place, Plugin};
use lab::library::Library::{self, Ours, Stock};
use lab::placed::{Placed, Way};
use lab::sample::{Call, converse};
use lab::scratch::Scratch;
use lab::stage;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const PLUGIN: &str = "libsasldb.so";

/// The path of one of our programs.
fn tool(name: &str) -> PathBuf {
    stage::stage().unwrap();
    stage::target().join("release").join(name)
}

fn run(environment: &[String], program: &Path, words: &[&str], input: &str) -> Output {
    let mut child = Command::new("timeout")
        .args(["20", "env"])
        .args(environment)
        .arg(program)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that does not read is no mistake.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// What `make install` brings works, and has its pages.
#[test]
fn make_install_brings_the_tools() {
    let scratch = Scratch::new().unwrap();
    let mut make = Command::new("make");
    make.arg("-C").arg(stage::sources()).arg("install");
    make.args([
        "PREFIX=/opt/sasl",
        &format!("DESTDIR={}", scratch.path().display()),
    ]);
    lab::process::run(&mut make).unwrap();
    let prefix = scratch.join("opt/sasl");
    let library = format!("LD_LIBRARY_PATH={}", prefix.join("lib/oxisasl").display());
    let share = [
        ("man/man8/", ".8", ".TH"),
        ("bash-completion/completions/", "", "complete"),
        ("zsh/vendor-completions/_", "", "#compdef"),
        ("fish/vendor_completions.d/", ".fish", "complete -c"),
    ];
    for name in [
        "saslpasswd2",
        "sasldblistusers2",
        "pluginviewer",
        "testsaslauthd",
    ] {
        let program = prefix.join("sbin").join(name);
        let help = run(std::slice::from_ref(&library), &program, &["--help"], "");
        assert!(help.status.success(), "{name} {help:?}");
        for (folder, end, word) in share {
            let file = prefix.join(format!("share/{folder}{name}{end}"));
            let page = std::fs::read_to_string(&file).unwrap();
            assert!(
                page.contains(word) && page.contains(name),
                "{}",
                file.display()
            );
        }
    }
    let file = scratch.join("sasldb2").display().to_string();
    let words = ["-p", "-c", "-u", "lab", "-f", &file, "alice"];
    let plugins = format!("SASL_PATH={}", prefix.join("lib/oxisasl/sasl2").display());
    let environment = [library, plugins];
    let set = run(
        &environment,
        &prefix.join("sbin/saslpasswd2"),
        &words,
        "secret\n",
    );
    assert!(set.status.success(), "{set:?}");
    let list = prefix.join("sbin/sasldblistusers2");
    let listed = text(&run(&environment, &list, &["-f", &file], "").stdout);
    assert_eq!(listed, "alice@lab: userPassword\n");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

struct World {
    scratch: Scratch,
    environment: Vec<String>,
}

impl World {
    fn new(library: Library, ours: bool) -> Self {
        let scratch = Scratch::new().unwrap();
        let placed = Placed::new(library, &scratch).unwrap();
        match ours {
            true => placed.add_our_plugin(PLUGIN).unwrap(),
            false => placed.add_plugin(PLUGIN).unwrap(),
        }
        std::fs::remove_file(placed.plugins().join("libldapdb.so")).unwrap();
        let environment = placed.environment(Way::LibraryPath).to_vec();
        Self {
            scratch,
            environment,
        }
    }

    fn file(&self) -> String {
        self.scratch.join("sasldb2").display().to_string()
    }
}

/// The same story by either's tools: exit codes, standard output, and the
/// first line of what went wrong.
fn story(world: &World, passwd: &Path, list: &Path) -> Vec<String> {
    let file = world.file();
    let nowhere = world.scratch.join("nowhere/x").display().to_string();
    let mut told = Vec::new();
    let steps: &[(&[&str], &str)] = &[
        (
            &["-p", "-c", "-f", &file, "-u", "lab.test", "alice"],
            "one\n",
        ),
        (
            &["-p", "-c", "-f", &file, "-u", "lab.test", "bob@other"],
            "two",
        ),
        (&["-c", "-f", &file, "carol"], "three\n"),
        (&["-p", "-f", &file, "-u", "lab.test", "dave"], "four\n"),
        (&["-pcf", &file, "-u", "lab.test", "eve"], ""),
        (&["-d", "-f", &file, "-u", "lab.test", "alice"], ""),
        (&["-d", "-f", &file, "-u", "lab.test", "nobody"], ""),
        (
            &["-p", "-c", "-n", "-f", &file, "-u", "lab.test", "frank"],
            "six\n",
        ),
        (&["-p", "-c", "-f", &nowhere, "grace"], "seven\n"),
        (
            &["-p", "-c", "-a", "other", "-f", &file, "-u", "r", "heidi"],
            "eight",
        ),
        (&["-x"], ""),
        (&["-c"], ""),
        (&["a", "b"], ""),
        (&["-h"], ""),
        (&["-v"], ""),
    ];
    for (words, input) in steps {
        let output = run(&world.environment, passwd, words, input);
        let problem = text(&output.stderr);
        let problem = problem
            .lines()
            .find(|line| line.starts_with("saslpasswd2: "));
        let wrong_option = output.status.code() == Some(1) && !words.contains(&"-f");
        let compared = !output.status.success() && !wrong_option;
        let problem = problem.filter(|_| compared).unwrap_or_default();
        told.push(format!(
            "{words:?} {:?} {:?} {problem}",
            output.status.code(),
            text(&output.stdout)
        ));
    }
    let junk = world
        .scratch
        .file("junk", &"no password file\n".repeat(99))
        .unwrap();
    let junk = junk.display().to_string();
    let steps: &[&[&str]] = &[
        &["-f", &file],
        &[&file],
        &[&junk],
        &[&nowhere],
        &["-h"],
        &["-v"],
        &["-x"],
        &[&file, &junk],
    ];
    for words in steps {
        let output = run(&world.environment, list, words, "");
        let mut lines: Vec<_> = text(&output.stdout).lines().map(str::to_owned).collect();
        lines.sort();
        let failed = text(&output.stderr).contains("listusers failed");
        told.push(format!(
            "{words:?} {:?} {lines:?} {failed}",
            output.status.code()
        ));
    }
    let folder = world.scratch.path().display().to_string();
    told.iter().map(|line| line.replace(&folder, "")).collect()
}

#[test]
fn password_tools_tell_the_same_story() {
    let (passwd, list) = (Path::new("saslpasswd2"), Path::new("sasldblistusers2"));
    let expected = story(&World::new(Stock, false), passwd, list);
    assert!(
        expected
            .iter()
            .any(|line| line.contains("bob@other: userPassword")),
        "{expected:#?}"
    );
    for (library, plugin) in [(Stock, false), (Stock, true), (Ours, false), (Ours, true)] {
        let world = World::new(library, plugin);
        let told = story(&world, &tool("saslpasswd2"), &tool("sasldblistusers2"));
        assert_eq!(told, expected, "{library} {plugin}");
        let world = World::new(library, plugin);
        assert_eq!(
            story(&world, passwd, &tool("sasldblistusers2")),
            expected,
            "{library} {plugin}"
        );
    }
}

#[test]
fn the_viewer_shows_what_the_distributions_shows() {
    for library in [Stock, Ours] {
        let world = World::new(library, true);
        for words in [
            &[][..],
            &["-a"],
            &["-s", "-m", "PLAIN"],
            &["-c", "-f", "noplain"],
            &["-a", "-x", "sasldb"],
            &["-a", "-x", "nosuch"],
            &["-s", "-b", "min=1,max=128"],
            &["-s", "-m", "NOSUCH"],
            &["-s", "-b", "odd"],
            &["-q"],
        ] {
            let theirs = run(&world.environment, Path::new("saslpluginviewer"), words, "");
            let ours = run(&world.environment, &tool("pluginviewer"), words, "");
            assert_eq!(
                ours.status.code(),
                theirs.status.code(),
                "{library} {words:?}"
            );
            if theirs.status.success() {
                assert_eq!(
                    text(&ours.stdout),
                    text(&theirs.stdout),
                    "{library} {words:?}"
                );
            }
        }
    }
}

/// Keys in place of the password: SCRAM works with both libraries' servers, on
/// stock's mechanism and ours, and PLAIN does not.
#[test]
fn scram_keys_take_the_passwords_place() {
    for library in [Stock, Ours] {
        let scratch = Scratch::new().unwrap();
        let placed = Placed::new(library, &scratch).unwrap();
        placed.add_our_plugin(PLUGIN).unwrap();
        placed.add_shared_secret().unwrap();
        let file = scratch.join("sasldb2").display().to_string();
        let mut environment = placed.environment(Way::LibraryPath).to_vec();
        let words = ["-p", "-c", "-f", &file, "-u", "lab.test", "alice"];
        assert!(
            run(&environment, &tool("saslpasswd2"), &words, "first")
                .status
                .success()
        );
        let words = ["-p", "--scram", "-f", &file, "-u", "lab.test", "alice"];
        assert!(
            run(&environment, &tool("saslpasswd2"), &words, "second")
                .status
                .success()
        );
        let listed = run(&environment, &tool("sasldblistusers2"), &[&file], "");
        assert_eq!(text(&listed.stdout), "alice@lab.test: authPassword\n");
        assert!(!text(&std::fs::read(&file).unwrap()).contains("second"));
        let lines = format!("auxprop_plugin: sasldb\nsasldb_path: {file}\n");
        scratch.file("sample.conf", &lines).unwrap();
        environment.push(format!("SASL_CONF_PATH={}", scratch.path().display()));
        let server = ["-d", "srv.lab.test", "-u", "lab.test", "-s", "imap"];
        let client = |mechanism| {
            [
                "-s",
                "imap",
                "-n",
                "srv.lab.test",
                "-a",
                "alice",
                "-u",
                "alice",
                "-m",
                mechanism,
            ]
        };
        for (mechanism, password, right) in [
            ("SCRAM-SHA-256", "second", true),
            ("SCRAM-SHA-256", "first", false),
            ("PLAIN", "second", false),
        ] {
            let server = Call {
                environment: &environment,
                options: &server,
            };
            let client = client(mechanism);
            let client = Call {
                environment: &environment,
                options: &client,
            };
            let said = converse(server, client, Some(password)).unwrap();
            assert_eq!(
                said.complete(),
                right,
                "{library} {mechanism} {password}\n{said:#?}"
            );
        }
    }
}

#[test]
fn a_berkeley_file_becomes_an_lmdb_file() {
    let scratch = Scratch::new().unwrap();
    let (old, new) = (scratch.join("old"), scratch.join("new"));
    let options = |file: &Path| format!("auxprop_plugin=sasldb\nsasldb_path={}", file.display());
    let stock = Place::new(Stock, Plugin::Stock, PLUGIN, &options(&old));
    assert_eq!(stock.count("set", "u%d", 1, 500), 500);
    let words = [
        "--convert",
        new.to_str().unwrap(),
        "-f",
        old.to_str().unwrap(),
    ];
    let output = run(&[], &tool("saslpasswd2"), &words, "");
    assert!(output.status.success(), "{output:?}");
    let ours = Place::new(Ours, Plugin::Ours, PLUGIN, &options(&new));
    assert_eq!(ours.count("check", "u%d", 1, 500), 500);
    assert_eq!(ours.count("set", "u%d", 490, 520), 31);
    assert_eq!(ours.count("remove", "u%d", 1, 10), 10);
    assert_eq!(ours.count("check", "u%d", 1, 520), 510);
    assert!(!run(&[], &tool("saslpasswd2"), &words, "").status.success());
}

#[test]
fn a_password_among_the_arguments_is_warned_about() {
    let scratch = Scratch::new().unwrap();
    let socket = scratch.join("mux").display().to_string();
    for words in [
        &["-u", "al", "-p", "canary-8", "-f", &socket][..],
        &["-u", "al", "-f", &socket],
    ] {
        let ours = run(&[], &tool("testsaslauthd"), words, "canary-8\n");
        assert_eq!(ours.status.code(), Some(255));
        assert_eq!(text(&ours.stdout), "0: ");
        let errors = text(&ours.stderr);
        assert!(
            errors.contains("connect() : No such file or directory"),
            "{errors}"
        );
        assert_eq!(errors.contains("seen by every user"), words.contains(&"-p"));
        assert!(!errors.contains("canary-8"));
    }
    assert_eq!(
        run(&[], &tool("testsaslauthd"), &["-p", "x"], "")
            .status
            .code(),
        Some(1)
    );
}
