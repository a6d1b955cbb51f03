// SPDX-License-Identifier: MIT OR Apache-2.0
//! Statements with `%u`, `%r`, `%v` and `%p`, made into text with markers and a
//! list of what to bind. Values never become text.
//!
//! A quoted text that holds any of them (`'%u@%r'`) is one parameter, put
//! together at run time. `%p` outside of quotes is a column's name: it is the
//! library's word, not a client's, and only letters, digits and `_` pass.
#![forbid(unsafe_code)]

use crate::engine::Dialect;
use saslplug::Secret;
use zeroize::Zeroizing;

/// What is put in.
#[derive(Clone, Copy)]
pub(crate) struct Values<'a> {
    pub(crate) user: &'a [u8],
    pub(crate) realm: &'a [u8],
    pub(crate) property: &'a str,
    pub(crate) value: Option<&'a Secret>,
}

/// A piece of a parameter.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Text(Vec<u8>),
    User,
    Realm,
    Property,
    Value,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Text(String),
    /// A parameter.
    Bound(Vec<Piece>),
    /// A column's name.
    Column,
}

/// A statement as configured.
#[derive(Debug)]
pub(crate) struct Template {
    parts: Vec<Part>,
    dialect: Dialect,
}

/// A statement for an engine.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) text: String,
    parameters: Vec<Vec<Piece>>,
}

/// A parameter's value; `None` is NULL.
pub(crate) type Parameter = Option<Zeroizing<Vec<u8>>>;

impl Text {
    /// The parameters, in order.
    pub(crate) fn bind(&self, values: &Values<'_>) -> Vec<Parameter> {
        self.parameters
            .iter()
            .map(|pieces| bound(pieces, values))
            .collect()
    }
}

fn bound(pieces: &[Piece], values: &Values<'_>) -> Parameter {
    let mut whole = Zeroizing::new(Vec::new());
    for piece in pieces {
        whole.extend_from_slice(match piece {
            Piece::Text(text) => text,
            Piece::User => values.user,
            Piece::Realm => values.realm,
            Piece::Property => values.property.as_bytes(),
            Piece::Value => values.value?.as_bytes(),
        });
    }
    Some(whole)
}

fn is_column(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn piece(letter: char) -> Option<Piece> {
    Some(match letter {
        'u' => Piece::User,
        'r' => Piece::Realm,
        'p' => Piece::Property,
        'v' => Piece::Value,
        _ => return None,
    })
}

impl Template {
    /// Reads a statement; the error is what is wrong with it.
    pub(crate) fn parse(text: &str, dialect: Dialect) -> Result<Self, String> {
        let text = text.trim().trim_end_matches(';').trim_end();
        let mut parser = Parser {
            rest: text,
            parts: Vec::new(),
            plain: String::new(),
            dialect,
        };
        parser.run()?;
        Ok(Self {
            parts: parser.parts,
            dialect,
        })
    }

    fn has(&self, wanted: &Piece) -> bool {
        self.parts.iter().any(|part| match part {
            Part::Bound(pieces) => pieces.contains(wanted),
            Part::Column => *wanted == Piece::Property,
            Part::Text(_) => false,
        })
    }

    /// Whether the user's name is in it: without it, everybody is the same.
    pub(crate) fn names_user(&self) -> bool {
        self.has(&Piece::User)
    }

    /// Whether the answer depends on the property.
    pub(crate) fn names_properties(&self) -> bool {
        self.has(&Piece::Property)
    }

    /// The statement for one property; `None`: it cannot be a column.
    pub(crate) fn for_property(&self, property: &str) -> Option<Text> {
        let has_column = self.parts.contains(&Part::Column);
        (!has_column || is_column(property)).then(|| self.text(property))
    }

    /// One statement for several properties: where `%p` is the only thing that
    /// is selected.
    pub(crate) fn columns(&self, properties: &[&str]) -> Option<Text> {
        let [Part::Text(before), Part::Column, ..] = self.parts.as_slice() else {
            return None;
        };
        let after = self.parts.get(2..).unwrap_or_default();
        let alone = before.trim().eq_ignore_ascii_case("select")
            && matches!(after.first(), Some(Part::Text(text)) if text.trim_start().get(..4).is_some_and(|word| word.eq_ignore_ascii_case("from")));
        let once = after.iter().all(|part| match part {
            Part::Column => false,
            Part::Bound(pieces) => !pieces.contains(&Piece::Property),
            Part::Text(_) => true,
        });
        let all = properties.iter().all(|property| is_column(property));
        (alone && once && all).then(|| self.text(&properties.join(", ")))
    }

    fn text(&self, column: &str) -> Text {
        let (mut text, mut parameters) = (String::new(), Vec::new());
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Column => text.push_str(column),
                Part::Bound(pieces) => {
                    parameters.push(pieces.clone());
                    match self.dialect {
                        Dialect::Numbered => text.push_str(&format!("${}", parameters.len())),
                        Dialect::Marked | Dialect::Backslash => text.push('?'),
                    }
                }
            }
        }
        Text { text, parameters }
    }
}

struct Parser<'a> {
    rest: &'a str,
    parts: Vec<Part>,
    plain: String,
    dialect: Dialect,
}

impl Parser<'_> {
    fn take(&mut self) -> Option<char> {
        let mut letters = self.rest.chars();
        let letter = letters.next()?;
        self.rest = letters.as_str();
        Some(letter)
    }

    fn push(&mut self, part: Part) {
        if !self.plain.is_empty() {
            self.parts
                .push(Part::Text(core::mem::take(&mut self.plain)));
        }
        self.parts.push(part);
    }

    fn run(&mut self) -> Result<(), String> {
        while let Some(letter) = self.take() {
            match letter {
                '\'' => self.quoted('\'')?,
                '"' if self.dialect == Dialect::Numbered => self.identifier('"')?,
                '"' => self.quoted('"')?,
                '`' => self.identifier('`')?,
                '%' => self.placeholder(),
                '-' if self.rest.starts_with('-') => self.comment("\n"),
                '/' if self.rest.starts_with('*') => self.comment("*/"),
                letter => self.plain.push(letter),
            }
        }
        if !self.plain.is_empty() {
            self.parts
                .push(Part::Text(core::mem::take(&mut self.plain)));
        }
        Ok(())
    }

    fn placeholder(&mut self) {
        match self.take() {
            Some('p') => self.push(Part::Column),
            Some('%') => self.plain.push('%'),
            Some(letter) => match piece(letter) {
                Some(piece) => self.push(Part::Bound(vec![piece])),
                None => self.plain.extend(['%', letter]),
            },
            None => self.plain.push('%'),
        }
    }

    fn comment(&mut self, end: &str) {
        let length = self
            .rest
            .find(end)
            .map_or(self.rest.len(), |at| at.saturating_add(end.len()));
        self.rest = self.rest.get(length..).unwrap_or_default();
        self.plain.push(' ');
    }

    /// `"name"` or `` `name` ``: only `%p` makes sense in it.
    fn identifier(&mut self, quote: char) -> Result<(), String> {
        self.plain.push(quote);
        while let Some(letter) = self.take() {
            match letter {
                '%' => match self.take() {
                    Some('p') => self.push(Part::Column),
                    Some('%') => self.plain.push('%'),
                    Some(letter @ ('u' | 'r' | 'v')) => {
                        return Err(format!(
                            "%{letter} within {quote}, which quotes names, not values: use '"
                        ));
                    }
                    Some(letter) => self.plain.extend(['%', letter]),
                    None => self.plain.push('%'),
                },
                letter => {
                    self.plain.push(letter);
                    if letter == quote {
                        return Ok(());
                    }
                }
            }
        }
        Err(format!("a {quote} is not closed"))
    }

    /// A quoted text; a parameter if anything is put in.
    fn quoted(&mut self, quote: char) -> Result<(), String> {
        let (mut pieces, mut text, mut source) = (Vec::new(), Vec::new(), String::from(quote));
        let start = self.rest;
        loop {
            let letter = self
                .take()
                .ok_or_else(|| format!("a {quote} is not closed"))?;
            let mut letter_bytes = [0; 4];
            match letter {
                '%' => match self.take() {
                    Some('%') => text.push(b'%'),
                    Some(letter) => match piece(letter) {
                        Some(piece) => {
                            if !text.is_empty() {
                                pieces.push(Piece::Text(core::mem::take(&mut text)));
                            }
                            pieces.push(piece);
                        }
                        None => {
                            text.push(b'%');
                            text.extend_from_slice(
                                letter.encode_utf8(&mut letter_bytes).as_bytes(),
                            );
                        }
                    },
                    None => text.push(b'%'),
                },
                '\\' if self.dialect == Dialect::Backslash => {
                    let escaped = self.take().unwrap_or('\\');
                    text.extend_from_slice(escaped.encode_utf8(&mut letter_bytes).as_bytes());
                }
                letter if letter == quote && self.rest.starts_with(quote) => {
                    self.take();
                    text.extend_from_slice(letter.encode_utf8(&mut letter_bytes).as_bytes());
                }
                letter if letter == quote => break,
                letter => text.extend_from_slice(letter.encode_utf8(&mut letter_bytes).as_bytes()),
            }
        }
        if pieces.is_empty() {
            // As the administrator wrote it, but for %%.
            let length = start.len().saturating_sub(self.rest.len());
            source.push_str(&start.get(..length).unwrap_or_default().replace("%%", "%"));
            self.plain.push_str(&source);
            return Ok(());
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        self.push(Part::Bound(pieces));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(text: &str, dialect: Dialect) -> (String, Vec<Option<String>>) {
        let template = Template::parse(text, dialect).unwrap();
        let text = template.for_property("userPassword").unwrap();
        let secret = Secret::from(&b"x'y"[..]);
        let values = Values {
            user: b"o'al",
            realm: b"r",
            property: "userPassword",
            value: Some(&secret),
        };
        let shown =
            |value: Parameter| value.map(|value| String::from_utf8(value.to_vec()).unwrap());
        (
            text.text.clone(),
            text.bind(&values).into_iter().map(shown).collect(),
        )
    }

    #[test]
    fn quoted_placeholders_become_parameters() {
        let stock = "SELECT %p FROM users WHERE username = '%u' AND realm = '%r';";
        let (text, values) = made(stock, Dialect::Marked);
        assert_eq!(
            text,
            "SELECT userPassword FROM users WHERE username = ? AND realm = ?"
        );
        assert_eq!(values, [Some("o'al".into()), Some("r".into())]);
        let (text, _) = made(stock, Dialect::Numbered);
        assert_eq!(
            text,
            "SELECT userPassword FROM users WHERE username = $1 AND realm = $2"
        );
        let (text, values) = made(
            "update t set v='%v' where a like '%u@%r%%' and b=%u -- '%u'",
            Dialect::Marked,
        );
        assert_eq!(text.trim_end(), "update t set v=? where a like ? and b=?");
        assert_eq!(
            values,
            [
                Some("x'y".into()),
                Some("o'al@r%".into()),
                Some("o'al".into())
            ]
        );
    }

    #[test]
    fn other_text_stays() {
        let (text, values) = made(
            "select 'it''s', \"a\", '5%%' from t where u='%u' and x%2=0",
            Dialect::Marked,
        );
        assert_eq!(
            text,
            "select 'it''s', \"a\", '5%' from t where u=? and x%2=0"
        );
        assert_eq!(values.len(), 1);
        let (text, values) = made(r"select 'a\'b' from t where u='\'%u'", Dialect::Backslash);
        assert_eq!(text, r"select 'a\'b' from t where u=?");
        assert_eq!(values, [Some("'o'al".into())]);
        assert!(Template::parse("select 'x", Dialect::Marked).is_err());
        assert!(
            Template::parse("select \"%u\"", Dialect::Numbered)
                .unwrap_err()
                .contains("%u")
        );
        assert_eq!(
            made("select p from t where u=\"%u\"", Dialect::Backslash).0,
            "select p from t where u=?"
        );
    }

    #[test]
    fn one_statement_for_all_columns_where_that_is_possible() {
        let template = Template::parse("SELECT %p FROM t WHERE u='%u'", Dialect::Marked).unwrap();
        let all = template.columns(&["userPassword", "mail"]).unwrap();
        assert_eq!(all.text, "SELECT userPassword, mail FROM t WHERE u=?");
        assert!(template.columns(&["userPassword", "a-b"]).is_none());
        assert!(template.for_property("a; drop table t").is_none());
        for other in [
            "SELECT max(%p) FROM t",
            "SELECT v FROM t WHERE n='%p'",
            "SELECT %p FROM t WHERE n='%p'",
        ] {
            assert!(
                Template::parse(other, Dialect::Marked)
                    .unwrap()
                    .columns(&["a", "b"])
                    .is_none(),
                "{other}"
            );
        }
    }

    #[test]
    fn a_value_that_is_removed_is_null() {
        let template =
            Template::parse("UPDATE t SET p='%v' WHERE u='%u'", Dialect::Marked).unwrap();
        let values = Values {
            user: b"al",
            realm: b"",
            property: "p",
            value: None,
        };
        let bound = template.for_property("p").unwrap().bind(&values);
        assert!(bound[0].is_none() && bound[1].is_some());
    }
}
