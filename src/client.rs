// SPDX-License-Identifier: MIT OR Apache-2.0
//! The client side of a connection: choose, start, step, prompts. Answers to
//! RFC 4422 section 3 and to `sasl.h`, "client".
//!
//! As on the server, the running exchange is out of its cell while it works.
#![forbid(unsafe_code)]

use crate::connection::Connection;
use crate::mechanisms::{self, ClientHandle};
use crate::select::{self, SUCCESS_DATA};
use core::cell::{Cell, OnceCell, RefCell};
use mech::{
    ClientExchange, ClientMech, ClientStep, Disposition, Done, Features, MechInfo, Prompt,
    PromptKind,
};
use saslplug::{Code, Error, Level, Result, Secret};
use std::ffi::CString;
use std::sync::Arc;

/// What start and step answer.
pub(crate) struct Reply {
    /// `OK`, `CONTINUE` or `INTERACT`.
    pub(crate) code: Code,
    /// Data for the server; `None` = none at all.
    pub(crate) data: Option<Vec<u8>>,
    /// With `INTERACT`: what to ask.
    pub(crate) prompts: Vec<Prompt>,
}

/// A client connection.
pub(crate) struct Client {
    conn: Connection,
    exchange: Cell<Option<Box<dyn ClientExchange>>>,
    finished: Cell<bool>,
    interacting: Cell<bool>,
    answers: RefCell<Vec<(PromptKind, Option<Secret>)>>,
    disposition: Cell<Disposition>,
    client_fqdn: OnceCell<CString>,
    /// `client_mech_list`; `None` = all.
    allowed: OnceCell<Vec<String>>,
}

impl Client {
    /// A client connection that has not read its options yet.
    #[inline]
    pub(crate) fn new(conn: Connection) -> Self {
        Self {
            conn,
            exchange: Cell::default(),
            finished: Cell::default(),
            interacting: Cell::default(),
            answers: RefCell::default(),
            disposition: Cell::default(),
            client_fqdn: OnceCell::new(),
            allowed: OnceCell::new(),
        }
    }

    /// Reads the options that belong to a connection.
    pub(crate) fn read_options(&self) {
        self.conn.read_log_level();
        let names = self
            .conn
            .with_option(c"client_mech_list", |list| list.map(select::mech_list));
        if let Some(names) = names {
            self.allowed.get_or_init(|| names);
        }
    }

    /// Whether it can do anything at all.
    ///
    /// # Errors
    /// `NOMECH` when `client_mech_list` matches no mechanism.
    pub(crate) fn check_list(&self) -> Result<()> {
        if self.allowed.get().is_some() && self.mechanisms().is_empty() {
            let text = "option client_mech_list names no mechanism that exists here";
            return Err(Error::new(Code::NOMECH, text));
        }
        Ok(())
    }

    /// What both sides share.
    pub(crate) fn connection(&self) -> &Connection {
        &self.conn
    }

    /// What selection decided about channel binding.
    pub(crate) fn disposition(&self) -> Disposition {
        self.disposition.get()
    }

    /// Takes what the program answered; `None` = it left the result out.
    pub(crate) fn take_answers(&self, answers: Vec<(PromptKind, Option<Secret>)>) {
        self.answers.replace(answers);
    }

    /// Whether `client_mech_list` lets a mechanism through.
    fn is_allowed(&self, name: &str) -> bool {
        let allowed = self.allowed.get();
        allowed.is_none_or(|names| names.iter().any(|known| known.eq_ignore_ascii_case(name)))
    }

    fn mechanisms(&self) -> Vec<ClientHandle> {
        let mut all = self.conn.library.client_mechs().to_vec();
        all.retain(|mechanism| self.is_allowed(&mechanism.info().name));
        all
    }

    /// The mechanisms to choose from, strongest first. Where all that the server
    /// offers is built in, no plugin is opened.
    fn candidates(&self, offered: &[(&str, bool)]) -> Candidates {
        let library = &self.conn.library;
        let built_in = library.built_in_clients();
        if let [(name, _)] = offered {
            if let Some(only) = mechanisms::find(&built_in, name) {
                return Candidates::Only(only);
            }
        }
        let known = |(name, _): &(&str, bool)| mechanisms::find(&built_in, name).is_some();
        Candidates::All(if offered.iter().all(known) {
            built_in
        } else {
            library.client_mechs()
        })
    }

    /// Names of the mechanisms that this client could use, in the order of
    /// `client_mech_list`, else strongest first.
    pub(crate) fn offer(&self) -> Vec<String> {
        let mut mechanisms = self.mechanisms();
        if let Some(names) = self.allowed.get() {
            mechanisms.sort_by_key(|mechanism| {
                let name = &mechanism.info().name;
                names
                    .iter()
                    .position(|known| known.eq_ignore_ascii_case(name))
            });
        }
        let usable = mechanisms
            .iter()
            .filter(|mechanism| self.permit(mechanism.mechanism()).is_ok());
        usable
            .map(|mechanism| mechanism.info().name.clone().into_owned())
            .collect()
    }

    /// Whether `mechanism` could be used on this connection.
    fn permit(&self, mechanism: &dyn ClientMech) -> Result<()> {
        let info = mechanism.info();
        select::permitted(info, &self.conn.limits.get(), self.conn.flags)?;
        if info.features.contains(Features::NEEDSERVERFQDN)
            && self.conn.endpoint.server_fqdn.is_none()
        {
            return Err(Error::new(Code::NOMECH, "needs the server's name"));
        }
        match mechanism
            .required_prompts()
            .iter()
            .find(|kind| !self.can_answer(**kind))
        {
            Some(kind) => Err(Error::with(
                Code::NOMECH,
                format!("no callback for {kind:?}"),
            )),
            None => Ok(()),
        }
    }

    fn can_answer(&self, kind: PromptKind) -> bool {
        kind == PromptKind::AuthName || self.conn.app.can_answer(kind)
    }

    /// Chooses among the server's mechanisms and starts an exchange; `wants_data`
    /// is whether the protocol can carry an initial response.
    ///
    /// # Errors
    /// `NOMECH` when none fits; the mechanism's own.
    pub(crate) fn start(&self, list: &str, wants_data: bool) -> Result<Reply> {
        if self.interacting.get() {
            return self.advance(None);
        }
        let (mechanism, exchange) = self.choose(list)?;
        let info = mechanism.info();
        if self.finished.get() && self.is_current(&info.name) {
            return Err(self.after_the_end());
        }
        self.exchange.set(None);
        self.finished.set(false);
        self.conn.forget_exchange();
        self.conn.name_mechanism(&mechanism.label);
        self.exchange.set(Some(exchange));
        if !wants_data || info.features.contains(Features::SERVER_FIRST) {
            return Ok(Reply {
                code: Code::CONTINUE,
                data: None,
                prompts: Vec::new(),
            });
        }
        self.advance(None)
    }

    fn is_current(&self, name: &str) -> bool {
        let current = self.conn.mechanism.borrow();
        current
            .as_deref()
            .is_some_and(|current| current.name.to_bytes() == name.as_bytes())
    }

    /// A mechanism that has finished does not start again, as on stock; another
    /// one may, when the server refused the first. The last error stays what it
    /// was.
    fn after_the_end(&self) -> Error {
        let text = format_args!("attempting client step after doneflag");
        self.conn.log(Level::Err, text);
        Error::bare(Code::FAIL)
    }

    /// The strongest mechanism of ours that the server offers and that starts.
    fn choose(&self, list: &str) -> Result<(ClientHandle, Box<dyn ClientExchange>)> {
        if let Some(mechanism) = self.only(list) {
            self.disposition.set(Disposition::None);
            if let Ok(exchange) = mechanism.begin(self) {
                return Ok((mechanism, exchange));
            }
        }
        self.choose_among(list)
    }

    /// The one built-in mechanism that the list names, if nothing about it need
    /// be weighed.
    fn only(&self, list: &str) -> Option<ClientHandle> {
        if self.allowed.get().is_some() || !self.conn.bindings.borrow().is_empty() {
            return None;
        }
        let mechanism = self.conn.library.built_in_client(list)?;
        self.permit(mechanism.mechanism())
            .is_ok()
            .then_some(mechanism)
    }

    fn choose_among(&self, list: &str) -> Result<(ClientHandle, Box<dyn ClientExchange>)> {
        let mut names = select::names(list).map(select::split_plus);
        let first = names.next();
        let more: Vec<_> = match names.next() {
            Some(second) => first.into_iter().chain([second]).chain(names).collect(),
            None => Vec::new(),
        };
        let offered = if more.is_empty() {
            first.as_slice()
        } else {
            &more
        };
        let binding = self.conn.bindings.borrow().first().cloned();
        let critical = binding.as_ref().is_some_and(|binding| binding.critical);
        let plus_offered = offered.iter().any(|(_, plus)| *plus);
        let negotiating = offered.len() > 1;
        if critical && negotiating && !plus_offered {
            return Err(Error::new(
                Code::NOMECH,
                "channel binding is demanded, but the server offers no -PLUS mechanism",
            ));
        }
        let passed_over = |name: &str, error: &Error| {
            self.conn
                .log(Level::Debug, format_args!("{name} passed over: {error}"));
        };
        for mechanism in self.candidates(offered).as_slice() {
            let name = &mechanism.info().name;
            if !self.is_allowed(name) {
                continue;
            }
            let fits = |plus: bool| {
                offered
                    .iter()
                    .any(|(base, has)| *has == plus && base.eq_ignore_ascii_case(name))
            };
            let plus = binding.is_some() && fits(true);
            if !plus && !fits(false) {
                continue;
            }
            if let Err(error) = self.permit(mechanism.mechanism()) {
                passed_over(name, &error);
                continue;
            }
            let info = mechanism.info();
            let bound = disposition(info, binding.is_some(), plus, negotiating, critical);
            if critical && bound != Disposition::Used {
                let text = "channel binding is demanded, and this would not bind";
                passed_over(name, &Error::new(Code::NOMECH, text));
                continue;
            }
            self.disposition.set(bound);
            match mechanism.begin(self) {
                Ok(exchange) => return Ok((Arc::clone(mechanism), exchange)),
                Err(error) => passed_over(name, &error),
            }
        }
        Err(Error::new(Code::NOMECH, "No worthy mechs found"))
    }

    /// Takes the server's challenge.
    ///
    /// # Errors
    /// `FAIL` out of order, else the mechanism's own; the exchange is over then.
    pub(crate) fn step(&self, challenge: Option<&[u8]>) -> Result<Reply> {
        if self.finished.get() {
            let Some(exchange) = self.exchange.take() else {
                return Err(self.after_the_end());
            };
            // The server objects to what was to be the last response.
            self.exchange.set(Some(exchange));
            self.finished.set(false);
        }
        self.advance(challenge)
    }

    fn advance(&self, challenge: Option<&[u8]>) -> Result<Reply> {
        let mut exchange = self.exchange.take().ok_or(Error::new(
            Code::FAIL,
            "attempting client step without an exchange: call sasl_client_start first",
        ))?;
        self.interacting.set(false);
        let step = self.conn.known.during(|| exchange.step(self, challenge));
        if !matches!(step, Ok(ClientStep::Interact(_))) {
            self.answers.take();
        }
        match step? {
            ClientStep::Response(data) => {
                self.exchange.set(Some(exchange));
                Ok(Reply {
                    code: Code::CONTINUE,
                    data,
                    prompts: Vec::new(),
                })
            }
            ClientStep::Interact(prompts) => {
                self.exchange.set(Some(exchange));
                self.interacting.set(true);
                Ok(Reply {
                    code: Code::INTERACT,
                    data: None,
                    prompts,
                })
            }
            ClientStep::Done(done) => {
                if done.may_object {
                    self.exchange.set(Some(exchange));
                }
                self.finish(done)
            }
        }
    }

    fn finish(&self, done: Done) -> Result<Reply> {
        if self.conn.authid.borrow().is_none() || self.conn.authzid.borrow().is_none() {
            let text = "mech did not call canon_user for both authzid and authid";
            return Err(Error::new(Code::BADPROT, text));
        }
        self.finished.set(true);
        match done.layer {
            Some(negotiated) => self.conn.layer.install(negotiated),
            None => self
                .conn
                .layer
                .max_outbuf
                .set(self.conn.limits.get().max_buffer),
        }
        let silent = self.conn.flags & SUCCESS_DATA == 0;
        let data = done.final_data.or_else(|| silent.then(Vec::new));
        Ok(Reply {
            code: Code::OK,
            data,
            prompts: Vec::new(),
        })
    }
}

/// What [`Client::choose`] looks at.
enum Candidates {
    Only(ClientHandle),
    All(Arc<[ClientHandle]>),
}

impl Candidates {
    fn as_slice(&self) -> &[ClientHandle] {
        match self {
            Self::Only(one) => core::slice::from_ref(one),
            Self::All(all) => all,
        }
    }
}

/// What to tell the server about channel binding (RFC 5802 section 6).
fn disposition(
    info: &MechInfo,
    has_data: bool,
    plus: bool,
    negotiating: bool,
    critical: bool,
) -> Disposition {
    if !has_data || !info.features.contains(Features::CHANNEL_BINDING) {
        Disposition::None
    } else if plus || (!negotiating && critical) {
        Disposition::Used
    } else if negotiating {
        Disposition::Want
    } else {
        Disposition::None
    }
}

mod host;
