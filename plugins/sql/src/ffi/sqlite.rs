// SPDX-License-Identifier: MIT OR Apache-2.0
//! SQLite: `libsqlite3.so.0`. The file is opened for each lookup.
#![allow(unsafe_code, reason = "the edge to a client library in C")]

use super::{c_string, functions, text};
use crate::engine::{Connection, Failure, Row, Server};
use crate::statement::Parameter;
use core::ffi::{c_char, c_int, c_void};
use core::ptr::{null, null_mut};
use saslplug::Secret;

functions! { Library, c"libsqlite3.so.0", "libsqlite3-0";
    sqlite3_open_v2: fn(*const c_char, *mut *mut c_void, c_int, *const c_char) -> c_int;
    sqlite3_close_v2: fn(*mut c_void) -> c_int;
    sqlite3_busy_timeout: fn(*mut c_void, c_int) -> c_int;
    sqlite3_errmsg: fn(*mut c_void) -> *const c_char;
    sqlite3_prepare_v2: fn(*mut c_void, *const c_char, c_int, *mut *mut c_void, *mut *const c_char) -> c_int;
    sqlite3_bind_text: fn(*mut c_void, c_int, *const c_char, c_int, *const c_void) -> c_int;
    sqlite3_bind_null: fn(*mut c_void, c_int) -> c_int;
    sqlite3_step: fn(*mut c_void) -> c_int;
    sqlite3_column_count: fn(*mut c_void) -> c_int;
    sqlite3_column_type: fn(*mut c_void, c_int) -> c_int;
    sqlite3_column_blob: fn(*mut c_void, c_int) -> *const c_void;
    sqlite3_column_bytes: fn(*mut c_void, c_int) -> c_int;
    sqlite3_finalize: fn(*mut c_void) -> c_int;
}

const READ_WRITE: c_int = 2;
const ROW: c_int = 100;
const DONE: c_int = 101;
const NULL: c_int = 5;

struct Sqlite {
    library: &'static Library,
    database: *mut c_void,
}

// SAFETY: a connection is used by one thread at a time, which SQLite allows.
unsafe impl Send for Sqlite {}

/// Opens the file; it must exist.
pub(super) fn connect(server: &Server) -> Result<Box<dyn Connection>, Failure> {
    let library = Library::get()?;
    let path = c_string(&server.database)?;
    let mut connection = Sqlite {
        library,
        database: null_mut(),
    };
    let patience = c_int::try_from(server.patience.as_millis()).unwrap_or(c_int::MAX);
    // SAFETY: sqlite3.h: the path is a C string, the out-pointer is ours; a
    // handle comes back even from a failure.
    let code = unsafe {
        let code =
            (library.sqlite3_open_v2)(path.as_ptr(), &mut connection.database, READ_WRITE, null());
        if code == 0 {
            (library.sqlite3_busy_timeout)(connection.database, patience);
        }
        code
    };
    match code {
        0 => Ok(Box::new(connection)),
        _ => Err(Failure::lost(format!(
            "{}: {}",
            server.database,
            connection.error()
        ))),
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        // SAFETY: sqlite3.h: NULL or a handle, closed once.
        unsafe { (self.library.sqlite3_close_v2)(self.database) };
    }
}

/// A statement, finalised when dropped.
struct Statement<'a>(&'a Sqlite, *mut c_void);

impl Drop for Statement<'_> {
    fn drop(&mut self) {
        // SAFETY: sqlite3.h: NULL or a statement, finalised once.
        unsafe { (self.0.library.sqlite3_finalize)(self.1) };
    }
}

impl Sqlite {
    fn error(&self) -> String {
        // SAFETY: sqlite3.h: a C string that lives until the next call.
        unsafe { text((self.library.sqlite3_errmsg)(self.database)) }
    }

    fn prepare(&self, sql: &str) -> Result<Statement<'_>, Failure> {
        let sql = c_string(sql)?;
        let mut statement = Statement(self, null_mut());
        // SAFETY: sqlite3.h: a live database, a C string, an out-pointer.
        let code = unsafe {
            (self.library.sqlite3_prepare_v2)(
                self.database,
                sql.as_ptr(),
                -1,
                &mut statement.1,
                null_mut(),
            )
        };
        match code {
            0 if !statement.1.is_null() => Ok(statement),
            0 => Err(Failure::of("an empty statement".into())),
            _ => Err(Failure::of(self.error())),
        }
    }

    fn bind(&self, statement: &Statement<'_>, parameters: &[Parameter]) -> Result<(), Failure> {
        for (number, parameter) in (1..).zip(parameters) {
            // SAFETY: sqlite3.h: the parameters outlive the statement's run, so
            // the destructor is SQLITE_STATIC (NULL).
            let code = unsafe {
                match parameter {
                    None => (self.library.sqlite3_bind_null)(statement.1, number),
                    Some(value) => {
                        let length = c_int::try_from(value.len()).unwrap_or(c_int::MAX);
                        (self.library.sqlite3_bind_text)(
                            statement.1,
                            number,
                            value.as_ptr().cast(),
                            length,
                            null(),
                        )
                    }
                }
            };
            if code != 0 {
                return Err(Failure::of(self.error()));
            }
        }
        Ok(())
    }

    fn row(&self, statement: &Statement<'_>) -> Row {
        // SAFETY: sqlite3.h: a statement that is at a row; a value's bytes live
        // until the next step.
        unsafe {
            let count = (self.library.sqlite3_column_count)(statement.1);
            let value = |column| {
                if (self.library.sqlite3_column_type)(statement.1, column) == NULL {
                    return None;
                }
                let bytes = (self.library.sqlite3_column_blob)(statement.1, column).cast::<u8>();
                let length = (self.library.sqlite3_column_bytes)(statement.1, column);
                let length = usize::try_from(length).unwrap_or_default();
                if bytes.is_null() || length == 0 {
                    return Some(Secret::default());
                }
                Some(Secret::from(core::slice::from_raw_parts(bytes, length)))
            };
            (0..count).map(value).collect()
        }
    }
}

impl Connection for Sqlite {
    fn query(&mut self, sql: &str, parameters: &[Parameter]) -> Result<Vec<Row>, Failure> {
        let statement = self.prepare(sql)?;
        // A bound empty text must not be NULL.
        self.bind(&statement, parameters)?;
        let mut rows = Vec::new();
        loop {
            // SAFETY: sqlite3.h: a live statement.
            match unsafe { (self.library.sqlite3_step)(statement.1) } {
                ROW if rows.len() < 2 => rows.push(self.row(&statement)),
                ROW | DONE => return Ok(rows),
                _ => return Err(Failure::of(self.error())),
            }
        }
    }

    fn is_ours(&self) -> bool {
        true
    }

    fn forget(self: Box<Self>) {
        Box::leak(self);
    }
}
