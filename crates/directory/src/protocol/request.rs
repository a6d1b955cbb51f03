// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is sent: Bind, Search, extended requests, Unbind.
//!
//! A Bind is built by hand, into memory that never moves and is wiped.
#![forbid(unsafe_code)]

use crate::uri::Scope;
use bytes::BytesMut;
use lber::common::TagClass;
use lber::structure::{PL, StructureTag};
use saslplug::Secret;
use zeroize::Zeroizing;

/// StartTLS (RFC 4511 §4.14).
pub(crate) const START_TLS: &str = "1.3.6.1.4.1.1466.20037";
/// Who am I? (RFC 4532).
pub(crate) const WHO_AM_I: &str = "1.3.6.1.4.1.4203.1.11.3";
/// Password modify (RFC 3062).
const PASSWORD_MODIFY: &str = "1.3.6.1.4.1.4203.1.11.1";
/// Proxied authorization (RFC 4370).
pub(crate) const PROXY: &str = "2.16.840.1.113730.3.4.18";

/// Appends tag, length and `contents`.
pub(super) fn put(out: &mut Vec<u8>, tag: u8, contents: &[u8]) {
    out.push(tag);
    let length = contents.len();
    if let Ok(short @ 0..0x80) = u8::try_from(length) {
        out.push(short);
    } else {
        let digits: Vec<u8> = length
            .to_be_bytes()
            .into_iter()
            .skip_while(|b| *b == 0)
            .collect();
        out.push(0x80 | u8::try_from(digits.len()).unwrap_or(8));
        out.extend_from_slice(&digits);
    }
    out.extend_from_slice(contents);
}

pub(super) fn put_integer(out: &mut Vec<u8>, value: i32) {
    let bytes = value.to_be_bytes();
    let redundant = bytes
        .windows(2)
        .take_while(|pair| matches!(pair, [0, next] if next & 0x80 == 0));
    let skip = redundant.count();
    put(out, 0x02, bytes.get(skip..).unwrap_or(&bytes));
}

/// A simple Bind (version 3), with the names of controls that the server may
/// ignore. The buffers never grow, so that no copy of the password is left behind.
pub(crate) fn bind(
    id: i32,
    name: &[u8],
    password: &Secret,
    controls: &[&str],
) -> Zeroizing<Vec<u8>> {
    let mut list = Vec::new();
    for oid in controls {
        let mut control = Vec::new();
        put(&mut control, 0x04, oid.as_bytes());
        put(&mut list, 0x30, &control);
    }
    let mut trailer = Vec::new();
    if !list.is_empty() {
        put(&mut trailer, 0xa0, &list);
    }
    let room = name.len() + password.len() + trailer.len() + 64;
    let mut proof = Zeroizing::new(Vec::with_capacity(room));
    put(&mut proof, 0x80, password.as_bytes());
    bind_with(id, name, &proof, &trailer, room)
}

/// One message of a SASL Bind. `None`: no credentials, which differ from empty
/// ones.
pub(crate) fn sasl_bind(
    id: i32,
    name: &[u8],
    mechanism: &str,
    credentials: Option<&[u8]>,
) -> Zeroizing<Vec<u8>> {
    let room = name.len() + mechanism.len() + credentials.map_or(0, <[u8]>::len) + 80;
    let mut contents = Zeroizing::new(Vec::with_capacity(room));
    put(&mut contents, 0x04, mechanism.as_bytes());
    if let Some(credentials) = credentials {
        put(&mut contents, 0x04, credentials);
    }
    let mut proof = Zeroizing::new(Vec::with_capacity(room));
    put(&mut proof, 0xa3, &contents);
    bind_with(id, name, &proof, &[], room)
}

fn bind_with(
    id: i32,
    name: &[u8],
    proof: &[u8],
    trailer: &[u8],
    room: usize,
) -> Zeroizing<Vec<u8>> {
    let mut request = Zeroizing::new(Vec::with_capacity(room));
    put_integer(&mut request, 3);
    put(&mut request, 0x04, name);
    request.extend_from_slice(proof);
    let mut contents = Zeroizing::new(Vec::with_capacity(room));
    put_integer(&mut contents, id);
    put(&mut contents, 0x60, &request);
    contents.extend_from_slice(trailer);
    let mut message = Zeroizing::new(Vec::with_capacity(room));
    put(&mut message, 0x30, &contents);
    message
}

/// An attribute and its new values.
pub(crate) type Change<'a> = (String, &'a [Secret]);

/// A Modify that replaces all values of each attribute; wiped, as it may carry
/// passwords.
pub(crate) fn modify(
    id: i32,
    name: &str,
    changes: &[Change<'_>],
    proxied: Option<&str>,
) -> Zeroizing<Vec<u8>> {
    let sizes = changes.iter().map(|(name, values)| {
        let values: usize = values
            .iter()
            .map(|value| value.len().saturating_add(8))
            .sum();
        values.saturating_add(name.len()).saturating_add(64)
    });
    let room = sizes
        .sum::<usize>()
        .saturating_add(name.len())
        .saturating_add(64);
    let buffer = || Zeroizing::new(Vec::with_capacity(room));
    let mut list = buffer();
    for (name, values) in changes {
        let mut set = buffer();
        for value in *values {
            put(&mut set, 0x04, value.as_bytes());
        }
        let mut attribute = buffer();
        put(&mut attribute, 0x04, name.as_bytes());
        put(&mut attribute, 0x31, &set);
        let mut change = buffer();
        put(&mut change, 0x0a, &[2]);
        put(&mut change, 0x30, &attribute);
        put(&mut list, 0x30, &change);
    }
    let mut request = buffer();
    put(&mut request, 0x04, name.as_bytes());
    put(&mut request, 0x30, &list);
    wiped(id, 0x66, &request, proxied)
}

/// A new password for the entry `name`, which the server stores as it likes.
pub(crate) fn password_modify(
    id: i32,
    name: &str,
    password: &Secret,
    proxied: Option<&str>,
) -> Zeroizing<Vec<u8>> {
    let room = name
        .len()
        .saturating_add(password.len())
        .saturating_add(128);
    let buffer = || Zeroizing::new(Vec::with_capacity(room));
    let mut parts = buffer();
    put(&mut parts, 0x80, name.as_bytes());
    put(&mut parts, 0x82, password.as_bytes());
    let mut value = buffer();
    put(&mut value, 0x30, &parts);
    let mut request = buffer();
    put(&mut request, 0x80, PASSWORD_MODIFY.as_bytes());
    put(&mut request, 0x81, &value);
    wiped(id, 0x77, &request, proxied)
}

/// A whole message around a request that may carry a password.
fn wiped(id: i32, tag: u8, request: &[u8], proxied: Option<&str>) -> Zeroizing<Vec<u8>> {
    let control = proxied.map_or(0, str::len).saturating_add(128);
    let room = request.len().saturating_add(control);
    let mut contents = Zeroizing::new(Vec::with_capacity(room));
    put_integer(&mut contents, id);
    put(&mut contents, tag, request);
    if let Some(identity) = proxied {
        let (mut control, mut controls) = (Vec::new(), Vec::new());
        put(&mut control, 0x04, PROXY.as_bytes());
        put(&mut control, 0x01, &[0xff]);
        put(&mut control, 0x04, identity.as_bytes());
        put(&mut controls, 0x30, &control);
        put(&mut contents, 0xa0, &controls);
    }
    let mut message = Zeroizing::new(Vec::with_capacity(room));
    put(&mut message, 0x30, &contents);
    message
}

/// Whether the entry `name` has this value of `attribute`.
pub(crate) fn compare(id: i32, name: &str, attribute: &str, value: &str) -> Vec<u8> {
    let assertion = PL::C(vec![octets(attribute), octets(value)]);
    let parts = vec![octets(name), tag(TagClass::Universal, 16, assertion)];
    message(id, tag(TagClass::Application, 14, PL::C(parts)), None)
}

/// An extended request, as `proxied` if that is given.
pub(crate) fn extended(id: i32, oid: &str, proxied: Option<&str>) -> Vec<u8> {
    let name = tag(TagClass::Context, 0, PL::P(oid.as_bytes().to_vec()));
    let request = tag(TagClass::Application, 23, PL::C(vec![name]));
    message(id, request, proxied)
}

/// The message with id and operation, and with the control that asks to act as
/// `proxied`; that one is critical, for a server that ignores it would answer
/// for somebody else.
fn message(id: i32, operation: StructureTag, proxied: Option<&str>) -> Vec<u8> {
    let mut parts = vec![small(2, id), operation];
    if let Some(identity) = proxied {
        let control = vec![
            octets(PROXY),
            tag(TagClass::Universal, 1, PL::P(vec![0xff])),
            octets(identity),
        ];
        let control = tag(TagClass::Universal, 16, PL::C(control));
        parts.push(tag(TagClass::Context, 0, PL::C(vec![control])));
    }
    let message = tag(TagClass::Universal, 16, PL::C(parts));
    let mut out = BytesMut::new();
    // Writing into memory does not fail.
    let _ = lber::write::encode_into(&mut out, message);
    out.to_vec()
}

/// Unbind.
pub(crate) fn unbind(id: i32) -> Vec<u8> {
    let (mut contents, mut message) = (Vec::new(), Vec::new());
    put_integer(&mut contents, id);
    put(&mut contents, 0x42, &[]);
    put(&mut message, 0x30, &contents);
    message
}

/// A search.
#[derive(Debug)]
pub(crate) struct Search<'a> {
    pub(crate) base: &'a str,
    pub(crate) scope: Scope,
    pub(crate) filter: StructureTag,
    pub(crate) attributes: &'a [String],
    pub(crate) seconds: u64,
    /// Whom to act as.
    pub(crate) proxied: Option<&'a str>,
}

pub(super) fn tag(class: TagClass, id: u64, payload: PL) -> StructureTag {
    StructureTag { class, id, payload }
}

fn small(id: u64, value: i32) -> StructureTag {
    let mut bytes = Vec::new();
    put_integer(&mut bytes, value);
    tag(TagClass::Universal, id, PL::P(bytes.split_off(2)))
}

fn octets(text: &str) -> StructureTag {
    tag(TagClass::Universal, 4, PL::P(text.as_bytes().to_vec()))
}

impl Search<'_> {
    /// The message: at most two entries, aliases never followed.
    pub(crate) fn encode(self, id: i32) -> Vec<u8> {
        let seconds = i32::try_from(self.seconds).unwrap_or(i32::MAX).max(1);
        let request = vec![
            octets(self.base),
            small(10, self.scope as i32),
            small(10, 0),
            small(2, 2),
            small(2, seconds),
            tag(TagClass::Universal, 1, PL::P(vec![0])),
            self.filter,
            tag(
                TagClass::Universal,
                16,
                PL::C(self.attributes.iter().map(|a| octets(a)).collect()),
            ),
        ];
        message(
            id,
            tag(TagClass::Application, 3, PL::C(request)),
            self.proxied,
        )
    }
}
