// SPDX-License-Identifier: MIT OR Apache-2.0
//! MariaDB and MySQL: `libmariadb.so.3`, by prepared statements. They are kept
//! with the connection: the second login asks one question and not two.
#![allow(unsafe_code, reason = "the edge to a client library in C")]

use super::{c_string, functions, socket, text};
use crate::engine::{Connection, Failure, Row, Server, Tls};
use crate::statement::Parameter;
use core::ffi::{c_char, c_int, c_uint, c_ulong, c_void};
use core::ptr::{null, null_mut};
use saslplug::Secret;
use zeroize::Zeroizing;

functions! { Library, c"libmariadb.so.3", "libmariadb3";
    mysql_init: fn(*mut c_void) -> *mut c_void;
    mysql_options: fn(*mut c_void, c_int, *const c_void) -> c_int;
    mysql_real_connect: fn(*mut c_void, *const c_char, *const c_char, *const c_char, *const c_char, c_uint, *const c_char, c_ulong) -> *mut c_void;
    mysql_close: fn(*mut c_void);
    mysql_error: fn(*mut c_void) -> *const c_char;
    mysql_errno: fn(*mut c_void) -> c_uint;
    mysql_get_socket: fn(*const c_void) -> c_int;
    mysql_real_query: fn(*mut c_void, *const c_char, c_ulong) -> c_int;
    mysql_stmt_init: fn(*mut c_void) -> *mut c_void;
    mysql_stmt_prepare: fn(*mut c_void, *const c_char, c_ulong) -> c_int;
    mysql_stmt_param_count: fn(*mut c_void) -> c_ulong;
    mysql_stmt_bind_param: fn(*mut c_void, *mut Bind) -> c_char;
    mysql_stmt_execute: fn(*mut c_void) -> c_int;
    mysql_stmt_field_count: fn(*mut c_void) -> c_uint;
    mysql_stmt_bind_result: fn(*mut c_void, *mut Bind) -> c_char;
    mysql_stmt_fetch: fn(*mut c_void) -> c_int;
    mysql_stmt_error: fn(*mut c_void) -> *const c_char;
    mysql_stmt_errno: fn(*mut c_void) -> c_uint;
    mysql_stmt_free_result: fn(*mut c_void) -> c_char;
    mysql_stmt_close: fn(*mut c_void) -> c_char;
}

const CONNECT_TIMEOUT: c_int = 0;
const CHARACTER_SET: c_int = 7;
const READ_TIMEOUT: c_int = 11;
const WRITE_TIMEOUT: c_int = 12;
const VERIFY_CERTIFICATE: c_int = 21;
const AUTHORITIES: c_int = 27;
const ENFORCE_TLS: c_int = 38;

const TYPE_NULL: c_int = 6;
const TYPE_STRING: c_int = 254;
const NO_DATA: c_int = 100;
const TRUNCATED: c_int = 101;

/// Bytes of a column's value that are fetched.
const ROOM: usize = 16 * 1024;
/// Statements that a connection keeps: as many as options and columns make.
const KEPT: usize = 16;
/// Columns that are fetched.
const COLUMNS: usize = 64;

/// `MYSQL_BIND` of Connector/C 3.
#[repr(C)]
#[derive(Clone, Copy)]
struct Bind {
    length: *mut c_ulong,
    is_null: *mut c_char,
    buffer: *mut c_void,
    error: *mut c_char,
    indicator: *mut c_char,
    store_param: *mut c_void,
    fetch_result: *mut c_void,
    skip_result: *mut c_void,
    buffer_length: c_ulong,
    offset: c_ulong,
    length_value: c_ulong,
    flags: c_uint,
    pack_length: c_uint,
    buffer_type: c_int,
    error_value: c_char,
    is_unsigned: c_char,
    long_data_used: c_char,
    is_null_value: c_char,
    extension: *mut c_void,
}

const _: () = assert!(size_of::<Bind>() == 112);

impl Bind {
    const EMPTY: Self = Self {
        length: null_mut(),
        is_null: null_mut(),
        buffer: null_mut(),
        error: null_mut(),
        indicator: null_mut(),
        store_param: null_mut(),
        fetch_result: null_mut(),
        skip_result: null_mut(),
        buffer_length: 0,
        offset: 0,
        length_value: 0,
        flags: 0,
        pack_length: 0,
        buffer_type: TYPE_NULL,
        error_value: 0,
        is_unsigned: 0,
        long_data_used: 0,
        is_null_value: 0,
        extension: null_mut(),
    };

    /// Of a buffer with room for `size` bytes, whose length is in `length`.
    fn of(buffer: *mut u8, size: usize, length: &mut c_ulong) -> Self {
        Self {
            buffer: buffer.cast(),
            buffer_length: c_ulong::try_from(size).unwrap_or_default(),
            length,
            buffer_type: TYPE_STRING,
            ..Self::EMPTY
        }
    }
}

struct Mysql {
    library: &'static Library,
    connection: *mut c_void,
    socket: Option<(u64, u64)>,
    kept: Vec<(String, Statement)>,
}

// SAFETY: Connector/C: a connection may be used by any thread, one at a time.
unsafe impl Send for Mysql {}

/// Connects.
pub(super) fn connect(
    server: &Server,
    host: &str,
    port: Option<u16>,
) -> Result<Box<dyn Connection>, Failure> {
    let library = Library::get()?;
    // SAFETY: mysql.h: NULL asks for a new handle.
    let handle = unsafe { (library.mysql_init)(null_mut()) };
    if handle.is_null() {
        return Err(Failure::lost("out of memory".into()));
    }
    let mut connection = Mysql {
        library,
        connection: handle,
        socket: None,
        kept: Vec::new(),
    };
    connection.set_options(server)?;
    let (host, user, database) = (
        c_string(host)?,
        c_string(&server.user)?,
        c_string(&server.database)?,
    );
    let mut password = Zeroizing::new(server.password.as_bytes().to_vec());
    password.push(0);
    let given = |text: &core::ffi::CStr| {
        if text.is_empty() {
            null()
        } else {
            text.as_ptr()
        }
    };
    // SAFETY: mysql.h: C strings or NULLs, which are copied.
    let connected = unsafe {
        (library.mysql_real_connect)(
            handle,
            given(&host),
            given(&user),
            password.as_ptr().cast(),
            given(&database),
            port.map_or(0, c_uint::from),
            null(),
            0,
        )
    };
    if connected.is_null() {
        return Err(Failure::lost(connection.failure().reason));
    }
    // SAFETY: mysql.h: a connection.
    connection.socket = socket(unsafe { (library.mysql_get_socket)(handle) });
    Ok(Box::new(connection))
}

impl Drop for Mysql {
    fn drop(&mut self) {
        self.kept.clear();
        // SAFETY: mysql.h: a handle, closed once.
        unsafe { (self.library.mysql_close)(self.connection) }
    }
}

/// A statement, closed when dropped.
struct Statement(&'static Library, *mut c_void);

impl Drop for Statement {
    fn drop(&mut self) {
        // SAFETY: mysql.h: a statement, closed once, before its connection.
        unsafe { (self.0.mysql_stmt_close)(self.1) };
    }
}

/// Errors of the client (2000 and more) mean that the connection is of no use.
fn failure(reason: String, number: c_uint) -> Failure {
    Failure {
        reason,
        lost: (2000..3000).contains(&number),
    }
}

impl Mysql {
    fn set_options(&self, server: &Server) -> Result<(), Failure> {
        let seconds = c_uint::try_from(server.patience.as_secs()).unwrap_or(c_uint::MAX);
        let yes: c_char = 1;
        // SAFETY: mysql.h: each option's value is of the type it wants and is
        // copied.
        unsafe {
            let set = |option, value| (self.library.mysql_options)(self.connection, option, value);
            for option in [CONNECT_TIMEOUT, READ_TIMEOUT, WRITE_TIMEOUT] {
                set(option, (&raw const seconds).cast());
            }
            set(CHARACTER_SET, c"utf8mb4".as_ptr().cast());
            match &server.tls {
                Tls::No => {}
                Tls::Encrypted => {
                    set(ENFORCE_TLS, (&raw const yes).cast());
                }
                Tls::Verified(file) => {
                    let file = c_string(file)?;
                    set(ENFORCE_TLS, (&raw const yes).cast());
                    set(VERIFY_CERTIFICATE, (&raw const yes).cast());
                    set(AUTHORITIES, file.as_ptr().cast());
                }
            }
        }
        Ok(())
    }

    fn failure(&self) -> Failure {
        // SAFETY: mysql.h: a handle; the text lives until the next call.
        unsafe {
            let reason = text((self.library.mysql_error)(self.connection));
            failure(reason, (self.library.mysql_errno)(self.connection))
        }
    }

    fn statement_failure(&self, statement: &Statement) -> Failure {
        // SAFETY: mysql.h: a live statement; the text lives until the next call.
        unsafe {
            let reason = text((self.library.mysql_stmt_error)(statement.1));
            failure(reason, (self.library.mysql_stmt_errno)(statement.1))
        }
    }

    /// Statements without parameters that not every server prepares.
    fn command(&self, sql: &str) -> Result<Vec<Row>, Failure> {
        let length = c_ulong::try_from(sql.len()).unwrap_or_default();
        // SAFETY: mysql.h: `length` bytes of text.
        match unsafe {
            (self.library.mysql_real_query)(self.connection, sql.as_ptr().cast(), length)
        } {
            0 => Ok(Vec::new()),
            _ => Err(self.failure()),
        }
    }

    fn execute(&self, statement: &Statement, parameters: &[Parameter]) -> Result<(), Failure> {
        let mut lengths = vec![0; parameters.len()];
        let mut binds: Vec<Bind> = parameters
            .iter()
            .zip(&mut lengths)
            .map(|(value, length)| match value {
                None => Bind::EMPTY,
                Some(value) => {
                    *length = c_ulong::try_from(value.len()).unwrap_or_default();
                    Bind::of(value.as_ptr().cast_mut(), value.len(), length)
                }
            })
            .collect();
        // SAFETY: mysql.h: as many binds as parameters, whose buffers live
        // until the statement was executed and are only read.
        unsafe {
            let count = (self.library.mysql_stmt_param_count)(statement.1);
            if usize::try_from(count).ok() != Some(binds.len()) {
                return Err(Failure::of(
                    "a ? of the statement's own cannot be used".into(),
                ));
            }
            let bound = binds.is_empty()
                || (self.library.mysql_stmt_bind_param)(statement.1, binds.as_mut_ptr()) == 0;
            if !bound || (self.library.mysql_stmt_execute)(statement.1) != 0 {
                return Err(self.statement_failure(statement));
            }
        }
        Ok(())
    }

    fn fetch(&self, statement: &Statement) -> Result<Vec<Row>, Failure> {
        // SAFETY: mysql.h: a live statement.
        let count = unsafe { (self.library.mysql_stmt_field_count)(statement.1) };
        let count = usize::try_from(count).unwrap_or_default();
        if count == 0 {
            return Ok(Vec::new());
        }
        if count > COLUMNS {
            return Err(Failure::of(format!("more than {COLUMNS} columns")));
        }
        let mut buffers = vec![Zeroizing::new(vec![0u8; ROOM]); count];
        let (mut lengths, mut nulls): (Vec<c_ulong>, Vec<c_char>) =
            (vec![0; count], vec![0; count]);
        let mut binds: Vec<Bind> = buffers
            .iter_mut()
            .zip(lengths.iter_mut().zip(&mut nulls))
            .map(|(buffer, (length, null))| Bind {
                is_null: null,
                ..Bind::of(buffer.as_mut_ptr(), ROOM, length)
            })
            .collect();
        // SAFETY: mysql.h: as many binds as columns; buffers, lengths and marks
        // live until the last fetch.
        if unsafe { (self.library.mysql_stmt_bind_result)(statement.1, binds.as_mut_ptr()) } != 0 {
            return Err(self.statement_failure(statement));
        }
        let mut rows = Vec::new();
        loop {
            // SAFETY: mysql.h: bound above.
            match unsafe { (self.library.mysql_stmt_fetch)(statement.1) } {
                0 if rows.len() < 2 => {}
                TRUNCATED => return Err(Failure::of(format!("a value of more than {ROOM} bytes"))),
                0 => continue, // to the end, so that the connection stays usable
                NO_DATA => return Ok(rows),
                _ => return Err(self.statement_failure(statement)),
            }
            let columns = buffers.iter().zip(lengths.iter().zip(&nulls));
            rows.push(
                columns
                    .map(|(buffer, (length, null))| value(buffer, *length, *null))
                    .collect(),
            );
        }
    }
}

impl Mysql {
    fn prepare(&self, sql: &str) -> Result<Statement, Failure> {
        // SAFETY: mysql.h: a live connection.
        let statement = unsafe { (self.library.mysql_stmt_init)(self.connection) };
        if statement.is_null() {
            return Err(self.failure());
        }
        let statement = Statement(self.library, statement);
        let length = c_ulong::try_from(sql.len()).unwrap_or_default();
        // SAFETY: mysql.h: `length` bytes of text.
        match unsafe { (self.library.mysql_stmt_prepare)(statement.1, sql.as_ptr().cast(), length) }
        {
            0 => Ok(statement),
            _ => Err(self.statement_failure(&statement)),
        }
    }

    /// Keeps a statement that worked for the next time.
    fn keep(&mut self, sql: &str, statement: Statement) {
        // SAFETY: mysql.h: a live statement, whose rows were fetched.
        unsafe { (self.library.mysql_stmt_free_result)(statement.1) };
        if self.kept.len() < KEPT {
            self.kept.push((sql.to_owned(), statement));
        }
    }
}

fn value(buffer: &[u8], length: c_ulong, null: c_char) -> Option<Secret> {
    let length = usize::try_from(length).unwrap_or_default();
    (null == 0).then(|| Secret::from(buffer.get(..length).unwrap_or_default()))
}

impl Connection for Mysql {
    fn query(&mut self, sql: &str, parameters: &[Parameter]) -> Result<Vec<Row>, Failure> {
        if matches!(sql, "BEGIN" | "COMMIT" | "ROLLBACK") {
            return self.command(sql);
        }
        let known = self.kept.iter().position(|(text, _)| text == sql);
        let statement = match known {
            Some(index) => self.kept.swap_remove(index).1,
            None => self.prepare(sql)?,
        };
        self.execute(&statement, parameters)?;
        let rows = self.fetch(&statement)?;
        self.keep(sql, statement);
        Ok(rows)
    }

    fn is_ours(&self) -> bool {
        // SAFETY: mysql.h: a connection.
        let descriptor = unsafe { (self.library.mysql_get_socket)(self.connection) };
        self.socket.is_some() && socket(descriptor) == self.socket
    }

    fn forget(self: Box<Self>) {
        Box::leak(self);
    }
}
