// SPDX-License-Identifier: MIT OR Apache-2.0
//! The wording of each LDB-nn, its level, and its result code.
#![forbid(unsafe_code)]

use super::{Fault, Shown};
use crate::protocol::{Outcome, code_name};
use saslplug::{Code, Level};
use std::time::Duration;

/// A search, as log lines show it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Search {
    pub(crate) base: String,
    pub(crate) scope: &'static str,
    pub(crate) filter: String,
    /// The service account, empty for an anonymous search.
    pub(crate) account: String,
}

/// `49 invalidCredentials "…"`.
fn shown(outcome: &Outcome) -> String {
    let name = code_name(outcome.code);
    match outcome.message.trim_end_matches('\0') {
        "" => format!("{} {name}", outcome.code),
        text => format!("{} {name} \"{}\"", outcome.code, Shown(text)),
    }
}

/// Configuration: wrong until somebody changes it.
impl Fault {
    fn config(number: u8, text: String) -> Self {
        Self::new(number, Level::Err, Code::FAIL, "", text)
    }

    pub(crate) fn no_uri() -> Self {
        Self::config(
            1,
            "ldapdb_uri is not set. Put \"ldapdb_uri: ldap://host/dc=example,dc=com\" in the SASL \
             configuration (Cyrus IMAP: sasl_ldapdb_uri in imapd.conf; Postfix: sasl/smtpd.conf; \
             others: the application's file in /etc/sasl2 or /usr/lib/sasl2)."
                .to_owned(),
        )
    }

    pub(crate) fn not_a_url(part: &str, why: &str) -> Self {
        Self::config(
            3,
            format!(
                "\"{}\" in ldapdb_uri is not an LDAP URL; {}. Servers are separated by blanks; a \
                 comma inside the DN is fine or %2c.",
                Shown(part),
                Shown(why)
            ),
        )
    }

    pub(crate) fn lost_comma(dn: &str, kind: &str) -> Self {
        Self::config(
            4,
            format!(
                "suspicious base DN \"{}\" in ldapdb_uri: '=' inside the value of {}. %44 is the \
                 letter D; a comma is %2c, or just a comma.",
                Shown(dn),
                Shown(kind)
            ),
        )
    }

    pub(crate) fn trailing_slash(given: &str, used: &str) -> Self {
        let text = format!(
            "base DN \"{}\" had a trailing slash; using \"{}\".",
            Shown(given),
            Shown(used)
        );
        Self::new(5, Level::Warn, Code::FAIL, "", text)
    }

    pub(crate) fn id_is_dn(id: &str) -> Self {
        Self::config(
            6,
            format!(
                "ldapdb_id \"{}\" looks like a DN, but ldapdb_id is a SASL user name. For a simple \
                 bind use ldapdb_bind_dn, or ldapdb_mech: SIMPLE.",
                Shown(id)
            ),
        )
    }

    pub(crate) fn password_file(path: &str, why: &str, uid: u32) -> Self {
        let text = format!(
            "ldapdb_pw_file {}: {} (as uid {uid}).",
            Shown(path),
            Shown(why)
        );
        Self::new(7, Level::Err, Code::UNAVAIL, path, text)
    }

    pub(crate) fn password_file_open(path: &str, mode: u32) -> Self {
        let text = format!(
            "ldapdb_pw_file {}: others may read it (mode {mode:04o}); chmod 0600 or 0640.",
            Shown(path)
        );
        Self::new(7, Level::Warn, Code::UNAVAIL, path, text)
    }

    pub(crate) fn unavailable(option: &str, value: &str, instead: &str) -> Self {
        Self::config(
            8,
            format!(
                "{option}: {} is not available in this version. {instead}",
                Shown(value)
            ),
        )
    }

    pub(crate) fn bad_option(option: &str, why: &str) -> Self {
        Self::config(9, format!("{option}: {}.", Shown(why)))
    }
}

/// Servers: down, silent, odd.
impl Fault {
    fn server(number: u8, server: &str, text: String) -> Self {
        Self::new(number, Level::Err, Code::UNAVAIL, server, text)
    }

    pub(crate) fn unresolved(server: &str, host: &str, why: &str) -> Self {
        Self::server(
            10,
            server,
            format!("cannot resolve \"{}\": {}.", Shown(host), Shown(why)),
        )
        .or_next()
    }

    pub(crate) fn unreachable(server: &str, address: &str, why: &str, default_port: bool) -> Self {
        let hint = if default_port {
            " No port in the URI, so 389 was used; glauth's default is 3893, lldap's 3890."
        } else {
            ""
        };
        let text = format!(
            "cannot connect to {address} ({server}): {}.{hint}",
            Shown(why)
        );
        Self::server(11, server, text).or_next()
    }

    pub(crate) fn timed_out(server: &str, seconds: u64, what: &str) -> Self {
        let option = if what == "connect" {
            "ldapdb_connect_timeout"
        } else {
            "ldapdb_timeout"
        };
        Self::server(
            12,
            server,
            format!(
                "no answer from {server} within {seconds} s to {what} ({option}, ldapdb_max_wait)."
            ),
        )
        .or_next()
    }

    pub(crate) fn out_of_time(seconds: u64) -> Self {
        let text = format!("no server answered within {seconds} s (ldapdb_max_wait).");
        Self::server(12, "", text)
    }

    pub(crate) fn broken(server: &str, what: &str, why: &str) -> Self {
        let text = format!("server {server}: {} in answer to {what}.", Shown(why));
        Self::server(14, server, text).or_next()
    }

    pub(crate) fn answered(server: &str, outcome: &Outcome, what: &str) -> Self {
        let text = format!("server {server}: result {} to {what}.", shown(outcome));
        let fault = Self::server(14, server, text);
        if matches!(outcome.code, 3 | 11 | 51 | 52 | 80) {
            fault.or_next()
        } else {
            fault
        }
    }

    pub(crate) fn skipped(server: &str, pause: Duration, why: &Self) -> Self {
        let text = format!(
            "server {server} skipped for {} s after: {}",
            pause.as_secs(),
            why.text
        );
        Self::new(15, Level::Note, Code::UNAVAIL, server, text)
    }

    pub(crate) fn clear_text(server: &str, address: &str) -> Self {
        Self::server(
            16,
            server,
            format!(
                "not sending a password to {address} ({server}) without TLS, which this version \
                 does not have. Use ldapi:// or a tunnel; to allow clear text: ldapdb_cleartext: yes."
            ),
        )
    }
}

/// The service account: its bind and its searches.
impl Fault {
    /// What a refused bind of the service account means.
    pub(crate) fn service_bind(server: &str, name: &str, outcome: &Outcome) -> Self {
        let (name, result) = (Shown(name), shown(outcome));
        match outcome.code {
            49 => Self::server(
                20,
                server,
                format!(
                    "the server {server} refused the SERVICE account \"{name}\" ({result}): check \
                     ldapdb_bind_dn / ldapdb_bind_pw. Users cannot log in until this is right."
                ),
            ),
            7 | 48 => Self::server(
                21,
                server,
                format!("server {server} does no simple bind as \"{name}\" ({result})."),
            ),
            8 | 13 => Self::wants_encryption(server, outcome),
            53 => Self::server(
                25,
                server,
                format!(
                    "{server}: {result} for the service account \"{name}\". glauth answers this to \
                     everything from this host while its LimitFailedBinds ban is on."
                ),
            ),
            _ => Self::answered(server, outcome, "the bind of the service account"),
        }
    }

    pub(crate) fn wants_encryption(server: &str, outcome: &Outcome) -> Self {
        let text = format!(
            "server {server} wants encryption ({}): use ldapi:// or a tunnel, or allow this host \
             to bind in clear; TLS is not available in this version.",
            shown(outcome)
        );
        Self::server(22, server, text)
    }

    /// What a failed search means.
    pub(crate) fn search(server: &str, search: &Search, outcome: &Outcome) -> Self {
        let (base, result) = (Shown(&search.base), shown(outcome));
        let who = match search.account.as_str() {
            "" => "anonymous".to_owned(),
            account => format!("\"{}\"", Shown(account)),
        };
        match outcome.code {
            32 => Self::new(
                31,
                Level::Err,
                Code::NOUSER,
                server,
                format!(
                    "search base \"{base}\" does not exist or is hidden from {who} ({result})."
                ),
            ),
            1 | 8 | 13 | 48 | 49 | 50 | 53 if search.account.is_empty() => Self::server(
                37,
                server,
                format!(
                    "anonymous search refused by {server} ({result}): set ldapdb_bind_dn and \
                     ldapdb_bind_pw."
                ),
            ),
            50 => Self::server(
                32,
                server,
                format!(
                    "{who} may not search \"{base}\" ({result}). glauth: give it \
                     [[users.capabilities]] action=\"search\" object=\"*\"; lldap: group \
                     lldap_strict_readonly; authentik: \"Search full LDAP directory\"."
                ),
            ),
            4 => Self::ambiguous(server, search),
            10 => Self::server(
                35,
                server,
                format!(
                    "server {server} referred to {}; referrals are not followed. Add that server \
                     to ldapdb_uri.",
                    Shown(outcome.referral.as_deref().unwrap_or("another server"))
                ),
            ),
            8 | 13 => Self::wants_encryption(server, outcome),
            _ => Self::answered(server, outcome, "search"),
        }
    }

    pub(crate) fn no_entry(login: &str, search: &Search) -> Self {
        let text = format!(
            "no entry for \"{}\": base \"{}\", {}, filter \"{}\".",
            Shown(login),
            Shown(&search.base),
            search.scope,
            Shown(&search.filter)
        );
        Self::new(30, Level::Fail, Code::NOUSER, "", text)
    }

    pub(crate) fn ambiguous(server: &str, search: &Search) -> Self {
        let text = format!(
            "2 or more entries match \"{}\" below \"{}\": refusing. Make ldapdb_filter unique.",
            Shown(&search.filter),
            Shown(&search.base)
        );
        Self::new(33, Level::Err, Code::FAIL, server, text)
    }

    pub(crate) fn mismatch(dn: &str, login: &str) -> Self {
        let text = format!(
            "the server returned \"{}\" for \"{}\", but that entry does not match: it treats part \
             of the name as a wildcard. Login refused.",
            Shown(dn),
            Shown(login)
        );
        Self::new(34, Level::Fail, Code::NOUSER, "", text)
    }

    pub(crate) fn no_canonical(dn: &str, attribute: &str, why: &str) -> Self {
        let text = format!(
            "entry \"{}\" {why} ldapdb_canon_attr \"{attribute}\".",
            Shown(dn)
        );
        Self::new(36, Level::Err, Code::FAIL, "", text)
    }

    pub(crate) fn odd_login(login: &[u8], why: &str) -> Self {
        let login = String::from_utf8_lossy(login);
        let text = format!("login \"{}\" is not looked up: {why}.", Shown(&login));
        Self::new(38, Level::Fail, Code::NOUSER, "", text)
    }

    pub(crate) fn no_value(login: &str, option: &str) -> Self {
        let text = format!(
            "login \"{}\" has no value for a variable of {option} (%d, %r: see \
             ldapdb_default_realm), so it is not found.",
            Shown(login)
        );
        Self::new(39, Level::Fail, Code::NOUSER, "", text)
    }
}

/// The user: found, verified, refused.
impl Fault {
    pub(crate) fn verified(login: &str, name: &str, time: Duration) -> Self {
        let text = format!(
            "\"{}\" verified by bind as \"{}\" in {:.1} ms.",
            Shown(login),
            Shown(name),
            time.as_secs_f64() * 1000.0
        );
        Self::new(40, Level::Debug, Code::OK, "", text)
    }

    pub(crate) fn no_secret(dn: &str, attribute: &str) -> Self {
        Self::new(
            41,
            Level::Err,
            Code::OK,
            "",
            format!(
                "entry \"{}\" found, but no readable {attribute}: DIGEST-MD5, CRAM-MD5 and SCRAM \
                 cannot work with this directory. Set \"mech_list: PLAIN LOGIN\" (over TLS).",
                Shown(dn)
            ),
        )
    }

    pub(crate) fn hashed(dn: &str, scheme: &str, then: &str) -> Self {
        let text = format!(
            "password of \"{}\" is stored under the scheme {{{}}}, which is not compared here; {then}.",
            Shown(dn),
            Shown(scheme)
        );
        Self::new(42, Level::Note, Code::BADAUTH, "", text)
    }

    pub(crate) fn stock() -> Self {
        Self::new(
            43,
            Level::Err,
            Code::OK,
            "",
            "running under stock libsasl2: a password (PLAIN, LOGIN, sasl_checkpass) cannot be \
             verified by bind here, only compared with a readable one. Use this project's libsasl2."
                .to_owned(),
        )
    }

    pub(crate) fn empty_password(login: &str) -> Self {
        let text = format!(
            "empty password for \"{}\" refused; nothing was sent.",
            Shown(login)
        );
        Self::new(50, Level::Fail, Code::BADAUTH, "", text)
    }

    pub(crate) fn odd_password(login: &str) -> Self {
        let text = format!(
            "password with a NUL for \"{}\" refused; nothing was sent.",
            Shown(login)
        );
        Self::new(50, Level::Fail, Code::BADAUTH, "", text)
    }

    pub(crate) fn no_bind_name(login: &str) -> Self {
        let text = format!(
            "no name to bind as for \"{}\" (the entry's DN or ldapdb_user_dn is empty); nothing \
             was sent.",
            Shown(login)
        );
        Self::new(51, Level::Fail, Code::NOUSER, "", text)
    }

    pub(crate) fn wrong_value(login: &str, dn: &str) -> Self {
        let text = format!(
            "password of \"{}\" (\"{}\") does not match.",
            Shown(login),
            Shown(dn)
        );
        Self::new(50, Level::Fail, Code::BADAUTH, "", text)
    }

    pub(crate) fn no_password(login: &str, dn: &str, attribute: &str) -> Self {
        let text = format!(
            "entry \"{}\" of \"{}\" shows no {attribute} to compare (ldapdb_verify: value).",
            Shown(dn),
            Shown(login)
        );
        Self::new(52, Level::Fail, Code::BADAUTH, "", text)
    }

    /// What a refused bind of the user means.
    pub(crate) fn user_bind(server: &str, login: &str, name: &str, outcome: &Outcome) -> Self {
        let message = outcome.message.to_ascii_lowercase();
        let fail = |number, code, note: &str| {
            let text = format!(
                "bind as \"{}\" for \"{}\": {}{note}",
                Shown(name),
                Shown(login),
                shown(outcome)
            );
            Self::new(number, Level::Fail, code, "", text)
        };
        match outcome.code {
            49 => {
                let (code, note) = active_directory(&message);
                fail(50, code, note)
            }
            32 | 34 | 64 => fail(51, Code::NOUSER, ""),
            80 if message.contains("nomatchingentries") => fail(51, Code::NOUSER, ""),
            48 => fail(52, Code::BADAUTH, " (the entry has no password)"),
            50 => fail(53, Code::NOAUTHZ, " (no access for this user)"),
            53 if ["inactiv", "disabled", "locked"]
                .iter()
                .any(|word| message.contains(word)) =>
            {
                fail(54, Code::DISABLED, " (account disabled)")
            }
            53 => {
                let text = format!(
                    "bind as \"{}\" for \"{}\": {}. glauth answers this while its \
                     LimitFailedBinds ban is on.",
                    Shown(name),
                    Shown(login),
                    shown(outcome)
                );
                Self::server(54, server, text)
            }
            19 => fail(55, Code::PWLOCK, " (too many failed logins)"),
            8 | 13 => Self::wants_encryption(server, outcome),
            _ => Self::answered(server, outcome, "the bind of a user"),
        }
    }
}

/// Active Directory tells in the diagnostic message why it refused.
fn active_directory(message: &str) -> (Code, &'static str) {
    let data = message.split_once("data ").map(|(_, rest)| {
        rest.split(|letter: char| !letter.is_ascii_hexdigit())
            .next()
            .unwrap_or("")
    });
    match data {
        Some("532") => (Code::EXPIRED, " (AD 532: password expired)"),
        Some("773") => (Code::EXPIRED, " (AD 773: must change password)"),
        Some("533") => (Code::DISABLED, " (AD 533: account disabled)"),
        Some("701") => (Code::DISABLED, " (AD 701: account expired)"),
        Some("530") => (Code::DISABLED, " (AD 530: not at this time)"),
        Some("531") => (Code::DISABLED, " (AD 531: not from this machine)"),
        Some("775") => (Code::PWLOCK, " (AD 775: account locked)"),
        _ => (Code::BADAUTH, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(code: u32, message: &str) -> Outcome {
        Outcome {
            code,
            message: message.to_owned(),
            referral: None,
        }
    }

    #[test]
    fn each_row_of_the_user_bind_table() {
        let ad = |data: &str| {
            format!(
                "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data {data}, v1db1"
            )
        };
        for (code, message, sasl, number, next) in [
            (49, String::new(), Code::BADAUTH, 50, false),
            (49, ad("52e"), Code::BADAUTH, 50, false),
            (49, ad("532"), Code::EXPIRED, 50, false),
            (49, ad("773"), Code::EXPIRED, 50, false),
            (49, ad("533"), Code::DISABLED, 50, false),
            (49, ad("701"), Code::DISABLED, 50, false),
            (49, ad("530"), Code::DISABLED, 50, false),
            (49, ad("531"), Code::DISABLED, 50, false),
            (49, ad("775"), Code::PWLOCK, 50, false),
            (32, String::new(), Code::NOUSER, 51, false),
            (34, String::new(), Code::NOUSER, 51, false),
            (64, String::new(), Code::NOUSER, 51, false),
            (80, "NoMatchingEntries".to_owned(), Code::NOUSER, 51, false),
            (80, String::new(), Code::UNAVAIL, 14, true),
            (48, String::new(), Code::BADAUTH, 52, false),
            (50, String::new(), Code::NOAUTHZ, 53, false),
            (
                53,
                "Account inactivated. Contact…".to_owned(),
                Code::DISABLED,
                54,
                false,
            ),
            (53, String::new(), Code::UNAVAIL, 54, false),
            (
                19,
                "Exceed password retry limit".to_owned(),
                Code::PWLOCK,
                55,
                false,
            ),
            (8, String::new(), Code::UNAVAIL, 22, false),
            (13, String::new(), Code::UNAVAIL, 22, false),
            (51, String::new(), Code::UNAVAIL, 14, true),
            (52, String::new(), Code::UNAVAIL, 14, true),
            (11, String::new(), Code::UNAVAIL, 14, true),
            (2, String::new(), Code::UNAVAIL, 14, false),
        ] {
            let fault = Fault::user_bind("ldap://s", "j", "cn=j", &outcome(code, &message));
            assert_eq!(
                (fault.code, fault.number, fault.next),
                (sasl, number, next),
                "{fault}"
            );
        }
    }

    #[test]
    fn each_row_of_the_service_bind_table() {
        for (code, number) in [
            (49, 20),
            (7, 21),
            (48, 21),
            (8, 22),
            (13, 22),
            (53, 25),
            (51, 14),
        ] {
            let fault = Fault::service_bind("ldap://s", "cn=s", &outcome(code, ""));
            assert_eq!(
                (fault.number, fault.code),
                (number, Code::UNAVAIL),
                "{fault}"
            );
        }
    }

    #[test]
    fn each_row_of_the_search_table() {
        let account = Search {
            account: "cn=s".to_owned(),
            ..Search::default()
        };
        let nobody = Search::default();
        for (search, code, number, sasl) in [
            (&account, 32, 31, Code::NOUSER),
            (&nobody, 32, 31, Code::NOUSER),
            (&account, 50, 32, Code::UNAVAIL),
            (&nobody, 50, 37, Code::UNAVAIL),
            (&nobody, 1, 37, Code::UNAVAIL),
            (&account, 4, 33, Code::FAIL),
            (&account, 10, 35, Code::UNAVAIL),
            (&account, 51, 14, Code::UNAVAIL),
            (&account, 3, 14, Code::UNAVAIL),
            (&account, 80, 14, Code::UNAVAIL),
        ] {
            let fault = Fault::search("ldap://s", search, &outcome(code, ""));
            assert_eq!((fault.number, fault.code), (number, sasl), "{fault}");
        }
    }

    #[test]
    fn diagnostics_cannot_forge_lines() {
        let fault = Fault::user_bind("s", "a\nb", "cn=j", &outcome(49, "x\r\ny"));
        assert!(!fault.to_string().contains(['\n', '\r']), "{fault}");
    }
}
