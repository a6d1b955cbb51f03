// SPDX-License-Identifier: MIT OR Apache-2.0
//! LDAP logins without SASL's C world.
#![forbid(unsafe_code)]
