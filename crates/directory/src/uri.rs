// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ldapdb_uri`: a list of LDAP URLs (RFC 4516) as administrators write them.
//!
//! Commas inside a DN stay, commas and blanks before a scheme separate. What
//! is wrong is said (LDB-03), what is odd is reported (LDB-04, LDB-05).
#![forbid(unsafe_code)]

use crate::dn::Dn;
use crate::faults::Fault;
use std::path::{Path, PathBuf};

const SCHEMES: [&str; 5] = ["ldap+srv", "ldaps+srv", "ldapi", "ldaps", "ldap"];
const SOCKETS: [&str; 3] = ["/run/slapd/ldapi", "/var/run/slapd/ldapi", "/var/run/ldapi"];

/// Where a server listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Endpoint {
    /// A host; `default_port`: none was written.
    Tcp {
        host: String,
        port: u16,
        default_port: bool,
    },
    /// A socket file.
    Unix(PathBuf),
}

/// How far a search goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scope {
    Base = 0,
    One = 1,
    Sub = 2,
}

impl Scope {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "base" => Some(Self::Base),
            "one" => Some(Self::One),
            "sub" => Some(Self::Sub),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::One => "one",
            Self::Sub => "sub",
        }
    }
}

/// One server of the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Uri {
    pub(crate) scheme: &'static str,
    pub(crate) endpoint: Endpoint,
    pub(crate) base: Option<String>,
    pub(crate) scope: Option<Scope>,
    pub(crate) filter: Option<String>,
}

impl Uri {
    /// The server as log lines name it.
    pub(crate) fn label(&self) -> String {
        match &self.endpoint {
            Endpoint::Tcp {
                host,
                default_port: true,
                ..
            } => format!("{}://{host}", self.scheme),
            Endpoint::Tcp { host, port, .. } if host.contains(':') => {
                format!("{}://[{host}]:{port}", self.scheme)
            }
            Endpoint::Tcp { host, port, .. } => format!("{}://{host}:{port}", self.scheme),
            Endpoint::Unix(path) => format!("ldapi://{}", path.display()),
        }
    }
}

/// Whether `text` begins with a scheme and `://`.
fn begins_uri(text: &str) -> bool {
    SCHEMES.iter().any(|scheme| {
        text.get(..scheme.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(scheme))
            && text
                .get(scheme.len()..)
                .is_some_and(|rest| rest.starts_with("://"))
    })
}

/// Splits the list: at blanks, and at commas before a scheme.
fn split(list: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    for word in list.split_whitespace() {
        let mut start = 0;
        for (index, _) in word.match_indices(',') {
            if word.get(index + 1..).is_some_and(begins_uri) {
                tokens.extend(word.get(start..index));
                start = index + 1;
            }
        }
        tokens.extend(word.get(start..));
    }
    tokens
        .into_iter()
        .map(|token| token.trim_matches(','))
        .filter(|t| !t.is_empty())
        .collect()
}

/// Decodes `%xx`; the result must be UTF-8 without NUL.
fn decode(text: &str) -> Option<String> {
    let (mut out, mut bytes) = (Vec::with_capacity(text.len()), text.bytes());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            let digits = core::str::from_utf8(&digits).ok()?;
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            out.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out)
        .ok()
        .filter(|text| !text.contains('\0'))
}

/// Understands the whole list; the faults are warnings.
///
/// # Errors
/// LDB-03 with the part that is no URL.
pub(crate) fn parse_list(list: &str) -> Result<(Vec<Uri>, Vec<Fault>), Fault> {
    let mut warnings = Vec::new();
    let uris: Result<Vec<Uri>, Fault> = split(list)
        .into_iter()
        .map(|token| parse(token, &mut warnings))
        .collect();
    let uris = uris?;
    if uris.is_empty() {
        return Err(Fault::no_uri());
    }
    Ok((uris, warnings))
}

fn parse(token: &str, warnings: &mut Vec<Fault>) -> Result<Uri, Fault> {
    let bad = |why: &str| Fault::not_a_url(token, why);
    let text = token
        .strip_prefix('<')
        .map_or(token, |rest| rest.strip_suffix('>').unwrap_or(rest));
    let text = match text.get(..4) {
        Some(head) if head.eq_ignore_ascii_case("URL:") => text.get(4..).unwrap_or(""),
        _ => text,
    };
    let (scheme, rest) = text
        .split_once("://")
        .ok_or_else(|| bad("there is no ldap:// in it"))?;
    let scheme = SCHEMES
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(scheme))
        .ok_or_else(|| bad("the scheme is not known"))?;
    let (host, tail) = rest.split_once('/').unwrap_or((rest, ""));
    if let Some((_, second)) = host.split_once(',') {
        return Err(Fault::not_a_url(second, "write \"ldap://a ldap://b\""));
    }
    let mut parts = tail.splitn(5, '?');
    let dn = parts.next().unwrap_or("");
    let (_attributes, scope, filter) = (parts.next(), parts.next(), parts.next());
    if parts
        .next()
        .is_some_and(|ext| ext.split(',').any(|ext| ext.starts_with('!')))
    {
        return Err(bad("it has a critical extension, and none is known"));
    }
    let scope = match scope {
        None | Some("") => None,
        Some(name) => {
            Some(Scope::named(name).ok_or_else(|| bad("the scope is not base, one or sub"))?)
        }
    };
    let decoded = |part: Option<&str>| match part {
        None | Some("") => Ok(None),
        Some(part) => decode(part)
            .map(Some)
            .ok_or_else(|| bad("%xx is not UTF-8 or not hex")),
    };
    Ok(Uri {
        scheme,
        endpoint: endpoint(scheme, host).map_err(|why| bad(&why))?,
        base: base(&decoded(Some(dn))?.unwrap_or_default(), warnings).map_err(|why| bad(&why))?,
        scope,
        filter: decoded(filter)?,
    })
}

fn endpoint(scheme: &str, host: &str) -> Result<Endpoint, String> {
    if scheme == "ldapi" {
        let path = decode(host).ok_or("the path after ldapi:// is not decodable")?;
        let path = if path.is_empty() {
            SOCKETS
                .into_iter()
                .find(|path| Path::new(path).exists())
                .unwrap_or(SOCKETS[0])
        } else {
            path.as_str()
        };
        return Ok(Endpoint::Unix(PathBuf::from(path)));
    }
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (name, port) = rest.split_once(']').ok_or("a ] is missing")?;
            (
                name,
                port.strip_prefix(':').or((!port.is_empty()).then_some("?")),
            )
        }
        None => host
            .split_once(':')
            .map_or((host, None), |(name, port)| (name, Some(port))),
    };
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:%".contains(&byte);
    if !name.bytes().all(known) {
        return Err("the host name has odd characters".to_owned());
    }
    let name = if name.is_empty() { "localhost" } else { name };
    let default = if scheme.starts_with("ldaps") {
        636
    } else {
        389
    };
    let port_given = port.filter(|port| !port.is_empty());
    let port = match port_given {
        None => default,
        Some(port) => match port.parse() {
            Ok(number) if number != 0 => number,
            _ => return Err(format!("\"{port}\" is no port number")),
        },
    };
    Ok(Endpoint::Tcp {
        host: name.to_owned(),
        port,
        default_port: port_given.is_none(),
    })
}

fn base(dn: &str, warnings: &mut Vec<Fault>) -> Result<Option<String>, String> {
    let cut = dn.trim_end_matches('/');
    if cut.is_empty() {
        return Ok(None);
    }
    let parsed = Dn::parse(cut).ok_or_else(|| format!("\"{cut}\" is not a DN"))?;
    if cut.len() != dn.len() {
        warnings.push(Fault::trailing_slash(dn, cut));
    }
    if let Some(kind) = parsed.lost_comma() {
        warnings.push(Fault::lost_comma(cut, kind));
    }
    Ok(Some(parsed.text()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> (Vec<(String, Option<String>)>, Vec<u8>) {
        let (uris, warnings) = parse_list(text).unwrap_or_else(|fault| panic!("{fault}"));
        let uris = uris
            .into_iter()
            .map(|uri| (uri.label(), uri.base))
            .collect();
        (uris, warnings.iter().map(Fault::number).collect())
    }

    fn one(label: &str, base: &str) -> (String, Option<String>) {
        (
            label.to_owned(),
            (!base.is_empty()).then(|| base.to_owned()),
        )
    }

    #[test]
    fn a_comma_in_the_dn_separates_nothing() {
        let wanted = (vec![one("ldap://glauth", "dc=users,dc=local")], vec![]);
        assert_eq!(list("ldap://glauth/dc=users,dc=local"), wanted);
        assert_eq!(list("ldap://glauth/dc=users%2cdc=local"), wanted);
        assert_eq!(list("<URL:LDAP://glauth/dc=users,dc=local>"), wanted);
    }

    #[test]
    fn the_old_lists() {
        let wanted = (vec![one("ldap://a", ""), one("ldap://b", "")], vec![]);
        for text in [
            "ldap://a,ldap://b",
            "ldap://a, ldap://b",
            "ldap://a ldap://b",
            "ldap://a , ldap://b,",
        ] {
            assert_eq!(list(text), wanted, "{text}");
        }
    }

    #[test]
    fn two_servers_with_bases() {
        let wanted = vec![one("ldap://a", "dc=x,dc=y"), one("ldaps://b", "dc=x,dc=y")];
        assert_eq!(
            list("ldap://a/dc=x,dc=y,ldaps://b/dc=x,dc=y"),
            (wanted, vec![])
        );
    }

    #[test]
    fn a_name_alone_is_no_url() {
        let fault = parse_list("ldap://a,b").unwrap_err();
        assert_eq!(fault.number(), 3);
        assert!(
            fault
                .to_string()
                .contains("\"b\" in ldapdb_uri is not an LDAP URL"),
            "{fault}"
        );
        assert!(
            fault.to_string().contains("write \"ldap://a ldap://b\""),
            "{fault}"
        );
        for text in [
            "glauth",
            "http://x",
            "ldap://a b",
            "ldap://a:0",
            "ldap://a:70000",
            "ldap://a:x",
        ] {
            assert_eq!(parse_list(text).unwrap_err().number(), 3, "{text}");
        }
        for text in [
            "ldap://a/dc",
            "ldap://a/dc=%zz",
            "ldap://a/dc=%00",
            "ldap://a/dc=x??tree",
        ] {
            assert_eq!(parse_list(text).unwrap_err().number(), 3, "{text}");
        }
        assert_eq!(parse_list(" , ").unwrap_err().number(), 1);
    }

    #[test]
    fn percent_44_is_the_letter_d() {
        let (uris, warnings) = parse_list("ldap://glauth/dc=users%44dc=local").unwrap();
        assert_eq!(uris[0].base.as_deref(), Some("dc=usersDdc=local"));
        assert_eq!(warnings[0].number(), 4);
        let text = warnings[0].to_string();
        assert!(
            text.contains("%44 is the letter D") && text.contains("%2c"),
            "{text}"
        );
    }

    #[test]
    fn no_host_is_localhost() {
        assert_eq!(
            list("ldap:///dc=x"),
            (vec![one("ldap://localhost", "dc=x")], vec![])
        );
    }

    #[test]
    fn a_slash_at_the_end_goes() {
        let wanted = (vec![one("ldap://glauth", "dc=users,dc=local")], vec![5]);
        assert_eq!(list("ldap://glauth/dc=users,dc=local/"), wanted);
        assert_eq!(
            list("ldap://glauth/"),
            (vec![one("ldap://glauth", "")], vec![])
        );
    }

    #[test]
    fn ports_and_addresses() {
        assert_eq!(list("ldap://[::1]:3890").0, [one("ldap://[::1]:3890", "")]);
        let (uris, _) = parse_list("ldaps://x ldap://y:10389 ldapi://%2ftmp%2fs").unwrap();
        let port = |uri: &Uri| match uri.endpoint {
            Endpoint::Tcp { port, .. } => Some(port),
            Endpoint::Unix(_) => None,
        };
        assert_eq!(
            uris.iter().map(port).collect::<Vec<_>>(),
            [Some(636), Some(10389), None]
        );
        assert_eq!(uris[2].endpoint, Endpoint::Unix("/tmp/s".into()));
    }

    #[test]
    fn scope_and_filter() {
        let (uris, _) = parse_list("ldap://h/dc=x?cn,mail?one?(mail=%25u)").unwrap();
        assert_eq!(uris[0].scope, Some(Scope::One));
        assert_eq!(uris[0].filter.as_deref(), Some("(mail=%u)"));
    }
}
