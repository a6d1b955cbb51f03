// SPDX-License-Identifier: MIT OR Apache-2.0
//! The server side of a mechanism, and what it may ask the core.
#![forbid(unsafe_code)]

use crate::{ChannelBinding, Done, HttpRequest, Limits, MechInfo};
use core::ffi::CStr;
use saslplug::{Code, Error, Host, Identity, Password, Result, Secret};

/// Whether [`ServerHost::identify`] also looks auxiliary properties up
/// (`SASL_CU_EXTERNALLY_VERIFIED` and the plain `canon_user` of `saslplug.h`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lookup {
    /// Look up; an unknown user is an error.
    Required,
    /// Look up; an unknown user is none: another authority vouches for it.
    ExternallyVerified,
}

/// What a server mechanism may ask, beside what every plugin may.
pub trait ServerHost: Host {
    /// The server's name, lower case.
    fn server_fqdn(&self) -> String;
    /// What the application allows.
    fn limits(&self) -> Limits;
    /// The identity that TLS or the operating system established
    /// (`SASL_AUTH_EXTERNAL`).
    fn external_id(&self) -> Option<Vec<u8>>;
    /// Asks for properties to be looked up by the next [`ServerHost::identify`].
    /// Names with `*` belong to the authid.
    ///
    /// # Errors
    /// `NOMEM`.
    fn request(&self, names: &[&'static CStr]) -> Result<()>;
    /// Canonicalises `name`, stores it as authid and/or authzid and looks the
    /// requested properties up.
    ///
    /// # Errors
    /// What the canonicaliser or the lookup says; `NOUSER` only with
    /// [`Lookup::Required`].
    fn identify(&self, name: &[u8], identity: Identity, lookup: Lookup) -> Result<()>;
    /// The canonical authid, once [`ServerHost::identify`] stored it.
    fn authid(&self) -> Option<Vec<u8>>;
    /// The canonical authzid, once stored.
    fn authzid(&self) -> Option<Vec<u8>>;
    /// Takes values that [`ServerHost::request`] brought out of the property
    /// context again: secrets that no callback of the application needs.
    fn erase(&self, _names: &[&'static CStr]) {}
    /// Verifies `password` for the stored authid by the configured
    /// `pwcheck_method`s.
    ///
    /// # Errors
    /// `BADAUTH`, `NOUSER`, `UNAVAIL`, …
    fn check_password(&self, password: Password<'_>) -> Result<()>;
    /// Offers a verified plain password to the store (`auto_transition`).
    fn transition(&self, password: &Secret);
    /// Whether the option `mech_list` names this mechanism.
    fn lists(&self, _mechanism: &str) -> bool {
        false
    }
    /// Whether a configured property store would store.
    ///
    /// # Errors
    /// `NOMECH` when none stores, else what the store says.
    fn can_store(&self) -> Result<()> {
        Err(NO_STORE)
    }
    /// Stores properties of a user in the configured property stores, as
    /// [`ServerMech::set_password`] does; no value = remove.
    ///
    /// # Errors
    /// The stores'; `CONSTRAINT_VIOLAT` where none stores such properties.
    fn store(&self, _user: &CStr, _properties: &[(&CStr, &[Secret])]) -> Result<()> {
        Err(NO_STORE)
    }
    /// Whether a verifier of bearer tokens is configured.
    ///
    /// # Errors
    /// `NOMECH` when there is none.
    fn can_check_tokens(&self) -> Result<()> {
        Err(NO_VERIFIER)
    }
    /// Verifies a bearer token and says whose it is. `user` is whom the client
    /// wants to act as; the verifier need not care.
    ///
    /// # Errors
    /// `BADAUTH`, `EXPIRED`, … for a token that does not do; `NOMECH`,
    /// `UNAVAIL`, `CONFIGERR` when it cannot be verified.
    fn check_token(
        &self,
        _mechanism: &str,
        _user: Option<&[u8]>,
        _token: &Secret,
    ) -> Result<String> {
        Err(NO_VERIFIER)
    }
    /// The HTTP request, where the connection works inside HTTP
    /// (`SASL_NEED_HTTP`).
    ///
    /// # Errors
    /// `NOTDONE` when the application has set none yet.
    fn http_request(&self) -> Result<Option<HttpRequest>> {
        Ok(None)
    }
    /// The application's channel bindings; the first is the preferred one.
    fn channel_bindings(&self) -> Vec<ChannelBinding>;
    /// Fills `out` with bytes that nobody can predict.
    ///
    /// # Errors
    /// `FAIL` when the operating system gives none.
    fn fill_random(&self, out: &mut [u8]) -> Result<()>;
    /// Seconds since 1970.
    fn unix_time(&self) -> u64;
}

/// A password that is set, changed or removed (`sasl_setpass`).
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// Whose it is, as the program names the user.
    pub user: &'a CStr,
    /// The new one; `None` = remove it.
    pub password: Option<&'a Secret>,
    /// The one until now, where the program gave it.
    pub old: Option<&'a Secret>,
    /// The program's flags (`SASL_SET_CREATE` and the like).
    pub flags: u32,
}

const NO_STORE: Error = Error::new(
    Code::NOMECH,
    "no property store that can store (option auxprop_plugin)",
);

const NO_VERIFIER: Error = Error::new(
    Code::NOMECH,
    "nothing verifies bearer tokens (option oauth_jwks)",
);

/// A server mechanism.
pub trait ServerMech: Send + Sync {
    /// Its line in the table.
    fn info(&self) -> &MechInfo;

    /// Starts an exchange.
    ///
    /// # Errors
    /// Any code of `sasl.h`; the exchange does not start.
    fn begin(&self, host: &dyn ServerHost) -> Result<Box<dyn ServerExchange>>;

    /// The plugin that brings it: a file's name without `lib` and `.so`
    /// (`SASL_AUTHSOURCE`). Built-in ones say where stock has them.
    fn source(&self) -> &str {
        crate::stock_plugin(&self.info().name)
    }

    /// Stores what this mechanism needs for a user (`sasl_setpass`). `None`
    /// when it keeps nothing of its own.
    fn set_password(&self, _host: &dyn ServerHost, _change: &Change<'_>) -> Option<Result<()>> {
        None
    }

    /// Whether [`ServerMech::set_password`] does anything.
    fn sets_passwords(&self) -> bool {
        false
    }

    /// Whether it can be offered on this connection.
    ///
    /// # Errors
    /// `NOTDONE` (not now, perhaps later on this connection), `NOMECH` (never).
    fn available(&self, _host: &dyn ServerHost) -> Result<()> {
        Ok(())
    }
}

/// One run of a server mechanism.
pub trait ServerExchange {
    /// Takes the client's response; `None` = there was none, which is not the
    /// same as an empty one.
    ///
    /// # Errors
    /// The exchange is over. `BADPROT` for malformed input, `BADAUTH`, `NOUSER`, …
    fn step(&mut self, host: &dyn ServerHost, response: Option<&[u8]>) -> Result<Step>;

    /// The exchange is given up between two steps: what it holds elsewhere is
    /// let go.
    fn abandon(&mut self, _host: &dyn ServerHost) {}

    /// What the client may be told with the failure of the last step, where the
    /// mechanism has words for it and the protocol has room.
    fn farewell(&self) -> Option<&[u8]> {
        None
    }
}

/// What a server exchange wants next.
pub enum Step {
    /// Send this challenge and come back with the response.
    Challenge(Vec<u8>),
    /// The client is who it says.
    Done(Done),
}
