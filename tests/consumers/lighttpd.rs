// SPDX-License-Identifier: MIT OR Apache-2.0
//! lighttpd: HTTP's Basic authentication through `sasl_checkpass`, by a server
//! that gives no application name. Unpacked: it would take port 80.

use crate::site::{LIMIT, PASSWORD, REALM, Site, USER, WRONG};
use lab::consumer::{Consumer, Origin};
use lab::library::Library;
use lab::line::Line;
use lab::process::{Process, in_session};
use lab::{base64, maps, port};
use std::net::SocketAddr;
use std::path::Path;

const LIGHTTPD: Consumer = Consumer {
    program: "lighttpd mod_authn_sasl",
    package: "lighttpd",
    side: "server",
    mechanisms: "passwords (sasl_checkpass)",
    origin: Origin::Unpacked(&["lighttpd", "lighttpd-mod-authn-sasl"]),
};

fn serve(site: &Site, root: &Path, address: SocketAddr) -> Process {
    let pages = site.scratch.folder("pages").unwrap();
    site.scratch
        .file("pages/page", "for those who may")
        .unwrap();
    let lines = format!(
        "server.document-root = \"{}\"\nserver.bind = \"{}\"\nserver.port = {}\n\
         server.modules = (\"mod_auth\", \"mod_authn_sasl\")\nauth.backend = \"sasl\"\n\
         auth.backend.sasl.opts = (\"service\" => \"http\", \"fqdn\" => \"{REALM}\",\n\
         \"pwcheck_method\" => \"sasldb\", \"sasldb_path\" => \"{}\")\n\
         auth.require = (\"/\" => (\"method\" => \"basic\", \"realm\" => \"{REALM}\",\n\
         \"require\" => \"valid-user\"))\n",
        pages.display(),
        address.ip(),
        address.port(),
        site.path("sasldb2").display()
    );
    let file = site.scratch.file("lighttpd.conf", &lines).unwrap();
    let mut command = in_session("env");
    command
        .args(site.environment(root))
        .arg(root.join("usr/sbin/lighttpd"));
    command.arg("-D").arg("-f").arg(file);
    command.arg("-m").arg(root.join("usr/lib/lighttpd"));
    let log = site.path("lighttpd.log");
    let mut process = Process::start("lighttpd", &mut command, &log).unwrap();
    process
        .wait_ready(LIMIT, || Ok(!port::refuses(address)))
        .unwrap();
    process
}

/// What it answers to a request, to the end.
fn get(address: SocketAddr, login: Option<(&str, &str)>) -> String {
    let mut line = Line::connect(address).unwrap();
    line.say("GET /page HTTP/1.0").unwrap();
    if let Some((user, password)) = login {
        let word = base64::encode(format!("{user}:{password}").as_bytes());
        line.say(&format!("Authorization: Basic {word}")).unwrap();
    }
    let mut text = line.ask("").unwrap();
    while let Ok(more) = line.hear() {
        text = text + "\n" + &more;
    }
    text
}

fn serves(which: Library, root: &Path) {
    let site = Site::new(which);
    let address = port::free().unwrap();
    let server = serve(&site, root, address);
    let user = format!("{USER}@{REALM}");
    for user in [USER, &user, USER] {
        let right = get(address, Some((user, PASSWORD)));
        assert!(right.contains(" 200 "), "{right} {}", server.output());
        assert!(right.ends_with("for those who may"), "{right}");
        for login in [(user, WRONG), (user, ""), ("nobody", PASSWORD), ("", "")] {
            let wrong = get(address, Some(login));
            assert!(wrong.contains(" 401 "), "{login:?}: {wrong}");
        }
    }
    assert!(get(address, None).contains(" 401 "));
    maps::require_only(server.id(), site.placed.library()).unwrap();
    assert!(!server.output().contains(WRONG));
}

on_both!(server, LIGHTTPD, serves);
