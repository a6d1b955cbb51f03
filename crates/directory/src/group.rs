// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ldapdb_group_dn`: who is found must be a member of a group too. The service
//! account asks the server to compare; the list itself is never read.
#![forbid(unsafe_code)]

use crate::connection::Broken;
use crate::directory::Directory;
use crate::faults::Fault;
use crate::pool::Role;
use crate::protocol::{self, Answer, Entry};
use crate::session::{Call, Trouble};
use crate::template::Login;

impl Directory {
    /// Refuses an entry that is no member of the group, if there is one.
    pub(crate) fn must_be_member(
        &self,
        call: &Call<'_>,
        login: &Login<'_>,
        entry: &Entry,
    ) -> Result<(), Fault> {
        let Some(group) = &self.config.group else {
            return Ok(());
        };
        let template = group.template.fill_dn(login);
        let name = template.ok_or_else(|| Fault::no_value(login.user, "ldapdb_group_dn"))?;
        self.run(
            call,
            Role::Service,
            "a question about a group",
            &mut |connection, server, deadline| {
                let name = self.completed(&name, server);
                let id = connection.next_id();
                let request = protocol::compare(id, &name, &group.attribute, &entry.dn);
                connection.send(&request, deadline)?;
                let outcome = match connection.receive(id, deadline)? {
                    Answer::Compared(outcome) => outcome,
                    _ => {
                        let why = "it answered a question about a group with something else";
                        return Err(Trouble::Broken(Broken::Malformed(why)));
                    }
                };
                // 6: the value is there; 5, 16, 17: it is not.
                let fault = match outcome.code {
                    6 => return Ok(()),
                    5 | 16 | 17 => Fault::no_member(login.user, &entry.dn, &name),
                    _ => Fault::group(server.label, &name, &outcome),
                };
                Err(Trouble::Fault(fault))
            },
        )
    }
}
