// SPDX-License-Identifier: MIT OR Apache-2.0
//! The security layer as `saslplug.h` wants it: the plugin itself puts the
//! four-byte length before each packet and takes packets apart as they arrive.
//!
//! Libraries call encode and decode with the mechanism's context, not with the
//! context in `sasl_out_params_t`; so a [`Flow`] is the first field of both
//! sides' contexts. A program may encode in one thread while it decodes in
//! another (slapd does): each direction has a buffer of its own.
#![allow(unsafe_code, reason = "the edge of a plugin: C calls in")]

use core::ffi::{c_char, c_int, c_uint, c_void};
use mech::{Negotiated, SecurityLayer};
use saslplug::export::guard;
use saslplug::raw::sasl_out_params_t;
use saslplug::{Code, Error, Result};
use std::sync::{Mutex, PoisonError};

/// Packets may be this much longer than the size that we told the peer: some
/// count the plain data only.
const ALLOWANCE: usize = 1024;

/// No packet is longer: the length has three bytes in every mechanism's offer.
const LONGEST: usize = 0x00ff_ffff;

#[derive(Default)]
struct Inbound {
    pending: Vec<u8>,
    plain: Vec<u8>,
}

/// Data on its way through the security layer.
#[derive(Default)]
pub(crate) struct Flow {
    layer: Mutex<Option<Box<dyn SecurityLayer>>>,
    encoded: Mutex<Vec<u8>>,
    inbound: Mutex<Inbound>,
    piece: usize,
    longest: usize,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Flow {
    /// Puts a layer in force and tells the library of it.
    pub(crate) fn install(
        &mut self,
        negotiated: Negotiated,
        max_buffer: u32,
        context: *mut c_void,
        results: &mut sasl_out_params_t,
    ) {
        self.piece = (negotiated.max_outbuf as usize).max(1);
        self.longest = (max_buffer as usize).min(LONGEST).saturating_add(ALLOWANCE);
        results.mech_ssf = negotiated.ssf;
        results.maxoutbuf = negotiated.max_outbuf;
        results.encode_context = context;
        results.encode = Some(encode);
        results.decode_context = context;
        results.decode = Some(decode);
        self.layer = Mutex::new(Some(negotiated.layer));
    }

    fn with<T>(&self, work: impl FnOnce(&mut dyn SecurityLayer) -> Result<T>) -> Result<T> {
        let mut slot = locked(&self.layer);
        let mut layer = slot.take().ok_or(Error::new(
            Code::FAIL,
            "the security layer failed before; close the connection",
        ))?;
        let done = work(layer.as_mut())?;
        *slot = Some(layer);
        Ok(done)
    }

    fn wrap(&self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        for piece in plain.chunks(self.piece.max(1)) {
            let start = out.len();
            out.extend_from_slice(&[0; 4]);
            self.with(|layer| layer.wrap(piece, out))?;
            let packet = out.len().saturating_sub(start).saturating_sub(4);
            let packet = u32::try_from(packet).map_err(|_| Code::BUFOVER)?;
            if let Some(head) = out.get_mut(start..).and_then(|out| out.first_chunk_mut()) {
                *head = packet.to_be_bytes();
            }
        }
        Ok(())
    }

    fn unwrap(&self, input: &[u8], inbound: &mut Inbound) -> Result<()> {
        inbound.plain.clear();
        inbound.pending.extend_from_slice(input);
        let mut used = 0usize;
        while let Some((head, body)) = inbound
            .pending
            .get(used..)
            .and_then(|rest| rest.split_first_chunk::<4>())
        {
            let packet = u32::from_be_bytes(*head) as usize;
            if packet > self.longest {
                // Nothing may follow: the stream has lost its frame.
                locked(&self.layer).take();
                inbound.pending.clear();
                return Err(Error::new(
                    Code::BADPROT,
                    "the peer sent a security layer packet above maxbufsize",
                ));
            }
            let Some(body) = body.get(..packet) else {
                break;
            };
            self.with(|layer| layer.unwrap(body, &mut inbound.plain))?;
            used = used.saturating_add(4).saturating_add(packet);
        }
        inbound.pending.drain(..used);
        Ok(())
    }
}

unsafe extern "C" fn encode(
    context: *mut c_void,
    pieces: *const libc::iovec,
    count: c_uint,
    output: *mut *const c_char,
    len: *mut c_uint,
) -> c_int {
    // SAFETY: saslplug.h: the mechanism's context, whose first field this is.
    let Some(flow) = (unsafe { context.cast::<Flow>().as_ref() }) else {
        return Code::BADPARAM.0;
    };
    if output.is_null() || len.is_null() || pieces.is_null() {
        return Code::BADPARAM.0;
    }
    answer(output, len, || {
        let mut plain = Vec::new();
        for at in 0..count as usize {
            // SAFETY: saslplug.h: `count` pieces, each covers its length.
            let piece = unsafe {
                let piece = &*pieces.add(at);
                let size = c_uint::try_from(piece.iov_len).map_err(|_| Code::BUFOVER)?;
                crate::bytes(piece.iov_base.cast(), size)
            };
            plain.extend_from_slice(piece.unwrap_or_default());
        }
        let mut out = locked(&flow.encoded);
        out.clear();
        flow.wrap(&plain, &mut out)?;
        Ok((out.as_ptr().cast(), crate::length(&out)?))
    })
}

unsafe extern "C" fn decode(
    context: *mut c_void,
    input: *const c_char,
    size: c_uint,
    output: *mut *const c_char,
    len: *mut c_uint,
) -> c_int {
    // SAFETY: saslplug.h: the mechanism's context, whose first field this is.
    let Some(flow) = (unsafe { context.cast::<Flow>().as_ref() }) else {
        return Code::BADPARAM.0;
    };
    if output.is_null() || len.is_null() {
        return Code::BADPARAM.0;
    }
    answer(output, len, || {
        // SAFETY: saslplug.h: `size` bytes, or NULL.
        let input = unsafe { crate::bytes(input, size) }.unwrap_or_default();
        let mut inbound = locked(&flow.inbound);
        flow.unwrap(input, &mut inbound)?;
        if inbound.plain.is_empty() {
            return Ok((core::ptr::null(), 0));
        }
        Ok((
            inbound.plain.as_ptr().cast(),
            crate::length(&inbound.plain)?,
        ))
    })
}

/// Runs `work` behind the boundary and gives its buffer away: it stays as it is
/// until the next call of the same direction.
fn answer(
    output: *mut *const c_char,
    len: *mut c_uint,
    work: impl FnOnce() -> Result<(*const c_char, c_uint)>,
) -> c_int {
    guard(None, "layer", || match work() {
        Ok((data, size)) => {
            // SAFETY: both were tested for NULL; saslplug.h: writable.
            unsafe {
                *output = data;
                *len = size;
            }
            Code::OK.0
        }
        Err(error) => error.code().0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ptr;

    struct Xor;

    impl SecurityLayer for Xor {
        fn wrap(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
            out.extend(plain.iter().map(|byte| byte ^ 0x55));
            Ok(())
        }
        fn unwrap(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<()> {
            match packet {
                [] => Err(Code::BADMAC.into()),
                _ => self.wrap(packet, out),
            }
        }
    }

    fn flow() -> Flow {
        Flow {
            layer: Mutex::new(Some(Box::new(Xor))),
            piece: 3,
            longest: 16,
            ..Flow::default()
        }
    }

    fn encoded(flow: &Flow, parts: &[&[u8]]) -> Vec<u8> {
        let parts: Vec<libc::iovec> = parts
            .iter()
            .map(|part| libc::iovec {
                iov_base: part.as_ptr().cast_mut().cast(),
                iov_len: part.len(),
            })
            .collect();
        let (mut out, mut len) = (ptr::null(), 0);
        let flow = ptr::from_ref(flow).cast_mut().cast();
        let count = c_uint::try_from(parts.len()).unwrap();
        // SAFETY: pieces and results are ours.
        let code = unsafe { encode(flow, parts.as_ptr(), count, &mut out, &mut len) };
        assert_eq!(code, 0);
        // SAFETY: encode said so.
        unsafe { crate::bytes(out, len) }.unwrap().to_vec()
    }

    fn decoded(flow: &Flow, data: &[u8]) -> core::result::Result<Vec<u8>, c_int> {
        let (mut out, mut len) = (ptr::null(), 0);
        let flow = ptr::from_ref(flow).cast_mut().cast();
        let size = c_uint::try_from(data.len()).unwrap();
        // SAFETY: input and results are ours.
        let code = unsafe { decode(flow, data.as_ptr().cast(), size, &mut out, &mut len) };
        if code != 0 {
            return Err(code);
        }
        // SAFETY: decode said so.
        Ok(unsafe { crate::bytes(out, len) }
            .unwrap_or_default()
            .to_vec())
    }

    #[test]
    fn packets_survive_every_split() {
        let packets = encoded(&flow(), &[b"hello", b"", b", world"]);
        assert_eq!(packets.len(), 12 + 4 * 4);
        for cut in 0..=packets.len() {
            let receiver = flow();
            let mut plain = decoded(&receiver, &packets[..cut]).unwrap();
            plain.extend(decoded(&receiver, &packets[cut..]).unwrap());
            assert_eq!(plain, b"hello, world");
        }
    }

    #[test]
    fn a_length_above_the_limit_is_refused_from_its_header() {
        for head in [[0, 0, 0, 17], [0xff; 4], [0x80, 0, 0, 0]] {
            let receiver = flow();
            assert_eq!(decoded(&receiver, &head), Err(Code::BADPROT.0));
            let good = encoded(&flow(), &[b"x"]);
            assert_eq!(decoded(&receiver, &good), Err(Code::FAIL.0));
        }
    }

    #[test]
    fn after_a_bad_packet_nothing_is_accepted() {
        let receiver = flow();
        assert_eq!(decoded(&receiver, &[0; 4]), Err(Code::BADMAC.0));
        let good = encoded(&flow(), &[b"x"]);
        assert_eq!(decoded(&receiver, &good), Err(Code::FAIL.0));
    }

    #[test]
    fn null_pointers_are_refused() {
        let (mut out, mut len) = (ptr::null(), 0);
        // SAFETY: NULL is what is tested.
        unsafe {
            let code = decode(ptr::null_mut(), ptr::null(), 0, &mut out, &mut len);
            assert_eq!(code, Code::BADPARAM.0);
            let flow = flow();
            let flow = ptr::from_ref(&flow).cast_mut().cast();
            let code = decode(flow, ptr::null(), 0, ptr::null_mut(), &mut len);
            assert_eq!(code, Code::BADPARAM.0);
            let code = encode(flow, ptr::null(), 1, &mut out, &mut len);
            assert_eq!(code, Code::BADPARAM.0);
        }
    }
}
