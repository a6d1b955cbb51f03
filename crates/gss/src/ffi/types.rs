// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C types of RFC 2744, and those of MIT's extensions that are used here.
//! No logic.
#![allow(non_camel_case_types, reason = "the C binding's own names")]
#![allow(
    clippy::cast_possible_truncation,
    reason = "lengths of short constants"
)]

use core::ffi::c_void;

pub(super) type Major = u32;

macro_rules! opaque {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $($(#[$doc])* #[repr(C)] pub(super) struct $name { _opaque: [u8; 0] })*
    };
}

opaque! {
    /// `gss_name_struct`.
    NameDesc;
    /// `gss_cred_id_struct`.
    CredDesc;
    /// `gss_ctx_id_struct`.
    ContextDesc;
}

pub(super) type gss_name_t = *mut NameDesc;
pub(super) type gss_cred_id_t = *mut CredDesc;
pub(super) type gss_ctx_id_t = *mut ContextDesc;

/// `gss_OID_desc`.
#[repr(C)]
pub(super) struct OidDesc {
    pub(super) length: u32,
    pub(super) elements: *const c_void,
}

// SAFETY: the constants below point to static bytes, and nobody writes them.
unsafe impl Sync for OidDesc {}

pub(super) type gss_OID = *const OidDesc;

/// `gss_buffer_desc`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct BufferDesc {
    pub(super) length: usize,
    pub(super) value: *mut c_void,
}

/// `gss_OID_set_desc`.
#[repr(C)]
pub(super) struct OidSetDesc {
    pub(super) count: usize,
    pub(super) elements: *const OidDesc,
}

/// `gss_buffer_set_desc` (GGF extensions).
#[repr(C)]
pub(super) struct BufferSetDesc {
    pub(super) count: usize,
    pub(super) elements: *const BufferDesc,
}

/// `gss_channel_bindings_struct`.
#[repr(C)]
pub(super) struct BindingsDesc {
    pub(super) initiator_addrtype: u32,
    pub(super) initiator_address: BufferDesc,
    pub(super) acceptor_addrtype: u32,
    pub(super) acceptor_address: BufferDesc,
    pub(super) application_data: BufferDesc,
}

/// `gss_key_value_element_desc` (credential store extensions).
#[repr(C)]
pub(super) struct KeyValueDesc {
    pub(super) key: *const core::ffi::c_char,
    pub(super) value: *const core::ffi::c_char,
}

/// `gss_key_value_set_desc`.
#[repr(C)]
pub(super) struct KeyValueSetDesc {
    pub(super) count: u32,
    pub(super) elements: *const KeyValueDesc,
}

macro_rules! oids {
    ($($(#[$doc:meta])* $name:ident = $bytes:literal;)*) => {
        $($(#[$doc])* pub(super) static $name: OidDesc = OidDesc {
            length: $bytes.len() as u32,
            elements: $bytes.as_ptr().cast(),
        };)*
    };
}

oids! {
    /// 1.2.840.113554.1.2.2: Kerberos.
    KRB5 = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
    /// 1.3.6.1.5.5.2: SPNEGO.
    SPNEGO = b"\x2b\x06\x01\x05\x05\x02";
    /// 1.3.6.1.5.2.5: IAKERB.
    IAKERB = b"\x2b\x06\x01\x05\x02\x05";
    /// 1.2.840.113554.1.2.1.4: `service@host`.
    HOSTBASED_SERVICE = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x04";
    /// 1.2.840.113554.1.2.1.1: a user's name.
    USER_NAME = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x01";
    /// 1.2.840.113554.1.2.2.5.15: strength of a context.
    SASL_SSF = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x0f";
    /// 1.2.752.43.13.29: confidentiality and integrity only on request.
    NO_CI_FLAGS = b"\x2a\x85\x70\x2b\x0d\x1d";
}

/// `GSS_C_INITIATE`.
pub(super) const INITIATE: i32 = 1;
/// `GSS_C_ACCEPT`.
pub(super) const ACCEPT: i32 = 2;
/// `GSS_C_GSS_CODE`.
pub(super) const GSS_CODE: i32 = 1;
/// `GSS_C_MECH_CODE`.
pub(super) const MECH_CODE: i32 = 2;
/// `GSS_C_INDEFINITE`.
pub(super) const INDEFINITE: u32 = u32::MAX;
/// `GSS_S_CONTINUE_NEEDED`.
pub(super) const CONTINUE_NEEDED: Major = 1;

/// Whether a call failed: calling or routine error.
pub(super) fn failed(major: Major) -> bool {
    major & 0xffff_0000 != 0
}

/// Where nobody wants to know which mechanisms credentials are for.
pub(super) const NOTHING_SET: *mut *mut OidSetDesc = core::ptr::null_mut();
