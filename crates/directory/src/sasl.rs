// SPDX-License-Identifier: MIT OR Apache-2.0
//! SASL binds of the service account with the mechanisms of `mech`: which one,
//! and its exchange (RFC 4513 §5.2).
//!
//! A mechanism that shows the password runs only where a password may go. The
//! server's last message is always checked: a success alone proves nothing.
#![forbid(unsafe_code)]

use crate::config::SaslAccount;
use crate::connection::{Broken, Connection};
use crate::deadline::Deadline;
use crate::layer::MAX_PACKET;
use crate::protocol::{self, Answer, Outcome};
use mech::{ChannelBinding, ClientExchange, ClientHost, ClientMech, ClientStep, Disposition, Done};
use mech::{Features, Limits, Prompt, PromptKind, Security, Ssf};
use saslplug::{Code, Error, Handle, Host, Identity, Level, Secret};
use std::cell::RefCell;
use std::ffi::CStr;
use std::fmt;

/// More messages than any mechanism needs.
const MOST_STEPS: usize = 10;
/// `saslBindInProgress`.
const IN_PROGRESS: u32 = 14;

/// The strength that TLS and local sockets are taken for.
const OUTSIDE: Ssf = 256;

/// Answers what mechanisms ask: the service account on one connection.
pub(crate) struct Agent<'a> {
    account: &'a SaslAccount,
    password: Option<Secret>,
    server: &'a str,
    limits: Limits,
    /// Whether the connection says who we are (socket, client certificate).
    external: bool,
    /// Whether a password may be sent.
    trusted: bool,
    authid: RefCell<Option<Vec<u8>>>,
    authzid: RefCell<Option<Vec<u8>>>,
}

/// How a SASL bind ended.
pub(crate) enum Ended {
    Bound,
    /// The server's last result.
    Refused(Outcome),
    /// Our side gave up.
    Failed(String),
}

impl<'a> Agent<'a> {
    /// An agent for a connection to `server`; `external`: it says who we are;
    /// `trusted`: a password may be sent; `secret`: nobody else can read it.
    pub(crate) fn new(
        account: &'a SaslAccount,
        password: Option<Secret>,
        server: &'a str,
        [external, trusted, secret]: [bool; 3],
    ) -> Self {
        let wanted = &account.properties;
        let default = match secret {
            true => Security::NOANONYMOUS,
            false => Security::NOANONYMOUS | Security::NOPLAINTEXT,
        };
        let limits = Limits {
            min_ssf: wanted.min_ssf,
            max_ssf: wanted.max_ssf,
            max_buffer: MAX_PACKET.min(wanted.max_buffer),
            security: wanted.security.unwrap_or(default),
            external_ssf: if secret { OUTSIDE } else { 0 },
        };
        Self {
            account,
            password,
            server,
            limits,
            external,
            trusted,
            authid: RefCell::default(),
            authzid: RefCell::default(),
        }
    }

    /// Why `mechanism` cannot be used here; `None`: it can.
    pub(crate) fn obstacle(&self, mechanism: &dyn ClientMech) -> Option<&'static str> {
        let info = mechanism.info();
        let needs = mechanism.required_prompts();
        let shows = info.security.contains(Security::PASS_CREDENTIALS);
        if &*info.name == "EXTERNAL" && !self.external {
            return Some("EXTERNAL needs ldapi:// or a client certificate (ldapdb_tls_cert)");
        }
        if needs.contains(&PromptKind::AuthName) && self.account.id.is_none() {
            return Some("there is no ldapdb_id");
        }
        if needs.contains(&PromptKind::Pass) && self.password.is_none() {
            return Some("there is no ldapdb_pw");
        }
        if shows && !self.trusted {
            return Some("a password may not go there without TLS (ldapdb_cleartext)");
        }
        // An explicit permission for clear text is one for these mechanisms too.
        let mut demanded = self.limits.security;
        demanded.remove(Security::PASS_CREDENTIALS);
        if self.trusted && self.account.properties.security.is_none() {
            demanded.remove(Security::NOPLAINTEXT);
        }
        if &*info.name == "EXTERNAL" {
            return None;
        }
        if !info.security.contains(demanded) {
            return Some("ldapdb_secprops forbids it");
        }
        let weak = info.max_ssf.saturating_add(self.limits.external_ssf) < self.limits.min_ssf;
        weak.then_some("it is weaker than the minssf of ldapdb_secprops")
    }

    /// The mechanism to use; `offered`: what the server has, if that is known.
    ///
    /// # Errors
    /// Why none can be used.
    pub(crate) fn choose(
        &self,
        offered: Option<&[String]>,
    ) -> Result<&'static dyn ClientMech, String> {
        let wanted = &self.account.mechs;
        let named = |name: &str, list: &[String]| list.iter().any(|w| w.eq_ignore_ascii_case(name));
        let mut why = Vec::new();
        for mechanism in mech::CLIENT {
            let name = &*mechanism.info().name;
            let asked_for = match wanted.as_slice() {
                [] => is_usual(name),
                list => named(name, list),
            };
            if !asked_for || offered.is_some_and(|list| !named(name, list)) {
                continue;
            }
            match self.obstacle(*mechanism) {
                None => return Ok(*mechanism),
                Some(obstacle) => why.push(format!("{name}: {obstacle}")),
            }
        }
        Err(why.join("; "))
    }

    /// Runs the exchange, with `name` in the Bind.
    pub(crate) fn bind(
        &self,
        connection: &mut Connection,
        mechanism: &dyn ClientMech,
        name: &str,
        deadline: Deadline,
    ) -> Result<Ended, Broken> {
        let failed = |error: Error| Ok(Ended::Failed(error.to_string()));
        let mut exchange = match mechanism.begin(self) {
            Ok(exchange) => exchange,
            Err(error) => return failed(error),
        };
        let speaks_first = !mechanism.info().features.contains(Features::SERVER_FIRST);
        let mut turn = match speaks_first {
            true => match Turn::of(exchange.step(self, None)) {
                Ok(turn) => turn,
                Err(error) => return failed(error),
            },
            false => Turn::default(),
        };
        for _ in 0..MOST_STEPS {
            let (outcome, data) = send(connection, name, mechanism, &turn, deadline)?;
            match outcome.code {
                0 => return Ok(self.finish(connection, &mut *exchange, turn, data)),
                IN_PROGRESS => {}
                _ => return Ok(Ended::Refused(outcome)),
            }
            if turn.done.is_some() {
                return Ok(Ended::Failed("the server asks on and on".to_owned()));
            }
            match Turn::of(exchange.step(self, Some(&data.unwrap_or_default()))) {
                Ok(next) => turn = next,
                Err(error) => return failed(error),
            }
        }
        Ok(Ended::Failed("the server asks on and on".to_owned()))
    }

    /// The server says that it is done: so must the mechanism.
    fn finish(
        &self,
        connection: &mut Connection,
        exchange: &mut dyn ClientExchange,
        turn: Turn,
        data: Option<Vec<u8>>,
    ) -> Ended {
        let done = match (turn.done, data) {
            (Some(done), None) => done,
            (Some(done), Some(data)) if data.is_empty() => done,
            (Some(_), Some(_)) => return Ended::Failed("the server said too much".to_owned()),
            (None, data) => match exchange.step(self, Some(&data.unwrap_or_default())) {
                Ok(ClientStep::Done(done))
                    if done.final_data.as_ref().is_none_or(Vec::is_empty) =>
                {
                    done
                }
                Ok(_) => return Ended::Failed("the server did not prove itself".to_owned()),
                Err(error) => return Ended::Failed(error.to_string()),
            },
        };
        if let Some(layer) = done.layer {
            if !connection.protect(layer) {
                return Ended::Failed("the security layer cannot be used here".to_owned());
            }
        }
        Ended::Bound
    }
}

/// Mechanisms that are taken without being named: those for which an id and a
/// password, or the connection, are all there is to know.
fn is_usual(name: &str) -> bool {
    let usual = ["DIGEST-MD5", "EXTERNAL", "CRAM-MD5", "PLAIN", "LOGIN"];
    name.starts_with("SCRAM-") || usual.contains(&name)
}

/// What is sent next.
#[derive(Default)]
struct Turn {
    response: Option<Secret>,
    /// The exchange ends with it.
    done: Option<Done>,
}

impl Turn {
    fn of(step: saslplug::Result<ClientStep>) -> saslplug::Result<Self> {
        match step? {
            ClientStep::Response(response) => Ok(Self {
                response: response.map(Secret::new),
                done: None,
            }),
            ClientStep::Done(mut done) => Ok(Self {
                // The last word is one, even if it is empty.
                response: Some(Secret::new(done.final_data.take().unwrap_or_default())),
                done: Some(done),
            }),
            ClientStep::Interact(_) => Err(Error::new(Code::FAIL, "there is nobody to ask")),
        }
    }
}

fn send(
    connection: &mut Connection,
    name: &str,
    mechanism: &dyn ClientMech,
    turn: &Turn,
    deadline: Deadline,
) -> Result<(Outcome, Option<Vec<u8>>), Broken> {
    let id = connection.next_id();
    let credentials = turn.response.as_ref().map(Secret::as_bytes);
    let mechanism = &mechanism.info().name;
    let message = protocol::sasl_bind(id, name.as_bytes(), mechanism, credentials);
    connection.send(&message, deadline)?;
    match connection.receive(id, deadline)? {
        Answer::Bind(outcome, data, _) => Ok((outcome, data)),
        _ => Err(Broken::Malformed("it answered a bind with something else")),
    }
}

impl Host for Agent<'_> {
    fn option(&self, _: &str, _: &str) -> Option<String> {
        None
    }

    fn property(&self, _: &CStr) -> Vec<Secret> {
        Vec::new()
    }

    fn log(&self, _: Level, _: fmt::Arguments<'_>) {}

    fn handle(&self) -> Handle {
        Handle::NONE
    }

    fn service(&self) -> String {
        "ldap".to_owned()
    }
}

impl ClientHost for Agent<'_> {
    fn server_fqdn(&self) -> Option<String> {
        Some(self.server.to_owned())
    }

    fn client_fqdn(&self) -> String {
        "localhost".to_owned()
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn external_id(&self) -> Option<Vec<u8>> {
        self.external.then(|| b"connection".to_vec())
    }

    fn ask(&self, prompt: &Prompt) -> saslplug::Result<mech::Answer> {
        let text = |text: &Option<String>| text.as_ref().map(|text| Secret::from(text.as_bytes()));
        let answer = match prompt.kind {
            PromptKind::User => text(&self.account.authz_id),
            PromptKind::AuthName => text(&self.account.id),
            PromptKind::Pass => self.password.clone(),
            PromptKind::Realm => text(&self.account.realm),
            PromptKind::Echo | PromptKind::NoEcho => None,
        };
        Ok(answer.map_or(mech::Answer::Nobody, mech::Answer::Given))
    }

    fn identify(&self, name: &[u8], identity: Identity) -> saslplug::Result<()> {
        if identity != Identity::Authzid {
            self.authid.replace(Some(name.to_vec()));
        }
        if identity != Identity::Authid {
            self.authzid.replace(Some(name.to_vec()));
        }
        Ok(())
    }

    fn authid(&self) -> Option<Vec<u8>> {
        self.authid.borrow().clone()
    }

    fn authzid(&self) -> Option<Vec<u8>> {
        self.authzid.borrow().clone()
    }

    fn channel_binding(&self) -> (Option<ChannelBinding>, Disposition) {
        (None, Disposition::None)
    }

    fn fill_random(&self, out: &mut [u8]) -> saslplug::Result<()> {
        getrandom::fill(out).map_err(|_| Error::new(Code::FAIL, "the system gives no random bytes"))
    }
}
