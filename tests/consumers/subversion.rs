// SPDX-License-Identifier: MIT OR Apache-2.0
//! Subversion: svnserve and svn over its own protocol, with and without a
//! security layer.

use crate::site::{LIMIT, PASSWORD, REALM, Site, USER, WRONG};
use lab::consumer::{Consumer, Origin};
use lab::library::Library;
use lab::process::{Process, in_session};
use lab::{maps, port};
use std::path::Path;
use std::process::Command;

const SERVER: Consumer = Consumer {
    program: "svnserve",
    package: "subversion",
    side: "server",
    mechanisms: "CRAM-MD5, DIGEST-MD5 (layers 0, 1, 56, 128), SCRAM-SHA-256",
    origin: Origin::Installed("/usr/bin/svnserve"),
};

const CLIENT: Consumer = Consumer {
    program: "svn",
    side: "client",
    ..SERVER
};

struct Repository {
    server: Process,
    url: String,
}

impl Repository {
    /// A repository whose users have a layer of at least and at most so many bits.
    fn serve(site: &Site, name: &str, mechanisms: &str, least: u32, most: u32) -> Self {
        let folder = site.path(name);
        let mut create = Command::new("svnadmin");
        lab::process::run(create.arg("create").arg(&folder)).unwrap();
        let lines = format!(
            "[general]\nanon-access = none\nauth-access = write\nrealm = {REALM}\n\
             [sasl]\nuse-sasl = true\nmin-encryption = {least}\nmax-encryption = {most}\n"
        );
        site.scratch
            .file(&format!("{name}/conf/svnserve.conf"), &lines)
            .unwrap();
        site.scratch
            .file("svn.conf", &site.options(mechanisms))
            .unwrap();
        let address = port::free().unwrap();
        let mut command = in_session("env");
        command.args(site.environment(Path::new("/")));
        command.args([
            "svnserve",
            "-d",
            "--foreground",
            "-T",
            "--listen-host",
            "127.0.0.1",
        ]);
        command
            .args(["--listen-port", &address.port().to_string(), "-r"])
            .arg(&folder);
        let log = site.path(&format!("{name}.log"));
        let mut server = Process::start("svnserve", &mut command, &log).unwrap();
        server
            .wait_ready(LIMIT, || Ok(!port::refuses(address)))
            .unwrap();
        maps::require_only(server.id(), site.placed.library()).unwrap();
        let url = format!("svn://{address}/");
        Self { server, url }
    }
}

fn svn(site: &Site, password: &str, arguments: &[&str]) -> crate::site::Ran {
    let mut all = vec!["svn", "--non-interactive", "--no-auth-cache"];
    all.extend([
        "--config-dir",
        "svn-client",
        "--username",
        USER,
        "--password",
        password,
    ]);
    all.extend(arguments);
    site.run(Path::new("/"), &all)
}

fn commits(server: Library, client: Library) {
    let (here, there) = (Site::new(server), Site::new(client));
    // More than one packet of a layer, and nothing that compresses.
    let many: Vec<u8> = (0..750_000_u32)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    std::fs::write(there.path("large"), &many).unwrap();
    for (name, mechanism, least, most) in [
        ("cram", "CRAM-MD5", 0, 0),
        ("scram", "SCRAM-SHA-256", 0, 256),
        ("plain", "DIGEST-MD5", 0, 0),
        ("signed", "DIGEST-MD5", 1, 1),
        ("weak", "DIGEST-MD5", 56, 56),
        ("sealed", "DIGEST-MD5", 128, 128),
    ] {
        let repository = Repository::serve(&here, name, mechanism, least, most);
        let file = format!("{}file", repository.url);
        let wrong = svn(&there, WRONG, &["ls", &repository.url]);
        assert!(!wrong.ok, "{name}: {wrong:?}");
        let right = svn(
            &there,
            PASSWORD,
            &["import", "-q", "-m", "first", "large", &file],
        );
        assert!(right.ok, "{name}: {right:?} {}", repository.server.output());
        let log = svn(&there, PASSWORD, &["log", &repository.url]);
        assert!(log.said.contains("| alice |"), "{name}: {log:?}");
        let back = svn(
            &there,
            PASSWORD,
            &["export", "-q", "--force", &file, "back"],
        );
        assert!(back.ok, "{name}: {back:?}");
        assert!(std::fs::read(there.path("back")).unwrap() == many, "{name}");
    }
    let repository = Repository::serve(&here, "strict", "CRAM-MD5", 56, 128);
    let none = svn(&there, PASSWORD, &["ls", &repository.url]);
    assert!(!none.ok, "{none:?}");
}

#[test]
fn stock() {
    let test = |_: &Path| commits(Library::Stock, Library::Stock);
    let both = |_: &Path| CLIENT.prove(Library::Stock, test).unwrap();
    SERVER.prove(Library::Stock, both).unwrap();
}

#[test]
fn our_server() {
    SERVER
        .prove(Library::Ours, |_| commits(Library::Ours, Library::Stock))
        .unwrap();
}

#[test]
fn our_client() {
    CLIENT
        .prove(Library::Ours, |_| commits(Library::Stock, Library::Ours))
        .unwrap();
}
