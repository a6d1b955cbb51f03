// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is wrong with the options that are set, as far as the options alone
//! can tell: unknown names, impossible values, options that nobody asks for.
#![forbid(unsafe_code)]

mod names;
mod together;

use crate::file::Setting;
use crate::table::{self, Values};

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Weight {
    /// Worth a look.
    Warning,
    /// It does not do what it says.
    Mistake,
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// How bad it is.
    pub weight: Weight,
    /// The line of the file, counted from 1.
    pub line: Option<usize>,
    /// What, and what to do.
    pub text: String,
}

impl Finding {
    fn new(weight: Weight, line: usize, text: String) -> Self {
        Self {
            weight,
            line: Some(line),
            text,
        }
    }
}

/// The options of an application: a file, and how names are written in it.
pub struct Options {
    settings: Vec<Setting>,
    prefix: String,
    service: String,
}

impl Options {
    /// The options among `settings`: those behind `prefix`, which is empty
    /// except in `imapd.conf`, where `SERVICE_` may stand before it.
    #[must_use]
    pub fn new(settings: Vec<Setting>, prefix: &str, service: &str) -> Self {
        Self {
            settings,
            prefix: prefix.to_owned(),
            service: service.to_owned(),
        }
    }

    /// How names are written.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The value that `asker` (empty: the library) gets for `name`.
    #[must_use]
    pub fn get(&self, asker: &str, name: &str) -> Option<&str> {
        let with = |start: &str| format!("{start}{}{name}", self.prefix);
        if self.prefix.is_empty() {
            return self.value(name, false);
        }
        let own = format!("{}{asker}_{name}", self.prefix).to_ascii_lowercase();
        let own = (!asker.is_empty()).then(|| self.served(&own)).flatten();
        own.or_else(|| self.served(&with("")))
    }

    /// The value for this service, else for all.
    fn served(&self, key: &str) -> Option<&str> {
        let special = format!("{}_{key}", self.service);
        let special = self.value(&special, true);
        special.or_else(|| self.value(key, true))
    }

    /// libsasl2 takes the first of equal names, Cyrus IMAP the last.
    fn value(&self, key: &str, last: bool) -> Option<&str> {
        let mut found = self.settings.iter().filter(|set| set.key == key);
        let found = if last {
            found.next_back()
        } else {
            found.next()
        };
        found.map(|set| set.value.as_str())
    }

    /// The words of a list.
    fn words(&self, name: &str) -> Vec<String> {
        let text = self.get("", name).unwrap_or_default();
        let words = text.split([' ', '\t', ',']).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    }

    /// The name of an option as the file must have it.
    fn written(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The SASL options that are set: name without prefix, and the setting.
    pub fn set(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.settings
            .iter()
            .filter_map(|set| Some((names::bare(self, &set.key)?, set)))
    }

    /// Everything that is wrong, in the order of lines.
    #[must_use]
    pub fn lint(&self) -> Vec<Finding> {
        let mut findings = names::lint(self);
        findings.extend(self.set().filter_map(|(name, set)| odd_value(name, set)));
        findings.extend(together::lint(self));
        findings.sort_by_key(|finding| finding.line);
        findings
    }
}

/// A value that its option cannot have. What ldapdb's options hold is judged
/// by ldapdb's own reader.
fn odd_value(name: &str, set: &Setting) -> Option<Finding> {
    let known = table::find(name).filter(|known| known.asker != "ldapdb")?;
    let value = set.value.trim();
    let why = match known.values {
        Values::Number if value.parse::<u64>().is_err() => "is not a number".to_owned(),
        Values::Switch if !is_switch(value) => "is neither yes nor no".to_owned(),
        Values::Words(words) if !words.split('|').any(|word| word == value) => {
            format!("is not one of {}", words.replace('|', ", "))
        }
        _ => return None,
    };
    let text = format!("{}: \"{value}\" {why}.", set.key);
    Some(Finding::new(Weight::Mistake, set.line, text))
}

/// The spellings that libsasl2 takes for a yes, and those that mean no.
fn is_switch(value: &str) -> bool {
    let yes = matches!(value.as_bytes().first(), Some(b'1' | b'y' | b't')) || value == "on";
    yes || ["no", "off", "false", "0", "n", "f"].contains(&value)
}

#[cfg(test)]
mod tests;
