// SPDX-License-Identifier: MIT OR Apache-2.0
//! The client side of GSSAPI (RFC 4752 section 3.1).
#![forbid(unsafe_code)]

use super::{SOURCE, info};
use crate::ffi::{Bindings, Flags, Kind};
use crate::initiator::{Initiator, Reply, ask, authzid, range};
use crate::layer::layer;
use crate::protection::{Layers, Terms, choice, longest_packet};
use mech::{
    ClientExchange, ClientHost, ClientMech, ClientStep, Done, Features, MechInfo, PromptKind,
};
use saslplug::{Code, Error, Identity, Result, Secret};

/// The mechanism.
pub struct Client(MechInfo);

/// GSSAPI on a client.
pub static CLIENT: Client = Client(info(Features::NEEDSERVERFQDN));

impl ClientMech for Client {
    fn info(&self) -> &MechInfo {
        &self.0
    }

    fn source(&self) -> &str {
        SOURCE
    }

    fn required_prompts(&self) -> &[PromptKind] {
        &[]
    }

    fn begin(&self, host: &dyn ClientHost) -> Result<Box<dyn ClientExchange>> {
        let (_, most) = range(&host.limits());
        let mut wanted = Flags::INTEGRITY;
        if most > 1 {
            wanted = wanted.and(Flags::CONFIDENTIAL);
        }
        let mut initiator = Initiator::new(host, Kind::Krb5, wanted)?;
        initiator.bind(bindings(host));
        Ok(Box::new(Exchange {
            initiator,
            authzid: Secret::default(),
            state: State::Start,
        }))
    }
}

/// The application's channel bindings as GSS-API takes them: only those that
/// the application set are used, and then always, since a server of another
/// make does not offer -PLUS.
pub(crate) fn bindings(host: &dyn ClientHost) -> Option<Bindings> {
    let (binding, _) = host.channel_binding();
    binding.map(|binding| Bindings(binding.data))
}

enum State {
    /// Nothing was sent.
    Start,
    /// Tokens go to and fro.
    Context,
    /// The server's offer of layers is next.
    Offer,
    /// Over.
    Finished,
}

struct Exchange {
    initiator: Initiator,
    authzid: Secret,
    state: State,
}

impl ClientExchange for Exchange {
    fn step(&mut self, host: &dyn ClientHost, challenge: Option<&[u8]>) -> Result<ClientStep> {
        match core::mem::replace(&mut self.state, State::Finished) {
            State::Start => match ask(host, authzid())? {
                Reply::Ask(prompt) => {
                    self.state = State::Start;
                    Ok(ClientStep::Interact(vec![prompt]))
                }
                Reply::Given(name) => {
                    self.authzid = name;
                    self.initiate(None)
                }
            },
            State::Context => self.initiate(Some(challenge.unwrap_or_default())),
            State::Offer => self.finish(host, challenge.unwrap_or_default()),
            State::Finished => Err(Error::new(Code::FAIL, "the exchange is over")),
        }
    }
}

impl Exchange {
    fn initiate(&mut self, token: Option<&[u8]>) -> Result<ClientStep> {
        let flow = self.initiator.initiate(token)?;
        if !flow.complete {
            self.state = State::Context;
            return Ok(ClientStep::Response(Some(flow.token)));
        }
        self.state = State::Offer;
        let token = (!flow.token.is_empty()).then_some(flow.token);
        Ok(ClientStep::Response(token))
    }

    fn finish(&mut self, host: &dyn ClientHost, challenge: &[u8]) -> Result<ClientStep> {
        let limits = host.limits();
        let message = self.initiator.context().unwrap(challenge)?.plain;
        let (offer, rest) = Terms::parse(&message)?;
        if !rest.is_empty() {
            return Err(Error::new(Code::BADPROT, "token too long"));
        }
        let strength = self.initiator.strength();
        let permitted = Layers::permitted(&limits, self.initiator.flags(), strength);
        let protection = permitted.strongest(offer.layers).ok_or(Error::new(
            Code::TOOWEAK,
            "the server offers no security layer of the strength that this side demands",
        ))?;
        let layer = layer(
            self.initiator.context(),
            protection,
            strength,
            offer.longest,
        )?;
        let both = host
            .option("GSSAPI", "ad_compat")
            .is_some_and(|value| is_yes(&value));
        let mut answer = Terms {
            layers: choice(protection, offer.layers, both),
            longest: longest_packet(&limits),
        }
        .bytes()
        .to_vec();
        answer.extend_from_slice(self.authzid.as_bytes());
        let answer = self.initiator.context().wrap(&answer, false)?;
        let authid = self.initiator.authid(host)?;
        if self.authzid.is_empty() {
            host.identify(&authid, Identity::Both)?;
        } else {
            host.identify(&authid, Identity::Authid)?;
            host.identify(self.authzid.as_bytes(), Identity::Authzid)?;
        }
        Ok(ClientStep::Done(Done {
            final_data: Some(answer),
            layer,
            ..Done::default()
        }))
    }
}

/// Whether an option's value means yes, as in every option of libsasl2.
fn is_yes(value: &str) -> bool {
    matches!(value.trim().as_bytes().first(), Some(b'1' | b'y' | b't'))
        || value.trim().eq_ignore_ascii_case("on")
}

#[cfg(test)]
mod tests {
    use super::is_yes;

    #[test]
    fn yes_is_what_it_is_in_other_options() {
        for yes in ["1", "yes", "true", "on", " y"] {
            assert!(is_yes(yes), "{yes}");
        }
        for no in ["", "0", "no", "off", "false"] {
            assert!(!is_yes(no), "{no}");
        }
    }
}
