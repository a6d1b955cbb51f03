// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Rust side of `variadic.c`: `sasl_seterror` and the `log` of
//! `sasl_utils_t` format here and hand a finished text to [`super::errors`].

use super::{arg, edge, errors};
use crate::format::{self, FormatArgs, Nouser};
use core::ffi::{c_char, c_int, c_long, c_longlong, c_uint, c_void};
use core::marker::PhantomData;
use saslplug::raw::sasl_conn_t;

/// `struct sasl2_args`: a `va_list` that only C knows.
#[repr(C)]
struct Args {
    _opaque: [u8; 0],
    _pinned: PhantomData<*mut u8>,
}

unsafe extern "C" {
    fn sasl2_args_int(args: *mut Args) -> c_int;
    fn sasl2_args_long(args: *mut Args) -> c_long;
    fn sasl2_args_long_long(args: *mut Args) -> c_longlong;
    fn sasl2_args_size(args: *mut Args) -> usize;
    fn sasl2_args_max(args: *mut Args) -> i64;
    fn sasl2_args_double(args: *mut Args) -> f64;
    fn sasl2_args_long_double(args: *mut Args) -> f64;
    fn sasl2_args_pointer(args: *mut Args) -> *const c_void;

    /// Defined in C, exported at SASL2; also the `seterror` of `sasl_utils_t`.
    pub(crate) fn sasl_seterror(conn: *mut sasl_conn_t, flags: c_uint, format: *const c_char, ...);
    /// Defined in C, hidden: the `log` of `sasl_utils_t`.
    pub(crate) fn sasl2_log(conn: *mut sasl_conn_t, level: c_int, format: *const c_char, ...);
}

/// Keeps the export although no Rust code calls it.
#[used]
static KEEP: unsafe extern "C" fn(*mut sasl_conn_t, c_uint, *const c_char, ...) = sasl_seterror;

// Called by C only; not for .dynsym.
#[cfg(not(test))]
core::arch::global_asm!(".hidden sasl2_seterror_args", ".hidden sasl2_log_args");

/// The arguments of one call, alive as long as that call.
struct CArgs(*mut Args);

macro_rules! accessors {
    ($($method:ident = $function:ident -> $type:ty;)*) => {$(
        fn $method(&mut self) -> $type {
            // SAFETY: `args` is the list that variadic.c opened for this call;
            // that an argument of this type follows is the promise of the
            // caller's format, as with every printf.
            unsafe { $function(self.0) }
        }
    )*};
}

impl FormatArgs for CArgs {
    accessors! {
        int = sasl2_args_int -> c_int;
        long = sasl2_args_long -> c_long;
        long_long = sasl2_args_long_long -> c_longlong;
        max = sasl2_args_max -> i64;
        double = sasl2_args_double -> f64;
        long_double = sasl2_args_long_double -> f64;
    }

    fn size(&mut self) -> isize {
        #[allow(clippy::cast_possible_wrap, reason = "the bits are meant")]
        // SAFETY: as above.
        let size = unsafe { sasl2_args_size(self.0) } as isize;
        size
    }

    fn pointer(&mut self) -> usize {
        // SAFETY: as above.
        unsafe { sasl2_args_pointer(self.0) }.addr()
    }

    fn text(&mut self, limit: usize) -> Option<Vec<u8>> {
        // SAFETY: as above.
        let text = unsafe { sasl2_args_pointer(self.0) }.cast::<c_char>();
        // SAFETY: `%s` promises NULL or a string that ends with a NUL or
        // covers the precision.
        unsafe { arg::text_within(text, limit) }.map(<[u8]>::to_vec)
    }
}

/// # Safety
/// Called by `sasl_seterror` in variadic.c only: `args` is its open list;
/// `conn` and `format` are its caller's, as in sasl.h.
#[unsafe(no_mangle)]
unsafe extern "C" fn sasl2_seterror_args(
    conn: *mut sasl_conn_t,
    flags: c_uint,
    format: *const c_char,
    args: *mut Args,
) {
    edge::guard((), || {
        // SAFETY: sasl.h: `format` is NULL or a string.
        let Some(format) = (unsafe { arg::text(format) }) else {
            return;
        };
        let text = format::format(format.to_bytes(), &mut CArgs(args), Nouser::Hidden);
        errors::seterror(conn, flags, text);
    });
}

/// # Safety
/// Called by `sasl2_log` in variadic.c only, as [`sasl2_seterror_args`].
#[unsafe(no_mangle)]
unsafe extern "C" fn sasl2_log_args(
    conn: *mut sasl_conn_t,
    level: c_int,
    format: *const c_char,
    args: *mut Args,
) {
    edge::guard((), || {
        // SAFETY: saslplug.h: `format` is NULL or a string.
        let Some(format) = (unsafe { arg::text(format) }) else {
            return;
        };
        let text = format::format(format.to_bytes(), &mut CArgs(args), Nouser::Shown);
        errors::log(conn, level, text);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::errors::tests::said;
    use core::ptr::NonNull;

    /// Each kind of argument arrives, the ninth and later from the stack too.
    #[test]
    fn arguments_of_all_kinds() {
        let conn = NonNull::<sasl_conn_t>::dangling().as_ptr();
        // SAFETY: the arguments fit the formats; nothing dereferences `conn`.
        unsafe {
            sasl2_log(
                conn,
                3,
                c"%s %d %ld %lld %zu %jd %p %.1f %c %.2s %x %m %z%%".as_ptr(),
                c"text".as_ptr(),
                -1 as c_int,
                c_long::MIN,
                2 as c_longlong,
                3_usize,
                4_i64,
                core::ptr::null::<u8>(),
                1.25_f64,
                c_int::from(b'c'),
                b"no".as_ptr(),
                255 as c_uint,
                2 as c_int,
                -20 as c_int,
            );
        }
        let expected = "3 text -1 -9223372036854775808 2 3 4 (nil) 1.2 c no ff No such file or directory user not found%";
        assert_eq!(said(), [expected]);
        // SAFETY: as above.
        unsafe {
            sasl_seterror(
                conn,
                1,
                c"%z %s".as_ptr(),
                -20 as c_int,
                core::ptr::null::<u8>(),
            )
        };
        assert_eq!(said(), ["1 authentication failure (null)"]);
        // A plugin's init has no connection; its reason is not lost.
        // SAFETY: as above.
        unsafe {
            sasl_seterror(
                core::ptr::null_mut(),
                0,
                c"no %s".as_ptr(),
                c"file".as_ptr(),
            )
        };
        assert_eq!(said(), ["0 no file"]);
        // SAFETY: as above.
        unsafe { sasl_seterror(conn, 0, core::ptr::null()) };
        assert!(said().is_empty());
    }
}
