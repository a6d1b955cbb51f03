// SPDX-License-Identifier: MIT OR Apache-2.0
//! Hosts for tests: a server with a few users and a client with a few answers.
//! Both write down every call, because the order of calls is what applications
//! and plugins observe. Shared with `tests/exchange.rs`.
#![allow(dead_code, reason = "two test programs share it, each uses a part")]

use crate::{Answer, ChannelBinding, ClientHost, Disposition, Limits, Lookup, Prompt, PromptKind};
use crate::{HttpRequest, Security, ServerHost};
use core::cell::{Cell, RefCell};
use core::ffi::CStr;
use core::fmt;
use saslplug::{Code, Error, Handle, Host, Identity, Level, Password, Result, Secret};
use std::collections::BTreeMap;

/// What tests allow: everything.
pub(crate) const LIMITS: Limits = Limits {
    min_ssf: 0,
    max_ssf: 256,
    max_buffer: 65536,
    security: Security::empty(),
    external_ssf: 0,
};

type Properties = Vec<(&'static CStr, Vec<Secret>)>;

/// A server with users; canonicalises as the INTERNAL provider does.
pub(crate) struct FakeServer {
    pub(crate) users: BTreeMap<Vec<u8>, Properties>,
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) external: Option<Vec<u8>>,
    pub(crate) realm: Option<String>,
    pub(crate) http: Option<HttpRequest>,
    pub(crate) limits: Limits,
    pub(crate) bindings: Vec<ChannelBinding>,
    pub(crate) time: Cell<u64>,
    pub(crate) random: Random,
    /// Nothing can be stored.
    pub(crate) full: Cell<bool>,
    calls: RefCell<Vec<String>>,
    requested: RefCell<Vec<&'static CStr>>,
    found: RefCell<Properties>,
    stored: RefCell<BTreeMap<Vec<u8>, Vec<Secret>>>,
    authid: RefCell<Option<Vec<u8>>>,
    authzid: RefCell<Option<Vec<u8>>>,
}

/// Bytes that tests can predict.
pub(crate) struct Random(Cell<u64>);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    pub(crate) fn next(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, or 0.
    pub(crate) fn below(&self, bound: usize) -> usize {
        let number = usize::try_from(self.next() >> 32).unwrap_or_default();
        number % bound.max(1)
    }

    pub(crate) fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

impl FakeServer {
    /// A server whose users have plain passwords.
    pub(crate) fn new(users: &[(&str, &str)]) -> Self {
        let users = users.iter().map(|(name, password)| {
            let password = Secret::from(password.as_bytes());
            (
                name.as_bytes().to_vec(),
                vec![(c"*userPassword", vec![password])],
            )
        });
        Self {
            users: users.collect(),
            options: BTreeMap::new(),
            external: None,
            realm: None,
            http: None,
            limits: LIMITS,
            bindings: Vec::new(),
            time: Cell::new(1_000_000),
            random: Random::new(1),
            full: Cell::new(false),
            calls: RefCell::default(),
            requested: RefCell::default(),
            found: RefCell::default(),
            stored: RefCell::default(),
            authid: RefCell::default(),
            authzid: RefCell::default(),
        }
    }

    /// Adds a user with one property.
    pub(crate) fn with_property(
        mut self,
        user: &str,
        name: &'static CStr,
        values: &[&[u8]],
    ) -> Self {
        let values = values.iter().map(|&value| Secret::from(value)).collect();
        self.users
            .entry(user.as_bytes().to_vec())
            .or_default()
            .push((name, values));
        self
    }

    /// Every call so far; the list starts anew.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.take()
    }

    /// What a mechanism stored for `user`.
    pub(crate) fn stored(&self, user: &[u8]) -> Option<String> {
        let stored = self.stored.borrow();
        let value = stored.get(user)?.first()?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    /// Forgets names and properties, as a new connection does.
    pub(crate) fn reset(&self) {
        self.requested.take();
        self.found.take();
        self.authid.take();
        self.authzid.take();
    }

    fn note(&self, call: String) {
        self.calls.borrow_mut().push(call);
    }
}

impl Host for FakeServer {
    fn option(&self, plugin: &str, name: &str) -> Option<String> {
        self.options.get(&format!("{plugin}/{name}")).cloned()
    }

    fn property(&self, name: &CStr) -> Vec<Secret> {
        let found = self.found.borrow();
        found
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, values)| values.clone())
            .unwrap_or_default()
    }

    fn log(&self, level: Level, message: fmt::Arguments<'_>) {
        self.note(format!("log {level:?} {message}"));
    }

    fn handle(&self) -> Handle {
        Handle::NONE
    }

    fn service(&self) -> String {
        "imap".to_owned()
    }

    fn realm(&self) -> Option<String> {
        self.realm.clone()
    }
}

impl ServerHost for FakeServer {
    fn server_fqdn(&self) -> String {
        "host.example.com".to_owned()
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn external_id(&self) -> Option<Vec<u8>> {
        self.external.clone()
    }

    fn request(&self, names: &[&'static CStr]) -> Result<()> {
        let list: Vec<_> = names.iter().map(|name| name.to_string_lossy()).collect();
        self.note(format!("request {}", list.join(" ")));
        self.requested.borrow_mut().extend(names);
        Ok(())
    }

    fn identify(&self, name: &[u8], identity: Identity, lookup: Lookup) -> Result<()> {
        self.note(format!(
            "identify {} {identity:?} {lookup:?}",
            name.escape_ascii()
        ));
        let name = name.trim_ascii();
        if name.is_empty() {
            return Err(Error::new(Code::FAIL, "All-whitespace username."));
        }
        if name.len() > 1024 {
            return Err(Error::bare(Code::BUFOVER));
        }
        if identity != Identity::Authzid {
            self.authid.replace(Some(name.to_vec()));
        }
        if identity != Identity::Authid {
            self.authzid.replace(Some(name.to_vec()));
        }
        let Some(properties) = self.users.get(name) else {
            return match lookup {
                Lookup::Required => Err(Error::bare(Code::NOUSER)),
                Lookup::ExternallyVerified => Ok(()),
            };
        };
        if identity != Identity::Authzid {
            let requested = self.requested.borrow();
            let wanted = properties
                .iter()
                .filter(|(name, _)| requested.contains(name));
            let mut found: Properties = wanted.cloned().collect();
            let stored = self.stored.borrow();
            if let Some(values) = stored.get(name) {
                found.retain(|(name, _)| *name != c"*cmusaslsecretOTP");
                found.push((c"*cmusaslsecretOTP", values.clone()));
            }
            self.found.replace(found);
        }
        Ok(())
    }

    fn erase(&self, names: &[&'static CStr]) {
        self.note("erase".to_owned());
        self.found
            .borrow_mut()
            .retain(|(name, _)| !names.contains(name));
    }

    fn authid(&self) -> Option<Vec<u8>> {
        self.authid.borrow().clone()
    }

    fn authzid(&self) -> Option<Vec<u8>> {
        self.authzid.borrow().clone()
    }

    fn check_password(&self, password: Password<'_>) -> Result<()> {
        self.note("check_password".to_owned());
        let failed = |code| Err(Error::new(code, "checkpass failed").silent());
        let authid = self.authid.borrow().clone().unwrap_or_default();
        let Some(properties) = self.users.get(&authid) else {
            return failed(Code::NOUSER);
        };
        let stored = properties
            .iter()
            .find(|(name, _)| *name == c"*userPassword");
        match stored.and_then(|(_, values)| values.first()) {
            Some(stored) if password.matches(stored.as_bytes()) => Ok(()),
            Some(_) => failed(Code::BADAUTH),
            None => failed(Code::NOUSER),
        }
    }

    fn lists(&self, mechanism: &str) -> bool {
        let list = self.options.get("/mech_list").map(String::as_str);
        let mut names = list.unwrap_or_default().split(' ');
        names.any(|name| name.eq_ignore_ascii_case(mechanism))
    }

    fn can_store(&self) -> Result<()> {
        Ok(())
    }

    fn can_check_tokens(&self) -> Result<()> {
        Ok(())
    }

    /// A user's password is the token; `full`: nobody can tell.
    fn check_token(&self, _: &str, user: Option<&[u8]>, token: &Secret) -> Result<String> {
        let user = user.unwrap_or_default().escape_ascii();
        self.note(format!("check_token {user}"));
        if self.full.get() {
            return Err(Error::bare(Code::UNAVAIL));
        }
        let owner = self.users.iter().find(|(_, properties)| {
            let mut values = properties
                .iter()
                .filter(|(name, _)| *name == c"*userPassword")
                .flat_map(|(_, values)| values);
            values.any(|value| value == token)
        });
        let (owner, _) = owner.ok_or(Error::bare(Code::BADAUTH))?;
        Ok(String::from_utf8_lossy(owner).into_owned())
    }

    fn transition(&self, _: &Secret) {
        self.note("transition".to_owned());
    }

    /// Keeps `cmusaslsecretOTP`; notes what else a mechanism stores.
    fn store(&self, user: &CStr, properties: &[(&CStr, &[Secret])]) -> Result<()> {
        for (name, values) in properties {
            if *name == c"cmusaslsecretOTP" {
                self.note(format!("store {}", user.to_string_lossy()));
                if self.full.get() {
                    return Err(Error::bare(Code::UNAVAIL));
                }
                let key = user.to_bytes().to_vec();
                self.stored.borrow_mut().insert(key, values.to_vec());
                continue;
            }
            let (user, name) = (user.to_string_lossy(), name.to_string_lossy());
            let shown: Vec<_> = values
                .iter()
                .map(|one| one.as_bytes().escape_ascii())
                .collect();
            self.note(format!(
                "store {user} {name} {}",
                shown
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(" ")
            ));
        }
        Ok(())
    }

    fn http_request(&self) -> Result<Option<HttpRequest>> {
        Ok(self.http.clone())
    }

    fn channel_bindings(&self) -> Vec<ChannelBinding> {
        self.bindings.clone()
    }

    fn fill_random(&self, out: &mut [u8]) -> Result<()> {
        self.random.fill(out);
        Ok(())
    }

    fn unix_time(&self) -> u64 {
        self.time.get()
    }
}

/// A client application with answers.
pub(crate) struct FakeClient {
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) external: Option<Vec<u8>>,
    pub(crate) http: Option<HttpRequest>,
    pub(crate) limits: Limits,
    pub(crate) binding: Option<ChannelBinding>,
    pub(crate) disposition: Disposition,
    pub(crate) random: Random,
    answers: RefCell<Vec<(PromptKind, Result<Answer>)>>,
    calls: RefCell<Vec<String>>,
    authid: RefCell<Option<Vec<u8>>>,
    authzid: RefCell<Option<Vec<u8>>>,
}

impl FakeClient {
    /// An application whose callbacks give these values.
    pub(crate) fn with(answers: &[(PromptKind, &[u8])]) -> Self {
        let host = Self {
            options: BTreeMap::new(),
            external: None,
            http: None,
            limits: LIMITS,
            binding: None,
            disposition: Disposition::None,
            random: Random::new(2),
            answers: RefCell::default(),
            calls: RefCell::default(),
            authid: RefCell::default(),
            authzid: RefCell::default(),
        };
        for &(kind, value) in answers {
            host.answer(kind, Ok(Answer::Given(Secret::from(value))));
        }
        host
    }

    /// An application that shows these prompts and has no callback.
    pub(crate) fn interactive(kinds: &[PromptKind]) -> Self {
        let host = Self::with(&[]);
        for &kind in kinds {
            host.answer(kind, Ok(Answer::Interact));
        }
        host
    }

    /// A user with a password.
    pub(crate) fn user(name: &str, password: &str) -> Self {
        Self::with(&[
            (PromptKind::AuthName, name.as_bytes()),
            (PromptKind::Pass, password.as_bytes()),
        ])
    }

    /// The next answers to prompts of this kind.
    pub(crate) fn answer(&self, kind: PromptKind, answer: Result<Answer>) {
        let mut answers = self.answers.borrow_mut();
        answers.retain(|(known, _)| *known != kind);
        answers.push((kind, answer));
    }

    /// Every call so far; the list starts anew.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.take()
    }

    fn note(&self, call: String) {
        self.calls.borrow_mut().push(call);
    }
}

impl Host for FakeClient {
    fn option(&self, plugin: &str, name: &str) -> Option<String> {
        self.options.get(&format!("{plugin}/{name}")).cloned()
    }

    fn property(&self, _: &CStr) -> Vec<Secret> {
        Vec::new()
    }

    fn log(&self, level: Level, message: fmt::Arguments<'_>) {
        self.note(format!("log {level:?} {message}"));
    }

    fn handle(&self) -> Handle {
        Handle::NONE
    }

    fn service(&self) -> String {
        "imap".to_owned()
    }
}

impl ClientHost for FakeClient {
    fn server_fqdn(&self) -> Option<String> {
        Some("host.example.com".to_owned())
    }

    fn client_fqdn(&self) -> String {
        "client.example.com".to_owned()
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn external_id(&self) -> Option<Vec<u8>> {
        self.external.clone()
    }

    fn ask(&self, prompt: &Prompt) -> Result<Answer> {
        self.note(format!("ask {:?}", prompt.kind));
        let answers = self.answers.borrow();
        let known = answers.iter().find(|(kind, _)| *kind == prompt.kind);
        known.map_or(Ok(Answer::Nobody), |(_, answer)| answer.clone())
    }

    fn identify(&self, name: &[u8], identity: Identity) -> Result<()> {
        self.note(format!("identify {} {identity:?}", name.escape_ascii()));
        let name = name.trim_ascii();
        if name.is_empty() {
            return Err(Error::new(Code::FAIL, "All-whitespace username."));
        }
        if identity != Identity::Authzid {
            self.authid.replace(Some(name.to_vec()));
        }
        if identity != Identity::Authid {
            self.authzid.replace(Some(name.to_vec()));
        }
        Ok(())
    }

    fn authid(&self) -> Option<Vec<u8>> {
        self.authid.borrow().clone()
    }

    fn authzid(&self) -> Option<Vec<u8>> {
        self.authzid.borrow().clone()
    }

    fn http_request(&self) -> Result<Option<HttpRequest>> {
        Ok(self.http.clone())
    }

    fn channel_binding(&self) -> (Option<ChannelBinding>, Disposition) {
        (self.binding.clone(), self.disposition)
    }

    fn fill_random(&self, out: &mut [u8]) -> Result<()> {
        self.random.fill(out);
        Ok(())
    }
}
