// SPDX-License-Identifier: MIT OR Apache-2.0
//! The `ldapdb_*` options, understood once.
//!
//! What a later version will do is refused by name, never ignored: a login
//! that works because a restriction was skipped is worse than none.
#![forbid(unsafe_code)]

use crate::dn::Dn;
use crate::faults::Fault;
use crate::filter::Filter;
use crate::template::Template;
use crate::uri::{Scope, Uri, parse_list};
use std::time::Duration;

mod account;
mod filters;
pub(crate) mod ldaprc;
mod options;
mod tls;
mod values;

pub(crate) use account::{Account, Password, SaslAccount};
pub(crate) use tls::{Cleartext, StartTls, TlsOptions};
pub(crate) use values::{AskPolicy, Group, Store};

use account::account;
use ldaprc::{Defaults, Surroundings};
use options::{Reader, refuse_later_ones};

/// How a password is checked (`ldapdb_verify`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VerifyBy {
    /// By a readable value if there is one, else by bind.
    Auto,
    /// By bind only: no password is ever read.
    Bind,
    /// By a readable value only.
    Value,
    /// Not by this plugin.
    No,
}

/// How the entry of a login is found (`ldapdb_lookup`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lookup {
    /// By proxied authorization: the server says who the login is.
    Proxy,
    Search,
    None,
}

/// Everything that the options say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    pub(crate) servers: Vec<Uri>,
    pub(crate) account: Option<Account>,
    pub(crate) dn_complete: bool,
    pub(crate) lookup: Lookup,
    pub(crate) base: Option<(String, Template)>,
    /// `BASE` of ldap.conf, where nothing else says one.
    pub(crate) default_base: Option<String>,
    pub(crate) scope: Option<Scope>,
    pub(crate) attribute_map: Vec<(String, String)>,
    /// Schemes of stored passwords that are compared.
    pub(crate) hashes: Vec<&'static str>,
    pub(crate) negative_ttl: Duration,
    pub(crate) cache_ttl: Duration,
    pub(crate) ask_policy: AskPolicy,
    pub(crate) group: Option<Group>,
    /// Mechanisms of the users' binds; none: simple binds.
    pub(crate) user_mechs: Vec<String>,
    pub(crate) store: Store,
    /// `ldapdb_filter`, else the filter of the URI, else the default.
    pub(crate) filters: Vec<Filter>,
    /// Without `ldapdb_require`, which the others have.
    pub(crate) unrestricted: Vec<Filter>,
    pub(crate) canon_attr: Option<String>,
    /// Name of the user's bind; `None`: the entry's DN.
    pub(crate) user_dn: Option<UserName>,
    pub(crate) verify: VerifyBy,
    pub(crate) password_attr: String,
    pub(crate) default_realm: Option<String>,
    pub(crate) cleartext: Cleartext,
    pub(crate) tls: TlsOptions,
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) max_wait: Duration,
    pub(crate) retry_after: Duration,
    /// Servers in any order (`ldapdb_balance`).
    pub(crate) shuffles: bool,
    pub(crate) pool: usize,
    pub(crate) idle_timeout: Duration,
    pub(crate) debug: bool,
    pub(crate) warnings: Vec<Fault>,
}

/// `ldapdb_user_dn`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct UserName {
    pub(crate) text: String,
    /// Whether the name is a DN; else it is sent as it is (UPN, `DOM\x`).
    pub(crate) is_dn: bool,
}

impl Config {
    /// Every option that this plugin knows, available or not.
    pub fn option_names() -> impl Iterator<Item = &'static str> {
        options::NAMES.into_iter()
    }

    /// Understands the options; `get` answers `None` for one that is not set.
    ///
    /// # Errors
    /// The first thing that is wrong, with its remedy.
    pub fn read(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, Fault> {
        Self::read_in(get, &Surroundings::real())
    }

    fn read_in(
        get: &dyn Fn(&str) -> Option<String>,
        around: &Surroundings<'_>,
    ) -> Result<Self, Fault> {
        let mut options = Reader {
            get,
            defaults: Defaults::default(),
        };
        refuse_later_ones(&options)?;
        let rc = options.own("ldapdb_rc");
        let system = options.switch("ldapdb_ldapconf", true)?;
        let (defaults, missing) = Defaults::find(rc.as_deref(), system, around);
        options.defaults = defaults;
        let (servers, mut warnings) = match options.text("ldapdb_uri") {
            Some(list) => parse_list(&list)?,
            None => return Err(Fault::no_uri()),
        };
        if let (Some(rc), true) = (&rc, missing) {
            warnings.push(Fault::no_rc(rc));
        }
        let lookup = lookup(&options)?;
        let account = account(&options, lookup == Lookup::Proxy)?;
        if let Some(name) = account
            .as_ref()
            .and_then(|account| Dn::parse(account.shown()))
        {
            if let Some(kind) = name.lost_comma() {
                warnings.push(Fault::lost_comma(&name.text(), kind));
            }
        }
        let canon_attr = options.attribute("ldapdb_canon_attr")?;
        let (filters, unrestricted) =
            filters::all(&options, &servers, canon_attr.as_deref(), lookup)?;
        let config = Self {
            filters,
            unrestricted,
            lookup,
            default_base: options.defaults.get("BASE").map(str::to_owned),
            attribute_map: values::attribute_map(&options)?,
            hashes: values::hashes(&options)?,
            store: values::store(&options)?,
            negative_ttl: options.some_seconds("ldapdb_negative_ttl")?,
            cache_ttl: options.some_seconds("ldapdb_cache_ttl")?,
            ask_policy: values::ask_policy(&options)?,
            group: values::group(&options)?,
            user_mechs: account::of_users(&options)?,
            base: base(&options)?,
            scope: options.choice(
                "ldapdb_scope",
                &[
                    ("sub", Scope::Sub),
                    ("one", Scope::One),
                    ("base", Scope::Base),
                ],
            )?,
            user_dn: user_dn(&options)?,
            verify: options
                .choice(
                    "ldapdb_verify",
                    &[
                        ("auto", VerifyBy::Auto),
                        ("bind", VerifyBy::Bind),
                        ("value", VerifyBy::Value),
                        ("no", VerifyBy::No),
                    ],
                )?
                .unwrap_or(VerifyBy::Auto),
            password_attr: options
                .attribute("ldapdb_password_attr")?
                .unwrap_or_else(|| "userPassword".to_owned()),
            default_realm: options.text("ldapdb_default_realm"),
            cleartext: tls::cleartext(&options)?,
            tls: tls::tls(&options, &servers, &mut warnings)?,
            connect_timeout: options.seconds("ldapdb_connect_timeout", 3)?,
            timeout: options.seconds("ldapdb_timeout", 8)?,
            max_wait: options.seconds("ldapdb_max_wait", 15)?,
            retry_after: options.seconds("ldapdb_retry_after", 30)?,
            shuffles: options
                .choice("ldapdb_balance", &[("order", false), ("random", true)])?
                .unwrap_or(false),
            pool: options.number("ldapdb_pool", 4)?,
            idle_timeout: options.seconds("ldapdb_idle_timeout", 240)?,
            dn_complete: options.switch("ldapdb_dn_complete", true)?,
            debug: options.switch("ldapdb_debug", false)?,
            servers,
            account,
            canon_attr,
            warnings,
        };
        config.consistent()?;
        Ok(config)
    }

    /// Whether a password may be shown to mechanisms.
    pub fn shows_secrets(&self) -> bool {
        self.lookup != Lookup::None && self.verify != VerifyBy::Bind
    }

    /// Whether a password may be verified by a simple bind as the user.
    pub(crate) fn verifies_by_bind(&self) -> bool {
        matches!(self.verify, VerifyBy::Auto | VerifyBy::Bind) && self.user_mechs.is_empty()
    }

    /// Whether passwords and properties can be changed.
    pub fn stores(&self) -> bool {
        self.store != Store::No
    }

    /// How a password is checked.
    pub fn verify(&self) -> VerifyBy {
        self.verify
    }

    /// What each option alone cannot tell.
    fn consistent(&self) -> Result<(), Fault> {
        if self.lookup == Lookup::Search {
            let lost = self.servers.iter().find(|server| server.base.is_none());
            let default = self.default_base.is_some();
            if let (None, Some(server), false) = (&self.base, lost, default) {
                let why = format!(
                    "there is no search base for {}: write it into ldapdb_uri \
                     (ldap://host/dc=example,dc=com) or set ldapdb_search_base",
                    server.label()
                );
                return Err(Fault::bad_option("ldapdb_search_base", &why));
            }
        }
        if self.lookup != Lookup::None {
            return self.raw_name_is_safe();
        }
        let needy = [
            ("ldapdb_canon_attr", self.canon_attr.is_some()),
            ("ldapdb_group_dn", self.group.is_some()),
            ("ldapdb_user_mech", !self.user_mechs.is_empty()),
        ];
        if let Some((option, _)) = needy.into_iter().find(|(_, set)| *set) {
            let why = "an entry must be found for it: set ldapdb_lookup: search";
            return Err(Fault::bad_option(option, why));
        }
        if self.verify == VerifyBy::Value {
            let why = "a value is read from an entry: set ldapdb_lookup: search";
            return Err(Fault::bad_option("ldapdb_verify", why));
        }
        match &self.user_dn {
            None => {
                let why = "ldapdb_lookup: none needs a template such as uid=%U,ou=people";
                Err(Fault::bad_option("ldapdb_user_dn", why))
            }
            Some(name) if !name.is_dn => {
                let why = "only a DN can be used with ldapdb_lookup: none, because with another \
                           name the directory would decide who that is";
                Err(Fault::bad_option("ldapdb_user_dn", why))
            }
            Some(_) => Ok(()),
        }
    }

    /// With a name that is no DN the directory picks the account, so the
    /// identity must come from the entry that the filter finds.
    fn raw_name_is_safe(&self) -> Result<(), Fault> {
        let raw = self.user_dn.as_ref().is_some_and(|name| !name.is_dn);
        let option = match self.user_mechs.is_empty() {
            true if raw => "ldapdb_user_dn",
            true => return Ok(()),
            false => "ldapdb_user_mech",
        };
        if self.canon_attr.is_none() {
            let why = "a name that is no DN needs ldapdb_filter and ldapdb_canon_attr too";
            return Err(Fault::bad_option(option, why));
        }
        if option == "ldapdb_user_mech" && self.user_dn.as_ref().is_some_and(|name| name.is_dn) {
            let why = "with ldapdb_user_mech it is a SASL name, such as %U";
            return Err(Fault::bad_option("ldapdb_user_dn", why));
        }
        Ok(())
    }
}

fn lookup(options: &Reader<'_>) -> Result<Lookup, Fault> {
    let words = [
        ("auto", None),
        ("proxy", Some(Lookup::Proxy)),
        ("search", Some(Lookup::Search)),
        ("none", Some(Lookup::None)),
    ];
    if let Some(lookup) = options.choice("ldapdb_lookup", &words)?.flatten() {
        return Ok(lookup);
    }
    let set = |name: &str| options.own(name).is_some();
    let searches = [
        "ldapdb_bind_dn",
        "ldapdb_filter",
        "ldapdb_search_base",
        "ldapdb_base",
    ];
    let simple = options
        .own("ldapdb_mech")
        .is_some_and(|mech| mech.eq_ignore_ascii_case("SIMPLE"));
    let template = options
        .text("ldapdb_user_dn")
        .is_some_and(|text| !text.contains("%D"));
    Ok(match simple || searches.into_iter().any(set) {
        true => Lookup::Search,
        false if template => Lookup::None,
        false => Lookup::Proxy,
    })
}

fn template(option: &str, text: &str) -> Result<Template, Fault> {
    Template::parse(text).map_err(|why| Fault::bad_option(option, &why))
}

fn base(options: &Reader<'_>) -> Result<Option<(String, Template)>, Fault> {
    let option = "ldapdb_search_base";
    let Some(text) = options.text(option).or_else(|| options.text("ldapdb_base")) else {
        return Ok(None);
    };
    if Dn::parse(&text).is_none() {
        return Err(Fault::bad_option(
            option,
            &format!("\"{text}\" is not a DN"),
        ));
    }
    let template = template(option, &text)?;
    if template.wants_entry() {
        return Err(Fault::bad_option(
            option,
            "%D is not known before the search",
        ));
    }
    Ok(Some((text, template)))
}

fn user_dn(options: &Reader<'_>) -> Result<Option<UserName>, Fault> {
    let option = "ldapdb_user_dn";
    let Some(text) = options.text(option) else {
        return Ok(None);
    };
    let template = template(option, &text)?;
    if template.is_entry() {
        return Ok(None);
    }
    if template.wants_entry() {
        return Err(Fault::bad_option(option, "%D stands alone or not at all"));
    }
    if !template.has_variables() {
        return Err(Fault::bad_option(
            option,
            "it has no variable, so all users would be one",
        ));
    }
    Ok(Some(UserName {
        is_dn: Dn::parse(&text).is_some(),
        text,
    }))
}

#[cfg(test)]
mod tests;
