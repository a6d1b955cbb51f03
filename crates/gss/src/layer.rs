// SPDX-License-Identifier: MIT OR Apache-2.0
//! The security layer: each packet is one message of the context, which counts
//! them, so that replayed, skipped and reordered ones are refused.
#![forbid(unsafe_code)]

use crate::ffi::Context;
use crate::protection::Protection;
use mech::{Negotiated, SecurityLayer, Ssf};
use saslplug::{Code, Error, Result};
use std::rc::Rc;

struct Layer {
    context: Rc<Context>,
    confidential: bool,
}

impl SecurityLayer for Layer {
    fn wrap(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(&self.context.wrap(plain, self.confidential)?);
        Ok(())
    }

    fn unwrap(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let message = self.context.unwrap(packet)?;
        if self.confidential && !message.confidential {
            return Err(Error::new(
                Code::BADMAC,
                "the peer sent a packet in the clear where encryption was agreed on",
            ));
        }
        out.extend_from_slice(&message.plain);
        Ok(())
    }
}

/// The layer that was agreed on, if it is one. `longest` is the longest packet
/// that the peer takes.
///
/// # Errors
/// `BADPROT` when the peer takes no packet that holds anything.
pub(crate) fn layer(
    context: &Rc<Context>,
    protection: Protection,
    strength: Ssf,
    longest: u32,
) -> Result<Option<Negotiated>> {
    let confidential = match protection {
        Protection::None => return Ok(None),
        Protection::Integrity => false,
        Protection::Confidentiality => true,
    };
    let max_outbuf = context.longest(longest, confidential)?;
    if max_outbuf == 0 || max_outbuf >= longest {
        return Err(Error::new(
            Code::BADPROT,
            "the peer agreed on a security layer, but its buffer holds no packet",
        ));
    }
    Ok(Some(Negotiated {
        ssf: protection.ssf(strength),
        max_outbuf,
        layer: Box::new(Layer {
            context: Rc::clone(context),
            confidential,
        }),
    }))
}
