// SPDX-License-Identifier: MIT OR Apache-2.0
//! The server side of GSSAPI (RFC 4752 section 3.2).
#![forbid(unsafe_code)]

use super::{SOURCE, info};
use crate::acceptor::{Acceptor, identify};
use crate::ffi::{Bindings, Flags, Kind};
use crate::layer::layer;
use crate::protection::{Layers, Terms, chosen, longest_packet};
use mech::{
    Binding, Disposition, Done, Features, MechInfo, ServerExchange, ServerHost, ServerMech, Step,
};
use saslplug::{Code, Error, Result};

/// The mechanism.
pub struct Server(MechInfo);

/// GSSAPI on a server.
pub static SERVER: Server = Server(info(Features::DONTUSE_USERPASSWD));

impl ServerMech for Server {
    fn info(&self) -> &MechInfo {
        &self.0
    }

    fn source(&self) -> &str {
        SOURCE
    }

    fn begin(&self, _host: &dyn ServerHost) -> Result<Box<dyn ServerExchange>> {
        Ok(Box::new(Exchange {
            acceptor: None,
            state: State::Context,
        }))
    }
}

enum State {
    /// Tokens go to and fro.
    Context,
    /// The last token was sent; the client has nothing to say to it.
    Quiet,
    /// These layers were offered.
    Offered(Layers),
    /// Over.
    Finished,
}

struct Exchange {
    acceptor: Option<Acceptor>,
    state: State,
}

/// The application's channel bindings as GSS-API takes them. Kerberos accepts
/// clients without any; whether it must not is the application's word.
pub(crate) fn bindings(host: &dyn ServerHost) -> Option<Bindings> {
    let binding = host.channel_bindings().into_iter().next()?;
    Some(Bindings(binding.data))
}

/// What the client bound to, as the core wants it told.
pub(crate) fn bound(host: &dyn ServerHost, flags: Flags) -> Binding {
    let binding = host.channel_bindings().into_iter().next();
    match binding.filter(|_| flags.has(Flags::CHANNEL_BOUND)) {
        Some(binding) => Binding {
            name: Some(binding.name),
            disposition: Disposition::Used,
        },
        None => Binding::default(),
    }
}

impl ServerExchange for Exchange {
    fn step(&mut self, host: &dyn ServerHost, response: Option<&[u8]>) -> Result<Step> {
        let input = response.unwrap_or_default();
        match core::mem::replace(&mut self.state, State::Finished) {
            State::Context => self.accept(host, input),
            State::Quiet if input.is_empty() => self.offer(host),
            State::Quiet => Err(Error::new(
                Code::BADPROT,
                "GSSAPI server is not expecting data at this stage",
            )),
            State::Offered(layers) => self.finish(host, layers, input),
            State::Finished => Err(Error::new(Code::FAIL, "the exchange is over")),
        }
    }
}

impl Exchange {
    fn acceptor(&mut self, host: &dyn ServerHost) -> Result<&mut Acceptor> {
        match &mut self.acceptor {
            Some(acceptor) => Ok(acceptor),
            none => Ok(none.insert(Acceptor::new(host, Kind::Krb5)?)),
        }
    }

    fn accept(&mut self, host: &dyn ServerHost, token: &[u8]) -> Result<Step> {
        let flow = self
            .acceptor(host)?
            .accept(bindings(host).as_ref(), token)?;
        if !flow.complete {
            self.state = State::Context;
            return Ok(Step::Challenge(flow.token));
        }
        if flow.token.is_empty() {
            return self.offer(host);
        }
        self.state = State::Quiet;
        Ok(Step::Challenge(flow.token))
    }

    fn offer(&mut self, host: &dyn ServerHost) -> Result<Step> {
        let limits = host.limits();
        let acceptor = self.acceptor(host)?;
        let layers = Layers::permitted(&limits, acceptor.flags(), acceptor.strength());
        if layers == Layers::default() {
            return Err(Error::new(
                Code::TOOWEAK,
                "GSSAPI needs a security layer but one is forbidden",
            ));
        }
        let terms = Terms {
            layers,
            longest: longest_packet(&limits),
        };
        let message = acceptor.context().wrap(&terms.bytes(), false)?;
        self.state = State::Offered(layers);
        Ok(Step::Challenge(message))
    }

    fn finish(&mut self, host: &dyn ServerHost, offered: Layers, input: &[u8]) -> Result<Step> {
        let acceptor = self.acceptor(host)?;
        let message = acceptor.context().unwrap(input)?.plain;
        let (terms, authzid) = Terms::parse(&message)?;
        let protection = chosen(offered, terms.layers)?;
        let strength = acceptor.strength();
        let layer = layer(acceptor.context(), protection, strength, terms.longest)?;
        let authid = acceptor.authid(host)?;
        let binding = bound(host, acceptor.flags());
        identify(host, &authid, authzid)?;
        Ok(Step::Done(Done {
            final_data: None,
            binding,
            layer,
        }))
    }
}
