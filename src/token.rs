// SPDX-License-Identifier: MIT OR Apache-2.0
//! Verifies bearer tokens that are JSON Web Tokens (RFC 7519): signature by a
//! key of a local file (RFC 7517), issuer, audience, time; one claim is the
//! user. Options `oauth_*`, docs/mechanisms.md. Nothing is fetched: the program
//! that renews the keys writes the file, and each login reads it.
#![forbid(unsafe_code)]

use crate::connection::Connection;
use core::ffi::CStr;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use saslplug::{Code, Error, Result, Secret};
use std::collections::HashMap;
use std::io::Read;

/// The largest file of keys that is read.
const LARGEST: u64 = 1 << 20;

/// Signatures that the holder of a public key cannot make. The family of the
/// key must fit as well.
const SIGNATURES: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// What the administrator wants of a token.
pub(crate) struct Policy {
    keys: String,
    issuer: String,
    audience: Vec<String>,
    claim: String,
    leeway: u64,
}

impl Policy {
    fn of(conn: &Connection) -> Result<Self> {
        Self::from(|name| {
            let value = conn.option(None, name)?;
            Some(value.to_string_lossy().into_owned())
        })
    }

    pub(crate) fn from(option: impl Fn(&CStr) -> Option<String>) -> Result<Self> {
        let required = |name: &CStr| {
            option(name)
                .filter(|value| !value.trim().is_empty())
                .ok_or_else(|| {
                    let name = name.to_string_lossy();
                    Error::with(
                        Code::NOMECH,
                        format!("bearer tokens cannot be verified without the option {name}"),
                    )
                })
        };
        let leeway = option(c"oauth_leeway").unwrap_or_else(|| "60".to_owned());
        Ok(Self {
            keys: required(c"oauth_jwks")?,
            issuer: required(c"oauth_issuer")?,
            audience: required(c"oauth_audience")?
                .split_ascii_whitespace()
                .map(str::to_owned)
                .collect(),
            claim: option(c"oauth_claim").unwrap_or_else(|| "sub".to_owned()),
            leeway: seconds(&leeway)?,
        })
    }
}

/// A day at most: more would make expiry meaningless.
fn seconds(text: &str) -> Result<u64> {
    let number = text
        .trim()
        .parse()
        .ok()
        .filter(|&seconds| seconds <= 86_400);
    number.ok_or_else(|| {
        Error::with(
            Code::CONFIGERR,
            format!("option oauth_leeway: {text} is no number of seconds up to 86400"),
        )
    })
}

/// Whether tokens can be verified on this connection.
///
/// # Errors
/// `NOMECH` without the options, `CONFIGERR` for broken ones.
pub(crate) fn configured(conn: &Connection) -> Result<()> {
    Policy::of(conn).map(drop)
}

/// Whose token this is.
///
/// # Errors
/// `BADAUTH` or `EXPIRED` for a token that does not do; `CONFIGERR` when the
/// options or the keys are broken.
pub(crate) fn verify(conn: &Connection, token: &Secret) -> Result<String> {
    let policy = Policy::of(conn)?;
    let keys = read_keys(&policy.keys)?;
    judge(&policy, &keys, token)
}

fn read_keys(path: &str) -> Result<JwkSet> {
    let broken = |reason: &dyn core::fmt::Display| {
        Error::with(
            Code::CONFIGERR,
            format!("option oauth_jwks: {path}: {reason}"),
        )
    };
    let file = std::fs::File::open(path).map_err(|error| broken(&error))?;
    let mut text = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut text)
        .map_err(|error| broken(&error))?;
    if u64::try_from(text.len()).is_ok_and(|length| length > LARGEST) {
        return Err(broken(&"larger than 1 MiB"));
    }
    serde_json::from_slice(&text).map_err(|error| broken(&error))
}

pub(crate) fn judge(policy: &Policy, keys: &JwkSet, token: &Secret) -> Result<String> {
    let refused = |reason| Error::new(Code::BADAUTH, reason);
    let header = jsonwebtoken::decode_header(token.as_bytes())
        .map_err(|_| refused("the bearer token is no JSON Web Token"))?;
    if header.crit.is_some() {
        return Err(refused("the bearer token has a critical extension"));
    }
    if !SIGNATURES.contains(&header.alg) {
        return Err(refused(
            "the bearer token is signed with an algorithm that is not allowed",
        ));
    }
    let key = key(keys, &header)?;
    let mut validation = Validation::new(header.alg);
    validation.leeway = policy.leeway;
    validation.validate_nbf = true;
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation.set_issuer(&[&policy.issuer]);
    validation.set_audience(&policy.audience);
    type Claims = HashMap<String, serde_json::Value>;
    let decoded = jsonwebtoken::decode::<Claims>(token.as_bytes(), &key, &validation)
        .map_err(|error| refusal(error.kind()))?;
    let user = decoded
        .claims
        .get(&policy.claim)
        .and_then(|claim| claim.as_str());
    user.filter(|user| !user.is_empty() && !user.chars().any(char::is_control))
        .map(str::to_owned)
        .ok_or(refused(
            "the bearer token does not name a user in the claim of option oauth_claim",
        ))
}

/// The key that a token names; one without a name fits a file with one key.
fn key(keys: &JwkSet, header: &Header) -> Result<DecodingKey> {
    let for_signatures = |key: &&Jwk| key.common.public_key_use != Some(PublicKeyUse::Encryption);
    let mut fitting = keys
        .keys
        .iter()
        .filter(for_signatures)
        .filter(|key| header.kid.is_none() || key.common.key_id == header.kid);
    let (Some(key), None) = (fitting.next(), fitting.next()) else {
        return Err(Error::new(
            Code::BADAUTH,
            "the bearer token is signed with a key that the file of option oauth_jwks does not \
             name",
        ));
    };
    let agreed = key
        .common
        .key_algorithm
        .and_then(|algorithm| algorithm.to_string().parse::<Algorithm>().ok());
    if agreed.is_some_and(|algorithm| algorithm != header.alg) {
        return Err(Error::new(
            Code::BADAUTH,
            "the bearer token is signed with another algorithm than its key is for",
        ));
    }
    DecodingKey::from_jwk(key).map_err(|_| {
        Error::new(
            Code::CONFIGERR,
            "option oauth_jwks: the file has a key that cannot be used",
        )
    })
}

fn refusal(kind: &ErrorKind) -> Error {
    let (code, reason) = match kind {
        ErrorKind::ExpiredSignature => (Code::EXPIRED, "the bearer token has expired"),
        ErrorKind::ImmatureSignature => (Code::BADAUTH, "the bearer token is not valid yet"),
        ErrorKind::InvalidIssuer => (
            Code::BADAUTH,
            "the bearer token is of another issuer than option oauth_issuer",
        ),
        ErrorKind::InvalidAudience => (
            Code::BADAUTH,
            "the bearer token is for another audience than option oauth_audience",
        ),
        ErrorKind::InvalidSignature => {
            (Code::BADAUTH, "the signature of the bearer token is wrong")
        }
        ErrorKind::MissingRequiredClaim(_) => (
            Code::BADAUTH,
            "the bearer token lacks one of the claims exp, iss, aud",
        ),
        _ => (Code::BADAUTH, "the bearer token does not verify"),
    };
    Error::new(code, reason)
}

#[cfg(test)]
mod tests;
