// SPDX-License-Identifier: MIT OR Apache-2.0
//! A real slapd in a scratch folder: simple binds only, nothing for anonymous,
//! passwords stored as {SSHA} and shown to nobody.

use super::CANARY;
use super::certificates::Authority;
use super::{overlays, proxying};
use std::fs::{self, File};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a slapd may take to do what it was asked for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running slapd; it ends with this value.
pub(crate) struct Slapd {
    child: Child,
    folder: PathBuf,
    port: u16,
    tls_port: u16,
}

const ENTRIES: &str = "\
dn: dc=users,dc=local
objectClass: domain
dc: users

dn: ou=machines,dc=users,dc=local
objectClass: organizationalUnit
ou: machines

dn: ou=people,dc=users,dc=local
objectClass: organizationalUnit
ou: people

dn: cn=cyrus,ou=machines,dc=users,dc=local
objectClass: inetOrgPerson
cn: cyrus
sn: cyrus
userPassword: @SERVICE@

dn: cn=johndoe,ou=people,dc=users,dc=local
objectClass: inetOrgPerson
cn: johndoe
sn: doe
uid: johndoe
mail: jdoe@example.com
userPassword: @JDOE@

dn: cn=Müller\\2C Anna,ou=people,dc=users,dc=local
objectClass: inetOrgPerson
cn: Müller, Anna
sn: Müller
uid: anna
mail: anna@example.com
userPassword: @ANNA@
jpegPhoto:: AAEC/w==

dn: cn=twin1,ou=people,dc=users,dc=local
objectClass: inetOrgPerson
cn: twin1
sn: twin
mail: twin@example.com

dn: cn=twin2,ou=people,dc=users,dc=local
objectClass: inetOrgPerson
cn: twin2
sn: twin
mail: twin@example.com
";

fn hashed(password: &str) -> String {
    let out = Command::new("/usr/sbin/slappasswd")
        .args(["-h", "{SSHA}", "-s", password])
        .output();
    String::from_utf8(out.expect("slappasswd").stdout)
        .unwrap()
        .trim()
        .to_owned()
}

/// The people of [`Slapd::start`].
pub(crate) fn entries() -> String {
    ENTRIES
        .replace("@SERVICE@", &hashed(CANARY))
        .replace("@JDOE@", &hashed("dogood"))
        .replace("@ANNA@", &hashed("geheim ü"))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

impl Slapd {
    /// Starts it and waits until it answers.
    pub(crate) fn start(name: &str) -> Self {
        Self::with(name, &entries(), configuration)
    }

    /// Starts one that copies all that `provider` has, now and later, and waits
    /// for its people. `provider` was started by [`Slapd::providing`].
    pub(crate) fn replica_of(provider: &Self, name: &str) -> Self {
        let server = provider.uri_alone();
        let replica = Self::with(name, "", |folder| overlays::consumer(folder, &server));
        let start = Instant::now();
        while !replica.shows("cn=twin2") {
            assert!(start.elapsed() < PATIENCE, "{}", replica.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        replica
    }

    /// Whether an entry of ou=people is there, asked as the administrator.
    fn shows(&self, rdn: &str) -> bool {
        let found = Command::new("ldapsearch")
            .args(["-xLLL", "-o", "nettimeout=5", "-D", overlays::ADMIN])
            .args([
                "-w",
                overlays::PASSWORD,
                "-H",
                &self.uri_alone(),
                "-s",
                "base",
            ])
            .args(["-b", &format!("{rdn},ou=people,dc=users,dc=local"), "1.1"])
            .output();
        found.expect("ldapsearch").status.success()
    }

    /// Starts one that others may copy.
    pub(crate) fn providing(name: &str) -> Self {
        Self::with(name, &entries(), overlays::provider)
    }

    /// Starts one with SASL binds and proxied authorization.
    pub(crate) fn proxying(name: &str) -> Self {
        Self::with(name, &proxying::entries(), proxying::configuration)
    }

    pub(crate) fn with(name: &str, ldif: &str, configuration: impl Fn(&Path) -> String) -> Self {
        let folder = std::env::temp_dir().join(format!("ldapdb-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("db")).unwrap();
        let authority = Authority::new("slapd's authority");
        authority.save(&folder);
        authority
            .issue(&["DNS:localhost", "IP:127.0.0.1"], 0, 10)
            .save(&folder, "server");
        authority
            .issue(&["CN:client", "DNS:client"], 0, 10)
            .save(&folder, "client");
        let conf = folder.join("slapd.conf");
        fs::write(&conf, configuration(&folder)).unwrap();
        let mut add = Command::new("/usr/sbin/slapadd")
            .arg("-f")
            .arg(&conf)
            .stdin(Stdio::piped())
            .spawn()
            .expect("slapadd");
        add.stdin
            .take()
            .unwrap()
            .write_all(ldif.as_bytes())
            .unwrap();
        assert!(add.wait().unwrap().success(), "slapadd");
        let (port, tls_port) = (free_port(), free_port());
        let child = launch(&folder, port, tls_port);
        let slapd = Self {
            child,
            folder,
            port,
            tls_port,
        };
        slapd.wait();
        slapd
    }

    fn wait(&self) {
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(start.elapsed() < PATIENCE, "{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops it as a crash does.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again where it was.
    pub(crate) fn start_again(&mut self) {
        self.child = launch(&self.folder, self.port, self.tls_port);
        self.wait();
    }

    /// Freezes it, or lets it go on.
    pub(crate) fn freeze(&self, frozen: bool) {
        use nix::sys::signal::{Signal, kill};
        let id = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        let signal = if frozen {
            Signal::SIGSTOP
        } else {
            Signal::SIGCONT
        };
        kill(id, signal).unwrap();
    }

    pub(crate) fn uri(&self) -> String {
        format!("ldap://127.0.0.1:{}/dc=users,dc=local", self.port)
    }

    /// The server without a base: other libraries take a comma for a separator.
    pub(crate) fn uri_alone(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.port)
    }

    /// The same, by TLS.
    pub(crate) fn tls_alone(&self) -> String {
        format!("ldaps://localhost:{}", self.tls_port)
    }

    /// The same, by the name that its certificate has.
    pub(crate) fn named_alone(&self) -> String {
        format!("ldap://localhost:{}", self.port)
    }

    /// The same, by its socket.
    pub(crate) fn socket_alone(&self) -> String {
        let uri = self.uri_of_socket();
        uri.trim_end_matches("/dc=users,dc=local").to_owned()
    }

    /// The same server, by TLS.
    pub(crate) fn uri_of_tls(&self) -> String {
        format!("ldaps://localhost:{}/dc=users,dc=local", self.tls_port)
    }

    /// A file in its folder: `ca.pem`, `client.pem`, …
    pub(crate) fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// The same server, by its socket.
    pub(crate) fn uri_of_socket(&self) -> String {
        let socket = self
            .folder
            .join("ldapi")
            .display()
            .to_string()
            .replace('/', "%2f");
        format!("ldapi://{socket}/dc=users,dc=local")
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.join("log")).unwrap()).into_owned()
    }

    /// Lines of its log with `word`.
    pub(crate) fn lines(&self, word: &str) -> usize {
        self.log()
            .lines()
            .filter(|line| line.contains(word))
            .count()
    }

    /// Requests of any kind so far, all messages of a SASL bind counted.
    pub(crate) fn requests(&self) -> usize {
        let log = self.log();
        let number = |line: &str| {
            let mut words = line
                .split(' ')
                .skip_while(|word| !word.starts_with("conn="));
            let (connection, operation) = (words.next()?, words.next()?);
            let counts = operation.starts_with("op=") && words.next() != Some("UNBIND");
            counts.then(|| format!("{connection} {operation}"))
        };
        let all: std::collections::HashSet<String> = log.lines().filter_map(number).collect();
        all.len()
    }

    /// Connections, binds and searches so far.
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        // slapd writes its line before it answers.
        let log = self.log();
        let count = |what: &str| log.lines().filter(|line| line.contains(what)).count();
        (
            count(" ACCEPT from"),
            count(" method=128"),
            count(" SRCH base="),
        )
    }
}

fn launch(folder: &Path, port: u16, tls_port: u16) -> Child {
    let socket = folder
        .join("ldapi")
        .display()
        .to_string()
        .replace('/', "%2f");
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .unwrap();
    Command::new("/usr/sbin/slapd")
        .args([
            "-d",
            "stats",
            "-h",
            &format!("ldap://127.0.0.1:{port}/ ldaps://127.0.0.1:{tls_port}/ ldapi://{socket}/"),
            "-f",
        ])
        .arg(folder.join("slapd.conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("slapd")
}

pub(super) fn configuration(folder: &Path) -> String {
    format!(
        "include /etc/ldap/schema/core.schema\n\
         include /etc/ldap/schema/cosine.schema\n\
         include /etc/ldap/schema/inetorgperson.schema\n\
         modulepath /usr/lib/ldap\n\
         moduleload back_mdb\n\
         pidfile {0}/pid\n\
         TLSCACertificateFile {0}/ca.pem\n\
         TLSCertificateFile {0}/server.pem\n\
         TLSCertificateKeyFile {0}/server.key\n\
         TLSVerifyClient try\n\
         require authc\n\
         database mdb\n\
         suffix dc=users,dc=local\n\
         directory {0}/db\n\
         access to attrs=userPassword by anonymous auth by * none\n\
         access to * by dn.exact=cn=cyrus,ou=machines,dc=users,dc=local read by * none\n",
        folder.display()
    )
}

impl Drop for Slapd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
