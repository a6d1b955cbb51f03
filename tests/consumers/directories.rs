// SPDX-License-Identifier: MIT OR Apache-2.0
//! Directories of other makers: the distribution's sample server with our library
//! and our ldapdb finds a user by a search and verifies him by a bind. Only with
//! `LAB_ALL` (`make check-all`): their packages are large.

use lab::directories::{Directory, MAIL, SERVICE_PASSWORD, USER_PASSWORD};
use lab::library::Library;
use lab::placed::{Placed, Way};
use lab::sample::{Call, Conversation, converse};
use lab::scratch::Scratch;

const WRONG: &str = "Canary-75-wrong";

fn is_wanted() -> bool {
    std::env::var_os("LAB_ALL").is_some()
}

/// A server whose users are in a directory.
struct Server {
    environment: Vec<String>,
    /// Where the sample server is told to look for plugins: it ignores SASL_PATH.
    plugins: String,
    _scratch: Scratch,
}

impl Server {
    fn new(options: &str) -> Self {
        let scratch = Scratch::new().unwrap();
        let placed = Placed::new(Library::Ours, &scratch).unwrap();
        let lines = format!(
            "pwcheck_method: auxprop\nauxprop_plugin: ldapdb\nmech_list: PLAIN\nlog_level: 2\n\
             {options}ldapdb_bind_pw: {SERVICE_PASSWORD}\nldapdb_filter: (mail=%u)\n\
             ldapdb_canon_attr: mail\n"
        );
        scratch.file("sample.conf", &lines).unwrap();
        let mut environment = placed.environment(Way::LibraryPath).to_vec();
        environment.push(format!("SASL_CONF_PATH={}", scratch.path().display()));
        Self {
            environment,
            plugins: placed.plugins().display().to_string(),
            _scratch: scratch,
        }
    }

    fn log_in(&self, user: &str, password: &str) -> Conversation {
        let server = Call {
            environment: &self.environment,
            options: &["-d", "example.com", "-s", "imap", "-p", &self.plugins],
        };
        let client = ["-s", "imap", "-n", "srv.lab.test", "-m", "PLAIN", "-u", ""];
        let client = Call {
            environment: &self.environment,
            options: &[&client[..], &["-a", user]].concat(),
        };
        converse(server, client, Some(password)).unwrap()
    }

    #[track_caller]
    fn serves(&self, directory: &Directory) {
        let right = self.log_in(MAIL, USER_PASSWORD);
        assert!(right.complete(), "{right:#?}\n{}", directory.log());
        for (user, password) in [
            (MAIL, WRONG),
            (MAIL, SERVICE_PASSWORD),
            ("nobody@example.com", USER_PASSWORD),
            ("locked@example.com", USER_PASSWORD),
        ] {
            let refused = self.log_in(user, password);
            assert!(!refused.complete(), "{user}: {refused:#?}");
            for canary in [SERVICE_PASSWORD, WRONG] {
                assert!(!refused.server.contains(canary), "{refused:#?}");
            }
        }
    }
}

#[test]
fn ds389() {
    if !is_wanted() {
        return;
    }
    let scratch = Scratch::new().unwrap();
    let directory = Directory::ds389(&scratch).unwrap();
    directory.wait().unwrap();
    let server = Server::new(&format!(
        "ldapdb_uri: ldap://{}/dc=users,dc=local\nldapdb_bind_dn: cn=cyrus\n",
        directory.address
    ));
    server.serves(&directory);
}

#[test]
fn active_directory_of_samba() {
    if !is_wanted() {
        return;
    }
    let scratch = Scratch::new().unwrap();
    let directory = Directory::samba(&scratch).unwrap();
    directory.wait().unwrap();
    let host = directory.address.ip();
    let options = |scheme: &str| {
        format!(
            "ldapdb_uri: {scheme}://{host}/dc=ex,dc=local\nldapdb_bind_dn: cyrus@ex.local\n\
             ldapdb_tls_cacert_file: {}\nldapdb_tls_name: dc1.ex.local\n",
            directory.authority.display()
        )
    };
    Server::new(&options("ldaps")).serves(&directory);
    let start = options("ldap") + "ldapdb_starttls: demand\n";
    Server::new(&start).serves(&directory);
}
