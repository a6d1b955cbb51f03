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

/// Thirty calls at most.
pub(crate) fn any_order(data: &[u8]) {
    let script = &mut Script::new(data);
    let mut conns = pair();
    let mut said: [Vec<u8>; 2] = Default::default();
    let mut earlier = Vec::new();
    for _ in 0..30 {
        if script.is_over() {
            break;
        }
        let choice = script.byte();
        let me = usize::from(choice & 1);
        let conn = &conns[me];
        let heard = script_input(script, &said[1 - me], &earlier);
        let (code, bytes) = match (choice >> 1) % 8 {
            0 => conn.start(MECHANISMS[script.below(MECHANISMS.len())], heard.as_deref()),
            1..=3 => conn.step(heard.as_deref()),
            4 => conn.layer(choice >= 128, &heard.unwrap_or_default()),
            5 if me == 0 => {
                let user = if choice >= 128 {
                    b"tim".as_slice()
                } else {
                    script.chunk()
                };
                assert!(
                    !conn.accepts(user, &heard.unwrap_or_default()),
                    "a wrong password"
                );
                continue;
            }
            6 if choice >= 128 => {
                conns = pair();
                continue;
            }
            _ => {
                conn.limit(u32::from(script.byte()));
                conn.ask(script.byte());
                continue;
            }
        };
        let stepped = (choice >> 1) % 8 < 4;
        assert!(
            !(stepped && me == 0 && code == OK),
            "in without the password"
        );
        earlier.push(bytes.clone());
        said[me] = bytes;
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
