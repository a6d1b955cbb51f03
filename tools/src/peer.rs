// SPDX-License-Identifier: MIT OR Apache-2.0
//! `testsaslauthd`: asks a saslauthd about a password.
#![forbid(unsafe_code)]

use crate::input::{self, Way};
use crate::library::complain;
use crate::usage;
use saslplug::Secret;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::Duration;
use zeroize::Zeroizing;

const NAME: &str = "testsaslauthd";
const SOCKET: &str = "/var/run/saslauthd/mux";
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs the program.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let matches = match usage::parse(&usage::TESTSASLAUTHD, arguments) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    let text = |name: &str, default: &'static str| {
        matches
            .get_one::<String>(name)
            .map_or(default, |text| text)
            .to_owned()
    };
    let password = match matches.get_one::<String>("password") {
        Some(password) => {
            complain(
                NAME,
                "a password among the arguments is seen by every user of this machine; without -p it is read",
            );
            Secret::from(password.as_bytes())
        }
        None => match input::password(Way::Ask { twice: false }) {
            Ok(password) => password,
            Err(problem) => {
                complain(NAME, &format!("no password: {problem:?}"));
                return ExitCode::FAILURE;
            }
        },
    };
    let (user, service, realm) = (text("user", ""), text("service", "imap"), text("realm", ""));
    let fields = [
        user.as_bytes(),
        password.as_bytes(),
        service.as_bytes(),
        realm.as_bytes(),
    ];
    let Some(request) = request(&fields) else {
        complain(NAME, "a field is longer than 65535 bytes");
        return ExitCode::FAILURE;
    };
    let repeat = matches.get_one::<u32>("repeat").copied().unwrap_or(1);
    let mut all = true;
    for number in 0..repeat {
        all &= once(number, &text("socket", SOCKET), &request);
    }
    ExitCode::from(if all { 0 } else { 255 })
}

fn request(fields: &[&[u8]]) -> Option<Zeroizing<Vec<u8>>> {
    let mut request = Zeroizing::new(Vec::new());
    for field in fields {
        request.extend_from_slice(&u16::try_from(field.len()).ok()?.to_be_bytes());
        request.extend_from_slice(field);
    }
    Some(request)
}

/// Asks once and shows the answer; whether it was yes.
fn once(number: u32, socket: &str, request: &[u8]) -> bool {
    let mut out = io::stdout();
    let _ = write!(out, "{number}: ").and_then(|()| out.flush());
    match exchange(socket, request) {
        Ok(reply) if reply.starts_with(b"OK") => {
            let _ = writeln!(out, "OK \"Success.\"");
            true
        }
        Ok(_) => {
            let _ = writeln!(out, "NO \"authentication failed\"");
            false
        }
        Err((call, error)) => {
            let _ = out.flush();
            let _ = writeln!(io::stderr(), "{call} : {}", usage::system_text(&error));
            false
        }
    }
}

fn exchange(socket: &str, request: &[u8]) -> Result<Vec<u8>, (&'static str, io::Error)> {
    let at = |call| move |error| (call, error);
    let mut stream = UnixStream::connect(socket).map_err(at("connect()"))?;
    stream
        .set_read_timeout(Some(PATIENCE))
        .map_err(at("setsockopt()"))?;
    stream
        .set_write_timeout(Some(PATIENCE))
        .map_err(at("setsockopt()"))?;
    stream.write_all(request).map_err(at("write()"))?;
    let mut head = [0; 2];
    stream.read_exact(&mut head).map_err(at("size read()"))?;
    let mut reply = vec![0; usize::from(u16::from_be_bytes(head)).min(1024)];
    stream.read_exact(&mut reply).map_err(at("read()"))?;
    Ok(reply)
}
