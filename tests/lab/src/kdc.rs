// SPDX-License-Identifier: MIT OR Apache-2.0
//! A Kerberos realm of our own: an MIT KDC on a loopback port, its users and
//! services, keytabs and ticket caches in a scratch folder.

#![forbid(unsafe_code)]

use crate::process::{self, Process, in_session};
use crate::scratch::Scratch;
use crate::{packages, port};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{fs, net::SocketAddr};

/// The realm's name.
pub const REALM: &str = "LAB.TEST";

/// The host of the services.
pub const HOST: &str = "srv.lab.test";

/// Debian's package with stock's plugins for Kerberos. It is unpacked and never
/// installed: that would change what every program here offers by default.
const PACKAGE: &str = "libsasl2-modules-gssapi-mit";

/// A running KDC.
#[derive(Debug)]
pub struct Kdc {
    folder: PathBuf,
    _server: Process,
}

impl Kdc {
    /// Starts a KDC for an empty realm.
    pub fn start(scratch: &Scratch) -> io::Result<Self> {
        let folder = scratch.folder("kdc")?;
        let address = port::free()?;
        let path = folder.display();
        fs::write(folder.join("krb5.conf"), client_file(address))?;
        let server = format!(
            "[kdcdefaults]\n kdc_listen = {address}\n kdc_tcp_listen = {address}\n\
             [realms]\n {REALM} = {{\n  database_name = {path}/principal\n  \
             key_stash_file = {path}/stash\n  \
             supported_enctypes = aes256-cts-hmac-sha1-96:normal\n }}\n\
             [dbmodules]\n db_module_dir = /usr/lib/x86_64-linux-gnu/krb5/plugins/kdb\n\
             [logging]\n kdc = FILE:{path}/kdc.log\n default = FILE:{path}/kdc.log\n"
        );
        fs::write(folder.join("kdc.conf"), server)?;
        let files = environment(&folder);
        let mut create = Command::new("kdb5_util");
        create.args(["create", "-s", "-P", "master", "-r", REALM]);
        process::run(create.envs(files.clone()))?;
        let mut command = in_session("krb5kdc");
        command.arg("-n").envs(files);
        let mut server = Process::start("krb5kdc", &mut command, &folder.join("out"))?;
        server.wait_ready(Duration::from_secs(20), || {
            Ok(std::net::TcpStream::connect(address).is_ok())
        })?;
        Ok(Self {
            folder,
            _server: server,
        })
    }

    fn admin(&self, query: &str) -> io::Result<()> {
        let mut command = Command::new("kadmin.local");
        command.args(["-r", REALM, "-q", query]);
        process::run(command.envs(environment(&self.folder))).map(|_| ())
    }

    /// Adds a user.
    pub fn add_user(&self, name: &str, password: &str) -> io::Result<()> {
        self.admin(&format!("addprinc -pw {password} {name}"))
    }

    /// Adds a service on [`HOST`] and puts its key into a keytab of this name.
    pub fn add_service(&self, service: &str, keytab: &str) -> io::Result<PathBuf> {
        self.add_service_on(HOST, service, keytab)
    }

    /// The same on another host.
    pub fn add_service_on(&self, host: &str, service: &str, keytab: &str) -> io::Result<PathBuf> {
        let file = self.folder.join(keytab);
        let principal = format!("{service}/{host}");
        self.admin(&format!("addprinc -randkey {principal}"))?;
        self.admin(&format!("ktadd -k {} {principal}", file.display()))?;
        Ok(file)
    }

    /// Gets a ticket into a cache of this name; `options` are kinit's.
    pub fn log_in(
        &self,
        user: &str,
        password: &str,
        cache: &str,
        options: &[&str],
    ) -> io::Result<()> {
        let mut child = Command::new("kinit")
            .args(options)
            .arg(user)
            .envs(self.environment(cache))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            writeln!(stdin, "{password}")?;
        }
        let status = child.wait()?;
        if status.success() {
            return Ok(());
        }
        Err(io::Error::other(format!("kinit: {status}")))
    }

    /// The environment of a program that uses the cache of this name. No keytab
    /// is in it.
    pub fn environment(&self, cache: &str) -> Vec<(String, String)> {
        let mut all = environment(&self.folder);
        let cache = self.folder.join(cache);
        all.push(("KRB5CCNAME".to_owned(), format!("FILE:{}", cache.display())));
        all
    }
}

fn environment(folder: &Path) -> Vec<(String, String)> {
    let file = |name: &str| folder.join(name).display().to_string();
    [
        ("KRB5_CONFIG", file("krb5.conf")),
        ("KRB5_KDC_PROFILE", file("kdc.conf")),
        ("KRB5_KTNAME", format!("FILE:{}", file("none"))),
        ("KRB5RCACHENAME", "dfl:".to_owned()),
        ("KRB5RCACHEDIR", folder.display().to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

fn client_file(address: SocketAddr) -> String {
    format!(
        "[libdefaults]\n default_realm = {REALM}\n dns_lookup_kdc = false\n \
         dns_lookup_realm = false\n dns_canonicalize_hostname = false\n rdns = false\n \
         udp_preference_limit = 1\n\
         [realms]\n {REALM} = {{\n  kdc = {address}\n }}\n\
         [domain_realm]\n .lab.test = {REALM}\n lab.test = {REALM}\n"
    )
}

/// The folder with stock's plugins for Kerberos.
pub fn stock_plugins() -> io::Result<PathBuf> {
    Ok(packages::unpacked(&[PACKAGE])?
        .join(packages::libraries())
        .join("sasl2"))
}
