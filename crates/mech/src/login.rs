// SPDX-License-Identifier: MIT OR Apache-2.0
//! LOGIN (draft-murchison-sasl-login): name and password in clear, each after a
//! prompt of the server. Obsolete; for clients that know nothing else. A NUL
//! inside a name or a password is refused: cutting there would make another
//! name of it.
#![forbid(unsafe_code)]

use crate::credentials::{self, Gathered, Question, gather};
use crate::plain::refuse_empty;
use crate::prepare::prepared;
use crate::{ClientExchange, ClientHost, ClientMech, ClientStep, Done, Features, Lookup, MechInfo};
use crate::{Security, ServerExchange, ServerHost, ServerMech, Step};
use saslplug::{Code, Error, Identity, Result};

/// The mechanism, both sides.
pub(crate) struct Login;

/// Its line in both tables.
pub(crate) static MECHANISM: Login = Login;

const SECURITY: Security = Security::NOANONYMOUS.union(Security::PASS_CREDENTIALS);

/// The server takes an initial response, as the name.
static SERVER: MechInfo = MechInfo::new("LOGIN", 0, SECURITY, Features::empty());
static CLIENT: MechInfo = MechInfo::new("LOGIN", 0, SECURITY, Features::SERVER_FIRST);

const LONGEST: usize = 1024;

impl ServerMech for Login {
    fn info(&self) -> &MechInfo {
        &SERVER
    }

    fn begin(&self, _: &dyn ServerHost) -> Result<Box<dyn ServerExchange>> {
        Ok(Box::new(Server::Start))
    }
}

enum Server {
    Start,
    WaitsForName,
    WaitsForPassword { name: Vec<u8> },
    Over,
}

impl ServerExchange for Server {
    fn step(&mut self, host: &dyn ServerHost, response: Option<&[u8]>) -> Result<Step> {
        let response = response.unwrap_or_default();
        match core::mem::replace(self, Self::Over) {
            Self::Start if response.is_empty() => {
                *self = Self::WaitsForName;
                Ok(Step::Challenge(b"Username:".to_vec()))
            }
            Self::Start | Self::WaitsForName => {
                let too_long = "username too long (>1024 characters)";
                let name = acceptable(response, too_long)?.to_vec();
                *self = Self::WaitsForPassword { name };
                Ok(Step::Challenge(b"Password:".to_vec()))
            }
            Self::WaitsForPassword { name } => {
                let too_long = "clientinlen is > 1024 characters in LOGIN plugin";
                let password = acceptable(response, too_long)?;
                let name = prepared(host, "LOGIN", &name)?;
                let password = prepared(host, "LOGIN", password)?;
                refuse_empty(&name, &password)?;
                host.identify(&name, Identity::Both, Lookup::ExternallyVerified)?;
                host.check_password((&*password).into())?;
                Ok(Step::Done(Done::default()))
            }
            Self::Over => Err(Error::new(Code::FAIL, "this LOGIN exchange is over")),
        }
    }
}

fn acceptable<'a>(response: &'a [u8], too_long: &'static str) -> Result<&'a [u8]> {
    if response.len() > LONGEST {
        return Err(Error::new(Code::BADPROT, too_long));
    }
    if response.contains(&0) {
        return Err(Error::new(
            Code::BADPROT,
            "NUL byte inside a name or a password in LOGIN",
        ));
    }
    Ok(response)
}

impl ClientMech for Login {
    fn info(&self) -> &MechInfo {
        &CLIENT
    }

    fn begin(&self, _: &dyn ClientHost) -> Result<Box<dyn ClientExchange>> {
        Ok(Box::new(Client::Start))
    }
}

enum Client {
    Start,
    NameAsked,
    PasswordAsked,
}

impl ClientExchange for Client {
    fn step(&mut self, host: &dyn ClientHost, challenge: Option<&[u8]>) -> Result<ClientStep> {
        if let Self::Start = self {
            *self = Self::NameAsked;
            if challenge.is_none() {
                return Ok(ClientStep::Response(None));
            }
        }
        // Servers word their challenges as they like; their order is fixed.
        match self {
            Self::Start | Self::NameAsked => {
                challenge.ok_or_else(|| silent_server("USERNAME"))?;
                self.send_name(host)
            }
            Self::PasswordAsked => {
                challenge.ok_or_else(|| silent_server("PASSWORD"))?;
                send_password(host)
            }
        }
    }
}

fn silent_server(what: &str) -> Error {
    Error::with(
        Code::BADPROT,
        format!("Server didn't issue challenge for {what}"),
    )
}

impl Client {
    fn send_name(&mut self, host: &dyn ClientHost) -> Result<ClientStep> {
        let [name] = match gather(host, [Question::required(&credentials::AUTHID)])? {
            Gathered::Complete(answers) => answers,
            Gathered::Missing(prompts) => return Ok(ClientStep::Interact(prompts)),
        };
        host.identify(name.as_bytes(), Identity::Both)?;
        *self = Self::PasswordAsked;
        Ok(ClientStep::Response(host.authid()))
    }
}

fn send_password(host: &dyn ClientHost) -> Result<ClientStep> {
    let [password] = match gather(host, [Question::required(&credentials::PASSWORD)])? {
        Gathered::Complete(answers) => answers,
        Gathered::Missing(prompts) => return Ok(ClientStep::Interact(prompts)),
    };
    let final_data = Some(password.as_bytes().to_vec());
    Ok(ClientStep::Done(Done {
        final_data,
        ..Done::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PromptKind;
    use crate::testing::{FakeClient, FakeServer};

    /// Plays the responses; the last step's result.
    fn play(host: &FakeServer, responses: &[Option<&[u8]>]) -> Result<Step> {
        let mut exchange = ServerMech::begin(&MECHANISM, host)?;
        let mut last = Err(Error::bare(Code::NOTDONE));
        for response in responses {
            last = exchange.step(host, *response);
            if last.is_err() {
                break;
            }
        }
        last
    }

    fn server() -> FakeServer {
        FakeServer::new(&[("tim", "tanstaaftanstaaf")])
    }

    fn challenge(step: Result<Step>) -> Vec<u8> {
        match step {
            Ok(Step::Challenge(bytes)) => bytes,
            _ => panic!("no challenge"),
        }
    }

    #[test]
    fn name_then_password() {
        let host = server();
        let name: Option<&[u8]> = Some(b"tim");
        let password: Option<&[u8]> = Some(b"tanstaaftanstaaf");
        assert_eq!(challenge(play(&host, &[None])), b"Username:");
        assert_eq!(challenge(play(&host, &[None, name])), b"Password:");
        assert_eq!(host.calls(), [""; 0]);
        assert!(matches!(
            play(&host, &[None, name, password]),
            Ok(Step::Done(_))
        ));
        assert_eq!(
            host.calls(),
            ["identify tim Both ExternallyVerified", "check_password"]
        );
    }

    #[test]
    fn an_initial_response_is_the_name_and_an_empty_one_is_none() {
        let host = server();
        assert_eq!(challenge(play(&host, &[Some(b"tim")])), b"Password:");
        assert_eq!(challenge(play(&host, &[Some(b"")])), b"Username:");
    }

    #[test]
    fn failures_have_the_codes_and_texts_that_programs_know() {
        let refusal = |name: &[u8], password: &[u8]| {
            let step = play(&server(), &[None, Some(name), Some(password)]);
            let error = step.err().expect("refused");
            (error.code(), error.reason().to_owned())
        };
        assert_eq!(
            refusal(b"tim", b"wrong"),
            (Code::BADAUTH, "checkpass failed".to_owned())
        );
        assert_eq!(
            refusal(b"who", b"wrong"),
            (Code::NOUSER, "checkpass failed".to_owned())
        );
        let long = [b'a'; 1025];
        let text = "username too long (>1024 characters)";
        assert_eq!(refusal(&long, b""), (Code::BADPROT, text.to_owned()));
        let text = "clientinlen is > 1024 characters in LOGIN plugin";
        assert_eq!(refusal(b"tim", &long), (Code::BADPROT, text.to_owned()));
        assert_eq!(refusal(&long[..1024], b"x").0, Code::NOUSER);
        assert_eq!(refusal(b"", b"x").0, Code::FAIL);
    }

    #[test]
    fn a_nul_is_refused_not_cut() {
        let host = server();
        let cut: [&[Option<&[u8]>]; 2] = [
            &[None, Some(b"tim\0x"), Some(b"tanstaaftanstaaf")],
            &[None, Some(b"tim"), Some(b"tanstaaftanstaaf\0x")],
        ];
        for responses in cut {
            assert_eq!(play(&host, responses).err().unwrap().code(), Code::BADPROT);
            assert_eq!(host.calls(), [""; 0]);
        }
    }

    #[test]
    fn an_empty_password_reaches_nobody() {
        let host = server();
        let step = play(&host, &[None, Some(b"tim"), None]);
        assert_eq!(step.err().unwrap().code(), Code::BADAUTH);
        assert_eq!(host.calls(), [""; 0]);
    }

    #[test]
    fn the_client_answers_whatever_the_prompts_say() {
        let host = FakeClient::user(" tim", "pw");
        let mut exchange = ClientMech::begin(&MECHANISM, &host).unwrap();
        assert!(matches!(
            exchange.step(&host, None),
            Ok(ClientStep::Response(None))
        ));
        let step = exchange.step(&host, Some(b"User Name\0"));
        assert!(matches!(step, Ok(ClientStep::Response(Some(name))) if name == b"tim"));
        assert_eq!(host.calls(), ["ask AuthName", "identify  tim Both"]);
        let Ok(ClientStep::Done(done)) = exchange.step(&host, Some(b"")) else {
            panic!("not done")
        };
        assert_eq!(done.final_data.unwrap(), b"pw");
        assert_eq!(host.calls(), ["ask Pass"]);
    }

    #[test]
    fn the_client_wants_challenges() {
        let host = FakeClient::user("tim", "pw");
        let mut exchange = ClientMech::begin(&MECHANISM, &host).unwrap();
        assert!(exchange.step(&host, None).is_ok());
        for _ in 0..2 {
            let error = exchange.step(&host, None).err().unwrap();
            assert_eq!(error.reason(), "Server didn't issue challenge for USERNAME");
        }
    }

    #[test]
    fn the_client_asks_for_one_thing_at_a_time() {
        let host = FakeClient::interactive(&[PromptKind::AuthName, PromptKind::Pass]);
        let mut exchange = ClientMech::begin(&MECHANISM, &host).unwrap();
        assert!(exchange.step(&host, None).is_ok());
        let Ok(ClientStep::Interact(prompts)) = exchange.step(&host, Some(b"Username:")) else {
            panic!("no prompts")
        };
        assert_eq!(prompts.len(), 1);
        assert_eq!(prompts[0].kind, PromptKind::AuthName);
    }
}
