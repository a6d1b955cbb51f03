// SPDX-License-Identifier: MIT OR Apache-2.0
//! The service account: who searches.
#![forbid(unsafe_code)]

use super::options::Reader;
use crate::dn::Dn;
use crate::faults::Fault;
use saslplug::Secret;
use std::path::PathBuf;

/// The password of the service account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Password {
    Known(Secret),
    File(PathBuf),
}

/// The service account; none: searches are anonymous.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) password: Password,
}

/// What the options say about it.
pub(super) fn account(options: &Reader<'_>) -> Result<Option<Account>, Fault> {
    let mech = options.text("ldapdb_mech");
    let simple = mech
        .as_deref()
        .is_some_and(|mech| mech.eq_ignore_ascii_case("SIMPLE"));
    let (bind_dn, id) = (options.text("ldapdb_bind_dn"), options.text("ldapdb_id"));
    if let (Some(id), None, false) = (&id, &bind_dn, simple) {
        if Dn::parse(id).is_some() {
            return Err(Fault::id_is_dn(id));
        }
    }
    if let (Some(mech), false) = (&mech, simple) {
        let instead =
            "Use a simple bind: ldapdb_bind_dn and ldapdb_bind_pw, or ldapdb_mech: SIMPLE.";
        return Err(Fault::unavailable("ldapdb_mech", mech, instead));
    }
    let name = match (bind_dn, id) {
        (Some(name), _) => name,
        (None, Some(id)) if simple => id,
        (None, Some(id)) => {
            let instead = "It means a SASL bind; use ldapdb_bind_dn, or ldapdb_mech: SIMPLE.";
            return Err(Fault::unavailable("ldapdb_id", &id, instead));
        }
        (None, None) => return without_name(options, simple),
    };
    Ok(Some(Account {
        name,
        password: password(options)?,
    }))
}

fn without_name(options: &Reader<'_>, simple: bool) -> Result<Option<Account>, Fault> {
    let why = "ldapdb_bind_dn is not set, so nobody would use it";
    for option in ["ldapdb_bind_pw", "ldapdb_pw", "ldapdb_pw_file"] {
        if options.text(option).is_some() {
            return Err(Fault::bad_option(option, why));
        }
    }
    if simple {
        return Err(Fault::bad_option(
            "ldapdb_mech",
            "SIMPLE needs ldapdb_bind_dn or ldapdb_id",
        ));
    }
    Ok(None)
}

fn password(options: &Reader<'_>) -> Result<Password, Fault> {
    let given = options
        .secret("ldapdb_bind_pw")
        .or_else(|| options.secret("ldapdb_pw"));
    match (given, options.text("ldapdb_pw_file")) {
        (Some(password), None) => Ok(Password::Known(password)),
        (None, Some(path)) => Ok(Password::File(PathBuf::from(path))),
        (Some(_), Some(_)) => {
            let why = "ldapdb_bind_pw is set too; keep one of them";
            Err(Fault::bad_option("ldapdb_pw_file", why))
        }
        (None, None) => {
            let why = "the service account needs ldapdb_bind_pw or ldapdb_pw_file; for anonymous \
                       searches leave ldapdb_bind_dn out";
            Err(Fault::bad_option("ldapdb_bind_pw", why))
        }
    }
}
