// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way to a server: address by address, inside TLS where that is wanted,
//! and whether a password may go there.
#![forbid(unsafe_code)]

use crate::config::{Cleartext, StartTls};
use crate::connection::{Address, Broken, Connection};
use crate::deadline::Deadline;
use crate::directory::Directory;
use crate::faults::Fault;
use crate::protocol::START_TLS;
use crate::race::{Finish, Race};
use crate::resolve::resolve;
use crate::session::{Call, Server};
use crate::uri::Endpoint;

impl Directory {
    /// Whether a password may go there in clear.
    pub(crate) fn allows_clear_text(&self, address: &Address) -> bool {
        match self.config.cleartext {
            Cleartext::Yes => true,
            Cleartext::Local => address.is_local(),
            Cleartext::Never => false,
        }
    }

    /// A connection to the first address that answers.
    pub(crate) fn connect(
        &self,
        call: &Call<'_>,
        server: Server<'_>,
        sends_password: bool,
    ) -> Result<Connection, Fault> {
        let (addresses, default_port) = self.addresses(call, server)?;
        let addresses = self.permitted(server, addresses, sends_password)?;
        let mut last = None;
        let mut race = Race::new(&addresses, self.config.connect_timeout, call.deadline);
        while let Some((index, finish)) = race.next() {
            let Some(address) = addresses.get(index) else {
                continue;
            };
            let fault = match self.reached(server, address, default_port, finish) {
                Ok(connection) => match self.secured(call, server, address, connection) {
                    Ok(connection) => {
                        return self.trusted(server, address, connection, sends_password);
                    }
                    Err(fault) => fault,
                },
                Err(fault) if fault.is_unreachable() => last.take().unwrap_or(fault),
                Err(fault) => fault,
            };
            last = Some(fault);
        }
        Err(last.unwrap_or_else(|| Fault::unresolved(server.label, server.label, "no address")))
    }

    /// A connection to one address, as it is.
    pub(crate) fn reach(
        &self,
        call: &Call<'_>,
        server: Server<'_>,
        address: &Address,
        default_port: bool,
    ) -> Result<Connection, Fault> {
        let one = std::slice::from_ref(address);
        let finish = Race::new(one, self.config.connect_timeout, call.deadline).next();
        let finish = finish.map_or(Err(Broken::TimedOut), |(_, finish)| finish);
        self.reached(server, address, default_port, finish)
    }

    /// What an attempt to connect led to.
    fn reached(
        &self,
        server: Server<'_>,
        address: &Address,
        default_port: bool,
        finish: Finish,
    ) -> Result<Connection, Fault> {
        finish.map(Connection::over).map_err(|broken| match broken {
            Broken::TimedOut => self.slow(server, "connect"),
            Broken::Closed(why) => {
                let why = why.strip_prefix("the connection broke: ").unwrap_or(&why);
                Fault::unreachable(server.label, &address.text(), why, default_port)
            }
            broken => self.broken(server, "connect", broken),
        })
    }

    /// The same connection, which knows whether a password may go over it.
    pub(crate) fn trusted(
        &self,
        server: Server<'_>,
        address: &Address,
        connection: Connection,
        sends_password: bool,
    ) -> Result<Connection, Fault> {
        let trusted = connection.is_encrypted() || self.allows_clear_text(address);
        if trusted || !sends_password {
            return Ok(connection.trust(trusted));
        }
        connection.close();
        Err(Fault::clear_text(server.label, &address.text()))
    }

    /// The addresses that may be connected to: all, or those where a password
    /// would not go in clear.
    pub(crate) fn permitted(
        &self,
        server: Server<'_>,
        addresses: Vec<Address>,
        sends_password: bool,
    ) -> Result<Vec<Address>, Fault> {
        let secure = |address: &Address| server.uri.is_ldaps() || self.starts_tls(address);
        let may = |address: &Address| {
            !sends_password || secure(address) || self.allows_clear_text(address)
        };
        let (permitted, refused): (Vec<_>, Vec<_>) = addresses.into_iter().partition(may);
        match (permitted.is_empty(), refused.first()) {
            (true, Some(address)) => Err(Fault::clear_text(server.label, &address.text())),
            _ => Ok(permitted),
        }
    }

    /// All addresses of a server, and whether its port was not written.
    pub(crate) fn addresses(
        &self,
        call: &Call<'_>,
        server: Server<'_>,
    ) -> Result<(Vec<Address>, bool), Fault> {
        match &server.uri.endpoint {
            Endpoint::Unix(path) => Ok((vec![Address::Unix(path.clone())], false)),
            Endpoint::Service(domain) => {
                let why = "its servers are not known";
                Err(Fault::unresolved(server.label, domain, why))
            }
            Endpoint::Tcp {
                host,
                port,
                default_port,
            } => {
                let limit = call.deadline.within(self.config.connect_timeout);
                let found = resolve(host, *port, limit)
                    .map_err(|why| Fault::unresolved(server.label, host, &why))?;
                let plain = *default_port && !server.uri.is_ldaps();
                Ok((found.into_iter().map(Address::Tcp).collect(), plain))
            }
        }
    }

    fn slow(&self, server: Server<'_>, what: &str) -> Fault {
        let limit = self.config.connect_timeout.min(self.config.max_wait);
        Fault::timed_out(server.label, limit.as_secs(), what)
    }

    fn starts_tls(&self, address: &Address) -> bool {
        self.config.tls.start != StartTls::No && matches!(address, Address::Tcp(_))
    }

    /// `connection` inside TLS, if that is wanted and the server can.
    pub(crate) fn secured(
        &self,
        call: &Call<'_>,
        server: Server<'_>,
        address: &Address,
        mut connection: Connection,
    ) -> Result<Connection, Fault> {
        let limit = call.deadline.within(self.config.connect_timeout);
        if server.uri.is_ldaps() {
            return self.encrypted(server, address, connection, limit);
        }
        if !self.starts_tls(address) {
            return Ok(connection);
        }
        let outcome = match connection.extended(START_TLS, None, limit) {
            Ok((outcome, _)) => outcome,
            Err(Broken::TimedOut) => return Err(self.slow(server, "connect (StartTLS)")),
            Err(broken) => return Err(self.broken(server, "StartTLS", broken)),
        };
        match (outcome.code, self.config.tls.start) {
            (0, _) => self.encrypted(server, address, connection, limit),
            (_, StartTls::Try) => {
                let fault = Fault::no_starttls(server.label, &outcome, true);
                self.report(call.journal, &fault);
                Ok(connection)
            }
            _ => {
                connection.close();
                Err(Fault::no_starttls(server.label, &outcome, false))
            }
        }
    }

    #[cfg(feature = "tls")]
    fn encrypted(
        &self,
        server: Server<'_>,
        address: &Address,
        connection: Connection,
        limit: Deadline,
    ) -> Result<Connection, Fault> {
        use crate::tls::Refused;
        let Endpoint::Tcp { host, .. } = &server.uri.endpoint else {
            return Ok(connection);
        };
        let options = &self.config.tls;
        let host = options.name.as_deref().unwrap_or(host);
        let failed = |why: &str| Fault::tls(server.label, &address.text(), why);
        connection.encrypted(
            |socket| {
                let stream = self.tls.handshake(options, host, socket, limit);
                stream.map_err(|refused| match refused {
                    Refused::Because(why) => failed(&why),
                    Refused::TimedOut => self.slow(server, "connect (TLS)"),
                })
            },
            failed,
        )
    }

    #[cfg(not(feature = "tls"))]
    fn encrypted(
        &self,
        server: Server<'_>,
        address: &Address,
        _connection: Connection,
        _limit: Deadline,
    ) -> Result<Connection, Fault> {
        let why = "this build has no TLS";
        Err(Fault::tls(server.label, &address.text(), why))
    }
}
