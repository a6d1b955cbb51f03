// SPDX-License-Identifier: MIT OR Apache-2.0
//! Exchanges under attack. The attacker speaks for one side himself, or sits
//! between two honest ones, of which one may not know the secret. Nobody gets
//! in without it, nobody becomes somebody else, a client that wants the server's
//! proof gets it.

use crate::script::Script;
use crate::testing::{FakeClient, FakeServer};
use crate::{Answer, ChannelBinding, Disposition, PromptKind, Security};
use mech::{CLIENT, ClientExchange, ClientMech, ClientStep, Done, Features, SERVER, ServerHost};
use mech::{ServerExchange, ServerMech, Step};
use saslplug::Secret;
use std::fmt::Write;
use std::sync::OnceLock;

const PASSWORD: &str = "tanstaaftanstaaf";
const ROUNDS: usize = 8;

/// A secret that no fuzzer can know.
pub(crate) fn unknown() -> &'static str {
    static SECRET: OnceLock<String> = OnceLock::new();
    SECRET.get_or_init(|| {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("random bytes");
        let mut text = String::new();
        bytes
            .iter()
            .for_each(|byte| write!(text, "{byte:02x}").expect("a text"));
        text
    })
}

/// What the attacker holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attack {
    /// One side of the exchange.
    Side,
    /// The wire between a client and a server that share no secret.
    Strangers,
    /// The wire between a client and a server that trust each other.
    Friends,
}

impl Attack {
    fn of(script: &mut Script<'_>) -> Self {
        match script.byte() % 4 {
            0 => Self::Friends,
            1 | 2 => Self::Strangers,
            _ => Self::Side,
        }
    }
}

/// Both tables' lines for a mechanism, and two hosts.
struct Stage {
    name: &'static str,
    server_mech: &'static dyn ServerMech,
    client_mech: &'static dyn ClientMech,
    server: FakeServer,
    client: FakeClient,
}

/// Adds a user's password and the value 499 of its one-time chain.
fn with_chain(host: FakeServer, user: &str, value: &str) -> FakeServer {
    let line = format!("md5\t0499\tke1234\t{value}\t0");
    host.with_property(user, c"*cmusaslsecretOTP", &[line.as_bytes()])
}

impl Stage {
    fn new(names: &[&'static str], script: &mut Script<'_>, secret: &str) -> Self {
        let name = names[script.below(names.len())];
        let (server_mech, client_mech) = find(name);
        let admin = unknown();
        let users = [("tim", secret), ("admin", admin), ("anonymous", "")];
        let value = if secret == PASSWORD {
            "e34ced299112c756"
        } else {
            &admin[..16]
        };
        let server = with_chain(FakeServer::new(&users), "tim", value);
        let mut stage = Self {
            name,
            server_mech,
            client_mech,
            server: with_chain(server, "admin", &admin[16..]),
            client: FakeClient::user("tim", PASSWORD),
        };
        stage.vary(script);
        stage
    }

    /// Options and limits that change the course of an exchange.
    fn vary(&mut self, script: &mut Script<'_>) {
        let flags = script.byte();
        let most = [256, 0, 1, 40, 55, 56, 112, 128][usize::from(flags & 7)];
        self.server.limits.max_ssf = most;
        self.client.limits.max_ssf = most;
        let options = [
            ("NTLM/ntlm_v2", "yes", 8),
            ("DIGEST-MD5/reauth_timeout", "5", 16),
            ("/mech_list", "PLAIN OTP", 32),
        ];
        for (name, value, bit) in options {
            if flags & bit != 0 {
                let option = (name.to_owned(), value.to_owned());
                self.server.options.extend([option.clone()]);
                self.client.options.extend([option]);
            }
        }
        if flags & 64 != 0 {
            let answer = Answer::Given(Secret::from(&b"admin"[..]));
            self.client.answer(PromptKind::User, Ok(answer));
        }
        if flags & 128 != 0 {
            let binding = ChannelBinding {
                name: "tls-exporter".to_owned(),
                data: b"channel".to_vec(),
                critical: true,
            };
            self.client.binding = Some(binding.clone());
            self.client.disposition = Disposition::Used;
            self.server.bindings = vec![binding];
        }
    }

    fn begin(&self) -> Option<(Box<dyn ServerExchange>, Box<dyn ClientExchange>)> {
        let server = self.server_mech.begin(&self.server).ok()?;
        let client = self.client_mech.begin(&self.client).ok()?;
        Some((server, client))
    }

    fn is_open(&self) -> bool {
        self.name == "ANONYMOUS"
    }

    fn is_mutual(&self) -> bool {
        let security = self.server_mech.info().security;
        security.contains(Security::MUTUAL_AUTH)
    }

    /// A bearer token and a name set outside say themselves whose they are.
    fn check_names(&self) {
        let who: &[u8] = if self.is_open() { b"anonymous" } else { b"tim" };
        assert_eq!(self.server.authid().as_deref(), Some(who), "{}", self.name);
    }
}

fn find(name: &str) -> (&'static dyn ServerMech, &'static dyn ClientMech) {
    let server = SERVER.iter().find(|mech| mech.info().name == name);
    let client = CLIENT.iter().find(|mech| mech.info().name == name);
    (*server.expect("a server"), *client.expect("a client"))
}

/// How both sides ended.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) server: Option<Done>,
    pub(crate) client: Option<Done>,
}

/// A client's turn: what it sends, and whether it is content.
type Turn = (Option<Vec<u8>>, Option<Done>);

fn turn(
    client: &mut dyn ClientExchange,
    host: &FakeClient,
    challenge: Option<&[u8]>,
) -> Option<Turn> {
    match client.step(host, challenge) {
        Ok(ClientStep::Response(response)) => Some((response, None)),
        Ok(ClientStep::Done(done)) => Some((done.final_data.clone(), Some(done))),
        Ok(ClientStep::Interact(_)) | Err(_) => None,
    }
}

/// Two honest sides and the wire between them.
fn play(stage: &Stage, wire: &mut dyn FnMut(Vec<u8>) -> Vec<u8>) -> Outcome {
    let mut outcome = Outcome::default();
    let Some((mut server, mut client)) = stage.begin() else {
        return outcome;
    };
    let features = stage.server_mech.info().features;
    let client_first = features.contains(Features::WANT_CLIENT_FIRST);
    let mut challenge: Option<Vec<u8>> = None;
    for round in 0..ROUNDS {
        let Some((response, done)) = turn(client.as_mut(), &stage.client, challenge.as_deref())
        else {
            outcome.client = None;
            return outcome;
        };
        outcome.client = done.or(outcome.client);
        if outcome.server.is_some() {
            return outcome;
        }
        if round == 0 && response.is_none() && client_first {
            challenge = Some(Vec::new());
            continue;
        }
        let response = response.map(&mut *wire);
        challenge = match server.step(&stage.server, response.as_deref()) {
            Err(_) => return outcome,
            Ok(Step::Challenge(bytes)) => Some(wire(bytes)),
            Ok(Step::Done(mut done)) => {
                let last = done.final_data.take().map(&mut *wire);
                outcome.server = Some(done);
                last
            }
        };
        if outcome.server.is_some() && outcome.client.is_some() && challenge.is_none() {
            return outcome;
        }
    }
    outcome
}

fn between(stage: &Stage, script: &mut Script<'_>) -> Outcome {
    let mut earlier = Vec::new();
    play(stage, &mut |message| {
        earlier.push(message.clone());
        script.alter(message, &earlier)
    })
}

/// The kind of attack, and the two who are attacked.
fn set_out(names: &[&'static str], script: &mut Script<'_>) -> (Attack, Stage) {
    let attack = Attack::of(script);
    let secret = match attack {
        Attack::Friends => PASSWORD,
        Attack::Strangers | Attack::Side => unknown(),
    };
    (attack, Stage::new(names, script, secret))
}

/// Our server, attacked.
pub(crate) fn server(names: &[&'static str], data: &[u8]) {
    let script = &mut Script::new(data);
    let (attack, mut stage) = set_out(names, script);
    if attack == Attack::Friends {
        stage.server.external = Some(b"tim".to_vec());
    }
    let done = match attack {
        Attack::Side => alone(&stage, script),
        _ => between(&stage, script).server.is_some(),
    };
    match attack {
        _ if !done => {}
        Attack::Friends => stage.check_names(),
        _ if stage.is_open() => stage.check_names(),
        _ => panic!("{}: in without the secret", stage.name),
    }
}

/// The attacker is the client.
fn alone(stage: &Stage, script: &mut Script<'_>) -> bool {
    let Ok(mut server) = stage.server_mech.begin(&stage.server) else {
        return false;
    };
    for _ in 0..ROUNDS {
        let response = match script.byte() {
            254.. => None,
            _ => Some(script.chunk()),
        };
        if let Ok(Step::Done(_)) = server.step(&stage.server, response) {
            return true;
        }
        if script.is_over() {
            break;
        }
    }
    false
}

/// Our client, attacked.
pub(crate) fn client(names: &[&'static str], data: &[u8]) {
    let script = &mut Script::new(data);
    let (attack, mut stage) = set_out(names, script);
    stage.client.external = Some(b"tim".to_vec());
    stage.server.external = Some(b"tim".to_vec());
    let believed = match attack {
        Attack::Side => believes(&stage, script),
        _ => between(&stage, script).client.is_some(),
    };
    let wrong = believed && attack != Attack::Friends && stage.is_mutual();
    assert!(!wrong, "{}: an impostor is believed", stage.name);
}

/// The attacker is the server.
fn believes(stage: &Stage, script: &mut Script<'_>) -> bool {
    let Ok(mut client) = stage.client_mech.begin(&stage.client) else {
        return false;
    };
    let mut content = false;
    for _ in 0..ROUNDS {
        let challenge = match script.byte() {
            254.. => None,
            _ => Some(script.chunk()),
        };
        match turn(client.as_mut(), &stage.client, challenge) {
            None => return false,
            Some((_, done)) => content |= done.is_some(),
        }
        if script.is_over() {
            break;
        }
    }
    content
}

/// An exchange without an attack: what it agreed on.
pub(crate) fn agreed(name: &'static str, script: &mut Script<'_>) -> Outcome {
    let stage = Stage::new(&[name], script, PASSWORD);
    play(&stage, &mut |message| message)
}
