// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sendmail: a server with a memory allocator and a file check of its own, and
//! a client of a relay. Unpacked, since it conflicts with other mail servers.

use crate::site::{LIMIT, PASSWORD, REALM, Ran, Site, USER, WRONG};
use lab::consumer::{Consumer, Origin};
use lab::library::Library;
use lab::process::{self, Process};
use lab::scratch::set_mode;
use lab::smtp::Smtp;
use lab::smtp_peer::SmtpPeer;
use lab::{maps, port, private};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

const SERVER: Consumer = Consumer {
    program: "Sendmail",
    package: "sendmail-bin",
    side: "server",
    mechanisms: "PLAIN LOGIN CRAM-MD5",
    origin: Origin::Unpacked(&["sendmail-bin", "sendmail-cf", "m4"]),
};

const CLIENT: Consumer = Consumer {
    side: "client",
    ..SERVER
};

/// It reads plugins and configurations only where nobody else may write.
const PLUGINS: &str = "/usr/lib/x86_64-linux-gnu/sasl2";

/// Without a domain in the host's name it would wait for one.
const HOST: &str = "mail.lab.test";

struct Sendmail<'a> {
    site: &'a Site,
    root: &'a Path,
    program: PathBuf,
}

impl<'a> Sendmail<'a> {
    fn new(site: &'a Site, root: &'a Path) -> Self {
        site.scratch.folder("sendmail/queue").unwrap();
        set_mode(&site.path("sendmail/queue"), 0o700).unwrap();
        // The linker ignores LD_LIBRARY_PATH for a set-gid program.
        let program = site.path("sendmail/sendmail");
        fs::copy(root.join("usr/libexec/sendmail/sendmail"), &program).unwrap();
        set_mode(&program, 0o755).unwrap();
        site.scratch.file("sendmail/aliases", "").unwrap();
        site.scratch
            .file(
                "lib/sasl2/Sendmail.conf",
                &site.options("PLAIN LOGIN CRAM-MD5"),
            )
            .unwrap();
        Self {
            site,
            root,
            program,
        }
    }

    /// Makes a configuration from these lines and what both sides share.
    fn configure(&self, lines: &str) -> PathBuf {
        let folder = self.site.path("sendmail");
        let folder = folder.display();
        let text = format!(
            "OSTYPE(`linux')\ndefine(`confDOMAIN_NAME', `{HOST}')\n\
             define(`confAUTH_MECHANISMS', `PLAIN LOGIN CRAM-MD5')\n\
             TRUST_AUTH_MECH(`PLAIN LOGIN CRAM-MD5')\ndefine(`confAUTH_REALM', `{REALM}')\n\
             define(`QUEUE_DIR', `{folder}/queue')\ndefine(`confPID_FILE', `{folder}/pid')\n\
             define(`STATUS_FILE', `{folder}/status')\ndefine(`ALIAS_FILE', `{folder}/aliases')\n\
             define(`confDONT_BLAME_SENDMAIL', `TrustStickyBit')\n\
             define(`confDONT_PROBE_INTERFACES', `True')\ndefine(`confTO_IDENT', `0')\n\
             FEATURE(`no_default_msa')\nFEATURE(`accept_unresolvable_domains')\n\
             FEATURE(`nocanonify')\n{lines}MAILER(`smtp')\n"
        );
        let source = self.site.scratch.file("sendmail/mail.mc", &text).unwrap();
        let macros = self.root.join("usr/share/sendmail/cf");
        let mut make = Command::new(self.root.join("usr/bin/m4"));
        make.arg(format!("-D_CF_DIR_={}/", macros.display()));
        make.arg(macros.join("m4/cf.m4")).arg(source);
        let output = process::run(&mut make).unwrap();
        let file = self.site.path("sendmail/mail.cf");
        fs::write(&file, output.stdout).unwrap();
        set_mode(&file, 0o644).unwrap();
        file
    }

    fn command(&self, words: &[String]) -> Command {
        let plugins = self.site.placed.plugins();
        let mut command = private::with_mounts(&[(&plugins, PLUGINS)]);
        command.args(private::named(HOST));
        command.args(words).arg(&self.program);
        command
    }

    fn serve(&self, address: SocketAddr) -> Process {
        let options = format!(
            "DAEMON_OPTIONS(`Name=MTA, Addr={}, Port={}, Modifiers=a')\n",
            address.ip(),
            address.port()
        );
        let file = self.configure(&options);
        let mut command = self.command(&self.site.environment(self.root));
        command.arg("-C").arg(file).arg("-bD");
        command.arg("-X").arg(self.site.path("sendmail/talk"));
        let log = self.site.path("sendmail.out");
        let mut process = Process::start("sendmail", &mut command, &log).unwrap();
        process
            .wait_ready(LIMIT, || Ok(!port::refuses(address)))
            .unwrap();
        process
    }

    /// Sends a mail to a relay with these words.
    fn send(&self, relay: SocketAddr, mechanism: &str, password: &str) -> Ran {
        let words = format!(
            "authinfo:{}|\"U:{USER}\" \"I:{USER}\" \"P:{password}\" \"R:{REALM}\" \"M:{mechanism}\"\n",
            relay.ip()
        );
        let logins = self.site.scratch.file("sendmail/logins", &words).unwrap();
        set_mode(&logins, 0o600).unwrap();
        let file = self.configure(&format!(
            "define(`SMART_HOST', `[{}]')\ndefine(`RELAY_MAILER_ARGS', `TCP $h {}')\n\
             FEATURE(`authinfo', `text -k0 -v1 -z| {}')\n",
            relay.ip(),
            relay.port(),
            logins.display()
        ));
        let mail = self
            .site
            .scratch
            .file("sendmail/mail", "Subject: one\n\nHello.\n")
            .unwrap();
        let mut words = self.site.noted_environment(self.root);
        words.extend(["timeout".to_owned(), "60".to_owned()]);
        let mut command = self.command(&words);
        command
            .arg("-C")
            .arg(file)
            .args(["-odi", "-v", "-f", "alice@lab.test"]);
        command
            .arg("bob@elsewhere.test")
            .stdin(fs::File::open(mail).unwrap());
        let ran = Ran::from(command.output().unwrap());
        let proof = self.site.loaded.require_only(self.site.placed.library());
        assert!(proof.is_ok(), "{proof:?} {ran:?}");
        ran
    }
}

fn serves(which: Library, root: &Path) {
    let site = Site::new(which);
    let sendmail = Sendmail::new(&site, root);
    let address = port::free().unwrap();
    let server = sendmail.serve(address);
    maps::require_only(server.id(), site.placed.library()).unwrap();
    for mechanism in ["PLAIN", "LOGIN", "CRAM-MD5"] {
        let mut smtp = Smtp::connect(address).unwrap();
        let offered = smtp.offered().join(" ");
        assert!(offered.contains(mechanism), "{offered} {}", server.output());
        assert_eq!(smtp.may_send().unwrap().code, 503);
        for (user, password) in [(USER, WRONG), ("nobody", PASSWORD)] {
            let wrong = smtp.log_in(mechanism, user, password).unwrap();
            assert_eq!(wrong.code, 535, "{mechanism} {wrong:?}");
        }
        assert_eq!(smtp.may_send().unwrap().code, 503);
        let right = smtp.log_in(mechanism, USER, PASSWORD).unwrap();
        assert_eq!(right.code, 235, "{mechanism} {right:?}");
        assert_eq!(smtp.may_send().unwrap().code, 250);
    }
    let mut smtp = Smtp::connect(address).unwrap();
    for line in ["AUTH FOO", "AUTH PLAIN AGFsaWNl", "AUTH PLAIN !"] {
        let answer = smtp.say(line).unwrap();
        assert!((500..600).contains(&answer.code), "{line}: {answer:?}");
    }
}

fn relays(which: Library, root: &Path) {
    let site = Site::new(which);
    let sendmail = Sendmail::new(&site, root);
    for mechanism in ["PLAIN", "LOGIN", "CRAM-MD5"] {
        let peer = SmtpPeer::start(mechanism, USER, PASSWORD).unwrap();
        let wrong = sendmail.send(peer.address(), mechanism, WRONG);
        assert!(!peer.seen().contains(&"mail".to_owned()), "{wrong:?}");
        let no = format!("{mechanism} no");
        assert!(peer.seen().contains(&no), "{:?} {wrong:?}", peer.seen());
        let right = sendmail.send(peer.address(), mechanism, PASSWORD);
        let yes = [format!("{mechanism} yes"), "mail".to_owned()];
        assert!(peer.seen().ends_with(&yes), "{:?} {right:?}", peer.seen());
    }
}

on_both!(server, SERVER, serves);
on_both!(client, CLIENT, relays);
