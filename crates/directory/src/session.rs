// SPDX-License-Identifier: MIT OR Apache-2.0
//! One question to the servers: which is asked, on which connection, when it
//! is asked again, and when it is given up.
#![forbid(unsafe_code)]

use crate::bind;
use crate::config::Cleartext;
use crate::connection::{Address, Broken, Connection};
use crate::deadline::Deadline;
use crate::directory::Directory;
use crate::faults::{Fault, Journal};
use crate::pool::Role;
use crate::resolve::resolve;
use crate::template::Login;
use crate::uri::{Endpoint, Uri};
use std::time::{Duration, Instant};

/// One call of the plugin.
pub(crate) struct Call<'a> {
    pub(crate) journal: &'a dyn Journal,
    pub(crate) login: Login<'a>,
    pub(crate) deadline: Deadline,
}

/// Why an operation on a connection did not succeed.
pub(crate) enum Trouble {
    /// The connection is of no more use.
    Broken(Broken),
    /// The server answered; the connection is fine.
    Fault(Fault),
}

impl From<Broken> for Trouble {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

/// The server that is asked.
#[derive(Clone, Copy)]
pub(crate) struct Server<'a> {
    pub(crate) index: usize,
    pub(crate) uri: &'a Uri,
    pub(crate) label: &'a str,
}

impl Directory {
    /// Runs `work` on a connection of the first server that can: kept ones
    /// first, a stale one is replaced once.
    pub(crate) fn run<T>(
        &self,
        call: &Call<'_>,
        role: Role,
        what: &'static str,
        work: &mut dyn FnMut(&mut Connection, Server<'_>, Deadline) -> Result<T, Trouble>,
    ) -> Result<T, Fault> {
        let mut last = None;
        for index in self.pool.order(self.config.servers.len()) {
            let Some(uri) = self.config.servers.get(index) else {
                continue;
            };
            if let Some(fault) = last.take() {
                self.report(call.journal, &fault);
            }
            let label = uri.label();
            let server = Server {
                index,
                uri,
                label: &label,
            };
            match self.run_on(call, server, role, what, work) {
                Ok(value) => {
                    if self.pool.works(index) {
                        self.report(call.journal, &Fault::back(&label));
                    }
                    return Ok(value);
                }
                Err(fault) if fault.tries_next() => {
                    let pause = self.pool.failed(index);
                    if self.config.servers.len() > 1 {
                        self.report(call.journal, &Fault::skipped(&label, pause, &fault));
                    }
                    last = Some(fault);
                }
                Err(fault) => return Err(fault),
            }
            if call.deadline.left().is_none() {
                break;
            }
        }
        Err(last.unwrap_or_else(|| Fault::out_of_time(self.config.max_wait.as_secs())))
    }

    fn run_on<T>(
        &self,
        call: &Call<'_>,
        server: Server<'_>,
        role: Role,
        what: &'static str,
        work: &mut dyn FnMut(&mut Connection, Server<'_>, Deadline) -> Result<T, Trouble>,
    ) -> Result<T, Fault> {
        let mut kept = self.pool.take(server.index, role);
        loop {
            let reused = kept.is_some();
            let mut connection = match kept.take() {
                Some(connection) => connection,
                None => self.open(call, server, role)?,
            };
            let limit = call.deadline.within(self.config.timeout);
            match work(&mut connection, server, limit) {
                Ok(value) => {
                    self.pool.give(server.index, role, connection);
                    return Ok(value);
                }
                Err(Trouble::Fault(fault)) => {
                    self.pool.give(server.index, role, connection);
                    return Err(fault);
                }
                Err(Trouble::Broken(broken)) => {
                    drop(connection);
                    self.pool.clear(server.index);
                    if !(reused && matches!(broken, Broken::Closed(_))) {
                        return Err(self.broken(server, what, broken));
                    }
                }
            }
        }
    }

    fn broken(&self, server: Server<'_>, what: &str, broken: Broken) -> Fault {
        match broken {
            Broken::TimedOut => {
                let seconds = self.config.timeout.min(self.config.max_wait).as_secs();
                Fault::timed_out(server.label, seconds, what)
            }
            Broken::Closed(why) => Fault::broken(server.label, what, &why),
            Broken::Malformed(why) => Fault::broken(server.label, what, why),
        }
    }

    /// A new connection, bound if it shall search.
    fn open(&self, call: &Call<'_>, server: Server<'_>, role: Role) -> Result<Connection, Fault> {
        let account = self
            .config
            .account
            .as_ref()
            .filter(|_| role == Role::Service);
        if account.is_some() {
            self.not_refused()?;
        }
        let mut connection =
            self.connect(call, server, role == Role::Verify || account.is_some())?;
        let Some(account) = account else {
            return Ok(connection);
        };
        let name = self.completed(&account.name, server);
        let (password, warning) = bind::password(account)?;
        warning
            .iter()
            .for_each(|warning| self.report(call.journal, warning));
        let what = "the bind of the service account";
        let deadline = call.deadline.within(self.config.timeout);
        let outcome = bind::simple(&mut connection, &name, &password, deadline)
            .map_err(|broken| self.broken(server, what, broken))?;
        if outcome.code == 0 {
            self.report(call.journal, &Fault::bound(server.label, &name));
            return Ok(connection);
        }
        let fault = Fault::service_bind(server.label, &name, &outcome);
        if outcome.code == 49 {
            self.remember_refusal(&fault);
        }
        connection.close();
        Err(fault)
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

    fn connect(
        &self,
        call: &Call<'_>,
        server: Server<'_>,
        sends_password: bool,
    ) -> Result<Connection, Fault> {
        let (addresses, default_port) = match &server.uri.endpoint {
            Endpoint::Unix(path) => (vec![Address::Unix(path.clone())], false),
            Endpoint::Tcp {
                host,
                port,
                default_port,
            } => {
                let limit = call.deadline.within(self.config.connect_timeout);
                let found = resolve(host, *port, limit)
                    .map_err(|why| Fault::unresolved(server.label, host, &why))?;
                (found.into_iter().map(Address::Tcp).collect(), *default_port)
            }
        };
        let mut last = None;
        for address in addresses {
            let allowed = match self.config.cleartext {
                Cleartext::Yes => true,
                Cleartext::Local => address.is_local(),
                Cleartext::Never => false,
            };
            if sends_password && !allowed {
                return Err(Fault::clear_text(server.label, &address.text()));
            }
            let limit = call.deadline.within(self.config.connect_timeout);
            match Connection::open(&address, limit) {
                Ok(connection) => return Ok(connection),
                Err(Broken::TimedOut) => {
                    let seconds = self
                        .config
                        .connect_timeout
                        .min(self.config.max_wait)
                        .as_secs();
                    last = Some(Fault::timed_out(server.label, seconds, "connect"));
                }
                Err(Broken::Closed(why)) => {
                    let why = why.strip_prefix("the connection broke: ").unwrap_or(&why);
                    let fault =
                        Fault::unreachable(server.label, &address.text(), why, default_port);
                    last = Some(last.unwrap_or(fault));
                }
                Err(broken) => last = Some(self.broken(server, "connect", broken)),
            }
        }
        Err(last.unwrap_or_else(|| Fault::unresolved(server.label, server.label, "no address")))
    }

    /// `name` as it is sent to `server`.
    pub(crate) fn completed(&self, name: &str, server: Server<'_>) -> String {
        let context = server
            .uri
            .base
            .as_deref()
            .filter(|_| self.config.dn_complete);
        crate::dn::complete(name, context)
    }
}
