// SPDX-License-Identifier: MIT OR Apache-2.0
//! Texts with variables (`%u`, `%d`, …) and the login they are filled from.
//!
//! A template does not know where its text goes: the filter and the DN escape
//! what is put in, each with its own type. A variable without a value fails;
//! nothing is ever replaced by an empty text.
#![forbid(unsafe_code)]

use crate::dn::DnValue;
use std::borrow::Cow;

/// Who logs in, as far as a template may ask.
#[derive(Clone, Debug, Default)]
pub struct Login<'a> {
    /// The login name: UTF-8, not empty.
    pub user: &'a str,
    /// The realm that the application gave to the library.
    pub realm: Option<&'a str>,
    /// The service (`imap`).
    pub service: &'a str,
    /// `ldapdb_default_realm`.
    pub default_realm: Option<&'a str>,
    /// The DN of the entry, once it is known.
    pub entry: Option<&'a str>,
}

impl<'a> Login<'a> {
    fn split(&self) -> (&'a str, Option<&'a str>) {
        match self.user.rsplit_once('@') {
            Some((local, domain)) if !domain.is_empty() => (local, Some(domain)),
            _ => (self.user, None),
        }
    }

    fn domain(&self) -> Option<&'a str> {
        self.split().1.or(self.realm).or(self.default_realm)
    }

    fn realm_or_domain(&self) -> Option<&'a str> {
        self.realm.or(self.split().1).or(self.default_realm)
    }

    fn value(&self, variable: Variable) -> Option<Cow<'a, str>> {
        let value = match variable {
            Variable::User => Cow::Borrowed(self.user),
            Variable::Local => Cow::Borrowed(self.split().0),
            Variable::Domain => Cow::Borrowed(self.domain()?),
            Variable::Realm => Cow::Borrowed(self.realm_or_domain()?),
            Variable::AtRealm => Cow::Owned(format!("@{}", self.realm_or_domain()?)),
            Variable::Label(index) => Cow::Borrowed(self.domain()?.rsplit('.').nth(index)?),
            Variable::Service => Cow::Borrowed(self.service),
            Variable::Entry => Cow::Borrowed(self.entry?),
        };
        Some(value).filter(|value| !value.is_empty())
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Variable {
    User,
    Local,
    Domain,
    Realm,
    AtRealm,
    /// Label of the domain, from the right, from 0.
    Label(usize),
    Service,
    Entry,
}

impl Variable {
    fn named(letter: char) -> Option<Self> {
        Some(match letter {
            'u' => Self::User,
            'U' => Self::Local,
            'd' => Self::Domain,
            'r' => Self::Realm,
            'R' => Self::AtRealm,
            's' => Self::Service,
            'D' => Self::Entry,
            '1'..='9' => Self::Label(usize::try_from(letter.to_digit(10)?).ok()?.checked_sub(1)?),
            _ => return None,
        })
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Text(Vec<u8>),
    Variable(Variable),
}

/// A text with variables.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Template(Vec<Part>);

impl Template {
    /// Understands `%u` and its like in `text`.
    ///
    /// # Errors
    /// The reason: a `%` before a letter that is no variable.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (mut template, mut letters) = (Self::default(), text.chars());
        while let Some(letter) = letters.next() {
            if letter == '%' {
                match letters.next() {
                    Some('%') => template.push_text(b"%"),
                    Some(next) => match Variable::named(next) {
                        Some(variable) => template.0.push(Part::Variable(variable)),
                        None => {
                            return Err(format!("%{next} is no variable (%% is a percent sign)"));
                        }
                    },
                    None => return Err("it ends in a single % (write %%)".to_owned()),
                }
            } else {
                template.push_text(letter.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        Ok(template)
    }

    /// Appends bytes that are no variable.
    pub(crate) fn push_text(&mut self, bytes: &[u8]) {
        match self.0.last_mut() {
            Some(Part::Text(text)) => text.extend_from_slice(bytes),
            _ => self.0.push(Part::Text(bytes.to_vec())),
        }
    }

    /// Appends another template.
    pub(crate) fn push(&mut self, other: Self) {
        for part in other.0 {
            match part {
                Part::Text(text) => self.push_text(&text),
                variable @ Part::Variable(_) => self.0.push(variable),
            }
        }
    }

    /// Whether something is filled in.
    pub(crate) fn has_variables(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Variable(_)))
    }

    /// Whether the entry's DN is asked for.
    pub(crate) fn wants_entry(&self) -> bool {
        self.0.contains(&Part::Variable(Variable::Entry))
    }

    /// Whether it is `%D` and nothing else.
    pub(crate) fn is_entry(&self) -> bool {
        self.0 == [Part::Variable(Variable::Entry)]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes with the variables filled in as they are: for assertion
    /// values of a BER filter and for names that are no DN. `None`: a variable
    /// has no value.
    pub(crate) fn fill(&self, login: &Login<'_>) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.extend_from_slice(text),
                Part::Variable(variable) => {
                    out.extend_from_slice(login.value(*variable)?.as_bytes());
                }
            }
        }
        Some(out)
    }

    /// The text with the variables filled in as values of a DN. `None`: a
    /// variable has no value.
    pub(crate) fn fill_dn(&self, login: &Login<'_>) -> Option<String> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(core::str::from_utf8(text).ok()?),
                Part::Variable(variable) => {
                    out.push_str(DnValue::escape(&login.value(*variable)?).as_str());
                }
            }
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str, login: &Login<'_>) -> Option<String> {
        let bytes = Template::parse(text).unwrap().fill(login)?;
        Some(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn every_variable() {
        let login = Login {
            user: "jdoe@mail.example.com",
            realm: Some("REALM"),
            service: "imap",
            default_realm: None,
            entry: Some("cn=j"),
        };
        for (text, result) in [
            ("%u", "jdoe@mail.example.com"),
            ("%U", "jdoe"),
            ("%d", "mail.example.com"),
            ("%r", "REALM"),
            ("%R", "@REALM"),
            ("%1.%2.%3", "com.example.mail"),
            ("%s", "imap"),
            ("%D", "cn=j"),
            ("100%%", "100%"),
        ] {
            assert_eq!(filled(text, &login).as_deref(), Some(result), "{text}");
        }
    }

    #[test]
    fn nothing_is_replaced_by_an_empty_text() {
        let login = Login {
            user: "jdoe",
            ..Login::default()
        };
        for text in ["%d", "%r", "%R", "%1", "%s", "%D"] {
            assert_eq!(filled(text, &login), None, "{text}");
        }
        let login = Login {
            user: "jdoe@a.b",
            ..Login::default()
        };
        assert_eq!(filled("%3", &login), None);
        assert_eq!(
            filled(
                "%U",
                &Login {
                    user: "@a.b",
                    ..Login::default()
                }
            ),
            None
        );
    }

    #[test]
    fn the_default_realm_comes_last() {
        let with = |user, realm| Login {
            user,
            realm,
            default_realm: Some("default.org"),
            ..Login::default()
        };
        assert_eq!(filled("%d", &with("a", None)).unwrap(), "default.org");
        assert_eq!(
            filled("%d", &with("a", Some("given.org"))).unwrap(),
            "given.org"
        );
        assert_eq!(
            filled("%d", &with("a@own.org", Some("given.org"))).unwrap(),
            "own.org"
        );
        assert_eq!(filled("%U", &with("a@b@own.org", None)).unwrap(), "a@b");
    }

    #[test]
    fn values_are_escaped_in_names_only() {
        let login = Login {
            user: "x,ou=evil",
            ..Login::default()
        };
        let template = Template::parse("uid=%u,ou=people").unwrap();
        assert_eq!(
            template.fill_dn(&login).unwrap(),
            "uid=x\\,ou\\=evil,ou=people"
        );
        assert_eq!(template.fill(&login).unwrap(), b"uid=x,ou=evil,ou=people");
    }

    #[test]
    fn unknown_variables_are_refused() {
        assert!(Template::parse("%x").unwrap_err().contains("%x"));
        assert!(Template::parse("a%").is_err());
        assert!(Template::parse("%0").is_err());
    }
}
