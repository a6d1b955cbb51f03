// SPDX-License-Identifier: MIT OR Apache-2.0
//! The service account: who searches, and how it binds.
#![forbid(unsafe_code)]

use super::options::Reader;
use crate::dn::Dn;
use crate::faults::Fault;
use mech::{PromptKind, Security, Ssf};
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
pub(crate) enum Account {
    /// A simple bind.
    Simple {
        name: String,
        password: Password,
    },
    Sasl(SaslAccount),
}

/// A bind with a mechanism.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SaslAccount {
    /// Mechanisms allowed; none: what the server offers.
    pub(crate) mechs: Vec<String>,
    /// The name in the Bind, usually none.
    pub(crate) name: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) password: Option<Password>,
    pub(crate) realm: Option<String>,
    pub(crate) authz_id: Option<String>,
    pub(crate) properties: Properties,
}

/// `ldapdb_secprops`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Properties {
    /// `None`: by what the connection is.
    pub(crate) security: Option<Security>,
    pub(crate) min_ssf: Ssf,
    pub(crate) max_ssf: Ssf,
    pub(crate) max_buffer: u32,
}

impl SaslAccount {
    /// A user who binds by one of `mechs`.
    pub(crate) fn of_user(name: &str, mechs: &[String]) -> Self {
        Self {
            mechs: mechs.to_vec(),
            name: None,
            id: Some(name.to_owned()),
            password: None,
            realm: None,
            authz_id: None,
            properties: Properties {
                security: None,
                min_ssf: 0,
                max_ssf: 0,
                max_buffer: 0,
            },
        }
    }
}

impl Account {
    /// Who it is, for the log.
    pub(crate) fn shown(&self) -> &str {
        match self {
            Self::Simple { name, .. } => name,
            Self::Sasl(account) => {
                let name = account.id.as_deref().or(account.name.as_deref());
                name.unwrap_or("(whoever the connection says)")
            }
        }
    }

    pub(crate) fn password(&self) -> Option<&Password> {
        match self {
            Self::Simple { password, .. } => Some(password),
            Self::Sasl(account) => account.password.as_ref(),
        }
    }

    /// Whether a Bind always shows its password.
    pub(crate) fn is_simple(&self) -> bool {
        matches!(self, Self::Simple { .. })
    }
}

/// What the options say about it; `proxies`: there must be one.
pub(super) fn account(options: &Reader<'_>, proxies: bool) -> Result<Option<Account>, Fault> {
    let named = ["ldapdb_bind_dn", "ldapdb_id", "ldapdb_mech"];
    let named = named.into_iter().any(|name| options.own(name).is_some());
    if !named && !proxies {
        return nobody(options);
    }
    let mech = match options.own("ldapdb_bind_dn") {
        Some(_) => options.own("ldapdb_mech"),
        None => options.text("ldapdb_mech"),
    };
    let simple = mech
        .as_deref()
        .is_some_and(|mech| mech.eq_ignore_ascii_case("SIMPLE"));
    let (bind_dn, id) = (options.text("ldapdb_bind_dn"), options.text("ldapdb_id"));
    if let (Some(id), None, false) = (&id, &bind_dn, simple) {
        if Dn::parse(id).is_some() {
            return Err(Fault::id_is_dn(id));
        }
    }
    let name = match (bind_dn, id, simple, mech) {
        (Some(name), _, _, None) | (Some(name), _, true, _) | (None, Some(name), true, _) => name,
        (None, None, true, _) => {
            let why = "SIMPLE needs ldapdb_bind_dn or ldapdb_id";
            return Err(Fault::bad_option("ldapdb_mech", why));
        }
        (name, id, false, mech) => return sasl(options, name, id, mech.as_deref()).map(Some),
    };
    let Some(password) = password(options)? else {
        let why = "the service account needs ldapdb_bind_pw or ldapdb_pw_file; for anonymous \
                   searches leave ldapdb_bind_dn out";
        return Err(Fault::bad_option("ldapdb_bind_pw", why));
    };
    Ok(Some(Account::Simple { name, password }))
}

fn nobody(options: &Reader<'_>) -> Result<Option<Account>, Fault> {
    for option in ["ldapdb_bind_pw", "ldapdb_pw", "ldapdb_pw_file"] {
        if options.text(option).is_some() {
            let why = "ldapdb_bind_dn is not set, so nobody would use it";
            return Err(Fault::bad_option(option, why));
        }
    }
    Ok(None)
}

fn sasl(
    options: &Reader<'_>,
    name: Option<String>,
    id: Option<String>,
    mech: Option<&str>,
) -> Result<Account, Fault> {
    let password = password(options)?;
    let mechs = known("ldapdb_mech", mech.unwrap_or_default())?;
    let needs = |kind: PromptKind| {
        let all = !mechs.is_empty() && mechs.iter().all(|(_, needs)| needs.contains(&kind));
        all.then(|| mech.unwrap_or_default())
    };
    if let (Some(mech), None) = (needs(PromptKind::AuthName), &id) {
        let why = format!("{mech} needs ldapdb_id; for a simple bind remove it");
        return Err(Fault::bad_option("ldapdb_mech", &why));
    }
    if let (Some(mech), None) = (needs(PromptKind::Pass), &password) {
        let why = format!("{mech} needs ldapdb_pw or ldapdb_pw_file");
        return Err(Fault::bad_option("ldapdb_mech", &why));
    }
    Ok(Account::Sasl(SaslAccount {
        mechs: mechs.into_iter().map(|(name, _)| name).collect(),
        name,
        id,
        password,
        realm: options.text("ldapdb_realm"),
        authz_id: options.text("ldapdb_authz_id"),
        properties: properties(
            options
                .text("ldapdb_secprops")
                .as_deref()
                .unwrap_or_default(),
        )?,
    }))
}

/// The mechanisms that `text` names, and what each needs to know.
fn known(option: &str, text: &str) -> Result<Vec<(String, &'static [PromptKind])>, Fault> {
    let words = text.split([' ', '\t', ',']).filter(|word| !word.is_empty());
    let understood = words.map(|word| {
        let mut all = mech::CLIENT.iter();
        let mechanism = all.find(|known| known.info().name.eq_ignore_ascii_case(word));
        let needs = mechanism.map(|mechanism| mechanism.required_prompts());
        needs
            .map(|needs| (word.to_ascii_uppercase(), needs))
            .ok_or_else(|| {
                let known: Vec<&str> = mech::CLIENT.iter().map(|mech| &*mech.info().name).collect();
                let why = format!("\"{word}\" is not one of SIMPLE, {}", known.join(", "));
                Fault::bad_option(option, &why)
            })
    });
    understood.collect()
}

/// The mechanisms of the users' binds (`ldapdb_user_mech`); none: simple binds.
pub(super) fn of_users(options: &Reader<'_>) -> Result<Vec<String>, Fault> {
    let option = "ldapdb_user_mech";
    let text = options.own(option).unwrap_or_default();
    if text.eq_ignore_ascii_case("SIMPLE") {
        return Ok(Vec::new());
    }
    let mechs = known(option, &text)?;
    let by_password = |needs: &[PromptKind]| {
        needs.contains(&PromptKind::Pass) && needs.contains(&PromptKind::AuthName)
    };
    match mechs.iter().find(|(_, needs)| !by_password(needs)) {
        Some((name, _)) => {
            let why = format!("{name} takes no name and password");
            Err(Fault::bad_option(option, &why))
        }
        None => Ok(mechs.into_iter().map(|(name, _)| name).collect()),
    }
}

/// The syntax of `SASL_SECPROPS` in ldap.conf.
fn properties(text: &str) -> Result<Properties, Fault> {
    let mut wanted = Properties {
        security: None,
        min_ssf: 0,
        max_ssf: 256,
        max_buffer: u32::MAX,
    };
    for word in text.split([' ', '\t', ',']).filter(|word| !word.is_empty()) {
        let bad = || Fault::bad_option("ldapdb_secprops", &format!("\"{word}\" is not known"));
        if let Some((name, value)) = word.split_once('=') {
            let value = value.parse().map_err(|_| bad())?;
            match name.to_ascii_lowercase().as_str() {
                "minssf" => wanted.min_ssf = value,
                "maxssf" => wanted.max_ssf = value,
                "maxbufsize" => wanted.max_buffer = value,
                _ => return Err(bad()),
            }
            continue;
        }
        let flag = match word.to_ascii_lowercase().as_str() {
            "none" => Security::empty(),
            "noplain" => Security::NOPLAINTEXT,
            "noactive" => Security::NOACTIVE,
            "nodict" => Security::NODICTIONARY,
            "noanonymous" => Security::NOANONYMOUS,
            "forwardsec" => Security::FORWARD_SECRECY,
            "passcred" => Security::PASS_CREDENTIALS,
            _ => return Err(bad()),
        };
        wanted.security = Some(wanted.security.unwrap_or(Security::empty()) | flag);
    }
    Ok(wanted)
}

fn password(options: &Reader<'_>) -> Result<Option<Password>, Fault> {
    let given = options
        .secret("ldapdb_bind_pw")
        .or_else(|| options.secret("ldapdb_pw"));
    match (given, options.text("ldapdb_pw_file")) {
        (Some(password), None) => Ok(Some(Password::Known(password))),
        (None, Some(path)) => Ok(Some(Password::File(PathBuf::from(path)))),
        (Some(_), Some(_)) => {
            let why = "ldapdb_bind_pw is set too; keep one of them";
            Err(Fault::bad_option("ldapdb_pw_file", why))
        }
        (None, None) => Ok(None),
    }
}
