// SPDX-License-Identifier: MIT OR Apache-2.0
//! PLAIN (RFC 4616): authzid, authid and password in clear, two NULs between.
//! Only for connections that something else protects. An empty authid or
//! password is refused before anybody is asked about it.
#![forbid(unsafe_code)]

use crate::credentials::{self, Gathered, Question, gather};
use crate::prepare::{Prepared, is_plain, prepared};
use crate::{ClientExchange, ClientHost, ClientMech, ClientStep, Done, Features, Lookup, MechInfo};
use crate::{Security, ServerExchange, ServerHost, ServerMech, Step};
use core::ffi::CStr;
use saslplug::{Code, Error, Identity, Result};

/// The mechanism, both sides.
pub(crate) struct Plain;

/// Its line in both tables.
pub(crate) static MECHANISM: Plain = Plain;

static INFO: MechInfo = MechInfo::new(
    "PLAIN",
    0,
    Security::NOANONYMOUS.union(Security::PASS_CREDENTIALS),
    Features::WANT_CLIENT_FIRST.union(Features::ALLOWS_PROXY),
);

const FAILED: &str = "Password verification failed";

impl ServerMech for Plain {
    fn info(&self) -> &MechInfo {
        &INFO
    }

    fn begin(&self, _: &dyn ServerHost) -> Result<Box<dyn ServerExchange>> {
        Ok(Box::new(Server))
    }
}

struct Server;

/// The three parts of the one message.
struct Message<'a> {
    authzid: &'a [u8],
    authid: &'a [u8],
    password: &'a [u8],
}

impl<'a> Message<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self> {
        let malformed = |reason| Error::new(Code::BADPROT, reason);
        let (authzid, rest) =
            split_nul(bytes).ok_or_else(|| malformed("Can only find author (no password)"))?;
        let (authid, password) =
            split_nul(rest).ok_or_else(|| malformed("Can only find author/en (no password)"))?;
        if password.contains(&0) {
            return Err(malformed(
                "Got more data than we were expecting in the PLAIN plugin",
            ));
        }
        Ok(Self {
            authzid,
            authid,
            password,
        })
    }
}

/// What is before the first NUL, and what is behind it.
fn split_nul(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let first = CStr::from_bytes_until_nul(bytes).ok()?.to_bytes();
    Some((first, bytes.get(first.len() + 1..)?))
}

impl<'a> Message<'a> {
    /// Authzid, authid and password, prepared where that is wanted.
    fn prepared(&self, host: &dyn ServerHost) -> Result<[Prepared<'a>; 3]> {
        let one = |part| prepared(host, "PLAIN", part);
        Ok([one(self.authzid)?, one(self.authid)?, one(self.password)?])
    }

    /// The same, most of which is ASCII.
    fn login(&self, host: &dyn ServerHost) -> Result<()> {
        if [self.authzid, self.authid, self.password]
            .iter()
            .all(|part| is_plain(part))
        {
            return log_in(host, self.authzid, self.authid, self.password);
        }
        let [authzid, authid, password] = self.prepared(host)?;
        log_in(host, &authzid, &authid, &password)
    }
}

impl ServerExchange for Server {
    fn step(&mut self, host: &dyn ServerHost, response: Option<&[u8]>) -> Result<Step> {
        Message::parse(response.unwrap_or_default())?.login(host)?;
        Ok(Step::Done(Done::default()))
    }
}

fn log_in(host: &dyn ServerHost, authzid: &[u8], authid: &[u8], password: &[u8]) -> Result<()> {
    refuse_empty(authid, password)?;
    let one_name = authzid.is_empty() || authzid == authid;
    let identity = if one_name {
        Identity::Both
    } else {
        Identity::Authid
    };
    host.identify(authid, identity, Lookup::ExternallyVerified)?;
    host.check_password(password.into())
        .map_err(|error| Error::new(error.code(), FAILED))?;
    if !one_name {
        host.identify(authzid, Identity::Authzid, Lookup::Required)?;
    }
    Ok(())
}

/// Some stores take an empty password for no wish to authenticate (RFC 4513
/// section 5.1.2) and say yes: nobody gets to see one.
pub(crate) fn refuse_empty(authid: &[u8], password: &[u8]) -> Result<()> {
    if authid.is_empty() {
        return Err(Error::new(Code::FAIL, "All-whitespace username."));
    }
    if password.is_empty() {
        return Err(Error::new(
            Code::BADAUTH,
            "Password verification failed: an empty password is never accepted",
        ));
    }
    Ok(())
}

impl ClientMech for Plain {
    fn info(&self) -> &MechInfo {
        &INFO
    }

    fn begin(&self, _: &dyn ClientHost) -> Result<Box<dyn ClientExchange>> {
        Ok(Box::new(Client))
    }
}

struct Client;

impl ClientExchange for Client {
    fn step(&mut self, host: &dyn ClientHost, _: Option<&[u8]>) -> Result<ClientStep> {
        let questions = [
            Question::required(&credentials::AUTHID),
            Question::optional(&credentials::AUTHZID),
            Question::required(&credentials::PASSWORD),
        ];
        let [authid, authzid, password] = match gather(host, questions)? {
            Gathered::Complete(answers) => answers,
            Gathered::Missing(prompts) => return Ok(ClientStep::Interact(prompts)),
        };
        let acts_as_other = !authzid.is_empty();
        if acts_as_other {
            host.identify(authzid.as_bytes(), Identity::Authzid)?;
            host.identify(authid.as_bytes(), Identity::Authid)?;
        } else {
            host.identify(authid.as_bytes(), Identity::Both)?;
        }
        let mut message = Ok(Vec::new());
        host.with_names(&mut |authid, authzid| {
            let authzid = if acts_as_other { authzid } else { &[] };
            message = compose(authzid, authid, password.as_bytes());
        });
        let message = message?;
        Ok(ClientStep::Done(Done {
            final_data: Some(message),
            ..Done::default()
        }))
    }
}

fn compose(authzid: &[u8], authid: &[u8], password: &[u8]) -> Result<Vec<u8>> {
    // Canonical names are C strings: there is no NUL in them.
    if password.contains(&0) {
        return Err(Error::new(
            Code::BADPARAM,
            "PLAIN cannot carry a name or a password with a NUL byte inside",
        ));
    }
    // The exact size first: growing would leave copies of the password behind.
    // One more for the NUL that the library puts behind what it hands out.
    let length = authzid.len() + authid.len() + password.len() + 3;
    let mut message = Vec::with_capacity(length);
    message.extend_from_slice(authzid);
    message.push(0);
    message.extend_from_slice(authid);
    message.push(0);
    message.extend_from_slice(password);
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PromptKind;
    use crate::testing::{FakeClient, FakeServer};

    fn server() -> FakeServer {
        FakeServer::new(&[
            ("tim", "tanstaaftanstaaf"),
            ("Kurt", "xipj3plmq"),
            ("Ursel", "x"),
        ])
    }

    fn login(host: &FakeServer, message: &[u8]) -> Result<Step> {
        ServerMech::begin(&MECHANISM, host)?.step(host, Some(message))
    }

    fn refusal(message: &[u8]) -> (Code, String) {
        let error = login(&server(), message).err().expect("refused");
        (error.code(), error.reason().to_owned())
    }

    #[test]
    fn rfc_4616_examples() {
        let host = server();
        assert!(login(&host, b"\0tim\0tanstaaftanstaaf").is_ok());
        assert_eq!(
            host.calls(),
            ["identify tim Both ExternallyVerified", "check_password"]
        );
        assert!(login(&host, b"Ursel\0Kurt\0xipj3plmq").is_ok());
        assert_eq!(
            host.calls(),
            [
                "identify Kurt Authid ExternallyVerified",
                "check_password",
                "identify Ursel Authzid Required"
            ]
        );
        assert_eq!(host.authzid().unwrap(), b"Ursel");
    }

    #[test]
    fn names_and_passwords_are_prepared_where_that_is_wanted() {
        let mut host = FakeServer::new(&[("IX", "a")]);
        let message = "\0I\u{ad}X\0\u{aa}".as_bytes();
        assert!(login(&host, message).is_err());
        host.options
            .insert("PLAIN/saslprep".to_owned(), "yes".to_owned());
        assert!(login(&host, message).is_ok());
        assert_eq!(host.authid().unwrap(), b"IX");
        // Nothing is left of the password.
        let error = login(&host, "\0IX\0\u{ad}".as_bytes()).err();
        assert_eq!(error.unwrap().code(), Code::BADAUTH);
        let error = login(&host, b"\0IX\0\x07").err();
        assert_eq!(error.unwrap().code(), Code::BADPROT);
    }

    #[test]
    fn there_is_no_limit_but_the_stores() {
        let long = "x".repeat(1 << 20);
        let message = format!("\0tim\0{long}");
        assert_eq!(refusal(message.as_bytes()).0, Code::BADAUTH);
        let message = format!("\0{long}\0tanstaaftanstaaf");
        assert_eq!(refusal(message.as_bytes()).0, Code::BUFOVER);
    }

    #[test]
    fn one_name_for_both_is_looked_up_once() {
        let host = server();
        assert!(login(&host, b"tim\0tim\0tanstaaftanstaaf").is_ok());
        assert_eq!(host.calls()[0], "identify tim Both ExternallyVerified");
    }

    #[test]
    fn failures_have_the_codes_and_texts_that_programs_know() {
        assert_eq!(refusal(b"\0tim\0wrong"), (Code::BADAUTH, FAILED.to_owned()));
        assert_eq!(refusal(b"\0who\0wrong"), (Code::NOUSER, FAILED.to_owned()));
        assert_eq!(refusal(b"who\0tim\0tanstaaftanstaaf").0, Code::NOUSER);
        let text = |text: &str| (Code::BADPROT, text.to_owned());
        assert_eq!(refusal(b""), text("Can only find author (no password)"));
        assert_eq!(refusal(b"tim"), text("Can only find author (no password)"));
        assert_eq!(
            refusal(b"\0tim"),
            text("Can only find author/en (no password)")
        );
        let more = text("Got more data than we were expecting in the PLAIN plugin");
        assert_eq!(refusal(b"\0tim\0tanstaaftanstaaf\0"), more);
        assert_eq!(refusal(b"\0tim\0tanstaaftanstaaf\0x"), more);
    }

    #[test]
    fn empty_fields_reach_nobody() {
        let host = server();
        assert_eq!(
            login(&host, b"\0tim\0").err().unwrap().code(),
            Code::BADAUTH
        );
        assert_eq!(login(&host, b"\0\0x").err().unwrap().code(), Code::FAIL);
        assert_eq!(host.calls(), [""; 0]);
    }

    #[test]
    fn the_authzid_waits_for_the_password() {
        let host = server();
        assert!(login(&host, b"Ursel\0Kurt\0wrong").is_err());
        assert_eq!(
            host.calls(),
            ["identify Kurt Authid ExternallyVerified", "check_password"]
        );
    }

    fn response(host: &FakeClient) -> Result<ClientStep> {
        ClientMech::begin(&MECHANISM, host)?.step(host, None)
    }

    #[test]
    fn the_client_sends_canonical_names() {
        let host = FakeClient::user(" tim ", "tanstaaftanstaaf");
        let Ok(ClientStep::Done(done)) = response(&host) else {
            panic!("not done")
        };
        assert_eq!(done.final_data.unwrap(), b"\0tim\0tanstaaftanstaaf");
        assert_eq!(
            host.calls(),
            [
                "ask AuthName",
                "ask User",
                "ask Pass",
                "identify  tim  Both"
            ]
        );
    }

    #[test]
    fn the_client_acts_as_another() {
        let host = FakeClient::with(&[
            (PromptKind::AuthName, b"Kurt"),
            (PromptKind::User, b"Ursel"),
            (PromptKind::Pass, b"xipj3plmq"),
        ]);
        let Ok(ClientStep::Done(done)) = response(&host) else {
            panic!("not done")
        };
        assert_eq!(done.final_data.unwrap(), b"Ursel\0Kurt\0xipj3plmq");
        let identified = ["identify Ursel Authzid", "identify Kurt Authid"];
        assert_eq!(host.calls()[3..], identified);
    }

    #[test]
    fn the_client_shows_one_list_of_prompts() {
        let all = [PromptKind::User, PromptKind::AuthName, PromptKind::Pass];
        let host = FakeClient::interactive(&all);
        let Ok(ClientStep::Interact(prompts)) = response(&host) else {
            panic!("no prompts")
        };
        assert_eq!(
            prompts.iter().map(|prompt| prompt.kind).collect::<Vec<_>>(),
            all
        );
        assert_eq!(host.calls(), ["ask AuthName", "ask User", "ask Pass"]);
    }

    #[test]
    fn the_client_does_not_cut_at_a_nul() {
        let host = FakeClient::user("tim", "a\0b");
        assert_eq!(response(&host).err().unwrap().code(), Code::BADPARAM);
    }
}
