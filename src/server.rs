// SPDX-License-Identifier: MIT OR Apache-2.0
//! The server side of a connection: offer, start, step, authorise, finish.
//! Answers to RFC 4422 section 3 and to `sasl.h`, "server".
//!
//! The running exchange is taken out of its cell for each step: a callback may
//! re-enter, a nested step on the same connection is refused, and after a panic
//! the exchange is simply gone.
#![forbid(unsafe_code)]

use crate::connection::{Connection, Name};
use crate::library::Side;
use crate::mechanisms::{self, ServerHandle};
use crate::propctx::PropCtx;
use crate::select::{self, SUCCESS_DATA};
use crate::{identity, lookup};
use core::cell::{Cell, OnceCell, RefCell};
use core::ffi::CStr;
use mech::{Done, Features, ServerExchange, ServerMech, Step};
use saslplug::{Code, Error, Identity, Level, Result};
use std::sync::Arc;

/// Where an exchange stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// None was started, or the last one failed.
    Idle,
    /// The mechanism waits for a response.
    Running,
    /// The last data is on its way; any response ends the exchange.
    LastSent,
    /// The client is authenticated.
    Done,
}

/// What start and step answer: OK or CONTINUE, and data for the client.
/// `None` = no data at all, which is not the same as empty data.
pub(crate) struct Reply {
    /// `OK` or `CONTINUE`.
    pub(crate) code: Code,
    /// Data for the client.
    pub(crate) data: Option<Vec<u8>>,
}

/// Whether a verified plain password is stored (`auto_transition`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Transition {
    No,
    Yes,
    /// Only mechanisms' own secrets.
    NoPlain,
}

/// A server connection.
pub(crate) struct Server {
    conn: Connection,
    /// `SASL_APPNAME`.
    pub(crate) app_name: RefCell<Option<Arc<CStr>>>,
    exchange: Cell<Option<Box<dyn ServerExchange>>>,
    stage: Cell<Stage>,
    transition: Cell<Transition>,
    /// `mech_list`; `None` = all.
    allowed: OnceCell<Vec<String>>,
    plus_asked: Cell<bool>,
    /// Look-ups that could only say whether the user exists: see
    /// [`Server::identify_and_look_up`].
    owed: Cell<Option<Identity>>,
    /// Whether no store ever shows a secret, once somebody asked.
    secrets_hidden: OnceCell<bool>,
}

impl Server {
    /// A server connection that has not read its options yet.
    #[inline]
    pub(crate) fn new(conn: Connection, app_name: Option<Arc<CStr>>) -> Self {
        Self {
            conn,
            app_name: RefCell::new(app_name),
            exchange: Cell::default(),
            stage: Cell::new(Stage::Idle),
            allowed: OnceCell::new(),
            transition: Cell::new(Transition::No),
            plus_asked: Cell::new(false),
            owed: Cell::new(None),
            secrets_hidden: OnceCell::new(),
        }
    }

    /// Reads the options that belong to a connection.
    pub(crate) fn read_options(&self) {
        self.conn.read_log_level();
        let transition = self.conn.with_option(c"auto_transition", transition_of);
        self.transition.set(transition);
        let names = self
            .conn
            .with_option(c"mech_list", |list| list.map(select::mech_list));
        if let Some(names) = names {
            self.allowed.get_or_init(|| names);
        }
    }

    /// What both sides share.
    pub(crate) fn connection(&self) -> &Connection {
        &self.conn
    }

    /// The mechanisms that this connection may use: the advertised order is
    /// `mech_list`'s, else strongest first.
    pub(crate) fn mechanisms(&self) -> Vec<ServerHandle> {
        let library = &self.conn.library;
        let Some(names) = self.allowed.get() else {
            return library.server_mechs().to_vec();
        };
        let built_in: Vec<_> = names
            .iter()
            .map_while(|name| library.built_in_server(name))
            .collect();
        if built_in.len() == names.len() {
            return built_in; // no plugin need be opened
        }
        let all = library.server_mechs();
        names
            .iter()
            .filter_map(|name| mechanisms::find(&all, name))
            .collect()
    }

    /// The mechanism of the exchange that was started last.
    pub(crate) fn current_mechanism(&self) -> Option<ServerHandle> {
        let label = self.conn.mechanism.borrow().clone()?;
        self.mechanism(label.name.to_str().ok()?)
    }

    /// The mechanism of that name, if this connection may use it.
    fn mechanism(&self, name: &str) -> Option<ServerHandle> {
        let allowed = self.allowed.get();
        if allowed.is_some_and(|names| !names.iter().any(|known| known.eq_ignore_ascii_case(name)))
        {
            return None;
        }
        let library = &self.conn.library;
        library
            .built_in_server(name)
            .or_else(|| mechanisms::find(&library.server_mechs(), name))
    }

    /// The names to offer now.
    ///
    /// # Errors
    /// `NOMECH` when no mechanism is loaded or `mech_list` matches none.
    pub(crate) fn offer(&self) -> Result<Vec<String>> {
        let mechanisms = self.mechanisms();
        if mechanisms.is_empty() {
            return Err(self.no_mechanisms());
        }
        let bindings = self.conn.bindings.borrow().clone();
        let critical = bindings.iter().any(|binding| binding.critical);
        let mut names = Vec::new();
        for mechanism in mechanisms {
            let name = &mechanism.info().name;
            let in_vain = || mech::needs_secret(name) && self.secrets_are_hidden();
            if self.permit(mechanism.mechanism()).is_err() || in_vain() {
                continue;
            }
            let binds = mechanism
                .info()
                .features
                .contains(Features::CHANNEL_BINDING);
            if binds && !bindings.is_empty() {
                names.push(format!("{name}-PLUS"));
            }
            if !critical {
                names.push(name.clone().into_owned());
            }
        }
        Ok(names)
    }

    /// Whether `mechanism` may be used on this connection now. One that is not
    /// available yet is as good as none.
    fn permit(&self, mechanism: &dyn ServerMech) -> Result<()> {
        select::permitted(mechanism.info(), &self.conn.limits.get(), self.conn.flags)
            .map_err(Error::silent)?;
        mechanism
            .available(self)
            .map_err(|error| Error::with(Code::NOMECH, error.reason().to_owned()))
    }

    /// Starts an exchange, abandoning one that was under way.
    ///
    /// # Errors
    /// `NOMECH`, `TOOWEAK`, `ENCRYPT`, `BADPROT`, and the mechanism's own.
    pub(crate) fn start(&self, name: &str, initial: Option<&[u8]>) -> Result<Reply> {
        if self.stage.get() == Stage::Done {
            return Err(self.after_the_end());
        }
        self.reset();
        let (base, plus) = select::split_plus(name);
        let mechanism = self.mechanism(base).ok_or_else(|| self.not_found(name))?;
        self.permit(mechanism.mechanism())?;
        self.plus_asked.set(plus);
        let info = mechanism.info();
        self.conn.name_mechanism(&mechanism.label);
        let exchange = mechanism.begin(self)?;
        if info.features.contains(Features::SERVER_FIRST) && initial.is_some() {
            let text = "Remote sent first but mech does not allow it.";
            return Err(Error::new(Code::BADPROT, text));
        }
        self.exchange.set(Some(exchange));
        self.stage.set(Stage::Running);
        if info.features.contains(Features::WANT_CLIENT_FIRST) && initial.is_none() {
            return Ok(Reply {
                code: Code::CONTINUE,
                data: Some(Vec::new()),
            });
        }
        self.advance(initial)
    }

    /// Ends an exchange between two of its steps, if there is one.
    pub(crate) fn give_up(&self) {
        if let Some(mut exchange) = self.exchange.take() {
            exchange.abandon(self);
        }
    }

    /// Forgets everything about an earlier exchange.
    fn reset(&self) {
        self.give_up();
        self.stage.set(Stage::Idle);
        self.plus_asked.set(false);
        self.owed.set(None);
        self.conn.forget_exchange();
    }

    /// Takes the client's response.
    ///
    /// # Errors
    /// `FAIL` out of order, else the mechanism's own; the exchange is over then.
    pub(crate) fn step(&self, response: Option<&[u8]>) -> Result<Reply> {
        match self.stage.get() {
            Stage::Running => self.advance(response),
            Stage::LastSent => {
                self.stage.set(Stage::Done);
                Ok(Reply {
                    code: Code::OK,
                    data: None,
                })
            }
            Stage::Done => Err(self.after_the_end()),
            Stage::Idle => Err(Error::new(
                Code::FAIL,
                "attempting server step without an exchange: call sasl_server_start first",
            )),
        }
    }

    /// One connection authenticates once; the last error stays what it was.
    fn after_the_end(&self) -> Error {
        self.conn.log(
            Level::Err,
            format_args!("attempting server step after doneflag"),
        );
        Error::bare(Code::FAIL)
    }

    fn advance(&self, response: Option<&[u8]>) -> Result<Reply> {
        let exchange = self.exchange.take().ok_or(Error::new(
            Code::FAIL,
            "attempting server step while one is running on the same connection",
        ))?;
        self.stage.set(Stage::Idle); // an error or a panic leaves it so
        self.conn
            .known
            .during(|| self.take_step(exchange, response))
    }

    fn take_step(
        &self,
        mut exchange: Box<dyn ServerExchange>,
        response: Option<&[u8]>,
    ) -> Result<Reply> {
        match exchange.step(self, response)? {
            Step::Challenge(data) => {
                self.exchange.set(Some(exchange));
                self.stage.set(Stage::Running);
                Ok(Reply {
                    code: Code::CONTINUE,
                    data: Some(data),
                })
            }
            Step::Done(done) => {
                drop(exchange);
                self.finish(done)
            }
        }
    }

    /// The only place where an exchange succeeds.
    fn finish(&self, done: Done) -> Result<Reply> {
        if let Some(identity) = self.owed.take() {
            forgive_unknown(self.look_up_all(identity))?;
        }
        self.authorise()?;
        self.check_binding(&done)?;
        if let Some(negotiated) = done.layer {
            self.conn.layer.install(negotiated);
        } else {
            self.conn
                .layer
                .max_outbuf
                .set(self.conn.limits.get().max_buffer);
        }
        if done.final_data.is_some() && self.conn.flags & SUCCESS_DATA == 0 {
            self.stage.set(Stage::LastSent);
            return Ok(Reply {
                code: Code::CONTINUE,
                data: done.final_data,
            });
        }
        self.stage.set(Stage::Done);
        Ok(Reply {
            code: Code::OK,
            data: done.final_data,
        })
    }

    /// Canonicalises `name`, stores it, and looks requested properties up for
    /// each identity. `extra` are further `SASL_CU_*` bits.
    ///
    /// Where something else verifies the user and no property is requested, the
    /// look-up can wait: checking the password asks the same stores, and what
    /// is still owed then is made before the exchange succeeds.
    ///
    /// # Errors
    /// The canonicaliser's or the lookup's. Bit `SASL_CU_EXTERNALLY_VERIFIED`
    /// forgives `NOUSER` and `NOMECH`.
    pub(crate) fn identify_and_look_up(
        &self,
        name: &[u8],
        identity: Identity,
        extra: u32,
    ) -> Result<()> {
        identity::establish(&self.conn, self, Side::Server, name, identity, extra)?;
        let verified = extra & EXTERNALLY_VERIFIED != 0;
        if verified && !self.conn.wants_properties() {
            self.owed.set(Some(identity));
            return Ok(());
        }
        if identity == Identity::Both || self.owed.get() == Some(identity) {
            self.owed.set(None);
        }
        let outcome = self.look_up_all(identity);
        if verified {
            forgive_unknown(outcome)
        } else {
            outcome
        }
    }

    fn look_up_all(&self, identity: Identity) -> Result<()> {
        if identity == Identity::Both && self.one_look_up_is_enough() {
            return self.look_up(&self.conn.authid, Identity::Authid);
        }
        let mut outcome = Ok(());
        if identity != Identity::Authzid {
            outcome = self.look_up(&self.conn.authid, Identity::Authid);
        }
        if identity != Identity::Authid {
            let second = self.look_up(&self.conn.authzid, Identity::Authzid);
            let unknown = matches!(&second, Err(error) if error.code() == Code::NOUSER);
            if identity == Identity::Authzid || (outcome.is_ok() && !unknown) {
                outcome = second;
            }
        }
        outcome
    }

    /// Whether the authzid is the authid and nothing is wanted of it: properties
    /// of the authid alone have a name that starts with `*`.
    fn one_look_up_is_enough(&self) -> bool {
        let wanted = self
            .conn
            .known_properties()
            .is_some_and(PropCtx::wants_of_authzid);
        !wanted && self.conn.is_one_name()
    }

    fn look_up(&self, name: &RefCell<Option<Name>>, identity: Identity) -> Result<()> {
        let name = name.borrow().clone();
        let name = name.as_deref().unwrap_or_default();
        lookup::run(&self.conn, self, name, identity, false)
    }
}

/// A store need not know a user that something else verified.
fn forgive_unknown(outcome: Result<()>) -> Result<()> {
    match outcome {
        Err(error) if matches!(error.code(), Code::NOUSER | Code::NOMECH) => Ok(()),
        outcome => outcome,
    }
}

/// `SASL_CU_EXTERNALLY_VERIFIED`.
pub(crate) const EXTERNALLY_VERIFIED: u32 = 4;

/// The spellings of a true option: the first character decides, or `on`.
fn is_true(text: &[u8]) -> bool {
    matches!(text.first(), Some(b'1' | b'y' | b't')) || text == b"on"
}

fn transition_of(option: Option<&CStr>) -> Transition {
    match option.map(CStr::to_bytes) {
        Some(b"noplain") => Transition::NoPlain,
        Some(text) if is_true(text) => Transition::Yes,
        _ => Transition::No,
    }
}

mod hidden;
mod host;
mod password;
mod verdict;

#[cfg(test)]
mod tests;
