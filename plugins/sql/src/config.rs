// SPDX-License-Identifier: MIT OR Apache-2.0
//! The plugin's options, asked once, when the plugin is loaded.
#![forbid(unsafe_code)]

use crate::engine::{Engine, Server, Tls};
use crate::statement::Template;
use saslplug::{Host, Secret};
use std::time::Duration;

/// The name under which stock asks for options.
const ASKER: &str = "SQL";
const PATIENCE: Duration = Duration::from_secs(10);

/// What the options say.
pub(crate) struct Config {
    server: Server,
    pub(crate) select: Template,
    pub(crate) insert: Option<Template>,
    pub(crate) update: Option<Template>,
}

/// Whether the plugin is wanted at all.
pub(crate) enum Wanted {
    No,
    Yes(Box<Config>),
}

/// The boolean spellings of all of libsasl2.
fn is_yes(text: &str) -> bool {
    matches!(text.as_bytes().first(), Some(b'1' | b'y' | b't')) || text == "on"
}

fn hosts(text: &str) -> Result<Vec<(String, Option<u16>)>, String> {
    let words = text
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty());
    words.map(host).collect()
}

fn host(word: &str) -> Result<(String, Option<u16>), String> {
    let number = |port: &str| {
        port.parse()
            .map(Some)
            .map_err(|_| format!("sql_hostnames: {port} in {word} is no port"))
    };
    if let Some((name, rest)) = word.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return Ok((
            name.to_owned(),
            rest.strip_prefix(':').map_or(Ok(None), number)?,
        ));
    }
    match word.split_once(':') {
        // Several colons are an IPv6 address.
        Some((name, port)) if !port.contains(':') => Ok((name.to_owned(), number(port)?)),
        _ => Ok((word.to_owned(), None)),
    }
}

impl Config {
    /// Asks for every option; the error names the option and the remedy.
    pub(crate) fn read(host: &dyn Host) -> Result<Wanted, String> {
        let option = |name: &str| {
            host.option(ASKER, name)
                .filter(|value| !value.trim().is_empty())
        };
        let named = host.option("", "auxprop_plugin").is_some_and(|names| {
            names
                .split_ascii_whitespace()
                .any(|name| name.eq_ignore_ascii_case("sql"))
        });
        let select = option("sql_select").or_else(|| option("sql_statement"));
        let Some(select) = select else {
            return match named || option("sql_engine").is_some() {
                true => Err(
                    "sql_select option missing: SELECT password FROM users WHERE name = '%u'"
                        .into(),
                ),
                false => Ok(Wanted::No),
            };
        };
        let name = option("sql_engine").unwrap_or_else(|| "mysql".into());
        let engine = Engine::named(name.trim()).ok_or_else(|| {
            format!("sql_engine: {name} is unknown; mysql, pgsql and sqlite3 are known")
        })?;
        let template = |name: &str, text: &str| {
            Template::parse(text, engine.dialect()).map_err(|why| format!("{name}: {why}"))
        };
        let optional = |name: &str| option(name).map(|text| template(name, &text)).transpose();
        let config = Self {
            select: template("sql_select", &select)?,
            insert: optional("sql_insert")?,
            update: optional("sql_update")?,
            server: server(&option, engine)?,
        };
        if !config.select.names_user() {
            return Err(
                "sql_select: there is no %u in it: everybody would have the same password".into(),
            );
        }
        Ok(Wanted::Yes(Box::new(config)))
    }

    pub(crate) fn server(&self) -> Server {
        self.server.clone()
    }

    /// Storing takes both statements.
    pub(crate) fn stores(&self) -> bool {
        self.insert.is_some() && self.update.is_some()
    }
}

fn server(option: &dyn Fn(&str) -> Option<String>, engine: Engine) -> Result<Server, String> {
    let ca = option("sql_ssl_ca");
    let tls = match (option("sql_usessl"), ca) {
        (Some(word), None) if is_yes(word.trim()) => Tls::Encrypted,
        (Some(word), Some(_)) if !is_yes(word.trim()) => Tls::No,
        (_, Some(file)) => Tls::Verified(file),
        _ => Tls::No,
    };
    let database = option("sql_database").unwrap_or_default();
    if database.is_empty() && engine == Engine::Sqlite {
        return Err("sql_database is missing: the path of the SQLite file".into());
    }
    let patience = match option("sql_timeout") {
        None => PATIENCE,
        Some(text) => match text.trim().parse() {
            Ok(seconds @ 1..=600) => Duration::from_secs(seconds),
            _ => {
                return Err(format!(
                    "sql_timeout: {text} is not a number of seconds from 1 to 600"
                ));
            }
        },
    };
    Ok(Server {
        engine,
        hosts: hosts(&option("sql_hostnames").unwrap_or_default())?,
        user: option("sql_user").unwrap_or_default(),
        password: Secret::new(option("sql_passwd").unwrap_or_default().into_bytes()),
        database,
        tls,
        patience,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_may_have_ports() {
        assert_eq!(
            hosts("a:3307, b ,[::1]:5432,::1").unwrap(),
            [
                ("a".into(), Some(3307)),
                ("b".into(), None),
                ("::1".into(), Some(5432)),
                ("::1".into(), None)
            ]
        );
        assert!(hosts("a:x").is_err());
        assert_eq!(hosts("").unwrap(), []);
    }

    #[test]
    fn yes_is_spelt_in_four_ways() {
        assert!(["1", "yes", "true", "on"].iter().all(|word| is_yes(word)));
        assert!(
            !["0", "no", "false", "off", "Yes"]
                .iter()
                .any(|word| is_yes(word))
        );
    }
}
