// SPDX-License-Identifier: MIT OR Apache-2.0
//! Proxied authorization (RFC 4370), as the original plugin uses it: the server
//! maps the login to an entry, which is then read as its owner.
//!
//! Some servers ignore the control even where it is critical, and would answer
//! for the service account. So what Who Am I says with the control must differ
//! from what it says without.
#![forbid(unsafe_code)]

use crate::config::Account;
use crate::connection::Connection;
use crate::deadline::Deadline;
use crate::directory::Directory;
use crate::dn::Dn;
use crate::faults::{self, Fault};
use crate::lookup::read;
use crate::memo::Key;
use crate::pool::Role;
use crate::protocol::{Entry, Outcome, PROXY, WHO_AM_I, code_name};
use crate::session::{Call, Server, Trouble};
use crate::template::Login;

impl Directory {
    /// Whether `connection`, just bound, can ask for others; notes who it is.
    pub(crate) fn ready_to_proxy(
        &self,
        call: &Call<'_>,
        server: Server<'_>,
        connection: &mut Connection,
    ) -> Result<(), Fault> {
        if self.config.lookup != crate::config::Lookup::Proxy {
            return Ok(());
        }
        let deadline = call.deadline.within(self.config.timeout);
        let attribute = "supportedControl";
        let broken = |broken| self.broken(server, "a question about itself", broken);
        let (root, _) =
            read(connection, "", &[attribute.to_owned()], None, deadline).map_err(broken)?;
        // A root DSE that is hidden says nothing either way.
        let listed = root.unwrap_or_default();
        if let Some(controls) = listed.values(attribute) {
            if !controls
                .iter()
                .any(|oid| oid.as_bytes() == PROXY.as_bytes())
            {
                return Err(Fault::no_proxy(
                    server.label,
                    "its root DSE does not list it",
                ));
            }
        }
        let (outcome, value) = connection
            .extended(WHO_AM_I, None, deadline)
            .map_err(broken)?;
        if outcome.code != 0 {
            return Err(Fault::no_proxy(server.label, &said(&outcome)));
        }
        let own = String::from_utf8_lossy(&value.unwrap_or_default()).into_owned();
        connection.set_own(own);
        Ok(())
    }

    /// The entry of `login`, read as its owner.
    pub(crate) fn search_proxied(
        &self,
        call: &Call<'_>,
        login: &Login<'_>,
        asked: &[String],
    ) -> Result<Entry, Fault> {
        let key = Key {
            user: login.user,
            realm: login.realm,
            service: login.service,
        };
        let known = self.memo.name_of(key).map(|dn| format!("dn:{dn}"));
        self.run(
            call,
            Role::Service,
            "proxied search",
            &mut |connection, server, deadline| {
                let identity = match &known {
                    Some(identity) => identity.clone(),
                    None => self.identity(connection, server, login, deadline)?,
                };
                self.read_proxied(connection, server, login, &identity, asked, deadline)
            },
        )
    }

    /// Who `login` is: `dn:…`.
    fn identity(
        &self,
        connection: &mut Connection,
        server: Server<'_>,
        login: &Login<'_>,
        deadline: Deadline,
    ) -> Result<String, Trouble> {
        let refuse = |why: &str| Trouble::Fault(Fault::no_proxy(server.label, why));
        let user = format!("u:{}", login.user);
        let (outcome, value) = connection.extended(WHO_AM_I, Some(&user), deadline)?;
        if outcome.code != 0 {
            return Err(refused_proxy(connection, server, login, &outcome));
        }
        let identity = String::from_utf8(value.unwrap_or_default())
            .map_err(|_| refuse("Who Am I said something that is no text"))?;
        let Some(name) = dn_of(&identity) else {
            return Err(refuse(&format!(
                "Who Am I said \"{identity}\", which is no dn:"
            )));
        };
        let is_account = match &self.config.account {
            Some(Account::Sasl(account)) => account.id.as_deref() == Some(login.user),
            _ => false,
        };
        let own = connection.own().and_then(dn_of);
        if own.is_some_and(|own| own.same(&name)) && !is_account {
            return Err(refuse("Who Am I returned the service account itself"));
        }
        Ok(identity)
    }

    fn read_proxied(
        &self,
        connection: &mut Connection,
        server: Server<'_>,
        login: &Login<'_>,
        identity: &str,
        asked: &[String],
        deadline: Deadline,
    ) -> Result<Entry, Trouble> {
        let base = identity.strip_prefix("dn:").unwrap_or_default();
        let attributes = self.wanted(server, asked);
        let (entry, outcome) = read(connection, base, &attributes, Some(identity), deadline)?;
        let shown = faults::Search {
            base: base.to_owned(),
            scope: "base",
            filter: "(objectClass=*)".to_owned(),
            account: identity.to_owned(),
        };
        match (outcome.code, entry) {
            (0, Some(entry)) => Ok(entry),
            (0, None) => Err(Trouble::Fault(Fault::no_entry(login.user, &shown))),
            (2 | 12 | 47 | 123, _) => Err(refused_proxy(connection, server, login, &outcome)),
            _ => Err(Trouble::Fault(Fault::search(
                server.label,
                &shown,
                &outcome,
                &[],
            ))),
        }
    }
}

fn refused_proxy(
    connection: &Connection,
    server: Server<'_>,
    login: &Login<'_>,
    outcome: &Outcome,
) -> Trouble {
    Trouble::Fault(match outcome.code {
        47 | 123 => {
            let own = connection.own().unwrap_or_default();
            Fault::not_proxied(login.user, own, outcome)
        }
        2 | 12 | 53 => Fault::no_proxy(server.label, &said(outcome)),
        _ => Fault::answered(server.label, outcome, "Who Am I"),
    })
}

fn said(outcome: &Outcome) -> String {
    let name = code_name(outcome.code);
    format!(
        "Who Am I said {} {name} \"{}\"",
        outcome.code, outcome.message
    )
}

/// The name in `dn:…`.
fn dn_of(identity: &str) -> Option<Dn> {
    Dn::parse(identity.strip_prefix("dn:")?)
}
