// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two directories with the same people: the one of ldapdb's story (simple
//! binds only, nothing for anonymous, passwords hashed and never readable), and
//! one for the plugin's older way (SASL binds, proxied authorization, clear
//! passwords that each entry may read of itself). They hold a service account,
//! a user, and two entries that share a mail address.

#![forbid(unsafe_code)]

use crate::process::{self, Process, in_session};
use crate::scratch::Scratch;
use crate::{base64, port};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The directory's base.
pub const BASE: &str = "dc=users,dc=local";
/// Name of the service account, below the base.
pub const SERVICE: &str = "cn=cyrus,ou=machines";
/// The address two entries share.
pub const SHARED_MAIL: &str = "heroes@example.com";

/// How a directory lets people in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// As in the story.
    SimpleOnly,
    /// SASL binds; the service account may act for the users.
    Proxying,
}

/// A person of the directory.
#[derive(Debug, Clone)]
pub struct Person {
    /// The common name.
    pub name: String,
    /// The mail address, which is the login name.
    pub mail: String,
    /// The password in clear; the directory gets its hash.
    pub password: String,
}

/// The story's user.
pub fn johndoe() -> Person {
    person("johndoe", "jdoe@example.com", "dogood")
}

fn person(name: &str, mail: &str, password: &str) -> Person {
    Person {
        name: name.to_owned(),
        mail: mail.to_owned(),
        password: password.to_owned(),
    }
}

/// A running slapd.
#[derive(Debug)]
pub struct Slapd {
    process: Process,
    address: SocketAddr,
    folder: PathBuf,
    environment: Vec<String>,
}

impl Slapd {
    /// Starts the directory with johndoe, the two with one address, and `more`.
    pub fn start(
        scratch: &Scratch,
        kind: Kind,
        service_password: &str,
        more: &[Person],
    ) -> io::Result<Self> {
        Self::start_with(scratch, &[], kind, service_password, more)
    }

    /// The same, slapd itself run with `NAME=value` words.
    pub fn start_with(
        scratch: &Scratch,
        environment: &[String],
        kind: Kind,
        service_password: &str,
        more: &[Person],
    ) -> io::Result<Self> {
        let mut people = vec![
            johndoe(),
            person("robin", SHARED_MAIL, "first"),
            person("batman", SHARED_MAIL, "second"),
        ];
        people.extend_from_slice(more);
        let data = entries(kind, service_password, &people)?;
        let text = |folder: &Path| configuration(kind, &folder.display().to_string());
        Self::serve(scratch, environment, text, &[(BASE, &data)])
    }

    /// Starts an empty directory that copies one of [`Kind::Proxying`], bound
    /// there by a SASL mechanism as the service account.
    pub fn replicate(
        scratch: &Scratch,
        environment: &[String],
        provider: SocketAddr,
        mechanism: &str,
        password: &str,
    ) -> io::Result<Self> {
        let text = |folder: &Path| {
            let head = head("", &folder.display().to_string());
            format!(
                "{head}rootdn \"cn=root,{BASE}\"\nsyncrepl rid=1 provider=ldap://{provider} type=refreshAndPersist\n  \
                 searchbase=\"{BASE}\" retry=\"1 +\" bindmethod=sasl saslmech={mechanism}\n  \
                 authcid=cyrus credentials={password} secprops=none\naccess to * by * read\n"
            )
        };
        Self::serve(scratch, environment, text, &[(BASE, "")])
    }

    /// Starts one with a configuration of the caller's, made for its folder,
    /// and databases: suffix and entries. Database N has the folder `dbN`, the
    /// first one `db`.
    pub fn serve(
        scratch: &Scratch,
        environment: &[String],
        configuration: impl FnOnce(&Path) -> String,
        databases: &[(&str, &str)],
    ) -> io::Result<Self> {
        let folder = scratch.folder("slapd")?;
        let file = scratch.file("slapd/slapd.conf", &configuration(&folder))?;
        for (index, _) in databases.iter().enumerate() {
            scratch.folder(&format!("slapd/{}", database(index)))?;
        }
        for (suffix, entries) in databases {
            let data = scratch.file("slapd/data.ldif", entries)?;
            let mut add = Command::new("slapadd");
            add.args(["-q", "-b", suffix, "-f"]).arg(&file);
            process::run(add.arg("-l").arg(data))?;
        }
        let address = port::free()?;
        Ok(Self {
            process: run(&folder, address, environment)?,
            address,
            folder,
            environment: environment.to_vec(),
        })
    }

    /// Its unix socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.join("ldapi")
    }

    /// Starts it again after [`Slapd::stop`], with its people, on its port.
    pub fn start_again(&mut self) -> io::Result<()> {
        self.process = run(&self.folder, self.address, &self.environment)?;
        Ok(())
    }

    /// Its process number.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URI of its local socket.
    pub fn local_uri(&self) -> String {
        local_uri(&self.folder)
    }

    /// Its log: one line a connection, bind and search.
    pub fn log(&self) -> String {
        self.process.output()
    }

    /// Stops it; the port refuses connections afterwards.
    pub fn stop(&mut self) -> io::Result<()> {
        self.process.stop()
    }
}

fn local_uri(folder: &Path) -> String {
    let socket = folder.join("ldapi").display().to_string();
    format!("ldapi://{}", socket.replace('/', "%2F"))
}

/// The folder of a database.
pub fn database(index: usize) -> String {
    match index {
        0 => "db".to_owned(),
        index => format!("db{index}"),
    }
}

fn run(folder: &Path, address: SocketAddr, environment: &[String]) -> io::Result<Process> {
    let mut command = in_session("env");
    command.args(environment);
    let places = format!("ldap://{address} {}", local_uri(folder));
    command.args(["slapd", "-h", &places]);
    command.args(["-d", "stats", "-f"]);
    command.arg(folder.join("slapd.conf"));
    let mut process = Process::start("slapd", &mut command, &folder.join("log"))?;
    process.wait_ready(Duration::from_secs(20), || Ok(!port::refuses(address)))?;
    Ok(process)
}

fn configuration(kind: Kind, folder: &str) -> String {
    let (sasl, rights) = match kind {
        Kind::SimpleOnly => (SIMPLE_ONLY, SIMPLE_ONLY_RIGHTS),
        Kind::Proxying => (PROXYING, PROXYING_RIGHTS),
    };
    head(sasl, folder) + rights
}

/// What all have in common, to the database.
fn head(sasl: &str, folder: &str) -> String {
    format!(
        "\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {folder}/slapd.pid
argsfile {folder}/slapd.args
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload syncprov
sasl-auxprops slapd
{sasl}
database mdb
suffix \"{BASE}\"
directory {folder}/db
maxsize 16777216
dbnosync
index objectClass,cn,mail,entryCSN,entryUUID eq
"
    )
}

// No SASL mechanism satisfies all of these properties: simple binds only.
const SIMPLE_ONLY: &str = "\
sasl-secprops noplain,noanonymous,noactive,nodict,forwardsec
disallow bind_anon
access to dn.base=\"\" by users read by * none
";

// Nobody reads a password, hashed or not. 'auth' lets anonymous know that the
// base is there, so that a search gets 50 and not 32.
const SIMPLE_ONLY_RIGHTS: &str = "\
access to attrs=userPassword by anonymous auth by * none
access to * by dn.base=\"cn=cyrus,ou=machines,dc=users,dc=local\" read by anonymous auth by * none
";

// SASL names become entries: the service account's by its name, a user's by
// the mail address.
const PROXYING: &str = "\
sasl-secprops noanonymous
sasl-host localhost
authz-policy to
authz-regexp \"^uid=cyrus,(.+,)?cn=auth$\" \"cn=cyrus,ou=machines,dc=users,dc=local\"
authz-regexp \"^uid=([^,]+@[^,]+),(.+,)?cn=auth$\" \"ldap:///ou=superheros,dc=users,dc=local??sub?(mail=$1)\"
access to dn.base=\"\" by * read
";

// The plugin reads a user's password as that user.
const PROXYING_RIGHTS: &str = "\
overlay syncprov
access to attrs=userPassword by self read by anonymous auth by * none
access to attrs=authzTo by * auth
access to * by self read by users read by anonymous auth by * none
";

fn entries(kind: Kind, service_password: &str, people: &[Person]) -> io::Result<String> {
    let authorization = match kind {
        Kind::SimpleOnly => String::new(),
        Kind::Proxying => {
            format!("authzTo: ldap:///ou=superheros,{BASE}??sub?(objectClass=inetOrgPerson)\n")
        }
    };
    let mut text = format!(
        "\
dn: {BASE}
objectClass: domain
dc: users

dn: ou=machines,{BASE}
objectClass: organizationalUnit
ou: machines

dn: ou=superheros,{BASE}
objectClass: organizationalUnit
ou: superheros

dn: {},{BASE}
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: cyrus
userPassword: {}
{authorization}",
        SERVICE,
        stored(kind, service_password)?
    );
    for person in people {
        text.push_str(&format!(
            "
dn: cn={0},ou=superheros,{BASE}
objectClass: inetOrgPerson
cn: {0}
sn: {0}
mail: {1}
userPassword:: {2}
",
            person.name,
            person.mail,
            base64::encode(stored(kind, &person.password)?.as_bytes())
        ));
    }
    Ok(text)
}

/// A password as the directory keeps it.
fn stored(kind: Kind, password: &str) -> io::Result<String> {
    if kind == Kind::Proxying {
        return Ok(password.to_owned());
    }
    let output = process::run(Command::new("slappasswd").args(["-h", "{SSHA}", "-s", password]))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
