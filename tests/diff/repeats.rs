// SPDX-License-Identifier: MIT OR Apache-2.0
//! What ours does not ask twice within one call (docs/behaviour.md, "Asked
//! once"), taken out of an output: the rest must be equal line by line.
//!
//! - Options of canonicalisers and stores: once a call, shown at its beginning.
//! - A look-up of the authzid that is the authid, when only properties of the
//!   authid (`*name`) are wanted.
//! - A look-up that wants nothing, when the same store is asked about the same
//!   user with a wish later in the call.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;

const OPTIONS: [&str; 2] = ["\"canon_user_plugin\"", "\"auxprop_plugin\""];

/// One store's answer about one user.
struct LookUp<'a> {
    store: &'a str,
    user: &'a str,
    authzid: bool,
    /// Names and values.
    wishes: Vec<&'a str>,
    /// Lines from the first on.
    length: usize,
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

impl<'a> LookUp<'a> {
    /// The look-up that begins at the first of these lines.
    fn read(lines: &[&'a str]) -> Option<Self> {
        let first = lines.first()?;
        let (store, rest) = first
            .trim_start()
            .strip_prefix('<')?
            .split_once(" lookup user ")?;
        let (user, flags) = rest.rsplit_once(" flags ")?;
        let depth = indent(first);
        let end = lines
            .iter()
            .skip(1)
            .position(|line| indent(line) <= depth)?
            + 1;
        lines[end]
            .trim_start()
            .starts_with(&format!("{store} -> "))
            .then(|| Self {
                store,
                user,
                authzid: flags.ends_with(" AUTHZID"),
                wishes: lines[1..end]
                    .iter()
                    .filter_map(|line| line.trim_start().strip_prefix("wants "))
                    .collect(),
                length: end + 1,
            })
    }

    fn same_user(&self, other: &Self) -> bool {
        self.store == other.store && self.user == other.user
    }

    fn for_authid_only(&self) -> bool {
        self.wishes.iter().all(|name| name.starts_with('*'))
    }

    fn is_spared(&self, earlier: &[Self], later: &[Self]) -> bool {
        let once = self.authzid
            && self.for_authid_only()
            && earlier
                .iter()
                .any(|one| !one.authzid && one.same_user(self));
        let waits = self.wishes.is_empty()
            && later
                .iter()
                .any(|one| !one.wishes.is_empty() && one.same_user(self));
        once || waits
    }
}

/// The lines of one call, its callbacks only.
fn one_call(lines: &[&str]) -> Vec<String> {
    let is_option = |line: &&&str| {
        line.trim_start().starts_with("<getopt ") && OPTIONS.iter().any(|name| line.contains(name))
    };
    let options = lines.iter().filter(is_option).map(|line| line.trim());
    let options: BTreeSet<&str> = options.collect();
    let mut rest: Vec<&str> = lines
        .iter()
        .filter(|line| !is_option(line))
        .copied()
        .collect();
    let mut at = 0;
    let mut found: Vec<(usize, LookUp<'_>)> = Vec::new();
    while at < rest.len() {
        match LookUp::read(&rest[at..]) {
            Some(one) => {
                found.push((at, one));
                at += found.last().map_or(1, |(_, one)| one.length);
            }
            None => at += 1,
        }
    }
    let (places, mut look_ups): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    for index in (0..look_ups.len()).rev() {
        let (earlier, rest_of) = look_ups.split_at(index);
        let (one, later) = (&rest_of[0], &rest_of[1..]);
        if one.is_spared(earlier, later) {
            rest.drain(places[index]..places[index] + one.length);
            // What it spares, it no longer stands for.
            look_ups.remove(index);
        }
    }
    let options = options.into_iter().map(|line| format!("    {line}"));
    options.chain(rest.into_iter().map(str::to_owned)).collect()
}

/// The output without what is asked again.
pub fn taken_out(text: &str) -> String {
    let mut out = String::new();
    let mut call: Vec<&str> = Vec::new();
    for line in text.lines().chain([""]) {
        if indent(line) >= 4 && !line.trim().is_empty() {
            call.push(line);
            continue;
        }
        for kept in one_call(&core::mem::take(&mut call)) {
            out.push_str(&kept);
            out.push('\n');
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

#[test]
fn only_what_is_asked_again_goes() {
    let stock = "start\n    <getopt NULL \"auxprop_plugin\" -> \"t\">\n    \
                 <t lookup user \"bob\" flags 0x0\n    t -> OK>\n    \
                 <getopt NULL \"pwcheck_method\" -> none>\n    \
                 <getopt NULL \"auxprop_plugin\" -> \"t\">\n    \
                 <t lookup user \"bob\" flags 0x0\n        wants *p, has 0 values\n    t -> OK>\n    \
                 <t lookup user \"bob\" flags 0x2 AUTHZID\n        wants *p, has 1 values\n            \"x\"\n    t -> OK>\n  = 0\n";
    let ours = "start\n    <getopt NULL \"pwcheck_method\" -> none>\n    \
                <getopt NULL \"auxprop_plugin\" -> \"t\">\n    \
                <t lookup user \"bob\" flags 0x0\n        wants *p, has 0 values\n    t -> OK>\n  = 0\n";
    assert_eq!(taken_out(stock), taken_out(ours));
    // Another user, a wish for the authzid, another code: these stay.
    for needed in [
        "    <t lookup user \"bob\" flags 0x0\n    t -> OK>\n    <t lookup user \"al\" flags 0x2 AUTHZID\n    t -> OK>\n",
        "    <t lookup user \"bob\" flags 0x0\n        wants mail, has 0 values\n    t -> OK>\n    \
         <t lookup user \"bob\" flags 0x2 AUTHZID\n        wants mail, has 0 values\n    t -> OK>\n",
        "    <t lookup user \"bob\" flags 0x0\n    t -> NOUSER>\n",
    ] {
        assert_eq!(taken_out(needed).trim_end(), needed.trim_end());
    }
}
