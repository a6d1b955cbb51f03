// SPDX-License-Identifier: MIT OR Apache-2.0
//! The plugin's options, as the host's `getopt` answers them: asked once, when
//! the plugin is loaded.
#![forbid(unsafe_code)]

use directory::{Config, Fault};
use saslplug::{Host, Secret};

/// Options of the library that can name this plugin.
const NAMING: [&str; 3] = ["auxprop_plugin", "canon_user_plugin", "pwcheck_method"];

/// Whether an option of the library names this plugin.
fn is_named(host: &dyn Host) -> bool {
    NAMING.into_iter().any(|option| {
        let value = host.option("", option).unwrap_or_default();
        value
            .split([' ', '\t', ','])
            .any(|word| word.eq_ignore_ascii_case("ldapdb"))
    })
}

/// What is set. The values may be secrets.
#[derive(PartialEq, Eq)]
pub(crate) struct Options {
    values: Vec<(&'static str, Secret)>,
    named: bool,
}

impl Options {
    /// Asks for every option.
    pub(crate) fn read(host: &dyn Host) -> Self {
        let value = |name: &'static str| {
            let value = host.option("ldapdb", name)?;
            Some((name, Secret::new(value.into_bytes())))
        };
        Self {
            values: Config::option_names().filter_map(value).collect(),
            named: is_named(host),
        }
    }

    /// Whether asking for every option is worth while.
    pub(crate) fn are_there(host: &dyn Host) -> bool {
        host.option("ldapdb", "ldapdb_uri").is_some() || is_named(host)
    }

    /// What they say; `None`: nobody wants this plugin.
    pub(crate) fn config(&self) -> Option<Result<Config, Fault>> {
        if self.values.is_empty() && !self.named {
            return None;
        }
        Some(Config::read(&|name| {
            let (_, value) = self.values.iter().find(|(known, _)| *known == name)?;
            String::from_utf8(value.as_bytes().to_vec()).ok()
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ffi::CStr;
    use core::fmt;
    use saslplug::{Handle, Level};

    struct Set(&'static [(&'static str, &'static str, &'static str)]);

    impl Host for Set {
        fn option(&self, plugin: &str, name: &str) -> Option<String> {
            let found = self.0.iter().find(|set| set.0 == plugin && set.1 == name)?;
            Some(found.2.to_owned())
        }
        fn property(&self, _: &CStr) -> Vec<Secret> {
            Vec::new()
        }
        fn log(&self, _: Level, _: fmt::Arguments<'_>) {}
        fn handle(&self) -> Handle {
            Handle::NONE
        }
    }

    fn number(set: &'static [(&'static str, &'static str, &'static str)]) -> Option<u8> {
        let config = Options::read(&Set(set)).config()?;
        Some(config.map_or_else(|fault| fault.number(), |_| 0))
    }

    #[test]
    fn nobody_asks_for_it() {
        assert_eq!(number(&[]), None);
        assert_eq!(number(&[("", "auxprop_plugin", "sasldb ldapdb2")]), None);
    }

    #[test]
    fn a_name_alone_is_a_mistake() {
        assert_eq!(number(&[("", "auxprop_plugin", "sasldb ldapdb")]), Some(1));
        assert_eq!(number(&[("", "canon_user_plugin", "ldapdb")]), Some(1));
        assert_eq!(number(&[("ldapdb", "ldapdb_filter", "(uid=%u)")]), Some(1));
    }

    #[test]
    fn an_url_is_enough() {
        assert_eq!(
            number(&[("ldapdb", "ldapdb_uri", "ldap://a/dc=x")]),
            Some(0)
        );
    }
}
