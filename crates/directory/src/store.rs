// SPDX-License-Identifier: MIT OR Apache-2.0
//! New passwords and properties (`ldapdb_store`): Modify, or the password
//! modify operation (RFC 3062), or `unicodePwd` of Active Directory, on the entry
//! of the login.
//!
//! A request that changes something is sent once: on a new connection, and
//! never again if its answer gets lost.
#![forbid(unsafe_code)]

use crate::config::{Lookup, Store};
use crate::connection::{Broken, Connection};
use crate::deadline::Deadline;
use crate::directory::Directory;
use crate::faults::Fault;
use crate::pool::Role;
use crate::protocol::{self, Answer, Change, Outcome};
use crate::session::{Call, Server, Trouble};
use saslplug::Secret;

/// `noSuchAttribute` and `undefinedAttributeType`: what is not there needs no
/// removal.
const NOT_THERE: [u32; 2] = [16, 17];

impl Directory {
    /// Replaces the values of attributes of the login's entry.
    pub(crate) fn replace(
        &self,
        call: &Call<'_>,
        properties: &[(&str, &[Secret])],
    ) -> Result<(), Fault> {
        if self.config.lookup == Lookup::None || self.config.account.is_none() {
            return Err(Fault::cannot_store());
        }
        // Finding it may be tried again; changing it may not.
        let question = Call {
            journal: call.journal,
            login: call.login.clone(),
            deadline: call.deadline,
            once: false,
        };
        let entry = self.find(&question, &[])?;
        // sasl_setpass of stock asks for a property without a name too.
        let changes: Vec<Change<'_>> = properties
            .iter()
            .filter(|(name, _)| !name.is_empty())
            .map(|(name, values)| (self.attribute(name), *values))
            .collect();
        self.run(
            call,
            Role::Service,
            "a change of a password",
            &mut |connection, server, deadline| {
                self.replace_on(connection, server, &entry.dn, &changes, deadline)
            },
        )?;
        self.memo.forget(call.login.user);
        self.positive.forget(&call.login);
        let how = match self.config.store {
            Store::Exop => "RFC 3062",
            Store::ActiveDirectory => "unicodePwd",
            Store::Modify | Store::No => "modify",
        };
        self.report(call.journal, &Fault::stored(&entry.dn, how));
        Ok(())
    }

    fn replace_on(
        &self,
        connection: &mut Connection,
        server: Server<'_>,
        dn: &str,
        changes: &[Change<'_>],
        deadline: Deadline,
    ) -> Result<(), Trouble> {
        let secret = |change: &Change<'_>| !change.1.is_empty();
        if changes.iter().any(secret) && !connection.is_trusted() {
            return Err(Trouble::Fault(Fault::clear_text(
                server.label,
                server.label,
            )));
        }
        let proxied = (self.config.lookup == Lookup::Proxy).then(|| format!("dn:{dn}"));
        let proxied = proxied.as_deref();
        let mut rest = changes.to_vec();
        let is_password =
            |change: &Change<'_>| change.0.eq_ignore_ascii_case(&self.config.password_attr);
        let quoted: Vec<Secret>;
        if self.config.store == Store::ActiveDirectory {
            if !connection.is_encrypted() {
                return Err(Trouble::Fault(Fault::ad_wants_tls(server.label, dn)));
            }
            if let Some(change) = rest.iter_mut().find(|change| is_password(change)) {
                quoted = unicode_password(change.1)
                    .ok_or_else(|| Trouble::Fault(Fault::ad_password(dn)))?;
                *change = ("unicodePwd".to_owned(), &quoted);
            }
        }
        if self.config.store == Store::Exop {
            let password = |change: &Change<'_>| is_password(change) && !change.1.is_empty();
            if let Some((_, [value, ..])) = rest.iter().find(|change| password(change)) {
                let id = connection.next_id();
                let message = protocol::password_modify(id, dn, value, proxied);
                let outcome = changed(connection, id, &message, deadline)?;
                if outcome.code != 0 {
                    return Err(Trouble::Fault(Fault::not_stored(
                        server.label,
                        dn,
                        &outcome,
                    )));
                }
            }
            rest.retain(|change| !password(change));
        }
        // What is removed goes alone: one that is not there must not keep the
        // others from being changed.
        let (kept, removed): (Vec<Change<'_>>, _) =
            rest.into_iter().partition(|(_, values)| !values.is_empty());
        let mut steps: Vec<Vec<Change<'_>>> = removed.into_iter().map(|one| vec![one]).collect();
        if !kept.is_empty() {
            steps.insert(0, kept);
        }
        for step in steps {
            let id = connection.next_id();
            let message = protocol::modify(id, dn, &step, proxied);
            let outcome = changed(connection, id, &message, deadline)?;
            let removes = step.iter().all(|(_, values)| values.is_empty());
            let done = outcome.code == 0 || removes && NOT_THERE.contains(&outcome.code);
            if !done {
                return Err(Trouble::Fault(Fault::not_stored(
                    server.label,
                    dn,
                    &outcome,
                )));
            }
        }
        Ok(())
    }
}

/// The value of `unicodePwd` (MS-ADTS 3.1.1.3.1.5): in quotes, as UTF-16. There is
/// no account without one.
fn unicode_password(values: &[Secret]) -> Option<Vec<Secret>> {
    let [value] = values else {
        return None;
    };
    let text = core::str::from_utf8(value.as_bytes()).ok()?;
    let mut bytes = Vec::with_capacity(text.len().saturating_mul(2).saturating_add(4));
    let quoted = core::iter::once('"').chain(text.chars()).chain(['"']);
    for letter in quoted {
        let mut units = [0; 2];
        let units = letter.encode_utf16(&mut units);
        units
            .iter()
            .for_each(|unit| bytes.extend(unit.to_le_bytes()));
    }
    Some(vec![Secret::new(bytes)])
}

fn changed(
    connection: &mut Connection,
    id: i32,
    message: &[u8],
    deadline: Deadline,
) -> Result<Outcome, Broken> {
    connection.send(message, deadline)?;
    match connection.receive(id, deadline)? {
        Answer::Modified(outcome) | Answer::Extended(outcome, _) => Ok(outcome),
        _ => Err(Broken::Malformed(
            "it answered a change with something else",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_for_active_directory() {
        let values = |texts: &[&str]| texts.iter().map(|t| Secret::from(t.as_bytes())).collect();
        let one: Vec<Secret> = values(&["aé"]);
        let sent = unicode_password(&one).unwrap();
        assert_eq!(sent[0].as_bytes(), [34, 0, 97, 0, 0xe9, 0, 34, 0]);
        let none: Vec<Secret> = values(&[]);
        assert!(unicode_password(&none).is_none());
        assert!(unicode_password(&[Secret::from(&b"\xff"[..])]).is_none());
    }
}
