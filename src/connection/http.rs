// SPDX-License-Identifier: MIT OR Apache-2.0
//! Authentication inside HTTP (`SASL_NEED_HTTP`, `SASL_HTTP_REQUEST`).
#![forbid(unsafe_code)]

use super::Connection;
use crate::ffi::conn;
use crate::select::NEED_HTTP;
use mech::HttpRequest;
use saslplug::{Code, Error, Result};

impl Connection {
    /// The request, on a connection that works inside HTTP.
    ///
    /// # Errors
    /// `NOTDONE` when the program has set none.
    pub(crate) fn http_request(&self) -> Result<Option<HttpRequest>> {
        if self.flags & NEED_HTTP == 0 {
            return Ok(None);
        }
        let request = conn::http_request(self.handle);
        request.map(Some).ok_or(Error::new(
            Code::NOTDONE,
            "no HTTP request was set (SASL_HTTP_REQUEST)",
        ))
    }
}
