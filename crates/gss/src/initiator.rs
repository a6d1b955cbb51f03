// SPDX-License-Identifier: MIT OR Apache-2.0
//! The client's part that all mechanisms share: whom to talk to, the tokens,
//! who we are.
#![forbid(unsafe_code)]

use crate::acceptor;
use crate::ffi::{self, Bindings, Context, Credentials, Flags, Flow, Kind, Library, Name};
use mech::{Answer, ClientHost, Limits, Prompt, PromptKind, Security, Ssf};
use saslplug::{Code, Error, GssObjects, Handle, Result, Secret};
use std::rc::Rc;

/// The initiating side of a context.
pub(crate) struct Initiator {
    context: Rc<Context>,
    target: Name,
    credentials: Option<Credentials>,
    wanted: Flags,
    bindings: Option<Bindings>,
    names: Option<(Name, Name)>,
}

/// What every context is asked for.
const ALWAYS: Flags = Flags::MUTUAL.and(Flags::SEQUENCE).and(Flags::REPLAY);

impl Initiator {
    /// One that talks to the host's service.
    ///
    /// # Errors
    /// `NOMECH` without the library, `BADPARAM` without the server's name.
    pub(crate) fn new(host: &dyn ClientHost, kind: Kind, wanted: Flags) -> Result<Self> {
        let library = ffi::required()?;
        let fqdn = host.server_fqdn().filter(|fqdn| !fqdn.is_empty());
        let fqdn = fqdn.ok_or(Error::new(
            Code::BADPARAM,
            "GSSAPI Failure: no serverFQDN: pass it to sasl_client_new",
        ))?;
        let handed_over = match host.limits().security.contains(Security::PASS_CREDENTIALS) {
            true => Flags::DELEGATE,
            false => Flags::default(),
        };
        Ok(Self {
            context: Rc::new(Context::new(library, kind)),
            target: Name::service(library, &host.service(), &fqdn)?,
            credentials: Credentials::lent(library, host.gss_credentials()),
            wanted: ALWAYS.and(wanted).and(handed_over),
            bindings: None,
            names: None,
        })
    }

    /// Whether the application gave credentials.
    pub(crate) fn has_credentials(&self) -> bool {
        self.credentials.is_some()
    }

    /// Uses these credentials.
    pub(crate) fn use_credentials(&mut self, credentials: Credentials) {
        self.credentials = Some(credentials);
    }

    /// Ties the context to these.
    pub(crate) fn bind(&mut self, bindings: Option<Bindings>) {
        self.bindings = bindings;
    }

    /// Takes a token (none at the start) and answers.
    ///
    /// # Errors
    /// `FAIL`, `BADPROT` with the library's words; `BADAUTH` for a server that
    /// did not prove itself.
    pub(crate) fn initiate(&mut self, token: Option<&[u8]>) -> Result<Flow> {
        let context = Rc::get_mut(&mut self.context).ok_or(Code::FAIL)?;
        let flow = context.initiate(
            self.credentials.as_ref(),
            &self.target,
            self.wanted,
            self.bindings.as_ref(),
            token,
        )?;
        if flow.complete && !context.flags().has(Flags::MUTUAL) {
            return Err(Error::new(
                Code::BADSERV,
                "the server did not prove who it is",
            ));
        }
        Ok(flow)
    }

    /// The context, once it is complete.
    pub(crate) fn context(&self) -> &Rc<Context> {
        &self.context
    }

    /// What the context does.
    pub(crate) fn flags(&self) -> Flags {
        self.context.flags()
    }

    /// The strength of encryption.
    pub(crate) fn strength(&self) -> Ssf {
        acceptor::strength(&self.context)
    }

    /// Who we are: the principal. Names are shown to the host.
    ///
    /// # Errors
    /// `FAIL` with the library's words.
    pub(crate) fn authid(&mut self, host: &dyn ClientHost) -> Result<Vec<u8>> {
        let (client, server) = self.context.names()?;
        let principal = client.display()?;
        host.show_gss(&GssObjects {
            peer: server.handle(),
            local: client.handle(),
            delegated: Handle::NONE,
        });
        self.names = Some((client, server));
        Ok(principal)
    }
}

/// The library behind an exchange.
pub(crate) fn library() -> Result<&'static Library> {
    ffi::required()
}

/// The least and the most that the layer's strength may be.
pub(crate) fn range(limits: &Limits) -> (Ssf, Ssf) {
    (
        limits.min_ssf.saturating_sub(limits.external_ssf),
        limits.max_ssf.saturating_sub(limits.external_ssf),
    )
}

/// A question whose answer nobody needs give.
pub(crate) enum Reply {
    /// The answer; empty when there is none.
    Given(Secret),
    /// The application must show the prompt first.
    Ask(Prompt),
}

impl Reply {
    /// The prompt to show.
    pub(crate) fn prompt(self) -> Option<Prompt> {
        match self {
            Self::Ask(prompt) => Some(prompt),
            Self::Given(_) => None,
        }
    }
}

/// Asks, and takes no answer for an empty one.
///
/// # Errors
/// What the application's callback says.
pub(crate) fn ask(host: &dyn ClientHost, prompt: Prompt) -> Result<Reply> {
    Ok(match host.ask(&prompt)? {
        Answer::Given(value) => Reply::Given(value),
        Answer::Interact => Reply::Ask(prompt),
        Answer::Null | Answer::Nobody => Reply::Given(Secret::default()),
    })
}

fn prompt(kind: PromptKind, challenge: &'static str, text: &'static str) -> Prompt {
    Prompt {
        challenge: Some(challenge.into()),
        ..Prompt::new(kind, text)
    }
}

/// Asks for the name to act as.
pub(crate) fn authzid() -> Prompt {
    prompt(
        PromptKind::User,
        "Authorization Name",
        "Please enter your authorization name",
    )
}

/// Asks for the name to log in with.
pub(crate) fn authname() -> Prompt {
    prompt(
        PromptKind::AuthName,
        "Authentication Name",
        "Please enter your authentication name",
    )
}

/// Asks for the password.
pub(crate) fn password() -> Prompt {
    prompt(PromptKind::Pass, "Password", "Please enter your password")
}
