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
    /// The servers that the SRV records of this domain name.
    Service(String),
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
    /// Whether TLS begins with the first byte.
    pub(crate) fn is_ldaps(&self) -> bool {
        self.scheme.starts_with("ldaps")
    }

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
            Endpoint::Service(domain) => format!("{}://{domain}", self.scheme),
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
    let base = base(&decoded(Some(dn))?.unwrap_or_default(), warnings).map_err(|why| bad(&why))?;
    let endpoint = match scheme.ends_with("+srv") {
        true => service(host, base.as_deref()).map_err(bad),
        false => endpoint(scheme, host).map_err(|why| bad(&why)),
    };
    Ok(Uri {
        scheme,
        endpoint: endpoint?,
        base,
        scope,
        filter: decoded(filter)?,
    })
}

/// The domain of `ldap+srv://domain`, or the one that the base is made of.
fn service(host: &str, base: Option<&str>) -> Result<Endpoint, &'static str> {
    if host.contains([':', '[', '%']) {
        return Err("with +srv it has a domain; host and port come from the DNS");
    }
    let domain = match host.trim_end_matches('.') {
        "" => base.and_then(Dn::parse).and_then(|dn| dn.domain()),
        host => Some(host.to_owned()),
    };
    let domain = domain.ok_or("with +srv it needs a domain, or a base of dc=…")?;
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    match domain.bytes().all(known) && domain.len() < 200 {
        true => Ok(Endpoint::Service(domain)),
        false => Err("the domain has odd characters"),
    }
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
mod tests;
