// SPDX-License-Identifier: MIT OR Apache-2.0
//! GNU SASL, as server and as client, with every mechanism that both have.
//! Stock libsasl2 meets it too, which shows that the recipe is right.

use crate::case::{self, Case, Refusal};
use crate::pair::{Side, call, compile};
use crate::table::{self, Cell, failed};
use lab::kdc::{self, Kdc};
use lab::library::Library;
use lab::party::{self, Outcome, Said, faithful};
use lab::program::Program;
use lab::scratch::Scratch;
use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, OnceLock};

/// Which of the two is GNU SASL; the other one is on this side's library.
struct Meeting {
    gnu_serves: bool,
    side: Side,
    tickets: Option<Arc<Tickets>>,
}

/// A Kerberos realm with a service, and a ticket for it.
struct Tickets {
    kdc: Kdc,
    keytab: PathBuf,
    _scratch: Scratch,
}

impl Tickets {
    fn new() -> io::Result<Self> {
        let scratch = Scratch::new()?;
        let kdc = Kdc::start(&scratch)?;
        kdc.add_user("alice", "secret")?;
        let keytab = kdc.add_service("imap", "keytab")?;
        kdc.log_in("alice", "secret", "alice", &[])?;
        Ok(Self {
            kdc,
            keytab,
            _scratch: scratch,
        })
    }

    /// Gives the server its key and the client the tickets that it names.
    fn hand_out(&self, server: &mut Command, client: &mut Command) {
        server.envs(self.kdc.environment("nobody"));
        server.env("KRB5_KTNAME", &self.keytab);
        server.arg(format!("opt:keytab={}", self.keytab.display()));
        let words: Vec<_> = client
            .get_args()
            .map(|word| word.to_string_lossy())
            .collect();
        let cache = words.iter().find_map(|word| word.strip_prefix("cache="));
        let cache = cache.unwrap_or("nobody").to_owned();
        client.envs(self.kdc.environment(&cache));
    }
}

fn program(role: &str, words: &[String]) -> Command {
    static PROGRAM: OnceLock<Program> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| compile("gsasl.c", "gsasl"));
    call(program, role, words)
}

/// An error unless GNU SASL, and no libsasl2, is what it ran on.
fn require_gnu(said: &Said) -> io::Result<()> {
    let maps = said.maps();
    if said.code.is_none() || maps.contains("/libgsasl.so") && !maps.contains("/libsasl2") {
        return Ok(());
    }
    failed(format!("not GNU SASL alone: {maps}"))
}

impl Meeting {
    fn all() -> io::Result<Vec<(String, Self)>> {
        let mut all = Vec::new();
        for library in [Library::Ours, Library::Stock] {
            for (name, gnu_serves) in [
                (format!("{library} <- GNU"), false),
                (format!("GNU <- {library}"), true),
            ] {
                let side = Side::new(library)?;
                all.push((
                    name,
                    Self {
                        gnu_serves,
                        side,
                        tickets: None,
                    },
                ));
            }
        }
        Ok(all)
    }

    fn talk(&self, case: &Case, mut words: [Vec<String>; 2]) -> io::Result<Outcome> {
        let account = format!("account={}:{}", case.authid, case.pass);
        words[0].push(account);
        let [server, client] = words;
        let (mut server, mut client) = match self.gnu_serves {
            true => (
                program("server", &server),
                self.side.program("client", &client)?,
            ),
            false => (
                self.side.program("server", &server)?,
                program("client", &client),
            ),
        };
        if let Some(tickets) = &self.tickets {
            tickets.hand_out(&mut server, &mut client);
        }
        let outcome = party::converse(server, client, &faithful, &faithful)?;
        let (gnu, other) = match self.gnu_serves {
            true => (&outcome.server, &outcome.client),
            false => (&outcome.client, &outcome.server),
        };
        require_gnu(gnu)?;
        if other.code.is_some() {
            self.side.library.require_in(&other.maps())?;
        }
        Ok(outcome)
    }
}

fn try_meeting(case: &Case, meeting: &Meeting) -> Cell {
    let right = meeting.talk(case, case.right())?;
    if case.partner_cannot {
        return case.cannot(&right);
    }
    let word = case.agreed(&right)?;
    case.refused(&meeting.talk(case, case.wrong())?)?;
    Ok(word)
}

const CASES: [Case; 21] = [
    Case::of("PLAIN"),
    Case::beyond("PLAIN beyond ASCII", "PLAIN"),
    Case::of("LOGIN"),
    case::ANONYMOUS,
    Case {
        server: &["extid=alice", "ext=56"],
        client: &["extid=alice", "ext=56", "authzid=alice"],
        refusal: Refusal::Words {
            server: &["extid=mallory"],
            client: &[],
        },
        ..Case::of("EXTERNAL")
    },
    Case::of("CRAM-MD5"),
    Case::beyond("CRAM-MD5 beyond ASCII", "CRAM-MD5"),
    Case {
        both: &["max=0", "qop=qop-auth"],
        says: "qop=auth",
        ..Case::of("DIGEST-MD5")
    },
    Case {
        name: "DIGEST-MD5 auth-int",
        both: &["min=1", "max=1", "qop=qop-int", "data=2000"],
        ssf: 1,
        says: "qop=auth-int",
        ..Case::of("DIGEST-MD5")
    },
    // It hashes the name in UTF-8 and the password in ISO 8859-1, and takes the
    // name of who says no charset (stock, and this library) for ISO 8859-1.
    Case {
        both: &["max=0", "qop=qop-auth"],
        partner_cannot: true,
        ..Case::beyond("DIGEST-MD5 beyond ASCII", "DIGEST-MD5")
    },
    Case::of("SCRAM-SHA-1"),
    Case::of("SCRAM-SHA-256"),
    Case::beyond("SCRAM-SHA-1 beyond ASCII", "SCRAM-SHA-1"),
    Case::beyond("SCRAM-SHA-256 beyond ASCII", "SCRAM-SHA-256"),
    Case::bound("SCRAM-SHA-1-PLUS"),
    Case::bound("SCRAM-SHA-256-PLUS"),
    Case::odd("PLAIN, odd letters", "PLAIN"),
    Case::odd("CRAM-MD5, odd letters", "CRAM-MD5"),
    // It puts no backslash before the quote in a name.
    Case {
        partner_cannot: true,
        ..Case::odd("DIGEST-MD5, odd letters", "DIGEST-MD5")
    },
    Case::odd("SCRAM-SHA-1, odd letters", "SCRAM-SHA-1"),
    Case::odd("SCRAM-SHA-256, odd letters", "SCRAM-SHA-256"),
];

#[test]
fn mechanisms() {
    let columns = Meeting::all().unwrap();
    let rows = CASES.map(|case| (case.name.to_owned(), case));
    table::fill("GNU SASL: server <- client", &columns, &rows, try_meeting);
}

const fn ticket(mech: &'static str) -> Case {
    Case {
        pass: "",
        client: &["cache=alice", "authzid=alice"],
        both: &["max=0", "qop=qop-auth"],
        refusal: Refusal::Words {
            server: &[],
            client: &["cache=nobody"],
        },
        ..Case::of(mech)
    }
}

const WITH_TICKETS: [Case; 2] = [
    ticket("GSSAPI"),
    // It has none of its layers.
    Case {
        name: "GSSAPI, encryption",
        both: &["min=56", "qop=qop-conf", "data=2000"],
        partner_cannot: true,
        ..ticket("GSSAPI")
    },
];

const GS2: Case = Case {
    client: &["cache=alice"],
    ..ticket("GS2-KRB5")
};

#[test]
fn tickets() {
    let tickets = Arc::new(Tickets::new().unwrap());
    let mut columns = Meeting::all().unwrap();
    for (_, meeting) in &mut columns {
        let plugins = match meeting.side.library {
            Library::Ours => Library::Ours.plugins().unwrap(),
            Library::Stock => kdc::stock_plugins().unwrap(),
        };
        for file in ["libgssapiv2.so", "libgs2.so"] {
            meeting.side.add(&plugins.join(file)).unwrap();
        }
        meeting.tickets = Some(Arc::clone(&tickets));
    }
    let title = "GNU SASL, Kerberos: server <- client";
    let named = |case: Case| (case.name.to_owned(), case);
    table::fill(title, &columns, &WITH_TICKETS.map(named), try_meeting);
    // Stock's server takes no GS2 from it: its client asks for no protection
    // against replay, which GS2 without layers has no use for.
    columns.retain(|(_, it)| it.gnu_serves || it.side.library == Library::Ours);
    table::fill(title, &columns, &[named(GS2)], try_meeting);
}
