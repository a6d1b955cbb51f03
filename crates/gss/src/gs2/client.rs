// SPDX-License-Identifier: MIT OR Apache-2.0
//! The client side of GS2 (RFC 5801 sections 5 and 10). The user's ticket
//! speaks for the user; without one, a password fetches it.
#![forbid(unsafe_code)]

use super::header::Header;
use super::{SOURCE, info, token};
use crate::ffi::{Bindings, Credentials, Flags, Kind, Name};
use crate::initiator::{Initiator, Reply, ask, authname, authzid, library, password};
use mech::{
    ClientExchange, ClientHost, ClientMech, ClientStep, Disposition, Done, Features, MechInfo,
    Prompt, PromptKind,
};
use saslplug::{Code, Error, Identity, Result, Secret};

/// A mechanism of the family.
pub struct Client {
    info: MechInfo,
    kind: Kind,
}

const fn client(kind: Kind) -> Client {
    Client {
        info: info(kind, Features::NEEDSERVERFQDN),
        kind,
    }
}

/// GS2-KRB5 on a client.
pub static KRB5_CLIENT: Client = client(Kind::Krb5);

/// GS2-IAKERB on a client.
pub static IAKERB_CLIENT: Client = client(Kind::Iakerb);

impl ClientMech for Client {
    fn info(&self) -> &MechInfo {
        &self.info
    }

    fn source(&self) -> &str {
        SOURCE
    }

    fn required_prompts(&self) -> &[PromptKind] {
        &[]
    }

    fn begin(&self, host: &dyn ClientHost) -> Result<Box<dyn ClientExchange>> {
        Ok(Box::new(Exchange {
            kind: self.kind,
            initiator: Initiator::new(host, self.kind, Flags::INTEGRITY)?,
            header: header(host)?,
            state: State::Start,
        }))
    }
}

/// What is said about channel binding.
fn header(host: &dyn ClientHost) -> Result<Header> {
    let (binding, disposition) = host.channel_binding();
    let binding = match (disposition, binding) {
        (Disposition::Used, Some(binding)) => Some(binding.name),
        (Disposition::Used, None) => {
            return Err(Error::new(
                Code::BADPARAM,
                "channel binding is demanded, but the application set none",
            ));
        }
        _ => None,
    };
    Ok(Header {
        bare: false,
        disposition,
        binding,
        authzid: Vec::new(),
    })
}

enum State {
    Start,
    Tokens,
    Finished,
}

struct Exchange {
    kind: Kind,
    initiator: Initiator,
    header: Header,
    state: State,
}

/// What the user said, or what the user must be asked.
enum Prepared {
    Ready,
    Ask(Vec<Prompt>),
}

impl ClientExchange for Exchange {
    fn step(&mut self, host: &dyn ClientHost, challenge: Option<&[u8]>) -> Result<ClientStep> {
        match core::mem::replace(&mut self.state, State::Finished) {
            State::Start => match self.prepare(host)? {
                Prepared::Ask(prompts) => {
                    self.state = State::Start;
                    Ok(ClientStep::Interact(prompts))
                }
                Prepared::Ready => self.start(host),
            },
            State::Tokens => {
                let flow = self
                    .initiator
                    .initiate(Some(challenge.unwrap_or_default()))?;
                self.go_on(host, flow.complete, flow.token)
            }
            State::Finished => Err(Error::new(Code::FAIL, "the exchange is over")),
        }
    }
}

impl Exchange {
    /// Names and credentials.
    fn prepare(&mut self, host: &dyn ClientHost) -> Result<Prepared> {
        let (name, authzid) = match (ask(host, authname())?, ask(host, authzid())?) {
            (Reply::Given(name), Reply::Given(authzid)) => (name, authzid),
            (name, authzid) => {
                let prompts = [authzid, name].into_iter().filter_map(Reply::prompt);
                return Ok(Prepared::Ask(prompts.collect()));
            }
        };
        self.header.authzid = authzid.as_bytes().to_vec();
        if self.initiator.has_credentials() {
            return Ok(Prepared::Ready);
        }
        let library = library()?;
        let user = match name.as_bytes() {
            [] => None,
            name => Some(Name::user(library, name)?),
        };
        let ticket = match Credentials::initiator(library, user.as_ref(), self.kind) {
            Ok(ticket) => {
                self.initiator.use_credentials(ticket);
                return Ok(Prepared::Ready);
            }
            Err(error) => error,
        };
        // No ticket: a password gets one, if there is a name to get it for.
        let Some(user) = user else {
            return Err(ticket);
        };
        let secret: Secret = match ask(host, password())? {
            Reply::Ask(prompt) => return Ok(Prepared::Ask(vec![prompt])),
            Reply::Given(secret) if secret.is_empty() => return Err(ticket),
            Reply::Given(secret) => secret,
        };
        let credentials = Credentials::with_password(library, &user, &secret, self.kind)?;
        self.initiator.use_credentials(credentials);
        Ok(Prepared::Ready)
    }

    fn start(&mut self, host: &dyn ClientHost) -> Result<ClientStep> {
        let mut bindings = self.header.bound();
        if let (Some(binding), Disposition::Used) = host.channel_binding() {
            bindings.extend_from_slice(&binding.data);
        }
        self.initiator.bind(Some(Bindings(bindings)));
        let flow = self.initiator.initiate(None)?;
        let inner = token::unframed(&flow.token, self.kind.der());
        self.header.bare = inner.is_none();
        let mut message = self.header.bytes();
        message.extend_from_slice(inner.unwrap_or(&flow.token));
        self.go_on(host, flow.complete, message)
    }

    fn go_on(
        &mut self,
        host: &dyn ClientHost,
        complete: bool,
        message: Vec<u8>,
    ) -> Result<ClientStep> {
        if !complete {
            self.state = State::Tokens;
            return Ok(ClientStep::Response(Some(message)));
        }
        let authid = self.initiator.authid(host)?;
        if self.header.authzid.is_empty() {
            host.identify(&authid, Identity::Both)?;
        } else {
            host.identify(&authid, Identity::Authid)?;
            host.identify(&self.header.authzid, Identity::Authzid)?;
        }
        Ok(ClientStep::Done(Done {
            final_data: (!message.is_empty()).then_some(message),
            ..Done::default()
        }))
    }
}
