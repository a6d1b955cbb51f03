// SPDX-License-Identifier: MIT OR Apache-2.0
//! The server side of GS2 (RFC 5801 sections 5 and 10).
#![forbid(unsafe_code)]

use super::header::Header;
use super::{SOURCE, info, token};
use crate::acceptor::{Acceptor, identify};
use crate::ffi::{Bindings, Flags, Kind};
use mech::{
    Binding, Disposition, Done, Features, MechInfo, ServerExchange, ServerHost, ServerMech, Step,
};
use saslplug::{Code, Error, Result};

/// A mechanism of the family.
pub struct Server {
    info: MechInfo,
    kind: Kind,
}

const fn server(kind: Kind) -> Server {
    Server {
        info: info(kind, Features::empty()),
        kind,
    }
}

/// GS2-KRB5 on a server.
pub static KRB5_SERVER: Server = server(Kind::Krb5);

/// GS2-IAKERB on a server.
pub static IAKERB_SERVER: Server = server(Kind::Iakerb);

impl ServerMech for Server {
    fn info(&self) -> &MechInfo {
        &self.info
    }

    fn source(&self) -> &str {
        SOURCE
    }

    fn begin(&self, _host: &dyn ServerHost) -> Result<Box<dyn ServerExchange>> {
        Ok(Box::new(Exchange {
            kind: self.kind,
            running: None,
        }))
    }
}

struct Running {
    acceptor: Acceptor,
    header: Header,
    bindings: Bindings,
}

struct Exchange {
    kind: Kind,
    running: Option<Running>,
}

impl ServerExchange for Exchange {
    fn step(&mut self, host: &dyn ServerHost, response: Option<&[u8]>) -> Result<Step> {
        let input = response.unwrap_or_default();
        let (mut running, token) = match self.running.take() {
            Some(running) => (running, input.to_vec()),
            None => self.start(host, input)?,
        };
        let flow = running.acceptor.accept(Some(&running.bindings), &token)?;
        if !flow.complete {
            self.running = Some(running);
            return Ok(Step::Challenge(flow.token));
        }
        // Without this nobody would have signed the header.
        if !running.acceptor.flags().has(Flags::CHANNEL_BOUND) {
            return Err(Error::new(
                Code::BADBINDING,
                "the client's Kerberos did not sign the GS2 header",
            ));
        }
        let authid = running.acceptor.authid(host)?;
        identify(host, &authid, &running.header.authzid)?;
        let binding = Binding {
            name: running.header.binding.clone(),
            disposition: running.header.disposition,
        };
        // Names and credentials were shown: they live on in the exchange.
        self.running = Some(running);
        Ok(Step::Done(Done {
            final_data: (!flow.token.is_empty()).then_some(flow.token),
            binding,
            layer: None,
        }))
    }
}

impl Exchange {
    fn start(&self, host: &dyn ServerHost, input: &[u8]) -> Result<(Running, Vec<u8>)> {
        let (header, inner) = Header::parse(input)?;
        let token = if header.bare {
            inner.to_vec()
        } else {
            token::framed(inner, self.kind.der())?
        };
        let mut bindings = header.bound();
        bindings.extend_from_slice(&data(host, &header)?);
        let running = Running {
            acceptor: Acceptor::new(host, self.kind)?,
            header,
            bindings: Bindings(bindings),
        };
        Ok((running, token))
    }
}

/// The channel's data for the type that the client names.
fn data(host: &dyn ServerHost, header: &Header) -> Result<Vec<u8>> {
    let bindings = host.channel_bindings();
    let Some(name) = &header.binding else {
        if header.disposition == Disposition::Want && !bindings.is_empty() {
            return Err(Error::new(
                Code::BADAUTH,
                "client incorrectly assumed server had no channel binding",
            ));
        }
        return Ok(Vec::new());
    };
    let mut bindings = bindings.into_iter();
    bindings
        .find(|binding| binding.name == *name)
        .map(|binding| binding.data)
        .ok_or(Error::with(
            Code::BADBINDING,
            format!("the client binds to {name}, which this server has not"),
        ))
}
