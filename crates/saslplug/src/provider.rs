// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a plugin can be ([`Auxprop`], [`CanonUser`], [`Verify`]) and what it
//! may ask ([`Host`]).
//!
//! One set of traits, three implementors: built-in Rust, a Rust `.so` (through
//! the export macros), and the library's adapter of a C plugin. Names and
//! values are bytes: the network decides what they hold.
#![forbid(unsafe_code)]

use crate::{Code, Error, Result, Secret};
use core::ffi::{CStr, c_void};
use core::fmt;
use std::borrow::Cow;

/// The log levels of `sasl.h`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(i32)]
pub enum Level {
    /// Never logged.
    None = 0,
    /// Something is broken and somebody must act.
    Err = 1,
    /// An authentication failed.
    Fail = 2,
    /// Something looks wrong.
    Warn = 3,
    /// Worth noting.
    Note = 4,
    /// Steps, for finding a fault.
    Debug = 5,
    /// Protocol details.
    Trace = 6,
    /// Protocol details with passwords. This project never uses it.
    Pass = 7,
}

/// Which identity an operation is about (`SASL_CU_AUTHID`, `SASL_CU_AUTHZID`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Identity {
    /// The one whose password is checked.
    Authid,
    /// The one to act as.
    Authzid,
    /// Both: one name stands for both.
    Both,
}

/// An opaque connection pointer for adapters of C plugins; NULL where there is
/// no C side (unit tests, plugins).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Handle(pub *mut c_void);

impl Handle {
    /// No C side.
    pub const NONE: Handle = Handle(core::ptr::null_mut());
}

/// What an exchange over GSS-API shows the program (`SASL_GSS_PEER_NAME`,
/// `SASL_GSS_LOCAL_NAME`, `SASL_DELEGATEDCREDS`). The objects stay the
/// exchange's own and live as long as it does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GssObjects {
    /// Who is at the other end (`gss_name_t`).
    pub peer: Handle,
    /// Who we are (`gss_name_t`).
    pub local: Handle,
    /// What the client handed over (`gss_cred_id_t`), or nothing.
    pub delegated: Handle,
}

/// What any plugin may ask. All methods take `&self`: a plugin may call back
/// while it is being called.
pub trait Host {
    /// The value of option `name`, asked on behalf of `plugin` ("" = the core).
    fn option(&self, plugin: &str, name: &str) -> Option<String>;
    /// Values already known for a property of the property context.
    fn property(&self, name: &CStr) -> Vec<Secret>;
    /// Writes to the application's log.
    fn log(&self, level: Level, message: fmt::Arguments<'_>);
    /// The connection, for adapters of C plugins.
    fn handle(&self) -> Handle;
    /// The service's name (`imap`), empty where there is no connection.
    fn service(&self) -> String {
        String::new()
    }
    /// The realm given to `sasl_server_new`, if any.
    fn realm(&self) -> Option<String> {
        None
    }
    /// The server's name given to `sasl_server_new`, or the host's; empty where
    /// there is no connection.
    fn server_name(&self) -> String {
        String::new()
    }
    /// The credentials that the application set (`SASL_GSS_CREDS`).
    fn gss_credentials(&self) -> Handle {
        Handle::NONE
    }
    /// Tells what a GSS-API exchange found out.
    fn show_gss(&self, _objects: &GssObjects) {}
}

/// A question for auxiliary properties.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The canonical user name. May be no UTF-8.
    pub user: &'a [u8],
    /// [`Identity::Authid`] or [`Identity::Authzid`].
    pub identity: Identity,
    /// Names wanted, without the leading `*`; already filtered for the identity
    /// and for values that are there.
    pub names: &'a [&'a CStr],
    /// `SASL_AUXPROP_VERIFY_AGAINST_HASH`.
    pub against_hash: bool,
}

/// Values found: index into [`Query::names`] and the values, in the directory's
/// order. An adapter of a C plugin, which writes into the property context
/// itself, returns it empty.
#[derive(Clone, Default, Debug)]
pub struct Found(pub Vec<(usize, Vec<Secret>)>);

/// A store of auxiliary properties (`sasl_auxprop_plug_t`).
pub trait Auxprop: Send + Sync {
    /// The name that `auxprop_plugin` lists.
    fn name(&self) -> &CStr;

    /// Looks `query.names` up for `query.user`.
    ///
    /// # Errors
    /// `NOUSER` (no such user), `NOMECH` (not configured: ignored by the
    /// library), `UNAVAIL` (try later), `FAIL` and others of `sasl.h`.
    fn lookup(&self, host: &dyn Host, query: &Query<'_>) -> Result<Found>;

    /// Whether there is a store function at all.
    fn stores(&self) -> bool {
        false
    }

    /// Whether [`Auxprop::store`] would work now.
    fn can_store(&self, _host: &dyn Host) -> bool {
        false
    }

    /// [`Auxprop::can_store`] with the reason for a no.
    ///
    /// # Errors
    /// `CONSTRAINT_VIOLAT` (another store may do it), `FAIL` and others.
    fn probe_store(&self, host: &dyn Host) -> Result<()> {
        if self.can_store(host) {
            Ok(())
        } else {
            Err(Error::new(Code::FAIL, "this plugin cannot store now").silent())
        }
    }

    /// Replaces the values of each property of `user`; no values = remove.
    ///
    /// # Errors
    /// `CONSTRAINT_VIOLAT` when this store does not hold such properties.
    fn store(&self, _: &dyn Host, _user: &[u8], _: &[(&CStr, &[Secret])]) -> Result<()> {
        Err(Error::new(
            Code::CONSTRAINT_VIOLAT,
            "this plugin does not store properties",
        )
        .silent())
    }
}

/// Makes one name of the several that a user may type (`sasl_canonuser_plug_t`).
/// Must be idempotent: the library canonicalises two or three times a login.
pub trait CanonUser: Send + Sync {
    /// The name that `canon_user_plugin` selects.
    fn name(&self) -> &CStr;

    /// The canonical name on the server side.
    ///
    /// # Errors
    /// `NOUSER`, `BUFOVER`, `FAIL`, …
    fn server<'a>(
        &self,
        host: &dyn Host,
        user: &'a [u8],
        identity: Identity,
    ) -> Result<Cow<'a, [u8]>>;

    /// The canonical name on the client side.
    ///
    /// # Errors
    /// As [`CanonUser::server`].
    fn client<'a>(
        &self,
        host: &dyn Host,
        user: &'a [u8],
        identity: Identity,
    ) -> Result<Cow<'a, [u8]>>;
}

/// Checks a password without showing one (`sasl_auxprop_verify_plug_t`, an
/// extension of this project that stock libsasl2 ignores).
pub trait Verify: Send + Sync {
    /// The name of the auxprop plugin that it belongs to.
    fn name(&self) -> &CStr;

    /// Whether the store might show a password that a mechanism can use
    /// itself. `false` takes shared-secret mechanisms out of the list.
    fn shows_secrets(&self, _host: &dyn Host) -> bool {
        true
    }

    /// Whether `password` is the password of `user` (canonical name).
    ///
    /// # Errors
    /// `BADAUTH` (wrong), `NOUSER`, `NOMECH` (not configured), `UNAVAIL` (try
    /// later), `DISABLED`, `EXPIRED`, `PWLOCK`, `NOAUTHZ`, `FAIL`.
    fn verify(&self, host: &dyn Host, user: &[u8], password: &Secret) -> Result<()>;
}
