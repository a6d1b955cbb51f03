// SPDX-License-Identifier: MIT OR Apache-2.0
//! GSS-SPNEGO: tokens of RFC 4178 and nothing else. The security layer follows
//! from what the context can do, and there is no name to act as.
#![forbid(unsafe_code)]

use crate::acceptor::{Acceptor, identify};
use crate::ffi::{Credentials, Flags, Kind};
use crate::gssapi::{SECURITY, SHARED, SOURCE};
use crate::initiator::{Initiator, library, range};
use crate::layer::layer;
use crate::protection::{Protection, longest_packet};
use mech::{
    ClientExchange, ClientHost, ClientMech, ClientStep, Done, Features, Limits, MechInfo,
    PromptKind, ServerExchange, ServerHost, ServerMech, Step,
};
use saslplug::{Code, Error, Identity, Result};

/// The mechanism on a server.
pub struct Server(MechInfo);

/// The mechanism on a client.
pub struct Client(MechInfo);

const fn info(side: Features) -> MechInfo {
    let features = SHARED.union(Features::SUPPORTS_HTTP).union(side);
    MechInfo::new("GSS-SPNEGO", 256, SECURITY, features)
}

/// GSS-SPNEGO on a server.
pub static SERVER: Server = Server(info(Features::DONTUSE_USERPASSWD));

/// GSS-SPNEGO on a client.
pub static CLIENT: Client = Client(info(Features::NEEDSERVERFQDN));

/// The layer that a context's flags mean. An application that takes no packets
/// has none (HTTP, where every context can do both).
fn protection(limits: &Limits, flags: Flags) -> Protection {
    if limits.max_buffer == 0 {
        Protection::None
    } else if flags.has(Flags::CONFIDENTIAL) {
        Protection::Confidentiality
    } else if flags.has(Flags::INTEGRITY) {
        Protection::Integrity
    } else {
        Protection::None
    }
}

fn strong_enough(limits: &Limits, ssf: u32) -> Result<()> {
    if ssf >= range(limits).0 {
        return Ok(());
    }
    Err(Error::new(
        Code::TOOWEAK,
        "the security layer that was negotiated is weaker than this side demands",
    ))
}

impl ServerMech for Server {
    fn info(&self) -> &MechInfo {
        &self.0
    }

    fn source(&self) -> &str {
        SOURCE
    }

    fn begin(&self, _host: &dyn ServerHost) -> Result<Box<dyn ServerExchange>> {
        Ok(Box::new(Accepting(None)))
    }
}

struct Accepting(Option<Acceptor>);

impl ServerExchange for Accepting {
    fn step(&mut self, host: &dyn ServerHost, response: Option<&[u8]>) -> Result<Step> {
        let acceptor = match &mut self.0 {
            Some(acceptor) => acceptor,
            none => none.insert(Acceptor::new(host, Kind::Spnego)?),
        };
        let bindings = crate::gssapi::bindings(host);
        let flow = acceptor.accept(bindings.as_ref(), response.unwrap_or_default())?;
        if !flow.complete {
            return Ok(Step::Challenge(flow.token));
        }
        let limits = host.limits();
        let protection = protection(&limits, acceptor.flags());
        let strength = acceptor.strength();
        strong_enough(&limits, protection.ssf(strength))?;
        let longest = longest_packet(&limits);
        let layer = layer(acceptor.context(), protection, strength, longest)?;
        let authid = acceptor.authid(host)?;
        identify(host, &authid, b"")?;
        Ok(Step::Done(Done {
            final_data: (!flow.token.is_empty()).then_some(flow.token),
            binding: crate::gssapi::bound(host, acceptor.flags()),
            layer,
        }))
    }
}

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
        let wanted = wanted(&host.limits());
        let mut initiator = Initiator::new(host, Kind::Spnego, wanted)?;
        if !wanted.has(Flags::CONFIDENTIAL) && !initiator.has_credentials() {
            // Kerberos promises both to everybody unless told not to, and the
            // server would take the promise for the layer.
            let mut credentials = Credentials::initiator(library()?, None, Kind::Spnego)?;
            credentials.only_requested_protection();
            initiator.use_credentials(credentials);
        }
        initiator.bind(crate::gssapi::client_bindings(host));
        Ok(Box::new(Initiating {
            initiator,
            begun: false,
            finished: false,
        }))
    }
}

/// The protection to ask for: the strongest that the application permits. The
/// cipher's strength is not known yet; it is 256 with any recent server.
fn wanted(limits: &Limits) -> Flags {
    let (least, most) = range(limits);
    if most == 0 || limits.max_buffer == 0 {
        Flags::default()
    } else if most >= 256 || least > 1 {
        Flags::INTEGRITY.and(Flags::CONFIDENTIAL)
    } else {
        Flags::INTEGRITY
    }
}

struct Initiating {
    initiator: Initiator,
    begun: bool,
    finished: bool,
}

impl ClientExchange for Initiating {
    fn step(&mut self, host: &dyn ClientHost, challenge: Option<&[u8]>) -> Result<ClientStep> {
        if self.finished {
            return Err(Error::new(Code::FAIL, "the exchange is over"));
        }
        let token = self.begun.then(|| challenge.unwrap_or_default());
        self.begun = true;
        let flow = self.initiator.initiate(token)?;
        if !flow.complete {
            return Ok(ClientStep::Response(Some(flow.token)));
        }
        self.finished = true;
        let limits = host.limits();
        let protection = protection(&limits, self.initiator.flags());
        let strength = self.initiator.strength();
        strong_enough(&limits, protection.ssf(strength))?;
        let longest = longest_packet(&limits);
        let layer = layer(self.initiator.context(), protection, strength, longest)?;
        let authid = self.initiator.authid(host)?;
        host.identify(&authid, Identity::Both)?;
        Ok(ClientStep::Done(Done {
            final_data: (!flow.token.is_empty()).then_some(flow.token),
            layer,
            ..Done::default()
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mech::Security;

    fn limits(min_ssf: u32, max_ssf: u32, max_buffer: u32) -> Limits {
        Limits {
            min_ssf,
            max_ssf,
            max_buffer,
            security: Security::empty(),
            external_ssf: 0,
        }
    }

    #[test]
    fn protection_is_asked_for_as_far_as_permitted() {
        let both = Flags::INTEGRITY.and(Flags::CONFIDENTIAL);
        assert_eq!(wanted(&limits(0, 256, 65536)), both);
        assert_eq!(wanted(&limits(0, 128, 65536)), Flags::INTEGRITY);
        assert_eq!(wanted(&limits(2, 128, 65536)), both);
        assert_eq!(wanted(&limits(0, 0, 65536)), Flags::default());
        assert_eq!(wanted(&limits(0, 256, 0)), Flags::default());
    }

    #[test]
    fn the_layer_follows_from_the_contexts_flags() {
        let all = limits(0, 256, 65536);
        let both = Flags::INTEGRITY.and(Flags::CONFIDENTIAL);
        assert_eq!(protection(&all, both), Protection::Confidentiality);
        assert_eq!(protection(&all, Flags::INTEGRITY), Protection::Integrity);
        assert_eq!(protection(&all, Flags::MUTUAL), Protection::None);
        assert_eq!(protection(&limits(0, 256, 0), both), Protection::None);
        let weak = strong_enough(&limits(2, 256, 0), 1).unwrap_err();
        assert_eq!(weak.code(), Code::TOOWEAK);
    }
}
