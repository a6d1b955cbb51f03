// SPDX-License-Identifier: MIT OR Apache-2.0
//! PostgreSQL: `libpq.so.5`. Every wait is bounded.
#![allow(unsafe_code, reason = "the edge to a client library in C")]
#![allow(non_snake_case, reason = "libpq's own names")]

use super::{c_string, functions, socket, text};
use crate::engine::{Connection, Failure, Row, Server, Tls};
use crate::statement::Parameter;
use core::ffi::{c_char, c_int, c_uint, c_void};
use core::ptr::{null, null_mut};
use saslplug::Secret;
use std::ffi::CString;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

functions! { Library, c"libpq.so.5", "libpq5";
    PQconnectdbParams: fn(*const *const c_char, *const *const c_char, c_int) -> *mut c_void;
    PQfinish: fn(*mut c_void);
    PQstatus: fn(*const c_void) -> c_int;
    PQerrorMessage: fn(*const c_void) -> *const c_char;
    PQsetNoticeProcessor: fn(*mut c_void, *const c_void, *mut c_void) -> *const c_void;
    PQsocket: fn(*const c_void) -> c_int;
    PQsendQueryParams: fn(*mut c_void, *const c_char, c_int, *const c_uint, *const *const c_char, *const c_int, *const c_int, c_int) -> c_int;
    PQconsumeInput: fn(*mut c_void) -> c_int;
    PQisBusy: fn(*mut c_void) -> c_int;
    PQgetResult: fn(*mut c_void) -> *mut c_void;
    PQresultStatus: fn(*const c_void) -> c_int;
    PQresultErrorMessage: fn(*const c_void) -> *const c_char;
    PQntuples: fn(*const c_void) -> c_int;
    PQnfields: fn(*const c_void) -> c_int;
    PQgetisnull: fn(*const c_void, c_int, c_int) -> c_int;
    PQgetvalue: fn(*const c_void, c_int, c_int) -> *const c_char;
    PQgetlength: fn(*const c_void, c_int, c_int) -> c_int;
    PQclear: fn(*mut c_void);
}

const COMMAND_OK: c_int = 1;
const TUPLES_OK: c_int = 2;

struct Pgsql {
    library: &'static Library,
    connection: *mut c_void,
    socket: Option<(u64, u64)>,
    patience: Duration,
}

// SAFETY: libpq: a connection may be used by any thread, one at a time.
unsafe impl Send for Pgsql {}

/// The default writes notices to the standard error.
unsafe extern "C" fn keep_quiet(_: *mut c_void, _: *const c_char) {}

/// What libpq is told; names as in its manual.
fn settings(server: &Server, host: &str, port: Option<u16>) -> Vec<(&'static str, String)> {
    let seconds = server.patience.as_secs().max(2);
    let mut all = vec![
        ("connect_timeout", seconds.to_string()),
        ("client_encoding", "UTF8".into()),
        ("gssencmode", "disable".into()),
        ("application_name", "sasl".into()),
    ];
    let mut add = |name, value: &str| {
        if !value.is_empty() {
            all.push((name, value.to_owned()));
        }
    };
    add("host", host);
    add(
        "port",
        &port.map(|port| port.to_string()).unwrap_or_default(),
    );
    add("user", &server.user);
    add("dbname", &server.database);
    match &server.tls {
        Tls::No => {}
        Tls::Encrypted => add("sslmode", "require"),
        Tls::Verified(authorities) => {
            add("sslmode", "verify-full");
            add("sslrootcert", authorities);
        }
    }
    all
}

/// Connects.
pub(super) fn connect(
    server: &Server,
    host: &str,
    port: Option<u16>,
) -> Result<Box<dyn Connection>, Failure> {
    let library = Library::get()?;
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for (name, value) in settings(server, host, port) {
        names.push(c_string(name)?);
        values.push(c_string(&value)?);
    }
    let mut password = Zeroizing::new(server.password.as_bytes().to_vec());
    password.push(0);
    let mut name_list: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
    let mut value_list: Vec<_> = values
        .iter()
        .map(|value: &CString| value.as_ptr())
        .collect();
    if password.len() > 1 {
        name_list.push(c"password".as_ptr());
        value_list.push(password.as_ptr().cast());
    }
    name_list.push(null());
    value_list.push(null());
    // SAFETY: libpq-fe.h: two lists of C strings of one length, the names end
    // with NULL; a connection comes back even from a failure.
    let (connection, status) = unsafe {
        let connection = (library.PQconnectdbParams)(name_list.as_ptr(), value_list.as_ptr(), 0);
        (library.PQsetNoticeProcessor)(connection, keep_quiet as *const c_void, null_mut());
        (connection, (library.PQstatus)(connection))
    };
    let mut connection = Pgsql {
        library,
        connection,
        socket: None,
        patience: server.patience,
    };
    if status != 0 {
        return Err(Failure::lost(connection.error()));
    }
    connection.socket = socket(connection.descriptor());
    Ok(Box::new(connection))
}

impl Drop for Pgsql {
    fn drop(&mut self) {
        // SAFETY: libpq-fe.h: NULL or a connection, finished once.
        unsafe { (self.library.PQfinish)(self.connection) }
    }
}

/// A result, cleared when dropped.
struct Answer<'a>(&'a Pgsql, *mut c_void);

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        // SAFETY: libpq-fe.h: NULL or a result, cleared once.
        unsafe { (self.0.library.PQclear)(self.1) }
    }
}

impl Pgsql {
    fn error(&self) -> String {
        // SAFETY: libpq-fe.h: a C string that lives until the next call.
        unsafe { text((self.library.PQerrorMessage)(self.connection)) }
    }

    fn descriptor(&self) -> c_int {
        // SAFETY: libpq-fe.h: NULL or a connection.
        unsafe { (self.library.PQsocket)(self.connection) }
    }

    fn lost(&self) -> Failure {
        Failure::lost(self.error())
    }

    fn send(&self, sql: &str, parameters: &[Parameter]) -> Result<(), Failure> {
        let sql = c_string(sql)?;
        // Text parameters end with a NUL.
        let terminated: Vec<Option<Zeroizing<Vec<u8>>>> = parameters
            .iter()
            .map(|value| {
                value
                    .as_ref()
                    .map(|value| Zeroizing::new([&value[..], b"\0"].concat()))
            })
            .collect();
        let pointers: Vec<*const c_char> = terminated
            .iter()
            .map(|value| value.as_ref().map_or(null(), |value| value.as_ptr().cast()))
            .collect();
        let count = c_int::try_from(pointers.len()).unwrap_or(c_int::MAX);
        // SAFETY: libpq-fe.h: a live connection, C strings or NULLs, which are
        // copied; types are left to the server.
        let sent = unsafe {
            (self.library.PQsendQueryParams)(
                self.connection,
                sql.as_ptr(),
                count,
                null(),
                pointers.as_ptr(),
                null(),
                null(),
                0,
            )
        };
        if sent == 1 { Ok(()) } else { Err(self.lost()) }
    }

    /// Waits for input until the deadline.
    fn wait(&self, deadline: Instant) -> Result<(), Failure> {
        // SAFETY: libpq-fe.h: a live connection; poll gets one entry of ours.
        unsafe {
            while (self.library.PQisBusy)(self.connection) == 1 {
                let left = deadline.saturating_duration_since(Instant::now());
                let mut entry = libc::pollfd {
                    fd: self.descriptor(),
                    events: libc::POLLIN,
                    revents: 0,
                };
                let left = c_int::try_from(left.as_millis()).unwrap_or(c_int::MAX);
                if left == 0 || libc::poll(&mut entry, 1, left) == 0 {
                    return Err(Failure::lost(format!(
                        "no answer within {} s (option sql_timeout)",
                        self.patience.as_secs()
                    )));
                }
                if (self.library.PQconsumeInput)(self.connection) != 1 {
                    return Err(self.lost());
                }
            }
        }
        Ok(())
    }

    fn rows(&self, answer: &Answer<'_>) -> Result<Vec<Row>, Failure> {
        // SAFETY: libpq-fe.h: a live result; values live as long as it does.
        unsafe {
            match (self.library.PQresultStatus)(answer.1) {
                COMMAND_OK => return Ok(Vec::new()),
                TUPLES_OK => {}
                _ => {
                    let why = text((self.library.PQresultErrorMessage)(answer.1));
                    let lost = (self.library.PQstatus)(self.connection) != 0;
                    return Err(Failure { reason: why, lost });
                }
            }
            let columns = (self.library.PQnfields)(answer.1);
            let value = |row, column| {
                if (self.library.PQgetisnull)(answer.1, row, column) == 1 {
                    return None;
                }
                let length = (self.library.PQgetlength)(answer.1, row, column);
                let bytes = (self.library.PQgetvalue)(answer.1, row, column).cast::<u8>();
                let length = usize::try_from(length).unwrap_or_default();
                Some(Secret::from(core::slice::from_raw_parts(bytes, length)))
            };
            let rows = (self.library.PQntuples)(answer.1).min(2);
            Ok((0..rows)
                .map(|row| (0..columns).map(|column| value(row, column)).collect())
                .collect())
        }
    }
}

impl Connection for Pgsql {
    fn query(&mut self, sql: &str, parameters: &[Parameter]) -> Result<Vec<Row>, Failure> {
        self.send(sql, parameters)?;
        let deadline = Instant::now() + self.patience;
        let mut outcome = Ok(Vec::new());
        loop {
            self.wait(deadline)?;
            // SAFETY: libpq-fe.h: a live connection that is not busy.
            let answer = Answer(self, unsafe { (self.library.PQgetResult)(self.connection) });
            if answer.1.is_null() {
                return outcome;
            }
            outcome = self.rows(&answer);
        }
    }

    fn is_ours(&self) -> bool {
        self.socket.is_some() && socket(self.descriptor()) == self.socket
    }

    fn forget(self: Box<Self>) {
        Box::leak(self);
    }
}
