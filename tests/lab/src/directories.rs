// SPDX-License-Identifier: MIT OR Apache-2.0
//! Directories of other makers: 389 Directory Server and Samba's Active Directory,
//! each with a service account and johndoe, on loopback.

#![forbid(unsafe_code)]

use crate::port;
use crate::process::{Process, run, wait_until};
use crate::scratch::Scratch;
use crate::tree::Tree;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Password of the service account; Active Directory wants a difficult one.
pub const SERVICE_PASSWORD: &str = "Canary-71-service";
/// Password of johndoe.
pub const USER_PASSWORD: &str = "Canary-72-right";
/// His mail address.
pub const MAIL: &str = "jdoe@example.com";

/// Making a domain or an instance takes its time.
const PATIENCE: Duration = Duration::from_secs(400);

/// A running directory.
#[derive(Debug)]
pub struct Directory {
    process: Process,
    /// Where it listens for LDAP.
    pub address: SocketAddr,
    /// Its CA certificate, where it has one.
    pub authority: PathBuf,
}

impl Directory {
    /// Starts 389 Directory Server.
    pub fn ds389(scratch: &Scratch) -> io::Result<Self> {
        let tree = Tree::of(&["389-ds-base"])?;
        let address = port::free()?;
        let instance = INSTANCE.replace("@PORT@", &address.port().to_string());
        scratch.file("instance.inf", &instance)?;
        let directory = Self::start(scratch, &tree, START_389, address)?;
        let entries = ENTRIES
            .replace("@SERVICE@", SERVICE_PASSWORD)
            .replace("@USER@", USER_PASSWORD);
        let mut add = Command::new("ldapmodify")
            .args([
                "-a",
                "-x",
                "-D",
                "cn=Directory Manager",
                "-w",
                "Canary-73-root",
            ])
            .args(["-H", &format!("ldap://{address}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        if let Some(mut input) = add.stdin.take() {
            input.write_all(entries.as_bytes())?;
        }
        match add.wait()?.success() {
            true => Ok(directory),
            false => Err(io::Error::other("389 refuses the entries")),
        }
    }

    /// Starts a domain controller that serves LDAP only. Its port is 389, so its
    /// address is one of loopback that nobody else has.
    pub fn samba(scratch: &Scratch) -> io::Result<Self> {
        let tree = Tree::of(&[
            "samba",
            "samba-ad-provision",
            "samba-dsdb-modules",
            "samba-vfs-modules",
        ])?;
        let address = free_address()?;
        let name = format!("subjectAltName=DNS:dc1.ex.local,IP:{}", address.ip());
        let mut certificate = Command::new("openssl");
        certificate
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
            ])
            .args([
                "-nodes",
                "-days",
                "10",
                "-subj",
                "/CN=dc1.ex.local",
                "-addext",
                &name,
            ])
            .arg("-keyout")
            .arg(scratch.join("key.pem"))
            .arg("-out")
            .arg(scratch.join("ca.pem"));
        run(&mut certificate)?;
        crate::scratch::set_mode(&scratch.join("key.pem"), 0o600)?;
        let script = START_SAMBA
            .replace("@ADDRESS@", &address.ip().to_string())
            .replace("@SERVICE@", SERVICE_PASSWORD)
            .replace("@USER@", USER_PASSWORD);
        Self::start(scratch, &tree, &script, address)
    }

    fn start(
        scratch: &Scratch,
        tree: &Tree,
        script: &str,
        address: SocketAddr,
    ) -> io::Result<Self> {
        let mut command = tree.command(scratch.path(), script);
        let mut process = Process::start("directory", &mut command, &scratch.join("log"))?;
        let ready = scratch.join("ready");
        process.wait_ready(PATIENCE, || Ok(ready.exists() && !port::refuses(address)))?;
        Ok(Self {
            process,
            address,
            authority: scratch.join("ca.pem"),
        })
    }

    /// What it printed.
    pub fn log(&self) -> String {
        self.process.output()
    }

    /// Waits until it answers a search for its root.
    pub fn wait(&self) -> io::Result<()> {
        wait_until(Duration::from_secs(60), "the root DSE", || {
            let uri = format!("ldap://{}", self.address);
            let mut search = Command::new("ldapsearch");
            search.args([
                "-x",
                "-LLL",
                "-o",
                "nettimeout=5",
                "-s",
                "base",
                "-b",
                "",
                "-H",
            ]);
            Ok(search.arg(uri).arg("1.1").output()?.status.success())
        })
    }
}

fn free_address() -> io::Result<SocketAddr> {
    let [.., high, low] = std::process::id().to_be_bytes();
    let candidates = (64..128).map(|net| Ipv4Addr::new(127, net, high, low.max(1)));
    let mut free = candidates.filter(|ip| {
        [389, 636]
            .iter()
            .all(|port| TcpListener::bind((*ip, *port)).is_ok())
    });
    let none = || io::Error::other("no loopback address with a free port 389");
    Ok(SocketAddr::from((free.next().ok_or_else(none)?, 389)))
}

const INSTANCE: &str = "\
[general]
config_version = 2
full_machine_name = localhost
strict_host_checking = False
start = False
selinux = False
systemd = False
[slapd]
instance_name = lab
user = root
group = root
port = @PORT@
secure_port = 0
root_password = Canary-73-root
self_sign_cert = False
[backend-userroot]
suffix = dc=users,dc=local
sample_entries = no
create_suffix_entry = True
";

// The instance is made in a network of its own: it listens everywhere until it is
// told not to.
const START_389: &str = "
sed -i 's/^with_systemd *=.*/with_systemd = 0/' /usr/share/dirsrv/inf/defaults.inf
unshare -n dscreate from-file \"$1/instance.inf\"
sed -i 's/^nsslapd-port: .*/&\\nnsslapd-listenhost: 127.0.0.1/' /etc/dirsrv/slapd-lab/dse.ldif
touch \"$1/ready\"
exec ns-slapd -D /etc/dirsrv/slapd-lab -i /run/pid -d 0
";

const ENTRIES: &str = "\
dn: dc=users,dc=local
changetype: modify
add: aci
aci: (targetattr=\"mail || cn || uid || objectClass\")(version 3.0; acl \"service\"; \
allow (read,search,compare) userdn=\"ldap:///cn=cyrus,dc=users,dc=local\";)

dn: cn=cyrus,dc=users,dc=local
changetype: add
objectClass: inetOrgPerson
cn: cyrus
sn: cyrus
userPassword: @SERVICE@

dn: cn=johndoe,dc=users,dc=local
changetype: add
objectClass: inetOrgPerson
cn: johndoe
sn: doe
uid: johndoe
mail: jdoe@example.com
userPassword: @USER@

dn: cn=locked,dc=users,dc=local
changetype: add
objectClass: inetOrgPerson
cn: locked
sn: locked
mail: locked@example.com
userPassword: @USER@
nsAccountLock: true

";

const START_SAMBA: &str = "
samba-tool domain provision --realm=EX.LOCAL --domain=EX --adminpass=Canary-74-admin \\
  --server-role=dc --dns-backend=NONE --host-name=dc1 --host-ip=@ADDRESS@ --targetdir=/var/ad \\
  --option='interfaces=@ADDRESS@/8' --option='bind interfaces only=yes'
sed -i 's/server services = .*/server services = ldap/' /var/ad/etc/smb.conf
sed -i \"s|^\\[global\\]|&\\ntls certfile = $1/ca.pem\\ntls keyfile = $1/key.pem\\ntls cafile =|\" \\
  /var/ad/etc/smb.conf
sed -i 's|^\\[global\\]|&\\npid directory = /run\\nncalrpc dir = /run/rpc|' /var/ad/etc/smb.conf
samba-tool user create cyrus @SERVICE@ -s /var/ad/etc/smb.conf
samba-tool user create johndoe @USER@ --mail-address=jdoe@example.com -s /var/ad/etc/smb.conf
samba-tool user create locked @USER@ --mail-address=locked@example.com -s /var/ad/etc/smb.conf
samba-tool user disable locked -s /var/ad/etc/smb.conf
touch \"$1/ready\"
exec samba -F -M single --no-process-group --debug-stdout -s /var/ad/etc/smb.conf -d 1
";
