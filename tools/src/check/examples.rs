// SPDX-License-Identifier: MIT OR Apache-2.0
//! Configurations that work as they are, but for names: one file each in the
//! folder of this name.
#![forbid(unsafe_code)]

use crate::library::{complain, tell};
use std::process::ExitCode;

/// Names and files. A test fails if a file has no line.
const ALL: [(&str, &str); 10] = [
    ("openldap", include_str!("examples/openldap.conf")),
    ("openldap2", include_str!("examples/openldap2.conf")),
    ("freeipa", include_str!("examples/freeipa.conf")),
    ("ad", include_str!("examples/ad.conf")),
    ("lldap", include_str!("examples/lldap.conf")),
    ("kanidm", include_str!("examples/kanidm.conf")),
    ("authentik", include_str!("examples/authentik.conf")),
    ("google", include_str!("examples/google.conf")),
    ("jumpcloud", include_str!("examples/jumpcloud.conf")),
    ("glauth", include_str!("examples/glauth.conf")),
];

/// Prints one, each option behind `prefix`.
pub(super) fn show(name: &str, prefix: &str) -> ExitCode {
    let Some((_, text)) = ALL.iter().find(|(known, _)| *known == name) else {
        let names: Vec<&str> = ALL.iter().map(|(name, _)| *name).collect();
        let text = format!("there is no example {name}; there are {}", names.join(", "));
        complain("saslcheck", &text);
        return ExitCode::from(1);
    };
    for line in text.lines() {
        match line.starts_with('#') {
            true => tell(line),
            false => tell(&format!("{prefix}{line}")),
        }
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;
    use directory::Config;
    use options::file::settings;
    use options::lint::Options;
    use std::path::Path;

    #[test]
    fn each_file_has_a_line() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/check/examples");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        let mut names: Vec<String> = ALL.iter().map(|(name, _)| format!("{name}.conf")).collect();
        files.sort();
        names.sort();
        assert_eq!(files, names);
    }

    /// It parses, nothing is odd about it, and ldapdb takes it.
    #[test]
    fn each_is_clean() {
        for (name, text) in ALL {
            let all = settings(Path::new(name), text.as_bytes()).unwrap();
            let options = Options::new(all, "", "imap");
            assert_eq!(options.lint(), [], "{name}");
            let get = |option: &str| options.get("ldapdb", option).map(str::to_owned);
            let config = Config::read(&get).unwrap_or_else(|fault| panic!("{name}: {fault}"));
            assert!(
                config.warnings().is_empty(),
                "{name}: {:?}",
                config.warnings()
            );
            assert_eq!(options.get("", "auxprop_plugin"), Some("ldapdb"), "{name}");
        }
    }
}
