// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repr(C)` mirrors of the installed headers: layouts and constants, no logic.
//! `tests/abi.rs` compares each size and offset with the C compiler's.

mod prop;
mod sasl;
mod saslplug;

pub use self::prop::*;
pub use self::sasl::*;
pub use self::saslplug::*;
