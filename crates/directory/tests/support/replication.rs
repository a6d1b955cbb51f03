// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two slapds with the same people: one that others may copy (syncprov), and
//! one that copies it (syncrepl) and goes on when the first is gone.

use super::slapd::configuration;
use std::path::Path;

/// Who copies, and may do everything.
pub(crate) const ADMIN: &str = "cn=admin,dc=users,dc=local";
/// Its password.
pub(crate) const PASSWORD: &str = "copies";

/// The plain configuration, with an administrator and `more` for its database.
fn with(folder: &Path, more: &str) -> String {
    let text = configuration(folder).replace(
        "moduleload back_mdb\n",
        "moduleload back_mdb\nmoduleload syncprov\n",
    );
    let admin = format!("\nrootdn {ADMIN}\nrootpw {PASSWORD}\ndirectory ");
    text.replace("\ndirectory ", &admin) + more
}

/// The one that is copied.
pub(crate) fn provider(folder: &Path) -> String {
    with(folder, "overlay syncprov\n")
}

/// The copy of `server`.
pub(crate) fn consumer(folder: &Path, server: &str) -> String {
    let copies = format!(
        "syncrepl rid=1 provider={server} type=refreshAndPersist retry=\"1 +\" \
         searchbase=dc=users,dc=local bindmethod=simple binddn={ADMIN} credentials={PASSWORD} \
         network-timeout=2\n"
    );
    with(folder, &copies)
}
