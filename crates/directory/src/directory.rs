// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a plugin asks: properties of a user, a canonical name, a verdict on a
//! password. Everything that goes wrong is in the log when it returns.
#![forbid(unsafe_code)]

use crate::bind;
use crate::config::{Cleartext, Config, Lookup, VerifyBy};
use crate::connection::{Address, Broken, Connection};
use crate::deadline::Deadline;
use crate::faults::{Catalogue, Fault, Journal};
use crate::memo::Memo;
use crate::pool::{Pool, Role};
use crate::resolve::resolve;
use crate::template::Login;
use crate::uri::{Endpoint, Uri};
use crate::verify::scheme;
use saslplug::{Error, Secret};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Values found for one of the names asked for.
#[derive(Debug)]
pub struct Property {
    /// Index into the names.
    pub index: usize,
    /// The values, in the directory's order.
    pub values: Vec<Secret>,
}

/// A directory, as the options describe it.
#[derive(Debug)]
pub struct Directory {
    pub(crate) config: Config,
    pub(crate) memo: Memo,
    pool: Pool,
    catalogue: Catalogue,
    warned: AtomicBool,
    stock_told: AtomicBool,
    /// The service account was refused: not asked again before this moment.
    refused: Mutex<Option<(Instant, Fault)>>,
}

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
    /// A directory; nothing is connected before the first question.
    pub fn new(config: Config) -> Self {
        let pool = Pool::new(
            config.servers.len(),
            config.pool,
            config.idle_timeout,
            config.retry_after,
        );
        let catalogue = Catalogue::new(config.debug);
        Self {
            config,
            memo: Memo::default(),
            pool,
            catalogue,
            warned: AtomicBool::new(false),
            stock_told: AtomicBool::new(false),
            refused: Mutex::new(None),
        }
    }

    /// What the options say.
    pub fn config(&self) -> &Config {
        &self.config
    }

    fn call<'a>(&'a self, journal: &'a dyn Journal, login: Login<'a>) -> Call<'a> {
        if !self.warned.swap(true, Ordering::Relaxed) {
            self.config
                .warnings
                .iter()
                .for_each(|fault| self.catalogue.report(journal, fault));
        }
        let default_realm = self.config.default_realm.as_deref();
        let login = Login {
            default_realm,
            ..login
        };
        Call {
            journal,
            login,
            deadline: Deadline::after(self.config.max_wait),
        }
    }

    /// Writes a fault and makes it the error of the call.
    pub(crate) fn fail(&self, journal: &dyn Journal, fault: &Fault) -> Error {
        self.catalogue.report(journal, fault);
        fault.error()
    }

    pub(crate) fn report(&self, journal: &dyn Journal, fault: &Fault) {
        self.catalogue.report(journal, fault);
    }

    /// The values of `names` (without a star) for a user. `verifies`: the host
    /// knows that this plugin checks passwords.
    ///
    /// # Errors
    /// `NOUSER`, or why the directory could not be asked; already in the log.
    pub fn lookup(
        &self,
        journal: &dyn Journal,
        login: &Login<'_>,
        user: &[u8],
        names: &[&str],
        verifies: bool,
    ) -> Result<Vec<Property>, Error> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let result = checked(user).and_then(|user| {
            let call = self.call(
                journal,
                Login {
                    user,
                    ..login.clone()
                },
            );
            self.properties(&call, names, verifies)
        });
        result.map_err(|fault| self.fail(journal, &fault))
    }

    fn properties(
        &self,
        call: &Call<'_>,
        names: &[&str],
        verifies: bool,
    ) -> Result<Vec<Property>, Fault> {
        if self.config.lookup == Lookup::None {
            self.no_password_shown(call, names, call.login.user, verifies);
            return Ok(Vec::new());
        }
        let shown = |name: &&&str| self.config.shows_secrets() || !is_secret(name);
        let attribute = |name: &str| match is_password(name) {
            true => self.config.password_attr.clone(),
            false => name.to_owned(),
        };
        let asked: Vec<String> = names
            .iter()
            .filter(shown)
            .map(|name| attribute(name))
            .collect();
        let entry = self.find(call, &asked)?;
        let mut found = Vec::new();
        for (index, name) in names.iter().enumerate().filter(|(_, name)| shown(name)) {
            let mut values = entry.values(&attribute(name)).unwrap_or_default().to_vec();
            if is_password(name) {
                // A hash is no password: whoever knows it must not get in.
                values.retain(|value| scheme(value).is_none());
            }
            if !values.is_empty() {
                found.push(Property { index, values });
            }
        }
        let readable = |wanted: &Property| names.get(wanted.index).is_some_and(|n| is_password(n));
        if !found.iter().any(readable) {
            self.no_password_shown(call, names, &entry.dn, verifies);
        }
        Ok(found)
    }

    /// Says what it means that a password was asked for and none is readable.
    fn no_password_shown(&self, call: &Call<'_>, names: &[&str], dn: &str, verifies: bool) {
        if !names.iter().any(|name| is_password(name)) {
            return;
        }
        let plain_check = names
            .iter()
            .any(|name| name.eq_ignore_ascii_case("cmusaslsecretPLAIN"));
        let by_bind = matches!(self.config.verify, VerifyBy::Auto | VerifyBy::Bind);
        let attribute = &self.config.password_attr;
        match (plain_check, by_bind) {
            (false, _) => self.report(call.journal, &Fault::no_secret(dn, attribute)),
            (true, true) if verifies => {}
            (true, true) => {
                if !self.stock_told.swap(true, Ordering::Relaxed) {
                    self.report(call.journal, &Fault::stock());
                }
            }
            (true, false) => {
                let fault = Fault::no_password(call.login.user, dn, attribute);
                self.report(call.journal, &fault);
            }
        }
    }

    /// The canonical name of a user.
    ///
    /// # Errors
    /// As [`Directory::lookup`]; `FAIL` when the entry has no canonical name.
    pub fn canonical(
        &self,
        journal: &dyn Journal,
        login: &Login<'_>,
        user: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let result = checked(user.trim_ascii()).and_then(|user| {
            self.canonical_name(&self.call(
                journal,
                Login {
                    user,
                    ..login.clone()
                },
            ))
        });
        result.map_err(|fault| self.fail(journal, &fault))
    }

    /// Whether `password` is the password of a user.
    ///
    /// # Errors
    /// `BADAUTH` and the like, or why nobody could tell; already in the log.
    pub fn verify(
        &self,
        journal: &dyn Journal,
        login: &Login<'_>,
        user: &[u8],
        password: &Secret,
    ) -> Result<(), Error> {
        let result = checked(user).and_then(|user| {
            let call = self.call(
                journal,
                Login {
                    user,
                    ..login.clone()
                },
            );
            self.verdict(&call, password)
        });
        result.map_err(|fault| self.fail(journal, &fault))
    }

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
                    self.pool.works(index);
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

/// A login that may be looked up.
fn checked(user: &[u8]) -> Result<&str, Fault> {
    const LONGEST: usize = 1024;
    let text = core::str::from_utf8(user).ok();
    match text {
        _ if user.trim_ascii().is_empty() => Err(Fault::odd_login(user, "it is empty")),
        _ if user.len() > LONGEST => Err(Fault::odd_login(user, "it is longer than 1024 bytes")),
        Some(text) if text.chars().any(char::is_control) => {
            Err(Fault::odd_login(user, "it has control characters"))
        }
        Some(text) => Ok(text),
        None => Err(Fault::odd_login(user, "it is not UTF-8")),
    }
}

fn is_password(name: &str) -> bool {
    name.eq_ignore_ascii_case("userPassword")
}

/// Properties that hold a password or its equivalent.
fn is_secret(name: &str) -> bool {
    let begins = name
        .get(..13)
        .is_some_and(|head| head.eq_ignore_ascii_case("cmusaslsecret"));
    begins || is_password(name) || name.eq_ignore_ascii_case("authPassword")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_logins_are_not_looked_up() {
        let long = "x".repeat(65_536);
        for user in ["", "  ", "a\0b", "a\nb", long.as_str()] {
            let fault = checked(user.as_bytes()).unwrap_err();
            assert_eq!(
                (fault.number(), fault.code()),
                (38, saslplug::Code::NOUSER),
                "{fault}"
            );
            assert!(fault.to_string().len() < 400);
        }
        assert_eq!(checked(b"\xff\xfe").unwrap_err().number(), 38);
        for user in ["jdoe", "*", "a)(uid=*", "\\", "é", "jdoe*"] {
            assert_eq!(checked(user.as_bytes()).unwrap(), user);
        }
    }

    #[test]
    fn secrets_are_known_by_name() {
        assert!(is_secret("userpassword") && is_secret("cmusaslsecretCRAM-MD5"));
        assert!(is_secret("authPassword") && !is_secret("mail") && !is_secret("cmusaslsecre"));
    }
}
