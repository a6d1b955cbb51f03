// SPDX-License-Identifier: MIT OR Apache-2.0
//! What OAUTHBEARER and XOAUTH2 share: the client shows a token of an
//! authorization server and the server lets somebody verify it. A refusal comes
//! as one more challenge, which the client answers with a dummy (RFC 7628
//! section 3.2.3). Only for connections that something else protects.
#![forbid(unsafe_code)]

use crate::credentials::{self, Gathered, Question, gather};
use crate::printable::Printable;
use crate::{ClientExchange, ClientHost, ClientMech, ClientStep, Done, Features, Lookup, MechInfo};
use crate::{Security, ServerExchange, ServerHost, ServerMech, Step};
use saslplug::{Code, Error, Identity, Level, Result, Secret};

/// The longest message that is looked at.
const LONGEST: usize = 65536;

/// A mechanism: how its messages look.
pub(crate) struct Bearer {
    info: MechInfo,
    form: Form,
}

type Read = for<'a> fn(&'a [u8]) -> Result<Presented<'a>>;
type Write = fn(&[u8], Option<&str>, &Secret) -> Result<Vec<u8>>;
type Failure = fn(Refusal, Option<&str>, Option<&str>) -> String;

/// The messages of a mechanism.
#[derive(Clone, Copy)]
pub(crate) struct Form {
    /// Its name.
    pub(crate) name: &'static str,
    /// Reads the client's message.
    pub(crate) read: Read,
    /// Writes the client's message: user, server's name, token.
    pub(crate) write: Write,
    /// The challenge after a refusal; the options `oauth_scope` and
    /// `oauth_openid_configuration`.
    pub(crate) failure: Failure,
    /// What the client answers to it.
    pub(crate) dummy: &'static [u8],
}

/// What a client shows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Presented<'a> {
    /// The user to act as, if the client names one.
    pub(crate) user: Option<Vec<u8>>,
    /// The token; empty when the client only asks what is wanted.
    pub(crate) token: &'a [u8],
}

/// Why a client is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refusal {
    /// There was no token.
    Request,
    /// The token does not do.
    Token,
}

impl Bearer {
    /// A mechanism with these messages.
    pub(crate) const fn new(form: Form) -> Self {
        let security = Security::NOANONYMOUS.union(Security::PASS_CREDENTIALS);
        let features = Features::WANT_CLIENT_FIRST.union(Features::ALLOWS_PROXY);
        Self {
            info: MechInfo::new(form.name, 0, security, features),
            form,
        }
    }
}

impl ServerMech for Bearer {
    fn info(&self) -> &MechInfo {
        &self.info
    }

    fn begin(&self, _: &dyn ServerHost) -> Result<Box<dyn ServerExchange>> {
        Ok(Box::new(Server {
            form: self.form,
            stage: Stage::Start,
        }))
    }

    fn available(&self, host: &dyn ServerHost) -> Result<()> {
        if !host.lists(self.form.name) {
            return Err(Error::with(
                Code::NOMECH,
                format!(
                    "{} is offered only where the option mech_list names it",
                    self.form.name
                ),
            ));
        }
        host.can_check_tokens()
    }
}

struct Server {
    form: Form,
    stage: Stage,
}

enum Stage {
    Start,
    Refused(Error),
    Over,
}

impl ServerExchange for Server {
    fn step(&mut self, host: &dyn ServerHost, response: Option<&[u8]>) -> Result<Step> {
        match core::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Start => self.verify(host, response.unwrap_or_default()),
            // Whatever the client answers: it has failed.
            Stage::Refused(error) => Err(error),
            Stage::Over => Err(Error::with(
                Code::FAIL,
                format!("this {} exchange is over", self.form.name),
            )),
        }
    }
}

impl Server {
    fn verify(&mut self, host: &dyn ServerHost, message: &[u8]) -> Result<Step> {
        if message.len() > LONGEST {
            return Err(Error::new(Code::BADPROT, "a token longer than 64 KiB"));
        }
        let presented = (self.form.read)(message)?;
        if presented.token.is_empty() {
            let error = Error::new(Code::BADAUTH, "the client sent no token");
            return Ok(self.refuse(host, Refusal::Request, error));
        }
        let token = Secret::from(presented.token);
        let name = match host.check_token(self.form.name, presented.user.as_deref(), &token) {
            Ok(name) => name,
            Err(error) if is_verdict(error.code()) => {
                return Ok(self.refuse(host, Refusal::Token, error));
            }
            Err(error) => return Err(error),
        };
        if name.is_empty() {
            return Err(Error::new(Code::FAIL, "a token of nobody"));
        }
        match presented.user {
            Some(user) if user != name.as_bytes() => {
                host.identify(
                    name.as_bytes(),
                    Identity::Authid,
                    Lookup::ExternallyVerified,
                )?;
                host.identify(&user, Identity::Authzid, Lookup::Required)?;
            }
            _ => host.identify(name.as_bytes(), Identity::Both, Lookup::ExternallyVerified)?,
        }
        Ok(Step::Done(Done::default()))
    }

    fn refuse(&mut self, host: &dyn ServerHost, refusal: Refusal, error: Error) -> Step {
        self.stage = Stage::Refused(error);
        let scope = host.option("", "oauth_scope");
        let configuration = host.option("", "oauth_openid_configuration");
        let failure = (self.form.failure)(refusal, scope.as_deref(), configuration.as_deref());
        Step::Challenge(failure.into_bytes())
    }
}

/// Whether the verifier judged the token; otherwise it could not.
fn is_verdict(code: Code) -> bool {
    [
        Code::BADAUTH,
        Code::NOUSER,
        Code::EXPIRED,
        Code::DISABLED,
        Code::NOAUTHZ,
    ]
    .contains(&code)
}

impl ClientMech for Bearer {
    fn info(&self) -> &MechInfo {
        &self.info
    }

    fn begin(&self, _: &dyn ClientHost) -> Result<Box<dyn ClientExchange>> {
        Ok(Box::new(Client {
            form: self.form,
            stage: ClientStage::Start,
        }))
    }
}

struct Client {
    form: Form,
    stage: ClientStage,
}

#[derive(Clone, Copy)]
enum ClientStage {
    Start,
    Sent,
    Refused,
}

impl ClientExchange for Client {
    fn step(&mut self, host: &dyn ClientHost, challenge: Option<&[u8]>) -> Result<ClientStep> {
        match self.stage {
            ClientStage::Start => self.show(host),
            ClientStage::Sent => Ok(self.hear(host, challenge.unwrap_or_default())),
            ClientStage::Refused => Err(Error::new(
                Code::BADAUTH,
                "the server refused the token; its reason is in the log",
            )),
        }
    }
}

impl Client {
    fn show(&mut self, host: &dyn ClientHost) -> Result<ClientStep> {
        let questions = [
            Question::required(&credentials::AUTHID),
            Question::optional(&credentials::AUTHZID),
            Question::required(&credentials::PASSWORD),
        ];
        let [authid, authzid, token] = match gather(host, questions)? {
            Gathered::Complete(answers) => answers,
            Gathered::Missing(prompts) => return Ok(ClientStep::Interact(prompts)),
        };
        if authzid.is_empty() {
            host.identify(authid.as_bytes(), Identity::Both)?;
        } else {
            host.identify(authzid.as_bytes(), Identity::Authzid)?;
            host.identify(authid.as_bytes(), Identity::Authid)?;
        }
        if !is_token(token.as_bytes()) {
            return Err(Error::new(
                Code::BADPARAM,
                "the password is no bearer token (RFC 6750 section 2.1): give the access token \
                 where a password is asked for",
            ));
        }
        let user = host.authzid().unwrap_or_default();
        let message = (self.form.write)(&user, host.server_fqdn().as_deref(), &token)?;
        self.stage = ClientStage::Sent;
        Ok(ClientStep::Done(Done {
            final_data: Some(message),
            may_object: true,
            ..Done::default()
        }))
    }

    /// The server says more: nothing, or why it refuses.
    fn hear(&mut self, host: &dyn ClientHost, challenge: &[u8]) -> ClientStep {
        if challenge.is_empty() {
            return ClientStep::Done(Done::default());
        }
        let shown = challenge.get(..512).unwrap_or(challenge);
        host.log(
            Level::Fail,
            format_args!("the server refused the token: {}", Printable(shown)),
        );
        self.stage = ClientStage::Refused;
        ClientStep::Response(Some(self.form.dummy.to_vec()))
    }
}

/// Whether `token` is a `b64token` (RFC 6750 section 2.1).
pub(crate) fn is_token(token: &[u8]) -> bool {
    let end = token
        .iter()
        .rposition(|&byte| byte != b'=')
        .map_or(0, |last| last + 1);
    let body = token.get(..end).unwrap_or_default();
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte);
    !body.is_empty() && body.iter().all(allowed)
}

/// The token after the word `Bearer`; `None` for another scheme or no token.
pub(crate) fn credentials(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(7)?;
    let token = rest.trim_ascii_start();
    (scheme.eq_ignore_ascii_case(b"Bearer ") && is_token(token)).then_some(token)
}

/// The fields between the control characters 0x01; each is a name, `=` and a
/// value, and two such characters end the last one.
pub(crate) fn fields(message: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let body = message.strip_suffix(b"\x01\x01")?;
    let fields = body.split(|&byte| byte == 1).map(|field| {
        let equals = field.iter().position(|&byte| byte == b'=')?;
        let (name, value) = field.split_at(equals);
        let text = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..);
        let value = value.get(1..)?;
        (!name.is_empty() && value.iter().all(text)).then_some((name, value))
    });
    fields.collect()
}

/// A JSON object of strings; names and values that are absent stay away.
pub(crate) fn object(members: &[(&str, Option<&str>)]) -> String {
    let present = members
        .iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)));
    let members: Vec<_> = present
        .map(|(name, value)| format!("\"{name}\":\"{}\"", escaped(value)))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' | '\\' => escaped.extend(['\\', letter]),
            '\0'..='\x1f' => escaped.push_str(&format!("\\u{:04x}", u32::from(letter))),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
