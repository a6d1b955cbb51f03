// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which file has the options, and how it is written.
#![forbid(unsafe_code)]

use crate::ffi::{Answer, Answers};
use options::file::{Reading, Setting, read_by, settings};
use options::imapd;
use options::lint::Options;
use options::table::{self, Values};
use std::ffi::CString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Where libsasl2 looks, and where Postfix lets it look.
const FOLDERS: [&str; 5] = [
    "/etc/sasl2",
    "/etc/sasl",
    "/etc/postfix/sasl",
    "/usr/lib/x86_64-linux-gnu/sasl2",
    "/usr/lib/sasl2",
];
const IMAPD: &str = "/etc/imapd.conf";
/// Services of Cyrus IMAP, which reads its own file.
const OF_IMAPD: [&str; 8] = [
    "imap", "imaps", "pop3", "pop3s", "nntp", "sieve", "lmtp", "http",
];

/// The options and where they come from.
pub(super) struct Source {
    pub(super) file: PathBuf,
    pub(super) options: Options,
    pub(super) service: String,
}

impl Source {
    /// How names are written there.
    pub(super) fn syntax(&self) -> String {
        match self.options.prefix() {
            "" => format!("service {}, options as they are", self.service),
            prefix => format!("service {}, options behind {prefix}", self.service),
        }
    }

    /// What is set, for whoever asks without a name of its own.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.options.get("", name)
    }

    /// Words of a list.
    pub(super) fn words(&self, name: &str) -> Vec<&str> {
        let text = self.get(name).unwrap_or_default();
        let words = text.split([' ', '\t', ',']);
        words.filter(|word| !word.is_empty()).collect()
    }

    /// Whether a property store will be asked.
    pub(super) fn asks(&self, store: &str) -> bool {
        let names = |option: &str| {
            let words = self.words(option);
            words.iter().any(|word| word.eq_ignore_ascii_case(store))
        };
        let named = ["auxprop_plugin", "canon_user_plugin", "pwcheck_method"];
        let configured = || {
            let first = |(name, _): (&str, &Setting)| {
                table::find(name).is_some_and(|known| known.asker == store)
            };
            self.get("auxprop_plugin").is_none() && self.options.set().any(first)
        };
        named.into_iter().any(names) || configured()
    }

    /// The methods that verify a password.
    pub(super) fn methods(&self) -> Vec<&str> {
        match self.get("pwcheck_method") {
            None => vec!["auxprop"],
            Some(_) => self.words("pwcheck_method"),
        }
    }

    /// The options as the library will ask for them.
    pub(super) fn answers(&self) -> Answers {
        let mut answers = Answers::default();
        let text = |text: &str| CString::new(text).unwrap_or_default();
        let mut names: Vec<&str> = self.options.set().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let asker = table::find(name).map_or("", |known| known.asker);
            let common = self.options.get("", name);
            let own = self.options.get(asker, name);
            let own = own.filter(|_| common != own);
            let answer = |value: &str| Answer::new(&text(name), text(value));
            answers.options.extend(common.map(answer));
            let own = own.map(|value| answer(value).only_for(text(asker)));
            answers.options.extend(own);
        }
        answers
    }

    /// Who may read the file, and who reads it now.
    pub(super) fn access(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let secret = |(name, _): (&str, &Setting)| {
            table::find(name).is_some_and(|known| known.values == Values::Secret)
        };
        let mode = fs::metadata(&self.file).map_or(0, |about| about.permissions().mode());
        if mode & 0o004 != 0 && self.options.set().any(secret) {
            lines.push(format!(
                "a password is in it, and everybody may read it (mode {:03o}): chmod o-r {}",
                mode & 0o777,
                self.file.display()
            ));
        }
        if super::stores::user().1 == 0 {
            lines.push(
                "run by root, who may read everything: run it as the server's user too (sudo -u)"
                    .to_owned(),
            );
        }
        lines
    }
}

/// Finds and reads the file.
///
/// # Errors
/// Why there is none, in words.
pub(super) fn find(
    file: Option<&str>,
    prefix: Option<&str>,
    service: Option<&str>,
) -> Result<Source, String> {
    let file = match file {
        Some(file) => PathBuf::from(file),
        None => search(service)?,
    };
    let named_imapd = file.file_name().is_some_and(|name| name == "imapd.conf");
    let cyrus = match prefix {
        Some(prefix) => !prefix.is_empty(),
        None => named_imapd || looks_like_imapd(&file),
    };
    let parse: fn(&Path, &[u8]) -> saslplug::Result<Vec<Setting>> = match cyrus {
        true => imapd::settings,
        false => settings,
    };
    let all = match read_by(&file, parse) {
        Ok(Reading::Read(all)) => all,
        Ok(Reading::Missing) => return Err(format!("{}: there is no such file", file.display())),
        Ok(Reading::Unreadable(why)) => return Err(why),
        Err(error) => return Err(error.reason().to_owned()),
    };
    let prefix = prefix.unwrap_or(if cyrus { "sasl_" } else { "" });
    let service = service.map_or_else(|| service_of(&file), str::to_owned);
    Ok(Source {
        options: Options::new(all, prefix, &service),
        file,
        service,
    })
}

/// Whether options stand there behind `sasl_`.
fn looks_like_imapd(file: &Path) -> bool {
    let Ok(text) = fs::read(file) else {
        return false;
    };
    let text = zeroize::Zeroizing::new(String::from_utf8_lossy(&text).into_owned());
    text.lines().any(|line| {
        let name = line.trim_start().strip_prefix("sasl_");
        let name = name.and_then(|rest| rest.split(':').next());
        name.is_some_and(|name| table::find(name.trim_end()).is_some())
    })
}

/// Programs whose service has another name than their file.
const SERVICES: [(&str, &str); 3] = [("smtpd", "smtp"), ("imapd", "imap"), ("slapd", "ldap")];

/// `/etc/sasl2/smtpd.conf` is for the service `smtp`.
fn service_of(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let known = SERVICES.iter().find(|(program, _)| *program == stem);
    known.map_or(&*stem, |(_, service)| service).to_owned()
}

/// The file of a service, else the only one that there is.
fn search(service: Option<&str>) -> Result<PathBuf, String> {
    let folders = folders();
    if let Some(service) = service {
        let imapd = PathBuf::from(IMAPD);
        if OF_IMAPD.contains(&service) && imapd.exists() {
            return Ok(imapd);
        }
        let names = [format!("{service}.conf"), format!("{service}d.conf")];
        let files = folders
            .iter()
            .flat_map(|folder| names.iter().map(move |name| folder.join(name)));
        return files.into_iter().find(|file| file.exists()).ok_or_else(|| {
            format!(
                "no {} or {} in {}: name the file with -c",
                names[0],
                names[1],
                shown(&folders)
            )
        });
    }
    let mut found: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| conf_files(folder))
        .collect();
    found.extend(Some(PathBuf::from(IMAPD)).filter(|file| file.exists()));
    match found.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(format!(
            "no configuration in {} or {IMAPD}: name the file with -c",
            shown(&folders)
        )),
        many => Err(format!(
            "several configurations, name one with -c: {}",
            shown(many)
        )),
    }
}

fn folders() -> Vec<PathBuf> {
    match std::env::var("SASL_CONF_PATH") {
        Ok(path) => path.split(':').map(PathBuf::from).collect(),
        Err(_) => FOLDERS.map(PathBuf::from).to_vec(),
    }
}

fn conf_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|name| name == "conf"));
    files.sort();
    files
}

fn shown(paths: &[PathBuf]) -> String {
    let texts: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_named_by_files() {
        for (file, service) in [
            ("/etc/sasl2/smtpd.conf", "smtp"),
            ("/etc/imapd.conf", "imap"),
            ("/etc/sasl2/memcached.conf", "memcached"),
            ("svn.conf", "svn"),
        ] {
            assert_eq!(service_of(Path::new(file)), service);
        }
    }
}
