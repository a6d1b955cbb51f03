// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mail clients: mbsync and nmh at Cyrus on stock, nmh's post at a server
//! without libsasl2.

use crate::cyrus_family::Family;
use crate::site::{PASSWORD, Ran, Site, USER, WRONG};
use lab::consumer::{Consumer, Origin};
use lab::library::Library;
use lab::placed::SHARED_SECRET;
use lab::scratch::set_mode;
use lab::smtp_peer::SmtpPeer;
use std::net::SocketAddr;
use std::path::Path;

const MBSYNC: Consumer = Consumer {
    program: "mbsync (isync)",
    package: "isync",
    side: "client",
    mechanisms: "PLAIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-256",
    origin: Origin::Installed("/usr/bin/mbsync"),
};

const NMH: Consumer = Consumer {
    program: "nmh inc, post",
    package: "nmh",
    mechanisms: "inc: PLAIN CRAM-MD5 SCRAM-SHA-256, DIGEST-MD5 with a layer; post: PLAIN LOGIN CRAM-MD5",
    origin: Origin::Installed("/usr/lib/mh/post"),
    ..MBSYNC
};

/// The user and the password of [`Family`].
const MAILBOX: [&str; 2] = ["jdoe", "dogood"];

fn mbsync(site: &Site, server: SocketAddr, mechanism: &str, password: &str) -> Ran {
    let folder = site.scratch.folder("mail").unwrap();
    let folder = folder.display();
    let text = format!(
        "IMAPAccount far\nHost {}\nPort {}\nUser {}\nPass {password}\nSSLType None\n\
         AuthMechs {mechanism}\nTimeout 30\n\nIMAPStore far\nAccount far\n\n\
         MaildirStore near\nPath {folder}/\nInbox {folder}/INBOX\n\n\
         Channel all\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\nSyncState *\n",
        server.ip(),
        server.port(),
        MAILBOX[0],
    );
    let file = site.scratch.file("mbsyncrc", &text).unwrap();
    set_mode(&file, 0o600).unwrap();
    site.run(Path::new("/"), &["mbsync", "-D", "-c", "mbsyncrc", "-a"])
}

fn synchronises(which: Library) {
    let family = Family::start(Library::Stock);
    let site = Site::new(which);
    let server = family.cyrus.address();
    for mechanism in ["PLAIN"].iter().chain(&SHARED_SECRET) {
        let wrong = mbsync(&site, server, mechanism, WRONG);
        assert!(!wrong.ok, "{mechanism}: {wrong:?}");
        let right = mbsync(&site, server, mechanism, MAILBOX[1]);
        assert!(right.ok, "{mechanism}: {right:?} {}", family.logs());
        let told = format!("AUTHENTICATE {mechanism}");
        assert!(right.said.contains(&told), "{mechanism}: {right:?}");
    }
    let unknown = mbsync(&site, server, "OTP", MAILBOX[1]);
    assert!(!unknown.ok, "{unknown:?}");
}

/// Logins of nmh come from a file with names and passwords.
fn prepare(site: &Site, user: &str, password: &str) {
    let lines = format!("machine 127.0.0.1 login {user} password {password}\n");
    let file = site.scratch.file("logins", &lines).unwrap();
    set_mode(&file, 0o600).unwrap();
    site.scratch.folder("Mail/inbox").unwrap();
    let lines = format!(
        "Path: {}\ncredentials: file:{}\n",
        site.path("Mail").display(),
        file.display()
    );
    site.scratch.file(".mh_profile", &lines).unwrap();
}

fn inc(site: &Site, server: SocketAddr, mechanism: &str, password: &str) -> Ran {
    prepare(site, MAILBOX[0], password);
    let port = server.port().to_string();
    let mut words = vec![
        "/usr/bin/mh/inc",
        "-host",
        "127.0.0.1",
        "-port",
        &port,
        "-user",
        MAILBOX[0],
    ];
    words.extend(["-sasl", "-saslmech", mechanism, "-notls", "-snoop"]);
    site.run(Path::new("/"), &words)
}

fn post(site: &Site, server: SocketAddr, mechanism: &str, password: &str) -> Ran {
    prepare(site, USER, password);
    let mail = "From: alice@lab.test\nTo: bob@elsewhere.test\nSubject: one\n\nHello.\n";
    site.scratch.file("draft", mail).unwrap();
    let port = server.port().to_string();
    let logins = format!("file:{}", site.path("logins").display());
    let mut words = vec!["/usr/lib/mh/post", "-mts", "smtp", "-server", "127.0.0.1"];
    words.extend([
        "-port",
        &port,
        "-sasl",
        "-saslmech",
        mechanism,
        "-user",
        USER,
    ]);
    words.extend(["-credentials", &logins, "-notls", "-snoop", "draft"]);
    site.run(Path::new("/"), &words)
}

fn reads_and_sends(which: Library) {
    let family = Family::start(Library::Stock);
    let site = Site::new(which);
    for mechanism in ["PLAIN"].iter().chain(&SHARED_SECRET) {
        let wrong = inc(&site, family.pop3, mechanism, WRONG);
        assert!(wrong.said.contains("-ERR"), "{mechanism}: {wrong:?}");
        let right = inc(&site, family.pop3, mechanism, MAILBOX[1]);
        assert!(
            right.said.contains("no mail to incorporate"),
            "{mechanism}: {right:?} {}",
            family.logs()
        );
    }
    for mechanism in ["PLAIN", "LOGIN", "CRAM-MD5"] {
        let peer = SmtpPeer::start(mechanism, USER, PASSWORD).unwrap();
        let wrong = post(&site, peer.address(), mechanism, WRONG);
        assert!(!wrong.ok, "{mechanism}: {wrong:?}");
        assert_eq!(peer.seen(), [format!("{mechanism} no")], "{wrong:?}");
        let right = post(&site, peer.address(), mechanism, PASSWORD);
        assert!(right.ok, "{mechanism}: {right:?}");
        let seen = [
            format!("{mechanism} no"),
            format!("{mechanism} yes"),
            "mail".to_owned(),
        ];
        assert_eq!(peer.seen(), seen, "{right:?}");
    }
}

on_both!(mbsync_client, MBSYNC, |which, _| synchronises(which));
on_both!(nmh, NMH, |which, _| reads_and_sends(which));
