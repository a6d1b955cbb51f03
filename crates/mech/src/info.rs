// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a mechanism says about itself, and what an exchange ends with.
#![forbid(unsafe_code)]

use saslplug::Result;
use std::borrow::Cow;

/// Security strength factor: key length in bits, 0 = none, 1 = integrity only.
pub type Ssf = u32;

bitflags::bitflags! {
    /// `SASL_SEC_*` of `sasl.h`: what a mechanism guarantees, or what a
    /// connection demands. The upper 16 bits are the hash's size in bytes
    /// (`SET_HASH_STRENGTH_BITS` of `saslplug.h`).
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Security: u32 {
        /// No clear-text password on the wire.
        const NOPLAINTEXT = 0x01;
        /// Safe against active attacks.
        const NOACTIVE = 0x02;
        /// Safe against a passive dictionary attack.
        const NODICTIONARY = 0x04;
        /// One broken session does not break the next.
        const FORWARD_SECRECY = 0x08;
        /// No anonymous users.
        const NOANONYMOUS = 0x10;
        /// The server gets the client's credentials.
        const PASS_CREDENTIALS = 0x20;
        /// The server proves itself too.
        const MUTUAL_AUTH = 0x40;
    }
}

impl Security {
    /// These flags and a hash of `bits` bits.
    pub const fn with_hash_bits(self, bits: u32) -> Self {
        Self::from_bits_retain(self.bits() | ((bits / 8) << 16))
    }

    /// The hash's size in bytes, 0 = none.
    pub const fn hash_strength(self) -> u32 {
        self.bits() >> 16
    }
}

bitflags::bitflags! {
    /// `SASL_FEAT_*` of `saslplug.h`.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Features: u32 {
        /// The client needs the server's name.
        const NEEDSERVERFQDN = 0x0001;
        /// The client speaks first; an initial response is expected.
        const WANT_CLIENT_FIRST = 0x0002;
        /// The server speaks first; an initial response is refused.
        const SERVER_FIRST = 0x0010;
        /// An authzid may differ from the authid.
        const ALLOWS_PROXY = 0x0020;
        /// No password is needed on the server.
        const DONTUSE_USERPASSWD = 0x0080;
        /// GSS-API framing (RFC 5801).
        const GSS_FRAMING = 0x0100;
        /// Has a channel-binding variant (-PLUS).
        const CHANNEL_BINDING = 0x0800;
        /// Works inside HTTP authentication.
        const SUPPORTS_HTTP = 0x1000;
    }
}

/// A mechanism's line in the tables.
#[derive(Clone, Debug)]
pub struct MechInfo {
    /// The IANA name, without -PLUS.
    pub name: Cow<'static, str>,
    /// Strongest security layer it can negotiate.
    pub max_ssf: Ssf,
    /// What it guarantees.
    pub security: Security,
    /// How it behaves.
    pub features: Features,
}

impl MechInfo {
    /// A constant line.
    pub const fn new(
        name: &'static str,
        max_ssf: Ssf,
        security: Security,
        features: Features,
    ) -> Self {
        Self {
            name: Cow::Borrowed(name),
            max_ssf,
            security,
            features,
        }
    }
}

/// The connection's security properties as a mechanism needs them, after the
/// external layer is taken off (`sasl_security_properties_t`).
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Weakest layer allowed, as the application set it.
    pub min_ssf: Ssf,
    /// Strongest layer allowed, as the application set it.
    pub max_ssf: Ssf,
    /// Largest packet that the application can take; 0 = no layer.
    pub max_buffer: u32,
    /// Guarantees demanded.
    pub security: Security,
    /// Strength of the layer outside (TLS).
    pub external_ssf: Ssf,
}

/// Channel binding data that the application set (`SASL_CHANNEL_BINDING`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelBinding {
    /// Name of the type (`tls-unique`, `tls-exporter`, …), no NUL inside.
    pub name: String,
    /// The data.
    pub data: Vec<u8>,
    /// Whether authentication without binding must fail.
    pub critical: bool,
}

/// The HTTP request that is authenticated (`SASL_HTTP_REQUEST`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET`, …
    pub method: Vec<u8>,
    /// What stands behind the method.
    pub uri: Vec<u8>,
    /// The body.
    pub entity: Vec<u8>,
}

/// What the client decided about channel binding (`SASL_CB_DISP_*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Disposition {
    /// Does not bind ("n").
    #[default]
    None,
    /// Would bind, but the server seems unable ("y").
    Want,
    /// Binds ("p").
    Used,
}

/// What a server mechanism learnt of the client's channel binding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binding {
    /// Name of the type the client used, if it bound.
    pub name: Option<String>,
    /// What the client decided.
    pub disposition: Disposition,
}

/// A security layer that was agreed on. The core cuts plain data into pieces of
/// `max_outbuf` and puts the four-byte length before each packet.
pub struct Negotiated {
    /// Its strength.
    pub ssf: Ssf,
    /// Largest piece of plain data for one packet, bytes.
    pub max_outbuf: u32,
    /// The layer itself.
    pub layer: Box<dyn SecurityLayer>,
}

/// Protects packets after authentication (RFC 4422 section 3.7).
pub trait SecurityLayer {
    /// Whether the layer makes and reads the packets' lengths itself. It is
    /// then given the peer's bytes as they arrive.
    fn frames_itself(&self) -> bool {
        false
    }

    /// Appends one protected packet, without the length before it, to `out`.
    ///
    /// # Errors
    /// `FAIL` when the cipher fails; nothing is appended then.
    fn wrap(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()>;

    /// Checks one packet (without its length) and appends the plain data.
    ///
    /// # Errors
    /// `BADMAC` when the packet was altered, replayed or reordered.
    fn unwrap(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<()>;

    /// The same layer, if another thread may go on with it: a pool of
    /// connections moves between threads, an adapter of a C plugin does not.
    fn into_movable(self: Box<Self>) -> Option<Box<dyn SecurityLayer + Send>> {
        None
    }
}

/// How a successful exchange ends.
#[derive(Default)]
pub struct Done {
    /// Data for the peer with the success (`additional data`), if any.
    pub final_data: Option<Vec<u8>>,
    /// What became of channel binding.
    pub binding: Binding,
    /// The security layer, if one was agreed on.
    pub layer: Option<Negotiated>,
    /// Client: the server may still object with one more challenge; the exchange
    /// is then asked again.
    pub may_object: bool,
}
