// SPDX-License-Identifier: MIT OR Apache-2.0
//! Packet framing and `maxbufsize` around a security layer (RFC 4422 section
//! 3.7): each packet has its length in four bytes before it, most significant
//! first. Without a layer the data passes through unchanged.
//!
//! A program may encode in one thread and decode in another on one connection
//! (slapd does): the layer is behind a mutex. It is the one lock that is held
//! while a plugin's code may run, namely a layer in C; such code that comes back
//! for the same layer is refused.
#![forbid(unsafe_code)]

use core::cell::{Cell, RefCell};
use core::sync::atomic::{AtomicUsize, Ordering};
use mech::{Negotiated, SecurityLayer};
use saslplug::{Code, Error, Result};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The layer of a connection, in force or not.
#[derive(Default)]
pub(crate) struct Layer {
    layer: Mutex<Option<Box<dyn SecurityLayer>>>,
    /// The thread that has the layer now, as [`me`] tells it; 0 is none.
    user: AtomicUsize,
    /// `SASL_SSF`.
    pub(crate) ssf: Cell<u32>,
    /// `SASL_MAXOUTBUF`.
    pub(crate) max_outbuf: Cell<u32>,
    in_force: Cell<bool>,
    /// Bytes of a packet that has not arrived as a whole.
    pending: RefCell<Vec<u8>>,
}

/// A number of this thread.
fn me() -> usize {
    thread_local!(static PLACE: u8 = const { 0 });
    PLACE.with(|place| core::ptr::from_ref(place).addr())
}

/// Says that nobody has the layer any more, also after a panic.
struct InUse<'a>(&'a AtomicUsize);

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

impl Layer {
    /// Puts a layer in force.
    pub(crate) fn install(&self, negotiated: Negotiated) {
        self.ssf.set(negotiated.ssf);
        self.max_outbuf.set(negotiated.max_outbuf);
        *self.lock() = Some(negotiated.layer);
        self.in_force.set(true);
        self.pending.take();
    }

    /// No layer.
    pub(crate) fn clear(&self) {
        if self.in_force.replace(false) {
            let old = self.lock().take();
            drop(old); // may run a plugin's clean-up: not under the lock
        }
        self.ssf.set(0);
        self.max_outbuf.set(0);
        self.pending.take();
    }

    /// Whether data is changed on its way.
    pub(crate) fn is_in_force(&self) -> bool {
        self.in_force.get()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Box<dyn SecurityLayer>>> {
        self.layer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// # Errors
    /// `FAIL` when this thread has the layer already.
    fn require_free(&self) -> Result<()> {
        if self.user.load(Ordering::Relaxed) == me() {
            let text = "the plugin's security layer called itself";
            return Err(Error::new(Code::FAIL, text));
        }
        Ok(())
    }

    fn with<T>(&self, work: impl FnOnce(&mut dyn SecurityLayer) -> Result<T>) -> Result<T> {
        self.require_free()?;
        let mut place = self.lock();
        self.user.store(me(), Ordering::Relaxed);
        let _in_use = InUse(&self.user);
        let mut layer = place.take().ok_or(Error::new(
            Code::FAIL,
            "the security layer failed before; close the connection",
        ))?;
        let done = work(layer.as_mut())?;
        *place = Some(layer);
        Ok(done)
    }

    /// Protects `plain`: as many packets as the peer's buffer demands.
    ///
    /// # Errors
    /// What the layer says; it is out of order from then on.
    pub(crate) fn encode(&self, plain: &[u8]) -> Result<Vec<u8>> {
        let piece = usize::try_from(self.max_outbuf.get())
            .unwrap_or(usize::MAX)
            .max(1);
        self.with(|layer| {
            let mut out = Vec::with_capacity(plain.len().saturating_add(64));
            if layer.frames_itself() {
                for part in plain.chunks(piece) {
                    layer.wrap(part, &mut out)?;
                }
                return Ok(out);
            }
            for part in plain.chunks(piece) {
                let start = out.len();
                out.extend_from_slice(&[0; 4]);
                layer.wrap(part, &mut out)?;
                let length = out.len().saturating_sub(start).saturating_sub(4);
                let length = u32::try_from(length)
                    .map_err(|_| Error::new(Code::FAIL, "packet above 4 GiB"))?;
                if let Some(head) = out.get_mut(start..start.saturating_add(4)) {
                    head.copy_from_slice(&length.to_be_bytes());
                }
            }
            Ok(out)
        })
    }

    /// Takes protected bytes as they arrive and gives the plain data of the
    /// packets that are complete.
    ///
    /// # Errors
    /// `BADPROT` for a packet above `max_packet` (refused from its header),
    /// `BADMAC` and others of the layer; it is out of order from then on.
    pub(crate) fn decode(&self, input: &[u8], max_packet: usize) -> Result<Vec<u8>> {
        self.require_free()?;
        let mut pending = self.pending.take();
        pending.extend_from_slice(input);
        let (plain, used) = self.with(|layer| {
            let mut out = Vec::new();
            if layer.frames_itself() {
                layer.unwrap(&pending, &mut out)?;
                return Ok((out, pending.len()));
            }
            let mut rest = pending.as_slice();
            while let Some((head, body)) = rest.split_first_chunk::<4>() {
                let length = usize::try_from(u32::from_be_bytes(*head)).unwrap_or(usize::MAX);
                if length > max_packet {
                    return Err(Error::new(
                        Code::BADPROT,
                        "the peer sent a security layer packet above maxbufsize",
                    ));
                }
                let Some(packet) = body.get(..length) else {
                    break;
                };
                layer.unwrap(packet, &mut out)?;
                rest = body.get(length..).unwrap_or_default();
            }
            Ok((out, pending.len().saturating_sub(rest.len())))
        })?;
        pending.drain(..used);
        self.pending.replace(pending);
        Ok(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Xor;
    impl SecurityLayer for Xor {
        fn wrap(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
            out.extend(plain.iter().map(|b| b ^ 0x55));
            Ok(())
        }
        fn unwrap(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<()> {
            if packet.is_empty() {
                return Err(Error::new(Code::BADMAC, "empty"));
            }
            self.wrap(packet, out)
        }
    }

    fn layer() -> Layer {
        let layer = Layer::default();
        layer.install(Negotiated {
            ssf: 1,
            max_outbuf: 3,
            layer: Box::new(Xor),
        });
        layer
    }

    #[test]
    fn packets_survive_every_split() {
        let sender = layer();
        let packets = sender.encode(b"hello, world").expect("encodes");
        assert_eq!(packets.len(), 12 + 4 * 4);
        for cut in 0..packets.len() {
            let receiver = layer();
            let mut plain = receiver.decode(&packets[..cut], 100).expect("first part");
            plain.extend(receiver.decode(&packets[cut..], 100).expect("rest"));
            assert_eq!(plain, b"hello, world");
        }
    }

    #[test]
    fn a_large_length_is_refused_from_its_header() {
        let error = layer().decode(&[0xff; 4], 65536).expect_err("too large");
        assert_eq!(error.code(), Code::BADPROT);
    }

    #[test]
    fn a_layer_that_calls_itself_is_refused() {
        struct Looping(std::rc::Rc<Layer>);
        impl SecurityLayer for Looping {
            fn wrap(&mut self, plain: &[u8], _: &mut Vec<u8>) -> Result<()> {
                self.0.encode(plain).map(drop)
            }
            fn unwrap(&mut self, _: &[u8], _: &mut Vec<u8>) -> Result<()> {
                Ok(())
            }
        }
        let layer = std::rc::Rc::new(Layer::default());
        layer.install(Negotiated {
            ssf: 1,
            max_outbuf: 3,
            layer: Box::new(Looping(std::rc::Rc::clone(&layer))),
        });
        let error = layer.encode(b"x").expect_err("refused");
        assert_eq!(error.code(), Code::FAIL);
        layer.clear();
    }

    #[test]
    fn after_a_bad_packet_nothing_is_accepted() {
        let receiver = layer();
        assert_eq!(
            receiver.decode(&[0; 4], 100).expect_err("bad").code(),
            Code::BADMAC
        );
        let good = layer().encode(b"x").expect("encodes");
        assert_eq!(
            receiver
                .decode(&good, 100)
                .expect_err("out of order")
                .code(),
            Code::FAIL
        );
    }
}
