// SPDX-License-Identifier: MIT OR Apache-2.0
//! The digest-response (RFC 2831 section 2.1.2) as the server reads it: which
//! directives must come, which at most once, and which values are refused.
#![forbid(unsafe_code)]

use super::message::{Directive, Value, once, parse_count, parse_number};
use super::{MAXBUF, parse};
use crate::printable::Printable;
use crate::{HttpRequest, ServerHost};
use saslplug::{Code, Error, Level, Result};

/// A digest-response.
pub(super) struct Response<'a> {
    pub(super) username: Value<'a>,
    pub(super) realm: Option<Value<'a>>,
    pub(super) authzid: Option<Value<'a>>,
    pub(super) nonce: Value<'a>,
    pub(super) cnonce: Value<'a>,
    pub(super) count: u32,
    pub(super) qop: Option<Value<'a>>,
    pub(super) cipher: Option<Value<'a>>,
    pub(super) uri: Value<'a>,
    pub(super) response: Value<'a>,
    pub(super) maxbuf: Option<u32>,
}

/// The directives as they come.
#[derive(Default)]
struct Fields<'a> {
    username: Option<Value<'a>>,
    realm: Option<Value<'a>>,
    authzid: Option<Value<'a>>,
    nonce: Option<Value<'a>>,
    cnonce: Option<Value<'a>>,
    count: Option<u32>,
    qop: Option<Value<'a>>,
    cipher: Option<Value<'a>>,
    uri: Option<Value<'a>>,
    response: Option<Value<'a>>,
    maxbuf: Option<u32>,
    charset: Option<Value<'a>>,
}

impl<'a> Response<'a> {
    /// Reads a response: to `nonce`, or to any nonce.
    ///
    /// # Errors
    /// `BADAUTH`, `FAIL` and the text that programs know.
    pub(super) fn parse(
        host: &dyn ServerHost,
        input: &'a [u8],
        nonce: Option<&str>,
        http: Option<&HttpRequest>,
    ) -> Result<Self> {
        if input.is_empty() {
            return Err(Error::new(
                Code::BADAUTH,
                "input expected in DIGEST-MD5, step 2",
            ));
        }
        let mut fields = Fields::default();
        for directive in parse(input, "Parse error")? {
            fields.take(host, directive, nonce, http)?;
        }
        let missing = |what: &str| {
            Error::with(
                Code::BADAUTH,
                format!("required parameters missing: {what}"),
            )
        };
        Ok(Self {
            username: fields.username.ok_or_else(|| missing("username"))?,
            nonce: fields.nonce.ok_or_else(|| missing("nonce"))?,
            count: fields
                .count
                .filter(|&nc| nc > 0)
                .ok_or_else(|| missing("noncecount"))?,
            cnonce: fields.cnonce.ok_or_else(|| missing("cnonce"))?,
            uri: fields.uri.ok_or_else(|| missing("digesturi"))?,
            response: fields.response.ok_or_else(|| missing("response"))?,
            realm: fields.realm,
            authzid: fields.authzid,
            qop: fields.qop,
            cipher: fields.cipher,
            maxbuf: fields.maxbuf,
        })
    }
}

impl<'a> Fields<'a> {
    fn take(
        &mut self,
        host: &dyn ServerHost,
        Directive { name, value }: Directive<'a>,
        nonce: Option<&str>,
        http: Option<&HttpRequest>,
    ) -> Result<()> {
        match &*name {
            "username" => once(&mut self.username, &name, value),
            "realm" => once(&mut self.realm, &name, value),
            "authzid" => once(&mut self.authzid, &name, value),
            "cnonce" => once(&mut self.cnonce, &name, value),
            "qop" => once(&mut self.qop, &name, value),
            "cipher" => once(&mut self.cipher, &name, value),
            "response" => once(&mut self.response, &name, value),
            "nonce" if nonce.is_some_and(|nonce| nonce.as_bytes() != &*value) => Err(Error::new(
                Code::BADAUTH,
                "nonce changed: authentication aborted",
            )),
            "nonce" => once(&mut self.nonce, &name, value),
            "nc" => once(&mut self.count, &name, count(&value)?),
            "maxbuf" => once(&mut self.maxbuf, &name, maxbuf(&value)?),
            "uri" if http.is_some() => once(&mut self.uri, &name, for_this_request(http, value)?),
            "digest-uri" if http.is_none() => {
                once(&mut self.uri, &name, for_this_service(host, value)?)
            }
            "charset" if !value.eq_ignore_ascii_case(b"utf-8") => {
                Err(Error::new(Code::FAIL, "client doesn't support UTF-8"))
            }
            "charset" => once(&mut self.charset, &name, value),
            "algorithm" => Ok(()),
            _ => {
                let value = Printable(&value);
                let text = format_args!("DIGEST-MD5 unrecognized pair {name}/{value}: ignoring");
                host.log(Level::Debug, text);
                Ok(())
            }
        }
    }
}

fn count(value: &[u8]) -> Result<u32> {
    parse_count(value).ok_or_else(|| Error::new(Code::BADAUTH, "error converting hex to int"))
}

fn maxbuf(value: &[u8]) -> Result<u32> {
    let refuse = |reason| Err(Error::new(Code::BADAUTH, reason));
    match parse_number(value) {
        None => refuse("invalid maxbuf parameter"),
        Some(size) if size < *MAXBUF.start() => refuse("maxbuf parameter too small"),
        Some(size) if size > *MAXBUF.end() => refuse("maxbuf parameter too big"),
        Some(size) => Ok(size),
    }
}

fn for_this_request<'a>(http: Option<&HttpRequest>, uri: Value<'a>) -> Result<Value<'a>> {
    if http.is_some_and(|http| http.uri == *uri) {
        return Ok(uri);
    }
    let text = "bad digest-uri: doesn't match HTTP request";
    Err(Error::new(Code::BADAUTH, text))
}

/// The host part may be an alias that we do not know; the service may not.
fn for_this_service<'a>(host: &dyn ServerHost, uri: Value<'a>) -> Result<Value<'a>> {
    let slash = uri.iter().position(|&byte| byte == b'/');
    let service = slash.and_then(|end| uri.get(..end));
    if service.is_some_and(|service| service.eq_ignore_ascii_case(host.service().as_bytes())) {
        return Ok(uri);
    }
    Err(Error::new(
        Code::BADAUTH,
        "bad digest-uri: doesn't match service",
    ))
}
