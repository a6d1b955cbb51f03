// SPDX-License-Identifier: MIT OR Apache-2.0
//! The story of the ldapdb plugin, told by the demo and asserted by the
//! tests: eight lines that log a user of a plain LDAP directory in, and eight
//! mistakes, each explained by one log line.

#![forbid(unsafe_code)]

use crate::cyrus::{Cyrus, Service};
use crate::imap::{self, Answer, Method};
use crate::library::Library;
use crate::placed::{Placed, Way};
use crate::scratch::Scratch;
use crate::slapd::{self, Person, SHARED_MAIL, Slapd};
use crate::{imtest, port, syslog};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Login name and password of the story's user.
pub const USER: (&str, &str) = ("jdoe@example.com", "dogood");
/// The story's password of the service account.
pub const SERVICE_PASSWORD: &str = "cyrus";
/// What Cyrus IMAP puts before each SASL option.
pub const PREFIX: &str = "sasl_";

const LOG_LIMIT: Duration = Duration::from_secs(3);

/// SASL options in the order they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines(Vec<(&'static str, String)>);

impl Lines {
    /// The eight lines for a directory at `server`.
    pub fn eight(server: &str, service_password: &str) -> Self {
        let uri = format!("ldap://{server}/dc=users,dc=local");
        Self(
            [
                ("pwcheck_method", "auxprop"),
                ("auxprop_plugin", "ldapdb"),
                ("mech_list", "PLAIN LOGIN"),
                ("ldapdb_uri", &uri),
                ("ldapdb_bind_dn", "cn=cyrus,ou=machines"),
                ("ldapdb_bind_pw", service_password),
                ("ldapdb_filter", "(mail=%u)"),
                ("ldapdb_canon_attr", "mail"),
            ]
            .map(|(name, value)| (name, value.to_owned()))
            .to_vec(),
        )
    }

    /// Writes an option anew, in its old place or at the end.
    pub fn set(&mut self, name: &'static str, value: &str) {
        match self.0.iter_mut().find(|line| line.0 == name) {
            Some(line) => value.clone_into(&mut line.1),
            None => self.0.push((name, value.to_owned())),
        }
    }

    /// The value of an option, or nothing.
    pub fn get(&self, name: &str) -> &str {
        let line = self.0.iter().find(|line| line.0 == name);
        line.map_or("", |line| &line.1)
    }

    /// Takes an option out.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|line| line.0 != name);
    }

    /// As they stand in imapd.conf.
    pub fn text(&self) -> String {
        self.0
            .iter()
            .map(|(name, value)| format!("{PREFIX}{name}: {value}\n"))
            .collect()
    }

    /// What an administrator wrote differently from `right`.
    fn difference(&self, right: &Self) -> Vec<String> {
        let written = self.0.iter().filter(|line| !right.0.contains(line));
        let mut difference: Vec<_> = written
            .map(|(name, value)| format!("{PREFIX}{name}: {value}"))
            .collect();
        let missing = right
            .0
            .iter()
            .filter(|(name, _)| self.0.iter().all(|line| line.0 != *name));
        difference.extend(missing.map(|(name, _)| format!("(no {PREFIX}{name})")));
        difference
    }
}

/// One way to get it wrong.
#[derive(Debug, Clone, Copy)]
pub struct Mistake {
    /// What happened, in a few words.
    pub title: &'static str,
    /// The message that explains it.
    pub code: &'static str,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    NoUri,
    LetterD,
    WrongPort,
    NoSasl,
    IdAsDn,
    Anonymous,
    TwoMatches,
    Digest,
}

/// The eight mistakes of the story, in its order.
pub const MISTAKES: [Mistake; 8] = [
    mistake("No URI at all", "LDB-01", Kind::NoUri),
    mistake("%44 written for a comma", "LDB-04", Kind::LetterD),
    mistake("The port is missing or wrong", "LDB-11", Kind::WrongPort),
    mistake("A SASL bind where there are none", "LDB-21", Kind::NoSasl),
    mistake("A DN given as a SASL user name", "LDB-06", Kind::IdAsDn),
    mistake("An anonymous search is refused", "LDB-37", Kind::Anonymous),
    mistake("Two entries match the login", "LDB-33", Kind::TwoMatches),
    mistake(
        "DIGEST-MD5 needs a readable password",
        "LDB-41",
        Kind::Digest,
    ),
];

const fn mistake(title: &'static str, code: &'static str, kind: Kind) -> Mistake {
    Mistake { title, code, kind }
}

/// What came of a mistake.
#[derive(Debug)]
pub struct Explained {
    /// What was written in imapd.conf, or typed by the user.
    pub written: Vec<String>,
    /// Whether the login was refused, as it must be.
    pub refused: bool,
    /// The log line that explains it, without its envelope.
    pub line: Option<String>,
    /// Everything logged meanwhile.
    pub heard: Vec<String>,
}

/// The directory and the mail server of the story, running.
#[derive(Debug)]
pub struct Story {
    // Dropped in this order: servers first, their folder last.
    cyrus: Cyrus,
    slapd: Slapd,
    placed: Placed,
    right: Lines,
    _scratch: Scratch,
}

impl Story {
    /// Starts both servers with the eight lines.
    pub fn open(which: Library, way: Way, service: Service) -> io::Result<Self> {
        Self::open_with(which, way, service, SERVICE_PASSWORD, &[])
    }

    /// The same with another service password and more people.
    pub fn open_with(
        which: Library,
        way: Way,
        service: Service,
        service_password: &str,
        more: &[Person],
    ) -> io::Result<Self> {
        let scratch = Scratch::new()?;
        let placed = Placed::new(which, &scratch)?;
        let slapd = Slapd::start(&scratch, slapd::Kind::SimpleOnly, service_password, more)?;
        let right = Lines::eight(&slapd.address().to_string(), service_password);
        let cyrus = Cyrus::start(&scratch, &placed, way, service, &right.text())?;
        Ok(Self {
            cyrus,
            slapd,
            placed,
            right,
            _scratch: scratch,
        })
    }

    /// The eight lines as they stand in imapd.conf.
    pub fn right(&self) -> &Lines {
        &self.right
    }

    /// The mail server.
    pub fn cyrus(&self) -> &Cyrus {
        &self.cyrus
    }

    /// The directory.
    pub fn slapd(&self) -> &Slapd {
        &self.slapd
    }

    /// The directory, to stop it and start it again.
    pub fn slapd_mut(&mut self) -> &mut Slapd {
        &mut self.slapd
    }

    /// The library in use.
    pub fn placed(&self) -> &Placed {
        &self.placed
    }

    /// Logs the story's user in on a connection of its own.
    pub fn log_in(&self, method: Method) -> io::Result<Answer> {
        imap::try_login(self.cyrus.address(), method, USER.0, USER.1)
    }

    /// The same with a wrong password.
    pub fn log_in_wrong(&self, method: Method) -> io::Result<Answer> {
        imap::try_login(self.cyrus.address(), method, USER.0, "dobad")
    }

    /// Makes a mistake, tries a login, puts the eight lines back.
    pub fn make(&self, mistake: &Mistake) -> io::Result<Explained> {
        let lines = self.wrong(mistake.kind)?;
        self.cyrus.configure(&lines.text())?;
        let mark = self.cyrus.syslog().mark();
        let user = match mistake.kind {
            Kind::TwoMatches => SHARED_MAIL,
            _ => USER.0,
        };
        let refused = self.refused(mistake.kind, user)?;
        let found = self
            .cyrus
            .syslog()
            .wait_for(mark, mistake.code, LOG_LIMIT)
            .ok();
        self.cyrus.configure(&self.right.text())?;
        let mut written = lines.difference(&self.right);
        match mistake.kind {
            Kind::TwoMatches => written.push(format!("login {user}, an address two entries have")),
            Kind::Digest => written.push("the client chose DIGEST-MD5".to_owned()),
            _ => {}
        }
        Ok(Explained {
            written,
            refused,
            line: found.map(|line| syslog::message(&line).to_owned()),
            heard: self.cyrus.syslog().since(mark),
        })
    }

    fn refused(&self, kind: Kind, user: &str) -> io::Result<bool> {
        let address = self.cyrus.address();
        if kind == Kind::Digest {
            let outcome = imtest::run(address, "DIGEST-MD5", user, USER.1, &[])?;
            return Ok(!outcome.authenticated);
        }
        imap::try_login(address, Method::Plain, user, USER.1).map(|answer| !answer.ok)
    }

    fn wrong(&self, kind: Kind) -> io::Result<Lines> {
        let mut lines = self.right.clone();
        let server = self.slapd.address();
        match kind {
            Kind::NoUri => lines.remove("ldapdb_uri"),
            Kind::LetterD => {
                lines.set(
                    "ldapdb_uri",
                    &format!("ldap://{server}/dc=users%44dc=local"),
                );
            }
            Kind::WrongPort => {
                let server = unserved()?;
                lines.set("ldapdb_uri", &format!("ldap://{server}/dc=users,dc=local"));
            }
            Kind::IdAsDn => {
                lines.remove("ldapdb_bind_dn");
                lines.remove("ldapdb_bind_pw");
                lines.set("ldapdb_id", slapd::SERVICE);
                lines.set("ldapdb_pw", self.right.get("ldapdb_bind_pw"));
                lines.set("ldapdb_mech", "PLAIN");
            }
            Kind::Anonymous => {
                lines.remove("ldapdb_bind_dn");
                lines.remove("ldapdb_bind_pw");
            }
            Kind::NoSasl => {
                lines.remove("ldapdb_bind_dn");
                lines.set("ldapdb_id", "cyrus");
                lines.set("ldapdb_mech", "PLAIN");
            }
            Kind::TwoMatches => {}
            Kind::Digest => lines.set("mech_list", "PLAIN LOGIN DIGEST-MD5"),
        }
        Ok(lines)
    }
}

/// A host without a port, as in the story, if nobody listens on LDAP's own
/// port here; else a port nobody listens on.
fn unserved() -> io::Result<String> {
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, 389));
    if port::refuses(usual) {
        return Ok(usual.ip().to_string());
    }
    port::free().map(|address| address.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eight_lines_are_eight() {
        let text = Lines::eight("glauth:3893", "cyrus").text();
        assert_eq!(text.lines().count(), 8);
        assert!(text.contains("\nsasl_ldapdb_uri: ldap://glauth:3893/dc=users,dc=local\n"));
    }

    #[test]
    fn a_difference_names_new_and_missing_lines() {
        let right = Lines::eight("a", "b");
        let mut wrong = right.clone();
        wrong.set("ldapdb_filter", "(uid=%u)");
        wrong.remove("ldapdb_uri");
        assert_eq!(
            wrong.difference(&right),
            ["sasl_ldapdb_filter: (uid=%u)", "(no sasl_ldapdb_uri)"]
        );
    }
}
