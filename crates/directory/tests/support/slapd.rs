// SPDX-License-Identifier: MIT OR Apache-2.0
//! A real slapd in a scratch folder.
