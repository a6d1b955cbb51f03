// SPDX-License-Identifier: MIT OR Apache-2.0
//! What must hold before an exchange counts as a success, whatever the
//! mechanism says: proxy policy and channel binding.
#![forbid(unsafe_code)]

use super::Server;
use crate::application::{Asked, Authorisation};
use mech::{Disposition, Done};
use saslplug::{Code, Error, Result};

const CB_PROXY_POLICY: core::ffi::c_ulong = 0x8001;

impl Server {
    /// May the authid act as the authzid?
    pub(super) fn authorise(&self) -> Result<()> {
        let (authid, authzid) = (
            self.conn.authid.borrow().clone(),
            self.conn.authzid.borrow().clone(),
        );
        let (Some(authid), Some(requested)) = (authid, authzid) else {
            let text = "mech did not call canon_user for both authzid and authid";
            return Err(Error::new(Code::BADPROT, text));
        };
        if self.conn.app.lists(CB_PROXY_POLICY) {
            let realm = self.conn.realm.borrow().clone();
            let request = Authorisation {
                requested: &requested,
                authid: &authid,
                realm: realm.as_deref(),
            };
            match self.conn.app.authorise(&request) {
                Asked::Given(()) => return Ok(()),
                Asked::Refused(error) => return Err(error),
                Asked::Absent(_) | Asked::Interact => {}
            }
        }
        if std::rc::Rc::ptr_eq(&requested, &authid) || requested.is_empty() || requested == authid {
            return Ok(());
        }
        let text = "Requested identity not authenticated identity";
        Err(Error::new(Code::BADAUTH, text))
    }

    /// Ends a verification outside an exchange: proxy policy alone.
    ///
    /// # Errors
    /// The policy's.
    pub(crate) fn allow(&self) -> Result<()> {
        self.authorise()
    }

    /// Is what the client bound to what the application wants?
    pub(super) fn check_binding(&self, done: &Done) -> Result<()> {
        let bindings = self.conn.bindings.borrow().clone();
        let critical = bindings.iter().any(|binding| binding.critical);
        match (bindings.first(), done.binding.disposition) {
            (Some(_), Disposition::None) if critical => Err(Error::new(
                Code::BADBINDING,
                "server requires channel binding but client provided none",
            )),
            (Some(_), Disposition::Want) => Err(Error::new(
                Code::BADAUTH,
                "client incorrectly assumed server had no channel binding",
            )),
            (None, Disposition::Used) => Err(Error::new(
                Code::BADBINDING,
                "client provided channel binding but server had none",
            )),
            (Some(first), Disposition::Used) => {
                let used = done.binding.name.as_deref().unwrap_or_default();
                if bindings.iter().any(|binding| binding.name == used) {
                    return Ok(());
                }
                let text = format!(
                    "client channel binding {used} does not match server {}",
                    first.name
                );
                Err(Error::with(Code::BADBINDING, text))
            }
            _ if self.plus_asked.get() && done.binding.disposition != Disposition::Used => {
                Err(Error::new(
                    Code::BADBINDING,
                    "client chose a -PLUS mechanism but did not bind",
                ))
            }
            _ => Ok(()),
        }
    }
}
