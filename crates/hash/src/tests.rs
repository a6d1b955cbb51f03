// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests: hashes that other programs made.

use super::*;

const PASSWORD: &str = "dogood ü";

/// Made by OpenLDAP's slappasswd.
const OPENLDAP: [&str; 11] = [
    "{SSHA}zkSQgK7hM7Jtq2NPSgtGDp2nkoh27P6N",
    "{SHA}AhKM0yIqTzLcL0sNdDfC28Tlp0E=",
    "{SMD5}ChicqFsxlx7hySbIgVsIS5MUGLk=",
    "{MD5}52vpVAmaeqd7hAMawhjefQ==",
    "{SSHA256}iP4xoysZ26qXFvIwjmirDo2ziRfW0PCk07N62LC0ixB5210kac5O2Q==",
    "{SHA256}MN+COJuqv3qDwIWk9rsZ4pbODBI9o2P6s5LCbX4Hwu4=",
    "{SSHA384}hyqKmT25AzknzA6oXSk3JnUo3RdsBO+rHWfVyQKAfVwX/1veIqWEEqVBJcvpQhkJATYsi+Mwi+s=",
    "{SHA384}dUWT5p9vjUlDi9XAH++HZoID/nP92jDX001jSwPfTv8o/ZYWgnpYaaU8+ujQy1GG",
    "{SSHA512}5ZSH7oiUWmJfacnc7LO+d+Dem63foV+0UuvSAXk4lYcF4Yblhf8T6NjgLA+vHcxQR93If+CZK2IwZmSNu4i0DbtpC2XCDhS4",
    "{SHA512}M28v22BPeu8yx6mnBw1N2iU2fiPy48wAO4aM+5PlDzieIkrBxwDvuIpRKoBz4uzy6226MZyZflt06uSrHALE/w==",
    "{ARGON2}$argon2i$v=19$m=4096,t=3,p=1$r99wriRTSjp1AaHhPXzhVg$DO7aq5mUeHdweHdOCnrIoYpINHmXSzJCka3rZd+uG6I",
];

/// Made by Python's hashlib, in the forms of OpenLDAP's contrib module and of
/// 389 Directory Server.
const PBKDF2: [&str; 6] = [
    "{PBKDF2}1000$AAECAwQFBgcICQoLDA0ODw$Gt3xluzfi.UieArlsGB.IOFhtfw",
    "{PBKDF2-SHA1}1000$AAECAwQFBgcICQoLDA0ODw$Gt3xluzfi.UieArlsGB.IOFhtfw",
    "{PBKDF2-SHA256}1000$AAECAwQFBgcICQoLDA0ODw$.OpR.Z.MVFDXUdUXuoV9vdB8qIPluBETjpHf4sftA0s",
    "{PBKDF2-SHA512}1000$AAECAwQFBgcICQoLDA0ODw$u1oxCFrWXYiyQ7ZRhwbGlYh0nxnMnvJU766lNFa/CWCL9kfaL83/FukmvIi3nNup2cYb4i4QugK.GBfLjIM0fA",
    "{PBKDF2-SHA512}1000$AAECAwQFBgcICQoLDA0ODw==$u1oxCFrWXYiyQ7ZRhwbGlYh0nxnMnvJU766lNFa/CWCL9kfaL83/FukmvIi3nNup2cYb4i4QugK+GBfLjIM0fA==",
    "{PBKDF2_SHA256}AAAD6AABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj98diM9ULNfApQDBndPCAClBSnXVx94oAivJgfzGDhZ5XlXpY7Gh7iTD3zNFf06kOfFL7+ArCLzwX0+6iP7dTWssZrifFRFPHrU6nWN4OCJYAFFyWMecaAoHPS1TiXx70MmXq2hcyb2rwsQqI3URAxqokQyGsJU0IiCKHUMTh6v3LVrfAumnrnyCPweVeAOaSvWb8AwG04ZAX3SkQYJDgXr9RR7To8PZJ9C2LooYiWJA2CcpLa7jJY1P/8sgJFeC4rQRSHuS25P2AhhmnvpaF3CXbrZu68RZHfKrCLFNLhV92nEDy+cXIXSE4RaCJp8l+PzPlEm6UJpaewBj0ZzH9V8",
];

fn check(stored: &str, password: &[u8]) -> Verdict {
    verify(
        &Secret::from(stored.as_bytes()),
        &Secret::from(password),
        None,
    )
}

#[test]
fn others_hashes_are_verified() {
    for stored in OPENLDAP.into_iter().chain(PBKDF2) {
        assert_eq!(
            check(stored, PASSWORD.as_bytes()),
            Verdict::Right,
            "{stored}"
        );
        for wrong in ["", "dogood", "dogood u", "dogood ü ", stored] {
            assert_eq!(
                check(stored, wrong.as_bytes()),
                Verdict::Wrong,
                "{stored} {wrong}"
            );
        }
    }
}

#[test]
fn the_name_of_a_scheme_has_no_case() {
    let lower = OPENLDAP[0].replacen("{SSHA}", "{ssha}", 1);
    assert_eq!(check(&lower, PASSWORD.as_bytes()), Verdict::Right);
}

#[test]
fn what_is_no_hash_is_unknown() {
    for stored in [
        "dogood ü",
        "{X}dogood ü",
        "{SSHA}",
        "{SSHA}short",
        "{SSHA}!!!!",
        "{SSHA",
        "{}",
        "{PBKDF2-SHA256}0$AAECAw$AAECAwQFBgcICQoLDA0ODw",
        "{PBKDF2-SHA256}4000000000$AAECAw$AAECAwQFBgcICQoLDA0ODw",
        "{PBKDF2-SHA256}1000$$AAECAwQFBgcICQoLDA0ODw",
        "{PBKDF2-SHA256}1000$AAECAw$",
        "{PBKDF2-SHA256}1000$AAECAw$AAEC",
        "{PBKDF2_SHA256}AAAD6AAA",
        "{ARGON2}$argon2i$v=19$m=4000000,t=3,p=1$AAECAwQFBgc$AAECAwQFBgcICQoLDA0ODw",
        "{ARGON2}$argon2i$v=19$m=4096,t=3000,p=1$AAECAwQFBgc$AAECAwQFBgcICQoLDA0ODw",
        "{ARGON2}$argon2i$v=7$m=4096,t=3,p=1$AAECAwQFBgc$AAECAwQFBgcICQoLDA0ODw",
        "{ARGON2}$argon2i$v=19$m=4096,t=3,p=1$AAECAwQFBgc",
        // Without the system there is no crypt.
        "{CRYPT}$1$salt$qJH7.N4xYta3aEG/dfqo/0",
    ] {
        assert_eq!(
            check(stored, PASSWORD.as_bytes()),
            Verdict::Unknown,
            "{stored}"
        );
    }
}

#[test]
fn crypt_is_asked_for_its_hash() {
    fn crypt(password: &Secret, stored: &str) -> Option<Secret> {
        match stored {
            "$1$right" => Some(Secret::from(stored.as_bytes())),
            "$1$fails" => Some(Secret::from(&b"*0"[..])),
            "$1$other" => Some(Secret::from(password.as_bytes())),
            _ => None,
        }
    }
    let check = |stored: &str| {
        let stored = Secret::from(format!("{{crypt}}{stored}").as_bytes());
        verify(&stored, &Secret::from(&b"x"[..]), Some(crypt))
    };
    assert_eq!(check("$1$right"), Verdict::Right);
    assert_eq!(check("$1$other"), Verdict::Wrong);
    for stored in ["$1$fails", "$9$", "", "*", "abJnggxhB/yWI"] {
        assert_eq!(check(stored), Verdict::Unknown, "{stored}");
    }
}

#[test]
fn every_scheme_has_a_name_of_its_own() {
    let mut names: Vec<&str> = schemes().collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    assert_eq!(split(b"{SSHA}x"), Some(("SSHA", &b"x"[..])));
    assert_eq!(split(b"{SSHA"), None);
}
