// SPDX-License-Identifier: MIT OR Apache-2.0
//! `pluginviewer`: shows the plugins and mechanisms that the library finds.
//! Scripts read its headings.
#![forbid(unsafe_code)]

use crate::ffi::{self, About, Answer, Answers, Conn, Library};
use crate::library::{complain, reasons, tell};
use crate::usage;
use clap::ArgMatches;
use saslplug::{Code, Level};
use std::ffi::{CString, OsString};
use std::process::ExitCode;

const NAME: &str = "pluginviewer";

/// What a connection must be like.
#[derive(Default)]
struct Criteria {
    min: u32,
    max: Option<u32>,
    flags: u32,
    external: Option<(u32, CString)>,
}

/// Names of `-f` and their bits.
const FLAGS: [(&str, u32); 7] = [
    ("noplain", 1),
    ("noactive", 2),
    ("nodict", 4),
    ("forwardsec", 8),
    ("noanonymous", 0x10),
    ("passcred", 0x20),
    ("maximum", 0xffff),
];

impl Criteria {
    fn of(matches: &ArgMatches) -> Result<Self, String> {
        let mut criteria = Self::default();
        let words = |name: &str| {
            let text = matches.get_one::<String>(name).cloned().unwrap_or_default();
            text.split(',')
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let number = |text: &str| {
            text.parse::<u32>()
                .map_err(|_| format!("{text} is no number"))
        };
        for word in words("bits") {
            match word.split_once('=') {
                Some(("min", value)) => criteria.min = number(value)?,
                Some(("max", value)) => criteria.max = Some(number(value)?),
                _ => return Err(format!("-b knows min= and max=, not {word}")),
            }
        }
        for word in words("external") {
            let (ssf, id) = criteria.external.take().unwrap_or_default();
            criteria.external = Some(match word.split_once('=') {
                Some(("ssf", value)) => (number(value)?, id),
                Some(("id", value)) => (ssf, CString::new(value).map_err(|_| "an odd id")?),
                _ => return Err(format!("-e knows ssf= and id=, not {word}")),
            });
        }
        for word in words("flags") {
            let known = FLAGS.iter().find(|(name, _)| *name == word);
            criteria.flags |= known.ok_or_else(|| format!("-f does not know {word}"))?.1;
        }
        Ok(criteria)
    }

    fn apply(&self, conn: &Conn<'_>) -> Result<(), Code> {
        conn.set_security(self.min, self.max.unwrap_or(256), self.flags)?;
        match &self.external {
            Some((ssf, id)) => conn.set_external(*ssf, id),
            None => Ok(()),
        }
    }
}

/// Runs the program.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let matches = match usage::parse(&usage::PLUGINVIEWER, arguments) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    let criteria = match Criteria::of(&matches) {
        Ok(criteria) => criteria,
        Err(why) => return usage::refuse(&usage::PLUGINVIEWER, &why),
    };
    let chosen = ["auxprop", "server", "client"].map(|name| matches.get_flag(name));
    let [auxprop, server, client] = if chosen.contains(&true) {
        chosen
    } else {
        [true; 3]
    };
    let outcome = (|| {
        if auxprop || server {
            server_side(&matches, &criteria, auxprop, server)?;
        }
        if client {
            client_side(&matches, &criteria)
        } else {
            Ok(())
        }
    })();
    match outcome {
        Ok(()) => {
            reasons(NAME, Level::Err);
            ExitCode::SUCCESS
        }
        Err((what, code)) => {
            complain(NAME, &format!("{what}: {}", ffi::text(code)));
            reasons(NAME, Level::Warn);
            ExitCode::FAILURE
        }
    }
}

type Outcome = Result<(), (&'static str, Code)>;

fn given(matches: &ArgMatches, name: &str) -> Option<CString> {
    CString::new(matches.get_one::<String>(name)?.as_str()).ok()
}

fn answers(matches: &ArgMatches) -> Answers {
    let mut answers = Answers {
        plugins: given(matches, "path"),
        ..Answers::default()
    };
    for (name, option) in [("mechanisms", c"mech_list"), ("stores", c"auxprop_plugin")] {
        answers
            .options
            .extend(given(matches, name).map(|value| Answer::new(option, value)));
    }
    answers
}

fn server_side(matches: &ArgMatches, criteria: &Criteria, auxprop: bool, server: bool) -> Outcome {
    let library = Library::server(answers(matches), c"pluginviewer")
        .map_err(|code| ("Initializing libsasl", code))?;
    if auxprop {
        tell("Installed and properly configured auxprop mechanisms are:");
        let names = ffi::names(About::Auxprop);
        tell(&if names.is_empty() {
            "<none>".to_owned()
        } else {
            names.join(" ")
        });
        ffi::print(About::Auxprop, given(matches, "stores").as_deref());
    }
    if !server {
        return Ok(());
    }
    tell("Installed and properly configured SASL (server side) mechanisms are:");
    tell(&format!("  {}", ffi::names(About::Server).join(" ")));
    let conn = library
        .accept(c"test", None, None)
        .map_err(|code| ("Allocating sasl connection state", code))?;
    matching(&conn, criteria, matches, About::Server, "server")
}

fn client_side(matches: &ArgMatches, criteria: &Criteria) -> Outcome {
    let library =
        Library::client(answers(matches)).map_err(|code| ("Initializing libsasl", code))?;
    tell("Installed and properly configured SASL (client side) mechanisms are:");
    tell(&format!("  {}", ffi::names(About::Client).join(" ")));
    let conn = library
        .connect(c"test", c"localhost")
        .map_err(|code| ("Allocating sasl connection state", code))?;
    matching(&conn, criteria, matches, About::Client, "client")
}

fn matching(
    conn: &Conn<'_>,
    criteria: &Criteria,
    matches: &ArgMatches,
    about: About,
    side: &str,
) -> Outcome {
    criteria
        .apply(conn)
        .map_err(|code| ("Setting security properties", code))?;
    let found = conn
        .mechanisms()
        .map_err(|code| ("Listing SASL mechanisms", code))?;
    if found.is_empty() {
        tell(&format!(
            "No {side} side SASL mechanisms matching your criteria found"
        ));
        return Ok(());
    }
    tell(&format!(
        "Available SASL ({side} side) mechanisms matching your criteria are:\n  {found}"
    ));
    // The client's list is not narrowed by the criteria: scripts know it so.
    let narrowed = || CString::new(found).ok().filter(|_| about == About::Server);
    let list = given(matches, "mechanisms").or_else(narrowed);
    ffi::print(about, list.as_deref());
    Ok(())
}
