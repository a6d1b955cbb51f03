// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests: one line for each row of the result tables.
#![forbid(unsafe_code)]

use super::{Fault, Search};
use crate::protocol::Outcome;
use saslplug::Code;

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
        (&account, 11, 14, Code::UNAVAIL),
        (&account, 52, 14, Code::UNAVAIL),
    ] {
        let fault = Fault::search("ldap://s", search, &outcome(code, ""), &[]);
        assert_eq!((fault.number, fault.code), (number, sasl), "{fault}");
        assert_eq!(fault.next, number == 14, "{fault}");
    }
}

#[test]
fn diagnostics_cannot_forge_lines() {
    let fault = Fault::user_bind("s", "a\nb", "cn=j", &outcome(49, "x\r\ny"));
    assert!(!fault.to_string().contains(['\n', '\r']), "{fault}");
}
