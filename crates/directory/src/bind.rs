// SPDX-License-Identifier: MIT OR Apache-2.0
//! Simple binds, the one request of a verifying connection and the first of a
//! searching one; and where the service account's password is.
#![forbid(unsafe_code)]

use crate::config::Password;
use crate::connection::{Broken, Connection};
use crate::deadline::Deadline;
use crate::faults::Fault;
use crate::protocol::{self, Answer, Outcome, Policy};
use saslplug::Secret;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use zeroize::Zeroizing;

/// Binds; any result code is an answer.
pub(crate) fn simple(
    connection: &mut Connection,
    name: &str,
    password: &Secret,
    controls: &[&str],
    deadline: Deadline,
) -> Result<(Outcome, Option<Policy>), Broken> {
    let id = connection.next_id();
    let message = protocol::bind(id, name.as_bytes(), password, controls);
    connection.send(&message, deadline)?;
    match connection.receive(id, deadline)? {
        Answer::Bind(outcome, _, policy) => Ok((outcome, policy)),
        _ => Err(Broken::Malformed("it answered a bind with something else")),
    }
}

/// The password of the service account, and what to say about its file.
pub(crate) fn password(password: &Password) -> Result<(Secret, Option<Fault>), Fault> {
    match password {
        Password::Known(password) => Ok((password.clone(), None)),
        Password::File(path) => from_file(path),
    }
}

/// The first line of a file, read each time it is needed.
fn from_file(path: &Path) -> Result<(Secret, Option<Fault>), Fault> {
    let shown = path.display().to_string();
    let bad = |why: &str| Fault::password_file(&shown, why, nix::unistd::getuid().as_raw());
    let file = std::fs::File::open(path).map_err(|error| bad(&format!("cannot read ({error})")))?;
    let about = file
        .metadata()
        .map_err(|error| bad(&format!("cannot read ({error})")))?;
    if !about.is_file() {
        return Err(bad("is not a file"));
    }
    let mode = about.permissions().mode() & 0o7777;
    let warning = (mode & 0o004 != 0).then(|| Fault::password_file_open(&shown, mode));
    let mut contents = Zeroizing::new(Vec::with_capacity(4096));
    let read = file.take(4096).read_to_end(&mut contents);
    read.map_err(|error| bad(&format!("cannot read ({error})")))?;
    let line = contents
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return Err(bad("its first line is empty"));
    }
    Ok((Secret::from(line), warning))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};

    fn file(name: &str, contents: &str, mode: u32) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("ldapdb-{}-{name}", std::process::id()));
        fs::write(&path, contents).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn the_first_line_is_the_password() {
        let path = file("first", "geheim\r\nrest", 0o600);
        let (password, warning) = from_file(&path).unwrap();
        assert!(password.matches(b"geheim"));
        assert!(warning.is_none());
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_file_that_all_may_read_is_reported() {
        let path = file("open", "geheim", 0o644);
        assert_eq!(from_file(&path).unwrap().1.unwrap().number(), 7);
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn no_file_and_no_password_say_so() {
        let path = file("empty", "\nx", 0o600);
        assert!(
            from_file(&path)
                .unwrap_err()
                .to_string()
                .contains("first line is empty")
        );
        fs::remove_file(&path).unwrap();
        let fault = from_file(&path).unwrap_err();
        assert_eq!((fault.number(), fault.code()), (7, saslplug::Code::UNAVAIL));
        assert!(fault.to_string().contains("No such file"), "{fault}");
        assert!(
            from_file(&std::env::temp_dir())
                .unwrap_err()
                .to_string()
                .contains("not a file")
        );
    }
}
