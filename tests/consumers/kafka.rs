// SPDX-License-Identifier: MIT OR Apache-2.0
//! librdkafka (kcat) with Kerberos, the one mechanism for which it uses
//! libsasl2. The broker knows three requests; the distribution's sample server
//! on stock checks what the client says.

use crate::site::{LIMIT, Site};
use lab::consumer::{Consumer, Origin};
use lab::kdc::{self, HOST, Kdc};
use lab::library::Library;
use lab::process::Process;
use lab::scratch::{self, Scratch};
use lab::{base64, private};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

const KCAT: Consumer = Consumer {
    program: "kcat (librdkafka)",
    package: "kcat",
    side: "client",
    mechanisms: "GSSAPI",
    origin: Origin::Installed("/usr/bin/kcat"),
};

const PLUGIN: &str = "libgssapiv2.so";
const PASSWORD: &str = "tickets-4-all";

/// Requests that a broker names as those it knows.
const KNOWN: [u16; 4] = [METADATA, GROUP, HANDSHAKE, VERSIONS];
const METADATA: u16 = 3;
const GROUP: u16 = 11;
const HANDSHAKE: u16 = 17;
const VERSIONS: u16 = 18;

/// The sample server, which checks.
struct Checker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Checker {
    fn start(words: &[String]) -> Self {
        let mut child = Command::new("timeout")
            .args(["60", "env"])
            .args(words)
            .args(["stdbuf", "-o0", "sasl-sample-server", "-s", "kafka"])
            .args(["-d", HOST, "-m", "GSSAPI", "-p"])
            .arg(kdc::stock_plugins().unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    /// Its next message, or none and its words if it is done or has given up.
    fn message(&mut self) -> Result<Vec<u8>, String> {
        let mut said = String::new();
        let mut bytes = Vec::new();
        // It prints what it receives, too.
        while self.output.read_until(b'\n', &mut bytes).unwrap() > 0 {
            let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
            bytes.clear();
            if let Some(message) = line.strip_prefix("S: ") {
                return Ok(base64::decode(message).unwrap());
            }
            said += &line;
            if line.contains("Username: ") {
                break;
            }
        }
        Err(said)
    }

    fn say(&mut self, bytes: &[u8]) {
        // One that has given up is heard at its next message.
        let _ = writeln!(self.input, "C: {}", base64::encode(bytes));
    }
}

impl Drop for Checker {
    fn drop(&mut self) {
        // It has ended, or `timeout` ends it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn frame(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut count = [0; 4];
    stream.read_exact(&mut count)?;
    let mut bytes = vec![0; usize::try_from(u32::from_be_bytes(count)).unwrap()];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn answer(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(&u32::try_from(bytes.len()).unwrap().to_be_bytes())?;
    stream.write_all(bytes)
}

/// One connection: what the sample server said of the client at last.
fn talk(stream: &mut TcpStream, words: &[String]) -> io::Result<String> {
    stream.set_read_timeout(Some(LIMIT))?;
    loop {
        let request = frame(stream)?;
        let number = |at: usize| u16::from_be_bytes([request[at], request[at + 1]]);
        let mut reply = request[4..8].to_vec();
        if number(0) == HANDSHAKE {
            reply.extend([0, 0, 0, 0, 0, 1, 0, 6]);
            reply.extend(b"GSSAPI");
            answer(stream, &reply)?;
            return check(stream, words);
        }
        assert_eq!(number(0), VERSIONS);
        // 35: it has to ask in the oldest form.
        let error = if number(2) == 0 { 0 } else { 35 };
        reply.extend([0, error, 0, 0, 0, 4]);
        for known in KNOWN {
            reply.extend(known.to_be_bytes());
            reply.extend([0; 4]);
        }
        answer(stream, &reply)?;
    }
}

fn check(stream: &mut TcpStream, words: &[String]) -> io::Result<String> {
    let mut checker = Checker::start(words);
    let list = checker.message().unwrap();
    assert_eq!(list, b"GSSAPI");
    let mut first = b"GSSAPI\0".to_vec();
    first.extend(frame(stream)?);
    checker.say(&first);
    loop {
        match checker.message() {
            Ok(challenge) => answer(stream, &challenge)?,
            Err(said) => {
                if said.contains("Negotiation complete") {
                    answer(stream, b"")?;
                    // Now it asks what it wanted to ask.
                    frame(stream)?;
                }
                return Ok(said);
            }
        }
        let response = frame(stream)?;
        checker.say(&response);
    }
}

/// A broker: what came of each connection.
fn broker(words: Vec<String>) -> (SocketAddr, Receiver<Result<String, String>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, heard) = mpsc::channel();
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let said = talk(&mut stream, &words).map_err(|error| error.to_string());
            if sender.send(said).is_err() {
                return;
            }
        }
    });
    (address, heard)
}

struct Realm {
    kdc: Kdc,
    server: Scratch,
}

impl Realm {
    fn new() -> Self {
        let server = Scratch::new().unwrap();
        let kdc = Kdc::start(&server).unwrap();
        kdc.add_user("alice", PASSWORD).unwrap();
        kdc.log_in("alice", PASSWORD, "tickets", &[]).unwrap();
        Self { kdc, server }
    }

    /// A broker with the key in this file.
    fn broker(&self, keys: &Path) -> (SocketAddr, Receiver<Result<String, String>>) {
        let mut words: Vec<_> = self.words("none");
        words.push(format!("KRB5_KTNAME=FILE:{}", keys.display()));
        words.push(format!("SASL_CONF_PATH={}", self.server.path().display()));
        broker(words)
    }

    fn words(&self, cache: &str) -> Vec<String> {
        let all = self.kdc.environment(cache);
        all.iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }
}

/// Starts a client; it tries until it is stopped.
fn kcat(site: &Site, realm: &Realm, address: SocketAddr, cache: &str) -> Process {
    let hosts = private::with_lines(&site.scratch, "/etc/hosts", &format!("127.0.0.1 {HOST}\n"));
    let mut command = private::with_mounts(&[(&hosts.unwrap(), "/etc/hosts")]);
    command
        .args(site.noted_environment(Path::new("/")))
        .args(realm.words(cache))
        .args(["kcat", "-L", "-m", "60", "-d", "security"])
        .args(["-b", &format!("{HOST}:{}", address.port())]);
    for option in [
        "security.protocol=SASL_PLAINTEXT",
        "sasl.mechanisms=GSSAPI",
        "sasl.kerberos.service.name=kafka",
        "sasl.kerberos.kinit.cmd=true",
    ] {
        command.args(["-X", option]);
    }
    Process::start("kcat", &mut command, &site.path("kcat.log")).unwrap()
}

fn logs_in(which: Library) {
    let site = Site::new(which);
    if which == Library::Stock {
        let plugin = kdc::stock_plugins().unwrap().join(PLUGIN);
        scratch::copy(&plugin, &site.placed.plugins().join(PLUGIN)).unwrap();
    } else {
        site.placed.add_our_plugin(PLUGIN).unwrap();
    }
    let realm = Realm::new();
    let keys = realm.kdc.add_service("kafka", "kafka.keytab").unwrap();
    let talk = |keys: &Path, cache: &str| {
        let (address, heard) = realm.broker(keys);
        let client = kcat(&site, &realm, address, cache);
        let said = heard.recv_timeout(LIMIT).unwrap();
        let log = client.output();
        drop(client);
        let proof = site.loaded.require_only(site.placed.library());
        assert!(proof.is_ok(), "{proof:?} {log}");
        (said, log)
    };
    let (said, log) = talk(&keys, "tickets");
    assert!(said.is_ok(), "{said:?} {log}");
    let said = said.unwrap();
    assert!(said.contains("Negotiation complete"), "{said} {log}");
    assert!(said.contains("Username: alice"), "{said}");
    // Without a ticket the client has nothing to say.
    let (said, log) = talk(&keys, "empty");
    assert!(said.is_err(), "{said:?} {log}");
    // A broker with another service's key refuses the ticket.
    let others = realm.kdc.add_service("other", "other.keytab").unwrap();
    let (said, log) = talk(&others, "tickets");
    assert!(!said.unwrap_or_default().contains("complete"), "{log}");
}

on_both!(client, KCAT, |which, _| logs_in(which));
