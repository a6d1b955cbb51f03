// SPDX-License-Identifier: MIT OR Apache-2.0
//! The options of every tool, in one place: parsing, help, manual pages and
//! shell completions come from here. Options and exit codes are Cyrus's.
#![forbid(unsafe_code)]

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use clap_complete::Shell;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

/// A program.
#[derive(Debug)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    command: fn() -> Command,
}

/// All programs.
pub static TOOLS: &[&Tool] = &[
    &SASLCHECK,
    &SASLPASSWD2,
    &SASLDBLISTUSERS2,
    &PLUGINVIEWER,
    &TESTSASLAUTHD,
];

pub(crate) static SASLCHECK: Tool = Tool {
    name: "saslcheck",
    command: saslcheck,
};
pub(crate) static SASLPASSWD2: Tool = Tool {
    name: "saslpasswd2",
    command: saslpasswd2,
};
pub(crate) static SASLDBLISTUSERS2: Tool = Tool {
    name: "sasldblistusers2",
    command: sasldblistusers2,
};
pub(crate) static PLUGINVIEWER: Tool = Tool {
    name: "pluginviewer",
    command: pluginviewer,
};
pub(crate) static TESTSASLAUTHD: Tool = Tool {
    name: "testsaslauthd",
    command: testsaslauthd,
};

fn flag(name: &'static str, short: char, help: &'static str) -> Arg {
    Arg::new(name)
        .short(short)
        .action(ArgAction::SetTrue)
        .help(help)
}

fn value(name: &'static str, short: char, shown: &'static str, help: &'static str) -> Arg {
    Arg::new(name).short(short).value_name(shown).help(help)
}

/// Without clap's own version flag and with both spellings of help.
fn base(name: &'static str, about: &'static str) -> Command {
    Command::new(name)
        .about(about)
        .disable_help_flag(true)
        .arg(
            Arg::new("help")
                .long("help")
                .action(ArgAction::Help)
                .help("Show this text"),
        )
        .arg(
            Arg::new("usage")
                .short('h')
                .hide(true)
                .action(ArgAction::SetTrue),
        )
}

fn saslcheck() -> Command {
    base("saslcheck", "Find out why nobody can log in")
        .arg(value("file", 'c', "FILE", "The options: smtpd.conf, imapd.conf, … [default: the one of the service]"))
        .arg(value("prefix", 'p', "PREFIX", "What stands before each option [default: sasl_ in imapd.conf, else nothing]").num_args(1))
        .arg(value("service", 's', "SERVICE", "The service [default: by the file's name]"))
        .arg(value("user", 'u', "USER", "Follow the login of this user"))
        .arg(flag("password", 'W', "Ask for the user's password, or read it from standard input, and verify it").requires("user"))
        .arg(value("realm", 'r', "REALM", "The realm that the application gives to the library [default: none]"))
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Write the result as JSON"))
        .arg(
            Arg::new("example").long("example").value_name("NAME")
                .help("Print a configuration: openldap, openldap2, freeipa, ad, lldap, kanidm, authentik, google, jumpcloud, glauth"),
        )
        .after_help(
            "Run it as the user of the server (sudo -u cyrus saslcheck …): others may read other files.\n\
             Exit code: 0 all is well; else where the way ends first: 1 wrong argument, 2 file, 3 options, \
             4 library or plugin, 5 mechanisms, 6 address, 7 connection, 8 TLS, 9 bind of the service account, \
             10 search, 11 canonical name, 12 password, 13 another store, 14 login through the library.",
        )
}

fn saslpasswd2() -> Command {
    base("saslpasswd2", "Set, change or remove a user's SASL password")
        .arg(flag("create", 'c', "Create the account"))
        .arg(flag("disable", 'd', "Remove the account's password"))
        .arg(flag("pipe", 'p', "Read the password from standard input, without a prompt"))
        .arg(flag("noplain", 'n', "Do not store the password itself, only what mechanisms keep"))
        .arg(value("application", 'a', "NAME", "Use the options of NAME.conf [default: saslpasswd]"))
        .arg(value("file", 'f', "FILE", "The password file [default: /etc/sasldb2]"))
        .arg(value("realm", 'u', "REALM", "The user's realm [default: this machine's name]"))
        .arg(flag("version", 'v', "Show the library's version"))
        .arg(
            Arg::new("scram").long("scram").value_name("MECHANISM").num_args(0..=1)
                .require_equals(true).default_missing_value("SCRAM-SHA-256")
                .help("Store SCRAM keys in place of the password: other mechanisms cannot use them"),
        )
        .arg(
            Arg::new("convert").long("convert").value_name("NEW")
                .help("Copy the password file to NEW, an LMDB file that must not exist"),
        )
        .arg(Arg::new("userid").value_name("USER").help("The user, with or without @REALM"))
        .after_help(
            "The password is asked for twice on a terminal; without one, or with -p, it is what one \
             read of standard input gives, at most 2048 bytes, less one newline.\n\
             Exit code: 0; 1 for a wrong option; else the SASL error's number (7: passwords differ or \
             are empty).",
        )
}

fn sasldblistusers2() -> Command {
    base("sasldblistusers2", "List the users in a SASL password file")
        .arg(value("file", 'f', "FILE", "The password file [default: /etc/sasldb2]"))
        .arg(flag("version", 'v', "Show the library's version"))
        .arg(Arg::new("sasldb").value_name("FILE").conflicts_with("file").help("The same as -f FILE"))
        .after_help("Prints USER@REALM: PROPERTY, one a line. A file that cannot be read is told on standard error.")
}

fn pluginviewer() -> Command {
    base("pluginviewer", "Show SASL plugins and mechanisms")
        .arg(flag("auxprop", 'a', "Show auxprop plugins"))
        .arg(flag("server", 's', "Show server mechanisms"))
        .arg(flag("client", 'c', "Show client mechanisms"))
        .arg(value(
            "bits",
            'b',
            "min=N,max=N",
            "Strength of the security layer, in bits",
        ))
        .arg(value(
            "external",
            'e',
            "ssf=N,id=ID",
            "What a layer below protects and authenticates",
        ))
        .arg(value("mechanisms", 'm', "MECHS", "Only these mechanisms"))
        .arg(value(
            "stores",
            'x',
            "PLUGINS",
            "Only these auxprop plugins",
        ))
        .arg(value(
            "flags",
            'f',
            "FLAGS",
            "noplain,noactive,nodict,forwardsec,noanonymous,passcred,maximum",
        ))
        .arg(value(
            "addresses",
            'i',
            "local=IP,remote=IP",
            "Accepted for compatibility",
        ))
        .arg(value(
            "path",
            'p',
            "PATH",
            "Folders of plugins, separated by colons",
        ))
        .after_help("Without -a, -s and -c everything is shown.")
}

fn testsaslauthd() -> Command {
    base("testsaslauthd", "Ask saslauthd whether a password is right")
        .arg(value("user", 'u', "USER", "The user").required(true))
        .arg(value("password", 'p', "PASSWORD", "The password; every user of the machine can see it here"))
        .arg(value("realm", 'r', "REALM", "The realm [default: none]"))
        .arg(value("service", 's', "SERVICE", "The service [default: imap]"))
        .arg(value("socket", 'f', "SOCKET", "saslauthd's socket [default: /var/run/saslauthd/mux]"))
        .arg(value("repeat", 'R', "N", "Ask N times").value_parser(value_parser!(u32)))
        .after_help("Without -p the password is asked for, or read from standard input. Exit code: 0 yes, 255 no or no answer, 1 for a wrong option.")
}

/// Shows the usage and gives the exit code for a wrong option.
pub(crate) fn refuse(tool: &Tool, why: &str) -> ExitCode {
    let usage = (tool.command)().render_usage();
    let _ = writeln!(
        io::stderr(),
        "{}: {why}\n{usage}\n{}: --help tells more",
        tool.name,
        tool.name
    );
    ExitCode::from(1)
}

/// Parses; the error is the exit code of what was said already.
pub(crate) fn parse(
    tool: &Tool,
    arguments: impl Iterator<Item = OsString>,
) -> Result<ArgMatches, ExitCode> {
    let arguments: Vec<OsString> = arguments.collect();
    // -h is what a wrong option is: help on standard error, exit code 1.
    if arguments.iter().skip(1).any(|word| word == "-h") {
        let _ = write!(io::stderr(), "{}", (tool.command)().render_help());
        return Err(ExitCode::from(1));
    }
    (tool.command)()
        .try_get_matches_from(arguments)
        .map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp => {
                let _ = write!(io::stdout(), "{}", error.render());
                ExitCode::SUCCESS
            }
            _ => {
                let _ = write!(io::stderr(), "{}", error.render());
                ExitCode::from(1)
            }
        })
}

/// The manual page.
///
/// # Errors
/// Those of writing to memory: none.
pub fn manual(tool: &Tool) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new((tool.command)())
        .section("8")
        .date("2026-11-22")
        .source("Oxisasl")
        .render(&mut page)?;
    Ok(page)
}

/// Completions: file names and their content.
///
/// # Errors
/// When a shell's generator makes no name.
pub fn completions(tool: &Tool) -> io::Result<Vec<(String, Vec<u8>)>> {
    let shells = [
        (Shell::Bash, "bash"),
        (Shell::Zsh, "zsh"),
        (Shell::Fish, "fish"),
    ];
    let file = |(shell, suffix): (Shell, &str)| {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut (tool.command)(), tool.name, &mut text);
        (format!("{}.{suffix}", tool.name), text)
    };
    Ok(shells.into_iter().map(file).collect())
}

/// An error's text as `perror` shows it.
pub(crate) fn system_text(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((text, _)) => text.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_sound() {
        for tool in TOOLS {
            (tool.command)().debug_assert();
            assert!(
                String::from_utf8(manual(tool).unwrap())
                    .unwrap()
                    .contains(".SH OPTIONS")
            );
            assert_eq!(completions(tool).unwrap().len(), 3);
        }
    }

    #[test]
    fn short_options_join() {
        let words = ["saslpasswd2", "-pcu", "lab.test", "-f/tmp/x", "al"].map(OsString::from);
        let matches = parse(&SASLPASSWD2, words.into_iter()).unwrap();
        assert!(matches.get_flag("pipe") && matches.get_flag("create"));
        assert_eq!(matches.get_one::<String>("realm").unwrap(), "lab.test");
        assert_eq!(matches.get_one::<String>("file").unwrap(), "/tmp/x");
        assert_eq!(matches.get_one::<String>("userid").unwrap(), "al");
    }

    /// The pages in `docs/man` are what `--example manuals` writes.
    #[test]
    fn the_manual_pages_are_up_to_date() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/man");
        for tool in TOOLS {
            let kept = std::fs::read(folder.join(format!("{}.8", tool.name))).unwrap();
            assert_eq!(kept, manual(tool).unwrap(), "{}", tool.name);
            for (file, text) in completions(tool).unwrap() {
                assert_eq!(std::fs::read(folder.join(&file)).unwrap(), text, "{file}");
            }
        }
    }
}
