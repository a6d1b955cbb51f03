// SPDX-License-Identifier: MIT OR Apache-2.0
//! `examples/beanauthd` on stock libsasl2 and on ours: every mechanism with a
//! client on either library, input in pieces and in heaps, and what a client
//! can get wrong.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use lab::account::Account;
use lab::library::Library::{self, Ours, Stock};
use lab::placed::{Placed, Way};
use lab::process::{self, Process, in_session};
use lab::program::{Headers, Program};
use lab::scratch::Scratch;
use lab::stage::{self, sources};
use lab::{maps, port, sasldb};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);
const MECHANISMS: &[&str] = &[
    "PLAIN",
    "LOGIN",
    "CRAM-MD5",
    "DIGEST-MD5",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
    "SCRAM-SHA-512",
];

/// The example, compiled as its own text says.
fn beanauthd() -> &'static PathBuf {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let folder = sources().join("examples/beanauthd");
        std::fs::create_dir_all(stage::target().join("lab")).unwrap();
        let file = stage::target().join(format!("lab/beanauthd-{}", std::process::id()));
        let line = "cc -Wall -Wextra -Werror -o \"$0\" beanauthd.c login.c \
                    $(pkg-config --cflags --libs libsasl2)";
        let mut command = Command::new("sh");
        command.current_dir(folder).args(["-c", line]).arg(&file);
        let output = process::run(&mut command).unwrap();
        assert!(output.status.success(), "{output:?}");
        file
    })
}

fn client() -> &'static Program {
    static PROGRAM: OnceLock<Program> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let source = sources().join("tests/beanauthd/client.c");
        Program::compile(&source, Headers::Stock).unwrap_or_else(|error| panic!("{error}"))
    })
}

/// The server with the user alice, password "wonder".
struct Server {
    process: Process,
    address: SocketAddr,
    _scratch: Scratch,
}

fn placed(library: Library, scratch: &Scratch) -> Placed {
    let placed = Placed::new(library, scratch).unwrap();
    placed.add_plugin(sasldb::PLUGIN).unwrap();
    if library == Stock {
        placed.add_shared_secret().unwrap();
    }
    placed
}

impl Server {
    fn start(library: Library) -> Self {
        let scratch = Scratch::new().unwrap();
        let placed = placed(library, &scratch);
        let root = Account::named("root").unwrap();
        let file = sasldb::create(&scratch, "lab.test", &[("alice", "wonder")], root).unwrap();
        let options = format!(
            "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {}\nmech_list: {}\n",
            file.display(),
            MECHANISMS.join(" ")
        );
        scratch.file("beanauthd.conf", &options).unwrap();
        let address = port::free().unwrap();
        let mut command = in_session("env");
        command
            .args(placed.environment(Way::LibraryPath))
            .arg(format!("SASL_CONF_PATH={}", scratch.path().display()))
            .arg(beanauthd())
            .args([&address.ip().to_string(), &address.port().to_string()])
            .arg("lab.test");
        let log = scratch.join("beanauthd.log");
        let mut process = Process::start("beanauthd", &mut command, &log).unwrap();
        process
            .wait_ready(LIMIT, || Ok(!port::refuses(address)))
            .unwrap();
        maps::require_only(process.id(), placed.library()).unwrap();
        Self {
            process,
            address,
            _scratch: scratch,
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect_timeout(&self.address, LIMIT).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// All that the server answers to `input`, then nothing more to come.
    fn answers(&self, input: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(input).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).unwrap();
        String::from_utf8_lossy(&said).into_owned()
    }

    fn login(&self, library: Library, mechanism: &str, password: &str, piece: &str) -> String {
        let scratch = Scratch::new().unwrap();
        let mut command = Command::new("timeout");
        command.args(["-s", "KILL", "60", "env"]);
        command.args(placed(library, &scratch).environment(Way::LibraryPath));
        command
            .arg(client().path())
            .arg(self.address.port().to_string());
        command.args([mechanism, "alice", password, piece]);
        let output = process::run(&mut command).unwrap();
        assert!(output.status.success(), "{mechanism}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Ends as it should: nothing forgotten, nothing told.
    fn stop(mut self) {
        self.process.require_running().unwrap();
        let log = self.process.output();
        assert!(
            !log.contains("canary") && !log.contains("wonder"),
            "a password in the log"
        );
        self.process.stop().unwrap();
    }
}

const PLAIN: &[u8] = b"auth-start PLAIN 13\r\n\0alice\0wonder\r\n";

#[test]
fn every_mechanism_on_both_libraries() {
    for library in [Stock, Ours] {
        let server = Server::start(library);
        for mechanism in MECHANISMS {
            for other in [Stock, Ours] {
                let case = format!("{mechanism}: server {library}, client {other}");
                let right = server.login(other, mechanism, "wonder", "70000");
                assert_eq!(right, "OK", "{case}\n{}", server.process.output());
                let wrong = server.login(other, mechanism, "canary", "70000");
                assert_eq!(wrong, "UNAUTHORIZED", "{case}");
            }
            let pieces = server.login(library, mechanism, "wonder", "1");
            assert_eq!(pieces, "OK", "{mechanism}, byte by byte");
        }
        server.stop();
    }
}

#[test]
fn commands_in_a_heap_are_answered_in_order() {
    for library in [Stock, Ours] {
        let server = Server::start(library);
        let mut input = b"whoami\r\nauth-step 0\r\n\r\n".to_vec();
        input.extend_from_slice(PLAIN);
        input.extend_from_slice(b"whoami\r\nauth-start NONSENSE 2\r\nhi\r\nwhoami\r\n");
        input.extend_from_slice(PLAIN);
        input.extend_from_slice(b"auth-step 0\r\n\r\nput 1 2 3\r\nquit\r\nwhoami\r\n");
        let expected = "UNAUTHORIZED\r\nUNAUTHORIZED\r\nOK\r\nOK 14\r\nalice@lab.test\r\n\
                        UNAUTHORIZED\r\nUNAUTHORIZED\r\nOK\r\nUNAUTHORIZED\r\nUNKNOWN_COMMAND\r\n";
        let said = server.answers(&input);
        assert_eq!(said, expected, "{library} {}", server.process.output());

        let said = server.answers(b"auth-list-mechanisms\r\n");
        let mut lines = said.lines();
        let size: usize = lines.next().unwrap()[3..].parse().unwrap();
        let mut names: Vec<_> = lines.next().unwrap().split(' ').collect();
        assert_eq!(size, names.join(" ").len());
        names.sort_unstable();
        let mut all = MECHANISMS.to_vec();
        all.sort_unstable();
        assert_eq!(names, all, "{library}");
        server.stop();
    }
}

/// After each mistake the next command is understood.
#[test]
fn mistakes_are_told_and_leave_the_input_in_step() {
    let server = Server::start(Ours);
    let long = format!("auth-start {} 3\r\nabc\r\n", "M".repeat(33));
    let longest = format!("auth-start {} 3\r\nabc\r\n", "M".repeat(32));
    let endless = format!("{}\r\n", "x".repeat(100_000));
    let big = format!("auth-step 65537\r\n{}\r\n", "\r\n".repeat(32_768) + "x");
    let huge = format!("auth-start PLAIN 4000000\r\n{}\r\n", "y".repeat(4_000_000));
    let cases: &[(&str, &str)] = &[
        ("\r\n", "UNKNOWN_COMMAND"),
        ("AUTH-STEP 0\r\n", "UNKNOWN_COMMAND"),
        ("use tube\r\n", "UNKNOWN_COMMAND"),
        ("auth-start\r\n", "BAD_FORMAT"),
        ("auth-start PLAIN\r\n", "BAD_FORMAT"),
        ("auth-start PLAIN x\r\n", "BAD_FORMAT"),
        ("auth-start PLAIN -1\r\n", "BAD_FORMAT"),
        ("auth-start PLAIN 1 2\r\n", "BAD_FORMAT"),
        ("auth-start PLAIN 99999999999999999999\r\n", "BAD_FORMAT"),
        ("auth-step\r\n", "BAD_FORMAT"),
        ("auth-step 0x10\r\n", "BAD_FORMAT"),
        (&long, "BAD_FORMAT"),
        (&longest, "UNAUTHORIZED"),
        (&endless, "BAD_FORMAT"),
        (&big, "TOO_BIG"),
        (&huge, "TOO_BIG"),
        ("auth-start PLAIN 3\r\nabcdef\r\n", "EXPECTED_CRLF"),
        ("auth-start PLAIN 9\r\nabc\r\nwhoami\r\n", "EXPECTED_CRLF"),
        ("auth-step 0\r\nx\r\n", "EXPECTED_CRLF"),
    ];
    for (input, expected) in cases {
        let shown: String = input.chars().take(60).collect();
        let mut whole = input.as_bytes().to_vec();
        whole.extend_from_slice(PLAIN);
        let said = server.answers(&whole);
        assert_eq!(said, format!("{expected}\r\nOK\r\n"), "{shown:?}");
    }
    server.stop();
}

#[test]
fn many_at_once_and_guessers_are_hung_up_on() {
    for library in [Stock, Ours] {
        let server = Server::start(library);
        // Each is in the middle of something while the others go on.
        let mut streams: Vec<_> = (0..200).map(|_| server.connect()).collect();
        let (head, tail) = PLAIN.split_at(25);
        for half in [head, tail] {
            for stream in &mut streams {
                stream.write_all(half).unwrap();
            }
        }
        for stream in streams {
            let mut line = String::new();
            BufReader::new(stream).read_line(&mut line).unwrap();
            assert_eq!(line, "OK\r\n", "{library}");
        }
        let wrong = b"auth-start PLAIN 13\r\n\0alice\0canary\r\n".repeat(9);
        let said = server.answers(&wrong);
        assert_eq!(said, "UNAUTHORIZED\r\n".repeat(5), "{library}");
        server.stop();
    }
}
