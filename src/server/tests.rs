// SPDX-License-Identifier: MIT OR Apache-2.0
//! The states of a server connection, with a program that is a table.

use super::Server;
use crate::application::{Application, Asked, Authorisation};
use crate::connection::Connection;
use core::cell::RefCell;
use core::ffi::CStr;
use mech::{ChannelBinding, Prompt, PromptKind};
use saslplug::{Code, Error, Handle, Identity, Password, Result, Secret};
use std::rc::Rc;

#[derive(Clone, Default)]
struct Program {
    options: Vec<(&'static CStr, &'static CStr)>,
    log: Rc<RefCell<Vec<String>>>,
    policy: Option<Code>,
}

impl Application for Program {
    fn with_option(&self, _: Option<&CStr>, option: &CStr, work: &mut dyn FnMut(&CStr)) {
        if let Some((_, value)) = self.options.iter().find(|(name, _)| *name == option) {
            work(value);
        }
    }
    fn lists(&self, _: core::ffi::c_ulong) -> bool {
        true
    }
    fn takes_log(&self) -> bool {
        true
    }
    fn log(&self, level: i32, message: &CStr) {
        let text = message.to_string_lossy();
        self.log.borrow_mut().push(format!("{level} {text}"));
    }
    fn canonicalise(&self, _: &[u8], _: u32, _: Option<&CStr>) -> Asked<Vec<u8>> {
        Asked::Absent(0)
    }
    fn authorise(&self, _: &Authorisation<'_>) -> Asked<()> {
        match self.policy {
            None => Asked::Absent(0),
            Some(Code::OK) => Asked::Given(()),
            Some(code) => Asked::Refused(Error::bare(code)),
        }
    }
    fn check_password(&self, _: &CStr, password: Password<'_>) -> Asked<()> {
        if password.matches(b"secret") {
            Asked::Given(())
        } else {
            Asked::Absent(0)
        }
    }
    fn set_password(&self, _: &CStr, _: Option<&Secret>, _: u32) -> Asked<()> {
        Asked::Absent(0)
    }
    fn ask(&self, _: &Prompt) -> Asked<Option<Secret>> {
        Asked::Absent(0)
    }
    fn can_answer(&self, _: PromptKind) -> bool {
        false
    }
}

fn server(program: &Program) -> Server {
    let library = std::sync::Arc::<crate::library::Library>::default();
    let endpoint = library.endpoints.get(c"imap", Some(c"host.example"));
    let app = crate::application::Program::Other(Box::new(program.clone()));
    let conn = Connection::new(library, app, Handle::NONE, endpoint, 0);
    let server = Server::new(conn, None);
    server.read_options();
    server
}

fn code(reply: Result<super::Reply>) -> Code {
    reply.map_or_else(|error| error.code(), |reply| reply.code)
}

#[test]
fn a_step_before_a_start_and_after_a_failure_is_refused() {
    let server = server(&Program::default());
    assert_eq!(code(server.step(Some(b"\0bob\0secret"))), Code::FAIL);
    assert!(server.start("PLAIN", Some(b"")).is_err());
    assert_eq!(code(server.step(Some(b"\0bob\0secret"))), Code::FAIL);
    assert_eq!(
        code(server.start("PLAIN", Some(b"\0bob\0secret"))),
        Code::OK
    );
}

#[test]
fn one_connection_authenticates_once() {
    let program = Program::default();
    let server = server(&program);
    assert_eq!(code(server.start("LOGIN", None)), Code::CONTINUE);
    assert_eq!(code(server.step(Some(b"bob"))), Code::CONTINUE);
    assert_eq!(code(server.step(Some(b"secret"))), Code::OK);
    program.log.borrow_mut().clear();
    assert_eq!(code(server.step(Some(b"x"))), Code::FAIL);
    assert_eq!(code(server.start("LOGIN", None)), Code::FAIL);
    let line = "1 attempting server step after doneflag";
    assert_eq!(*program.log.borrow(), [line, line]);
    let name = server.connection().authid.borrow().clone();
    assert_eq!(name.as_deref(), Some(c"bob"));
}

#[test]
fn a_wrong_password_leaves_no_way_on() {
    let server = server(&Program::default());
    let refused = server
        .start("PLAIN", Some(b"\0bob\0wrong"))
        .err()
        .expect("refused");
    assert_eq!(refused.reason(), "Password verification failed");
    assert_eq!(code(server.step(Some(b""))), Code::FAIL);
}

#[test]
fn the_policy_decides_who_acts_as_whom() {
    let request: &[u8] = b"alice\0bob\0secret";
    for (policy, expected) in [
        (None, Code::NOMECH), // no store knows alice
        (Some(Code::OK), Code::NOMECH),
        (Some(Code::NOAUTHZ), Code::NOMECH),
    ] {
        let program = Program {
            policy,
            ..Program::default()
        };
        assert_eq!(
            code(server(&program).start("PLAIN", Some(request))),
            expected
        );
    }
    let program = Program {
        policy: Some(Code::NOAUTHZ),
        ..Program::default()
    };
    let same: &[u8] = b"\0bob\0secret";
    assert_eq!(
        code(server(&program).start("PLAIN", Some(same))),
        Code::NOAUTHZ
    );
}

#[test]
fn mech_list_restricts_and_orders() {
    let program = Program {
        options: vec![(c"mech_list", c"LOGIN plain FOO")],
        ..Program::default()
    };
    let restricted = server(&program);
    assert_eq!(restricted.offer(), Ok(vec!["LOGIN".into(), "PLAIN".into()]));
    assert_eq!(code(restricted.start("ANONYMOUS", None)), Code::NOMECH);
    let commas = Program {
        options: vec![(c"mech_list", c"PLAIN,LOGIN")],
        ..Program::default()
    };
    let both = Ok(vec!["PLAIN".into(), "LOGIN".into()]);
    assert_eq!(server(&commas).offer(), both);
    let none = Program {
        options: vec![(c"mech_list", c"FOO")],
        ..Program::default()
    };
    let error = server(&none).offer().expect_err("no such mechanism");
    assert!(error.reason().contains("mech_list"), "{error:?}");
}

#[test]
fn a_critical_binding_is_never_left_out() {
    let server = server(&Program::default());
    server.connection().bindings.replace(vec![ChannelBinding {
        name: "tls-exporter".to_owned(),
        data: b"data".to_vec(),
        critical: true,
    }]);
    let reply = server.start("PLAIN", Some(b"\0bob\0secret"));
    assert_eq!(code(reply), Code::BADBINDING);
    assert_eq!(code(server.step(None)), Code::FAIL);
}

#[test]
fn a_password_check_ends_an_exchange_under_way() {
    let server = server(&Program::default());
    assert_eq!(code(server.start("LOGIN", None)), Code::CONTINUE);
    let secret = Secret::from(&b"secret"[..]);
    assert_eq!(server.check_plain(b"bob", secret.shown()), Ok(()));
    assert_eq!(code(server.step(Some(b"alice"))), Code::FAIL);
}

#[test]
fn a_replaced_name_stays_readable_for_a_step() {
    let server = server(&Program::default());
    let conn = server.connection();
    let store = |name: &[u8]| {
        conn.store_identity(name, Identity::Both).expect("stored");
        conn.authid
            .borrow()
            .as_deref()
            .map(CStr::as_ptr)
            .expect("a name")
    };
    let first = store(b"bob");
    assert_eq!(store(b"bob"), first);
    assert_ne!(store(b"alice"), first); // the old place is still taken
    assert_ne!(store(b"carol"), first);
}

#[test]
fn an_empty_password_reaches_no_verifier() {
    let program = Program {
        options: vec![(c"pwcheck_method", c"alwaystrue")],
        ..Program::default()
    };
    let server = server(&program);
    let refused = server.check_plain(b"bob", (&b""[..]).into());
    assert_eq!(refused.expect_err("refused").code(), Code::BADAUTH);
    assert_eq!(server.check_plain(b"bob", (&b"x"[..]).into()), Ok(()));
}
