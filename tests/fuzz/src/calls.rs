// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls of the C interface in any order, with messages that an attacker altered.
//! The client does not know the password: no order of calls lets it in.

use crate::ffi::{Conn, Side};
use crate::script::Script;
use core::ffi::CStr;

const MECHANISMS: [&CStr; 14] = [
    c"PLAIN",
    c"SCRAM-SHA-256",
    c"DIGEST-MD5",
    c"CRAM-MD5",
    c"LOGIN",
    c"NTLM",
    c"OTP",
    c"EXTERNAL",
    c"ANONYMOUS",
    c"OAUTHBEARER",
    c"XOAUTH2",
    c"SCRAM-SHA-1-PLUS",
    c"GSSAPI",
    c"",
];
const OK: i32 = 0;

fn pair() -> [Conn; 2] {
    [
        Conn::new(Side::Server, ""),
        Conn::new(Side::Client, "a wrong password"),
    ]
}

/// Both ends, what each said last, and all that was said.
struct Talk {
    conns: [Conn; 2],
    said: [Vec<u8>; 2],
    earlier: Vec<Vec<u8>>,
}

/// Thirty calls at most.
pub(crate) fn any_order(data: &[u8]) {
    let script = &mut Script::new(data);
    let mut talk = Talk {
        conns: pair(),
        said: Default::default(),
        earlier: Vec::new(),
    };
    for _ in 0..30 {
        if script.is_over() {
            break;
        }
        talk.call(script);
    }
}

impl Talk {
    /// One call: whose and which is in the first byte.
    fn call(&mut self, script: &mut Script<'_>) {
        let choice = script.byte();
        let (me, high) = (usize::from(choice & 1), choice >= 128);
        let conn = &self.conns[me];
        let heard = script_input(script, &self.said[1 - me], &self.earlier);
        let spoken = match (choice >> 1) % 8 {
            0 => Some(conn.start(MECHANISMS[script.below(MECHANISMS.len())], heard.as_deref())),
            1..=3 => Some(conn.step(heard.as_deref())),
            4 => {
                let (_, bytes) = conn.layer(high, &heard.unwrap_or_default());
                return self.remember(me, bytes);
            }
            5 if me == 0 => {
                let user = if high { b"tim" } else { script.chunk() };
                let accepted = conn.accepts(user, &heard.unwrap_or_default());
                return assert!(!accepted, "a wrong password");
            }
            6 if high => {
                self.conns = pair();
                None
            }
            _ => {
                conn.limit(u32::from(script.byte()));
                conn.ask(script.byte());
                None
            }
        };
        if let Some((code, bytes)) = spoken {
            assert!(me == 1 || code != OK, "in without the password");
            self.remember(me, bytes);
        }
    }

    fn remember(&mut self, me: usize, bytes: Vec<u8>) {
        self.earlier.push(bytes.clone());
        self.said[me] = bytes;
    }
}

/// What the other side said, altered, or nothing.
fn script_input(script: &mut Script<'_>, heard: &[u8], earlier: &[Vec<u8>]) -> Option<Vec<u8>> {
    match script.byte() {
        255 => None,
        254 => Some(script.chunk().to_vec()),
        253 => Some(script.alter(heard.to_vec(), earlier)),
        _ => Some(heard.to_vec()),
    }
}
