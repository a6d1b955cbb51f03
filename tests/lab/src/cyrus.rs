// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cyrus IMAP (master and imapd) on a free port, with a configuration of its
//! own, a private `/dev/log` and a given libsasl2. `imapd` runs as user
//! cyrus; nothing of an installed service is touched.

#![forbid(unsafe_code)]

use crate::account::{self, Account};
use crate::imap::Imap;
use crate::placed::{Placed, Way};
use crate::process::{self, Process};
use crate::scratch::{Scratch, set_mode};
use crate::syslog::Syslog;
use crate::{maps, port};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

const MASTER: &str = "/usr/lib/cyrus/bin/master";
/// What Cyrus expects to find, below `imap/`.
const FOLDERS: [&str; 9] = [
    "",
    "conf",
    "conf/db",
    "conf/socket",
    "conf/log",
    "conf/msg",
    "spool",
    "lock",
    "socket",
];
const LIMIT: Duration = Duration::from_secs(30);
const SETTLED: Duration = Duration::from_secs(3);

/// How many connections one imapd process serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// One: each connection starts afresh and reads a changed configuration.
    Fresh,
    /// Many: so many processes, started before the first connection.
    Pool(usize),
}

/// A further program of Cyrus: the service's name, the program with its options,
/// where it listens.
pub type Further = (&'static str, &'static str, SocketAddr);

/// A running Cyrus IMAP.
#[derive(Debug)]
pub struct Cyrus {
    // Dropped in this order: the server before its log.
    master: Process,
    syslog: Syslog,
    folder: PathBuf,
    address: SocketAddr,
}

impl Cyrus {
    /// Starts master with these `sasl_` lines in imapd.conf.
    pub fn start(
        scratch: &Scratch,
        placed: &Placed,
        way: Way,
        service: Service,
        sasl: &str,
    ) -> io::Result<Self> {
        Self::start_with(scratch, placed, way, service, sasl, &[])
    }

    /// The same with more than imapd.
    pub fn start_with(
        scratch: &Scratch,
        placed: &Placed,
        way: Way,
        service: Service,
        sasl: &str,
        further: &[Further],
    ) -> io::Result<Self> {
        account::require_root()?;
        let cyrus = Account::named("cyrus")?;
        for folder in FOLDERS {
            scratch.folder_of(&format!("imap/{folder}"), cyrus)?;
        }
        let address = port::free()?;
        let folder = scratch.join("imap");
        configure(&folder, sasl)?;
        let all = [&[("imap", "imapd", address)], further].concat();
        let text = services(scratch.path(), &all, service);
        let services = scratch.file("imap/cyrus.conf", &text)?;
        let syslog = Syslog::listen(scratch)?;
        let mut command = syslog.enter();
        command.args(placed.environment(way)).arg(MASTER).arg("-D");
        command.arg("-C").arg(scratch.join("imap/imapd.conf"));
        command.arg("-M").arg(services);
        command.arg("-p").arg(scratch.join("imap/master.pid"));
        command
            .current_dir(scratch.path())
            .env("HOME", scratch.path());
        let master = Process::start("cyrus master", &mut command, &scratch.join("master.log"))?;
        let mut cyrus = Self {
            master,
            syslog,
            folder,
            address,
        };
        cyrus.wait_for_imapd(placed.library())?;
        Ok(cyrus)
    }

    /// The first connection proves that this master's imapd answers, and that
    /// it runs with `library` and no other libsasl2.
    fn wait_for_imapd(&mut self, library: &Path) -> io::Result<()> {
        let address = self.address;
        let mut connection = None;
        let ready = self.master.wait_ready(LIMIT, || {
            connection = match port::refuses(address) {
                true => None,
                false => Imap::connect(address).ok(),
            };
            Ok(connection.is_some())
        });
        if let Err(error) = ready {
            let heard = self.syslog.lines().join("\n");
            return Err(io::Error::new(
                error.kind(),
                format!("{error}\nsyslog:\n{heard}"),
            ));
        }
        self.require_library(library)?;
        connection.map_or(Ok(()), Imap::log_out)
    }

    /// An error unless each running imapd maps `library`, and no other libsasl2.
    pub fn require_library(&self, library: &Path) -> io::Result<()> {
        let mut last = None;
        // A process that has just been started has not mapped it yet.
        let all = process::wait_until(SETTLED, "every imapd's library", || {
            let imapds = self.imapds()?;
            last = imapds
                .iter()
                .find_map(|id| maps::require_only(*id, library).err());
            Ok(!imapds.is_empty() && last.is_none())
        });
        last.map_or(all, Err)
    }

    /// The numbers of master's imapd processes.
    pub fn imapds(&self) -> io::Result<Vec<u32>> {
        self.processes("imapd")
    }

    /// The numbers of master's processes of this name.
    pub fn processes(&self, name: &str) -> io::Result<Vec<u32>> {
        maps::children(self.master.id(), name)
    }

    /// Writes new `sasl_` lines; the next fresh imapd reads them.
    pub fn configure(&self, sasl: &str) -> io::Result<()> {
        configure(&self.folder, sasl)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its processes logged.
    pub fn syslog(&self) -> &Syslog {
        &self.syslog
    }

    /// What master and its children printed (a panic would be here).
    pub fn output(&self) -> String {
        self.master.output()
    }

    /// Stops it.
    pub fn stop(&mut self) -> io::Result<()> {
        self.master.stop()
    }

    /// Waits until no imapd is left: the last connection's process has gone.
    pub fn wait_idle(&self) -> io::Result<()> {
        process::wait_until(LIMIT, "imapd to end", || Ok(self.imapds()?.is_empty()))
    }
}

/// imapd takes `defaultdomain` off a login before libsasl2 sees it: with
/// example.com there, a filter would get "jdoe" for "jdoe@example.com".
fn configure(path: &Path, sasl: &str) -> io::Result<()> {
    let folder = path.display();
    let text = format!(
        "\
configdirectory: {folder}/conf
partition-default: {folder}/spool
defaultpartition: default
proc_path: {folder}/conf/proc
mboxname_lockpath: {folder}/lock
sievedir: {folder}/sieve
lmtpsocket: {folder}/socket/lmtp
idlesocket: {folder}/socket/idle
notifysocket: {folder}/socket/notify
servername: imap.example.com
virtdomains: userid
defaultdomain: internal
unixhierarchysep: yes
altnamespace: yes
autocreate_quota: 0
syslog_prefix: cyrus
allowplaintext: yes
failedloginpause: 0
{sasl}"
    );
    // A rename, so that no imapd reads half a file.
    let new = path.join("imapd.conf.new");
    fs::write(&new, &text)?;
    set_mode(&new, 0o644)?;
    fs::rename(new, path.join("imapd.conf"))
}

fn services(root: &Path, all: &[Further], service: Service) -> String {
    let conf = root.join("imap/imapd.conf");
    let conf = conf.display();
    let (options, children) = match service {
        Service::Fresh => ("-U 1", "prefork=0 maxchild=20".to_owned()),
        Service::Pool(size) => ("-U 1000", format!("prefork={size} maxchild={size}")),
    };
    let mut lines = String::new();
    for (name, program, address) in all {
        lines.push_str(&format!(
            "  {name} cmd=\"{program} -C {conf} {options}\" listen=\"{address}\" {children}\n"
        ));
    }
    format!(
        "\
START {{
  recover cmd=\"ctl_cyrusdb -C {conf} -r\"
}}
SERVICES {{
{lines}}}
EVENTS {{
}}
"
    )
}
