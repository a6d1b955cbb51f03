// SPDX-License-Identifier: MIT OR Apache-2.0
//! One connection to a server: messages out, messages in, one at a time.
//!
//! A connection belongs to the process that opened it: another one closes it
//! without a word.
#![forbid(unsafe_code)]

use crate::deadline::Deadline;
#[cfg(feature = "tls")]
use crate::faults::Fault;
use crate::layer::Layer;
use crate::protocol::{self, Answer, Outcome};
use crate::transport::{Socket, Transport};
use mech::Negotiated;
use std::time::Instant;
use zeroize::{Zeroize, Zeroizing};

pub(crate) use crate::transport::{Address, Broken};

/// A connection in use or in the pool.
#[derive(Debug)]
pub(crate) struct Connection {
    transport: Transport,
    pid: u32,
    incoming: Zeroizing<Vec<u8>>,
    layer: Option<Layer>,
    /// Whether a password may be sent over it.
    trusted: bool,
    /// As whom it is bound, where proxied authorization must know.
    own: Option<String>,
    last_id: i32,
    last_use: Instant,
}

impl Connection {
    /// A connection over a connected socket.
    pub(crate) fn over(socket: Socket) -> Self {
        Self {
            transport: Transport::Clear(socket),
            pid: std::process::id(),
            incoming: Zeroizing::new(Vec::new()),
            layer: None,
            trusted: false,
            own: None,
            last_id: 0,
            last_use: Instant::now(),
        }
    }

    /// Whether others on the way can read nothing.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.transport.is_encrypted()
    }

    /// TLS around it, if there is.
    #[cfg(feature = "tls")]
    pub(crate) fn tls(&self) -> Option<&crate::tls::Stream> {
        match &self.transport {
            Transport::Clear(_) => None,
            Transport::Tls(stream) => Some(stream),
        }
    }

    /// The same connection inside TLS. What came before the handshake did not
    /// come from the server that TLS will prove: then there is no connection.
    #[cfg(feature = "tls")]
    pub(crate) fn encrypted(
        self,
        handshake: impl FnOnce(Socket) -> Result<crate::tls::Stream, Fault>,
        odd: impl FnOnce(&'static str) -> Fault,
    ) -> Result<Self, Fault> {
        let socket = match self.transport {
            Transport::Clear(socket) if self.incoming.is_empty() => socket,
            Transport::Clear(_) => {
                return Err(odd(
                    "bytes came before the handshake; somebody may have put them there",
                ));
            }
            Transport::Tls(_) => return Err(odd("it has TLS already")),
        };
        Ok(Self {
            transport: Transport::Tls(Box::new(handshake(socket)?)),
            pid: self.pid,
            incoming: Zeroizing::new(Vec::new()),
            layer: None,
            trusted: false,
            own: None,
            last_id: self.last_id,
            last_use: self.last_use,
        })
    }

    /// Puts the security layer in force that a bind agreed on; tells whether it
    /// could.
    pub(crate) fn protect(&mut self, negotiated: Negotiated) -> bool {
        self.layer = Layer::new(negotiated);
        self.layer.is_some() && self.incoming.is_empty()
    }

    /// Whether a password may be sent over it.
    pub(crate) fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// The same connection, over which a password may be sent.
    pub(crate) fn trust(mut self, trusted: bool) -> Self {
        self.trusted = trusted;
        self
    }

    /// As whom it is bound: what Who Am I said.
    pub(crate) fn own(&self) -> Option<&str> {
        self.own.as_deref()
    }

    pub(crate) fn set_own(&mut self, own: String) {
        self.own = Some(own);
    }

    /// Sends an extended request; any result code is an answer.
    pub(crate) fn extended(
        &mut self,
        oid: &str,
        proxied: Option<&str>,
        deadline: Deadline,
    ) -> Result<(Outcome, Option<Vec<u8>>), Broken> {
        let id = self.next_id();
        self.send(&protocol::extended(id, oid, proxied), deadline)?;
        match self.receive(id, deadline)? {
            Answer::Extended(outcome, value) => Ok((outcome, value)),
            _ => Err(Broken::Malformed(
                "it answered an extended request with something else",
            )),
        }
    }

    /// Whether this process opened it.
    pub(crate) fn is_ours(&self) -> bool {
        self.pid == std::process::id()
    }

    /// When it was last used.
    pub(crate) fn last_use(&self) -> Instant {
        self.last_use
    }

    /// Whether it can be used again: nothing has come that nobody asked for.
    /// The end of the connection would have.
    pub(crate) fn is_quiet(&self) -> bool {
        let layer = self.layer.as_ref().is_none_or(Layer::is_quiet);
        layer && self.incoming.is_empty() && self.transport.is_quiet()
    }

    /// The id for the next request.
    pub(crate) fn next_id(&mut self) -> i32 {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        self.last_id
    }

    /// Sends a whole message.
    pub(crate) fn send(&mut self, message: &[u8], deadline: Deadline) -> Result<(), Broken> {
        self.last_use = Instant::now();
        let packets = match &mut self.layer {
            Some(layer) => Some(layer.protect(message).map_err(Broken::Malformed)?),
            None => None,
        };
        let mut rest = packets.as_deref().unwrap_or(message);
        while !rest.is_empty() {
            let sent = self.transport.send(rest, deadline)?;
            rest = rest.get(sent..).unwrap_or_default();
        }
        Ok(())
    }

    /// The next answer to request `id`.
    pub(crate) fn receive(&mut self, id: i32, deadline: Deadline) -> Result<Answer, Broken> {
        let (answered, answer) = self.message(deadline)?;
        match answer {
            Answer::Extended(outcome, _) if answered == 0 => Err(Broken::Closed(format!(
                "it said it will disconnect ({} {} \"{}\")",
                outcome.code,
                protocol::code_name(outcome.code),
                outcome.message
            ))),
            answer if answered == id => Ok(answer),
            _ => Err(Broken::Malformed(
                "it answered with the id of another request",
            )),
        }
    }

    /// One whole message.
    fn message(&mut self, deadline: Deadline) -> Result<(i32, Answer), Broken> {
        loop {
            if let Some(length) = protocol::frame(&self.incoming).map_err(Broken::Malformed)? {
                if let Some(message) = self.incoming.get(..length) {
                    let decoded = protocol::decode(message).map_err(Broken::Malformed);
                    self.consume(length);
                    return decoded;
                }
            }
            self.fill(deadline)?;
        }
    }

    /// Reads what is there, or waits for it.
    fn fill(&mut self, deadline: Deadline) -> Result<(), Broken> {
        let mut chunk = Zeroizing::new([0_u8; 4096]);
        let count = self.transport.receive(&mut *chunk, deadline)?;
        if count == 0 {
            return Err(Broken::Closed("it closed the connection".to_owned()));
        }
        let bytes = chunk.get(..count).unwrap_or_default();
        match &mut self.layer {
            Some(layer) => {
                let plain = layer.open(bytes).map_err(Broken::Malformed)?;
                self.append(&plain);
            }
            None => self.append(bytes),
        }
        // A server that drips bytes does not make the clock stop.
        deadline.left().map(|_| ()).ok_or(Broken::TimedOut)
    }

    /// Appends without leaving an unwiped copy behind when memory moves.
    fn append(&mut self, bytes: &[u8]) {
        let needed = self.incoming.len() + bytes.len();
        if needed > self.incoming.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.next_power_of_two()));
            larger.extend_from_slice(&self.incoming);
            self.incoming = larger;
        }
        self.incoming.extend_from_slice(bytes);
    }

    fn consume(&mut self, length: usize) {
        let length = length.min(self.incoming.len());
        let rest = self.incoming.len() - length;
        self.incoming.rotate_left(length);
        if let Some(old) = self.incoming.get_mut(rest..) {
            old.zeroize();
        }
        self.incoming.truncate(rest);
    }

    /// Says goodbye, unless another process owns the connection, and closes.
    pub(crate) fn close(mut self) {
        if self.is_ours() {
            let message = protocol::unbind(self.next_id());
            let packets = self.layer.as_mut().map(|layer| layer.protect(&message));
            match packets {
                Some(Ok(packets)) => self.transport.try_send(&packets),
                Some(Err(_)) => {}
                None => self.transport.try_send(&message),
            }
        }
    }
}
