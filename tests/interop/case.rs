// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is tried with a pair: a mechanism, who logs in, what is asked of both
//! sides, and what must come of it.

use crate::table::{Cell, failed};
use lab::party::{Outcome, Said, sample};

/// The password that is never right.
pub(crate) const WRONG: &str = "canary-41";

/// The user of [`Case::odd`].
pub(crate) const ODD: (&str, &str) = ("a=2C,\"b\\c", "p\"q\\r,s=t u");

/// A channel binding.
pub(crate) const BOUND: &[&str] = &["cb=tls-unique:finished"];

/// How the same login is made to fail.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Refusal {
    /// With [`WRONG`] for the password.
    Password,
    /// With these words before the others.
    Words {
        server: &'static [&'static str],
        client: &'static [&'static str],
    },
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) mech: &'static str,
    pub(crate) authid: &'static str,
    /// Empty for none.
    pub(crate) pass: &'static str,
    /// Words for the server and for the client.
    pub(crate) server: &'static [&'static str],
    pub(crate) client: &'static [&'static str],
    /// Words for both.
    pub(crate) both: &'static [&'static str],
    /// Who the server must take the client for, without a realm.
    pub(crate) user: &'static str,
    pub(crate) ssf: u32,
    /// A text that one of the messages must hold.
    pub(crate) says: &'static str,
    pub(crate) refusal: Refusal,
    /// Whether the partner of this library is known to fail.
    pub(crate) partner_cannot: bool,
}

/// A login of alice, with a password.
pub(crate) const ALICE: Case = Case {
    name: "",
    mech: "",
    authid: "alice",
    pass: "secret",
    server: &[],
    client: &[],
    both: &[],
    user: "alice",
    ssf: 0,
    says: "",
    refusal: Refusal::Password,
    partner_cannot: false,
};

/// A login of nobody, which a server may rule out.
pub(crate) const ANONYMOUS: Case = Case {
    client: &["token=a@trace", "authzid=a@trace"],
    user: "anonymous",
    refusal: Refusal::Words {
        server: &["secflags=0x10"],
        client: &[],
    },
    ..Case::of("ANONYMOUS")
};

impl Case {
    /// A login of alice with a mechanism.
    pub(crate) const fn of(mech: &'static str) -> Self {
        Self {
            name: mech,
            mech,
            ..ALICE
        }
    }

    /// -PLUS with one binding, refused with another.
    pub(crate) const fn bound(mech: &'static str) -> Self {
        Self {
            both: BOUND,
            says: "p=tls-unique",
            refusal: Refusal::Words {
                server: &[],
                client: &["cb=tls-unique:vanished"],
            },
            ..Self::of(mech)
        }
    }

    /// A name and a password beyond ASCII.
    pub(crate) const fn beyond(name: &'static str, mech: &'static str) -> Self {
        Self {
            name,
            authid: "jürgen",
            pass: "größer",
            user: "jürgen",
            ..Self::of(mech)
        }
    }

    /// A name and a password full of what the mechanisms' syntaxes use.
    pub(crate) const fn odd(name: &'static str, mech: &'static str) -> Self {
        Self {
            name,
            authid: ODD.0,
            pass: ODD.1,
            user: ODD.0,
            both: &["max=0", "qop=qop-auth"],
            ..Self::of(mech)
        }
    }

    /// The words of both sides for the login that must succeed.
    pub(crate) fn right(&self) -> [Vec<String>; 2] {
        self.words(&[], &[], self.pass)
    }

    /// The words of both sides for the login that must fail.
    pub(crate) fn wrong(&self) -> [Vec<String>; 2] {
        match self.refusal {
            Refusal::Password => self.words(&[], &[], WRONG),
            Refusal::Words { server, client } => self.words(server, client, self.pass),
        }
    }

    /// The first of two words with one name counts.
    fn words(&self, server: &[&str], client: &[&str], pass: &str) -> [Vec<String>; 2] {
        let mut sides = [
            [server, self.server, self.both].concat(),
            [client, self.client, self.both].concat(),
        ]
        .map(|words| {
            words
                .iter()
                .map(|&word| word.to_owned())
                .collect::<Vec<_>>()
        });
        sides[1].push(format!("authid={}", self.authid));
        if !pass.is_empty() {
            sides[1].push(format!("pass={pass}"));
        }
        for words in &mut sides {
            words.push(format!("mech={}", self.mech));
        }
        sides
    }

    /// Whether both agreed on what they should have; a word for the table.
    pub(crate) fn agreed(&self, outcome: &Outcome) -> Cell {
        let wrong = |what: &str| failed(format!("{what}: {}", told(outcome)));
        if !outcome.both_ok() {
            return wrong("not both succeeded");
        }
        let user = outcome.server.property("user");
        if user.split('@').next() != Some(self.user) {
            return wrong("another user");
        }
        // Not every partner has a number for its layer; libsasl2 always has.
        let ssf = |said: &Said| said.properties.get("ssf").cloned();
        let layers = [ssf(&outcome.server), ssf(&outcome.client)];
        if layers == [None, None]
            || layers
                .iter()
                .flatten()
                .any(|ssf| *ssf != self.ssf.to_string())
        {
            return wrong("another layer");
        }
        if !outcome
            .messages
            .iter()
            .any(|line| text(line).contains(self.says))
        {
            return wrong("not said what it should");
        }
        if self.ssf == 0 {
            return Ok("ok".to_owned());
        }
        let size = self
            .server
            .iter()
            .chain(self.both)
            .find_map(|word| word.strip_prefix("data="));
        let expected = sample(size.unwrap_or("0").parse().unwrap());
        for side in [&outcome.server, &outcome.client] {
            if expected.is_empty() || side.data.as_ref() != Some(&Ok(expected.clone())) {
                return wrong("other data");
            }
        }
        Ok(format!("ok, layer {}", self.ssf))
    }

    /// Whether it failed, where it is known to.
    pub(crate) fn cannot(&self, outcome: &Outcome) -> Cell {
        match outcome.both_ok() {
            true => failed(format!("works now: {}", told(outcome))),
            false => Ok("partner cannot".to_owned()),
        }
    }

    /// Whether a side refused, and the server let nobody in.
    pub(crate) fn refused(&self, outcome: &Outcome) -> Cell {
        let (server, client) = (outcome.server.code, outcome.client.code);
        let refused = [server, client].into_iter().flatten().any(|code| code != 0);
        if server == Some(0) || !refused {
            return failed(format!("not refused: {}", told(outcome)));
        }
        Ok("refused".to_owned())
    }
}

/// A message as text.
pub(crate) fn text(line: &str) -> String {
    let digits = line.get(2..).unwrap_or("").as_bytes();
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).unwrap();
        u8::from_str_radix(pair, 16).unwrap()
    };
    let bytes: Vec<u8> = digits.chunks(2).map(byte).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An outcome to read: the messages, and what both sides said.
pub(crate) fn told(outcome: &Outcome) -> String {
    let messages: Vec<_> = outcome.messages.iter().map(|line| text(line)).collect();
    let side = |said: &Said| {
        let mut said = said.clone();
        said.properties.remove("maps");
        said
    };
    let sides = [side(&outcome.server), side(&outcome.client)];
    format!("{messages:#?} server, client {sides:#?}")
}
