// SPDX-License-Identifier: MIT OR Apache-2.0
//! ldap.conf and ldaprc, as libldap finds them: what is set there stands in for
//! options that are not. `ldapdb_rc` names a file of one's own; nothing is put
//! into the environment.
#![forbid(unsafe_code)]

use std::io::Read;
use std::path::Path;

/// Where the system's file is.
const SYSTEM: &str = "/etc/ldap/ldap.conf";
/// Larger files are no configuration.
const LARGEST: u64 = 256 * 1024;

/// What the process knows besides its options.
pub(crate) struct Surroundings<'a> {
    /// A variable of the environment.
    pub(crate) variable: &'a dyn Fn(&str) -> Option<String>,
    /// The contents of a file.
    pub(crate) file: &'a dyn Fn(&str) -> Option<String>,
    /// Whether the process runs with more rights than its user.
    pub(crate) privileged: bool,
}

impl Surroundings<'static> {
    /// Those of this process.
    pub(crate) fn real() -> Self {
        let (user, effective) = (nix::unistd::getuid(), nix::unistd::geteuid());
        Self {
            variable: &|name| std::env::var(name).ok(),
            file: &|path| contents(Path::new(path)),
            privileged: user != effective,
        }
    }
}

fn contents(path: &Path) -> Option<String> {
    let file = std::fs::File::open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    file.take(LARGEST).read_to_string(&mut text).ok()?;
    Some(text)
}

/// A keyword, the option that it stands in for, and whether the system's file
/// may have it.
const KEYWORDS: [(&str, &str, bool); 13] = [
    ("BASE", "BASE", true),
    ("TLS_CACERT", "ldapdb_tls_cacert_file", true),
    ("TLS_CACERTDIR", "ldapdb_tls_cacert_dir", true),
    ("TLS_CERT", "ldapdb_tls_cert", false),
    ("TLS_KEY", "ldapdb_tls_key", false),
    ("TLS_REQCERT", "ldapdb_tls_check_peer", true),
    ("SASL_MECH", "ldapdb_mech", false),
    ("SASL_REALM", "ldapdb_realm", false),
    ("SASL_AUTHCID", "ldapdb_id", false),
    ("SASL_AUTHZID", "ldapdb_authz_id", false),
    ("SASL_SECPROPS", "ldapdb_secprops", true),
    ("NETWORK_TIMEOUT", "ldapdb_connect_timeout", true),
    ("TIMEOUT", "ldapdb_timeout", true),
];

/// Values by option, the later ones win.
#[derive(Default)]
pub(crate) struct Defaults(Vec<(&'static str, String)>);

impl Defaults {
    /// The value that stands in for `option`.
    pub(crate) fn get(&self, option: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(name, _)| *name == option);
        found.map(|(_, value)| value.as_str())
    }

    fn set(&mut self, keyword: &str, value: &str, own: bool) {
        let known = KEYWORDS
            .iter()
            .find(|(name, _, system)| name.eq_ignore_ascii_case(keyword) && (own || *system));
        let Some((name, option, _)) = known else {
            return;
        };
        let value = match *name {
            "TLS_REQCERT" => match value.to_ascii_lowercase().as_str() {
                "never" | "allow" => "no",
                _ => "yes",
            },
            // 0 and -1 are "for ever" there.
            "NETWORK_TIMEOUT" | "TIMEOUT" if !value.parse().is_ok_and(|n: u32| n > 0) => return,
            _ => value,
        };
        self.0.push((option, value.to_owned()));
    }

    fn read(&mut self, text: &str, own: bool) {
        for line in text.lines().map(str::trim) {
            if line.starts_with('#') {
                continue;
            }
            if let Some((keyword, value)) = line.split_once(char::is_whitespace) {
                self.set(keyword, value.trim_start(), own);
            }
        }
    }

    /// Reads what libldap would: the system's file, the user's, the two that
    /// the environment names, `rc`, the variables. `system`: the first two as
    /// well. The second value tells that `rc` was not found.
    pub(crate) fn find(rc: Option<&str>, system: bool, around: &Surroundings<'_>) -> (Self, bool) {
        let (variable, file) = (around.variable, around.file);
        let mut found = Self::default();
        if variable("LDAPNOINIT").is_some() {
            return (found, false);
        }
        let home = variable("HOME");
        let user = |name: &str| {
            let home = home.as_deref().filter(|_| !name.starts_with('/'));
            let mut places = Vec::new();
            if let Some(home) = home {
                places.extend([format!("{home}/{name}"), format!("{home}/.{name}")]);
            }
            places.push(name.to_owned());
            places
                .iter()
                .filter_map(|place| file(place))
                .collect::<Vec<_>>()
        };
        if system {
            file(SYSTEM).iter().for_each(|text| found.read(text, false));
        }
        if system && !around.privileged {
            user("ldaprc")
                .iter()
                .for_each(|text| found.read(text, true));
            let named = variable("LDAPCONF").and_then(|path| file(&path));
            named.iter().for_each(|text| found.read(text, false));
            let named = variable("LDAPRC")
                .map(|name| user(&name))
                .unwrap_or_default();
            named.iter().for_each(|text| found.read(text, true));
        }
        let mut missing = false;
        if let Some(rc) = rc {
            let texts = user(rc);
            missing = texts.is_empty();
            texts.iter().for_each(|text| found.read(text, true));
        }
        if system && !around.privileged {
            for (keyword, _, _) in KEYWORDS {
                if let Some(value) = variable(&format!("LDAP{keyword}")) {
                    found.set(keyword, value.trim(), true);
                }
            }
        }
        (found, missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pairs = &'static [(&'static str, &'static str)];

    fn found(rc: Option<&str>, system: bool, variables: Pairs, files: Pairs) -> (Defaults, bool) {
        let get = |list: Pairs, name: &str| {
            let found = list.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let around = Surroundings {
            variable: &|name| get(variables, name),
            file: &|path| get(files, path),
            privileged: false,
        };
        Defaults::find(rc, system, &around)
    }

    #[test]
    fn lines_as_libldap_reads_them() {
        let mut defaults = Defaults::default();
        let text = "# TLS_CACERT /wrong\n\n  tls_cacert\t /ca.pem  \nTLS_REQCERT allow\n\
                    SASL_SECPROPS noplain,minssf=56\nTIMEOUT 0\nNETWORK_TIMEOUT 2\nBASE\nURI ldap://x\n\
                    SASL_MECH DIGEST-MD5\n";
        defaults.read(text, false);
        assert_eq!(defaults.get("ldapdb_tls_cacert_file"), Some("/ca.pem"));
        assert_eq!(defaults.get("ldapdb_tls_check_peer"), Some("no"));
        assert_eq!(defaults.get("ldapdb_secprops"), Some("noplain,minssf=56"));
        assert_eq!(defaults.get("ldapdb_connect_timeout"), Some("2"));
        for option in ["ldapdb_timeout", "BASE", "ldapdb_uri", "ldapdb_mech"] {
            assert_eq!(defaults.get(option), None, "{option}");
        }
        // What only a user's own file may say.
        defaults.read(text, true);
        assert_eq!(defaults.get("ldapdb_mech"), Some("DIGEST-MD5"));
    }

    #[test]
    fn the_nearest_place_wins() {
        const FILES: Pairs = &[
            ("/etc/ldap/ldap.conf", "BASE dc=system\nTLS_CACERT /system"),
            ("/home/me/.ldaprc", "BASE dc=user\nTLS_CERT /user.pem"),
            ("/conf", "BASE dc=conf\nTLS_KEY /ignored"),
            ("/home/me/my.rc", "BASE dc=rc"),
            ("/abs.rc", "BASE dc=abs"),
        ];
        const HOME: (&str, &str) = ("HOME", "/home/me");
        let base = |rc, system, variables| {
            let (defaults, missing) = found(rc, system, variables, FILES);
            (defaults.get("BASE").map(str::to_owned), missing)
        };
        let some = |text: &str| (Some(text.to_owned()), false);
        assert_eq!(base(None, true, &[]), some("dc=system"));
        assert_eq!(base(None, true, &[HOME]), some("dc=user"));
        assert_eq!(
            base(None, true, &[HOME, ("LDAPCONF", "/conf")]),
            some("dc=conf")
        );
        assert_eq!(base(Some("my.rc"), true, &[HOME]), some("dc=rc"));
        assert_eq!(base(Some("my.rc"), false, &[HOME]), some("dc=rc"));
        assert_eq!(base(Some("/abs.rc"), true, &[HOME]), some("dc=abs"));
        assert_eq!(
            base(Some("my.rc"), true, &[HOME, ("LDAPBASE", "dc=env")]),
            some("dc=env")
        );
        assert_eq!(base(None, false, &[HOME]), (None, false));
        assert_eq!(base(Some("none"), false, &[HOME]), (None, true));
        assert_eq!(base(None, true, &[("LDAPNOINIT", "1")]), (None, false));
        let (defaults, _) = found(None, true, &[HOME, ("LDAPCONF", "/conf")], FILES);
        assert_eq!(defaults.get("ldapdb_tls_cert"), Some("/user.pem"));
        assert_eq!(defaults.get("ldapdb_tls_key"), None);
    }

    #[test]
    fn odd_files_are_no_configuration() {
        assert!(contents(Path::new("/dev/null")).is_none());
        assert!(contents(Path::new("/etc")).is_none());
        assert!(contents(Path::new("/nowhere")).is_none());
    }
}
