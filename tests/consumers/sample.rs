// SPDX-License-Identifier: MIT OR Apache-2.0
//! The distribution's sample server and client against each other, in all
//! four pairs of stock and ours.

use lab::account::Account;
use lab::consumer::{Consumer, Origin};
use lab::library::Library;
use lab::placed::{Placed, Way};
use lab::sample::{Call, Conversation, converse};
use lab::sasldb;
use lab::scratch::Scratch;

const SAMPLE: Consumer = Consumer {
    program: "sample server, client",
    package: "sasl2-bin",
    side: "both",
    mechanisms: "PLAIN LOGIN NTLM ANONYMOUS EXTERNAL",
    origin: Origin::Installed("/usr/sbin/sasl-sample-server"),
};

const PASSWORD: &str = "secret";
const WRONG: &str = "canary-99";

struct Pair {
    _scratches: [Scratch; 2],
    server: Vec<String>,
    client: Vec<String>,
}

impl Pair {
    fn new(server: Library, client: Library) -> Self {
        let (here, there) = (Scratch::new().unwrap(), Scratch::new().unwrap());
        let placed = Placed::new(server, &here).unwrap();
        placed.add_plugin(sasldb::PLUGIN).unwrap();
        let owner = Account::named("root").unwrap();
        let users = [("alice", PASSWORD)];
        let file = sasldb::create(&here, "lab.test", &users, owner).unwrap();
        let lines = format!(
            "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {}\n\
             mech_list: PLAIN LOGIN NTLM ANONYMOUS EXTERNAL\n",
            file.display()
        );
        here.file("sample.conf", &lines).unwrap();
        let mut environment = placed.environment(Way::LibraryPath).to_vec();
        environment.push(format!("SASL_CONF_PATH={}", here.path().display()));
        let other = Placed::new(client, &there).unwrap();
        for (which, placed) in [(server, &placed), (client, &other)] {
            if which == Library::Stock {
                placed.add_plugin("libntlm.so").unwrap();
            }
        }
        Self {
            server: environment,
            client: other.environment(Way::LibraryPath).to_vec(),
            _scratches: [here, there],
        }
    }

    fn talk(&self, mechanism: &str, password: Option<&str>, external: bool) -> Conversation {
        let mut server = vec!["-d", "srv.lab.test", "-u", "lab.test", "-s", "imap"];
        let mut client = vec!["-s", "imap", "-n", "srv.lab.test", "-r", "lab.test"];
        // With EXTERNAL the name is the channel's: ask for no other.
        let authzid = if mechanism == "EXTERNAL" { "" } else { "alice" };
        client.extend(["-a", "alice", "-u", authzid, "-m", mechanism]);
        if external {
            server.extend(["-e", "ssf=1,id=alice"]);
            client.extend(["-e", "ssf=1,id=alice"]);
        }
        let server = Call {
            environment: &self.server,
            options: &server,
        };
        let client = Call {
            environment: &self.client,
            options: &client,
        };
        converse(server, client, password).unwrap()
    }
}

fn talks(server: Library, client: Library) {
    let pair = Pair::new(server, client);
    for mechanism in ["PLAIN", "LOGIN", "NTLM"] {
        let right = pair.talk(mechanism, Some(PASSWORD), false);
        assert!(right.complete(), "{mechanism}: {right:#?}");
        assert!(
            right.server.contains("Username: alice@lab.test"),
            "{right:#?}"
        );
        let wrong = pair.talk(mechanism, Some(WRONG), false);
        assert!(!wrong.complete(), "{mechanism}: {wrong:#?}");
        // (The sample server itself prints what it gets, the password too.)
        assert!(!wrong.server.contains("Negotiation complete"), "{wrong:#?}");
    }
    let anonymous = pair.talk("ANONYMOUS", None, false);
    assert!(anonymous.complete(), "{anonymous:#?}");
    assert!(
        anonymous.server.contains("Username: anonymous@lab.test"),
        "{anonymous:#?}"
    );

    // The sample programs hand over the address of the name, not the name: only
    // whether EXTERNAL is offered and taken can be seen. Now and then the bytes
    // of the address are blanks, which no library takes for a name.
    let mut tries = (0..5).map(|_| pair.talk("EXTERNAL", None, true));
    assert!(tries.any(|external| external.server.contains("Negotiation complete")));
    let without = pair.talk("EXTERNAL", None, false);
    assert!(
        !without.server.contains("Negotiation complete"),
        "{without:#?}"
    );
}

#[test]
fn stock_to_stock() {
    SAMPLE
        .prove(Library::Stock, |_| talks(Library::Stock, Library::Stock))
        .unwrap();
}

#[test]
fn ours_to_ours() {
    SAMPLE
        .prove(Library::Ours, |_| talks(Library::Ours, Library::Ours))
        .unwrap();
}

#[test]
fn stock_client_to_our_server() {
    talks(Library::Ours, Library::Stock);
}

#[test]
fn our_client_to_stock_server() {
    talks(Library::Stock, Library::Ours);
}
