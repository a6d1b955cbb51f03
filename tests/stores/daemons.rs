// SPDX-License-Identifier: MIT OR Apache-2.0
//! Passwords that another process checks: the distribution's saslauthd with
//! four of its back ends, and scripted peers of both protocols that hang,
//! answer nonsense or leave.

use crate::accounts::{Place, Plugin, Said};
use lab::library::Library::{Ours, Stock};
use lab::private;
use lab::saslauthd::Saslauthd;
use lab::sasldb;
use lab::scratch::{self, Scratch};
use lab::slapd::{BASE, Kind, SERVICE, Slapd};
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const FILE: &str = "libsasldb.so";

fn place(method: &str, option: &str, socket: &Path) -> Place {
    let options = format!("pwcheck_method={method}\n{option}={}", socket.display());
    Place::new(Ours, Plugin::Ours, FILE, &options)
}

/// Right, wrong and unknown, through `saslauthd_path` with and without `/mux`.
fn answers(socket: &Path, user: &str, password: &str) {
    for path in [socket, socket.parent().unwrap()] {
        let place = place("saslauthd", "saslauthd_path", path);
        let says = |user: &str, password: &str| place.run(&["check", user, "1", "1", password]);
        assert_eq!(says(user, password).succeeded().len(), 1, "{user}");
        assert_eq!(says(user, "canary-3").failed(-13), 1);
        assert_eq!(says("nobody-at-all", password).failed(-13), 1);
        assert_eq!(says(user, "").succeeded().len(), 0);
        let long = "x".repeat(9000);
        assert_eq!(says(&long, password).succeeded().len(), 0);
        // It cannot tell whether a user exists, and says so.
        assert_eq!(place.run(&["exists", user, "1", "1"]).failed(-26), 1);
    }
}

#[test]
fn the_real_saslauthd_on_sasldb() {
    let scratch = Scratch::new().unwrap();
    let file = scratch.join("sasldb2");
    sasldb::store(&[], &file, "alice@lab.test", "secret").unwrap();
    let mounts = [(file.as_path(), "/etc/sasldb2")];
    let server = Saslauthd::start_with(&scratch, &["-a", "sasldb"], &mounts).unwrap();
    answers(server.socket(), "alice", "secret");
    answers(server.socket(), "alice@lab.test", "secret");
}

#[test]
fn the_real_saslauthd_on_shadow_and_pam() {
    let scratch = Scratch::new().unwrap();
    let hash = Command::new("openssl")
        .args(["passwd", "-6", "secret"])
        .output()
        .unwrap();
    let hash = String::from_utf8(hash.stdout).unwrap();
    let with = |file: &str, line: String| {
        let copy = private::with_lines(&scratch, file, &line).unwrap();
        scratch::set_mode(
            &copy,
            if file.ends_with("shadow") {
                0o600
            } else {
                0o644
            },
        )
        .unwrap();
        copy
    };
    let passwd = with("/etc/passwd", "labuser:x:65000:65000::/:/bin/sh\n".into());
    let shadow = with(
        "/etc/shadow",
        format!("labuser:{}:19000:0:99999:7:::\n", hash.trim()),
    );
    let binds = [
        (passwd.as_path(), "/etc/passwd"),
        (shadow.as_path(), "/etc/shadow"),
    ];
    for mechanism in ["shadow", "pam"] {
        let server = Saslauthd::start_with(&scratch, &["-a", mechanism], &binds).unwrap();
        answers(server.socket(), "labuser", "secret");
    }
}

#[test]
fn the_real_saslauthd_on_ldap() {
    let scratch = Scratch::new().unwrap();
    let mut slapd = Slapd::start(&scratch, Kind::SimpleOnly, "service-password", &[]).unwrap();
    let text = format!(
        "ldap_servers: ldap://{}/\nldap_version: 3\nldap_bind_dn: {SERVICE},{BASE}\n\
         ldap_bind_pw: service-password\nldap_search_base: {BASE}\nldap_filter: (cn=%u)\n",
        slapd.address()
    );
    let file = scratch.file("saslauthd.conf", &text).unwrap();
    let options = ["-a", "ldap", "-O", file.to_str().unwrap()];
    let server = Saslauthd::start_with(&scratch, &options, &[]).unwrap();
    answers(server.socket(), "johndoe", "dogood");
    // Another one's password, and a filter in a name.
    let place = place("saslauthd", "saslauthd_path", server.socket());
    for user in ["robin", "*", "johndoe)(cn=*"] {
        let said = place.run(&["check", user, "1", "1", "dogood"]);
        assert_eq!(said.failed(-13), 1, "{user} {said:?}");
    }
    slapd.stop().unwrap();
    let said = place.run(&["check", "johndoe", "1", "1", "dogood"]);
    assert_eq!(said.failed(-13), 1, "{said:?}");
}

/// What a scripted peer does with a request.
type Script = Box<dyn Fn(&mut UnixStream, &[u8]) + Send>;

struct Peer {
    socket: PathBuf,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
    _scratch: Scratch,
}

impl Peer {
    fn new(script: Script) -> Self {
        let scratch = Scratch::new().unwrap();
        let socket = scratch.join("socket");
        let listener = UnixListener::bind(&socket).unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let mut request = vec![0; 70_000];
                let count = stream.read(&mut request).unwrap_or_default();
                request.truncate(count);
                seen.lock().unwrap().push(request.clone());
                script(&mut stream, &request);
            }
        });
        Self {
            socket,
            requests,
            _scratch: scratch,
        }
    }

    fn check(&self, method: &str, more: &str) -> Said {
        let option = format!("{method}_path");
        let options = format!(
            "pwcheck_method={method}\n{option}={}\n{more}",
            self.socket.display()
        );
        let place = Place::new(Ours, Plugin::Ours, FILE, &options);
        place.run(&["check", "alice", "1", "1", "canary-9"])
    }
}

fn replies(bytes: &'static [u8]) -> Peer {
    Peer::new(Box::new(move |stream, _| {
        let _ = stream.write_all(bytes);
    }))
}

#[test]
fn saslauthd_peers_that_answer_oddly() {
    for (reply, code) in [
        (&b"\0\x02OK"[..], 0),
        (b"\0\x06OK yes", 0),
        (b"\0\x02NO", -13),
        (b"\0\x05OKxyz", -13),
        (b"\0\x02ok", -13),
        (b"\0\x03 OK", -13),
        (b"", -1),
        (b"\0", -1),
        (b"\0\0", -1),
        (b"\0\x01O", -1),
        (b"\0\x05OK", -1),
        (b"\xff\xffOK", -1),
        (b"\0\x02NO\0\x02OK", -13),
        (b"HTTP/1.1 200 OK\r\n\r\n", -1),
    ] {
        let said = replies(reply).check("saslauthd", "");
        match code {
            0 => assert_eq!(said.succeeded().len(), 1, "{reply:?} {said:?}"),
            code => assert_eq!(said.failed(code), 1, "{reply:?} {said:?}"),
        }
        assert!(!said.log.contains("canary-9"), "{}", said.log);
    }
}

#[test]
fn saslauthd_gets_four_fields_or_five() {
    let four = b"\0\x05alice\0\x08canary-9\0\x04imap\0\x08lab.test".to_vec();
    let peer = replies(b"\0\x02OK");
    assert_eq!(peer.check("saslauthd", "").succeeded().len(), 1);
    assert_eq!(
        peer.check("saslauthd", "saslauthd_remote=yes")
            .succeeded()
            .len(),
        1
    );
    let five = [&four[..], b"\0\0"].concat();
    assert_eq!(*peer.requests.lock().unwrap(), [four, five]);
}

#[test]
fn authdaemond_peers() {
    for (reply, code) in [
        (&b"USERNAME=alice\nHOME=/home\n.\n"[..], 0),
        (b".\n", 0),
        (b"FAIL\n", -13),
        (b"FAIL\n.\n", -13),
        (b".", -1),
        (b"", -1),
        (b"what?\n", -1),
        (b"\0\0\0\0", -1),
    ] {
        let peer = replies(reply);
        let said = peer.check("authdaemond", "");
        match code {
            0 => assert_eq!(said.succeeded().len(), 1, "{reply:?} {said:?}"),
            code => assert_eq!(said.failed(code), 1, "{reply:?} {said:?}"),
        }
        let request = b"AUTH 35\nimap\nlogin\nalice@lab.test\ncanary-9\n\n".to_vec();
        assert_eq!(*peer.requests.lock().unwrap(), [request]);
        assert!(!said.log.contains("canary-9"), "{}", said.log);
    }
    let endless = Peer::new(Box::new(
        |stream, _| while stream.write_all(&[b'x'; 4096]).is_ok() {},
    ));
    assert_eq!(endless.check("authdaemond", "").failed(-1), 1);
}

/// Silence, and a byte now and then: given up after 30 seconds in all.
#[test]
fn peers_that_hang_are_given_up() {
    // What takes time before is not ours to measure.
    lab::stage::stage().unwrap();
    let start = Instant::now();
    let threads: Vec<_> = [
        ("saslauthd", false),
        ("saslauthd", true),
        ("authdaemond", false),
        ("authdaemond", true),
    ]
    .into_iter()
    .map(|(method, drips)| {
        thread::spawn(move || {
            let peer = Peer::new(Box::new(move |stream, _| {
                let _ = stream.write_all(if method == "saslauthd" && drips {
                    b"\x03\xff"
                } else {
                    b""
                });
                for _ in 0..600 {
                    thread::sleep(Duration::from_millis(100));
                    if drips && stream.write_all(b"x").is_err() {
                        return;
                    }
                }
            }));
            let said = peer.check(method, "");
            assert_eq!(said.failed(-1), 1, "{method} {drips} {said:?}");
            assert!(said.log.contains("30 s"), "{method} {drips} {}", said.log);
        })
    })
    .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let took = start.elapsed();
    assert!((28..50).contains(&took.as_secs()), "{took:?}");
}

#[test]
fn sockets_that_are_none() {
    let scratch = Scratch::new().unwrap();
    let long = scratch.join(&"x".repeat(200));
    let missing = scratch.join("nobody");
    let file = scratch.file("file", "").unwrap();
    for method in ["saslauthd", "authdaemond"] {
        for socket in [&long, &missing, &file] {
            let said =
                place(method, &format!("{method}_path"), socket).run(&["check", "alice", "1", "1"]);
            assert_eq!(said.failed(-1), 1, "{said:?}");
            assert!(
                said.log.contains(&format!("option {method}_path")),
                "{}",
                said.log
            );
        }
        let name = format!("{method}_path");
        let said = place(method, &name, &long).run(&["check", "alice", "1", "1"]);
        assert!(said.log.contains("107"), "{}", said.log);
    }
}

/// The methods in order: the second is asked when the first says no.
#[test]
fn a_list_of_methods() {
    let scratch = Scratch::new().unwrap();
    let file = scratch.join("sasldb2");
    let yes = replies(b"\0\x02OK");
    let options = format!(
        "pwcheck_method=auxprop saslauthd\nauxprop_plugin=sasldb\nsasldb_path={}\nsaslauthd_path={}\nauto_transition=yes",
        file.display(),
        yes.socket.display()
    );
    let place = Place::new(Ours, Plugin::Ours, FILE, &options);
    assert_eq!(place.count("set", "known%d", 1, 1), 1);
    assert_eq!(place.count("check", "known%d", 1, 1), 1);
    assert!(yes.requests.lock().unwrap().is_empty());
    assert_eq!(place.count("check", "new%d", 1, 3), 3);
    assert_eq!(yes.requests.lock().unwrap().len(), 3);
    // What saslauthd said yes to has been stored.
    let options = format!("auxprop_plugin=sasldb\nsasldb_path={}", file.display());
    let stock = Place::new(Stock, Plugin::Stock, FILE, &options);
    assert_eq!(stock.count("check", "new%d", 1, 3), 3);
}
