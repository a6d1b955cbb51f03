// SPDX-License-Identifier: MIT OR Apache-2.0
//! A directory like the one in ldapdb's story: simple binds only, nothing for
//! anonymous, passwords hashed and never readable. It holds one service
//! account, one user, and two entries that share a mail address.

#![forbid(unsafe_code)]

use crate::port;
use crate::process::{self, Process, in_session};
use crate::scratch::Scratch;
use std::io;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

/// The directory's base.
pub const BASE: &str = "dc=users,dc=local";
/// Name of the service account, below the base.
pub const SERVICE: &str = "cn=cyrus,ou=machines";
/// The address two entries share.
pub const SHARED_MAIL: &str = "heroes@example.com";

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
}

impl Slapd {
    /// Starts the directory with johndoe, the two with one address, and `more`.
    pub fn start(scratch: &Scratch, service_password: &str, more: &[Person]) -> io::Result<Self> {
        let mut people = vec![
            johndoe(),
            person("robin", SHARED_MAIL, "first"),
            person("batman", SHARED_MAIL, "second"),
        ];
        people.extend_from_slice(more);
        scratch.folder("slapd")?;
        scratch.folder("slapd/db")?;
        let text = configuration(&scratch.join("slapd").display().to_string());
        let file = scratch.file("slapd/slapd.conf", &text)?;
        let data = scratch.file("slapd/data.ldif", &entries(service_password, &people)?)?;
        process::run(
            Command::new("slapadd")
                .arg("-q")
                .arg("-f")
                .arg(&file)
                .arg("-l")
                .arg(data),
        )?;
        let address = port::free()?;
        let mut command = in_session("slapd");
        command
            .args(["-h", &format!("ldap://{address}"), "-d", "stats", "-f"])
            .arg(&file);
        let mut process = Process::start("slapd", &mut command, &scratch.join("slapd.log"))?;
        process.wait_ready(Duration::from_secs(20), || Ok(!port::refuses(address)))?;
        Ok(Self { process, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
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

fn configuration(folder: &str) -> String {
    format!(
        "\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {folder}/slapd.pid
argsfile {folder}/slapd.args
modulepath /usr/lib/ldap
moduleload back_mdb
# No SASL mechanism satisfies all of these: simple binds only.
sasl-secprops noplain,noanonymous,noactive,nodict,forwardsec
sasl-auxprops slapd
disallow bind_anon
access to dn.base=\"\" by users read by * none

database mdb
suffix \"{BASE}\"
directory {folder}/db
maxsize 16777216
dbnosync
index objectClass,cn,mail eq
# For binding only: nobody reads a password, hashed or not.
access to attrs=userPassword by anonymous auth by * none
# 'auth' lets anonymous know that the base is there: 50, not 32, on a search.
access to * by dn.base=\"{},{BASE}\" read by anonymous auth by * none
",
        SERVICE
    )
}

fn entries(service_password: &str, people: &[Person]) -> io::Result<String> {
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
",
        SERVICE,
        hash(service_password)?
    );
    for person in people {
        text.push_str(&format!(
            "
dn: cn={0},ou=superheros,{BASE}
objectClass: inetOrgPerson
cn: {0}
sn: {0}
mail: {1}
userPassword: {2}
",
            person.name,
            person.mail,
            hash(&person.password)?
        ));
    }
    Ok(text)
}

fn hash(password: &str) -> io::Result<String> {
    let output = process::run(Command::new("slappasswd").args(["-h", "{SSHA}", "-s", password]))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
