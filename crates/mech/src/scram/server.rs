// SPDX-License-Identifier: MIT OR Apache-2.0
//! The server's side of RFC 5802. A user who does not exist goes through the
//! same messages, with a salt that stays the same, and fails where a wrong
//! password would. Order of calls, codes and texts: docs/mechanisms.md.
#![forbid(unsafe_code)]

use super::cache::Source;
use super::keys::{Keys, Stored, prepared};
use super::message::{ClientFinal, ClientFirst, Flag, malformed};
use super::{FEWEST, MOST, Scram};
use crate::{Binding, Disposition, Done, Lookup, ServerExchange, ServerHost, Step, base64};
use core::ffi::CStr;
use saslplug::{Code, Error, Identity, Level, Result, Secret};
use subtle::ConstantTimeEq;

const PASSWORD: &CStr = c"*userPassword";
const STORED: &CStr = c"*authPassword";

/// Starts an exchange.
pub(super) fn begin(mech: &'static Scram) -> Box<dyn ServerExchange> {
    Box::new(Server {
        mech,
        state: State::Start { asked: false },
        farewell: None,
    })
}

struct Server {
    mech: &'static Scram,
    state: State,
    farewell: Option<&'static [u8]>,
}

enum State {
    Start { asked: bool },
    Challenged(Box<Challenged>),
    Over,
}

struct Challenged {
    first: ClientFirst,
    nonce: Vec<u8>,
    server_first: Vec<u8>,
    user: User,
}

/// Whom the client wants to be.
struct User {
    name: Vec<u8>,
    verifier: Verifier,
    /// Why this user cannot log in, told when the password would have been.
    refusal: Option<Error>,
}

enum Verifier {
    Password {
        password: Secret,
        salt: Vec<u8>,
        iterations: u32,
    },
    Keys(Stored),
}

impl Verifier {
    fn salt(&self) -> (&[u8], u32) {
        match self {
            Self::Password {
                salt, iterations, ..
            } => (salt, *iterations),
            Self::Keys(stored) => (&stored.salt, stored.iterations),
        }
    }
}

impl ServerExchange for Server {
    fn step(&mut self, host: &dyn ServerHost, response: Option<&[u8]>) -> Result<Step> {
        let response = response.unwrap_or_default();
        self.farewell = None;
        match core::mem::replace(&mut self.state, State::Over) {
            State::Start { asked: false } if response.is_empty() => {
                self.state = State::Start { asked: true };
                Ok(Step::Challenge(Vec::new()))
            }
            State::Start { .. } => self.challenge(host, response),
            State::Challenged(challenged) => self.finish(host, &challenged, response),
            State::Over => Err(Error::new(Code::FAIL, "this SCRAM exchange is over")),
        }
    }

    fn farewell(&self) -> Option<&[u8]> {
        self.farewell
    }
}

impl Server {
    fn challenge(&mut self, host: &dyn ServerHost, response: &[u8]) -> Result<Step> {
        let first = ClientFirst::parse(self.mech.name(), response)?;
        let user = self.find(host, &first)?;
        let mut random = [0; 24];
        host.fill_random(&mut random)?;
        let nonce = [first.nonce.as_slice(), base64::encode(&random).as_bytes()].concat();
        let (salt, iterations) = user.verifier.salt();
        let tail = format!(",s={},i={iterations}", base64::encode(salt));
        let server_first = [b"r=", nonce.as_slice(), tail.as_bytes()].concat();
        let challenge = server_first.clone();
        self.state = State::Challenged(Box::new(Challenged {
            first,
            nonce,
            server_first,
            user,
        }));
        Ok(Step::Challenge(challenge))
    }

    /// Looks the user up; only a fault of ours ends the exchange here.
    fn find(&self, host: &dyn ServerHost, first: &ClientFirst) -> Result<User> {
        host.request(&[PASSWORD, STORED])?;
        let identified = identify(host, first);
        let found = identified.and_then(|()| self.verifier(host));
        host.erase(&[PASSWORD, STORED]);
        let name = host.authid().unwrap_or_else(|| first.authid.clone());
        // For everybody, or the time would tell for whom it is needed.
        let decoy = self
            .mech
            .memory
            .stable(host, self.mech.hash, "password", &name)?;
        match found {
            Ok(verifier) => Ok(User {
                verifier,
                name,
                refusal: None,
            }),
            Err(error) if tells_of_user(error.code()) => {
                // As long as usual passwords are: the length can be seen as time.
                let decoy = Secret::from(decoy.get(..12).unwrap_or(&decoy));
                let verifier = self.with_password(host, &name, decoy)?;
                Ok(User {
                    verifier,
                    name,
                    refusal: Some(error),
                })
            }
            Err(error) => Err(error),
        }
    }

    fn verifier(&self, host: &dyn ServerHost) -> Result<Verifier> {
        if let Some(password) = host.property(PASSWORD).into_iter().next() {
            if password.is_empty() {
                return Err(Error::new(Code::NOVERIFY, "empty secret"));
            }
            return self.with_password(host, &host.authid().unwrap_or_default(), password);
        }
        let stored = host.property(STORED);
        if stored.is_empty() {
            return Err(Error::new(Code::NOUSER, "no secret in database"));
        }
        let (hash, mech) = (self.mech.hash, self.mech.name());
        let stored = stored
            .iter()
            .find_map(|value| Stored::parse(hash, mech, value.as_bytes()));
        stored
            .map(Verifier::Keys)
            .ok_or_else(|| Error::with(Code::NOVERIFY, format!("No valid {mech} secret found")))
    }

    fn with_password(
        &self,
        host: &dyn ServerHost,
        name: &[u8],
        password: Secret,
    ) -> Result<Verifier> {
        let salt = self
            .mech
            .memory
            .stable(host, self.mech.hash, "salt", name)?
            .to_vec();
        Ok(Verifier::Password {
            password,
            salt,
            iterations: iterations(self.mech.name(), host),
        })
    }

    fn finish(
        &mut self,
        host: &dyn ServerHost,
        seen: &Challenged,
        response: &[u8],
    ) -> Result<Step> {
        let mech = self.mech.name();
        self.farewell = Some(b"e=other-error");
        let last = ClientFinal::parse(mech, response)?;
        if !bool::from(last.nonce.ct_eq(&seen.nonce)) {
            return Err(malformed(mech, "Nonce mismatch {} input"));
        }
        self.farewell = Some(b"e=channel-bindings-dont-match");
        let binding = check_binding(mech, host, &seen.first, &last.binding)?;
        self.farewell = Some(b"e=invalid-proof");
        if last.proof.len() != self.mech.hash.size() {
            return Err(malformed(mech, "Invalid client proof length in {} input"));
        }
        let message: [&[u8]; 5] = [
            &seen.first.bare,
            b",",
            &seen.server_first,
            b",",
            &last.without_proof,
        ];
        let signature = self.verify(host, &seen.user, &last.proof, &message)?;
        self.farewell = None;
        let final_data = Some(format!("v={}", base64::encode(&signature)).into_bytes());
        Ok(Step::Done(Done {
            final_data,
            binding,
            ..Done::default()
        }))
    }

    /// The server's signature, if the client's proof is right.
    fn verify(
        &self,
        host: &dyn ServerHost,
        user: &User,
        proof: &[u8],
        message: &[&[u8]],
    ) -> Result<Vec<u8>> {
        let hash = self.mech.hash;
        let mut right = None;
        for keys in self.keys(host, user)? {
            if keys.accept(hash, proof, message) {
                right = right.or_else(|| Some(keys.signature(hash, message).to_vec()));
            }
        }
        match (&user.refusal, right) {
            (Some(refusal), _) => Err(refusal.clone()),
            (None, Some(signature)) => Ok(signature),
            (None, None) => Err(Error::new(Code::BADAUTH, "StoredKey mismatch")),
        }
    }

    /// The keys that the user may have: of the password as the RFC prepares it,
    /// and as it is, for clients that do not prepare it.
    fn keys(&self, host: &dyn ServerHost, user: &User) -> Result<Vec<Keys>> {
        let (password, salt, iterations) = match &user.verifier {
            Verifier::Keys(stored) => return Ok(vec![stored.keys.clone()]),
            Verifier::Password {
                password,
                salt,
                iterations,
            } => (password, salt, *iterations),
        };
        let exists = user.refusal.is_none();
        let source = |password| Source {
            user: &user.name,
            exists,
            password,
            salt,
            iterations,
        };
        let derive = |password| {
            self.mech
                .memory
                .keys(host, self.mech.hash, source(password))
        };
        let prepared = prepared(password.as_bytes());
        let mut keys = vec![derive(&prepared)?];
        if prepared.as_slice() != password.as_bytes() {
            keys.push(derive(password.as_bytes())?);
        }
        Ok(keys)
    }
}

fn identify(host: &dyn ServerHost, first: &ClientFirst) -> Result<()> {
    let one_name = first.authzid.is_empty();
    let identity = if one_name {
        Identity::Both
    } else {
        Identity::Authid
    };
    host.identify(&first.authid, identity, Lookup::Required)
        .map_err(|error| Error::new(error.code(), "unable to canonify user and get auxprops"))?;
    if !one_name {
        host.identify(&first.authzid, Identity::Authzid, Lookup::Required)
            .map_err(|error| Error::new(error.code(), "unable to canonify authorization ID"))?;
    }
    Ok(())
}

/// Whether a code says something of a user that a stranger must not learn.
fn tells_of_user(code: Code) -> bool {
    let told = [
        Code::NOUSER,
        Code::NOVERIFY,
        Code::DISABLED,
        Code::EXPIRED,
        Code::PWLOCK,
        Code::NOAUTHZ,
    ];
    told.contains(&code)
}

/// What the client signed as channel binding against what is so.
fn check_binding(
    mech: &str,
    host: &dyn ServerHost,
    first: &ClientFirst,
    signed: &[u8],
) -> Result<Binding> {
    let data = signed.strip_prefix(first.header.as_slice());
    let unbound = |disposition| match data {
        Some([]) => Ok(Binding {
            name: None,
            disposition,
        }),
        _ => Err(wrong_prefix(mech, &first.header)),
    };
    let name = match &first.flag {
        Flag::No => return unbound(Disposition::None),
        Flag::Would => return unbound(Disposition::Want),
        Flag::Binds(name) => name,
    };
    let data = data.ok_or_else(|| wrong_prefix(mech, &first.header))?;
    if data.is_empty() {
        return Err(malformed(mech, "Channel bindings data expected in {}"));
    }
    let bindings = host.channel_bindings();
    let Some(preferred) = bindings.first() else {
        let text = "Server does not support channel binding type received in {}. Received: ";
        return Err(malformed(mech, &format!("{text}{name}")));
    };
    let Some(own) = bindings.iter().find(|own| own.name == *name) else {
        let text = "Unsupported channel bindings type received in {}. Expected: ";
        return Err(malformed(
            mech,
            &format!("{text}{}, received: {name}", preferred.name),
        ));
    };
    if own.data.len() != data.len() {
        let text = "Unsupported channel bindings length received in {}. Expected length: ";
        let lengths = format!("{}, received: {}", own.data.len(), data.len());
        return Err(malformed(mech, &format!("{text}{lengths}")));
    }
    if !bool::from(own.data.ct_eq(data)) {
        return Err(malformed(mech, "Channel bindings mismatch in {}"));
    }
    Ok(Binding {
        name: Some(name.clone()),
        disposition: Disposition::Used,
    })
}

fn wrong_prefix(mech: &str, header: &[u8]) -> Error {
    let text = "Channel bindings prefix doesn't match the one received in the GS2 header of";
    let header = String::from_utf8_lossy(header);
    Error::with(
        Code::BADPROT,
        format!("{text} {mech}. Expected \"{}\"", header.escape_debug()),
    )
}

/// How often a password of this server is hashed.
pub(super) fn iterations(mech: &str, host: &dyn ServerHost) -> u32 {
    let option = "scram_iteration_counter";
    let Some(text) = host.option(mech, option) else {
        return FEWEST;
    };
    let wanted = text.trim().parse::<i64>().unwrap_or_default();
    let taken = wanted.clamp(FEWEST.into(), MOST.into());
    if taken != wanted {
        host.log(
            Level::Warn,
            format_args!(
                "{option} \"{}\" is not between {FEWEST} and {MOST}: {taken} is used",
                text.escape_debug()
            ),
        );
    }
    u32::try_from(taken).unwrap_or(FEWEST)
}

#[cfg(test)]
mod tests;
