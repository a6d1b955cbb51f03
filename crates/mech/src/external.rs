// SPDX-License-Identifier: MIT OR Apache-2.0
//! EXTERNAL (RFC 4422 appendix A): the identity that TLS or the operating system
//! established. Without one the mechanism does not exist on a connection. A NUL
//! in the authzid is refused.
#![forbid(unsafe_code)]

use crate::credentials::{self, Gathered, Question, gather};
use crate::{ClientExchange, ClientHost, ClientMech, ClientStep, Done, Features, Lookup, MechInfo};
use crate::{Prompt, PromptKind, Security, ServerExchange, ServerHost, ServerMech, Step};
use saslplug::{Code, Error, Identity, Result};

/// The mechanism, both sides.
pub(crate) struct External;

/// Its line in both tables.
pub(crate) static MECHANISM: External = External;

static INFO: MechInfo = MechInfo::new(
    "EXTERNAL",
    0,
    Security::NOPLAINTEXT
        .union(Security::NODICTIONARY)
        .union(Security::NOANONYMOUS),
    Features::WANT_CLIENT_FIRST.union(Features::ALLOWS_PROXY),
);

const LONGEST: usize = 16384;

impl ServerMech for External {
    fn info(&self) -> &MechInfo {
        &INFO
    }

    fn begin(&self, host: &dyn ServerHost) -> Result<Box<dyn ServerExchange>> {
        established(host.external_id())?;
        Ok(Box::new(Server))
    }

    fn available(&self, host: &dyn ServerHost) -> Result<()> {
        established(host.external_id())
            .map(drop)
            .map_err(|_| Error::bare(Code::NOTDONE))
    }
}

/// An empty identity is none: a certificate without a name is not everybody.
fn established(identity: Option<Vec<u8>>) -> Result<Vec<u8>> {
    identity
        .filter(|identity| !identity.is_empty())
        .ok_or_else(|| Error::bare(Code::NOMECH))
}

struct Server;

impl ServerExchange for Server {
    fn step(&mut self, host: &dyn ServerHost, response: Option<&[u8]>) -> Result<Step> {
        let identity = established(host.external_id())?;
        let Some(authzid) = response else {
            return Ok(Step::Challenge(Vec::new()));
        };
        if authzid.len() > LONGEST {
            return Err(Error::bare(Code::BADPROT));
        }
        if authzid.contains(&0) {
            return Err(Error::new(
                Code::BADPROT,
                "NUL byte inside the authzid of EXTERNAL",
            ));
        }
        let anonymous_refused = host.limits().security.contains(Security::NOANONYMOUS);
        if anonymous_refused && identity == b"anonymous" {
            return Err(Error::new(Code::NOAUTHZ, "anonymous login not allowed"));
        }
        if authzid.is_empty() {
            host.identify(&identity, Identity::Both, Lookup::ExternallyVerified)?;
        } else {
            host.identify(authzid, Identity::Authzid, Lookup::Required)?;
            host.identify(&identity, Identity::Authid, Lookup::ExternallyVerified)?;
        }
        Ok(Step::Done(Done::default()))
    }
}

impl ClientMech for External {
    fn info(&self) -> &MechInfo {
        &INFO
    }

    fn required_prompts(&self) -> &[PromptKind] {
        &[]
    }

    fn begin(&self, host: &dyn ClientHost) -> Result<Box<dyn ClientExchange>> {
        established(host.external_id())?;
        Ok(Box::new(Client))
    }
}

struct Client;

impl ClientExchange for Client {
    fn step(&mut self, host: &dyn ClientHost, challenge: Option<&[u8]>) -> Result<ClientStep> {
        if challenge.is_some_and(|challenge| !challenge.is_empty()) {
            return Err(Error::bare(Code::BADPROT));
        }
        let identity = established(host.external_id())?;
        let [authzid] = match gather(host, [Question::optional(&AUTHORIZATION_NAME)])? {
            Gathered::Complete(answers) => answers,
            Gathered::Missing(prompts) => return Ok(ClientStep::Interact(prompts)),
        };
        if authzid.is_empty() {
            host.identify(&identity, Identity::Both)?;
        } else {
            host.identify(authzid.as_bytes(), Identity::Authzid)?;
            host.identify(&identity, Identity::Authid)?;
        }
        // As typed: the server's own canonical form may be another.
        let final_data = Some(authzid.as_bytes().to_vec());
        Ok(ClientStep::Done(Done {
            final_data,
            ..Done::default()
        }))
    }
}

static AUTHORIZATION_NAME: Prompt =
    credentials::proposing_nothing("Please enter your authorization name");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeClient, FakeServer};

    fn server(identity: &str) -> FakeServer {
        let mut host = FakeServer::new(&[("tim", ""), ("admin", "")]);
        host.external = Some(identity.as_bytes().to_vec());
        host
    }

    fn login(host: &FakeServer, response: Option<&[u8]>) -> Result<Step> {
        ServerMech::begin(&MECHANISM, host)?.step(host, response)
    }

    #[test]
    fn without_an_identity_there_is_no_such_mechanism() {
        let mut host = server("tim");
        assert!(MECHANISM.available(&host).is_ok());
        for identity in [None, Some(Vec::new())] {
            host.external = identity;
            assert_eq!(
                MECHANISM.available(&host).unwrap_err().code(),
                Code::NOTDONE
            );
            assert_eq!(login(&host, Some(b"")).err().unwrap().code(), Code::NOMECH);
        }
    }

    #[test]
    fn no_authzid_is_the_identity_itself() {
        let host = server("nobody");
        assert!(matches!(login(&host, Some(b"")), Ok(Step::Done(_))));
        assert_eq!(host.calls(), ["identify nobody Both ExternallyVerified"]);
        assert!(matches!(login(&host, None), Ok(Step::Challenge(bytes)) if bytes.is_empty()));
        assert_eq!(host.calls(), [""; 0]);
    }

    #[test]
    fn an_authzid_comes_first_and_must_exist() {
        let host = server("admin");
        assert!(matches!(login(&host, Some(b"tim")), Ok(Step::Done(_))));
        assert_eq!(
            host.calls(),
            [
                "identify tim Authzid Required",
                "identify admin Authid ExternallyVerified"
            ]
        );
        assert_eq!(
            login(&host, Some(b"who")).err().unwrap().code(),
            Code::NOUSER
        );
        assert_eq!(host.calls(), ["identify who Authzid Required"]);
    }

    #[test]
    fn odd_input_is_refused() {
        let host = server("tim");
        for authzid in [&b"\0tim"[..], b"tim\0", &[b'a'; 16385]] {
            assert_eq!(
                login(&host, Some(authzid)).err().unwrap().code(),
                Code::BADPROT
            );
        }
        assert_eq!(host.calls(), [""; 0]);
        assert_eq!(
            login(&host, Some(&[b'a'; 16384])).err().unwrap().code(),
            Code::BUFOVER
        );
    }

    #[test]
    fn anonymous_may_be_unwanted() {
        let mut host = server("anonymous");
        assert!(login(&host, Some(b"")).is_ok());
        host.limits.security = Security::NOANONYMOUS;
        host.calls();
        for authzid in [&b""[..], b"tim"] {
            assert_eq!(
                login(&host, Some(authzid)).err().unwrap().code(),
                Code::NOAUTHZ
            );
        }
        assert_eq!(host.calls(), [""; 0]);
    }

    fn client(answers: &[(PromptKind, &[u8])]) -> FakeClient {
        let mut host = FakeClient::with(answers);
        host.external = Some(b"tim".to_vec());
        host
    }

    fn response(host: &FakeClient) -> Result<ClientStep> {
        ClientMech::begin(&MECHANISM, host)?.step(host, None)
    }

    #[test]
    fn the_client_sends_the_authzid_or_nothing() {
        let host = client(&[]);
        let Ok(ClientStep::Done(done)) = response(&host) else {
            panic!("not done")
        };
        assert_eq!(done.final_data.unwrap(), b"");
        assert_eq!(host.calls(), ["ask User", "identify tim Both"]);

        let host = client(&[(PromptKind::User, b"bob ")]);
        let Ok(ClientStep::Done(done)) = response(&host) else {
            panic!("not done")
        };
        assert_eq!(done.final_data.unwrap(), b"bob ");
        assert_eq!(
            host.calls(),
            ["ask User", "identify bob  Authzid", "identify tim Authid"]
        );
    }

    #[test]
    fn the_client_needs_an_identity_and_no_challenge() {
        let host = FakeClient::with(&[]);
        assert_eq!(response(&host).err().unwrap().code(), Code::NOMECH);
        let host = client(&[]);
        let mut exchange = ClientMech::begin(&MECHANISM, &host).unwrap();
        assert_eq!(
            exchange.step(&host, Some(b"foo")).err().unwrap().code(),
            Code::BADPROT
        );
    }
}
