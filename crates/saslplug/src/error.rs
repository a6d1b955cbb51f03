// SPDX-License-Identifier: MIT OR Apache-2.0
//! Result codes of `sasl.h`, and errors that carry a code C knows and a reason
//! a human needs.
#![forbid(unsafe_code)]

use core::ffi::c_int;
use core::fmt;
use std::borrow::Cow;

/// A result code of `sasl.h`. Any integer that a plugin returns survives.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code(pub c_int);

macro_rules! codes {
    ($($name:ident = $value:literal, $text:literal;)*) => {
        impl Code {
            $(#[doc = concat!("`SASL_", stringify!($name), "` (", $value, "): ", $text)]
            pub const $name: Code = Code($value);)*

            /// The English text of `sasl_errstring`.
            pub const fn text(self) -> &'static str {
                match self.0 { $($value => $text,)* _ => "undefined error!" }
            }

            /// The constant's name in `sasl.h` without `SASL_`, if it has one.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 { $($value => Some(stringify!($name)),)* _ => None }
            }
        }
    };
}

codes! {
    INTERACT = 2, "needs user interaction";
    CONTINUE = 1, "another step is needed in authentication";
    OK = 0, "successful result";
    FAIL = -1, "generic failure";
    NOMEM = -2, "no memory available";
    BUFOVER = -3, "overflowed buffer";
    NOMECH = -4, "no mechanism available";
    BADPROT = -5, "bad protocol / cancel";
    NOTDONE = -6, "can't request information until later in exchange";
    BADPARAM = -7, "invalid parameter supplied";
    TRYAGAIN = -8, "transient failure (e.g., weak key)";
    BADMAC = -9, "integrity check failed";
    BADSERV = -10, "server failed mutual authentication step";
    WRONGMECH = -11, "mechanism doesn't support requested feature";
    NOTINIT = -12, "SASL library is not initialized";
    BADAUTH = -13, "authentication failure";
    NOAUTHZ = -14, "authorization failure";
    TOOWEAK = -15, "mechanism too weak for this user";
    ENCRYPT = -16, "encryption needed to use mechanism";
    TRANS = -17, "One time use of a plaintext password will enable requested mechanism for user";
    EXPIRED = -18, "passphrase expired, has to be reset";
    DISABLED = -19, "account disabled";
    NOUSER = -20, "user not found";
    PWLOCK = -21, "passphrase locked";
    NOCHANGE = -22, "requested change was not needed";
    BADVERS = -23, "version mismatch with plug-in";
    UNAVAIL = -24, "remote authentication server unavailable";
    NOVERIFY = -26, "user exists, but no verifier for user";
    WEAKPASS = -27, "passphrase is too weak for security policy";
    NOUSERPASS = -28, "user supplied passwords are not permitted";
    NEED_OLD_PASSWD = -29, "sasl_setpass needs old password in order to perform password change";
    CONSTRAINT_VIOLAT = -30, "sasl_setpass can't store a property because of a constraint violation";
    BADBINDING = -32, "channel binding failure";
    CONFIGERR = -100, "error when parsing configuration file";
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "SASL_{name}({})", self.0),
            None => write!(f, "SASL({})", self.0),
        }
    }
}

/// Why something failed: a negative code for C, a reason for a human.
///
/// `CONTINUE` and `INTERACT` are not errors. The reason never holds a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    code: Code,
    reason: Cow<'static, str>,
    silent: bool,
}

impl Error {
    /// An error whose reason is a constant; nothing is allocated.
    pub const fn new(code: Code, reason: &'static str) -> Self {
        Self {
            code,
            reason: Cow::Borrowed(reason),
            silent: false,
        }
    }

    /// An error whose reason was put together at run time.
    pub fn with(code: Code, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            reason: reason.into(),
            silent: false,
        }
    }

    /// An error that says nothing more than its code (an empty reason).
    pub const fn bare(code: Code) -> Self {
        Self::new(code, "")
    }

    /// The same error, kept out of the log (the `SASL_NOLOG` of `sasl_seterror`).
    #[must_use]
    pub fn silent(mut self) -> Self {
        self.silent = true;
        self
    }

    /// The code as the function returns it.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The code as a peer may learn it: an unknown user looks like a wrong
    /// password. Decided here and nowhere else.
    pub const fn public_code(&self) -> Code {
        match self.code {
            Code::NOUSER => Code::BADAUTH,
            code => code,
        }
    }

    /// What went wrong and, where there is one, the remedy. May be empty.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Whether the error stays out of the log.
    pub const fn is_silent(&self) -> bool {
        self.silent
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.code, self.reason)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.reason.is_empty() {
            f.write_str(self.code.text())
        } else {
            write!(f, "{}: {}", self.code.text(), self.reason)
        }
    }
}

impl core::error::Error for Error {}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self::bare(code)
    }
}

/// The result of everything that can fail in SASL.
pub type Result<T> = core::result::Result<T, Error>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_user_looks_like_a_wrong_password() {
        assert_eq!(Error::bare(Code::NOUSER).public_code(), Code::BADAUTH);
        assert_eq!(Error::bare(Code::NOUSER).code(), Code::NOUSER);
        assert_eq!(Error::bare(Code::UNAVAIL).public_code(), Code::UNAVAIL);
    }

    #[test]
    fn unknown_codes_survive() {
        assert_eq!(Code(-77).text(), "undefined error!");
        assert_eq!(format!("{:?}", Code(-77)), "SASL(-77)");
        assert_eq!(format!("{:?}", Code::NOUSER), "SASL_NOUSER(-20)");
    }
}
