// SPDX-License-Identifier: MIT OR Apache-2.0
//! Distinguished names (RFC 4514): parsed to compare and to complete them,
//! escaped to put a login into one.
//!
//! A name is never rewritten: only blanks around separators go, because some
//! servers compare names as strings.
#![forbid(unsafe_code)]

/// One `type=value` as it stands, and in a form that can be compared.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Assertion {
    text: String,
    key: String,
    value: Vec<u8>,
}

/// A name that parses as a DN.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Dn(Vec<Vec<Assertion>>);

/// Bytes escaped for the value of a DN: a type of its own, so that nothing
/// else can be put into a name by mistake.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct DnValue(String);

impl DnValue {
    /// Escapes `value` (UTF-8) by RFC 4514 §2.4.
    pub(crate) fn escape(value: &str) -> Self {
        let mut out = String::with_capacity(value.len());
        let last = value.chars().count().saturating_sub(1);
        for (index, letter) in value.chars().enumerate() {
            match letter {
                ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=' => {
                    out.push('\\');
                    out.push(letter);
                }
                '#' if index == 0 => out.push_str("\\#"),
                ' ' if index == 0 || index == last => out.push_str("\\ "),
                '\0' => out.push_str("\\00"),
                _ => out.push(letter),
            }
        }
        Self(out)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Splits at unescaped `separator`.
fn split(text: &str, separator: u8) -> Vec<&str> {
    let (mut parts, mut start, mut escaped) = (Vec::new(), 0, false);
    for (index, byte) in text.bytes().enumerate() {
        if escaped {
            escaped = false;
        } else if byte == b'\\' {
            escaped = true;
        } else if byte == separator {
            parts.extend(text.get(start..index));
            start = index + 1;
        }
    }
    parts.extend(text.get(start..));
    parts
}

/// Takes blanks off both ends, but not an escaped one.
fn trimmed(text: &str) -> &str {
    let text = text.trim_start_matches(' ');
    let cut = text.trim_end_matches(' ');
    let escapes = cut.bytes().rev().take_while(|byte| *byte == b'\\').count();
    if escapes % 2 == 1 {
        text.get(..=cut.len()).unwrap_or(cut)
    } else {
        cut
    }
}

fn is_type(key: &str) -> bool {
    let mut bytes = key.bytes();
    match bytes.next() {
        Some(byte) if byte.is_ascii_alphabetic() => {
            bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        }
        Some(byte) if byte.is_ascii_digit() => {
            bytes.all(|byte| byte.is_ascii_digit() || byte == b'.')
        }
        _ => false,
    }
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    Some((digit(high)? << 4) | digit(low)?)
}

/// The bytes that an escaped value stands for; `None` if it is malformed.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let (mut out, mut bytes) = (Vec::with_capacity(text.len()), text.bytes());
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                let next = bytes.next()?;
                match bytes.clone().next().and_then(|low| hex(next, low)) {
                    Some(value) => {
                        bytes.next();
                        out.push(value);
                    }
                    None if b" \"#+,;<=>\\".contains(&next) => out.push(next),
                    None => return None,
                }
            }
            b'"' | b'<' | b'>' | b';' | 0 => return None,
            _ => out.push(byte),
        }
    }
    Some(out)
}

impl Assertion {
    fn parse(text: &str) -> Option<Self> {
        let (key, value) = text.split_once('=')?;
        let (key, value) = (trimmed(key), trimmed(value));
        if !is_type(key) {
            return None;
        }
        let folded = String::from_utf8_lossy(&unescape(value)?)
            .to_lowercase()
            .into_bytes();
        Some(Self {
            text: format!("{key}={value}"),
            key: key.to_ascii_lowercase(),
            value: folded,
        })
    }

    fn matches(&self, other: &Self) -> bool {
        self.key == other.key && self.value == other.value
    }
}

impl Dn {
    /// The name, if `text` is a DN of at least one part.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rdns: Option<Vec<Vec<Assertion>>> = split(text, b',')
            .into_iter()
            .map(|rdn| split(rdn, b'+').into_iter().map(Assertion::parse).collect())
            .collect();
        rdns.map(Self)
    }

    /// The name without blanks around its separators.
    pub(crate) fn text(&self) -> String {
        let rdn = |rdn: &Vec<Assertion>| {
            rdn.iter()
                .map(|part| part.text.as_str())
                .collect::<Vec<_>>()
                .join("+")
        };
        self.0.iter().map(rdn).collect::<Vec<_>>().join(",")
    }

    /// The domain that the `dc=` parts at the end make (RFC 2247).
    pub(crate) fn domain(&self) -> Option<String> {
        let label = |rdn: &Vec<Assertion>| match rdn.as_slice() {
            [part] if part.key == "dc" => String::from_utf8(part.value.clone()).ok(),
            _ => None,
        };
        let mut labels: Vec<String> = self.0.iter().rev().map_while(label).collect();
        labels.reverse();
        (!labels.is_empty()).then(|| labels.join("."))
    }

    /// Whether both are the same name.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.ends_in(other)
    }

    /// Whether the last parts of this name are `context`.
    fn ends_in(&self, context: &Self) -> bool {
        let Some(skip) = self.0.len().checked_sub(context.0.len()) else {
            return false;
        };
        self.0
            .iter()
            .skip(skip)
            .zip(&context.0)
            .all(|(mine, other)| {
                mine.len() == other.len()
                    && mine
                        .iter()
                        .all(|part| other.iter().any(|theirs| part.matches(theirs)))
            })
    }

    /// The type of the first value with an unescaped `=` inside: most likely a
    /// comma was lost.
    pub(crate) fn lost_comma(&self) -> Option<&str> {
        let suspicious = |part: &&Assertion| {
            part.text
                .split_once('=')
                .is_some_and(|(_, value)| split(value, b'=').len() > 1)
        };
        self.0
            .iter()
            .flatten()
            .find(suspicious)
            .map(|part| part.key.as_str())
    }
}

/// `name` as it is sent: a DN that does not end in `context` gets it appended;
/// what is no DN stays untouched.
pub(crate) fn complete(name: &str, context: Option<&str>) -> String {
    let Some(dn) = Dn::parse(name) else {
        return name.to_owned();
    };
    match context.and_then(Dn::parse) {
        Some(context) if !dn.ends_in(&context) => format!("{},{}", dn.text(), context.text()),
        _ => dn.text(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_names_a_domain() {
        let domain = |text| Dn::parse(text).unwrap().domain();
        let one = Some("example.com".to_owned());
        assert_eq!(domain("dc=example,dc=com"), one);
        assert_eq!(domain("ou=people,DC=example, DC=com"), one);
        assert_eq!(domain("o=example,c=de"), None);
    }

    #[test]
    fn short_names_are_completed() {
        let c = Some("dc=users,dc=local");
        for (given, sent) in [
            (
                "cn=cyrus,ou=machines",
                "cn=cyrus,ou=machines,dc=users,dc=local",
            ),
            (
                "cn=cyrus, ou=machines",
                "cn=cyrus,ou=machines,dc=users,dc=local",
            ),
            ("cn=cyrus,DC=Users,dc=LOCAL", "cn=cyrus,DC=Users,dc=LOCAL"),
            ("dc=users,dc=local", "dc=users,dc=local"),
            ("dc=local", "dc=local,dc=users,dc=local"),
            ("cn=a\\2cb,ou=x", "cn=a\\2cb,ou=x,dc=users,dc=local"),
            ("uid=%U,ou=people", "uid=%U,ou=people,dc=users,dc=local"),
            ("jdoe@example.com", "jdoe@example.com"),
            ("DOM\\jdoe", "DOM\\jdoe"),
            ("dn=token", "dn=token,dc=users,dc=local"),
            ("", ""),
        ] {
            assert_eq!(complete(given, c), sent, "{given}");
        }
        assert_eq!(
            complete("cn=cyrus, ou=machines", None),
            "cn=cyrus,ou=machines"
        );
    }

    #[test]
    fn the_end_is_compared_by_parts() {
        // The text ends in the context, the name does not.
        assert_eq!(
            complete("cn=a,odc=local", Some("dc=local")),
            "cn=a,odc=local,dc=local"
        );
        assert_eq!(
            complete("cn=a\\,dc=local", Some("dc=local")),
            "cn=a\\,dc=local,dc=local"
        );
        assert_eq!(complete("cn=a,o=x+c=y", Some("c=Y+o=X")), "cn=a,o=x+c=y");
    }

    #[test]
    fn escaped_blanks_stay() {
        assert_eq!(complete("cn=a\\ , dc=b", None), "cn=a\\ ,dc=b");
        assert_eq!(complete("cn=a\\\\ ,dc=b", None), "cn=a\\\\,dc=b");
    }

    #[test]
    fn what_is_no_dn() {
        for text in [
            "",
            "jdoe",
            "=x",
            "cn",
            "cn=a,,dc=b",
            "cn=a;dc=b",
            "c n=x",
            "cn=\\zz",
            "cn=a\\",
        ] {
            assert!(Dn::parse(text).is_none(), "{text}");
        }
        assert!(Dn::parse("cn=").is_some());
        assert!(Dn::parse("2.5.4.3=x").is_some());
    }

    #[test]
    fn escape_and_parse_agree() {
        let mut every = Vec::new();
        for code in 0..0x250_u32 {
            let letter = char::from_u32(code).unwrap();
            every.extend([
                format!("{letter}"),
                format!("{letter}x"),
                format!("x{letter}"),
            ]);
            every.push(format!("x{letter}y{letter}{letter}"));
        }
        every.push("x,ou=evil".to_owned());
        every.push("  two  ".to_owned());
        for value in every {
            let name = format!("uid={},ou=p", DnValue::escape(&value).as_str());
            let dn = Dn::parse(&name).unwrap_or_else(|| panic!("{name:?}"));
            assert_eq!(dn.0.len(), 2, "{name:?}");
            assert_eq!(dn.0[0].len(), 1, "{name:?}");
            let (_, escaped) = dn.0[0][0].text.split_once('=').unwrap();
            assert_eq!(unescape(escaped).unwrap(), value.as_bytes(), "{name:?}");
        }
    }

    #[test]
    fn a_lost_comma_is_seen() {
        assert_eq!(
            Dn::parse("dc=usersDdc=local").unwrap().lost_comma(),
            Some("dc")
        );
        assert_eq!(Dn::parse("dc=users,dc=local").unwrap().lost_comma(), None);
        assert_eq!(Dn::parse("cn=a\\=b").unwrap().lost_comma(), None);
    }
}
