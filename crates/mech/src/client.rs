// SPDX-License-Identifier: MIT OR Apache-2.0
//! The client side of a mechanism, and what it may ask the core.
#![forbid(unsafe_code)]

use crate::{ChannelBinding, Disposition, Done, HttpRequest, Limits, MechInfo};
use saslplug::{Host, Identity, Result, Secret};
use std::borrow::Cow;

/// What is asked of the user (`SASL_CB_*` of `sasl.h`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PromptKind {
    /// `SASL_CB_USER`: the name to act as (authzid).
    User,
    /// `SASL_CB_AUTHNAME`: the name to log in with (authid).
    AuthName,
    /// `SASL_CB_PASS`: the password.
    Pass,
    /// `SASL_CB_GETREALM`: one of the realms in [`Prompt::choices`].
    Realm,
    /// `SASL_CB_ECHOPROMPT`: anything, shown while typed.
    Echo,
    /// `SASL_CB_NOECHOPROMPT`: anything, hidden while typed.
    NoEcho,
}

/// A question for the user. `&'static str` where the text is the library's.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// What is asked.
    pub kind: PromptKind,
    /// Text from the server, if the question has one.
    pub challenge: Option<Cow<'static, str>>,
    /// Text to show.
    pub text: Cow<'static, str>,
    /// Proposal, if any.
    pub default: Option<Cow<'static, str>>,
    /// [`PromptKind::Realm`]: the realms the server offered.
    pub choices: Vec<String>,
}

impl Prompt {
    /// A question without challenge, proposal or choices.
    pub fn new(kind: PromptKind, text: &'static str) -> Self {
        Self {
            kind,
            challenge: None,
            text: Cow::Borrowed(text),
            default: None,
            choices: Vec::new(),
        }
    }
}

/// What the application said to a [`Prompt`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The value (names too travel as [`Secret`]: one type, wiped).
    Given(Secret),
    /// Callback or user were asked and left the result NULL.
    Null,
    /// There is nobody to ask: neither a callback nor interaction.
    Nobody,
    /// Ask the user: put the prompt into [`ClientStep::Interact`].
    Interact,
}

/// What a client mechanism may ask, beside what every plugin may.
pub trait ClientHost: Host {
    /// The server's name, if the application gave one.
    fn server_fqdn(&self) -> Option<String>;
    /// This host's name.
    fn client_fqdn(&self) -> String;
    /// What the application allows.
    fn limits(&self) -> Limits;
    /// The identity of TLS or the operating system (`SASL_AUTH_EXTERNAL`).
    fn external_id(&self) -> Option<Vec<u8>>;
    /// Asks the application: an answer that it gave to an earlier
    /// [`ClientStep::Interact`], else its callback, else [`Answer::Interact`],
    /// else [`Answer::Nobody`]. A name that is optional and that nobody gives is
    /// no fault, so this is no error; a callback that fails is.
    ///
    /// # Errors
    /// What the callback says (`FAIL`, `BADPARAM`, …).
    fn ask(&self, prompt: &Prompt) -> Result<Answer>;
    /// Canonicalises `name` and stores it as authid and/or authzid.
    ///
    /// # Errors
    /// What the canonicaliser says.
    fn identify(&self, name: &[u8], identity: Identity) -> Result<()>;
    /// The canonical authid, once [`ClientHost::identify`] stored it.
    fn authid(&self) -> Option<Vec<u8>>;
    /// The canonical authzid, once stored.
    fn authzid(&self) -> Option<Vec<u8>>;
    /// Shows the canonical authid and authzid, empty where there is none, to
    /// `work`, which must not call the host.
    fn with_names(&self, work: &mut dyn FnMut(&[u8], &[u8])) {
        let (authid, authzid) = (self.authid(), self.authzid());
        work(&authid.unwrap_or_default(), &authzid.unwrap_or_default());
    }
    /// The HTTP request, where the connection works inside HTTP
    /// (`SASL_NEED_HTTP`).
    ///
    /// # Errors
    /// `NOTDONE` when the application has set none yet.
    fn http_request(&self) -> Result<Option<HttpRequest>> {
        Ok(None)
    }
    /// The application's channel binding and what selection decided about it.
    fn channel_binding(&self) -> (Option<ChannelBinding>, Disposition);
    /// Fills `out` with bytes that nobody can predict.
    ///
    /// # Errors
    /// `FAIL` when the operating system gives none.
    fn fill_random(&self, out: &mut [u8]) -> Result<()>;
}

/// A client mechanism.
pub trait ClientMech: Send + Sync {
    /// Its line in the table.
    fn info(&self) -> &MechInfo;

    /// The plugin that brings it, as [`crate::ServerMech::source`].
    fn source(&self) -> &str {
        crate::stock_plugin(&self.info().name)
    }

    /// The prompts without which it cannot work; selection passes it over when
    /// the application can answer neither by callback nor by interaction.
    fn required_prompts(&self) -> &[PromptKind] {
        &[PromptKind::AuthName, PromptKind::Pass]
    }

    /// Starts an exchange.
    ///
    /// # Errors
    /// `NOMECH` and others: selection goes on with the next mechanism.
    fn begin(&self, host: &dyn ClientHost) -> Result<Box<dyn ClientExchange>>;
}

/// One run of a client mechanism.
pub trait ClientExchange {
    /// Takes the server's challenge (`None` at the start) and answers.
    ///
    /// # Errors
    /// The exchange is over. `BADPROT`, `BADSERV`, …
    fn step(&mut self, host: &dyn ClientHost, challenge: Option<&[u8]>) -> Result<ClientStep>;
}

/// What a client exchange wants next.
pub enum ClientStep {
    /// Send this and come back with the next challenge. `None`: nothing to send
    /// (no initial response).
    Response(Option<Vec<u8>>),
    /// Ask the user, then call again with the same challenge; the exchange's
    /// state has not moved.
    Interact(Vec<Prompt>),
    /// Finished; [`Done::final_data`] is the last response.
    Done(Done),
}
