// SPDX-License-Identifier: MIT OR Apache-2.0
//! A bind as the user, on a connection that only ever binds: by which name, by
//! which mechanism, and what the server says about the password.
#![forbid(unsafe_code)]

use crate::bind;
use crate::config::{AskPolicy, SaslAccount};
use crate::connection::Connection;
use crate::deadline::Deadline;
use crate::directory::Directory;
use crate::faults::Fault;
use crate::pool::Role;
use crate::protocol::{Entry, Outcome, POLICY};
use crate::sasl::{Agent, Ended};
use crate::session::{Call, Server, Trouble};
use crate::template::{Login, Template};
use saslplug::{Code, Secret};
use std::time::Instant;

impl Directory {
    /// Whether the server is asked for its password policy.
    fn asks_for_policy(&self, server: Server<'_>) -> bool {
        match self.config.ask_policy {
            AskPolicy::Yes => true,
            AskPolicy::No => false,
            AskPolicy::Auto => self.pool.has_policy(server.index) == Some(true),
        }
    }

    /// One bind as the user, on a connection that only ever binds.
    pub(crate) fn by_bind(
        &self,
        call: &Call<'_>,
        entry: Option<&Entry>,
        password: &Secret,
    ) -> Result<(), Fault> {
        let login = Login {
            entry: entry.map(|entry| entry.dn.as_str()),
            ..call.login.clone()
        };
        self.run(
            call,
            Role::Verify,
            "the bind of a user",
            &mut |connection, server, deadline| {
                self.bind_as_user(call, connection, server, &login, password, deadline)
            },
        )
    }

    fn bind_as_user(
        &self,
        call: &Call<'_>,
        connection: &mut Connection,
        server: Server<'_>,
        login: &Login<'_>,
        password: &Secret,
        deadline: Deadline,
    ) -> Result<(), Trouble> {
        let name = self.bind_name(login, server).map_err(Trouble::Fault)?;
        let start = Instant::now();
        let (outcome, policy) = if self.config.user_mechs.is_empty() {
            let controls: &[&str] = match self.asks_for_policy(server) {
                true => &[POLICY],
                false => &[],
            };
            bind::simple(connection, &name, password, controls, deadline)?
        } else {
            let outcome = self.bind_by_mechanism(connection, server, &name, password, deadline)?;
            (outcome, None)
        };
        let said = policy.and_then(|policy| Fault::policy(login.user, &name, &outcome, policy));
        match (said, outcome.code) {
            (Some(fault), _) if fault.code() != Code::OK => Err(Trouble::Fault(fault)),
            (note, 0) => {
                note.iter().for_each(|note| self.report(call.journal, note));
                let fault = Fault::verified(login.user, &name, start.elapsed());
                self.report(call.journal, &fault);
                Ok(())
            }
            _ => {
                let fault = Fault::user_bind(server.label, login.user, &name, &outcome);
                Err(Trouble::Fault(fault))
            }
        }
    }

    /// A SASL bind of the user (`ldapdb_user_mech`), without a layer, so that the
    /// connection can be bound again.
    fn bind_by_mechanism(
        &self,
        connection: &mut Connection,
        server: Server<'_>,
        name: &str,
        password: &Secret,
        deadline: Deadline,
    ) -> Result<Outcome, Trouble> {
        let account = SaslAccount::of_user(name, &self.config.user_mechs);
        let (host, socket) = server.host();
        let about = [
            false,
            connection.is_trusted(),
            socket || connection.is_encrypted(),
        ];
        let agent = Agent::new(&account, Some(password.clone()), host, about);
        let mechanism = agent.choose(None).map_err(|why| {
            let fault = Fault::no_mechanism(server.label, None, &account.mechs, &why);
            Trouble::Fault(fault)
        })?;
        match agent.bind(connection, mechanism, "", deadline)? {
            Ended::Bound => Ok(Outcome::default()),
            Ended::Refused(outcome) => Ok(outcome),
            Ended::Failed(why) => {
                let fault = Fault::broken(server.label, "the bind of a user", &why);
                Err(Trouble::Fault(fault))
            }
        }
    }

    /// The name that the user's bind carries.
    fn bind_name(&self, login: &Login<'_>, server: Server<'_>) -> Result<String, Fault> {
        let name = match &self.config.user_dn {
            None if self.config.user_mechs.is_empty() => login.entry.map(str::to_owned),
            None => Some(login.user.to_owned()),
            Some(user) => {
                let text = match user.is_dn {
                    true => self.completed(&user.text, server),
                    false => user.text.clone(),
                };
                let template = Template::parse(&text)
                    .map_err(|why| Fault::bad_option("ldapdb_user_dn", &why))?;
                if user.is_dn {
                    template.fill_dn(login)
                } else if is_safe_raw(login.user) {
                    template
                        .fill(login)
                        .and_then(|name| String::from_utf8(name).ok())
                } else {
                    let why = "with a raw ldapdb_user_dn it may not have = , \\ / { } or S-1-";
                    return Err(Fault::odd_login(login.user.as_bytes(), why));
                }
            }
        };
        let name = name.ok_or_else(|| Fault::no_value(login.user, "ldapdb_user_dn"))?;
        // Without a name the bind is anonymous and succeeds for everybody.
        if name.trim().is_empty() {
            return Err(Fault::no_bind_name(login.user));
        }
        Ok(name)
    }
}

/// Whether a directory that tries several forms of a name takes this one for
/// what it looks like.
fn is_safe_raw(user: &str) -> bool {
    let sid = user
        .get(..4)
        .is_some_and(|head| head.eq_ignore_ascii_case("S-1-"));
    !sid && !user.contains(['=', ',', '\\', '/', '{', '}'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_names_look_like_names() {
        for user in [
            "cn=x",
            "a,b",
            "DOM\\x",
            "corp.ex/x",
            "{guid}",
            "S-1-5-21",
            "s-1-5",
        ] {
            assert!(!is_safe_raw(user), "{user}");
        }
        assert!(is_safe_raw("jdoe@corp.ex"));
    }
}
