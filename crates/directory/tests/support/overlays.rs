// SPDX-License-Identifier: MIT OR Apache-2.0
//! What slapds can do besides: one that others may copy (syncprov), one that
//! copies it (syncrepl) and goes on when the first is gone, one with password
//! policies (ppolicy).

use super::slapd::configuration;
use std::path::Path;
use std::process::Command;

/// Who may do everything.
pub(crate) const ADMIN: &str = "cn=admin,dc=users,dc=local";
/// Its password.
pub(crate) const PASSWORD: &str = "copies";

/// The plain configuration, with an administrator, a module, and `more` for its
/// database.
fn with(folder: &Path, module: &str, more: &str) -> String {
    let modules = format!("moduleload back_mdb\nmoduleload {module}\n");
    let text = configuration(folder).replace("moduleload back_mdb\n", &modules);
    let admin = format!("\nrootdn {ADMIN}\nrootpw {PASSWORD}\ndirectory ");
    text.replace("\ndirectory ", &admin) + more
}

/// The one that is copied.
pub(crate) fn provider(folder: &Path) -> String {
    with(folder, "syncprov", "overlay syncprov\n")
}

/// The copy of `server`.
pub(crate) fn consumer(folder: &Path, server: &str) -> String {
    let copies = format!(
        "syncrepl rid=1 provider={server} type=refreshAndPersist retry=\"1 +\" \
         searchbase=dc=users,dc=local bindmethod=simple binddn={ADMIN} credentials={PASSWORD} \
         network-timeout=2\n"
    );
    with(folder, "syncprov", &copies)
}

/// The one with password policies.
pub(crate) fn policies(folder: &Path) -> String {
    let overlay = "overlay ppolicy\nppolicy_default cn=default,dc=users,dc=local\n\
                   ppolicy_use_lockout\n";
    with(folder, "ppolicy", overlay)
}

/// Its policy: passwords last 100 days, the last ten with a warning, and two
/// logins after that.
pub(crate) const POLICY: &str = "\
dn: cn=default,dc=users,dc=local
objectClass: device
objectClass: pwdPolicy
cn: default
pwdAttribute: userPassword
pwdMaxAge: 8640000
pwdExpireWarning: 864000
pwdGraceAuthnLimit: 2
pwdMustChange: TRUE
pwdLockout: TRUE
pwdMaxFailure: 3

";

/// Somebody with the password \"dogood\" that is so old, and more attributes.
pub(crate) fn person(name: &str, days: u32, more: &str) -> String {
    let old = Command::new("date")
        .args(["-u", "-d", &format!("-{days} days"), "+%Y%m%d%H%M%SZ"])
        .output();
    let changed = String::from_utf8(old.unwrap().stdout).unwrap();
    format!(
        "dn: cn={name},ou=people,dc=users,dc=local\nobjectClass: inetOrgPerson\ncn: {name}\n\
         sn: {name}\nmail: {name}@example.com\nuserPassword: dogood\n\
         pwdChangedTime: {changed}{more}\n"
    )
}
