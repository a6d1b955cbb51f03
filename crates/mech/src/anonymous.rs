// SPDX-License-Identifier: MIT OR Apache-2.0
//! ANONYMOUS (RFC 4505): nobody in particular, with a trace that says who might
//! be asked. The trace comes from strangers: it is cut at 255 bytes and no
//! control character of it reaches the log.
#![forbid(unsafe_code)]

use crate::credentials::{self, Gathered, Question, gather};
use crate::printable::Printable;
use crate::{ClientExchange, ClientHost, ClientMech, ClientStep, Done, Features, Lookup, MechInfo};
use crate::{Prompt, PromptKind, Security, ServerExchange, ServerHost, ServerMech, Step};
use saslplug::{Code, Error, Identity, Level, Result};

/// The mechanism, both sides.
pub(crate) struct Anonymous;

/// Its line in both tables.
pub(crate) static MECHANISM: Anonymous = Anonymous;

static SERVER: MechInfo = MechInfo::new(
    "ANONYMOUS",
    0,
    Security::NOPLAINTEXT,
    Features::WANT_CLIENT_FIRST.union(Features::DONTUSE_USERPASSWD),
);
static CLIENT: MechInfo = MechInfo::new(
    "ANONYMOUS",
    0,
    Security::NOPLAINTEXT,
    Features::WANT_CLIENT_FIRST,
);

const NAME: &[u8] = b"anonymous";
const LONGEST: usize = 255;

impl ServerMech for Anonymous {
    fn info(&self) -> &MechInfo {
        &SERVER
    }

    fn begin(&self, _: &dyn ServerHost) -> Result<Box<dyn ServerExchange>> {
        Ok(Box::new(Server))
    }
}

struct Server;

impl ServerExchange for Server {
    fn step(&mut self, host: &dyn ServerHost, response: Option<&[u8]>) -> Result<Step> {
        let trace = response.unwrap_or_default();
        let trace = trace.get(..LONGEST).unwrap_or(trace);
        host.log(
            Level::Note,
            format_args!("ANONYMOUS login: \"{}\"", Printable(trace)),
        );
        host.identify(NAME, Identity::Both, Lookup::Required)?;
        Ok(Step::Done(Done::default()))
    }
}

impl ClientMech for Anonymous {
    fn info(&self) -> &MechInfo {
        &CLIENT
    }

    fn required_prompts(&self) -> &[PromptKind] {
        &[]
    }

    fn begin(&self, _: &dyn ClientHost) -> Result<Box<dyn ClientExchange>> {
        Ok(Box::new(Client))
    }
}

struct Client;

impl ClientExchange for Client {
    fn step(&mut self, host: &dyn ClientHost, challenge: Option<&[u8]>) -> Result<ClientStep> {
        if challenge.is_some_and(|challenge| !challenge.is_empty()) {
            return Err(Error::new(
                Code::BADPROT,
                "Nonzero serverinlen in ANONYMOUS continue_step",
            ));
        }
        let [name] = match gather(host, [Question::optional(&IDENTIFICATION)])? {
            Gathered::Complete(answers) => answers,
            Gathered::Missing(prompts) => return Ok(ClientStep::Interact(prompts)),
        };
        host.identify(NAME, Identity::Both)?;
        let name = if name.is_empty() {
            NAME
        } else {
            name.as_bytes()
        };
        let trace = [name, b"@", host.client_fqdn().as_bytes()].concat();
        Ok(ClientStep::Done(Done {
            final_data: Some(trace),
            ..Done::default()
        }))
    }
}

static IDENTIFICATION: Prompt =
    credentials::proposing_nothing("Please enter anonymous identification");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeClient, FakeServer};

    fn logged(trace: &[u8]) -> Vec<String> {
        let host = FakeServer::new(&[("anonymous", "")]);
        let mut exchange = ServerMech::begin(&MECHANISM, &host).unwrap();
        assert!(matches!(
            exchange.step(&host, Some(trace)),
            Ok(Step::Done(_))
        ));
        host.calls()
    }

    #[test]
    fn the_trace_is_logged_then_the_name_looked_up() {
        let identify = "identify anonymous Both Required".to_owned();
        let expected = |trace: &str| {
            [
                format!("log Note ANONYMOUS login: \"{trace}\""),
                identify.clone(),
            ]
        };
        assert_eq!(logged(b"sirhc"), expected("sirhc"));
        assert_eq!(logged(b""), expected(""));
        assert_eq!(logged("zoë O'Hara".as_bytes()), expected("zoë O'Hara"));
    }

    #[test]
    fn nothing_raw_reaches_the_log() {
        let calls = logged(b"a\n\x1b[2J\"\\\0\xff\xe2\x80\xae");
        assert_eq!(
            calls[0],
            r#"log Note ANONYMOUS login: "a\x0a\x1b[2J\"\\\x00\xff\u{202e}""#
        );
    }

    #[test]
    fn the_trace_is_cut() {
        assert_eq!(
            logged(&[b'a'; 255])[0].len(),
            "log Note ANONYMOUS login: \"\"".len() + 255
        );
        assert_eq!(
            logged(&[b'a'; 70000])[0].len(),
            "log Note ANONYMOUS login: \"\"".len() + 255
        );
    }

    #[test]
    fn a_store_without_such_a_user_refuses() {
        let host = FakeServer::new(&[]);
        let mut exchange = ServerMech::begin(&MECHANISM, &host).unwrap();
        assert_eq!(
            exchange.step(&host, Some(b"x")).err().unwrap().code(),
            Code::NOUSER
        );
    }

    fn response(host: &FakeClient, challenge: Option<&[u8]>) -> Result<ClientStep> {
        ClientMech::begin(&MECHANISM, host)?.step(host, challenge)
    }

    #[test]
    fn the_client_sends_who_and_where() {
        let host = FakeClient::with(&[(PromptKind::User, b"bob")]);
        let Ok(ClientStep::Done(done)) = response(&host, None) else {
            panic!("not done")
        };
        assert_eq!(done.final_data.unwrap(), b"bob@client.example.com");
        assert_eq!(host.calls(), ["ask User", "identify anonymous Both"]);

        let host = FakeClient::with(&[]);
        let Ok(ClientStep::Done(done)) = response(&host, Some(b"")) else {
            panic!("not done")
        };
        assert_eq!(done.final_data.unwrap(), b"anonymous@client.example.com");
    }

    #[test]
    fn the_client_proposes_an_empty_name_and_takes_no_challenge() {
        let host = FakeClient::interactive(&[PromptKind::User]);
        let Ok(ClientStep::Interact(prompts)) = response(&host, None) else {
            panic!("no prompt")
        };
        assert_eq!(prompts[0].default.as_deref(), Some(""));
        assert_eq!(prompts[0].text, "Please enter anonymous identification");
        assert_eq!(
            response(&host, Some(b"x")).err().unwrap().code(),
            Code::BADPROT
        );
    }
}
