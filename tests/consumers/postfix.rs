// SPDX-License-Identifier: MIT OR Apache-2.0
//! Postfix: smtpd as a server with three kinds of users, smtp as a client of a
//! relay. Unpacked, since it conflicts with other mail servers.

use crate::site::{LIMIT, PASSWORD, REALM, Site, USER, WRONG};
use lab::account::Account;
use lab::consumer::{Consumer, Origin};
use lab::library::Library;
use lab::process::{self, Process, in_session};
use lab::saslauthd::Saslauthd;
use lab::scratch::{Scratch, set_mode};
use lab::slapd::{BASE, Kind, SERVICE, Slapd};
use lab::smtp::Smtp;
use lab::smtp_peer::SmtpPeer;
use lab::story::{SERVICE_PASSWORD, USER as PERSON};
use lab::{maps, port};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

const SERVER: Consumer = Consumer {
    program: "Postfix smtpd",
    package: "postfix",
    side: "server",
    mechanisms: "PLAIN LOGIN CRAM-MD5 (sasldb), PLAIN LOGIN (ldapdb, saslauthd)",
    origin: Origin::Unpacked(&["postfix"]),
};

const CLIENT: Consumer = Consumer {
    program: "Postfix smtp",
    side: "client",
    mechanisms: "PLAIN LOGIN CRAM-MD5",
    ..SERVER
};

/// Debian's own accounts, for what Postfix does without rights.
const OWNER: &str = "news";
const GROUP: &str = "uucp";

/// The services, and whether each runs once only or has no limit.
const SERVICES: &str = "\
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
";

struct Postfix {
    master: Process,
    log: std::path::PathBuf,
}

impl Postfix {
    /// Starts it; each address has the SASL configuration of its name.
    fn start(site: &Site, root: &Path, ports: &[(&str, SocketAddr)], more: &str) -> Self {
        make_queue(site);
        let text = configuration(site, root) + more;
        site.scratch.file("postfix/main.cf", &text).unwrap();
        let mut services = SERVICES.to_owned();
        for (name, address) in ports {
            services += &format!("{address} inet n - n - - smtpd -o smtpd_sasl_path={name}\n");
        }
        site.scratch.file("postfix/master.cf", &services).unwrap();
        let mut words = site.environment(root);
        words[0] += &format!(":{}", root.join("usr/lib/postfix").display());
        let mut command = in_session("env");
        command
            .args(words)
            .arg(root.join("usr/lib/postfix/sbin/master"));
        command.arg("-d").arg("-c").arg(site.path("postfix"));
        let mut master = Process::start("postfix", &mut command, &site.path("master.out")).unwrap();
        master
            .wait_ready(LIMIT, || {
                Ok(ports.iter().all(|(_, address)| !port::refuses(*address)))
            })
            .unwrap();
        let log = site.path("mail.log");
        Self { master, log }
    }

    /// What it logged.
    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default() + &self.master.output()
    }

    /// Its running processes of this name, which must be some, on the right library.
    fn require(&self, name: &str, site: &Site) {
        let all = maps::children(self.master.id(), name).unwrap();
        assert!(!all.is_empty(), "no {name}: {}", self.log());
        for id in all {
            maps::require_only(id, site.placed.library()).unwrap();
        }
    }
}

/// main.cf without who may send what.
fn configuration(site: &Site, root: &Path) -> String {
    let folder = |name: &str| site.path(name).display().to_string();
    let below = |name: &str| root.join(name).display().to_string();
    format!(
        "compatibility_level = 3.6\nqueue_directory = {}\ndata_directory = {}\n\
         daemon_directory = {}\ncommand_directory = {}\nshlib_directory = {}\n\
         mail_owner = {OWNER}\nsetgid_group = {GROUP}\nmyhostname = mail.lab.test\n\
         mydestination =\nalias_maps =\nalias_database =\ninet_interfaces = 127.0.0.1\n\
         inet_protocols = ipv4\nmaillog_file = {}\nmaillog_file_prefixes = {}\n\
         import_environment = MAIL_CONFIG LD_LIBRARY_PATH SASL_PATH LANG=C\n\
         smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = cyrus\n\
         smtpd_sasl_local_domain = {REALM}\nsmtpd_sasl_security_options = noanonymous\n\
         smtpd_error_sleep_time = 0\nbounce_notice_recipient = nobody\n",
        folder("queue"),
        folder("data"),
        below("usr/lib/postfix/sbin"),
        below("usr/sbin"),
        below("usr/lib/postfix"),
        folder("mail.log"),
        site.scratch.path().display(),
    )
}

fn make_queue(site: &Site) {
    let owner = Account::named(OWNER).unwrap();
    let group = Account::named(GROUP).unwrap().gid;
    site.scratch.folder("postfix/sasl").unwrap();
    site.scratch.folder("queue").unwrap();
    site.scratch.folder("queue/pid").unwrap();
    site.scratch.folder_of("data", owner).unwrap();
    for name in [
        "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private",
        "saved", "trace",
    ] {
        let folder = site
            .scratch
            .folder_of(&format!("queue/{name}"), owner)
            .unwrap();
        set_mode(&folder, 0o700).unwrap();
    }
    for (name, mode) in [("maildrop", 0o730), ("public", 0o710)] {
        let mixed = Account {
            gid: group,
            ..owner
        };
        let folder = site
            .scratch
            .folder_of(&format!("queue/{name}"), mixed)
            .unwrap();
        set_mode(&folder, mode).unwrap();
    }
}

/// Right and wrong logins, and what they are good for.
fn drive(postfix: &Postfix, address: SocketAddr, mechanism: &str, user: &str, password: &str) {
    let log = || postfix.log();
    let mut smtp = Smtp::connect(address).unwrap();
    assert_eq!(smtp.may_send().unwrap().code, 554, "{}", log());
    let wrong = smtp.log_in(mechanism, user, WRONG).unwrap();
    assert_eq!(wrong.code, 535, "{mechanism} {wrong:?} {}", log());
    let right = smtp.log_in(mechanism, user, password).unwrap();
    assert_eq!(right.code, 235, "{mechanism} {user} {right:?} {}", log());
    let sends = smtp.may_send().unwrap();
    assert_eq!(sends.code, 250, "{sends:?} {}", log());
}

/// The configurations' names, each smtpd of its own.
const KINDS: [&str; 4] = ["file", "directory", "daemon", "simple"];

/// Where logins are looked up besides the password file.
struct Stores {
    directory: Slapd,
    hidden: Slapd,
    daemon: Saslauthd,
    _scratch: Scratch,
}

impl Stores {
    fn start(site: &Site) -> Self {
        let scratch = Scratch::new().unwrap();
        let users = site.path("sasldb2");
        let mounts = [(users.as_path(), "/etc/sasldb2")];
        let start = |scratch, kind| Slapd::start(scratch, kind, SERVICE_PASSWORD, &[]).unwrap();
        Self {
            directory: start(&site.scratch, Kind::Proxying),
            hidden: start(&scratch, Kind::SimpleOnly),
            daemon: Saslauthd::start_with(&scratch, &["-a", "sasldb"], &mounts).unwrap(),
            _scratch: scratch,
        }
    }

    /// In the order of [`KINDS`]. The last is what the distribution's plugin
    /// cannot: a directory without SASL.
    fn configurations(&self, site: &Site) -> [String; 4] {
        let ldapdb = "pwcheck_method: auxprop\nauxprop_plugin: ldapdb\nmech_list: PLAIN LOGIN\n";
        [
            site.options("PLAIN LOGIN CRAM-MD5"),
            format!(
                "{ldapdb}ldapdb_uri: ldap://{}\nldapdb_id: cyrus\n\
                 ldapdb_pw: {SERVICE_PASSWORD}\nldapdb_mech: DIGEST-MD5\n",
                self.directory.address()
            ),
            format!(
                "pwcheck_method: saslauthd\nsaslauthd_path: {}\nmech_list: PLAIN LOGIN\n",
                self.daemon.socket().display()
            ),
            format!(
                "{ldapdb}ldapdb_uri: ldap://{}/{BASE}\nldapdb_bind_dn: {SERVICE}\n\
                 ldapdb_bind_pw: {SERVICE_PASSWORD}\nldapdb_filter: (mail=%u)\n",
                self.hidden.address()
            ),
        ]
    }
}

fn serves(which: Library, root: &Path) {
    let mut site = Site::new(which);
    site.placed.search_system_too().unwrap();
    let stores = Stores::start(&site);
    site.scratch.folder("postfix/sasl").unwrap();
    for (name, text) in KINDS.iter().zip(stores.configurations(&site)) {
        let file = format!("postfix/sasl/{name}.conf");
        site.scratch.file(&file, &text).unwrap();
    }
    let ports = KINDS.map(|name| (name, port::free().unwrap()));
    let rule = "smtpd_relay_restrictions = permit_sasl_authenticated, reject\n";
    let postfix = Postfix::start(&site, root, &ports, rule);
    let [file, directory, daemon, simple] = ports.map(|(_, address)| address);
    for mechanism in ["PLAIN", "LOGIN", "CRAM-MD5"] {
        drive(&postfix, file, mechanism, USER, PASSWORD);
    }
    for mechanism in ["PLAIN", "LOGIN"] {
        drive(&postfix, directory, mechanism, PERSON.0, PERSON.1);
        drive(&postfix, daemon, mechanism, USER, PASSWORD);
        if which == Library::Ours {
            drive(&postfix, simple, mechanism, PERSON.0, PERSON.1);
        }
    }
    postfix.require("smtpd", &site);
    refuses(&postfix, file);
    let log = postfix.log();
    assert!(log.contains("sasl_username=alice@lab.test"), "{log}");
    assert!(!log.contains(WRONG));
}

fn refuses(postfix: &Postfix, address: SocketAddr) {
    let mut smtp = Smtp::connect(address).unwrap();
    assert_eq!(
        smtp.offered(),
        ["PLAIN", "LOGIN", "CRAM-MD5"].map(str::to_owned)
    );
    for line in [
        "AUTH FOO",
        "AUTH ANONYMOUS",
        "AUTH PLAIN !",
        "AUTH PLAIN AGFsaWNl",
    ] {
        let answer = smtp.say(line).unwrap();
        assert!(
            (500..600).contains(&answer.code),
            "{line}: {answer:?} {}",
            postfix.log()
        );
    }
    for user in ["nobody", "alice@elsewhere"] {
        let answer = smtp.log_in("PLAIN", user, PASSWORD).unwrap();
        assert_eq!(answer.code, 535, "{user}: {answer:?}");
    }
    assert_eq!(smtp.may_send().unwrap().code, 554);
}

/// Mail goes in at smtpd and out at smtp, to a relay that wants a login.
fn relays(which: Library, root: &Path, mechanism: &str, password: &str) {
    let site = Site::new(which);
    let peer = SmtpPeer::start(mechanism, USER, PASSWORD).unwrap();
    site.scratch.folder("postfix").unwrap();
    let relay = format!("[127.0.0.1]:{}", peer.address().port());
    let map = site
        .scratch
        .file("relays", &format!("{relay} {USER}:{password}\n"))
        .unwrap();
    let more = format!(
        "smtp_sasl_auth_enable = yes\nsmtp_sasl_password_maps = texthash:{}\n\
         smtp_sasl_security_options = noanonymous\nrelayhost = {relay}\n\
         mynetworks = 127.0.0.0/8\nsmtpd_relay_restrictions = permit_mynetworks, reject\n",
        map.display()
    );
    let address = port::free().unwrap();
    let postfix = Postfix::start(&site, root, &[("none", address)], &more);
    let mut smtp = Smtp::connect(address).unwrap();
    assert_eq!(smtp.say("MAIL FROM:<alice@lab.test>").unwrap().code, 250);
    send(&mut smtp, &postfix);
    let right = password == PASSWORD;
    let expected = format!("{mechanism} {}", if right { "yes" } else { "no" });
    process::wait_until(LIMIT, "the relay's verdict", || {
        let seen = peer.seen();
        Ok(seen.contains(&expected) && (!right || seen.contains(&"mail".to_owned())))
    })
    .map_err(|error| format!("{mechanism}: {error} {:?} {}", peer.seen(), postfix.log()))
    .unwrap();
    postfix.require("smtp", &site);
    if !right {
        process::wait_until(LIMIT, "the log", || {
            Ok(postfix.log().contains("SASL authentication failed"))
        })
        .unwrap();
        assert!(!peer.seen().contains(&"mail".to_owned()));
    }
    assert!(!postfix.log().contains(password));
}

fn send(smtp: &mut Smtp, postfix: &Postfix) {
    for (line, code) in [
        ("RCPT TO:<bob@elsewhere.test>", 250),
        ("DATA", 354),
        ("Subject: one\r\n\r\nHello.\r\n.", 250),
    ] {
        let answer = smtp.say(line).unwrap();
        assert_eq!(answer.code, code, "{line}: {answer:?} {}", postfix.log());
    }
}

fn all_relays(which: Library, root: &Path) {
    for mechanism in ["PLAIN", "LOGIN", "CRAM-MD5"] {
        relays(which, root, mechanism, PASSWORD);
    }
    relays(which, root, "PLAIN", WRONG);
}

on_both!(server, SERVER, serves);
on_both!(client, CLIENT, all_relays);
