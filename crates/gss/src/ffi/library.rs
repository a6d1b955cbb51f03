// SPDX-License-Identifier: MIT OR Apache-2.0
//! libgssapi_krb5, opened when first needed and kept: its functions as a table.
//! A library that is missing, or lacks one of them, is no library.
#![allow(unsafe_code, reason = "dlopen and foreign functions")]

use super::types::*;
use core::ffi::{CStr, c_int, c_void};
use std::sync::OnceLock;

/// The file, as MIT and Debian name it.
const FILE: &CStr = c"libgssapi_krb5.so.2";

macro_rules! table {
    ($($(#[$doc:meta])* $name:ident: fn($($argument:ty),*);)*) => {
        /// The functions. Each returns a major status; the first argument is
        /// where the minor status goes.
        pub(crate) struct Library {
            $($(#[$doc])* pub(super) $name: unsafe extern "C" fn($($argument),*) -> Major,)*
        }

        impl Library {
            fn open() -> Option<Self> {
                // SAFETY: a C string; the library's constructors are trusted as
                // every system library's. It is never closed.
                let handle = unsafe { libc::dlopen(FILE.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
                if handle.is_null() {
                    return None;
                }
                Some(Self {
                    $($name: {
                        let name = concat!(stringify!($name), "\0");
                        let symbol = find(handle, name)?;
                        // SAFETY: RFC 2744 and MIT's header give the function
                        // of this name this type.
                        unsafe {
                            core::mem::transmute::<
                                *mut c_void,
                                unsafe extern "C" fn($($argument),*) -> Major,
                            >(symbol)
                        }
                    },)*
                })
            }
        }
    };
}

/// The address of a function.
fn find(handle: *mut c_void, name: &str) -> Option<*mut c_void> {
    let name = CStr::from_bytes_with_nul(name.as_bytes()).ok()?;
    // SAFETY: a handle of dlopen and a C string.
    let symbol = unsafe { libc::dlsym(handle, name.as_ptr()) };
    (!symbol.is_null()).then_some(symbol)
}

table! {
    gss_import_name: fn(*mut u32, *const BufferDesc, gss_OID, *mut gss_name_t);
    gss_display_name: fn(*mut u32, gss_name_t, *mut BufferDesc, *mut gss_OID);
    gss_canonicalize_name: fn(*mut u32, gss_name_t, gss_OID, *mut gss_name_t);
    gss_release_name: fn(*mut u32, *mut gss_name_t);
    gss_release_buffer: fn(*mut u32, *mut BufferDesc);
    gss_display_status: fn(*mut u32, u32, c_int, gss_OID, *mut u32, *mut BufferDesc);
    gss_acquire_cred: fn(
        *mut u32, gss_name_t, u32, *const OidSetDesc, c_int,
        *mut gss_cred_id_t, *mut *mut OidSetDesc, *mut u32
    );
    gss_acquire_cred_from: fn(
        *mut u32, gss_name_t, u32, *const OidSetDesc, c_int, *const KeyValueSetDesc,
        *mut gss_cred_id_t, *mut *mut OidSetDesc, *mut u32
    );
    gss_acquire_cred_with_password: fn(
        *mut u32, gss_name_t, *const BufferDesc, u32, *const OidSetDesc, c_int,
        *mut gss_cred_id_t, *mut *mut OidSetDesc, *mut u32
    );
    gss_set_cred_option: fn(*mut u32, *mut gss_cred_id_t, gss_OID, *const BufferDesc);
    gss_release_cred: fn(*mut u32, *mut gss_cred_id_t);
    gss_init_sec_context: fn(
        *mut u32, gss_cred_id_t, *mut gss_ctx_id_t, gss_name_t, gss_OID, u32, u32,
        *const BindingsDesc, *const BufferDesc, *mut gss_OID, *mut BufferDesc, *mut u32, *mut u32
    );
    gss_accept_sec_context: fn(
        *mut u32, *mut gss_ctx_id_t, gss_cred_id_t, *const BufferDesc, *const BindingsDesc,
        *mut gss_name_t, *mut gss_OID, *mut BufferDesc, *mut u32, *mut u32, *mut gss_cred_id_t
    );
    gss_delete_sec_context: fn(*mut u32, *mut gss_ctx_id_t, *mut BufferDesc);
    gss_inquire_context: fn(
        *mut u32, gss_ctx_id_t, *mut gss_name_t, *mut gss_name_t, *mut u32,
        *mut gss_OID, *mut u32, *mut c_int, *mut c_int
    );
    gss_inquire_sec_context_by_oid: fn(*mut u32, gss_ctx_id_t, gss_OID, *mut *mut BufferSetDesc);
    gss_release_buffer_set: fn(*mut u32, *mut *mut BufferSetDesc);
    gss_wrap: fn(
        *mut u32, gss_ctx_id_t, c_int, u32, *const BufferDesc, *mut c_int, *mut BufferDesc
    );
    gss_unwrap: fn(
        *mut u32, gss_ctx_id_t, *const BufferDesc, *mut BufferDesc, *mut c_int, *mut u32
    );
    gss_wrap_size_limit: fn(*mut u32, gss_ctx_id_t, c_int, u32, u32, *mut u32);
}

/// The library of this process, if there is one.
pub(crate) fn library() -> Option<&'static Library> {
    static LIBRARY: OnceLock<Option<Library>> = OnceLock::new();
    LIBRARY.get_or_init(Library::open).as_ref()
}
