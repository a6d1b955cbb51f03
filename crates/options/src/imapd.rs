// SPDX-License-Identifier: MIT OR Apache-2.0
//! `imapd.conf`: where Cyrus IMAP has the options of its SASL library, each
//! behind `sasl_`. A line may go on after a backslash, values may stand in
//! quotes, `@include:` names another file.
#![forbid(unsafe_code)]

use crate::file::{Reading, Setting, read_by, wrong};
use saslplug::{Code, Error, Result};
use std::path::Path;
use zeroize::Zeroizing;

/// Files within files.
const DEEPEST: usize = 8;

/// All options of a file in its order, Cyrus's own too.
///
/// # Errors
/// `CONFIGERR` with `FILE line N: fault, remedy`.
pub fn settings(file: &Path, text: &[u8]) -> Result<Vec<Setting>> {
    let mut all = Vec::new();
    collect(file, text, 0, &mut all)?;
    Ok(all)
}

fn collect(file: &Path, text: &[u8], depth: usize, all: &mut Vec<Setting>) -> Result<()> {
    let text = Zeroizing::new(String::from_utf8_lossy(text).into_owned());
    let mut begun: Option<(usize, Zeroizing<String>)> = None;
    for (index, line) in text.lines().enumerate() {
        let (first, mut whole) = begun.take().unwrap_or((index, Zeroizing::default()));
        if let Some(part) = line.strip_suffix('\\') {
            whole.push_str(part);
            begun = Some((first, whole));
            continue;
        }
        whole.push_str(line);
        one(file, first, &whole, depth, all)?;
    }
    match begun {
        Some((first, whole)) => one(file, first, &whole, depth, all),
        None => Ok(()),
    }
}

fn one(file: &Path, index: usize, line: &str, depth: usize, all: &mut Vec<Setting>) -> Result<()> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(());
    }
    let Some((key, value)) = line.split_once(':') else {
        return Err(wrong(file, index, "no colon, write \"option: value\""));
    };
    let (key, value) = (key.trim_end(), value.trim());
    if key == "@include" {
        return include(Path::new(value), depth, all);
    }
    if key.is_empty() || key.contains(char::is_whitespace) {
        let why = "a blank inside the option's name, write \"option: value\"";
        return Err(wrong(file, index, why));
    }
    let quoted = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    all.push(Setting {
        key: key.to_ascii_lowercase(),
        value: Zeroizing::new(quoted.unwrap_or(value).to_owned()),
        line: index + 1,
    });
    Ok(())
}

fn include(file: &Path, depth: usize, all: &mut Vec<Setting>) -> Result<()> {
    let failed = |why: &str| {
        let text = format!("@include {}: {why}", file.display());
        Err(Error::with(Code::CONFIGERR, text))
    };
    if depth >= DEEPEST {
        return failed("files include each other without end, remove one");
    }
    let collected = |file: &Path, text: &[u8]| collect(file, text, depth + 1, all);
    match read_by(file, collected)? {
        Reading::Read(()) => Ok(()),
        Reading::Missing => failed("there is no such file"),
        Reading::Unreadable(why) => Err(Error::with(Code::CONFIGERR, why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<(String, String, usize)> {
        let all = settings(Path::new("/etc/imapd.conf"), text.as_bytes()).unwrap();
        all.into_iter()
            .map(|set| (set.key, set.value.to_string(), set.line))
            .collect()
    }

    #[test]
    fn lines_go_on_and_values_are_quoted() {
        let text =
            "# all\n\nsasl_mech_list: PLAIN \\\nLOGIN\nSASL_ldapdb_filter : \"(mail=%u)\"\nx: a:b";
        assert_eq!(
            parsed(text),
            [
                ("sasl_mech_list".into(), "PLAIN LOGIN".into(), 3),
                ("sasl_ldapdb_filter".into(), "(mail=%u)".into(), 5),
                ("x".into(), "a:b".into(), 6),
            ]
        );
    }

    #[test]
    fn a_line_without_a_colon_is_named() {
        let error = settings(
            Path::new("/etc/imapd.conf"),
            b"a: b\nsasl_mech_list PLAIN\n",
        )
        .err()
        .unwrap();
        assert!(error.reason().contains("imapd.conf line 2: no colon"));
    }

    #[test]
    fn files_include_files() {
        let folder = std::env::temp_dir().join(format!("imapd-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (inner, circle) = (folder.join("inner"), folder.join("circle"));
        std::fs::write(&inner, "sasl_log_level: 5\n").unwrap();
        std::fs::write(&circle, format!("@include: {}\n", circle.display())).unwrap();
        let text = format!("@include: {}\n", inner.display());
        assert_eq!(parsed(&text)[0].0, "sasl_log_level");
        let read = |text: &str| settings(Path::new("x"), text.as_bytes()).err().unwrap();
        let endless = read(&format!("@include: {}\n", circle.display()));
        assert!(
            endless.reason().contains("without end"),
            "{}",
            endless.reason()
        );
        let missing = read("@include: /no/such/file\n");
        assert!(
            missing.reason().contains("no such file"),
            "{}",
            missing.reason()
        );
        std::fs::remove_dir_all(folder).unwrap();
    }
}
