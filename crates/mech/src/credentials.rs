// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a client mechanism comes by names and passwords: it asks for all it
//! needs at once, so that an application without callbacks sees one list of
//! prompts and not one after the other. The texts are those programs know.
#![forbid(unsafe_code)]

use crate::{Answer, ClientHost, Prompt, PromptKind};
use saslplug::{Code, Error, Result, Secret};
use std::borrow::Cow;

/// A prompt, and how much depends on the answer.
pub(crate) struct Question<'a> {
    prompt: &'a Prompt,
    need: Need,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Required,
    Optional,
    Preference,
}

impl<'a> Question<'a> {
    /// An answer must come.
    pub(crate) fn required(prompt: &'a Prompt) -> Self {
        Self {
            prompt,
            need: Need::Required,
        }
    }

    /// No answer means the prompt's proposal, or an empty one.
    pub(crate) fn optional(prompt: &'a Prompt) -> Self {
        Self {
            prompt,
            need: Need::Optional,
        }
    }

    /// As optional, and a callback that fails is no answer either.
    pub(crate) fn preference(prompt: &'a Prompt) -> Self {
        Self {
            prompt,
            need: Need::Preference,
        }
    }

    fn put_to(&self, host: &dyn ClientHost) -> Result<Answer> {
        match host.ask(self.prompt) {
            Err(_) if self.need == Need::Preference => Ok(Answer::Nobody),
            answer => answer,
        }
    }
}

/// What [`gather`] brings.
pub(crate) enum Gathered<const N: usize> {
    /// An answer to each question, in the order of the questions.
    Complete([Secret; N]),
    /// The application must show these prompts first.
    Missing(Vec<Prompt>),
}

/// Asks every question in turn; the first error ends it.
pub(crate) fn gather<const N: usize>(
    host: &dyn ClientHost,
    questions: [Question<'_>; N],
) -> Result<Gathered<N>> {
    let mut missing = Vec::new();
    let mut answers = [const { Secret::new(Vec::new()) }; N];
    for (slot, question) in answers.iter_mut().zip(questions) {
        match question.put_to(host)? {
            Answer::Given(value) => *slot = value,
            Answer::Interact => missing.push(question.prompt.clone()),
            answer => *slot = accept(&answer, &question)?,
        }
    }
    if missing.is_empty() {
        return Ok(Gathered::Complete(answers));
    }
    missing.sort_by_key(|prompt| rank(prompt.kind));
    Ok(Gathered::Missing(missing))
}

/// What stands for an answer that did not come.
#[cold]
fn accept(answer: &Answer, question: &Question<'_>) -> Result<Secret> {
    let password = matches!(question.prompt.kind, PromptKind::Pass | PromptKind::NoEcho);
    match answer {
        _ if question.need != Need::Required => {
            let proposal = question.prompt.default.as_deref().unwrap_or_default();
            Ok(Secret::from(proposal.as_bytes()))
        }
        Answer::Null if password => Err(Error::new(
            Code::BADPARAM,
            "Unexpectedly missing a prompt result in _plug_get_password",
        )),
        Answer::Null => Err(Error::new(
            Code::BADPARAM,
            "Unexpectedly missing a prompt result in _plug_get_simple",
        )),
        _ => Err(Error::with(
            Code::FAIL,
            format!(
                "nobody to ask for the {}: pass its callback to sasl_client_new",
                question
                    .prompt
                    .challenge
                    .as_deref()
                    .unwrap_or("answer")
                    .to_lowercase()
            ),
        )),
    }
}

/// The place of a prompt in the list that the user sees, whatever the order in
/// which the callbacks were asked.
fn rank(kind: PromptKind) -> u8 {
    match kind {
        PromptKind::User => 0,
        PromptKind::AuthName => 1,
        PromptKind::Pass => 2,
        PromptKind::Echo => 3,
        PromptKind::NoEcho => 4,
        PromptKind::Realm => 5,
    }
}

/// Asks for the name to log in with.
pub(crate) static AUTHID: Prompt = prompt(
    PromptKind::AuthName,
    "Authentication Name",
    "Please enter your authentication name",
);

/// Asks for the name to act as.
pub(crate) static AUTHZID: Prompt = prompt(
    PromptKind::User,
    "Authorization Name",
    "Please enter your authorization name",
);

/// Asks for the password.
pub(crate) static PASSWORD: Prompt =
    prompt(PromptKind::Pass, "Password", "Please enter your password");

const fn prompt(kind: PromptKind, challenge: &'static str, text: &'static str) -> Prompt {
    Prompt {
        kind,
        challenge: Some(Cow::Borrowed(challenge)),
        text: Cow::Borrowed(text),
        default: None,
        choices: Vec::new(),
    }
}

/// Asks for the name to act as, and proposes none.
pub(crate) const fn proposing_nothing(text: &'static str) -> Prompt {
    Prompt {
        kind: PromptKind::User,
        challenge: Some(Cow::Borrowed("Authorization Name")),
        text: Cow::Borrowed(text),
        default: Some(Cow::Borrowed("")),
        choices: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeClient;

    #[test]
    fn one_list_for_all_that_must_interact() {
        let host = FakeClient::interactive(&[PromptKind::Pass, PromptKind::AuthName]);
        let asked = [Question::required(&PASSWORD), Question::required(&AUTHID)];
        let Gathered::Missing(prompts) = gather(&host, asked).unwrap() else {
            panic!("complete")
        };
        let kinds: Vec<_> = prompts.iter().map(|prompt| prompt.kind).collect();
        assert_eq!(kinds, [PromptKind::AuthName, PromptKind::Pass]);
        assert_eq!(prompts[1].challenge.as_deref(), Some("Password"));
        assert_eq!(prompts[1].text, "Please enter your password");
    }

    #[test]
    fn an_optional_name_may_have_nobody_to_ask() {
        let host = FakeClient::with(&[(PromptKind::AuthName, b"tim")]);
        let asked = [Question::required(&AUTHID), Question::optional(&AUTHZID)];
        let Gathered::Complete([name, user]) = gather(&host, asked).unwrap() else {
            panic!("interaction")
        };
        assert_eq!((name.as_bytes(), user.as_bytes()), (&b"tim"[..], &b""[..]));
    }

    #[test]
    fn a_required_answer_must_come() {
        let host = FakeClient::with(&[]);
        let error = gather(&host, [Question::required(&PASSWORD)])
            .err()
            .unwrap();
        assert_eq!(error.code(), Code::FAIL);
        assert!(error.reason().contains("password"), "{error}");
        host.answer(PromptKind::Pass, Ok(Answer::Null));
        let error = gather(&host, [Question::required(&PASSWORD)])
            .err()
            .unwrap();
        assert_eq!(error.code(), Code::BADPARAM);
    }

    #[test]
    fn a_preference_falls_back_to_the_proposal() {
        let realm = Prompt {
            default: Some("R".into()),
            ..Prompt::new(PromptKind::Realm, "?")
        };
        let host = FakeClient::with(&[]);
        for answer in [
            Ok(Answer::Nobody),
            Ok(Answer::Null),
            Err(Error::bare(Code::FAIL)),
        ] {
            host.answer(PromptKind::Realm, answer);
            let Gathered::Complete([realm]) =
                gather(&host, [Question::preference(&realm)]).unwrap()
            else {
                panic!("interaction")
            };
            assert_eq!(realm.as_bytes(), b"R");
        }
    }

    #[test]
    fn the_first_failing_callback_ends_it() {
        let host = FakeClient::with(&[(PromptKind::Pass, b"x")]);
        host.answer(PromptKind::User, Err(Error::bare(Code::BADPARAM)));
        let asked = [Question::optional(&AUTHZID), Question::required(&PASSWORD)];
        assert_eq!(gather(&host, asked).err().unwrap().code(), Code::BADPARAM);
        assert_eq!(host.calls(), ["ask User"]);
    }
}
