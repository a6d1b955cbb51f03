// SPDX-License-Identifier: MIT OR Apache-2.0
//! Exim with its authenticator `cyrus_sasl`. Unpacked: only one of Exim's
//! packages can be installed.

use crate::site::{LIMIT, PASSWORD, REALM, Site, USER, WRONG};
use lab::consumer::{Consumer, Origin};
use lab::library::Library;
use lab::process::{self, Process};
use lab::scratch::set_mode;
use lab::smtp::Smtp;
use lab::{maps, port, private};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

const EXIM: Consumer = Consumer {
    program: "Exim",
    package: "exim4-daemon-heavy",
    side: "server",
    mechanisms: "PLAIN LOGIN CRAM-MD5",
    origin: Origin::Unpacked(&["exim4-daemon-heavy", "exim4-base"]),
};

/// The account that the program was built for, for machines that have it not.
const ACCOUNT: [&str; 2] = [
    "Debian-exim:x:64990:64990::/:/bin/false\n",
    "Debian-exim:x:64990:\n",
];

fn configuration(site: &Site, address: SocketAddr) -> String {
    let folder = site.scratch.path().display();
    let mut text = format!(
        "keep_environment = LD_LIBRARY_PATH : SASL_PATH : SASL_CONF_PATH\n\
         primary_hostname = mail.lab.test\nspool_directory = {folder}/exim/spool\n\
         log_file_path = {folder}/exim/log/%s\npid_file_path = {folder}/exim/pid\n\
         local_interfaces = {}.{}\ntls_advertise_hosts =\nhost_lookup =\n\
         acl_smtp_rcpt = rcpt\nacl_smtp_mail = accept\nrfc1413_query_timeout = 0s\n\
         begin acl\nrcpt:\n  accept authenticated = *\n  deny message = log in first\n\
         begin authenticators\n",
        address.ip(),
        address.port()
    );
    for mechanism in ["PLAIN", "LOGIN", "CRAM-MD5"] {
        text += &format!(
            "{}:\n  driver = cyrus_sasl\n  public_name = {mechanism}\n\
             \x20 server_realm = {REALM}\n  server_hostname = mail.lab.test\n\
             \x20 server_set_id = $auth1\n",
            mechanism.to_lowercase().replace('-', "_")
        );
    }
    text
}

struct Exim {
    process: Process,
    log: std::path::PathBuf,
}

impl Exim {
    fn start(site: &Site, root: &Path, address: SocketAddr) -> Self {
        for name in ["exim", "exim/spool", "exim/log"] {
            let folder = site.scratch.folder(name).unwrap();
            set_mode(&folder, 0o777).unwrap();
        }
        // The linker ignores LD_LIBRARY_PATH for a set-uid program.
        let program = site.path("exim/exim4");
        fs::copy(root.join("usr/sbin/exim4"), &program).unwrap();
        set_mode(&program, 0o755).unwrap();
        let text = configuration(site, address);
        let file = site.scratch.file("exim/exim.conf", &text).unwrap();
        site.scratch
            .file("exim.conf", &site.options("PLAIN LOGIN CRAM-MD5"))
            .unwrap();
        let users = account(site, "/etc/passwd", ACCOUNT[0]);
        let groups = account(site, "/etc/group", ACCOUNT[1]);
        let mounts = [
            (users.as_path(), "/etc/passwd"),
            (groups.as_path(), "/etc/group"),
        ];
        let mut command = private::with_mounts(&mounts);
        command.args(site.environment(root)).arg(program);
        command.arg("-C").arg(file).args(["-bdf", "-oX"]);
        command.arg(format!("{}.{}", address.ip(), address.port()));
        let out = site.path("exim.out");
        let mut process = Process::start("exim", &mut command, &out).unwrap();
        process
            .wait_ready(LIMIT, || Ok(!port::refuses(address)))
            .unwrap();
        Self {
            process,
            log: site.path("exim/log"),
        }
    }

    fn log(&self) -> String {
        let mut text = self.process.output();
        for name in ["main", "reject", "panic"] {
            text += &fs::read_to_string(self.log.join(name)).unwrap_or_default();
        }
        text
    }
}

fn account(site: &Site, file: &str, line: &str) -> std::path::PathBuf {
    let known = fs::read_to_string(file).unwrap().contains("Debian-exim:");
    private::with_lines(&site.scratch, file, if known { "" } else { line }).unwrap()
}

fn serves(which: Library, root: &Path) {
    let site = Site::new(which);
    let address = port::free().unwrap();
    let exim = Exim::start(&site, root, address);
    maps::require_only(exim.process.id(), site.placed.library()).unwrap();
    for mechanism in ["PLAIN", "LOGIN", "CRAM-MD5"] {
        let mut smtp = Smtp::connect(address).unwrap();
        assert!(
            smtp.offered().iter().any(|offered| offered == mechanism),
            "{}",
            exim.log()
        );
        assert_eq!(smtp.may_send().unwrap().code, 550);
        for (user, password) in [(USER, WRONG), ("nobody", PASSWORD)] {
            let wrong = smtp.log_in(mechanism, user, password).unwrap();
            assert_eq!(wrong.code, 535, "{mechanism} {wrong:?} {}", exim.log());
        }
        assert_eq!(smtp.may_send().unwrap().code, 550);
        let right = smtp.log_in(mechanism, USER, PASSWORD).unwrap();
        assert_eq!(right.code, 235, "{mechanism} {right:?} {}", exim.log());
        assert_eq!(smtp.may_send().unwrap().code, 250, "{}", exim.log());
    }
    let mut smtp = Smtp::connect(address).unwrap();
    for line in ["AUTH FOO", "AUTH PLAIN AGFsaWNl", "AUTH PLAIN !"] {
        let answer = smtp.say(line).unwrap();
        assert!((500..600).contains(&answer.code), "{line}: {answer:?}");
    }
    process::wait_until(LIMIT, "the log", || Ok(exim.log().contains("535"))).unwrap();
    assert!(!exim.log().contains(WRONG));
}

on_both!(server, EXIM, serves);
