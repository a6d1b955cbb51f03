// SPDX-License-Identifier: MIT OR Apache-2.0
//! A new connection, bound as the service account if it shall search.
#![forbid(unsafe_code)]

use crate::bind;
use crate::config::{Account, AskPolicy, SaslAccount};
use crate::connection::Connection;
use crate::deadline::Deadline;
use crate::directory::Directory;
use crate::faults::Fault;
use crate::lookup::read;
use crate::pool::Role;
use crate::protocol::POLICY;
use crate::sasl::{Agent, Ended};
use crate::session::{Call, Server};
use saslplug::Secret;
use std::time::{Duration, Instant};

const SERVICE_BIND: &str = "the bind of the service account";

impl Directory {
    /// A new connection, bound if it shall search.
    pub(crate) fn open(
        &self,
        call: &Call<'_>,
        server: Server<'_>,
        role: Role,
    ) -> Result<Connection, Fault> {
        let account = self.config.account.as_ref();
        let Some(account) = account.filter(|_| role == Role::Service) else {
            return self.connect(call, server, role == Role::Verify);
        };
        self.not_refused()?;
        let connection = self.open_bound(call, server, account)?;
        self.learned_policy(call, server, connection, account)
    }

    fn open_bound(
        &self,
        call: &Call<'_>,
        server: Server<'_>,
        account: &Account,
    ) -> Result<Connection, Fault> {
        let connection = self.connect(call, server, account.is_simple())?;
        self.bound(call, server, connection, account)
    }

    /// The same connection, bound as the service account.
    pub(crate) fn bound(
        &self,
        call: &Call<'_>,
        server: Server<'_>,
        mut connection: Connection,
        account: &Account,
    ) -> Result<Connection, Fault> {
        let bound = match account {
            Account::Simple { name, .. } => self.bind_simply(call, server, &mut connection, name),
            Account::Sasl(sasl) => self.bind_by_sasl(call, server, &mut connection, sasl),
        };
        match bound.and_then(|()| self.ready_to_proxy(call, server, &mut connection)) {
            Ok(()) => Ok(connection),
            Err(fault) => {
                connection.close();
                Err(fault)
            }
        }
    }

    /// The connection, after the server was asked once whether it has password
    /// policies. One that closes it instead of answering gets a new one.
    pub(crate) fn learned_policy(
        &self,
        call: &Call<'_>,
        server: Server<'_>,
        mut connection: Connection,
        account: &Account,
    ) -> Result<Connection, Fault> {
        let auto = self.config.ask_policy == AskPolicy::Auto && self.config.verifies_by_bind();
        if !auto || self.pool.has_policy(server.index).is_some() {
            return Ok(connection);
        }
        let deadline = call.deadline.within(self.config.timeout);
        let attribute = "supportedControl";
        let asked = [attribute.to_owned()];
        let Ok((root, outcome)) = read(&mut connection, "", &asked, None, deadline) else {
            self.pool.learn_policy(server.index, false);
            return self.open_bound(call, server, account);
        };
        let root = root.unwrap_or_default();
        let mut listed = root.values(attribute).unwrap_or_default().iter();
        let has = listed.any(|oid| oid.as_bytes() == POLICY.as_bytes());
        self.pool.learn_policy(server.index, has);
        // Some servers close after a refusal, without a word.
        if outcome.code != 0 {
            connection.close();
            return self.open_bound(call, server, account);
        }
        Ok(connection)
    }

    /// The service account's password, if it has one.
    fn service_password(&self, call: &Call<'_>) -> Result<Option<Secret>, Fault> {
        let account = self.config.account.as_ref();
        let Some(password) = account.and_then(Account::password) else {
            return Ok(None);
        };
        let (password, warning) = bind::password(password)?;
        warning
            .iter()
            .for_each(|warning| self.report(call.journal, warning));
        Ok(Some(password))
    }

    fn bind_simply(
        &self,
        call: &Call<'_>,
        server: Server<'_>,
        connection: &mut Connection,
        name: &str,
    ) -> Result<(), Fault> {
        let name = self.completed(name, server);
        let password = self.service_password(call)?.unwrap_or_default();
        let deadline = call.deadline.within(self.config.timeout);
        let (outcome, _) = bind::simple(connection, &name, &password, &[], deadline)
            .map_err(|broken| self.broken(server, SERVICE_BIND, broken))?;
        if outcome.code == 0 {
            self.report(call.journal, &Fault::bound(server.label, &name));
            return Ok(());
        }
        let fault = Fault::service_bind(server.label, &name, &outcome);
        if outcome.code == 49 {
            self.remember_refusal(&fault);
        }
        Err(fault)
    }

    fn bind_by_sasl(
        &self,
        call: &Call<'_>,
        server: Server<'_>,
        connection: &mut Connection,
        account: &SaslAccount,
    ) -> Result<(), Fault> {
        let broken = |broken| self.broken(server, SERVICE_BIND, broken);
        let deadline = call.deadline.within(self.config.timeout);
        let (host, socket) = server.host();
        let certified = connection.is_encrypted() && self.config.tls.identity.is_some();
        let about = [
            socket || certified,
            connection.is_trusted(),
            socket || connection.is_encrypted(),
        ];
        let agent = Agent::new(account, self.service_password(call)?, host, about);
        let offered = match account.mechs.as_slice() {
            [] => Some(self.offered(server, connection, deadline)?),
            _ => None,
        };
        let mechanism = agent.choose(offered.as_deref()).map_err(|why| {
            Fault::no_mechanism(server.label, offered.as_deref(), &account.mechs, &why)
        })?;
        let name = account.name.as_deref().unwrap_or_default();
        let name = match name {
            "" => String::new(),
            name => self.completed(name, server),
        };
        let who = self.config.account.as_ref().map(Account::shown);
        let who = format!("{} by {}", who.unwrap_or_default(), mechanism.info().name);
        match agent
            .bind(connection, mechanism, &name, deadline)
            .map_err(broken)?
        {
            Ended::Bound => {
                self.report(call.journal, &Fault::bound(server.label, &who));
                Ok(())
            }
            Ended::Refused(outcome) => {
                let fault = Fault::sasl_bind(server.label, &who, &outcome);
                if outcome.code == 49 {
                    self.remember_refusal(&fault);
                }
                Err(fault)
            }
            Ended::Failed(why) => Err(Fault::sasl_failed(server.label, &who, &why)),
        }
    }

    /// The mechanisms that a server names to whoever asks.
    fn offered(
        &self,
        server: Server<'_>,
        connection: &mut Connection,
        deadline: Deadline,
    ) -> Result<Vec<String>, Fault> {
        let attribute = "supportedSASLMechanisms";
        let (entry, outcome) = read(connection, "", &[attribute.to_owned()], None, deadline)
            .map_err(|broken| self.broken(server, "the search for its mechanisms", broken))?;
        if outcome.code != 0 {
            return Err(Fault::no_root(server.label, &outcome));
        }
        let entry = entry.unwrap_or_default();
        let values = entry.values(attribute).unwrap_or_default();
        let text = |value: &Secret| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Ok(values.iter().map(text).collect())
    }

    /// A server that refused the account is not asked at every login: it would
    /// lock the account.
    fn not_refused(&self) -> Result<(), Fault> {
        let Ok(mut refused) = self.refused.try_lock() else {
            return Ok(());
        };
        match &*refused {
            Some((until, fault)) if *until > Instant::now() => Err(fault.clone()),
            _ => {
                *refused = None;
                Ok(())
            }
        }
    }

    fn remember_refusal(&self, fault: &Fault) {
        let pause = self.config.retry_after.min(Duration::from_secs(30));
        if let (Ok(mut refused), Some(until)) =
            (self.refused.try_lock(), Instant::now().checked_add(pause))
        {
            *refused = Some((until, fault.clone()));
        }
    }
}
