// SPDX-License-Identifier: MIT OR Apache-2.0
//! The server's part that all mechanisms share: its key, the tokens, who the
//! client is.
#![forbid(unsafe_code)]

use crate::ffi::{self, Bindings, Context, Credentials, Flags, Flow, Kind, Name};
use mech::{Lookup, ServerHost, Ssf};
use saslplug::{Code, Error, GssObjects, Handle, Host, Identity, Result};
use std::rc::Rc;

/// The option that names the file with the server's keys.
pub(crate) fn keytab(host: &dyn Host) -> Option<String> {
    host.option("GSSAPI", "keytab")
        .map(|keytab| keytab.trim().to_owned())
        .filter(|keytab| !keytab.is_empty())
}

/// The file that a keytab's name means, if it is a file.
pub(crate) fn keytab_path(keytab: &str) -> Option<&str> {
    let path = keytab.strip_prefix("FILE:").unwrap_or(keytab);
    let path = path.strip_prefix("WRFILE:").unwrap_or(path);
    path.starts_with('/').then_some(path)
}

/// The accepting side of a context.
pub(crate) struct Acceptor {
    context: Rc<Context>,
    credentials: Credentials,
    delegated: Option<Credentials>,
    client: Option<Name>,
    server: Option<Name>,
}

impl Acceptor {
    /// One with the key of this service on this host.
    ///
    /// # Errors
    /// `NOMECH` without the library, `FAIL` without a key.
    pub(crate) fn new(host: &dyn ServerHost, kind: Kind) -> Result<Self> {
        let library = ffi::required()?;
        let fqdn = host.server_fqdn();
        let credentials = match Credentials::lent(library, host.gss_credentials()) {
            Some(lent) => lent,
            None => {
                let name = if fqdn.is_empty() {
                    None
                } else {
                    Some(Name::service(library, &host.service(), &fqdn)?)
                };
                Credentials::acceptor(library, name.as_ref(), keytab(host).as_deref(), kind)?
            }
        };
        Ok(Self {
            context: Rc::new(Context::new(library, kind)),
            credentials,
            delegated: None,
            client: None,
            server: None,
        })
    }

    /// Takes a token and answers.
    ///
    /// # Errors
    /// `BADPROT`, `BADAUTH`, `BADBINDING` with the library's words.
    pub(crate) fn accept(&mut self, bindings: Option<&Bindings>, token: &[u8]) -> Result<Flow> {
        if token.is_empty() {
            return Err(Error::new(Code::BADPROT, "the client sent an empty token"));
        }
        let context = Rc::get_mut(&mut self.context).ok_or(Code::FAIL)?;
        let accepted = context.accept(Some(&self.credentials), bindings, token)?;
        if accepted.delegated.handle() != Handle::NONE {
            self.delegated = Some(accepted.delegated);
        }
        if accepted.flow.complete {
            self.client = Some(accepted.client);
        }
        Ok(accepted.flow)
    }

    /// The context, once it is complete.
    pub(crate) fn context(&self) -> &Rc<Context> {
        &self.context
    }

    /// What the context does.
    pub(crate) fn flags(&self) -> Flags {
        self.context.flags()
    }

    /// The strength of encryption.
    pub(crate) fn strength(&self) -> Ssf {
        strength(&self.context)
    }

    /// Who the client is: the principal, without the realm when that is where
    /// this machine would look for the bare name. Names are shown to the host.
    ///
    /// # Errors
    /// `BADAUTH` for nobody in particular, `FAIL` with the library's words.
    pub(crate) fn authid(&mut self, host: &dyn ServerHost) -> Result<Vec<u8>> {
        if self.flags().has(Flags::ANONYMOUS) {
            return Err(Error::new(Code::BADAUTH, "the client is anonymous"));
        }
        let client = self.client.as_ref().ok_or(Code::FAIL)?;
        let principal = client.display()?;
        if principal.is_empty() || principal.contains(&0) {
            return Err(Error::new(
                Code::BADAUTH,
                "the client's principal is no name",
            ));
        }
        let bare = without_realm(&principal);
        // A name that this machine cannot map is no fault: the realm stays.
        let local = bare.filter(|bare| is_local(bare, &principal).unwrap_or(false));
        let authid = local.unwrap_or(&principal).to_vec();
        // IAKERB does not tell our own name.
        self.server = self.context.names().map(|(_, server)| server).ok();
        self.show(host);
        Ok(authid)
    }

    fn show(&self, host: &dyn ServerHost) {
        let name = |name: &Option<Name>| name.as_ref().map_or(Handle::NONE, Name::handle);
        host.show_gss(&GssObjects {
            peer: name(&self.client),
            local: name(&self.server),
            delegated: self
                .delegated
                .as_ref()
                .map_or(Handle::NONE, Credentials::handle),
        });
    }
}

/// The strength of a context's encryption.
pub(crate) fn strength(context: &Context) -> Ssf {
    // A library that does not tell: the weakest cipher that Kerberos ever had.
    context.strength().unwrap_or(56)
}

/// Stores the identities: Kerberos vouches for the client, so no store of users
/// need know it; the name to act as is looked up as always.
///
/// # Errors
/// What canonicalisation and lookup say.
pub(crate) fn identify(host: &dyn ServerHost, authid: &[u8], authzid: &[u8]) -> Result<()> {
    let vouched = Lookup::ExternallyVerified;
    if authzid.is_empty() {
        return host.identify(authid, Identity::Both, vouched);
    }
    if authzid.contains(&0) {
        return Err(Error::new(Code::BADPROT, "the authzid has a NUL inside"));
    }
    host.identify(authid, Identity::Authid, vouched)?;
    host.identify(authzid, Identity::Authzid, vouched)
}

/// Whether this machine takes the bare name for this principal.
fn is_local(bare: &[u8], principal: &[u8]) -> Result<bool> {
    let name = Name::user(ffi::required()?, bare)?.as_principal()?;
    Ok(name.display()? == principal)
}

/// The name before the last `@` that is no part of it.
fn without_realm(principal: &[u8]) -> Option<&[u8]> {
    let mut escaped = false;
    let mut at = None;
    for (index, byte) in principal.iter().enumerate() {
        match byte {
            b'\\' if !escaped => escaped = true,
            b'@' if !escaped => at = Some(index),
            _ => escaped = false,
        }
    }
    principal.get(..at?).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_realm_is_what_follows_the_last_free_at() {
        assert_eq!(without_realm(b"alice@LAB.TEST"), Some(&b"alice"[..]));
        assert_eq!(
            without_realm(br"alice\@corp@LAB.TEST"),
            Some(&br"alice\@corp"[..])
        );
        assert_eq!(without_realm(b"alice"), None);
        assert_eq!(without_realm(br"alice\@LAB"), None);
        assert_eq!(without_realm(b"@LAB.TEST"), None);
    }

    #[test]
    fn a_keytab_may_be_named_with_its_type() {
        assert_eq!(keytab_path("/etc/k"), Some("/etc/k"));
        assert_eq!(keytab_path("FILE:/etc/k"), Some("/etc/k"));
        assert_eq!(keytab_path("MEMORY:x"), None);
    }
}
