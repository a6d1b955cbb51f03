// SPDX-License-Identifier: MIT OR Apache-2.0
//! One question to the servers: which is asked, on which connection, when it
//! is asked again, and when it is given up.
#![forbid(unsafe_code)]

use crate::connection::{Broken, Connection};
use crate::deadline::Deadline;
use crate::directory::Directory;
use crate::faults::{Fault, Journal};
use crate::pool::Role;
use crate::template::Login;
use crate::uri::{Endpoint, Uri};

/// One call of the plugin.
pub(crate) struct Call<'a> {
    pub(crate) journal: &'a dyn Journal,
    pub(crate) login: Login<'a>,
    pub(crate) deadline: Deadline,
    /// Whether it changes something, and must not be asked twice.
    pub(crate) once: bool,
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
    /// Which URI of `ldapdb_uri` it stands for.
    pub(crate) listed: usize,
    pub(crate) uri: &'a Uri,
    pub(crate) label: &'a str,
}

impl<'a> Server<'a> {
    /// Its host as mechanisms name it, and whether a local socket leads there.
    pub(crate) fn host(&self) -> (&'a str, bool) {
        match &self.uri.endpoint {
            Endpoint::Tcp { host, .. } => (host.as_str(), false),
            Endpoint::Unix(_) => ("localhost", true),
            Endpoint::Service(domain) => (domain.as_str(), false),
        }
    }
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
        let (places, mut faults) = self.servers.now(&self.config.servers, call.deadline);
        let mut last = faults.pop();
        faults
            .iter()
            .for_each(|fault| self.report(call.journal, fault));
        let numbers: Vec<usize> = places.iter().map(|place| place.index).collect();
        for index in self.pool.order(&numbers) {
            let Some(place) = places.iter().find(|place| place.index == index) else {
                continue;
            };
            if let Some(fault) = last.take() {
                self.report(call.journal, &fault);
            }
            let label = place.uri.label();
            let server = Server {
                index,
                listed: place.listed,
                uri: &place.uri,
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
                    if places.len() > 1 {
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
        let waiting = || self.pool.take(server.index, role);
        let mut kept = if call.once { None } else { waiting() };
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
                        let fault = self.broken(server, what, broken);
                        return Err(if call.once { fault.not_next() } else { fault });
                    }
                }
            }
        }
    }

    pub(crate) fn broken(&self, server: Server<'_>, what: &str, broken: Broken) -> Fault {
        match broken {
            Broken::TimedOut => {
                let seconds = self.config.timeout.min(self.config.max_wait).as_secs();
                Fault::timed_out(server.label, seconds, what)
            }
            Broken::Closed(why) => Fault::broken(server.label, what, &why),
            Broken::Malformed(why) => Fault::broken(server.label, what, why),
        }
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
